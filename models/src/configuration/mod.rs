//! Layered configuration: defaults < TOML file < `AUTOREG_*` environment < flags and `--set key=value`.
//!
//! Generic over a struct of the caller's that derives `Serialize` and `Deserialize` with
//! `#[serde(default, deny_unknown_fields)]`; which keys there are is known to that struct alone. Every key is tried as it
//! is set, so that an error names the layer it came from (and the line, for a file).

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::{Error, Kind, Result};
use crate::storage::atomic::read_error;
use crate::storage::expected::nearest;

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
        let text = std::fs::read_to_string(path).map_err(|e| read_error(path, &e))?;
        self.text(path, &text)
    }

    /// Lays TOML text over what there is; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Layers::file`].
    pub fn text(mut self, path: &Path, text: &str) -> Result<Self> {
        let line_at = |byte: usize| text[..byte.min(text.len())].matches('\n').count() + 1;
        let broken = |e: toml::de::Error| {
            let line = e.span().map_or(1, |span| line_at(span.start));
            Error::new(Kind::BadInput, format!("{}, line {line}: not TOML", path.display())).cause(e.message())
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
                self.assign(&key, &readings(&text), Origin::Environment(name))?;
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
                .help("write --set key=value, for instance --set optimizer.learning_rate=0.002"));
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

    /// The configuration of all layers.
    ///
    /// # Errors
    /// [`Kind::Usage`] if the struct refuses the whole although it took every key.
    pub fn finish(&self) -> Result<C> {
        parse(&self.table).map_err(|e| Error::new(Kind::Usage, "the configuration does not fit together").cause(e))
    }

    /// Where the value of a dotted key came from; `None` for a default.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.origins.get(key)
    }

    /// Puts the first of the `readings` that the struct takes under a dotted key.
    fn assign(&mut self, key: &str, readings: &[Value], origin: Origin) -> Result<()> {
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
        Err(self.refused(key, &readings[0], &refusal, &origin))
    }

    fn refused(&self, key: &str, value: &Value, why: &str, origin: &Origin) -> Error {
        let Some((unknown, siblings)) = unknown_field(why) else {
            return Error::new(Kind::Usage, format!("{origin}: `{key}` cannot be {value}")).cause(why);
        };
        let error = Error::new(Kind::Usage, format!("{origin}: unknown key `{key}`"));
        // What the struct itself knows beside the wrong part (optional keys too), then every key that has a default.
        let parent = &key[..key.rfind(&unknown).unwrap_or(0)];
        let mut known: Vec<String> = siblings.iter().map(|s| format!("{parent}{s}")).collect();
        let mut leaves = Vec::new();
        collect_leaves(&self.table, "", &mut leaves);
        known.extend(leaves.into_iter().map(|(k, _)| k));
        let last = |k: &str| k.rsplit('.').next().unwrap_or_default().to_owned();
        let elsewhere = known.iter().find(|k| last(k) == last(key)).map(String::as_str);
        match elsewhere.or_else(|| nearest(key, known.iter().map(String::as_str))) {
            Some(like) => error.help(format!("did you mean `{like}`?")),
            None => error.help(format!("known keys: {}", known[..siblings.len()].join(", "))),
        }
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
    Ok(leaves.into_iter().map(|(key, value)| (key, value.to_string())).collect())
}

fn parse<C: DeserializeOwned>(table: &Table) -> std::result::Result<C, String> {
    table.clone().try_into().map_err(|e: toml::de::Error| e.message().to_owned())
}

/// What a text may mean: a TOML value first, then the text itself (`tiny` and `3` are both possible names).
fn readings(text: &str) -> Vec<Value> {
    let wrapped: Option<Table> = toml::from_str(&format!("value = {text}")).ok();
    // One value alone: `1\nother = 2` would be two.
    let value = wrapped.filter(|t| t.len() == 1).and_then(|mut t| t.remove("value"));
    value.into_iter().chain([Value::String(text.to_owned())]).collect()
}

/// Puts a value under a dotted key, making the tables on the way.
fn insert(table: &mut Table, key: &str, value: Value) -> std::result::Result<(), String> {
    let (first, rest) = match key.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (key, None),
    };
    let Some(rest) = rest else {
        table.insert(first.to_owned(), value);
        return Ok(());
    };
    match table.entry(first).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(inner) => insert(inner, rest, value),
        // A choice that may be a word or a group of its own: `vocabulary = "bytes"`, `vocabulary.byte_pairs.size = 512`. Whether
        // the struct takes a group here, it says itself.
        word @ Value::String(_) => {
            let mut inner = Table::new();
            insert(&mut inner, rest, value)?;
            *word = Value::Table(inner);
            Ok(())
        }
        other => Err(format!("`{first}` is a value ({other}), not a group of keys")),
    }
}

/// The field serde calls unknown, and those it knows in that place, from its message
/// "unknown field `a`, expected one of `b`, `c`" (serde gives it in no other form).
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let from = message.find("unknown field `")?;
    let mut quoted = message[from..].split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}

/// The dotted keys of a table and their values; arrays are values.
fn collect_leaves(table: &Table, prefix: &str, leaves: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => collect_leaves(inner, &format!("{prefix}{key}."), leaves),
            _ => leaves.push((format!("{prefix}{key}"), value.clone())),
        }
    }
}

/// The line of each dotted key.
fn collect_lines(
    table: &toml::de::DeTable<'_>,
    prefix: &str,
    line_at: &impl Fn(usize) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    for (key, value) in table {
        let dotted = format!("{prefix}{}", key.get_ref());
        if let Some(inner) = value.get_ref().as_table() {
            collect_lines(inner, &format!("{dotted}."), line_at, lines);
        }
        lines.insert(dotted, line_at(key.span().start));
    }
}

#[cfg(test)]
mod tests;
