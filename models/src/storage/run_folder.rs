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

use super::atomic::{Disk, SystemDisk, UNFINISHED, folder_of, replace, write_error};
use super::checkpoint::Checkpoint;
use super::metrics::Record;
use super::run_files::{
    CHECKPOINTS, CONFIG, METRICS, PAGE, PICTURE, SAMPLES, Which, checkpoint_name, checkpoints, has_other_files, is_run,
    read_pointer, records, steps_in,
};
use super::run_lock::RunLock;
use crate::error::{Error, Kind, Result};

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
        let folders = [path.to_owned(), path.join(CHECKPOINTS), path.join(SAMPLES)];
        let above = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        let made: Vec<&Path> = above.chain(folders.iter().map(PathBuf::as_path)).filter(|f| !f.exists()).collect();
        for folder in &folders {
            disk.create_folder(folder).map_err(|e| write_error(folder, &e))?;
        }
        // A folder's own name lies in the folder above: without this a power loss could take the whole run.
        for folder in made {
            disk.sync_folder(folder_of(folder)).map_err(|e| write_error(folder, &e))?;
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

    /// Replaces `config.toml`: for a run that goes on longer than it was meant to.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_config(&self, config: &str) -> Result<()> {
        self.write(CONFIG, config.as_bytes())
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

#[cfg(test)]
#[path = "run_folder_tests.rs"]
mod tests;
