//! Which files are trained on, validated on and tested on: by a path of their own, by a pattern of their names, by the folders
//! `train`, `validation` and `test`. Where none of these is given, a family cuts by position.

use super::Part;
use super::files::{DataFile, DataFiles};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::{counted, given};
use glob::Pattern;

/// The settings `[data]` of a family that say it; empty where they say nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'a> {
    /// `data.files`: the files of a folder that are read, by a pattern of their names; empty for the family's endings.
    pub files: &'a str,
    /// `data.validation_path`: a file or a folder of its own to validate on.
    pub validation_path: &'a str,
    /// `data.test_path`: a file or a folder of its own to test on.
    pub test_path: &'a str,
    /// `data.validation_files`: a pattern of the names of files to validate on.
    pub validation_files: &'a str,
    /// `data.test_files`: a pattern of the names of files to test on.
    pub test_files: &'a str,
}

/// [`Rules`] whose patterns were understood.
pub(super) struct Compiled {
    pub(super) files: Option<Pattern>,
    pub(super) validation: Option<Pattern>,
    pub(super) test: Option<Pattern>,
}

impl Rules<'_> {
    /// # Errors
    /// [`Kind::Usage`] naming the pattern that is none, or the two settings that contradict each other.
    pub(super) fn compiled(&self) -> Result<Compiled> {
        for (path, pattern, part) in
            [(self.validation_path, self.validation_files, "validation"), (self.test_path, self.test_files, "test")]
        {
            if !path.is_empty() && !pattern.is_empty() {
                let what = format!("`data.{part}_path` and `data.{part}_files` are both given");
                return Err(Error::new(Kind::Usage, what).help("give one of them"));
            }
        }
        let pattern = |key: &str, text: &str| match text {
            "" => Ok(None),
            text => Pattern::new(text).map(Some).map_err(|error| {
                Error::new(Kind::Usage, format!("`data.{key}` cannot be {text:?}"))
                    .cause(error)
                    .help("a pattern has `*` for any characters, `?` for one, `[ab]` for one of these")
            }),
        };
        Ok(Compiled {
            files: pattern("files", self.files)?,
            validation: pattern("validation_files", self.validation_files)?,
            test: pattern("test_files", self.test_files)?,
        })
    }
}

/// What a file serves by its name; none where no rule speaks of it.
pub(super) fn part_of(name: &str, rules: &Compiled) -> Option<Part> {
    let like = |pattern: &Option<Pattern>| pattern.as_ref().is_some_and(|pattern| pattern.matches(name));
    if like(&rules.test) {
        return Some(Part::Test);
    }
    if like(&rules.validation) {
        return Some(Part::Validation);
    }
    match name.split_once('/').map(|(folder, _)| folder) {
        Some("train") => Some(Part::Train),
        Some("validation" | "valid" | "val") => Some(Part::Validation),
        Some("test") => Some(Part::Test),
        _ => None,
    }
}

/// The ends of the training and the validation part of `n` examples (`what` they are, for errors) by their shares; the rest is the test part.
///
/// # Errors
/// [`Kind::Usage`] unless both shares are in 0..=1, `train` is above 0, and their sum is at most 1.
pub(crate) fn cut(what: &str, train: f64, validation: f64, n: usize) -> Result<(usize, usize)> {
    let sum = train + validation;
    // 0.7 + 0.2 + 0.1 need not be 1 in floating point; what is that close is meant to be 1.
    let whole = (sum - 1.0).abs() < 1e-9;
    if !(train > 0.0 && validation >= 0.0 && (sum <= 1.0 || whole)) {
        return Err(Error::new(Kind::Usage, format!("cannot split the {what}"))
            .cause(format!("`data.train` is {} and `data.validation` {}", given(train), given(validation)))
            .help("give a share above 0 to train, and at most 1 in all; the rest is the test part"));
    }
    let count = |share: f64| (share * n as f64).round() as usize;
    let end = count(train).min(n);
    Ok((end, if whole { n } else { (end + count(validation)).min(n) }))
}

impl DataFiles {
    /// Whether files decide what is trained, validated and tested on; else positions in them do.
    pub fn have_parts(&self) -> bool {
        self.files.iter().any(|file| file.part.is_some())
    }

    /// The files of a part, in order; of [`Part::All`] all of them.
    pub fn of(&self, part: Part) -> impl Iterator<Item = &DataFile> {
        self.files.iter().filter(move |file| part == Part::All || file.part == Some(part))
    }

    /// How many files serve what, where there are several: `3 files, of them 1 to validate on`.
    pub fn counted(&self) -> Option<String> {
        let of = |part: Part| self.files.iter().filter(|file| file.part == Some(part)).count();
        let parts = [(of(Part::Validation), "to validate on"), (of(Part::Test), "to test on")];
        let parts: String =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {n} of them {what}")).collect();
        (self.files.len() > 1).then(|| format!("{}{parts}", counted(self.files.len() as u64, "file")))
    }
}
