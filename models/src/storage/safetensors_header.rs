//! The header of a safetensors file, read without trusting a single number in it.
//!
//! The `safetensors` crate (0.8) accepts a name that occurs twice and a tensor of rank 10,000, and overflows on crafted
//! offsets. This reader holds every number against the length of the file before anything is allocated for it. It reads
//! no tensor bytes: [`super::safetensors_file`] does.
//!
//! Source: the format, <https://huggingface.co/docs/safetensors>: `u64` little-endian N, N bytes of JSON, the data.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

pub use super::data_type::DataType;
use super::regular::shortened;
use crate::refusals::in_words;

/// The highest rank a tensor of ours has is 4 (a convolution); more than this is a broken file.
pub const MAX_RANK: usize = 8;

/// The longest header the format allows.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The most tensors of a file. The largest models of our time have some thousands; a header of its longest could claim millions.
pub const MAX_TENSORS: usize = 100_000;

/// The longest name of a tensor, in bytes.
pub const MAX_NAME: usize = 4096;

/// How much of a name, and of a whole message, is shown.
const SHOWN_NAME: usize = 100;
const SHOWN: usize = 600;

/// Where one tensor lies in the file, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, unique in its file.
    pub name: String,
    /// The type of its elements.
    pub data_type: DataType,
    /// Its shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// First byte, counted from the end of the header.
    pub begin: u64,
    /// One past its last byte.
    pub end: u64,
}

/// A checked header: tensors in the order of their bytes, back to back, filling the file exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The tensors, in the order of their bytes.
    pub entries: Vec<Entry>,
    /// The strings of `__metadata__`.
    pub metadata: BTreeMap<String, String>,
}

/// Reads and checks the header of a file of `file_bytes` bytes; leaves `source` at the first byte of the data.
///
/// # Errors
/// One sentence saying what is wrong, naming the tensor where there is one. The caller adds the path.
pub fn read_header(source: &mut dyn Read, file_bytes: u64) -> Result<Header, String> {
    // What a file says of itself may be as long as the file.
    read_whole(source, file_bytes).map_err(|why| shortened(&why, SHOWN))
}

fn read_whole(source: &mut dyn Read, file_bytes: u64) -> Result<Header, String> {
    let mut length = [0; 8];
    if file_bytes < 8 {
        return Err(format!("the file has {file_bytes} bytes; the length of the header alone takes 8"));
    }
    source.read_exact(&mut length).map_err(|e| format!("the length of the header cannot be read: {e}"))?;
    let length = u64::from_le_bytes(length);
    if length > file_bytes - 8 {
        return Err(format!("the header claims {length} bytes at byte 0, but only {} follow", file_bytes - 8));
    }
    if length > MAX_HEADER_BYTES {
        return Err(format!("the header claims {length} bytes at byte 0; the format allows {MAX_HEADER_BYTES}"));
    }
    // At most MAX_HEADER_BYTES, and the file really is that long: safe to allocate.
    let mut json = vec![0; length as usize];
    source.read_exact(&mut json).map_err(|e| format!("the header cannot be read: {e}"))?;
    let text = std::str::from_utf8(&json)
        .map_err(|e| format!("the header is not UTF-8 at byte {} of the file", 8 + e.valid_up_to()))?;
    let RawHeader { tensors, metadata } = serde_json::from_str(text).map_err(|e| {
        let message = e.to_string();
        let message = in_words(message.split(" at line ").next().unwrap_or_default());
        match byte_of(text, e.line(), e.column()) {
            Some(at) => format!("the header is not what it should be at byte {} of the file: {message}", 8 + at),
            None => format!("the header is not what it should be: {message}"),
        }
    })?;
    let entries = check(tensors, file_bytes - 8 - length)?;
    Ok(Header { entries, metadata })
}

/// The byte of a line and column as serde_json counts them (from 1; line 0 where it does not know).
fn byte_of(text: &str, line: usize, column: usize) -> Option<usize> {
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    Some(start + column.saturating_sub(1))
}

/// Holds names, shapes and offsets against each other and against the `data_bytes` that follow the header.
fn check(tensors: Vec<(String, RawEntry)>, data_bytes: u64) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::with_capacity(tensors.len());
    for (name, raw) in tensors {
        let named = |why| format!("tensor `{}`: {why}", shortened(&name, SHOWN_NAME));
        entries.push(check_entry(&name, raw, data_bytes).map_err(named)?);
    }
    entries.sort_by_key(|e: &Entry| (e.begin, e.end));
    let mut filled = 0;
    for (i, entry) in entries.iter().enumerate() {
        let name = shortened(&entry.name, SHOWN_NAME);
        if entry.begin < filled {
            let other = shortened(&entries[i - 1].name, SHOWN_NAME);
            return Err(format!("tensor `{name}`: begins at byte {} of the data, inside `{other}`", entry.begin));
        }
        if entry.begin > filled {
            return Err(format!(
                "tensor `{name}`: begins at byte {} of the data, leaving a gap from {filled}",
                entry.begin
            ));
        }
        filled = entry.end;
    }
    if filled != data_bytes {
        return Err(format!("the tensors fill {filled} bytes, but {data_bytes} follow the header"));
    }
    Ok(entries)
}

fn check_entry(name: &str, raw: RawEntry, data_bytes: u64) -> Result<Entry, String> {
    if name.is_empty() {
        return Err("the name is empty".into());
    }
    if name.len() > MAX_NAME {
        return Err(format!("the name is longer than {MAX_NAME} bytes"));
    }
    let Some(data_type) = DataType::ALL.iter().copied().find(|d| d.name() == raw.dtype) else {
        let known: Vec<&str> = DataType::ALL.iter().map(|d| d.name()).collect();
        let found = shortened(&raw.dtype, SHOWN_NAME);
        return Err(format!("unknown data type `{found}` (known: {})", known.join(", ")));
    };
    let RawEntry { shape: RawShape { axes: shape, rank }, data_offsets: (begin, end), .. } = raw;
    if rank > MAX_RANK {
        return Err(format!("rank {rank} is more than {MAX_RANK}"));
    }
    if begin > end {
        return Err(format!("ends at byte {end} of the data, before it begins at {begin}"));
    }
    if end > data_bytes {
        return Err(format!("ends at byte {end} of the data, which has {data_bytes}"));
    }
    // A zero axis makes the product 0 whatever stands beside it, so each axis is held to what an address can hold.
    let mut elements = Some(1u64);
    let mut axes = Vec::with_capacity(shape.len());
    for &axis in &shape {
        elements = elements.and_then(|n| n.checked_mul(axis));
        axes.push(usize::try_from(axis).map_err(|_| format!("axis of {axis} elements is too long"))?);
    }
    let bits = elements.and_then(|n| n.checked_mul(data_type.bits() as u64));
    match (bits, elements.and_then(|n| data_type.bytes_of(n))) {
        (None, _) => return Err(format!("shape {shape:?} has more elements than can be counted")),
        (_, None) => return Err(format!("shape {shape:?} of {data_type} ends within a byte")),
        (_, Some(needed)) if needed == end - begin => {}
        (_, Some(needed)) => {
            return Err(format!(
                "shape {shape:?} of {data_type} needs {needed} bytes, the offsets give {}",
                end - begin
            ));
        }
    }
    Ok(Entry { name: name.to_owned(), data_type, shape: axes, begin, end })
}

/// One entry as it stands in the JSON; serde refuses unknown, missing and repeated fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    dtype: String,
    shape: RawShape,
    data_offsets: (u64, u64),
}

/// A shape of which no more axes are kept than a tensor may have; those beyond are only counted.
struct RawShape {
    axes: Vec<u64>,
    rank: usize,
}

impl<'de> Deserialize<'de> for RawShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Axes;
        impl<'de> Visitor<'de> for Axes {
            type Value = RawShape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of axes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawShape, A::Error> {
                let mut shape = RawShape { axes: Vec::new(), rank: 0 };
                while let Some(axis) = list.next_element::<u64>()? {
                    shape.rank += 1;
                    if shape.rank <= MAX_RANK {
                        shape.axes.push(axis);
                    }
                }
                Ok(shape)
            }
        }
        deserializer.deserialize_seq(Axes)
    }
}

struct RawHeader {
    tensors: Vec<(String, RawEntry)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawHeader;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one entry per tensor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
                let mut seen = HashSet::new();
                let (mut tensors, mut metadata) = (Vec::new(), BTreeMap::new());
                while let Some(name) = map.next_key::<String>()? {
                    let shown = shortened(&name, SHOWN_NAME);
                    if tensors.len() == MAX_TENSORS {
                        return Err(de::Error::custom(format!("more than {MAX_TENSORS} tensors")));
                    }
                    if !seen.insert(name.clone()) {
                        return Err(de::Error::custom(format!("the name `{shown}` occurs twice")));
                    }
                    let named = |e: A::Error| {
                        de::Error::custom(format!("`{shown}`: {}", shortened(&in_words(&e.to_string()), SHOWN)))
                    };
                    if name == "__metadata__" {
                        metadata = map.next_value::<UniqueStrings>().map_err(named)?.0;
                    } else {
                        let entry = map.next_value::<RawEntry>().map_err(named)?;
                        tensors.push((name, entry));
                    }
                }
                Ok(RawHeader { tensors, metadata })
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A map of strings that refuses a key that occurs twice.
struct UniqueStrings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for UniqueStrings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = UniqueStrings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueStrings, A::Error> {
                let mut strings = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if strings.contains_key(&key) {
                        let key = shortened(&key, SHOWN_NAME);
                        return Err(de::Error::custom(format!("the key `{key}` occurs twice")));
                    }
                    strings.insert(key, value);
                }
                Ok(UniqueStrings(strings))
            }
        }
        deserializer.deserialize_map(Strings)
    }
}

#[cfg(test)]
#[path = "safetensors_header_tests.rs"]
mod tests;
