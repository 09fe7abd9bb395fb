//! How recordings are read: what a user can set of it, with defaults and checks, and the reading of the files themselves.

use super::names::{Pattern, Where};
use super::wav::RATES;
use crate::data::Part;
use crate::data::files::{DataFiles, Wanted};
use crate::data::parts::{Rules, cut};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How recordings are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// A WAV, or a folder of them. On the command line `--data`.
    pub path: String,
    /// Which files of a folder are read, by a pattern of their names: `"*_theo_*.wav"`; empty for .wav.
    pub files: String,
    /// What the names of files say: `"{digit}_{speaker}_{index}.wav"`; empty for nothing.
    pub pattern: String,
    /// Which recordings are validated on, by their labels: `"index=5"`.
    pub validation_where: String,
    /// Which recordings are tested on, by their labels: `"index<5"`.
    pub test_where: String,
    /// The share of the recordings, drawn by chance, that is trained on; where neither files nor labels decide. Of a single
    /// recording, the share of its time.
    pub train: f64,
    /// The share that is validated on; the rest is the test part. Where labels decide what is tested on alone, the share of the others.
    pub validation: f64,
    /// A file or a folder of its own to validate on.
    pub validation_path: String,
    /// A file or a folder of its own to test on.
    pub test_path: String,
    /// The files to validate on, by a pattern of their names.
    pub validation_files: String,
    /// The files to test on, by a pattern of their names.
    pub test_files: String,
    /// The folder of frames for `model.local`: for `a/b.wav` it holds `a/b.csv`.
    pub frames_path: String,
    /// Samples per second that recordings are brought to; 0: as they are, all alike.
    pub rate: u32,
    /// Silence at both ends that is cut off: what is so many decibels quieter than the loudest moment; 0: nothing.
    pub trim: f64,
    /// The most samples of a piece that a step reads of one recording, besides those before it that the network hears.
    pub window: usize,
    /// B, the pieces of one step.
    pub batch: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        let [path, files, pattern, validation_where, test_where, frames_path] = Default::default();
        let [validation_path, test_path, validation_files, test_files] = Default::default();
        DataConfig {
            path,
            files,
            pattern,
            validation_where,
            test_where,
            train: 0.8,
            validation: 0.1,
            validation_path,
            test_path,
            validation_files,
            test_files,
            frames_path,
            rate: 0,
            trim: 0.0,
            window: 8192,
            batch: 2,
        }
    }
}

/// The endings of recordings in a folder.
const ENDINGS: [&str; 1] = ["wav"];

/// A piece that is longer, or more of them, are slips of the keyboard.
const MOST_WINDOW: usize = 1 << 24;
const MOST_BATCH: usize = 1 << 16;

/// More decibels than there are between the loudest sample and silence.
const MOST_TRIM: f64 = 120.0;

impl DataConfig {
    /// Checks what serde cannot; gives the pattern of names, where there is one.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check(&self) -> Result<Option<Pattern>> {
        let within = [("batch", self.batch, MOST_BATCH), ("window", self.window, MOST_WINDOW)];
        if let Some((key, found, most)) = within.into_iter().find(|(_, found, most)| !(1..=*most).contains(found)) {
            return Err(Error::new(Kind::Usage, format!("`data.{key}` is {found}; it must be from 1 to {most}")));
        }
        if self.rate != 0 && !RATES.contains(&self.rate) {
            let range = format!("from {} to {}, or 0: as recordings are", RATES.start(), RATES.end());
            return Err(Error::new(Kind::Usage, format!("`data.rate` is {}; it must be {range}", self.rate)));
        }
        if !(0.0..=MOST_TRIM).contains(&self.trim) {
            let what = format!("`data.trim` is {}; it must be from 0 to {MOST_TRIM} decibels", given(self.trim));
            return Err(Error::new(Kind::Usage, what).help("0 cuts nothing off; 40 what is hardly heard"));
        }
        self.ends(1)?;
        let pattern = (!self.pattern.is_empty()).then(|| Pattern::parse(&self.pattern)).transpose()?;
        let by_label = !(self.validation_where.is_empty() && self.test_where.is_empty());
        let by_file = [&self.validation_path, &self.test_path, &self.validation_files, &self.test_files];
        if by_label && by_file.iter().any(|rule| !rule.is_empty()) {
            return Err(Error::new(Kind::Usage, "labels decide what is tested on, and files do")
                .cause("`data.test_where` or `data.validation_where` stands beside a path or a pattern of files")
                .help("give one of the two"));
        }
        self.conditions(pattern.as_ref())?;
        Ok(pattern)
    }

    /// Which recordings are validated and tested on, where labels decide.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub(super) fn conditions(&self, pattern: Option<&Pattern>) -> Result<[Option<Where>; 2]> {
        let labels: Vec<&str> = pattern.into_iter().flat_map(Pattern::labels).collect();
        let parsed = |key: &'static str, text: &str| match text {
            "" => Ok(None),
            text => Where::parse(key, text, &labels).map(Some),
        };
        Ok([parsed("validation_where", &self.validation_where)?, parsed("test_where", &self.test_where)?])
    }

    /// The ends of the training and the validation part of `n` recordings or samples; the rest is the test part.
    ///
    /// # Errors
    /// [`Kind::Usage`] unless both shares are in 0..=1, `train` is above 0, and their sum is at most 1.
    pub(super) fn ends(&self, n: usize) -> Result<(usize, usize)> {
        cut("recordings", self.train, self.validation, n)
    }

    /// Reads the files, those of frames among them.
    ///
    /// # Errors
    /// Those of [`DataFiles::read`]; also if a file of frames is not there.
    pub fn read(&self) -> Result<DataFiles> {
        let rules = Rules {
            files: &self.files,
            validation_path: &self.validation_path,
            test_path: &self.test_path,
            validation_files: &self.validation_files,
            test_files: &self.test_files,
        };
        let wanted = Wanted { what: "recordings", endings: &ENDINGS, rules };
        let mut data = DataFiles::read(Path::new(&self.path), &wanted)?;
        if !self.frames_path.is_empty() {
            let recordings: Vec<(String, Option<Part>)> =
                data.files.iter().map(|file| (file.name.clone(), file.part)).collect();
            for (name, part) in recordings {
                data.read_beside(&self.frames_of(&name), "frames", part)?;
            }
        }
        Ok(data)
    }

    /// Where the frames of a recording lie.
    pub(super) fn frames_of(&self, name: &str) -> std::path::PathBuf {
        Path::new(&self.frames_path).join(name).with_extension("csv")
    }
}
