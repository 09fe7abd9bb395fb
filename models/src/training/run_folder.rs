//! The folder of one training run: what lies where, and in which order it is written.
//!
//! ```text
//! runs/NAME/
//!   config.toml        the resolved configuration
//!   metrics.jsonl      one line per logged step
//!   checkpoints/       step-000200.safetensors …
//!   latest, best       text files naming a checkpoint
//!   samples/           step-000200.txt …
//!   loss.svg  index.html
//! ```
//!
//! `latest` and `best` move only after the checkpoint they will name is durable, and old checkpoints go only after they
//! have moved: whenever the machine stops, they name a file that loads. They are text, not links: Windows has none for all.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::atomic::{Disk, SystemDisk, UNFINISHED, read_error, replace, write_error};
use super::checkpoint::Checkpoint;
use super::metrics::{self, Record};
use super::run_lock::RunLock;
use crate::error::{Error, Kind, Result};

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.jsonl";
const CHECKPOINTS: &str = "checkpoints";
const SAMPLES: &str = "samples";
const PICTURE: &str = "loss.svg";
const PAGE: &str = "index.html";

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

/// A run folder that this process writes; locked while it lives.
pub struct RunFolder {
    path: PathBuf,
    disk: Rc<dyn Disk>,
    retention: Retention,
    metrics: Option<File>,
    _lock: RunLock,
}

impl fmt::Debug for RunFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFolder").field("path", &self.path).field("retention", &self.retention).finish()
    }
}

impl RunFolder {
    /// Makes a new run folder holding this `config.toml`. With `overwrite`, the files of a run that is there are deleted;
    /// files that no run writes are never touched.
    ///
    /// # Errors
    /// [`Kind::Usage`] if a run is there and `overwrite` is false, if something else is there, or if it is in use;
    /// [`Kind::Disk`].
    pub fn create(path: &Path, overwrite: bool, config: &str) -> Result<Self> {
        Self::create_on(Rc::new(SystemDisk), path, overwrite, config)
    }

    /// [`RunFolder::create`] on a disk of the caller's, which tests let fail.
    ///
    /// # Errors
    /// As [`RunFolder::create`].
    pub fn create_on(disk: Rc<dyn Disk>, path: &Path, overwrite: bool, config: &str) -> Result<Self> {
        if path.exists() && !path.is_dir() {
            return Err(Error::new(Kind::Usage, format!("{} is a file, not a folder", path.display())));
        }
        if is_run(path) && !overwrite {
            return Err(Error::new(Kind::Usage, format!("{} already holds a run", path.display()))
                .help("`autoreg resume` continues it; --overwrite replaces it; --out-dir names another folder"));
        }
        if !is_run(path) && has_other_files(path) {
            return Err(Error::new(Kind::Usage, format!("{} is not empty and holds no run", path.display()))
                .help("name a folder that is empty or does not exist"));
        }
        for folder in [path.to_owned(), path.join(CHECKPOINTS), path.join(SAMPLES)] {
            disk.create_folder(&folder).map_err(|e| write_error(&folder, &e))?;
        }
        let lock = RunLock::take(path)?;
        let folder = RunFolder { path: path.to_owned(), disk, retention: Retention::All, metrics: None, _lock: lock };
        folder.remove_old_run()?;
        folder.write(CONFIG, config.as_bytes())?;
        Ok(folder)
    }

    /// Opens a run folder to go on with it.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if no run is there, [`Kind::Usage`] if it is in use, [`Kind::Disk`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_on(Rc::new(SystemDisk), path)
    }

    /// [`RunFolder::open`] on a disk of the caller's.
    ///
    /// # Errors
    /// As [`RunFolder::open`].
    pub fn open_on(disk: Rc<dyn Disk>, path: &Path) -> Result<Self> {
        if !is_run(path) {
            return Err(Error::new(Kind::BadInput, format!("{} holds no run", path.display()))
                .help("name the folder that `autoreg train` wrote"));
        }
        let lock = RunLock::take(path)?;
        let folder = RunFolder { path: path.to_owned(), disk, retention: Retention::All, metrics: None, _lock: lock };
        folder.sweep_unfinished();
        Ok(folder)
    }

    /// Says which checkpoints later saves keep.
    pub fn retain(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves a checkpoint under its step, then moves `latest`, then `best` if it is that, then deletes what is not kept.
    ///
    /// # Errors
    /// [`Kind::Disk`], [`Kind::Diverged`] if a float is not finite; everything saved before is intact then.
    ///
    /// # Panics
    /// If the checkpoint has no progress: its step names the file.
    pub fn save(&mut self, checkpoint: &Checkpoint, best: bool) -> Result<PathBuf> {
        let progress = checkpoint.progress.as_ref().expect("a checkpoint of a run says its step");
        let name = checkpoint_name(progress.step);
        let path = self.path.join(CHECKPOINTS).join(&name);
        checkpoint.save(&*self.disk, &path)?;
        // The records up to this step must outlive a power loss if the checkpoint does: resuming writes only later ones.
        if let Some(metrics) = &self.metrics {
            metrics.sync_data().map_err(|e| write_error(&self.path.join(METRICS), &e))?;
        }
        let line = name + "\n";
        self.write(Which::Latest.file_name(), line.as_bytes())?;
        if best {
            self.write(Which::Best.file_name(), line.as_bytes())?;
        }
        self.delete_old_checkpoints()?;
        Ok(path)
    }

    /// Appends a record to `metrics.jsonl`, as one write of one line.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn log(&mut self, record: &Record) -> Result<()> {
        let path = self.path.join(METRICS);
        if self.metrics.is_none() {
            let file = File::options().append(true).create(true).open(&path);
            self.metrics = Some(file.map_err(|e| write_error(&path, &e))?);
        }
        let file = self.metrics.as_mut().expect("opened above");
        file.write_all(record.to_line().as_bytes()).map_err(|e| write_error(&path, &e))
    }

    /// Drops the records of steps after `step` (a run resumed there writes them again), and a torn last line.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the file is broken, [`Kind::Disk`].
    pub fn truncate_metrics(&mut self, step: u64) -> Result<()> {
        // Closed first: Windows replaces no open file.
        self.metrics = None;
        let kept: String = self.records()?.iter().filter(|r| r.step <= step).map(Record::to_line).collect();
        self.write(METRICS, kept.as_bytes())
    }

    /// All records so far; none where nothing was logged.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the broken line.
    pub fn records(&self) -> Result<Vec<Record>> {
        records(&self.path)
    }

    /// Writes a sample: `samples/step-000200.EXTENSION`.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_sample(&self, step: u64, extension: &str, sample: &[u8]) -> Result<PathBuf> {
        let name = format!("{SAMPLES}/step-{step:06}.{extension}");
        self.write(&name, sample)?;
        Ok(self.path.join(name))
    }

    /// Writes `loss.svg`.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_picture(&self, svg: &str) -> Result<()> {
        self.write(PICTURE, svg.as_bytes())
    }

    /// Writes `index.html`.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_page(&self, html: &str) -> Result<()> {
        self.write(PAGE, html.as_bytes())
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        replace(&*self.disk, &self.path.join(name), |out| out.write_all(content))
    }

    fn delete_old_checkpoints(&self) -> Result<()> {
        let Retention::Last(count) = self.retention else { return Ok(()) };
        let named = [Which::Latest, Which::Best].map(|which| read_pointer(&self.path, which).ok().flatten());
        let checkpoints = checkpoints(&self.path)?;
        for (_, path) in &checkpoints[..checkpoints.len().saturating_sub(count)] {
            if !named.iter().flatten().any(|kept| kept == path) {
                // A checkpoint that cannot be deleted harms nothing, and the next save tries again.
                let _ = self.disk.remove(path);
            }
        }
        Ok(())
    }

    /// Deletes the files of the run that was here: first what names checkpoints, then the checkpoints.
    fn remove_old_run(&self) -> Result<()> {
        let mut old: Vec<PathBuf> =
            ["latest", "best", METRICS, PICTURE, PAGE, CONFIG].iter().map(|name| self.path.join(name)).collect();
        old.extend(steps_in(&self.path.join(CHECKPOINTS))?.into_iter().map(|(_, path)| path));
        old.extend(steps_in(&self.path.join(SAMPLES))?.into_iter().map(|(_, path)| path));
        for path in old.iter().filter(|path| path.exists()) {
            self.disk.remove(path).map_err(|e| write_error(path, &e))?;
        }
        self.sweep_unfinished();
        Ok(())
    }

    /// Deletes temporary files that a crash left; what cannot be deleted harms nothing.
    fn sweep_unfinished(&self) {
        for folder in [self.path.clone(), self.path.join(CHECKPOINTS), self.path.join(SAMPLES)] {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                    let _ = self.disk.remove(&entry.path());
                }
            }
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
fn has_other_files(folder: &Path) -> bool {
    let ours =
        |name: &str| [CHECKPOINTS, SAMPLES, super::run_lock::LOCK_FILE].contains(&name) || name.ends_with(UNFINISHED);
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
fn steps_in(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
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
        let folder = super::atomic::folder_of(path);
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
fn read_pointer(folder: &Path, which: Which) -> Result<Option<PathBuf>> {
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

#[cfg(test)]
#[path = "run_folder_tests.rs"]
mod tests;
