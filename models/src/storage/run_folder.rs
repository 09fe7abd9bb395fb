//! The folder of one training run: what lies where, and in which order it is written.
//!
//! ```text
//! runs/NAME/
//!   config.toml        the run's identifier, the resolved configuration
//!   metrics.jsonl      the identifier, one line per logged step
//!   checkpoints/       step-000200.safetensors …
//!   latest, best       text files naming a checkpoint, and the identifier
//!   samples/           step-000200.txt …
//!   loss.svg  index.html
//! ```
//!
//! `latest` and `best` move only after the checkpoint they will name is durable, old checkpoints go only after they have moved: whenever
//! the machine stops, they name a file that loads. They are text, not links: Windows has none for all.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::atomic::{Disk, SystemDisk, replace, write_error};
use super::checkpoint::{Checkpoint, MetricsMark};
use super::metrics::{self, Record};
use super::regular;
use super::replaced_run;
pub use super::run_files::Retention;
use super::run_files::{
    CHECKPOINTS, CONFIG, METRICS, PAGE, PICTURE, Pointer, SAMPLES, Which, checkpoint_name, checkpoints, is_run,
    read_pointer, sample_name,
};
use super::run_identity::{MARK, Survey, identity_of, new_identity, with_identity};
use super::run_lock::RunLock;
use super::run_start::{make_folders, may_hold_a_run};
use super::run_state;
use crate::error::{Error, Kind, Result};

/// A run folder that this process writes; locked while it lives.
pub struct RunFolder {
    path: PathBuf,
    disk: Rc<dyn Disk>,
    /// The identifier; none of a run from before there was one.
    run: Option<String>,
    retention: Retention,
    metrics: Option<File>,
    /// Of `metrics.jsonl` as far as it was written.
    written: crc32fast::Hasher,
    written_bytes: u64,
    /// Whether another run is put aside until this one has saved.
    replaces: bool,
    _lock: RunLock,
}

impl fmt::Debug for RunFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFolder").field("path", &self.path).field("retention", &self.retention).finish()
    }
}

/// A run that ends before it has saved leaves the one that it was to replace as it was.
impl Drop for RunFolder {
    fn drop(&mut self) {
        if self.replaces {
            self.metrics = None;
            // What cannot be brought back now is when the folder is next opened.
            let _ = replaced_run::settle(&*self.disk, &self.path);
        }
    }
}

impl RunFolder {
    /// Makes a new run folder holding this `config.toml`. With `overwrite`, the files of a run that is there go, once this one
    /// has saved a checkpoint; files that no run has written stay.
    ///
    /// # Errors
    /// [`Kind::Usage`] if a run is there and `overwrite` is false, if something else is there or in the way, or if it is in use;
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
        // While somebody is at work there, what lies there says nothing.
        let held = RunLock::take_again(path)?;
        // Before anything is made, and again under the lock, where nobody else makes a run.
        may_hold_a_run(path, &Survey::of(path), overwrite)?;
        make_folders(&*disk, path)?;
        let lock = held.map_or_else(|| RunLock::take(path), Ok)?;
        replaced_run::settle(&*disk, path)?;
        let found = Survey::of(path);
        may_hold_a_run(path, &found, overwrite)?;
        let mut folder = Self::locked(disk, path, Some(new_identity()), lock);
        found.sweep(&*folder.disk, path);
        if found.holds_run() {
            // From here on, dropping the folder brings the old run back, unless this one has saved.
            folder.replaces = true;
            replaced_run::put_aside(&*folder.disk, path, &found.ours)?;
        }
        folder.write_config(config)?;
        Ok(folder)
    }

    /// Opens a run folder to go on with it. Folders of it that a copy has left out, being empty, are made.
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
        if !is_run(path) && replaced_run::aside(path).is_none() {
            return Err(Error::new(Kind::BadInput, format!("{} holds no run", path.display()))
                .help("name the folder that `autoreg train` wrote"));
        }
        let lock = RunLock::take(path)?;
        replaced_run::settle(&*disk, path)?;
        make_folders(&*disk, path)?;
        let mut folder = Self::locked(disk, path, identity_of(path), lock);
        Survey::of(path).sweep(&*folder.disk, path);
        // What is wrong with them is said by those who need them.
        folder.note_written(&regular::read(&path.join(METRICS), regular::MOST_TEXT).unwrap_or_default());
        Ok(folder)
    }

    fn locked(disk: Rc<dyn Disk>, path: &Path, run: Option<String>, lock: RunLock) -> Self {
        RunFolder {
            path: path.to_owned(),
            disk,
            run,
            retention: Retention::All,
            metrics: None,
            written: crc32fast::Hasher::new(),
            written_bytes: 0,
            replaces: false,
            _lock: lock,
        }
    }

    /// Says which checkpoints later saves keep.
    pub fn retain(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses what is not the whole state of this run. Changes nothing.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the file that is of another run, or not whole.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<()> {
        run_state::check(&self.path, checkpoint)
    }

    /// Goes on where a checkpoint was saved: drops the records of later steps.
    ///
    /// # Errors
    /// As [`RunFolder::check`]; [`Kind::Disk`].
    pub fn go_on_from(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        // Closed first: Windows replaces no open file.
        self.metrics = None;
        let kept = run_state::whole_records(&self.path, checkpoint)?;
        self.run = checkpoint.progress.as_ref().and_then(|progress| progress.run.clone());
        self.write(METRICS, &kept)?;
        self.note_written(&kept);
        Ok(())
    }

    fn note_written(&mut self, bytes: &[u8]) {
        self.written = crc32fast::Hasher::new();
        self.written.update(bytes);
        self.written_bytes = bytes.len() as u64;
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
        // The records up to this step are on the medium before the checkpoint that counts on them.
        let records = self.metrics.as_ref().map_or(Ok(()), File::sync_data);
        records.map_err(|e| write_error(&self.path.join(METRICS), &e))?;
        let mark = MetricsMark { bytes: self.written_bytes, crc32: self.written.clone().finalize() };
        checkpoint.save_of_run(self.run.as_deref(), mark, &*self.disk, &path)?;
        let line = Pointer::text(&name, self.run.as_deref());
        self.write(Which::Latest.file_name(), line.as_bytes())?;
        if best {
            self.write(Which::Best.file_name(), line.as_bytes())?;
        }
        if self.replaces {
            replaced_run::settle(&*self.disk, &self.path)?;
            self.replaces = false;
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
        let failed = |e: io::Error| write_error(&path, &e);
        let mut line = String::new();
        if self.metrics.is_none() {
            let file = File::options().append(true).create(true).open(&path).map_err(failed)?;
            if file.metadata().map_err(failed)?.len() == 0 {
                line = metrics::head(self.run.as_deref());
            }
            self.metrics = Some(file);
        }
        line += &record.to_line();
        self.metrics.as_mut().expect("opened above").write_all(line.as_bytes()).map_err(failed)?;
        self.written.update(line.as_bytes());
        self.written_bytes += line.len() as u64;
        Ok(())
    }

    /// Writes a sample: `samples/step-000200.EXTENSION`.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_sample(&self, step: u64, extension: &str, sample: &[u8]) -> Result<PathBuf> {
        let name = format!("{SAMPLES}/{}", sample_name(step, extension));
        self.write(&name, sample)?;
        Ok(self.path.join(name))
    }

    /// Writes `loss.svg`.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_picture(&self, svg: &str) -> Result<()> {
        self.write(PICTURE, format!("{}\n{MARK}", svg.trim_end()).as_bytes())
    }

    /// Writes `config.toml`, the run's identifier before it.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_config(&self, config: &str) -> Result<()> {
        self.write(CONFIG, with_identity(self.run.as_deref(), config).as_bytes())
    }

    /// Writes `index.html`.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn write_page(&self, html: &str) -> Result<()> {
        self.write(PAGE, format!("{}\n{MARK}", html.trim_end()).as_bytes())
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        replace(&*self.disk, &self.path.join(name), |out| out.write_all(content))
    }

    fn delete_old_checkpoints(&self) -> Result<()> {
        let Retention::Last(count) = self.retention else { return Ok(()) };
        let named = [Which::Latest, Which::Best].map(|which| read_pointer(&self.path, which).ok().flatten());
        let checkpoints = checkpoints(&self.path)?;
        for (step, path) in &checkpoints[..checkpoints.len().saturating_sub(count)] {
            let is_kept = named.iter().flatten().any(|kept| kept == path);
            // Somebody's file of that name is not ours to delete.
            let is_ours = || Checkpoint::progress_of(path).is_some_and(|p| p.step == *step && p.run == self.run);
            if !is_kept && is_ours() {
                // A checkpoint that cannot be deleted harms nothing, and the next save tries again.
                let _ = self.disk.remove(path);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "run_folder_tests.rs"]
pub(super) mod tests;
