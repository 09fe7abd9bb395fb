//! A file that a user named: what is there stays what it is, and what it holds is replaced.
//!
//! | at the path is | then |
//! | --- | --- |
//! | nothing, or a regular file | replaced in one step, with the mode and, where the system lets it, the owner of the old one |
//! | a link | so is what it leads to, also where that is not there yet |
//! | a file with several names | written in place: all names see it; not in one step |
//! | a pipe, a device, another process's end of one (`/dev/stdout`) | written straight into |
//! | a file without write permission, a block device, a folder | refused |

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::atomic::{SystemDisk, folder_of, replace, replace_like, write_error};
use super::leftovers;
use super::regular::kind_of;
use crate::error::{Error, Kind, Result};

/// What writing to a path means.
#[derive(Debug)]
enum Target {
    /// A file that is not there yet.
    New(PathBuf),
    /// A regular file with one name.
    Whole(PathBuf, Metadata),
    /// A regular file with several names.
    Linked(PathBuf),
    /// Something that takes bytes as they come.
    Stream(PathBuf),
}

/// Refuses a path that cannot be written, before work is done that would be lost. Opens nothing: a pipe would wait.
///
/// # Errors
/// [`Kind::Disk`] with the cause.
pub fn check(path: &Path) -> Result<()> {
    target(path).map(|_| ())
}

/// Writes a file that a user named.
///
/// # Errors
/// [`Kind::Disk`]; a regular file with one name then still holds what it held.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    write_by(path, |out| out.write_all(content))
}

/// [`write()`] of what is made while it is written: its length takes no memory.
///
/// # Errors
/// As [`write()`].
pub fn write_by(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let failed = |e: io::Error| write_error(path, &e);
    let target = target(path)?;
    if let Target::New(file) | Target::Whole(file, _) = &target {
        leftovers::remove(file);
    }
    match target {
        Target::New(file) => replace(&SystemDisk, &file, content),
        Target::Whole(file, old) => replace_like(&SystemDisk, &file, Some(&old), content),
        Target::Linked(file) => {
            let mut open = File::options().write(true).truncate(true).open(file).map_err(failed)?;
            content(&mut open).and_then(|()| open.sync_all()).map_err(failed)
        }
        Target::Stream(stream) => {
            // Appended: where it is a file after all (`/dev/stdout` of `>> log`), what is in it stays.
            let mut open = File::options().append(true).open(stream).map_err(failed)?;
            content(&mut open).and_then(|()| open.flush()).map_err(failed)
        }
    }
}

/// Whether two paths lead to one regular file (or to one that is not there yet). Two ends of one device are none.
pub fn are_one_file(a: &Path, b: &Path) -> bool {
    match (place(a), place(b)) {
        (Some(a), Some(b)) => a == b || identity(&a).is_some_and(|a| Some(a) == identity(&b)),
        _ => false,
    }
}

/// Where a path leads, if to a regular file or to none.
pub fn place(path: &Path) -> Option<PathBuf> {
    let followed = follow(path).ok()?;
    if followed.is_descriptor || fs::metadata(&followed.path).is_ok_and(|about| !about.is_file()) {
        return None;
    }
    let folder = folder_of(&followed.path).canonicalize().ok()?;
    Some(folder.join(followed.path.file_name()?))
}

/// What a file that is there is known by, however its path is written: on Unix by its number, elsewhere by its whole path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

/// The identity of what a path leads to; none where nothing is there.
pub fn identity(path: &Path) -> Option<Identity> {
    #[cfg(unix)]
    let known = fs::metadata(path).ok().map(|about| {
        use std::os::unix::fs::MetadataExt;
        (about.dev(), about.ino())
    });
    #[cfg(not(unix))]
    let known = path.canonicalize().ok();
    known.map(Identity)
}

#[cfg(unix)]
fn names_of(about: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(about)
}

#[cfg(not(unix))]
fn names_of(_: &Metadata) -> u64 {
    1
}

#[cfg(unix)]
fn is_block_device(about: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&about.file_type())
}

#[cfg(not(unix))]
fn is_block_device(_: &Metadata) -> bool {
    false
}

fn target(path: &Path) -> Result<Target> {
    let refused = |cause: &str, help: &str| {
        Err(Error::new(Kind::Disk, format!("cannot write {}", path.display())).cause(cause).help(help))
    };
    let Followed { path: file, is_descriptor } = follow(path).map_err(|e| write_error(path, &e))?;
    if is_descriptor {
        return Ok(Target::Stream(file));
    }
    let about = match fs::metadata(&file) {
        Ok(about) => about,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return match folder_of(&file).is_dir() {
                true => Ok(Target::New(file)),
                false => refused("its folder does not exist", "make the folder first, or name another"),
            };
        }
        Err(e) => return Err(write_error(path, &e)),
    };
    if about.is_dir() {
        return refused("it is a folder", "name a file in it");
    }
    if is_block_device(&about) {
        return refused("it is a block device", "what lies on it would be lost");
    }
    if !about.is_file() {
        return Ok(Target::Stream(file));
    }
    // Asked of the mode, not of the system alone: it lets root write everything.
    if about.permissions().readonly() {
        return refused("it is read-only", "name another file, or give it write permission (chmod u+w)");
    }
    // Opened to see whether this user may write it: a rename would ask the folder alone.
    if let Err(e) = File::options().write(true).open(&file) {
        return Err(write_error(path, &e));
    }
    Ok(if names_of(&about) > 1 { Target::Linked(file) } else { Target::Whole(file, about) })
}

struct Followed {
    path: PathBuf,
    /// Whether it names an open file of a process, whatever that is.
    is_descriptor: bool,
}

/// Links to follow before they are taken to run in a circle; the limit of Linux.
const MOST_LINKS: usize = 40;

/// Follows links as far as they go, also to a file that is not there yet; a `/proc/…/fd/1` is not a link to a name and is left.
fn follow(path: &Path) -> io::Result<Followed> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_symlink() => {}
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => return Ok(Followed { path, is_descriptor: false }),
        }
        let folder = folder_of(&path).canonicalize()?;
        if cfg!(unix) && (folder == Path::new("/dev") || folder.starts_with("/proc") || folder.starts_with("/dev/fd")) {
            return Ok(Followed { path, is_descriptor: true });
        }
        path = folder.join(fs::read_link(&path)?);
    }
    Err(io::Error::other("its links run in a circle"))
}

/// What is at a path, in words, where it is neither a regular file nor nothing.
pub fn what_is_there(path: &Path) -> Option<&'static str> {
    let about = fs::symlink_metadata(path).ok()?;
    match (about.is_file(), about.is_symlink()) {
        (true, _) => None,
        (_, true) => Some("a link"),
        _ => Some(kind_of(about.file_type())),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced_or_made() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target, chain) =
            (folder.path().join("link"), folder.path().join("target"), folder.path().join("chain"));
        symlink("target", &link).unwrap();
        symlink(&link, &chain).unwrap();
        for content in ["made", "replaced"] {
            write(&chain, content.as_bytes()).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(fs::symlink_metadata(&target).unwrap().is_file());
            assert_eq!(fs::read_to_string(&target).unwrap(), content);
        }
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert_eq!(check(&circle).unwrap_err().kind, Kind::Disk);
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_read_only_one_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for bits in [0o600, 0o640, 0o604, 0o666, 0o755] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            write(&path, b"new").unwrap();
            assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"new"[..], bits), "{bits:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let refused = write(&path, b"lost").unwrap_err();
        assert!(refused.kind == Kind::Disk && refused.cause.contains("read-only"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn all_names_of_a_file_see_what_is_written_to_one() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, "something longer").unwrap();
        fs::hard_link(&a, &b).unwrap();
        assert!(are_one_file(&a, &b));
        write(&a, b"new").unwrap();
        assert_eq!(fs::read(&b).unwrap(), b"new");
    }

    #[test]
    fn two_paths_are_one_file_however_they_are_written_and_a_device_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("new"), folder.path().join("link"));
        symlink("new", &link).unwrap();
        let round_about = folder.path().join("../").join(folder.path().file_name().unwrap()).join("new");
        assert!(are_one_file(&file, &link) && are_one_file(&file, &round_about));
        assert!(!are_one_file(&file, &folder.path().join("other")));
        assert!(!are_one_file(Path::new("/dev/null"), Path::new("/dev/null")));
    }
}
