//! A checkpoint: one safetensors file with everything a run needs to go on, or a model needs to be used.
//!
//! It says which tensors mean what, by prefix, and which strings stand in `__metadata__`; `docs/file-formats.md` is the
//! same for a reader with another program. How the bytes are checked is in [`super::safetensors_header`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::atomic::Disk;
use super::expected::match_tensors;
pub use super::group::Group;
use super::progress::progress_json;
pub use super::progress::{Best, MetricsMark, Progress};
use super::regular::shortened;
use super::safetensors_file::{SafetensorsFile, StoredTensor, write_file};
use crate::error::{Error, Kind, Result};
use crate::refusals;

/// The version of the format that this code writes, and the newest it reads.
pub const FORMAT: u32 = 1;

const FORMAT_KEY: &str = "autoreg.format";
const CONFIG_KEY: &str = "autoreg.config";
const VOCABULARY_KEY: &str = "autoreg.vocabulary";
const TRAINING_KEY: &str = "autoreg.training";

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
    /// The prefix that was taken off the names of all parameters; empty where there was none.
    pub prefix: String,
}

/// What PyTorch puts before the names of a `state_dict`: of a module in `DataParallel`, of one compiled.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];

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

    /// The one number that a tensor of shape (1) holds.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if there is no such tensor, or it holds something else.
    pub fn number(&self, group: Group, name: &str) -> Result<u64> {
        let tensor = self.tensor(group, name)?;
        match tensor.elements::<u64>() {
            Ok(elements) if tensor.shape == [1] => Ok(elements[0]),
            _ => Err(self.unfit(&format!(
                "tensor `{}` is {} of shape {:?}, not one U64",
                tensor.name, tensor.data_type, tensor.shape
            ))),
        }
    }

    /// Where the reading of the data stands, of a training that reads once a step: tensor `data.position`.
    ///
    /// # Errors
    /// As [`Checkpoint::number`]; also if it is not the number of steps made.
    pub fn position(&self) -> Result<u64> {
        let position = self.number(Group::Data, "position")?;
        let steps = self.progress.as_ref().map_or(position, |progress| progress.step);
        if position != steps {
            return Err(self.unfit(&format!("tensor data.position is {position} after {steps} steps")));
        }
        Ok(position)
    }

    /// The error of a file that does not hold the whole state of a training.
    pub fn unfit(&self, why: &str) -> Error {
        Error::new(Kind::BadInput, format!("{} cannot be gone on from", self.path.display()))
            .cause(why)
            .help("resume from an earlier checkpoint: name it in `latest`")
    }

    /// Takes a prefix of PyTorch's off the names of the parameters, where all have it.
    fn without_prefix(mut self) -> Self {
        while let Some(prefix) = PREFIXES.into_iter().find(|prefix| {
            let mut names = self.group(Group::Parameter).map(|(name, _)| name).peekable();
            names.peek().is_some() && names.all(|name| name.starts_with(prefix) && name.len() > prefix.len())
        }) {
            let parameters = self.tensors.iter_mut().filter(|t| Group::of(&t.name) == Group::Parameter);
            parameters.for_each(|tensor| _ = tensor.name.drain(..prefix.len()));
            self.prefix += prefix;
        }
        self
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
        refusals::read(&self.config).map_err(|why| bad_metadata(&self.path, CONFIG_KEY, why))
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
        self.save_with(self.progress.as_ref(), disk, path)
    }

    /// [`Checkpoint::save`] as one of a run.
    ///
    /// # Errors
    /// Those of [`write_file`].
    pub fn save_of_run(&self, run: Option<&str>, mark: MetricsMark, disk: &dyn Disk, path: &Path) -> Result<()> {
        let (run, metrics) = (run.map(str::to_owned), run.map(|_| mark));
        let progress = self.progress.clone().map(|progress| Progress { run, metrics, ..progress });
        self.save_with(progress.as_ref(), disk, path)
    }

    fn save_with(&self, progress: Option<&Progress>, disk: &dyn Disk, path: &Path) -> Result<()> {
        let mut metadata = BTreeMap::from([
            (FORMAT_KEY.to_owned(), FORMAT.to_string()),
            (CONFIG_KEY.to_owned(), self.config.to_string()),
        ]);
        if let Some(vocabulary) = &self.vocabulary {
            metadata.insert(VOCABULARY_KEY.to_owned(), vocabulary.to_string());
        }
        if let Some(progress) = progress {
            metadata.insert(TRAINING_KEY.to_owned(), progress_json(path, progress)?);
        }
        write_file(disk, path, &self.tensors.iter().collect::<Vec<_>>(), &metadata)
    }

    /// Reads a checkpoint, with or without its training state.
    ///
    /// # Errors
    /// [`Kind::BadInput`] with path, tensor or metadata key, and position.
    pub fn load(path: &Path) -> Result<Self> {
        Self::load_those(path, |_| true)
    }

    /// [`Checkpoint::load`] for a model that is used and not trained on: what the optimizer remembers, twice the model, is checked and not
    /// kept.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], whatever the damage is in.
    pub fn load_model(path: &Path) -> Result<Self> {
        Self::load_those(path, |name| Group::of(name) != Group::Optimizer)
    }

    fn load_those(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        let mut file = SafetensorsFile::open(path)?;
        file.checksums()?;
        let metadata = file.header().metadata.clone();
        let format: u32 = json(path, &metadata, FORMAT_KEY)?.ok_or_else(|| missing(path, FORMAT_KEY))?;
        if format > FORMAT {
            return Err(bad_metadata(path, FORMAT_KEY, format!("version {format}; this autoreg reads up to {FORMAT}"))
                .help("use a newer autoreg"));
        }
        let checkpoint = Checkpoint {
            path: path.to_owned(),
            config: json(path, &metadata, CONFIG_KEY)?.ok_or_else(|| missing(path, CONFIG_KEY))?,
            vocabulary: json(path, &metadata, VOCABULARY_KEY)?,
            progress: json(path, &metadata, TRAINING_KEY)?,
            tensors: file.read_those(wanted)?,
            prefix: String::new(),
        };
        Ok(checkpoint.without_prefix())
    }

    /// How far the training of a file had come, by its header alone; none where it is no whole header of a checkpoint.
    pub fn progress_of(path: &Path) -> Option<Progress> {
        let file = SafetensorsFile::open(path).ok()?;
        file.checksums().ok()?;
        let metadata = &file.header().metadata;
        metadata.get(FORMAT_KEY)?;
        json(path, metadata, TRAINING_KEY).ok()?
    }
}

fn json<T: DeserializeOwned>(path: &Path, metadata: &BTreeMap<String, String>, key: &str) -> Result<Option<T>> {
    let text = metadata.get(key);
    let read = |text| serde_json::from_str(text).map_err(|e| e.to_string()).and_then(|value| refusals::read(&value));
    text.map(|text| read(text).map_err(|why| bad_metadata(path, key, why))).transpose()
}

fn bad_metadata(path: &Path, key: &str, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::BadInput, format!("{}: the metadata `{key}` is not usable", path.display()))
        .cause(shortened(&why.to_string(), 400))
}

fn missing(path: &Path, key: &str) -> Error {
    Error::new(Kind::BadInput, format!("{} is not a checkpoint of autoreg", path.display()))
        .cause(format!("its metadata has no `{key}`"))
        .help("docs/file-formats.md shows how to write one from Python")
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
