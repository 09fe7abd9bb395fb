//! Byte-level byte-pair encoding, learned and applied by the crate `tokenizers`. Here stand only the codes and what surrounds them.
//!
//! Codes 0..=255 are the bytes. Each merge joins two earlier codes; its result is the next free code, unless the same bytes
//! already have one (`a·bc` and `ab·c`). The list of merges is therefore the whole vocabulary.
//!
//! Before pairs are looked for, a text is cut after each newline (and a longer line every [`MAX_PIECE`] bytes, between
//! characters), then each piece into words by the pattern of GPT-2. No symbol crosses a cut.

use std::collections::HashMap;
use std::sync::LazyLock;

use tokenizers::models::bpe::{BPE, BpeTrainer, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{Model, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Trainer};

/// The most bytes one symbol stands for: a hostile list of merges could otherwise double a symbol's length 100,000 times.
pub(crate) const MAX_SYMBOL_BYTES: usize = 256;

/// The largest vocabulary; the largest in public use has about 2¹⁸ symbols.
pub(crate) const MAX_SYMBOLS: usize = 1 << 18;

/// The longest piece of a line that is cut into words at once, which bounds time and memory on a file without newlines.
const MAX_PIECE: usize = 4096;

/// The crate works on characters: each byte is given a printable one, as in GPT-2, and a symbol is a string of those.
static CHARACTER_OF_BYTE: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut stand_ins = ('\u{100}'..).take(68); // for the 68 bytes whose own character does not print
    std::array::from_fn(|byte| match byte as u8 {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => byte as u8 as char,
        _ => stand_ins.next().unwrap_or(char::REPLACEMENT_CHARACTER),
    })
});

/// Why the crate refused; it has no type for its errors.
type Failure = tokenizers::Error;

/// The merges of a vocabulary, their symbols, and the machine that applies them.
#[derive(Clone, Debug)]
pub(crate) struct BytePairs {
    pub(crate) merges: Vec<(u32, u32)>,
    pub(crate) symbols: Vec<Box<[u8]>>,
    model: BPE,
}

impl BytePairs {
    /// Learns merges from `text` until there are `size` symbols (at least 256), or nothing is left to merge.
    ///
    /// The most frequent pair is merged first; equally frequent pairs have a fixed order (symbols by age, bytes by the
    /// characters that stand for them). So the text alone decides, not the number of threads.
    pub(crate) fn learn(text: &str, size: usize) -> Result<Self, Failure> {
        let mut trainer = BpeTrainer::builder()
            .vocab_size(size)
            .show_progress(false)
            .max_token_length(Some(MAX_SYMBOL_BYTES))
            .initial_alphabet(CHARACTER_OF_BYTE.iter().copied().collect())
            .build();
        trainer.feed(pieces(text), words)?;
        let mut model = BPE::default();
        trainer.train(&mut model)?;
        // The crate gives its merges away only in its own serialized form: pairs of strings.
        let serialized = serde_json::to_value(&model)?;
        let listed: Vec<(String, String)> = serde_json::from_value(serialized["merges"].clone())?;
        let codes: HashMap<char, u32> = CHARACTER_OF_BYTE.iter().copied().zip(0..).collect();
        let mut code_of: HashMap<String, u32> =
            codes.iter().map(|(&character, &code)| (character.into(), code)).collect();
        let mut merges = Vec::with_capacity(listed.len());
        for (left, right) in listed {
            merges.push((code_of[&left], code_of[&right]));
            let next = code_of.len() as u32;
            code_of.entry(left + &right).or_insert(next);
        }
        Self::from_merges(merges).map_err(Failure::from)
    }

    /// The vocabulary of a list of merges, which may come from a file that lies.
    pub(crate) fn from_merges(merges: Vec<(u32, u32)>) -> Result<Self, String> {
        let mut symbols: Vec<Box<[u8]>> = (0..=255u8).map(|byte| Box::from([byte])).collect();
        let mut code_of: Vocab = CHARACTER_OF_BYTE.iter().map(|&c| c.to_string()).zip(0..).collect();
        let mut names: Vec<String> = CHARACTER_OF_BYTE.iter().map(|&c| c.to_string()).collect();
        let mut listed = Vec::new();
        for (index, &(left, right)) in merges.iter().enumerate() {
            let known = symbols.len();
            let (left, right) = (left as usize, right as usize);
            if left >= known || right >= known {
                return Err(format!(
                    "merge {index} joins codes {left} and {right}, but only {known} symbols precede it"
                ));
            }
            let bytes = [&*symbols[left], &*symbols[right]].concat();
            if bytes.len() > MAX_SYMBOL_BYTES {
                return Err(format!(
                    "merge {index} makes a symbol of {} bytes, more than {MAX_SYMBOL_BYTES}",
                    bytes.len()
                ));
            }
            let name = format!("{}{}", names[left], names[right]);
            listed.push((names[left].clone(), names[right].clone()));
            if !code_of.contains_key(&name) {
                if known == MAX_SYMBOLS {
                    return Err(format!("there are more than {MAX_SYMBOLS} symbols"));
                }
                code_of.insert(name.clone(), known as u32);
                names.push(name);
                symbols.push(bytes.into());
            }
        }
        let model = BPE::builder().vocab_and_merges(code_of, listed).build();
        Ok(BytePairs { merges, symbols, model: model.map_err(|error| error.to_string())? })
    }

    /// The codes of a text. Every text has codes, since every byte has.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>, Failure> {
        let mut codes = Vec::new();
        for piece in pieces(text) {
            for word in words(piece)? {
                codes.extend(self.model.tokenize(&word)?.iter().map(|token| token.id));
            }
        }
        Ok(codes)
    }
}

/// The lines of a text with their newlines, long ones in pieces.
fn pieces(text: &str) -> impl Iterator<Item = &str> + Send {
    text.split_inclusive('\n').flat_map(|mut line| {
        std::iter::from_fn(move || {
            let end = (0..=line.len().min(MAX_PIECE)).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
            let (piece, rest) = line.split_at(end);
            line = rest;
            (!piece.is_empty()).then_some(piece)
        })
    })
}

/// The words of a piece by the pattern of GPT-2, in the characters that stand for bytes.
fn words(piece: &str) -> Result<Vec<String>, Failure> {
    let mut split = PreTokenizedString::from(piece);
    ByteLevel::new(false, false, true).pre_tokenize(&mut split)?;
    let words = split.get_splits(OffsetReferential::Original, OffsetType::None);
    Ok(words.into_iter().map(|(word, _, _)| word.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_characters_that_stand_for_bytes_are_those_of_the_crate() {
        let ours: std::collections::HashSet<char> = CHARACTER_OF_BYTE.iter().copied().collect();
        assert_eq!(ours, ByteLevel::alphabet().into_iter().collect());
        for character in ('\0'..'\u{800}').filter(|c| !c.is_whitespace()) {
            let standing: String = character.to_string().bytes().map(|byte| CHARACTER_OF_BYTE[byte as usize]).collect();
            assert_eq!(words(&character.to_string()).unwrap().concat(), standing, "{character:?}");
        }
    }

    #[test]
    fn the_first_merge_joins_the_most_frequent_pair() {
        let pairs = BytePairs::learn("abab abab xy", 257).unwrap();
        assert_eq!(pairs.merges, [(u32::from(b'a'), u32::from(b'b'))]);
        assert_eq!(pairs.encode("abx").unwrap(), [256, u32::from(b'x')]);
    }

    #[test]
    fn a_text_with_nothing_to_merge_leaves_the_bytes() {
        assert_eq!(BytePairs::learn("a b", 300).unwrap().encode("é\n").unwrap(), [0xC3, 0xA9, 10]);
    }

    #[test]
    fn learning_twice_and_with_other_threads_gives_the_same_merges() {
        let text: String = (0..3000u32).map(|i| format!("w{} ", i.wrapping_mul(2_654_435_761) >> 22)).collect();
        let learned = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| BytePairs::learn(&text, 400).unwrap().merges)
        };
        let once = learned(1);
        assert_eq!(once.len(), 144);
        assert!([1, 2, 3, 8].iter().all(|&threads| learned(threads) == once));
    }

    #[test]
    fn no_symbol_grows_beyond_the_limit_and_a_line_without_end_is_cut() {
        let text = "a".repeat(20_000);
        let pairs = BytePairs::learn(&text, 400).unwrap();
        assert!(pairs.symbols.iter().all(|symbol| symbol.len() <= MAX_SYMBOL_BYTES));
        let decoded: usize = pairs.encode(&text).unwrap().iter().map(|&code| pairs.symbols[code as usize].len()).sum();
        assert_eq!(decoded, text.len());
        assert!(pieces(&"€".repeat(5000)).all(|piece| piece.len() <= MAX_PIECE));
    }

    #[test]
    fn merges_that_lie_are_refused_before_they_take_memory() {
        assert!(BytePairs::from_merges(vec![(256, 0)]).unwrap_err().contains("only 256 symbols"));
        let doubling: Vec<(u32, u32)> = std::iter::once((0, 0)).chain((256..300).map(|code| (code, code))).collect();
        assert!(BytePairs::from_merges(doubling).unwrap_err().contains("512 bytes"));
    }

    proptest! {
        #[test]
        fn every_list_of_merges_over_known_codes_encodes_and_decodes_any_text(
            picks in prop::collection::vec((any::<u32>(), any::<u32>()), 0..40), text in any::<String>(),
        ) {
            // From few bytes, so that merges meet the text and one another.
            let merges: Vec<(u32, u32)> = picks.iter().map(|&(a, b)| (u32::from(b'a') + a % 4, u32::from(b'a') + b % 4)).collect();
            let pairs = BytePairs::from_merges(merges).unwrap();
            let codes = pairs.encode(&text).unwrap();
            let bytes: Vec<u8> = codes.iter().flat_map(|&code| pairs.symbols[code as usize].to_vec()).collect();
            prop_assert_eq!(bytes, text.into_bytes());
        }
    }
}
