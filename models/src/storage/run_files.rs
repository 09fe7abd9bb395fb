//! Reading a run folder: which checkpoint a path means, its records, samples and configuration. Nothing here writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::atomic::{folder_of, read_error};
use super::checkpoint::Checkpoint;
use super::metrics::{self, Record};
use super::regular::{self, shortened};
use super::replaced_run;
use super::run_identity::identity_of;
use super::user_file::what_is_there;
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

/// Which checkpoints are kept when a new one is saved; `latest` and `best` always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// All of them.
    All,
    /// The newest so many.
    Last(usize),
}

/// The longest `config.toml`, and the longest `latest`.
const MOST_CONFIG: u64 = 1 << 24;
const MOST_POINTER: u64 = 1 << 12;

/// The name of the checkpoint of a step: `step-000200.safetensors`.
pub fn checkpoint_name(step: u64) -> String {
    format!("step-{step:06}.safetensors")
}

/// The name of the sample of a step: `step-000200.txt`.
pub(super) fn sample_name(step: u64, ending: &str) -> String {
    format!("step-{step:06}.{ending}")
}

/// The step in a name `step-NUMBER.ENDING`.
pub(super) fn step_of(name: &str) -> Option<u64> {
    Path::new(name).file_stem()?.to_str()?.strip_prefix("step-")?.parse().ok()
}

/// Whether a folder holds a run.
pub fn is_run(folder: &Path) -> bool {
    folder.join(CONFIG).is_file() || folder.join(Which::Latest.file_name()).is_file()
}

/// The resolved configuration of a run, as TOML.
///
/// # Errors
/// [`Kind::BadInput`] if it cannot be read.
pub fn read_config(folder: &Path) -> Result<String> {
    regular::read_text(&folder.join(CONFIG), MOST_CONFIG)
}

/// The records of a run; none where nothing was logged.
///
/// # Errors
/// [`Kind::BadInput`] naming the broken line.
pub fn records(folder: &Path) -> Result<Vec<Record>> {
    let path = folder.join(METRICS);
    // Anything but nothing is read, and refused where it is no file.
    if fs::symlink_metadata(&path).is_ok() { metrics::read(&path) } else { Ok(Vec::new()) }
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
        if let Some(step) = path.file_name().and_then(|name| step_of(name.to_str()?)) {
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
        let what = match what_is_there(path) {
            Some(what) => format!("{} is {what}, neither a run folder nor a file", path.display()),
            None => format!("{} does not exist", path.display()),
        };
        return Err(Error::new(Kind::BadInput, what).help("name a run folder or a checkpoint file"));
    }
    // A run that was going to be overwritten by one that has saved nothing is still the run.
    if let Some(aside) = replaced_run::aside(path)
        && let Ok(found) = resolve(&aside, which)
    {
        return Ok(found);
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
            .help("its training saves one at every validation and at its end; if it ended without, begin it anew with --overwrite")),
        None => Err(Error::new(Kind::BadInput, format!("{} holds no run", path.display()))
            .help("name a run folder or a checkpoint file")),
    }
}

/// What `latest` or `best` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    /// The name of a checkpoint, without folders.
    pub(super) name: String,
    /// Of which run it is; absent from older runs.
    pub(super) run: Option<String>,
}

impl Pointer {
    /// What the file says; none where there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        if fs::symlink_metadata(path).is_err() {
            return Ok(None);
        }
        let text = regular::read_text(path, MOST_POINTER)?;
        let mut lines = text.lines();
        let name = lines.next().unwrap_or_default().trim();
        // A name alone: a path in it could lead out of the run.
        let plain = step_of(name).is_some_and(|step| name == checkpoint_name(step));
        let run = lines.next().map(|line| line.strip_prefix("run ").unwrap_or(line).to_owned());
        if !plain || lines.next().is_some() {
            return Err(broken_pointer(path, format!("it names no checkpoint: {:?}", shortened(&text, 60))));
        }
        Ok(Some(Pointer { name: name.to_owned(), run }))
    }

    /// The content of the file.
    pub(super) fn text(name: &str, run: Option<&str>) -> String {
        run.map_or(format!("{name}\n"), |run| format!("{name}\nrun {run}\n"))
    }
}

fn broken_pointer(path: &Path, cause: String) -> Error {
    Error::new(Kind::BadInput, format!("{} is broken", path.display()))
        .cause(cause)
        .help("name a file of its checkpoints folder instead")
}

/// The checkpoint that `latest` or `best` names, if that file is there.
pub(super) fn read_pointer(folder: &Path, which: Which) -> Result<Option<PathBuf>> {
    let path = folder.join(which.file_name());
    let Some(pointer) = Pointer::read(&path)? else { return Ok(None) };
    let named = folder.join(CHECKPOINTS).join(pointer.name);
    if !named.is_file() {
        let what = what_is_there(&named).map_or("does not exist".to_owned(), |what| format!("is {what}"));
        return Err(broken_pointer(&path, format!("{} {what}", named.display())));
    }
    Ok(Some(named))
}

/// Loads the checkpoint that `path` means; where that is a run folder, one of this very run.
///
/// # Errors
/// Those of [`resolve`] and [`Checkpoint::load`]; [`Kind::BadInput`] naming the file that is of another run.
pub fn load(path: &Path, which: Which) -> Result<Checkpoint> {
    load_by(path, which, Checkpoint::load)
}

/// [`load`] of a run's best checkpoint for a model that is used and not trained on.
///
/// # Errors
/// Those of [`load`].
pub fn load_model(path: &Path) -> Result<Checkpoint> {
    load_by(path, Which::Best, Checkpoint::load_model)
}

fn load_by(path: &Path, which: Which, load: impl Fn(&Path) -> Result<Checkpoint>) -> Result<Checkpoint> {
    let file = resolve(path, which)?;
    let checkpoint = load(&file)?;
    // A file that was named itself is taken as it is, wherever it lies.
    if file != path
        && let Some(folder) = file.parent().and_then(Path::parent)
    {
        check_identity(folder, &checkpoint)?;
    }
    Ok(checkpoint)
}

/// Refuses a checkpoint, a `latest` or a `best` that is of another run than the `config.toml` beside it.
///
/// # Errors
/// [`Kind::BadInput`] naming the file.
pub(super) fn check_identity(folder: &Path, checkpoint: &Checkpoint) -> Result<()> {
    let known = checkpoint.progress.as_ref().and_then(|progress| progress.run.as_deref());
    let config = folder.join(CONFIG);
    // An editor may have dropped the comment; what the file says is held against the checkpoint when the run goes on.
    if let Some(run) = identity_of(folder).filter(|run| known != Some(run)) {
        return Err(mixed(&checkpoint.path, known, &config, Some(&run)));
    }
    for which in [Which::Latest, Which::Best] {
        let path = folder.join(which.file_name());
        // A broken one is told where it is used.
        if let Ok(Some(pointer)) = Pointer::read(&path)
            && pointer.run.as_deref() != known
        {
            return Err(mixed(&checkpoint.path, known, &path, pointer.run.as_deref()));
        }
    }
    Ok(())
}

/// The error of two files of two runs in one folder.
pub(super) fn mixed(a: &Path, run_a: Option<&str>, b: &Path, run_b: Option<&str>) -> Error {
    let named =
        |run: Option<&str>| run.map_or("says of none".to_owned(), |run| format!("is of run {}", shortened(run, 40)));
    Error::new(Kind::BadInput, format!("{} and {} are not of one run", a.display(), b.display()))
        .cause(format!("the first {}, the second {}", named(run_a), named(run_b)))
        .help("put the run's own file back, or name a checkpoint file itself to use it alone")
}
