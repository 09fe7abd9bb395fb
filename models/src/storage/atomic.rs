//! Replacing a file so that a crash at any instruction leaves the whole old file or the whole new one.
//!
//! The order is: temporary file in the same folder, write, fsync, rename, fsync the folder. Every call that changes the
//! disk goes through [`Disk`], so a test can let each of them fail. Appending (the metrics) is not here.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Kind, Result};

/// The system calls that change the disk during a save; tests put a disk that fails in their place.
pub trait Disk {
    /// Creates an empty file that did not exist, with the permissions and the owner of `like`, where one is given.
    fn create(&self, path: &Path, like: Option<&fs::Metadata>) -> io::Result<Box<dyn DiskFile>>;
    /// Moves a file over another, which it replaces in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Deletes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a folder and those above it, where missing.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file being written.
pub trait DiskFile: Write {
    /// Waits until everything written is on the medium (fsync).
    fn sync(&mut self) -> io::Result<()>;
}

/// The disk of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Disk for SystemDisk {
    fn create(&self, path: &Path, like: Option<&fs::Metadata>) -> io::Result<Box<dyn DiskFile>> {
        let mut options = File::options();
        options.write(true).create_new(true);
        let Some(like) = like else { return Ok(Box::new(locked(options.open(path)?))) };
        // Nobody else can read it before it has the permissions of the old one.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            // Only root may give a file away: whoever may not keeps what is possible, the group, or nothing.
            if fchown(&file, Some(like.uid()), Some(like.gid())).is_err() {
                let _ = fchown(&file, None, Some(like.gid()));
            }
        }
        file.set_permissions(like.permissions())?;
        Ok(Box::new(locked(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }
}

/// Locked while it is open: by that, what a crash has left is told from what somebody is writing ([`super::leftovers`]). Where a file
/// system has no locks nothing is told, and nothing is lost.
fn locked(file: File) -> File {
    let _ = file.try_lock();
    file
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network and FUSE file systems have no fsync of a folder; their renames are as durable as they can be.
        Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// Windows cannot open a folder as a file; NTFS journals the rename itself.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Ending of a file that is being written; whatever bears it after a crash is rubbish.
pub const UNFINISHED: &str = ".unfinished";

/// The longest name that temporary neighbours bear whole: with what is put around it, it must be a name still.
const LONGEST_NAME: usize = 200;

/// The name of a file as its temporary neighbours bear it: one that is too long is cut, and told from others by a hash.
pub(super) fn borne(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST_NAME {
        return Cow::Borrowed(name);
    }
    let end = (0..=LONGEST_NAME - 9).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    Cow::Owned(format!("{}-{:08x}", &name[..end], crc32fast::hash(name.as_bytes())))
}

/// A neighbour of `path` that no other writer uses: `.NAME.PID-COUNT.unfinished`.
/// [`written_as`] reads it back.
fn temporary_neighbour(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = borne(&name);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}-{count}{UNFINISHED}", std::process::id()))
}

/// The name of the file that a temporary neighbour was to become; none for a name that this program does not give.
pub fn written_as(temporary: &str) -> Option<&str> {
    let (name, writer) = temporary.strip_prefix('.')?.strip_suffix(UNFINISHED)?.rsplit_once('.')?;
    let (process, count) = writer.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(process) && is_number(count) && !name.is_empty()).then_some(name)
}

/// The folder a file lies in; `.` for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Replaces the file `path` by what `content` writes, durably and in one step.
///
/// # Errors
/// [`Kind::Disk`] with the path when the disk refuses; the old file is then untouched and the temporary one removed.
pub fn replace(disk: &dyn Disk, path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    replace_like(disk, path, None, content)
}

/// [`replace`] with the permissions and the owner of `like`: of the old file, where it is a user's.
///
/// # Errors
/// As [`replace`].
pub fn replace_like(
    disk: &dyn Disk,
    path: &Path,
    like: Option<&fs::Metadata>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let temporary = temporary_neighbour(path);
    let write = || -> io::Result<()> {
        // 1. A new file beside the old one: a rename inside one folder is the only atomic replacement there is.
        let mut out = BufWriter::with_capacity(1 << 20, disk.create(&temporary, like)?);
        content(&mut out)?;
        // 2. Its bytes before its name: otherwise the name may survive a power loss and the bytes not.
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync()?;
        // 3. Open, and so locked, until it has its name; Windows renames no open file.
        let open = (!cfg!(windows)).then_some(file);
        disk.rename(&temporary, path)?;
        drop(open);
        disk.sync_folder(folder_of(path))
    };
    write().map_err(|cause| {
        // Best effort: the first failure is the one to report, and a leftover is swept when the folder is next opened.
        let _ = disk.remove(&temporary);
        write_error(path, &cause)
    })
}

/// The error of a write that the disk refused, with what to do about it.
pub fn write_error(path: &Path, cause: &io::Error) -> Error {
    let help = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space, or write to another disk",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "choose a folder you may write to",
        io::ErrorKind::FileTooLarge => "raise the limit on the size of files (ulimit -f)",
        _ => "",
    };
    Error::new(Kind::Disk, format!("cannot write {}", path.display())).cause(cause).help(help)
}

/// The error of a file that cannot be read.
pub fn read_error(path: &Path, cause: &io::Error) -> Error {
    let help = match cause.kind() {
        io::ErrorKind::NotFound => "check the path",
        _ => "",
    };
    Error::new(Kind::BadInput, format!("cannot read {}", path.display())).cause(cause).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_replaced_file_holds_the_new_bytes_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&SystemDisk, &path, |out| out.write_all(b"old")).unwrap();
        replace(&SystemDisk, &path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names_in(folder.path()), ["file"]);
    }

    #[test]
    fn a_failure_while_writing_keeps_the_old_file_and_removes_the_temporary_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&SystemDisk, &path, |out| out.write_all(b"old")).unwrap();
        let error = replace(&SystemDisk, &path, |out| {
            out.write_all(&[0; 1 << 21])?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert_eq!(error.kind, Kind::Disk);
        assert!(error.what.contains(path.to_str().unwrap()), "{error}");
        assert!(error.help.contains("free some space"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["file"]);
    }

    #[test]
    fn writing_into_a_folder_that_does_not_exist_is_a_disk_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace(&SystemDisk, &folder.path().join("none/file"), |_| Ok(())).unwrap_err();
        assert_eq!(error.kind, Kind::Disk);
    }

    #[test]
    fn a_temporary_name_says_what_it_was_to_become_and_no_other_name_does() {
        let name = |path: &str| temporary_neighbour(Path::new(path)).file_name().unwrap().to_str().unwrap().to_owned();
        for file in ["latest", "step-000001.safetensors", ".hidden.1-2"] {
            assert_eq!(written_as(&name(file)), Some(file));
        }
        // A name that is as long as a name can be is written too, and its neighbours are its own.
        let (long, other) = ("ä".repeat(127), "ä".repeat(126) + "x");
        assert!(name(&long).len() < 255);
        assert_eq!(written_as(&name(&long)), Some(&*borne(&long)));
        assert_ne!(borne(&long), borne(&other));
        let path = tempfile::tempdir().unwrap();
        replace(&SystemDisk, &path.path().join(&long), |out| out.write_all(b"whole")).unwrap();
        for foreign in [
            "thesis.unfinished",
            ".thesis.unfinished",
            ".a.1-.unfinished",
            ".a.1-2.unfinishe",
            "a.1-2.unfinished",
            "..1-2.unfinished",
            ".a.x-2.unfinished",
        ] {
            assert_eq!(written_as(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_bare_file_name_lies_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("file")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/file")), Path::new("a"));
    }
}
