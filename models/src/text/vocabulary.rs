//! Vocabularies: which pieces of a text are symbols, and which code each has. How a text is split and read is told elsewhere.
//! (Longer than most files: a third is tests, which show the format.)
//!
//! # Format
//! A checkpoint keeps its vocabulary as one JSON object, [`Vocabulary::to_json`], in one of three forms (docs/file-formats.md):
//!
//! ```json
//! {"kind": "characters", "characters": "\n !abc"}
//! {"kind": "bytes"}
//! {"kind": "byte_pairs", "merges": [[104, 101], [256, 32]]}
//! ```
//!
//! - `characters`: the symbols in order of code, each a Unicode scalar value, strictly ascending.
//! - `bytes`: code b is byte b; 256 symbols.
//! - `byte_pairs`: codes 0..=255 are the bytes; `merges[i] = [left, right]` joins two codes that exist by then, and the result is
//!   the next free code unless its bytes already have one. Earlier merges are applied first. At most 2¹⁸ symbols of at most
//!   256 bytes. A text is first cut after each newline (a longer line every 4096 bytes, between characters), then into words
//!   by GPT-2's pattern; no symbol crosses a cut. A published vocabulary may say more: `cut` (`"lines"`, or `"nowhere"` before the
//!   words), `special` (texts that are one symbol each) and `codes` (the code of each byte, of each result of a merge and of each
//!   special symbol).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::refusals::in_words;
use crate::text::bpe::{BytePairs, Cut, MAX_SYMBOLS};
use crate::text::utf8::as_utf8;

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VocabularyKind {
    /// The characters (Unicode scalar values) that occur in the text, in ascending order.
    Characters,
    /// The 256 bytes: any file, any language, no unknown symbol.
    Bytes,
    /// Byte-level byte-pair encoding learned from the text: frequent pieces of words; no unknown symbol.
    BytePairs {
        /// The number of symbols to learn, the 256 bytes included; a short text may yield fewer.
        size: usize,
    },
}

impl VocabularyKind {
    /// What one symbol is called, in the singular.
    pub fn unit(self) -> &'static str {
        match self {
            VocabularyKind::Characters => "character",
            VocabularyKind::Bytes => "byte",
            VocabularyKind::BytePairs { .. } => "symbol",
        }
    }
}

/// The symbols of a text and their codes 0..V.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    rule: Rule,
    /// The bytes of each symbol, by code.
    symbols: Vec<Box<[u8]>>,
}

/// How a text becomes codes.
#[derive(Clone, Debug)]
enum Rule {
    /// In order of code, and ascending.
    Characters(Vec<char>),
    Bytes,
    BytePairs(Box<BytePairs>),
}

/// The form in a checkpoint.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Stored {
    Characters {
        characters: String,
    },
    Bytes {},
    BytePairs {
        merges: Vec<(u32, u32)>,
        // Left out where they say nothing: the hash of a vocabulary is that of its JSON.
        #[serde(default, skip_serializing_if = "is_default")]
        cut: Cut,
        #[serde(default, skip_serializing_if = "is_default")]
        special: Vec<String>,
        #[serde(default, skip_serializing_if = "is_default")]
        codes: Option<Vec<u32>>,
    },
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Vocabulary {
    /// Learns a vocabulary of the given kind from a text. The same text gives the same codes, on any number of threads.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the text is empty, or is not UTF-8 and `kind` is not bytes;
    /// [`Kind::Usage`] for byte pairs of fewer than 256 or more than 2¹⁸ symbols.
    pub fn from_text(kind: VocabularyKind, text: impl AsRef<[u8]>) -> Result<Self> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(Error::new(Kind::BadInput, "cannot learn a vocabulary from an empty text")
                .help("give a file with some text in it"));
        }
        match kind {
            VocabularyKind::Characters => {
                let characters: std::collections::BTreeSet<char> = as_utf8(text)?.chars().collect();
                Ok(Self::of_characters(characters.into_iter().collect()))
            }
            VocabularyKind::Bytes => Ok(Self::of_bytes()),
            VocabularyKind::BytePairs { size } => {
                if !(256..=MAX_SYMBOLS).contains(&size) {
                    return Err(Error::new(Kind::Usage, format!("cannot learn {size} byte pairs"))
                        .cause(format!("a vocabulary has from 256 symbols, the bytes themselves, to {MAX_SYMBOLS}"))
                        .help("--set data.vocabulary.byte_pairs.size=N sets it"));
                }
                let pairs = BytePairs::learn(as_utf8(text)?, size)
                    .map_err(|error| Error::new(Kind::Failed, "cannot learn byte pairs from the text").cause(error))?;
                Ok(Self::of_pairs(pairs))
            }
        }
    }

    fn of_characters(characters: Vec<char>) -> Self {
        let symbols = characters.iter().map(|character| Box::from(character.to_string().as_bytes())).collect();
        Vocabulary { rule: Rule::Characters(characters), symbols }
    }

    fn of_bytes() -> Self {
        Vocabulary { rule: Rule::Bytes, symbols: (0..=255u8).map(|byte| Box::from([byte])).collect() }
    }

    pub(super) fn of_pairs(mut pairs: BytePairs) -> Self {
        let symbols = std::mem::take(&mut pairs.symbols);
        Vocabulary { rule: Rule::BytePairs(Box::new(pairs)), symbols }
    }

    /// The kind; for byte pairs with the size that was reached.
    pub fn kind(&self) -> VocabularyKind {
        match self.rule {
            Rule::Characters(_) => VocabularyKind::Characters,
            Rule::Bytes => VocabularyKind::Bytes,
            Rule::BytePairs(_) => VocabularyKind::BytePairs { size: self.size() },
        }
    }

    /// V, the number of symbols.
    pub fn size(&self) -> usize {
        self.symbols.len()
    }

    /// The codes of a text.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the text has a character without a code, naming the first and its place; or if it is not
    /// UTF-8 and the symbols are not bytes.
    pub fn encode(&self, text: impl AsRef<[u8]>) -> Result<Vec<u32>> {
        let text = text.as_ref();
        match &self.rule {
            Rule::Bytes => Ok(text.iter().map(|&byte| u32::from(byte)).collect()),
            Rule::Characters(known) => {
                let code = |(place, character)| match known.binary_search(&character) {
                    Ok(code) => Ok(code as u32),
                    Err(_) => Err(unknown(place, character, known)),
                };
                as_utf8(text)?.chars().enumerate().map(code).collect()
            }
            Rule::BytePairs(pairs) => Ok(pairs.encode(as_utf8(text)?)),
        }
    }

    /// The bytes of a sequence of codes. They are UTF-8 if the codes came from text and no character was cut.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if a code is not below V.
    pub fn decode(&self, codes: &[u32]) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(codes.len());
        for (place, &code) in codes.iter().enumerate() {
            let symbol = self.symbols.get(code as usize).ok_or_else(|| {
                Error::new(Kind::BadInput, format!("code {code} at place {place} is not in the vocabulary"))
                    .cause(format!("it has {} symbols", self.size()))
                    .help("use the vocabulary of the checkpoint that produced the codes")
            })?;
            bytes.extend_from_slice(symbol);
        }
        Ok(bytes)
    }

    /// What begins a fresh line: a line break, where the vocabulary has one. A text has one beginning and many lines, so a model
    /// has learned what follows a line break, and hardly what comes first of all.
    pub fn opening(&self) -> Vec<u32> {
        self.encode("\n").unwrap_or_default()
    }

    /// The bytes that a symbol stands for.
    ///
    /// # Panics
    /// If `code` is not below V.
    pub fn symbol_bytes(&self, code: u32) -> &[u8] {
        &self.symbols[code as usize]
    }

    /// A symbol as a person reads it: `'e'`, `'\n'`, `" the"`, or `0xE2 0x82` where it is no text.
    ///
    /// # Panics
    /// If `code` is not below V.
    pub fn symbol_name(&self, code: u32) -> String {
        let bytes = self.symbol_bytes(code);
        match (std::str::from_utf8(bytes), &self.rule) {
            (Ok(text), Rule::BytePairs(_)) => format!("{text:?}"),
            (Ok(text), _) => text.chars().map(|character| format!("{character:?}")).collect(),
            (Err(_), _) => bytes.iter().map(|byte| format!("0x{byte:02X}")).collect::<Vec<_>>().join(" "),
        }
    }

    /// The vocabulary as one JSON object (see the head of this file), for a checkpoint's metadata.
    pub fn to_json(&self) -> String {
        let stored = match &self.rule {
            Rule::Characters(characters) => Stored::Characters { characters: characters.iter().collect() },
            Rule::Bytes => Stored::Bytes {},
            Rule::BytePairs(pairs) => Stored::BytePairs {
                merges: pairs.merges.clone(),
                cut: pairs.cut,
                special: pairs.special.texts().to_vec(),
                codes: pairs.codes.clone(),
            },
        };
        serde_json::to_string(&stored).expect("strings and numbers always serialize")
    }

    /// The vocabulary that [`Vocabulary::to_json`] wrote, or a program in another language. Memory is bounded by the length of `json`
    /// and, for byte pairs, by 2¹⁸ symbols of 256 bytes.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if `json` is not a vocabulary.
    pub fn from_json(json: &str) -> Result<Self> {
        let broken = |cause: String| {
            Error::new(Kind::BadInput, "the stored vocabulary cannot be read").cause(cause).help(
                "the checkpoint is damaged, or was written by another program; docs/file-formats.md describes the form",
            )
        };
        match serde_json::from_str(json).map_err(|error| broken(in_words(&error.to_string())))? {
            Stored::Bytes {} => Ok(Self::of_bytes()),
            Stored::Characters { characters } => {
                let characters: Vec<char> = characters.chars().collect();
                if characters.is_empty() {
                    return Err(broken("it has no characters".to_string()));
                }
                if let Some(pair) = characters.windows(2).find(|pair| pair[0] >= pair[1]) {
                    return Err(broken(format!(
                        "character {:?} stands after {:?}, not in ascending order",
                        pair[1], pair[0]
                    )));
                }
                Ok(Self::of_characters(characters))
            }
            Stored::BytePairs { merges, cut, special, codes } => {
                BytePairs::from_parts(merges, cut, special, codes).map(Self::of_pairs).map_err(broken)
            }
        }
    }
}

/// The error for a character that the vocabulary lacks.
fn unknown(place: usize, character: char, known: &[char]) -> Error {
    let code_point = u32::from(character);
    Error::new(
        Kind::BadInput,
        format!("character {character:?} (U+{code_point:04X}) has no code; it is character {place}, counted from 0"),
    )
    .cause(format!("the vocabulary holds the {} characters of the text it was learned from", known.len()))
    .help("remove or replace the character; a model trained with --set data.vocabulary=bytes knows every text")
}

#[cfg(test)]
#[path = "vocabulary_tests.rs"]
mod tests;
