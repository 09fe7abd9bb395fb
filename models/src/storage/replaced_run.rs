//! A run that is overwritten goes only when the new one has saved: until then it lies in the folder `.replaced` of the run folder.
//!
//! | on the disk | means | and then |
//! | --- | --- | --- |
//! | `.replaced` without `whole` | it is being put aside, or brought back | everything in it is brought back |
//! | `.replaced/whole`, no `latest` | the new run has saved nothing | the new run's files go, the old one's are brought back |
//! | `.replaced/whole` and `latest` | the new run has saved | what is in `.replaced` goes, `whole` last |
//!
//! So whenever it is cut short, the next opening does one of the two. Files are renamed, never copied: it takes no space but that of the
//! new run's first checkpoint beside the old run.

use std::fs;
use std::path::{Path, PathBuf};

use super::atomic::{Disk, replace, write_error};
use super::run_files::{CHECKPOINTS, SAMPLES, Which};
use super::run_identity::Survey;
use crate::error::Result;

/// The folder in a run folder.
pub(super) const REPLACED: &str = ".replaced";

/// The file in it that says that all of the old run is there.
const WHOLE: &str = "whole";

/// The folders of a run, the first for the files beside them.
const FOLDERS: [&str; 3] = ["", CHECKPOINTS, SAMPLES];

/// Puts these files of the run aside.
pub(super) fn put_aside(disk: &dyn Disk, folder: &Path, files: &[PathBuf]) -> Result<()> {
    let aside = folder.join(REPLACED);
    for name in FOLDERS {
        let path = aside.join(name);
        disk.create_folder(&path).map_err(|e| write_error(&path, &e))?;
    }
    move_all(disk, files, folder, &aside)?;
    let marker = aside.join(WHOLE);
    replace(disk, &marker, |_| Ok(()))
}

/// Ends what was begun: see the table above. Nothing where nothing was.
pub(super) fn settle(disk: &dyn Disk, folder: &Path) -> Result<()> {
    let aside = folder.join(REPLACED);
    if !aside.is_dir() {
        return Ok(());
    }
    let marker = aside.join(WHOLE);
    let has_saved = folder.join(Which::Latest.file_name()).exists();
    if marker.exists() && !has_saved {
        remove_all(disk, folder, &Survey::of(folder).ours)?;
        disk.remove(&marker).map_err(|e| write_error(&marker, &e))?;
        disk.sync_folder(&aside).map_err(|e| write_error(&aside, &e))?;
    }
    if marker.exists() {
        remove_all(disk, &aside, &files_of(&aside))?;
        for name in FOLDERS {
            let path = aside.join(name);
            disk.sync_folder(&path).map_err(|e| write_error(&path, &e))?;
        }
        disk.remove(&marker).map_err(|e| write_error(&marker, &e))?;
    } else {
        move_all(disk, &files_of(&aside), &aside, folder)?;
    }
    // Empty by now; one that somebody has put something into stays.
    for path in [aside.join(CHECKPOINTS), aside.join(SAMPLES), aside] {
        let _ = fs::remove_dir(path);
    }
    Ok(())
}

/// Where the old run lies while it is put aside and the new one has saved nothing.
pub(super) fn aside(folder: &Path) -> Option<PathBuf> {
    let aside = folder.join(REPLACED);
    (aside.is_dir() && !folder.join(Which::Latest.file_name()).exists()).then_some(aside)
}

/// The files in `.replaced`, as paths from it, without the marker: all were ours when they were moved.
fn files_of(aside: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in FOLDERS {
        for entry in fs::read_dir(aside.join(name)).into_iter().flatten().flatten() {
            let path = Path::new(name).join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_file()) && path != Path::new(WHOLE) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn move_all(disk: &dyn Disk, files: &[PathBuf], from: &Path, to: &Path) -> Result<()> {
    for file in files {
        let (old, new) = (from.join(file), to.join(file));
        disk.rename(&old, &new).map_err(|e| write_error(&new, &e))?;
    }
    for folder in [to, from] {
        for name in FOLDERS {
            let path = folder.join(name);
            if path.is_dir() {
                disk.sync_folder(&path).map_err(|e| write_error(&path, &e))?;
            }
        }
    }
    Ok(())
}

fn remove_all(disk: &dyn Disk, folder: &Path, files: &[PathBuf]) -> Result<()> {
    for file in files {
        let path = folder.join(file);
        disk.remove(&path).map_err(|e| write_error(&path, &e))?;
    }
    Ok(())
}
