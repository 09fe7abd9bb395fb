//! How a run knows its data again: length and hash of all files, in order, with their names. It finds slips, not forgers.

use super::files::DataFile;
use autograd::random::fnv_1a;
use serde::{Deserialize, Serialize};

/// What a checkpoint keeps of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The length of all files together.
    pub bytes: u64,
    /// FNV-1a, in hexadecimal: of the content where there is one file; else of the list of name, length and hash of each.
    pub fnv1a: String,
    /// How many files.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub files: usize,
}

fn one() -> usize {
    1
}

fn is_one(files: &usize) -> bool {
    *files == 1
}

impl Fingerprint {
    /// Of these files, in this order. One file may be renamed; of several, names decide which serves what.
    pub fn of(files: &[DataFile]) -> Self {
        let hash = match files {
            [file] => fnv_1a(&file.bytes),
            files => {
                let line =
                    |file: &DataFile| format!("{}\0{}\0{:016x}\n", file.name, file.bytes.len(), fnv_1a(&file.bytes));
                fnv_1a(files.iter().map(line).collect::<String>().as_bytes())
            }
        };
        let bytes = files.iter().map(|file| file.bytes.len() as u64).sum();
        Fingerprint { bytes, fnv1a: format!("{hash:016x}"), files: files.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: &[u8]) -> DataFile {
        DataFile { name: name.into(), path: name.into(), bytes: bytes.into(), part: None }
    }

    #[test]
    fn one_file_is_known_by_its_content_whatever_its_name() {
        let found = Fingerprint::of(&[file("a", b"foobar")]);
        // The published test vector of FNV-1a.
        let json = serde_json::json!({ "bytes": 6, "fnv1a": "85944171f73967e8" });
        assert_eq!(serde_json::to_value(&found).unwrap(), json);
        assert_eq!(serde_json::from_value::<Fingerprint>(json).unwrap(), found);
        assert_eq!(Fingerprint::of(&[file("b", b"foobar")]), found);
    }

    #[test]
    fn of_several_files_a_changed_byte_name_order_or_cut_between_them_shows() {
        let files = [file("a", b"12"), file("b", b"3")];
        let found = Fingerprint::of(&files);
        assert_eq!((found.bytes, found.files), (3, 2));
        for other in [
            [file("a", b"12"), file("b", b"4")],
            [file("a", b"12"), file("c", b"3")],
            [file("b", b"3"), file("a", b"12")],
            [file("a", b"1"), file("b", b"23")],
        ] {
            assert_ne!(Fingerprint::of(&other), found);
        }
    }
}
