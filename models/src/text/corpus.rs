//! Text files as training, validation and test symbols. How windows are cut from them is in [`crate::text::windows`].

use std::borrow::Cow;

use crate::data::Part;
use crate::data::files::{DataFile, DataFiles};
use crate::data::sniff::{not_text, without_mark};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use crate::text::utf8::as_utf8;
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
                .cause(format!(
                    "`data.train` is {} and `data.validation` {}",
                    given(self.train),
                    given(self.validation)
                ))
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

    /// [`Corpus::learn`] of files: where files decide which part is which, each part is its files one after another; else all files
    /// one after another are one text, split by position.
    ///
    /// # Errors
    /// As [`Corpus::learn`], naming the file.
    pub fn learn_files(data: &DataFiles, kind: VocabularyKind, split: &Split) -> Result<(Vocabulary, Self)> {
        let by_bytes = kind == VocabularyKind::Bytes;
        if !data.have_parts() {
            return Self::learn(whole(data, by_bytes)?, kind, split).map_err(|error| of_files(data, error));
        }
        let parts = parts_of(data, by_bytes)?;
        let seen =
            if matches!(kind, VocabularyKind::BytePairs { .. }) { parts[0].clone() } else { parts.concat().into() };
        let vocabulary = Vocabulary::from_text(kind, seen)?;
        let corpus = Self::encode_parts(&vocabulary, [&parts[0], &parts[1], &parts[2]])?;
        Ok((vocabulary, corpus))
    }

    /// [`Corpus::encode`] of files.
    ///
    /// # Errors
    /// As [`Corpus::encode`], naming the file.
    pub fn encode_files(data: &DataFiles, vocabulary: &Vocabulary, split: &Split) -> Result<Self> {
        let by_bytes = vocabulary.kind() == VocabularyKind::Bytes;
        if !data.have_parts() {
            return Self::encode(whole(data, by_bytes)?, vocabulary, split).map_err(|error| of_files(data, error));
        }
        let parts = parts_of(data, by_bytes)?;
        Self::encode_parts(vocabulary, [&parts[0], &parts[1], &parts[2]]).map_err(|error| of_files(data, error))
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

/// All files one after another, with nothing between them.
///
/// # Errors
/// [`Kind::BadInput`] naming the file that is not UTF-8, unless by bytes.
pub(super) fn whole(data: &DataFiles, by_bytes: bool) -> Result<Cow<'_, [u8]>> {
    joined(data.files.iter(), by_bytes)
}

/// The files of each part, one after another.
fn parts_of(data: &DataFiles, by_bytes: bool) -> Result<[Cow<'_, [u8]>; 3]> {
    let [train, validation, test] =
        [Part::Train, Part::Validation, Part::Test].map(|part| joined(data.of(part), by_bytes));
    Ok([train?, validation?, test?])
}

fn joined<'d>(files: impl Iterator<Item = &'d DataFile>, by_bytes: bool) -> Result<Cow<'d, [u8]>> {
    let mut joined: Cow<[u8]> = Cow::default();
    for file in files {
        let mut bytes = &file.bytes[..];
        if !by_bytes {
            if let Some(kind) = not_text(bytes) {
                return Err(Error::new(Kind::BadInput, format!("{}: the file is {}", file.path, kind.what))
                    .cause("symbols of text are read from UTF-8")
                    .help(kind.help));
            }
            // The mark that some programs put before UTF-8 is no symbol.
            bytes = without_mark(bytes).0;
            as_utf8(bytes).map_err(|mut error| {
                error.what = format!("{}: {}", file.path, error.what);
                error
            })?;
        }
        if joined.is_empty() {
            joined = Cow::Borrowed(bytes);
        } else {
            joined.to_mut().extend_from_slice(bytes);
        }
    }
    Ok(joined)
}

/// Which files begin with a mark that was dropped, in a sentence; none where symbols are bytes, and none is.
pub(super) fn dropped_marks(data: &DataFiles, kind: VocabularyKind) -> Option<String> {
    let marked = |file: &&DataFile| kind != VocabularyKind::Bytes && without_mark(&file.bytes).1;
    let marked: Vec<&DataFile> = data.files.iter().filter(marked).collect();
    let others = if marked.len() > 1 { format!(" and {} more", marked.len() - 1) } else { String::new() };
    marked.first().map(|file| format!("{}{others}: the byte-order mark at the beginning is dropped", file.path))
}

/// An error of the text, with the path it came from.
fn of_files(data: &DataFiles, mut error: Error) -> Error {
    if error.kind == Kind::BadInput && !error.what.contains(&data.path) {
        error.what = format!("{}: {}", data.path, error.what);
    }
    error
}

fn empty(what: &str) -> Error {
    Error::new(Kind::BadInput, format!("{what} is empty")).help("give a file with some text in it")
}

#[cfg(test)]
#[path = "corpus_tests.rs"]
mod tests;
