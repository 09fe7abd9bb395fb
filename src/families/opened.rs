//! The model that a path on the command line means: a run folder's best checkpoint, or a file. Loads, and says why it cannot.

use super::{Family, Model, family_of};
use models::error::Result;
use models::storage::checkpoint::{Checkpoint, Progress};
use models::storage::run_files::{Which, resolve};
use models::training::begin;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What `RUN|CHECKPOINT` means, for the help of every subcommand that takes one.
pub const PATH_HELP: &str = "A run folder (its best checkpoint; RUN/latest means the newest) or a checkpoint file";

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

    /// What was measured.
    pub fn head(&self) -> Head {
        Head {
            model: self.kind.clone(),
            checkpoint: self.path.display().to_string(),
            step: self.progress.as_ref().map(|progress| progress.step),
        }
    }
}

/// Loads the model that `path` means.
///
/// # Errors
/// [`Kind::BadInput`](models::error::Kind::BadInput) with path and cause, whatever is wrong with it.
pub fn open(path: &Path) -> Result<Box<dyn Model>> {
    let path = resolve(path, Which::Best)?;
    let checkpoint = Checkpoint::load(&path)?;
    let kind = checkpoint.model()?.to_owned();
    let family = family_of(&kind, &path)?;
    let progress = checkpoint.progress.clone();
    family.open(&checkpoint, Source { path, kind, family, progress })
}
