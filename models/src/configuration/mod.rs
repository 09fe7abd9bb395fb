//! Layered configuration: defaults < TOML file < `AUTOREG_*` environment < flags and `--set key=value`.
//!
//! Generic over a struct of the caller's that derives `Serialize` and `Deserialize` with
//! `#[serde(default, deny_unknown_fields)]`; which keys there are is known to that struct alone. Every key is tried as it
//! is set, so that an error names the layer it came from (and the line, for a file).

mod refused;
mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use refused::refused;
use tables::{collect_leaves, collect_lines, insert, readings, shortened, shown, value_of};

use crate::error::{Error, Kind, Result};
use crate::refusals::in_words;
use crate::storage::atomic::read_error;
use crate::storage::expected::nearest;
use crate::storage::regular::kind_of;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a file.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line, as the user wrote it: `--set`, `--steps`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// No configuration is longer, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// No key has more parts.
const DEEPEST: usize = 16;

/// A configuration being put together, layer by layer; later layers win.
#[derive(Clone, Debug)]
pub struct Layers<C> {
    table: Table,
    origins: BTreeMap<String, Origin>,
    config: PhantomData<C>,
}

impl<C: Serialize + DeserializeOwned> Layers<C> {
    /// Starts from these defaults.
    ///
    /// # Errors
    /// [`Kind::Failed`] if they have no TOML form.
    pub fn new(defaults: &C) -> Result<Self> {
        let table = Table::try_from(defaults)
            .map_err(|e| Error::new(Kind::Failed, "the defaults have no TOML form").cause(e))?;
        Ok(Layers { table, origins: BTreeMap::new(), config: PhantomData })
    }

    /// Lays a TOML file over what there is.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the file cannot be read or is not TOML; [`Kind::Usage`] for an unknown key or a value of the
    /// wrong type, naming key, value and line.
    pub fn file(self, path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        // What a shell puts in the place of a command, <(command), is a pipe without a name, and somebody writes to it.
        let named = std::fs::canonicalize(path).and_then(std::fs::metadata);
        if let Some(kind) = named.ok().map(|about| kind_of(about.file_type())).filter(|kind| *kind == "a pipe") {
            return Err(Error::new(Kind::BadInput, format!("cannot read {}", path.display()))
                .cause(format!("it is {kind}, not a file: nobody may ever write to it"))
                .help("give a TOML file of settings"));
        }
        let file = std::fs::File::open(path).map_err(|e| read_error(path, &e))?;
        file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(|e| read_error(path, &e))?;
        if bytes.len() as u64 > LONGEST_FILE {
            let what = format!("{} is longer than {LONGEST_FILE} bytes", path.display());
            return Err(Error::new(Kind::BadInput, what).help("give a TOML file of settings"));
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            Error::new(Kind::BadInput, format!("{} is no text", path.display()))
                .cause(format!("it is not UTF-8 at byte {}", e.utf8_error().valid_up_to()))
                .help("give a TOML file of settings")
        })?;
        self.text(path, &text)
    }

    /// Lays TOML text over what there is; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Layers::file`].
    pub fn text(mut self, path: &Path, text: &str) -> Result<Self> {
        // Some editors begin a file with a mark that is no part of it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line_at = |byte: usize| text[..byte.min(text.len())].matches('\n').count() + 1;
        let broken = |e: toml::de::Error| {
            let line = e.span().map_or(1, |span| line_at(span.start));
            let written = text.lines().nth(line - 1).unwrap_or_default();
            let cause = format!("{}: {}", in_words(e.message()), shortened(written));
            Error::new(Kind::BadInput, format!("{}, line {line}: not TOML", path.display())).cause(cause)
        };
        let table: Table = toml::from_str(text).map_err(broken)?;
        let spans = toml::de::DeTable::parse(text).map_err(broken)?;
        let mut lines = BTreeMap::new();
        collect_lines(spans.get_ref(), "", &line_at, &mut lines);
        let mut leaves = Vec::new();
        collect_leaves(&table, "", &mut leaves);
        for (key, value) in leaves {
            let line = lines.get(&key).copied().unwrap_or(1);
            self.assign(&key, &[value], Origin::File(path.to_owned(), line))?;
        }
        Ok(self)
    }

    /// Lays the variables that begin with `AUTOREG_` over what there is: `AUTOREG_OPTIMIZER__LEARNING_RATE=0.002` is
    /// `optimizer.learning_rate`. Those in `reserved` mean something else and are passed over.
    ///
    /// # Errors
    /// [`Kind::Usage`] for an unknown key or a value of the wrong type, naming the variable.
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
        reserved: &[&str],
    ) -> Result<Self> {
        for (name, text) in variables {
            let Some(key) = name.strip_prefix("AUTOREG_") else { continue };
            if !reserved.contains(&name.as_str()) {
                let key = key.to_lowercase().replace("__", ".");
                // A key has two underscores, and what is wrong with a key that there is says the error itself.
                let meant = nearest(&name, reserved.iter().copied()).filter(|_| !name.contains("__"));
                self.assign(&key, &readings(&text), Origin::Environment(name.clone())).map_err(
                    |error| match meant {
                        Some(meant) => error.help(format!("did you mean {meant}?")),
                        None => in_variables(error),
                    },
                )?;
            }
        }
        Ok(self)
    }

    /// Lays one `--set` over what there is: `optimizer.learning_rate=0.002`.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a missing `=`, an unknown key or a value of the wrong type.
    pub fn set(self, assignment: &str) -> Result<Self> {
        let Some((key, text)) = assignment.split_once('=') else {
            return Err(Error::new(Kind::Usage, format!("--set {assignment}: there is no `=` in it"))
                .help("write --set key=value, for instance --set training.steps=1000"));
        };
        self.flag("--set", key.trim(), text.trim())
    }

    /// Lays the value of a flag over what there is; `flag` is what the user wrote, for errors.
    ///
    /// # Errors
    /// [`Kind::Usage`] for an unknown key or a value of the wrong type.
    pub fn flag(mut self, flag: &str, key: &str, text: &str) -> Result<Self> {
        self.assign(key, &readings(text), Origin::Flag(flag.to_owned()))?;
        Ok(self)
    }

    /// Changes the text under a key, where there is such a key and its value is a text.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn map_text(mut self, key: &str, change: impl FnOnce(String) -> Result<String>) -> Result<Self> {
        let (groups, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut groups = groups.split('.').filter(|group| !group.is_empty());
        let table = groups.try_fold(&mut self.table, |table, group| table.get_mut(group)?.as_table_mut());
        if let Some(Value::String(text)) = table.and_then(|table| table.get_mut(last)) {
            *text = change(std::mem::take(text))?;
        }
        Ok(self)
    }

    /// The configuration of all layers.
    ///
    /// # Errors
    /// [`Kind::Usage`] if the struct refuses the whole although it took every key.
    pub fn finish(&self) -> Result<C> {
        parse(&self.table)
            .map_err(|e| Error::new(Kind::Usage, "the configuration does not fit together").cause(in_words(&e)))
    }

    /// Where the value of a dotted key came from; `None` for a default.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.origins.get(key)
    }

    /// Puts the first of the `readings` that the struct takes under a dotted key. A group of keys changes those it names and no
    /// others.
    fn assign(&mut self, key: &str, readings: &[Value], origin: Origin) -> Result<()> {
        if key.split('.').count() > DEEPEST {
            let what = format!("{origin}: a key of {} parts", key.split('.').count());
            return Err(Error::new(Kind::Usage, what).cause(format!("no key has more than {DEEPEST}")));
        }
        if let Some(Value::Table(group)) = readings.first()
            && let Some(Value::Table(_)) = value_of(&self.table, key)
        {
            let mut leaves = Vec::new();
            collect_leaves(group, &format!("{key}."), &mut leaves);
            return leaves.into_iter().try_for_each(|(key, value)| self.assign(&key, &[value], origin.clone()));
        }
        let mut refusal = String::new();
        for value in readings {
            let mut table = self.table.clone();
            match insert(&mut table, key, value.clone()).and_then(|()| parse::<C>(&table).map(|_| ())) {
                Ok(()) => {
                    self.table = table;
                    self.origins.insert(key.to_owned(), origin);
                    return Ok(());
                }
                // The first reading is the natural one; its refusal is the one to report.
                Err(why) if refusal.is_empty() => refusal = why,
                Err(_) => {}
            }
        }
        Err(refused::<C>(&self.table, key, &readings[0], &refusal, &origin))
    }
}

/// The variables of this process that begin with `AUTOREG_`, for [`Layers::environment`]; `std::env::vars` would panic
/// where any variable is not Unicode.
///
/// # Errors
/// [`Kind::Usage`] naming one of them that is not Unicode.
pub fn environment_variables() -> Result<Vec<(String, String)>> {
    let ours = std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AUTOREG_"));
    ours.map(|(name, value)| {
        let shown = name.to_string_lossy().into_owned();
        name.into_string()
            .and_then(|name| Ok((name, value.into_string()?)))
            .map_err(|_| Error::new(Kind::Usage, format!("environment variable {shown} is not Unicode")))
    })
    .collect()
}

/// An error whose help names a key, with the key as a variable is named.
fn in_variables(error: Error) -> Error {
    let key = error.help.strip_prefix("did you mean `").and_then(|help| help.strip_suffix("`?"));
    // Else what is meant is a value.
    let Some(key) = key.filter(|_| error.what.contains(": unknown key `")) else { return error };
    let variable = format!("AUTOREG_{}", key.to_uppercase().replace('.', "__"));
    error.help(format!("did you mean {variable}? Two underscores stand for the point of a key"))
}

/// The configuration as the text of a `config.toml`.
///
/// # Errors
/// [`Kind::Failed`] if it has no TOML form.
pub fn to_toml<C: Serialize>(config: &C) -> Result<String> {
    toml::to_string_pretty(config).map_err(|e| Error::new(Kind::Failed, "the configuration has no TOML form").cause(e))
}

/// All dotted keys and their values, as text: for a table of the configuration.
///
/// # Errors
/// [`Kind::Failed`] if it has no TOML form.
pub fn rows<C: Serialize>(config: &C) -> Result<Vec<(String, String)>> {
    let table =
        Table::try_from(config).map_err(|e| Error::new(Kind::Failed, "the configuration has no TOML form").cause(e))?;
    let mut leaves = Vec::new();
    collect_leaves(&table, "", &mut leaves);
    Ok(leaves.into_iter().map(|(key, value)| (key, shown(&value))).collect())
}

fn parse<C: DeserializeOwned>(table: &Table) -> std::result::Result<C, String> {
    table.clone().try_into().map_err(|e: toml::de::Error| e.message().to_owned())
}

#[cfg(test)]
mod tests;
