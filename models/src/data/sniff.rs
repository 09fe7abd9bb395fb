//! What a file is by its first bytes, where it is not what was asked for: compressed, a document, text of another encoding.
//!
//! So that a reader of text or of CSV names the file's kind, and not the first byte that surprised it.

/// A kind of file that is no plain text, and what to do about it.
pub struct FileKind {
    /// As a sentence says it: `gzip-compressed`.
    pub what: &'static str,
    /// What to do.
    pub help: &'static str,
}

/// Beginnings by which files of other kinds are known.
const MAGIC: [(&[u8], &str, &str); 9] = [
    (b"\x1f\x8b", "gzip-compressed", "unpack it first: gunzip"),
    (b"PK\x03\x04", "a ZIP file (as .xlsx and .docx are)", "unpack it, or save a sheet as CSV"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "unpack it first: unzstd"),
    (b"\xfd7zXZ\0", "xz-compressed", "unpack it first: unxz"),
    (b"BZh", "bzip2-compressed", "unpack it first: bunzip2"),
    (b"PAR1", "a Parquet file", "write it as CSV"),
    (b"%PDF-", "a PDF", "extract its text"),
    (b"\x89PNG", "a PNG picture", "give a file of text"),
    (b"\x93NUMPY", "a NumPy array", "write it as text: numpy.savetxt"),
];

/// The kind of a file that is not plain UTF-8 text; none where nothing speaks against it.
pub fn not_text(bytes: &[u8]) -> Option<FileKind> {
    let magic = MAGIC.iter().find(|(magic, ..)| bytes.starts_with(magic));
    magic.map(|&(_, what, help)| FileKind { what, help }).or_else(|| encoding(bytes))
}

/// UTF-32 or UTF-16: by the mark at its beginning, or by the zeros that every second byte of Latin letters is.
fn encoding(bytes: &[u8]) -> Option<FileKind> {
    let kind =
        |what| Some(FileKind { what, help: "convert it to UTF-8: iconv -f UTF-16 -t UTF-8, or save it as UTF-8" });
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Some(FileKind { what: "UTF-32", help: "convert it to UTF-8: iconv -f UTF-32 -t UTF-8" });
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return kind("UTF-16");
    }
    let seen = &bytes[..bytes.len().min(4096) / 2 * 2];
    let zeros = |parity: usize| seen.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), seen.len() / 2);
    // Half of the characters are enough: the other half may be of another script.
    match pairs {
        0..4 => None,
        _ if odd * 2 >= pairs && even == 0 => kind("UTF-16 without a byte-order mark (little-endian)"),
        _ if even * 2 >= pairs && odd == 0 => kind("UTF-16 without a byte-order mark (big-endian)"),
        _ => None,
    }
}

/// The bytes without the mark that some programs put before UTF-8, and whether it was there.
pub fn without_mark(bytes: &[u8]) -> (&[u8], bool) {
    bytes.strip_prefix(b"\xef\xbb\xbf").map_or((bytes, false), |rest| (rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_of_file_are_known_by_name_and_text_is_left_alone() {
        let what = |bytes: &[u8]| not_text(bytes).map(|kind| kind.what);
        let little: Vec<u8> = "plain, 12".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "plain, 12".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(what(&little), Some("UTF-16 without a byte-order mark (little-endian)"));
        assert_eq!(what(&big), Some("UTF-16 without a byte-order mark (big-endian)"));
        assert_eq!(what(&[b"\xff\xfe", &little[..]].concat()), Some("UTF-16"));
        assert_eq!(what(&[b"\xff\xfe\0\0", &little[..]].concat()), Some("UTF-32"));
        assert_eq!(what(b"\x1f\x8b\x08\0"), Some("gzip-compressed"));
        for text in ["", "a", "plain", "€€€", "\0", "a\0b", "x,y\n1,2\n", "\u{feff}a"] {
            assert_eq!(what(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(what(&[0, 0, 0, 0]), None, "bytes of any kind are not taken for text of another encoding");
    }

    #[test]
    fn a_mark_is_taken_off_once() {
        assert_eq!(without_mark("\u{feff}a".as_bytes()), (&b"a"[..], true));
        assert_eq!(without_mark(b"a"), (&b"a"[..], false));
    }
}
