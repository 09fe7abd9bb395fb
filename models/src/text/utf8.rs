//! Bytes as text, or why they are none.

use crate::error::{Error, Kind, Result};

/// The bytes as text.
///
/// # Errors
/// [`Kind::BadInput`] naming the offset of the first byte that is not UTF-8.
pub fn as_utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Error::new(Kind::BadInput, format!("the text is not UTF-8 at byte {at}"))
            .cause(match error.error_len() {
                Some(_) => format!("byte 0x{:02X} does not begin or continue a character there", bytes[at]),
                None => "the text ends in the middle of a character".to_string(),
            })
            .help("convert it to UTF-8; a model trained with --set data.vocabulary=bytes takes any file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_text_are_an_error_that_names_their_offset() {
        let broken = as_utf8(b"abc\xFFdef").unwrap_err();
        assert!(broken.what.contains("byte 3") && broken.cause.contains("0xFF"), "{broken}");
        let cut = as_utf8("ab€".as_bytes().split_last().unwrap().1).unwrap_err();
        assert!(cut.what.contains("byte 2") && cut.cause.contains("middle"), "{cut}");
        assert!([broken, cut].iter().all(|error| error.kind == Kind::BadInput && !error.help.is_empty()));
    }
}
