//! IDX, the format of MNIST: pictures or labels in bytes, plain or packed by gzip, told apart by what is in the file and not by its
//! name. Which files belong together is in [`crate::image::data`].
//!
//! A file is `00 00 type rank`, the sizes (32 bits, big-endian), the values. Read are bytes (type `08`) of rank 1, labels (n); of rank
//! 3, grey pictures (n, H, W); of rank 4, pictures with channels last (n, H, W, C), C 1 or 3.
//!
//! What a header declares is compared with the file before anything is made: a plain file holds exactly that, and gzip makes of n bytes
//! at most 1032 n. So a header that lies costs nothing, and a file that unpacks without end is left after what it declared.
//!
//! Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits", <http://yann.lecun.com/exdb/mnist/>.

use super::images::{Images, Shape};
use crate::data::sniff::not_text;
use crate::error::{Error, Kind, Result};
use crate::memory::available;
use crate::pages::numbers::{bytes as shown_bytes, counted, grouped};
use flate2::bufread::GzDecoder;
use std::io::{self, ErrorKind, Read};

/// What an IDX file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idx {
    /// Pictures, without classes.
    Images(Images),
    /// Labels; at least one.
    Labels(Vec<u8>),
}

/// The first bytes of gzip.
const GZIP: &[u8] = b"\x1f\x8b";

/// The most that one byte of DEFLATE becomes: 258 bytes for two bits.
const MOST_UNPACKED: u128 = 1032;

/// Reads an IDX file, plain or packed; `source` names it in messages.
///
/// # Errors
/// [`Kind::BadInput`] if it is no IDX file of bytes, its sizes are none, it holds less or more than it declares, its gzip is broken, or
/// it needs more memory than there is.
pub fn parse(bytes: &[u8], source: &str) -> Result<Idx> {
    if !bytes.starts_with(GZIP) {
        let mut rest = bytes;
        return parse_plain(&mut rest, None, source);
    }
    let mut unpacked = GzDecoder::new(bytes);
    let idx = parse_plain(&mut unpacked, Some(bytes.len() as u128 * MOST_UNPACKED), source)?;
    match unpacked.into_inner().len() {
        0 => Ok(idx),
        more => Err(bad(source, format!("{} follow the gzip data", counted(more as u64, "byte")))
            .help("cut them off, or pack the file again")),
    }
}

/// Reads what is not packed, or no longer; `most` bounds how much can come, where the reader is not the bytes themselves.
fn parse_plain<R: Read>(reader: &mut R, most: Option<u128>, source: &str) -> Result<Idx> {
    let mut magic = [0; 4];
    let read = fill(reader, &mut magic, source)?;
    let [0, 0, kind, rank] = magic else { return Err(no_idx(&magic[..read], source)) };
    if read < magic.len() {
        return Err(no_idx(&magic[..read], source));
    }
    if kind != 0x08 {
        return Err(match element(kind) {
            Some(name) => bad(source, format!("it holds {name}, not bytes"))
                .cause(format!(
                    "its type is 0x{kind:02x}; pictures and labels are read from type 0x08, bytes of 0 to 255"
                ))
                .help("write it as bytes: in NumPy array.astype(numpy.uint8)"),
            None => no_idx(&magic, source),
        });
    }
    let mut sizes = vec![[0; 4]; usize::from(rank)];
    if fill(reader, sizes.as_flattened_mut(), source)? < sizes.len() * 4 {
        return Err(bad(source, "the file breaks off in its header")
            .cause(format!("it declares {} dimensions, and not all of their sizes are there", rank))
            .help("fetch the file again"));
    }
    let sizes: Vec<usize> = sizes.into_iter().map(|size| u32::from_be_bytes(size) as usize).collect();
    let shape = match sizes[..] {
        [_] => None,
        [_, height, width] => Some(Shape { height, width, channels: 1 }),
        [_, height, width, channels @ (1 | 3)] => Some(Shape { height, width, channels }),
        _ => {
            let listed: Vec<String> = sizes.iter().map(usize::to_string).collect();
            return Err(bad(source, format!("it holds an array ({})", listed.join(", ")))
                .cause("labels are (n); pictures are (n, H, W), or (n, H, W, C) with C 1 or 3")
                .help("give the pictures with their channels last"));
        }
    };
    let (count, what) = (sizes[0], if shape.is_some() { "picture" } else { "label" });
    if count == 0 {
        return Err(bad(source, format!("it declares no {what}s")).help("give a file with some in it"));
    }
    if let Some(shape) = shape.filter(|shape| [shape.height, shape.width].contains(&0)) {
        return Err(bad(source, format!("its pictures are {shape}")).help("give pictures of at least one pixel"));
    }
    let each = shape.map_or(1, |shape| shape.height as u128 * shape.width as u128 * shape.channels as u128);
    let declared = count as u128 * each;
    let told = || match shape {
        Some(shape) => format!("it declares {} of {shape}", counted(count as u64, what)),
        None => format!("it declares {}", counted(count as u64, what)),
    };
    // A plain file is in memory already, and gives no more than it is.
    if let Some(most) = most {
        if declared > most {
            let length = shown_bytes((most / MOST_UNPACKED) as u64);
            return Err(bad(source, format!("{}, more than it can hold", told()))
                .cause(format!("packed, the file has {length}"))
                .help("fetch the file again"));
        }
        let free = available().unwrap_or(isize::MAX as u64);
        if declared > u128::from(free) {
            let (needed, free) = (shown_bytes(declared as u64), shown_bytes(free));
            return Err(bad(source, told())
                .cause(format!("that is {needed}, and {free} of memory are free"))
                .help("give a part of it"));
        }
    }
    let mut values = Vec::new();
    let limit = u64::try_from(declared).unwrap_or(u64::MAX);
    reader.take(limit).read_to_end(&mut values).map_err(|error| broken(&error, source))?;
    if (values.len() as u128) < declared {
        let whole = (values.len() as u128 / each) as u64;
        return Err(bad(source, format!("{}, and holds {}", told(), grouped(whole))).help("fetch the file again"));
    }
    // Reading on is also what compares gzip's checksum.
    let more = fill(reader, &mut [0], source)?;
    if more > 0 {
        return Err(bad(source, format!("it goes on after the last {what}"))
            .cause(told())
            .help("cut off what follows, or correct the number in the header"));
    }
    Ok(match shape {
        Some(shape) => Idx::Images(Images::new(shape, values)),
        None => Idx::Labels(values),
    })
}

/// Pictures as an IDX file, plain: (n, H, W) where they are grey, else (n, H, W, C).
pub fn of_images(images: &Images) -> Vec<u8> {
    let Shape { height, width, channels } = images.shape();
    let sizes = [images.len(), height, width, channels];
    file(if channels == 1 { &sizes[..3] } else { &sizes }, images.values())
}

/// Labels as an IDX file, plain.
pub fn of_labels(labels: &[u8]) -> Vec<u8> {
    file(&[labels.len()], labels)
}

/// # Panics
/// If a size needs more than 32 bits: no such file can be.
fn file(sizes: &[usize], values: &[u8]) -> Vec<u8> {
    let size = |&size: &usize| u32::try_from(size).expect("a size of IDX has 32 bits").to_be_bytes();
    let header = [0, 0, 8, sizes.len() as u8];
    [&header, sizes.iter().map(size).collect::<Vec<_>>().as_flattened(), values].concat()
}

/// Whether a file may be IDX: it is packed, or begins with two zeros.
pub fn may_be(bytes: &[u8]) -> bool {
    bytes.starts_with(GZIP) || bytes.starts_with(&[0, 0])
}

/// Reads until the buffer is full or there is no more, and says how much.
fn fill(reader: &mut impl Read, buffer: &mut [u8], source: &str) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(&error, source)),
        }
    }
    Ok(filled)
}

fn bad(source: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Kind::BadInput, format!("{source}: {what}"))
}

fn broken(error: &io::Error, source: &str) -> Error {
    let what =
        if error.kind() == ErrorKind::UnexpectedEof { "the gzip data break off" } else { "the gzip data are broken" };
    bad(source, what).cause(error).help("fetch the file again")
}

fn no_idx(begins: &[u8], source: &str) -> Error {
    let cause = match not_text(begins) {
        Some(kind) => format!("it is {}", kind.what),
        None => format!("it begins with {begins:02x?}; pictures begin with 00 00 08 03, labels with 00 00 08 01"),
    };
    bad(source, "this is no IDX file").cause(cause).help("give an IDX file, plain or packed by gzip, or PNGs")
}

/// What the other types of IDX hold.
fn element(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0x09 => "signed bytes",
        0x0b => "16-bit numbers",
        0x0c => "32-bit numbers",
        0x0d => "32-bit floats",
        0x0e => "64-bit floats",
        _ => return None,
    })
}

#[cfg(test)]
#[path = "idx_tests.rs"]
mod tests;
