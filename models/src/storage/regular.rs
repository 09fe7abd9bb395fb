//! Reading files of ours: regular files alone, since a pipe or a device may never end, and no more of them than they may hold.

use std::fs::{self, File, FileType};
use std::io::Read;
use std::path::Path;

use super::atomic::read_error;
use crate::error::{Error, Kind, Result};

/// The most bytes of a text file of a run: records of a hundred million steps.
pub const MOST_TEXT: u64 = 1 << 34;

/// Opens a regular file, and says how long it is; links are followed.
///
/// # Errors
/// [`Kind::BadInput`] with the path, and what is there instead.
pub fn open(path: &Path) -> Result<(File, u64)> {
    // Asked before it is opened: to open a pipe is to wait for its writer.
    let about = fs::metadata(path).map_err(|e| read_error(path, &e))?;
    if !about.is_file() {
        return Err(Error::new(Kind::BadInput, format!("cannot read {}", path.display()))
            .cause(format!("it is {}, not a file", kind_of(about.file_type())))
            .help("name a regular file"));
    }
    let file = File::open(path).map_err(|e| read_error(path, &e))?;
    Ok((file, about.len()))
}

/// The bytes of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`]; also where it is longer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let (file, length) = open(path)?;
    if length > most {
        return Err(Error::new(Kind::BadInput, format!("cannot read {}", path.display()))
            .cause(format!("it has {length} bytes; a file of its name has at most {most}")));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(most).read_to_end(&mut bytes).map_err(|e| read_error(path, &e))?;
    Ok(bytes)
}

/// [`read`], as text.
///
/// # Errors
/// As [`read`]; also where it is not UTF-8, naming the byte.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read(path, most)?).map_err(|e| {
        Error::new(Kind::BadInput, format!("cannot read {}", path.display()))
            .cause(format!("it is not UTF-8 at byte {}", e.utf8_error().valid_up_to()))
    })
}

/// What something on the disk is, in words.
pub fn kind_of(file: FileType) -> &'static str {
    if file.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kinds = [
            (file.is_fifo(), "a pipe"),
            (file.is_socket(), "a socket"),
            (file.is_block_device(), "a block device"),
            (file.is_char_device(), "a device"),
        ];
        if let Some((_, kind)) = kinds.into_iter().find(|(is, _)| *is) {
            return kind;
        }
    }
    "something else"
}

/// At most so many characters of a text that a file claims: a message is read by people, on a screen.
pub fn shortened(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown += &format!("… ({} bytes)", text.len());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused_by_what_it_is_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let told = read(folder.path(), 10).unwrap_err();
        assert!(told.kind == Kind::BadInput && told.cause.contains("a folder"), "{told}");
        if cfg!(target_os = "linux") {
            let link = folder.path().join("link");
            #[cfg(unix)]
            std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
            assert!(read(&link, 10).unwrap_err().cause.contains("a device"));
        }
    }

    #[test]
    fn a_file_longer_than_its_kind_can_be_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latest");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(read(&path, 4).unwrap_err().cause.contains("5 bytes"));
    }

    #[test]
    fn a_long_text_is_cut_and_its_length_said() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöü", 2), "äö… (6 bytes)");
    }
}
