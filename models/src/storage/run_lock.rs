//! A lock on a run folder, so that two trainings never write one folder.
//!
//! It is the operating system's lock on an open file, not the file's existence: when a process dies its lock goes with
//! it, so a crash blocks nobody.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::atomic::write_error;
use crate::error::{Error, Kind, Result};

/// Name of the file that is locked; it stays, empty, when the lock is gone.
pub const LOCK_FILE: &str = ".lock";

/// Held while it lives.
#[derive(Debug)]
pub struct RunLock {
    // Never read: the lock lasts as long as the file is open.
    _file: File,
}

impl RunLock {
    /// Locks a run folder.
    ///
    /// # Errors
    /// [`Kind::Usage`] if another process is training there, [`Kind::Disk`] if the file cannot be made.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK_FILE);
        let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(|e| write_error(&path, &e))?;
        match patiently(&file) {
            Ok(()) => {}
            // A file system without locks (some network mounts): training there must be possible, unprotected.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(e)) => return Err(write_error(&path, &e)),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(Kind::Usage, format!("{} is in use", folder.display()))
                    .cause("another autoreg is training there")
                    .help("wait for it or stop it, or train into another folder with --out-dir"));
            }
        }
        Ok(RunLock { _file: file })
    }

    /// Locks a folder that was locked before; none where it never was, and nothing is made there.
    ///
    /// # Errors
    /// As [`RunLock::take`].
    pub fn take_again(folder: &Path) -> Result<Option<Self>> {
        folder.join(LOCK_FILE).is_file().then(|| Self::take(folder)).transpose()
    }
}

/// How often and how long a lock is waited for. On Unix a process that is being started holds copies of its parent's open files,
/// locks included, until it becomes another program: for that instant a lock given up is still held.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);

fn patiently(file: &File) -> std::result::Result<(), TryLockError> {
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    file.try_lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_while_its_lock_lives_and_free_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let held = RunLock::take(folder.path()).unwrap();
        assert_eq!(RunLock::take(folder.path()).unwrap_err().kind, Kind::Usage);
        drop(held);
        RunLock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_lock_file_left_by_a_crash_blocks_nobody() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK_FILE), "left behind").unwrap();
        RunLock::take(folder.path()).unwrap();
    }
}
