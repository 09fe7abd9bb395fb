//! A text file as training, validation and test symbols. How windows are cut from them is in [`crate::text::streams`].

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::text::vocabulary::{Vocabulary, VocabularyKind};

/// Which parts of a text, by position, serve what: first `train`, then `validation`, then the rest for testing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// The share of the text, from its beginning, that is trained on.
    pub train: f64,
    /// The share after it that is validated on; what remains is the test part.
    pub validation: f64,
}

impl Default for Split {
    /// The first 90 % to train, the last 10 % to validate, nothing to test: `⌊0.9 n⌋` characters to train, as is usual for
    /// tiny-shakespeare.
    fn default() -> Self {
        Split { train: 0.9, validation: 0.1 }
    }
}

impl Split {
    /// The ends of the training and the validation part of `n` units.
    ///
    /// # Errors
    /// [`Kind::Usage`] unless both shares are in 0..=1, `train` is above 0, and their sum is at most 1.
    pub fn ends(&self, n: usize) -> Result<(usize, usize)> {
        let sum = self.train + self.validation;
        // 0.7 + 0.2 + 0.1 need not be 1 in floating point; what is that close is meant to be 1.
        let whole = (sum - 1.0).abs() < 1e-9;
        if !(self.train > 0.0 && self.validation >= 0.0 && (sum <= 1.0 || whole)) {
            return Err(Error::new(Kind::Usage, "cannot split the text")
                .cause(format!("the shares are {} to train and {} to validate", self.train, self.validation))
                .help("give a share above 0 to train, and at most 1 in all; the rest is the test part"));
        }
        let part = |share: f64| (share * n as f64) as usize;
        let train = part(self.train).min(n);
        Ok((train, if whole { n } else { (train + part(self.validation)).min(n) }))
    }
}

/// The symbols of a text in three consecutive parts; a part may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// What is trained on.
    pub train: Vec<u32>,
    /// What is scored during training.
    pub validation: Vec<u32>,
    /// What is scored once, at the end.
    pub test: Vec<u32>,
}

impl Corpus {
    /// Splits `text` by position and encodes each part by itself, with the vocabulary of `kind` that it learns on the way.
    ///
    /// Positions are characters, or bytes for [`VocabularyKind::Bytes`]. The characters of a vocabulary are those of the whole
    /// text, so that a rare one in the validation part has a code; the merges of byte-pair encoding are learned from the
    /// training part alone.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the text is empty or is not UTF-8 (unless by bytes), or the training part is empty;
    /// [`Kind::Usage`] for a split or a vocabulary size that makes no sense.
    pub fn learn(text: impl AsRef<[u8]>, kind: VocabularyKind, split: &Split) -> Result<(Vocabulary, Self)> {
        let text = text.as_ref();
        let parts = split_text(text, kind == VocabularyKind::Bytes, split)?;
        let seen = if matches!(kind, VocabularyKind::BytePairs { .. }) { parts[0] } else { text };
        let vocabulary = Vocabulary::from_text(kind, seen)?;
        let corpus = Self::encode_parts(&vocabulary, parts)?;
        Ok((vocabulary, corpus))
    }

    /// Splits and encodes `text` as [`Corpus::learn`] does, with a vocabulary from before: for a resumed run.
    ///
    /// # Errors
    /// As [`Corpus::learn`]; also if the text has a character without a code.
    pub fn encode(text: impl AsRef<[u8]>, vocabulary: &Vocabulary, split: &Split) -> Result<Self> {
        let parts = split_text(text.as_ref(), vocabulary.kind() == VocabularyKind::Bytes, split)?;
        Self::encode_parts(vocabulary, parts)
    }

    fn encode_parts(vocabulary: &Vocabulary, [train, validation, test]: [&[u8]; 3]) -> Result<Self> {
        Ok(Corpus {
            train: vocabulary.encode(train)?,
            validation: vocabulary.encode(validation)?,
            test: vocabulary.encode(test)?,
        })
    }
}

/// Cuts a text into training, validation and test part, between characters or between bytes.
fn split_text<'a>(text: &'a [u8], by_bytes: bool, split: &Split) -> Result<[&'a [u8]; 3]> {
    if text.is_empty() {
        return Err(empty("the text"));
    }
    let (train, validation) = if by_bytes {
        split.ends(text.len())?
    } else {
        let characters = as_utf8(text)?;
        let (train, validation) = split.ends(characters.chars().count())?;
        let mut starts = characters.char_indices().map(|(start, _)| start).chain([text.len()]);
        let train_end = starts.nth(train).unwrap_or(text.len());
        // `nth` consumed the places up to and including `train`.
        let validation_end =
            if validation == train { train_end } else { starts.nth(validation - train - 1).unwrap_or(text.len()) };
        (train_end, validation_end)
    };
    if train == 0 {
        return Err(Error::new(Kind::BadInput, "the training part of the text is empty")
            .cause(format!("{} of {} bytes is less than one symbol", split.train, text.len()))
            .help("give a longer text, or a larger share to train"));
    }
    Ok([&text[..train], &text[train..validation], &text[validation..]])
}

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
            .help("convert the text to UTF-8, or train on bytes instead of characters")
    })
}

/// Reads a file of text, whole; whether it is UTF-8 matters only to vocabularies of characters and byte pairs.
///
/// # Errors
/// [`Kind::BadInput`], with the path, if the file is missing, a folder, unreadable or empty.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |cause: String, help: &str| {
        Error::new(Kind::BadInput, format!("cannot read the text {}", path.display())).cause(cause).help(help)
    };
    // Asked first: opening a folder succeeds on some systems and is a bare "permission denied" on others.
    if path.is_dir() {
        return Err(failed("it is a folder".to_string(), "name one text file inside it"));
    }
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => failed("there is no such file".to_string(), "check the path"),
        io::ErrorKind::PermissionDenied => failed("permission denied".to_string(), "make the file readable"),
        _ => failed(error.to_string(), "check that the file can be read"),
    })?;
    if bytes.is_empty() {
        return Err(empty(&path.display().to_string()));
    }
    Ok(bytes)
}

fn empty(what: &str) -> Error {
    Error::new(Kind::BadInput, format!("{what} is empty")).help("give a file with some text in it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(text: &str, split: &Split) -> [usize; 3] {
        let (_, corpus) = Corpus::learn(text, VocabularyKind::Characters, split).unwrap();
        [corpus.train.len(), corpus.validation.len(), corpus.test.len()]
    }

    #[test]
    fn the_first_nine_tenths_are_trained_on_rounded_down() {
        assert_eq!(codes(&"ab".repeat(50), &Split::default()), [90, 10, 0]);
        assert_eq!(codes("abcdefghijk", &Split::default()), [9, 2, 0]);
        assert_eq!(codes("a", &Split { train: 1.0, validation: 0.0 }), [1, 0, 0]);
        assert_eq!(codes(&"ab".repeat(50), &Split { train: 0.7, validation: 0.2 }), [70, 20, 10]);
        assert_eq!(codes(&"ab".repeat(50), &Split { train: 0.5, validation: 0.0 }), [50, 0, 50]);
    }

    #[test]
    fn a_split_counts_characters_and_never_cuts_one() {
        let (vocabulary, corpus) =
            Corpus::learn("€€€€€é😀bcd", VocabularyKind::Characters, &Split { train: 0.6, validation: 0.2 }).unwrap();
        assert_eq!(vocabulary.decode(&corpus.train).unwrap(), "€€€€€é".as_bytes());
        assert_eq!(vocabulary.decode(&corpus.validation).unwrap(), "😀b".as_bytes());
        assert_eq!(vocabulary.decode(&corpus.test).unwrap(), b"cd");
    }

    #[test]
    fn bytes_are_split_by_bytes_and_need_not_be_text() {
        let (_, corpus) = Corpus::learn([255u8; 20], VocabularyKind::Bytes, &Split::default()).unwrap();
        assert_eq!((corpus.train.len(), corpus.validation.len()), (18, 2));
    }

    #[test]
    fn the_merges_of_byte_pairs_come_from_the_training_part_alone() {
        let kind = VocabularyKind::BytePairs { size: 300 };
        let split = Split { train: 0.5, validation: 0.5 };
        let (one, _) = Corpus::learn("abababab xyxyxyxyx", kind, &split).unwrap();
        let (other, _) = Corpus::learn("abababab ababababa", kind, &split).unwrap();
        assert_eq!(one.to_json(), other.to_json());
    }

    #[test]
    fn a_character_without_a_code_stops_a_resumed_run_and_is_named() {
        let (vocabulary, _) = Corpus::learn("abc", VocabularyKind::Characters, &Split::default()).unwrap();
        let error = Corpus::encode("abxc", &vocabulary, &Split::default()).unwrap_err();
        assert!(error.to_string().contains('x'), "{error}");
    }

    #[test]
    fn shares_that_make_no_split_are_refused() {
        for (train, validation) in [(0.0, 0.5), (-0.1, 0.5), (0.9, 0.2), (0.5, -0.1), (f64::NAN, 0.1), (0.5, f64::NAN)]
        {
            assert_eq!(Split { train, validation }.ends(10).unwrap_err().kind, Kind::Usage, "{train} {validation}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_a_text_is_an_error_that_names_path_and_cause() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("text.txt");
        let missing = read(&file).unwrap_err();
        assert!(missing.what.contains("text.txt") && missing.cause == "there is no such file", "{missing}");
        let directory = read(folder.path()).unwrap_err();
        assert_eq!(directory.cause, "it is a folder");
        fs::write(&file, "").unwrap();
        let empty = read(&file).unwrap_err();
        assert!(empty.what.contains("text.txt") && empty.what.contains("is empty"), "{empty}");
        fs::write(&file, "some text").unwrap();
        assert_eq!(read(&file).unwrap(), b"some text");
        assert!([missing, directory, empty].iter().all(|error| error.kind == Kind::BadInput && !error.help.is_empty()));
    }

    #[test]
    fn bytes_that_are_not_text_are_an_error_that_names_their_offset() {
        let broken = as_utf8(b"abc\xFFdef").unwrap_err();
        assert!(broken.what.contains("byte 3") && broken.cause.contains("0xFF"), "{broken}");
        let cut = as_utf8("ab€".as_bytes().split_last().unwrap().1).unwrap_err();
        assert!(cut.what.contains("byte 2") && cut.cause.contains("middle"), "{cut}");
        for kind in [VocabularyKind::Characters, VocabularyKind::BytePairs { size: 260 }] {
            assert_eq!(Corpus::learn(b"abc\xFFdef", kind, &Split::default()).unwrap_err().kind, Kind::BadInput);
        }
    }

    #[test]
    fn an_empty_text_and_an_empty_training_part_are_errors() {
        assert!(Corpus::learn("", VocabularyKind::Bytes, &Split::default()).unwrap_err().what.contains("empty"));
        assert!(
            Corpus::learn("a", VocabularyKind::Bytes, &Split::default()).unwrap_err().what.contains("training part")
        );
    }

    proptest! {
        #[test]
        fn the_parts_together_are_the_text(text in "\\PC{1,60}", train in 0.2f64..1.0, rest in 0.0f64..1.0) {
            let split = Split { train, validation: (1.0 - train) * rest };
            prop_assume!((text.chars().count() as f64 * train) as usize > 0);
            let (vocabulary, corpus) = Corpus::learn(&text, VocabularyKind::Characters, &split).unwrap();
            let decoded = [&corpus.train, &corpus.validation, &corpus.test].map(|part| vocabulary.decode(part).unwrap()).concat();
            prop_assert_eq!(decoded, text.into_bytes());
        }
    }
}
