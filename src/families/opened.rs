//! The model that a path on the command line means: a run folder's best checkpoint, a file, or a folder of another program's files. Loads,
//! and says why it cannot.

use super::{FAMILIES, Family, Foreign, Model, family_of};
use crate::terminal::console::say;
use crate::terminal::output;
use clap::ValueEnum;
use models::compression::identity::described;
use models::data::Part;
use models::data::files::DataFiles;
use models::data::fingerprint::Fingerprint;
use models::distribution::NOT_FINITE;
use models::error::{Error, Kind, Result};
use models::narrow::Weights;
use models::storage::checkpoint::{Checkpoint, Progress};
use models::storage::run_files::load_model;
use models::training::begin;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `RUN|CHECKPOINT` means, for the help of every subcommand that takes one.
pub const PATH_HELP: &str =
    "A run folder (its best checkpoint; RUN/latest means the newest), a checkpoint file, or a folder of GPT-2's files";

/// Where a model came from.
#[derive(Clone)]
pub struct Source {
    /// The checkpoint file.
    pub path: PathBuf,
    /// The kind of model: `gru`.
    pub kind: String,
    /// Whose it is.
    pub family: &'static dyn Family,
    /// How far its training had come, where the file is one of a run.
    pub progress: Option<Progress>,
    /// The data it was trained on, where the file says so.
    pub data: Option<Fingerprint>,
    /// The hash of its configuration and vocabulary.
    pub described: u64,
    /// The files it was read from, where they are another program's.
    pub files: Vec<PathBuf>,
}

/// The first fields of a result's JSON: what was measured.
#[derive(Serialize)]
pub struct Head {
    /// The kind of model.
    pub model: String,
    /// Its file.
    pub checkpoint: String,
    /// Its step, where it is one of a run.
    pub step: Option<u64>,
}

impl Source {
    /// A table of the run's configuration (`data`), where the file says it; else the default.
    pub fn setting<T: for<'de> Deserialize<'de> + Default>(&self, table: &str) -> T {
        begin::setting(self.progress.as_ref(), table).unwrap_or_default()
    }

    /// Refuses outputs that would destroy the data of the run, which lie where its configuration says, or another program's files of the
    /// model: nobody names them here.
    ///
    /// # Errors
    /// As [`output::check`].
    pub fn spares_data<'a>(&self, outputs: impl IntoIterator<Item = &'a Path>) -> Result<()> {
        let table: BTreeMap<String, Value> = self.setting("data");
        let is_path = |key: &str| {
            ["path", "labels"]
                .iter()
                .any(|end| key.strip_suffix(end).is_some_and(|front| front.is_empty() || front.ends_with('_')))
        };
        let paths = table.iter().filter(|(key, _)| is_path(key)).filter_map(|(_, path)| path.as_str());
        // `auto` is a word of the labels: those beside the pictures.
        let data = paths.filter(|path| !["", "auto"].contains(path)).map(Path::new);
        let spared: Vec<&Path> = data.chain(self.files.iter().map(PathBuf::as_path)).collect();
        output::check(outputs, &spared)
    }

    /// Refuses data that are not the run's where a part of them is asked for: their parts are the run's, and shares of other data would
    /// call "test" what was trained on.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the data.
    pub fn parts_of(&self, data: DataFiles, part: Part) -> Result<DataFiles> {
        let Some(known) = self.data.as_ref().filter(|known| part != Part::All && **known != data.fingerprint()) else {
            return Ok(data);
        };
        let bytes = data.fingerprint().bytes;
        let cause = match bytes == known.bytes {
            true => "its content is not what the run was trained on".to_owned(),
            false => format!("it has {bytes} bytes, and the run was trained on {}", known.bytes),
        };
        let what = format!("{} is not the data of {}", data.path, self.path.display());
        Err(Error::new(Kind::BadInput, what).cause(format!("{cause}; which of it was the {} part, nobody knows", part.name())).help(
            "without the part (--split all, --after all) other data are used whole; name the run's own data for its parts",
        ))
    }

    /// An error with the path of the model, where it is one of the model's own.
    pub fn named(&self, error: Error) -> Error {
        match error.what == NOT_FINITE {
            true => Error { what: format!("{}: {}", self.path.display(), error.what), ..error },
            false => error,
        }
    }

    /// What a refusal says: `runs/mine holds a model of text`.
    pub fn holds(&self) -> String {
        format!("{} holds {}", self.path.display(), self.family.a_model())
    }

    /// What was measured.
    pub fn head(&self) -> Head {
        Head {
            model: self.kind.clone(),
            checkpoint: self.path.display().to_string(),
            step: self.progress.as_ref().map(|progress| progress.step),
        }
    }
}

/// [`Weights`], as the command line names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// As they were trained.
    F32,
    /// Half the bytes.
    Bf16,
    /// A quarter of them: whole numbers by a power of two for each row.
    Int8,
}

/// Loads the model that `path` means, with its weights in a format.
///
/// # Errors
/// As [`open`], and a usage error for a model that has none of these formats.
pub fn open_in(path: &Path, format: Format) -> Result<Box<dyn Model>> {
    let mut model = open(path)?;
    format.narrow().map_or(Ok(()), |weights| model.round(weights))?;
    Ok(model)
}

impl Format {
    /// What the weights are to be rounded to, if to anything.
    pub fn narrow(self) -> Option<Weights> {
        match self {
            Format::F32 => None,
            Format::Bf16 => Some(Weights::Bf16),
            Format::Int8 => Some(Weights::Int8),
        }
    }
}

/// The model of another program's files that `path` means, where it means one.
pub fn foreign(path: &Path) -> Option<Foreign> {
    FAMILIES.iter().find_map(|family| family.foreign(path))
}

/// Loads the model that `path` means.
///
/// # Errors
/// [`Kind::BadInput`] with path and cause, whatever is wrong with it.
pub fn open(path: &Path) -> Result<Box<dyn Model>> {
    let (checkpoint, files) = match foreign(path) {
        Some(foreign) => ((foreign.read)()?, foreign.files),
        None => (load_model(path)?, Vec::new()),
    };
    if !checkpoint.prefix.is_empty() {
        say(&format!("the prefix `{}` is taken off the names of all parameters", checkpoint.prefix));
    }
    of_checkpoint(&checkpoint, files)
}

/// The model of a checkpoint that was loaded, or read from another program's files.
///
/// # Errors
/// [`Kind::BadInput`] with path and cause, whatever is wrong with it.
pub fn of_checkpoint(checkpoint: &Checkpoint, files: Vec<PathBuf>) -> Result<Box<dyn Model>> {
    let kind = checkpoint.model()?.to_owned();
    let path = checkpoint.path.clone();
    let family = family_of(&kind, &path)?;
    let (progress, data) = (checkpoint.progress.clone(), begin::fingerprint(checkpoint)?);
    let described = described(&checkpoint.config, checkpoint.vocabulary.as_ref());
    family.open(checkpoint, Source { path, kind, family, progress, data, described, files })
}
