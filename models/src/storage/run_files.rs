//! Reading a run folder: which checkpoint a path means, its records, samples and configuration. Nothing here writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::atomic::{UNFINISHED, folder_of, read_error};
use super::metrics::{self, Record};
use super::run_lock::LOCK_FILE;
use crate::error::{Error, Kind, Result};

pub(super) const CONFIG: &str = "config.toml";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const SAMPLES: &str = "samples";
pub(super) const PICTURE: &str = "loss.svg";
pub(super) const PAGE: &str = "index.html";

/// A checkpoint of a run by its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The newest: what resuming goes on from.
    Latest,
    /// The one with the lowest validation loss; the newest where none was evaluated.
    Best,
}

impl Which {
    /// The name of the file that names the checkpoint.
    pub fn file_name(self) -> &'static str {
        match self {
            Which::Latest => "latest",
            Which::Best => "best",
        }
    }
}

/// The name of the checkpoint of a step: `step-000200.safetensors`.
pub fn checkpoint_name(step: u64) -> String {
    format!("step-{step:06}.safetensors")
}

/// Whether a folder holds a run.
pub fn is_run(folder: &Path) -> bool {
    folder.join(CONFIG).is_file() || folder.join(Which::Latest.file_name()).is_file()
}

/// Whether a folder holds anything but what the making of a run leaves when it is killed.
pub(super) fn has_other_files(folder: &Path) -> bool {
    let ours = |name: &str| [CHECKPOINTS, SAMPLES, LOCK_FILE].contains(&name) || name.ends_with(UNFINISHED);
    fs::read_dir(folder).into_iter().flatten().flatten().any(|e| !ours(&e.file_name().to_string_lossy()))
}

/// The resolved configuration of a run, as TOML.
///
/// # Errors
/// [`Kind::BadInput`] if it cannot be read.
pub fn read_config(folder: &Path) -> Result<String> {
    let path = folder.join(CONFIG);
    fs::read_to_string(&path).map_err(|e| read_error(&path, &e))
}

/// The records of a run; none where nothing was logged.
///
/// # Errors
/// [`Kind::BadInput`] naming the broken line.
pub fn records(folder: &Path) -> Result<Vec<Record>> {
    let path = folder.join(METRICS);
    if path.exists() { metrics::read(&path) } else { Ok(Vec::new()) }
}

/// The checkpoints of a run with their steps, oldest first.
///
/// # Errors
/// [`Kind::BadInput`] if the folder cannot be read.
pub fn checkpoints(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut found = steps_in(&folder.join(CHECKPOINTS))?;
    found.retain(|(_, path)| path.extension().is_some_and(|e| e == "safetensors"));
    Ok(found)
}

/// The samples of a run with their steps, oldest first.
///
/// # Errors
/// [`Kind::BadInput`] if the folder cannot be read.
pub fn samples(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    steps_in(&folder.join(SAMPLES))
}

/// The files `step-NUMBER.EXTENSION` of a folder, by number; none where there is no folder.
pub(super) fn steps_in(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| read_error(folder, &e))? {
        let path = entry.map_err(|e| read_error(folder, &e))?.path();
        let stem = path.file_stem().and_then(|s| s.to_str());
        if let Some(step) = stem.and_then(|s| s.strip_prefix("step-")).and_then(|s| s.parse().ok()) {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The checkpoint file that `path` means: itself, or, where it is a run folder (or its `latest` or `best`), the one named.
///
/// # Errors
/// [`Kind::BadInput`] if nothing is there, or the run holds no checkpoint.
pub fn resolve(path: &Path, which: Which) -> Result<PathBuf> {
    if path.is_file() {
        let folder = folder_of(path);
        let pointer =
            [Which::Latest, Which::Best].into_iter().find(|w| path.file_name() == Some(w.file_name().as_ref()));
        return match pointer {
            Some(pointer) if is_run(folder) => resolve(folder, pointer),
            _ => Ok(path.to_owned()),
        };
    }
    if !path.is_dir() {
        return Err(Error::new(Kind::BadInput, format!("{} does not exist", path.display()))
            .help("name a run folder or a checkpoint file"));
    }
    if which == Which::Best
        && let Some(best) = read_pointer(path, Which::Best)?
    {
        return Ok(best);
    }
    if let Some(latest) = read_pointer(path, Which::Latest)? {
        return Ok(latest);
    }
    // Killed between the first checkpoint and `latest`: the checkpoint is whole, so it counts.
    match checkpoints(path)?.pop() {
        Some((_, newest)) => Ok(newest),
        None if is_run(path) => Err(Error::new(Kind::BadInput, format!("{} holds no checkpoint yet", path.display()))
            .help("train it for longer, or save more often with --save-every")),
        None => Err(Error::new(Kind::BadInput, format!("{} holds no run", path.display()))
            .help("name a run folder or a checkpoint file")),
    }
}

/// The checkpoint that `latest` or `best` names, if that file is there.
pub(super) fn read_pointer(folder: &Path, which: Which) -> Result<Option<PathBuf>> {
    let path = folder.join(which.file_name());
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|e| read_error(&path, &e))?;
    let name = text.trim();
    // A name alone: a path in it could lead out of the run.
    let plain = name.starts_with("step-") && name.ends_with(".safetensors") && !name.contains(['/', '\\', '\0', ':']);
    let named = folder.join(CHECKPOINTS).join(name);
    if !plain || !named.is_file() {
        let cause = if plain { format!("{} does not exist", named.display()) } else { "it names no checkpoint".into() };
        return Err(Error::new(Kind::BadInput, format!("{} is broken", path.display()))
            .cause(cause)
            .help("name a file of its checkpoints folder instead"));
    }
    Ok(Some(named))
}
