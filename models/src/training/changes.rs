//! What may change when a run goes on, and what of its `config.toml` does not agree with its checkpoint.
//!
//! The checkpoint's settings are the truth: they are what the weights were trained with. `config.toml` says the same, for people; where
//! it says otherwise it was edited, cut or is another run's, and each key is named.

use crate::configuration::{self, Layers};
use crate::error::{Error, Kind, Result};
use crate::refusals;
use crate::storage::checkpoint::Checkpoint;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// The settings that may change when a run goes on: none decides what a step computes, `steps` alone excepted, which stretches a
/// schedule that spans the run.
/// Where data lie may change, what is in them not.
pub const MAY_CHANGE: [&str; 12] = [
    "training.steps",
    "training.eval_every",
    "training.save_every",
    "training.log_every",
    "training.keep",
    "data.path",
    "data.validation_path",
    "data.test_path",
    "data.labels",
    "data.validation_labels",
    "data.test_labels",
    "data.frames_path",
];

/// The configuration that a run goes on with, and what there is to say about it.
#[derive(Debug)]
pub struct Agreed<C> {
    /// The checkpoint's, with what may change as `config.toml` and then the flags have it.
    pub config: C,
    /// A sentence for each setting that `config.toml` has otherwise than the checkpoint.
    pub said: Vec<String>,
}

/// Holds the text of `config.toml` against the settings of a checkpoint, and lays `flags` (flag, key, value) over them.
///
/// # Errors
/// [`Kind::BadInput`] naming each key that differs and may not, or is missing; [`Kind::Usage`] for a flag that sets one that may not
/// change.
pub fn agreed<C: Serialize + DeserializeOwned + Default>(
    checkpoint: &Checkpoint,
    path: &Path,
    text: &str,
    flags: &[(&str, String, String)],
) -> Result<Agreed<C>> {
    let settings = checkpoint.progress.as_ref().and_then(|progress| progress.settings.get("config"));
    let mut said = Vec::new();
    let mut layers = match settings {
        // A file that says nothing of its settings, from another program: what `config.toml` says is all there is.
        None => Layers::new(&C::default())?.text(path, text)?,
        Some(settings) => {
            let known: C = refusals::read(settings).map_err(|why| {
                Error::new(Kind::BadInput, format!("{}: the settings cannot be read", checkpoint.path.display()))
                    .cause(format!("`settings.config` of `autoreg.training`: {why}"))
            })?;
            let mut written = BTreeMap::new();
            leaves(&Value::try_from(settings).unwrap_or(Value::Table(Table::new())), "", &mut written);
            let edited =
                Layers::new(&known)?.text(path, text).map_err(|error| Error { kind: Kind::BadInput, ..error })?;
            let found = keys_of(text);
            let (mut lacking, mut differing) = (Vec::new(), Vec::new());
            let (ours, theirs) = (rows(&known)?, rows(&edited.finish()?)?);
            for (key, value) in &ours {
                match theirs.get(key) {
                    _ if written.contains_key(key) && !found.contains_key(key) => lacking.push(format!("`{key}`")),
                    Some(other) if other == value => {}
                    Some(other) if MAY_CHANGE.contains(&key.as_str()) => {
                        said.push(format!("{key} is {other}, as {} says; it was {value}", path.display()));
                    }
                    Some(other) => differing.push(format!("`{key}` is {other} and was {value}")),
                    None => differing.push(format!("`{key}` is missing and was {value}")),
                }
            }
            differing.extend(theirs.keys().filter(|key| !ours.contains_key(*key)).map(|key| format!("`{key}` is new")));
            refuse(path, lacking, differing)?;
            edited
        }
    };
    for (flag, key, value) in flags {
        if !MAY_CHANGE.contains(&key.as_str()) {
            return Err(Error::new(Kind::Usage, format!("{flag}: `{key}` cannot change when a run goes on"))
                .cause("what was trained so far was trained with it")
                .help(format!("these can: {}; `autoreg train` begins another run", MAY_CHANGE.join(", "))));
        }
        layers = layers.flag(flag, key, value)?;
    }
    Ok(Agreed { config: layers.finish()?, said })
}

fn refuse(path: &Path, lacking: Vec<String>, differing: Vec<String>) -> Result<()> {
    if lacking.is_empty() && differing.is_empty() {
        return Ok(());
    }
    let (what, keys) = match lacking.is_empty() {
        false => ("is not whole", format!("it lacks {}", lacking.join(", "))),
        true => ("does not agree with the checkpoint", differing.join("; ")),
    };
    let help = format!(
        "put the run's own file back; {} may change, by flags and --set; `autoreg train --config` begins another run with the rest",
        MAY_CHANGE.join(", ")
    );
    Err(Error::new(Kind::BadInput, format!("{} {what}", path.display())).cause(keys).help(help))
}

fn rows<C: Serialize>(config: &C) -> Result<BTreeMap<String, String>> {
    Ok(configuration::rows(config)?.into_iter().collect())
}

/// The dotted keys of a TOML text; none where it is no TOML, which is told elsewhere.
fn keys_of(text: &str) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    leaves(&toml::from_str(text).map_or(Value::Table(Table::new()), Value::Table), "", &mut keys);
    keys
}

/// Every value that is no table, under its dotted key.
fn leaves(value: &Value, key: &str, found: &mut BTreeMap<String, Value>) {
    let Value::Table(table) = value else {
        found.insert(key.to_owned(), value.clone());
        return;
    };
    for (name, value) in table {
        let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        leaves(value, &key, found);
    }
}
