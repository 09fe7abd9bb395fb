//! Checksums of a file's tensors and of its header, kept in its metadata: a bit that flips on a disk or on the way is seen when the
//! file is read. A file without them, written by another program, is taken as it is.
//!
//! CRC-32 finds every change of up to 32 neighbouring bits, and lets one of 2³² others through: it is for accidents, not against forgers.

use std::collections::BTreeMap;

use super::regular::shortened;
use super::safetensors_header::DataType;
use crate::refusals::in_words;

/// The metadata key of the checksum of each tensor: an object from names to eight hexadecimal digits.
pub const TENSORS_KEY: &str = "autoreg.checksums";

/// The metadata key of the checksum of everything else in the header. One key alone could lose its name to a flipped bit, and with it
/// all checks; of two, the other one says that something is missing.
pub const HEADER_KEY: &str = "autoreg.checksum";

/// The checksums of a file's tensors, by name.
pub type Checksums = BTreeMap<String, u32>;

/// CRC-32 of a tensor's bytes: that of zlib.
pub fn of_bytes(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// [`of_bytes`] of bytes that come in pieces.
#[derive(Default)]
pub(super) struct Checksum(crc32fast::Hasher);

impl Checksum {
    /// The next piece.
    pub(super) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Of all pieces.
    pub(super) fn value(self) -> u32 {
        self.0.finalize()
    }
}

/// CRC-32 of the metadata (`KEY NUL VALUE NUL`, by key, without [`HEADER_KEY`]) and of what the header says of each tensor
/// (`NAME NUL TYPE NUL AXIS,AXIS,… NUL`, by name).
pub fn of_header<'a>(
    metadata: &BTreeMap<String, String>,
    tensors: impl IntoIterator<Item = (&'a str, DataType, &'a [usize])>,
) -> u32 {
    let mut tensors: Vec<_> = tensors.into_iter().collect();
    tensors.sort_unstable_by_key(|(name, _, _)| *name);
    let mut hasher = crc32fast::Hasher::new();
    let mut put = |text: &str| {
        hasher.update(text.as_bytes());
        hasher.update(&[0]);
    };
    for (key, value) in metadata.iter().filter(|(key, _)| *key != HEADER_KEY) {
        put(key);
        put(value);
    }
    for (name, data_type, shape) in tensors {
        put(name);
        put(data_type.name());
        put(&shape.iter().map(usize::to_string).collect::<Vec<_>>().join(","));
    }
    hasher.finalize()
}

/// Adds both keys to the metadata of a file that is going to be written; a tensor is name, type, shape and [`of_bytes`].
pub fn add<'a>(
    metadata: &mut BTreeMap<String, String>,
    tensors: impl IntoIterator<Item = (&'a str, DataType, &'a [usize], u32)>,
) {
    let tensors: Vec<_> = tensors.into_iter().collect();
    let hex = |sum: u32| serde_json::Value::String(format!("{sum:08x}"));
    let each = tensors.iter().map(|(name, _, _, sum)| ((*name).to_owned(), hex(*sum)));
    metadata.insert(TENSORS_KEY.to_owned(), serde_json::Value::Object(each.collect()).to_string());
    let sum = of_header(metadata, tensors.iter().map(|(name, data_type, shape, _)| (*name, *data_type, *shape)));
    metadata.insert(HEADER_KEY.to_owned(), format!("{sum:08x}"));
}

/// Takes both keys out of a file's metadata, and holds the header against them; none where the file has none.
///
/// # Errors
/// One sentence that says what does not agree.
pub fn take<'a>(
    metadata: &mut BTreeMap<String, String>,
    tensors: impl IntoIterator<Item = (&'a str, DataType, &'a [usize])>,
) -> Result<Option<Checksums>, String> {
    let tensors: Vec<_> = tensors.into_iter().collect();
    let actual = of_header(metadata, tensors.iter().copied());
    let (each, header) = match (metadata.remove(TENSORS_KEY), metadata.remove(HEADER_KEY)) {
        (None, None) => return Ok(None),
        (Some(each), Some(header)) => (each, header),
        (Some(_), None) => return Err(format!("the metadata has `{TENSORS_KEY}` without `{HEADER_KEY}`")),
        (None, Some(_)) => return Err(format!("the metadata has `{HEADER_KEY}` without `{TENSORS_KEY}`")),
    };
    if header != format!("{actual:08x}") {
        let header = shortened(&header, 20);
        return Err(format!("the header has the checksum {actual:08x}, and was written with {header}"));
    }
    let texts: BTreeMap<String, String> = serde_json::from_str(&each)
        .map_err(|e| format!("the metadata `{TENSORS_KEY}` is not usable: {}", in_words(&e.to_string())))?;
    let mut sums = Checksums::new();
    for (name, text) in texts {
        let sum = u32::from_str_radix(&text, 16).map_err(|_| format!("`{TENSORS_KEY}` of `{name}` is no number"))?;
        sums.insert(name, sum);
    }
    match tensors.iter().find(|(name, _, _)| !sums.contains_key(*name)) {
        Some((name, _, _)) => Err(format!("`{TENSORS_KEY}` lacks the tensor `{}`", shortened(name, 100))),
        None => Ok(Some(sums)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zlib() {
        // The check value that catalogues give for CRC-32/ISO-HDLC.
        assert_eq!(of_bytes(b"123456789"), 0xcbf4_3926);
        let metadata = BTreeMap::from([("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())]);
        let tensors: [(&str, DataType, &[usize]); 2] = [("w", DataType::F32, &[2, 3]), ("c", DataType::U64, &[])];
        // python3 -c 'import zlib; print(hex(zlib.crc32(b"a\0001\0b\0002\0c\0U64\0\0w\0F32\0002,3\0")))'
        assert_eq!(of_header(&metadata, tensors), 0xa4c9_71eb);
    }

    #[test]
    fn one_of_the_two_keys_alone_is_a_fault_and_none_is_not() {
        let tensors: [(&str, DataType, &[usize]); 1] = [("w", DataType::U8, &[1])];
        let whole = || {
            let mut metadata = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
            add(&mut metadata, [("w", DataType::U8, &[1][..], of_bytes(&[7]))]);
            metadata
        };
        assert_eq!(take(&mut whole(), tensors).unwrap().unwrap()["w"], of_bytes(&[7]));
        for key in [TENSORS_KEY, HEADER_KEY] {
            let mut metadata = whole();
            metadata.remove(key);
            assert!(take(&mut metadata, tensors).unwrap_err().contains(key), "{key}");
        }
        assert_eq!(take(&mut BTreeMap::from([("k".to_owned(), "v".to_owned())]), tensors).unwrap(), None);
    }
}
