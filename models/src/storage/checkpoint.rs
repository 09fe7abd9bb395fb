//! A checkpoint: one safetensors file with everything a run needs to go on, or a model needs to be used.
//!
//! It says which tensors mean what, by prefix, and which strings stand in `__metadata__`; `docs/file-formats.md` is the
//! same for a reader with another program. How the bytes are checked is in [`super::safetensors_header`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::atomic::Disk;
use super::expected::match_tensors;
use super::safetensors_file::{SafetensorsFile, StoredTensor, write_file};
use crate::error::{Error, Kind, Result};

/// The version of the format that this code writes, and the newest it reads.
pub const FORMAT: u32 = 1;

const FORMAT_KEY: &str = "autoreg.format";
const CONFIG_KEY: &str = "autoreg.config";
const VOCABULARY_KEY: &str = "autoreg.vocabulary";
const TRAINING_KEY: &str = "autoreg.training";

/// What a tensor is for, told by the prefix of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// A parameter or buffer of the model, under its PyTorch `state_dict` name: no prefix.
    Parameter,
    /// `optimizer.`: `optimizer.first_moment.head.weight`, `optimizer.step`.
    Optimizer,
    /// `random.`: one tensor per named stream of random numbers, `random.dropout`.
    Random,
    /// `data.`: where the reading of the data stands, `data.position`.
    Data,
    /// `carry.`: the state carried from one window of a stream to the next, `carry.h`.
    Carry,
    /// `average.`: the running average of a parameter, `average.head.weight`.
    Average,
}

impl Group {
    /// The groups with a prefix.
    pub const PREFIXED: [Group; 5] = [Group::Optimizer, Group::Random, Group::Data, Group::Carry, Group::Average];

    /// The prefix, with its dot; empty for parameters.
    pub fn prefix(self) -> &'static str {
        match self {
            Group::Parameter => "",
            Group::Optimizer => "optimizer.",
            Group::Random => "random.",
            Group::Data => "data.",
            Group::Carry => "carry.",
            Group::Average => "average.",
        }
    }

    /// The group a name belongs to.
    pub fn of(name: &str) -> Group {
        let prefixed = Group::PREFIXED.into_iter().find(|g| name.starts_with(g.prefix()));
        prefixed.unwrap_or(Group::Parameter)
    }
}

/// How far a run had come: the JSON of `autoreg.training`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done, counted over the whole run.
    pub step: u64,
    /// Symbols trained on.
    #[serde(default)]
    pub symbols: u64,
    /// Wall time of training, in seconds, over all its parts.
    #[serde(default)]
    pub seconds: f64,
    /// The best validation so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// The resolved configuration of the run, and whatever else its loop wants to find again.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
}

/// The best validation of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The step it was measured at.
    pub step: u64,
    /// Nats per symbol.
    pub nats: f64,
}

/// A checkpoint in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Where it was loaded from; empty for one made in memory. Only errors use it.
    pub path: PathBuf,
    /// The model's kind and hyper-parameters: the JSON of `autoreg.config`.
    pub config: Value,
    /// The JSON of `autoreg.vocabulary`, for models of symbols that have one.
    pub vocabulary: Option<Value>,
    /// How far training had come; absent from a file that holds a model alone.
    pub progress: Option<Progress>,
    /// All tensors, parameters first.
    pub tensors: Vec<StoredTensor>,
}

impl Checkpoint {
    /// A checkpoint of a model with this configuration and no tensors yet.
    ///
    /// # Errors
    /// [`Kind::Failed`] if the configuration has no JSON form.
    pub fn new(config: &impl Serialize) -> Result<Self> {
        let config = serde_json::to_value(config)
            .map_err(|e| Error::new(Kind::Failed, "the model's configuration has no JSON form").cause(e))?;
        Ok(Checkpoint { config, ..Checkpoint::default() })
    }

    /// Adds a tensor to a group; `tensor.name` is the name without prefix.
    ///
    /// # Panics
    /// If a parameter's name begins with the prefix of another group: it would come back as something else.
    pub fn push(&mut self, group: Group, mut tensor: StoredTensor) {
        tensor.name.insert_str(0, group.prefix());
        assert_eq!(Group::of(&tensor.name), group, "`{}` is a reserved name", tensor.name);
        self.tensors.push(tensor);
    }

    /// The tensors of a group, each with its name without prefix, in the order of the file.
    pub fn group(&self, group: Group) -> impl Iterator<Item = (&str, &StoredTensor)> {
        let in_group = self.tensors.iter().filter(move |t| Group::of(&t.name) == group);
        in_group.map(move |t| (&t.name[group.prefix().len()..], t))
    }

    /// One tensor by group and name without prefix.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming what the file lacks.
    pub fn tensor(&self, group: Group, name: &str) -> Result<&StoredTensor> {
        self.group(group).find(|(n, _)| *n == name).map(|(_, t)| t).ok_or_else(|| {
            Error::new(Kind::BadInput, format!("{} lacks the tensor `{}{name}`", self.path.display(), group.prefix()))
                .help(match group {
                    Group::Parameter => "",
                    _ => "the file holds a model alone: it can be evaluated and sampled, not resumed",
                })
        })
    }

    /// The parameters in the order of `expected` (name, shape).
    ///
    /// # Errors
    /// [`Kind::BadInput`] with every missing, extra and wrongly shaped name.
    pub fn parameters(&self, expected: &[(String, Vec<usize>)]) -> Result<Vec<&StoredTensor>> {
        match_tensors(&self.path, expected, self.group(Group::Parameter).map(|(_, t)| t))
    }

    /// The model's configuration as its own type.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the key that does not fit.
    pub fn config_as<C: DeserializeOwned>(&self) -> Result<C> {
        C::deserialize(&self.config).map_err(|e| bad_metadata(&self.path, CONFIG_KEY, e))
    }

    /// The kind of model: the string `model` of the configuration.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if there is none.
    pub fn model(&self) -> Result<&str> {
        let kind = self.config.get("model").and_then(Value::as_str);
        kind.ok_or_else(|| bad_metadata(&self.path, CONFIG_KEY, "it has no string `model`"))
    }

    /// Writes the checkpoint, atomically and durably.
    ///
    /// # Errors
    /// Those of [`write_file`].
    pub fn save(&self, disk: &dyn Disk, path: &Path) -> Result<()> {
        let mut metadata = BTreeMap::from([
            (FORMAT_KEY.to_owned(), FORMAT.to_string()),
            (CONFIG_KEY.to_owned(), self.config.to_string()),
        ]);
        if let Some(vocabulary) = &self.vocabulary {
            metadata.insert(VOCABULARY_KEY.to_owned(), vocabulary.to_string());
        }
        if let Some(progress) = &self.progress {
            metadata.insert(TRAINING_KEY.to_owned(), progress_json(path, progress)?);
        }
        write_file(disk, path, &self.tensors.iter().collect::<Vec<_>>(), &metadata)
    }

    /// Reads a checkpoint, with or without its training state.
    ///
    /// # Errors
    /// [`Kind::BadInput`] with path, tensor or metadata key, and position.
    pub fn load(path: &Path) -> Result<Self> {
        let mut file = SafetensorsFile::open(path)?;
        let metadata = file.header().metadata.clone();
        let format: u32 = json(path, &metadata, FORMAT_KEY)?.ok_or_else(|| missing(path, FORMAT_KEY))?;
        if format > FORMAT {
            return Err(bad_metadata(path, FORMAT_KEY, format!("version {format}; this autoreg reads up to {FORMAT}"))
                .help("use a newer autoreg"));
        }
        Ok(Checkpoint {
            path: path.to_owned(),
            config: json(path, &metadata, CONFIG_KEY)?.ok_or_else(|| missing(path, CONFIG_KEY))?,
            vocabulary: json(path, &metadata, VOCABULARY_KEY)?,
            progress: json(path, &metadata, TRAINING_KEY)?,
            tensors: file.read_all()?,
        })
    }
}

/// The JSON of a progress, read back before it is trusted: JSON has no NaN, and would lose it silently.
fn progress_json(path: &Path, progress: &Progress) -> Result<String> {
    let failed = |cause: String| Error::new(Kind::Failed, format!("cannot save {}", path.display())).cause(cause);
    let json = serde_json::to_string(progress).map_err(|e| failed(e.to_string()))?;
    match serde_json::from_str::<Progress>(&json) {
        Ok(read) if read == *progress => Ok(json),
        _ => Err(failed(format!("a number of its progress is not finite: {json}"))),
    }
}

fn json<T: DeserializeOwned>(path: &Path, metadata: &BTreeMap<String, String>, key: &str) -> Result<Option<T>> {
    let text = metadata.get(key);
    text.map(|text| serde_json::from_str(text).map_err(|e| bad_metadata(path, key, e))).transpose()
}

fn bad_metadata(path: &Path, key: &str, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::BadInput, format!("{}: the metadata `{key}` is not usable", path.display())).cause(why)
}

fn missing(path: &Path, key: &str) -> Error {
    Error::new(Kind::BadInput, format!("{} is not a checkpoint of autoreg", path.display()))
        .cause(format!("its metadata has no `{key}`"))
        .help("docs/file-formats.md shows how to write one from Python")
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
