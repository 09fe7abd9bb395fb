//! From bytes that arrive in pieces to text that can be printed: never half a character. It knows no vocabulary.

/// Turns pieces of bytes into pieces of text, as generation produces them.
///
/// The pieces put together are `String::from_utf8_lossy` of all bytes put together, however they were cut: a character
/// whose last bytes have not arrived is held back, and bytes that no continuation can repair become U+FFFD.
#[derive(Clone, Debug, Default)]
pub struct Utf8Stream {
    /// The start of a character that is still incomplete: at most three bytes.
    held: Vec<u8>,
}

impl Utf8Stream {
    /// A stream that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and returns the text they complete, possibly none.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = self.held.as_slice();
        let incomplete = loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    break 0;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid)); // valid: nothing is replaced here
                    match error.error_len() {
                        Some(length) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            rest = &after[length..];
                        }
                        None => break after.len(),
                    }
                }
            }
        };
        self.held.drain(..self.held.len() - incomplete);
        text
    }

    /// Ends the stream: what was held back can no longer be completed and becomes U+FFFD.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        String::from_utf8_lossy(&held).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pushes `bytes` cut at the given lengths (in turn, over and over), then finishes.
    fn streamed(bytes: &[u8], cuts: &[usize]) -> String {
        let (mut stream, mut text, mut rest, mut turn) = (Utf8Stream::new(), String::new(), bytes, 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cuts[turn % cuts.len()].min(rest.len()));
            text += &stream.push(piece);
            (rest, turn) = (after, turn + 1);
        }
        text + &stream.finish()
    }

    #[test]
    fn a_character_appears_when_its_last_byte_arrives() {
        let mut stream = Utf8Stream::new();
        let shown: Vec<String> = "a€é".bytes().map(|byte| stream.push(&[byte])).collect();
        assert_eq!(shown, ["a", "", "", "€", "", "é"]);
        assert_eq!(stream.finish(), "");
    }

    #[test]
    fn a_byte_that_cannot_continue_a_character_is_replaced_at_once() {
        let mut stream = Utf8Stream::new();
        assert_eq!(stream.push(&[0xE2, 0x82]), "");
        assert_eq!(stream.push(b"x"), "\u{FFFD}x");
        assert_eq!(stream.push(&[0xFF]), "\u{FFFD}");
    }

    #[test]
    fn an_incomplete_end_is_replaced_once_when_the_stream_finishes() {
        let mut stream = Utf8Stream::new();
        assert_eq!(stream.push(&[b'a', 0xF0, 0x9F, 0x98]), "a");
        assert_eq!(stream.finish(), "\u{FFFD}");
        assert_eq!(stream.finish(), "", "finishing leaves nothing behind");
    }

    proptest! {
        #[test]
        fn any_cutting_of_any_bytes_gives_the_lossy_text_of_the_whole(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select("€😀é".as_bytes())], 0..64),
            cuts in prop::collection::vec(1usize..5, 1..8),
        ) {
            prop_assert_eq!(streamed(&bytes, &cuts), String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_cutting_of_valid_text_gives_the_text_back(text in any::<String>(), cuts in prop::collection::vec(1usize..5, 1..8)) {
            prop_assert_eq!(streamed(text.as_bytes(), &cuts), text);
        }
    }
}
