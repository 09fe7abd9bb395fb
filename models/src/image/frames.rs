//! A folder of frames: pictures that are being drawn, row after row, as files `frame-0001.png` and so on.
//!
//! | in the folder | then |
//! | --- | --- |
//! | it is not there | it is made |
//! | nothing | the frames are put into it |
//! | nothing but frames that were written here, whole or not | they are removed, and the new ones are put into it |
//! | anything else, also a file of such a name that another program wrote | refused, and nothing is touched |
//!
//! Each frame is written whole or not at all. That it was written here is told by a line of text in it, which no other picture has.

use crate::error::{Error, Kind, Result};
use crate::storage::atomic::{Disk, SystemDisk, read_error, write_error, written_as};
use crate::storage::regular::{self, kind_of};
use crate::storage::user_file;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What the chunk of text in a frame says, by the rules of PNG: a keyword, a zero, the text.
const SAYS: &[u8] = b"tEXtSoftware\0autoreg: a frame of pictures that are being drawn";

/// Where the first chunk after the header of a PNG begins: 8 bytes are its signature, 25 the header.
const AFTER_HEADER: usize = 33;

/// The frames of one drawing.
#[derive(Debug)]
pub struct Frames {
    folder: PathBuf,
    earlier: Vec<PathBuf>,
    written: usize,
}

impl Frames {
    /// Looks at a folder, and changes nothing.
    ///
    /// # Errors
    /// [`Kind::Usage`] if it holds anything but frames that were written here, [`Kind::Disk`] if it is no folder, [`Kind::BadInput`] if it
    /// cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut earlier = Vec::new();
        match fs::metadata(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(write_error(folder, &error)),
            Ok(about) if !about.is_dir() => {
                let kind = if about.is_file() { "a file" } else { kind_of(about.file_type()) };
                return Err(Error::new(Kind::Disk, format!("cannot put frames into {}", folder.display()))
                    .cause(format!("it is {kind}, not a folder"))
                    .help("name a folder"));
            }
            Ok(_) => {
                for entry in fs::read_dir(folder).map_err(|error| read_error(folder, &error))? {
                    let path = entry.map_err(|error| read_error(folder, &error))?.path();
                    if !was_written_here(&path) {
                        return Err(Error::new(
                            Kind::Usage,
                            format!("{} is no frame that autoreg wrote", path.display()),
                        )
                        .cause("frames are put into a folder of their own, and nothing of anybody's is overwritten")
                        .help("name a folder that is empty, or not there yet"));
                    }
                    earlier.push(path);
                }
            }
        }
        Ok(Frames { folder: folder.to_owned(), earlier, written: 0 })
    }

    /// What an earlier drawing left, and [`Frames::begin`] removes.
    pub fn earlier(&self) -> &[PathBuf] {
        &self.earlier
    }

    /// Makes the folder where it is not there, and removes what an earlier drawing left.
    ///
    /// # Errors
    /// [`Kind::Disk`].
    pub fn begin(&mut self) -> Result<()> {
        SystemDisk.create_folder(&self.folder).map_err(|error| write_error(&self.folder, &error))?;
        self.earlier.drain(..).try_for_each(|path| SystemDisk.remove(&path).map_err(|error| write_error(&path, &error)))
    }

    /// Writes the next frame.
    ///
    /// # Errors
    /// [`Kind::Disk`]; also where something of its name has come into the folder since.
    ///
    /// # Panics
    /// If it is no PNG.
    #[track_caller]
    pub fn write(&mut self, png: &[u8]) -> Result<()> {
        self.written += 1;
        let path = self.folder.join(name(self.written));
        if fs::symlink_metadata(&path).is_ok() {
            return Err(Error::new(Kind::Disk, format!("cannot write {}", path.display()))
                .cause("it was not there when the drawing began: somebody else writes into the folder")
                .help("name another folder"));
        }
        user_file::write(&path, &marked(png))
    }

    /// How many were written.
    pub fn written(&self) -> usize {
        self.written
    }
}

/// The name of a frame, from 1.
pub fn name(number: usize) -> String {
    format!("frame-{number:04}.png")
}

/// A PNG with the text that says where it comes from.
#[track_caller]
fn marked(png: &[u8]) -> Vec<u8> {
    let (header, rest) = png.split_at_checked(AFTER_HEADER).expect("a PNG has a header");
    [header, &mark(), rest].concat()
}

/// The chunk as it lies in the file: the length of its data, its type and data, their checksum.
fn mark() -> Vec<u8> {
    let length = (SAYS.len() - b"tEXt".len()) as u32;
    [&length.to_be_bytes(), SAYS, &crc32fast::hash(SAYS).to_be_bytes()].concat()
}

/// Whether a file is a frame that was written here, or the part of one.
fn was_written_here(path: &Path) -> bool {
    let Some(called) = path.file_name().and_then(|name| name.to_str()) else { return false };
    // What is neither a file nor a link to nothing is nobody's frame; a link is somebody's.
    if !fs::symlink_metadata(path).is_ok_and(|about| about.is_file()) {
        return false;
    }
    if let Some(unfinished) = written_as(called) {
        return is_name(unfinished);
    }
    is_name(called) && has_mark(path)
}

/// Whether this is the name of a frame, in full.
fn is_name(called: &str) -> bool {
    let number = called.strip_prefix("frame-").and_then(|rest| rest.strip_suffix(".png"));
    number.and_then(|number| number.parse().ok()).is_some_and(|number: usize| number > 0 && called == name(number))
}

fn has_mark(path: &Path) -> bool {
    let mark = mark();
    let mut begins = Vec::new();
    let read = regular::open(path)
        .ok()
        .and_then(|(file, _)| file.take((AFTER_HEADER + mark.len()) as u64).read_to_end(&mut begins).ok());
    read.is_some() && begins.get(AFTER_HEADER..) == Some(&mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::images::Shape;
    use crate::image::png;

    const SHAPE: Shape = Shape { height: 2, width: 3, channels: 1 };

    fn picture(value: u8) -> Vec<u8> {
        png::write(&[value; 6], SHAPE).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// So many frames, each of its number.
    fn write(folder: &Path, count: u8) {
        let mut frames = Frames::open(folder).unwrap();
        frames.begin().unwrap();
        (1..=count).for_each(|value| frames.write(&picture(value)).unwrap());
        assert_eq!(frames.written(), usize::from(count));
    }

    #[test]
    fn a_folder_is_made_and_earlier_frames_make_room_for_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("a/b");
        write(&folder, 3);
        assert_eq!(names(&folder), ["frame-0001.png", "frame-0002.png", "frame-0003.png"]);
        // A frame is a picture like any other.
        let bytes = fs::read(folder.join("frame-0002.png")).unwrap();
        assert_eq!(png::parse(&bytes, "frame").unwrap(), (SHAPE, vec![2; 6]));
        // One that was not finished, as a crash leaves it.
        fs::write(folder.join(".frame-0004.png.17-3.unfinished"), b"\x89PN").unwrap();
        write(&folder, 2);
        assert_eq!(names(&folder), ["frame-0001.png", "frame-0002.png"]);
    }

    #[test]
    fn a_folder_with_anything_else_in_it_is_refused_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(folder, 2);
        let (own, foreign) = (fs::read(folder.join("frame-0001.png")).unwrap(), picture(9));
        for (name, content) in [
            ("thesis.txt", &b"mine"[..]),
            // By name alone no frame is one of ours, and by content alone neither.
            ("frame-0003.png", &foreign[..]),
            ("frame-0003.png", b""),
            ("frame-3.png", &own[..]),
            ("frame-00003.png", &own[..]),
            ("frame-0000.png", &own[..]),
            ("frame-0003.PNG", &own[..]),
            ("frame-+003.png", &own[..]),
            ("samples.png", &own[..]),
            (".thesis.txt.17-3.unfinished", b"mine"),
        ] {
            fs::write(folder.join(name), content).unwrap();
            let before = names(folder);
            let error = Frames::open(folder).unwrap_err();
            assert!(error.kind == Kind::Usage && error.what.contains(name), "{error}");
            assert_eq!((names(folder), fs::read(folder.join(name)).unwrap()), (before, content.to_vec()));
            fs::remove_file(folder.join(name)).unwrap();
        }
        fs::create_dir(folder.join("frame-0003.png")).unwrap();
        assert_eq!(Frames::open(folder).unwrap_err().kind, Kind::Usage);
        assert_eq!(Frames::open(&folder.join("frame-0001.png")).unwrap_err().kind, Kind::Disk);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_frame_is_somebodys() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, linked) = (folder.path().join("ours"), folder.path().join("linked"));
        write(&ours, 1);
        fs::create_dir(&linked).unwrap();
        std::os::unix::fs::symlink(ours.join("frame-0001.png"), linked.join("frame-0001.png")).unwrap();
        assert_eq!(Frames::open(&linked).unwrap_err().kind, Kind::Usage);
    }

    #[test]
    fn what_comes_into_the_folder_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let mut frames = Frames::open(folder.path()).unwrap();
        frames.begin().unwrap();
        fs::write(folder.path().join("frame-0001.png"), "mine").unwrap();
        let error = frames.write(&picture(1)).unwrap_err();
        assert!(error.kind == Kind::Disk && error.cause.contains("somebody else"), "{error}");
        assert_eq!(fs::read(folder.path().join("frame-0001.png")).unwrap(), b"mine");
    }
}
