//! Everything a user can set of a training on text, for any network, with defaults and checks.

use super::corpus::Split;
use super::network::Network;
use super::vocabulary::VocabularyKind;
use crate::data::files::{DataFiles, Wanted};
use crate::data::parts::Rules;
use crate::error::Result;
use crate::training::settings::Settings;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The network (`M` is its configuration), the data and the training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextConfig<M: Default> {
    /// The network.
    pub model: M,
    /// The data.
    pub data: DataConfig,
    /// The training.
    pub training: Settings,
}

impl<M: Default> TextConfig<M> {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) naming the key.
    pub fn check<N: Network<Config = M>>(&self) -> Result<()> {
        N::check(&self.model)?;
        self.training.check()
    }
}

/// How a text is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The file, or a folder of files. On the command line `--data`.
    pub path: String,
    /// Which files of a folder are read, by a pattern of their names: `"*.rs"`; empty for .txt, .text and .md.
    pub files: String,
    /// What a symbol is: `"characters"`, `"bytes"`, or `{ byte_pairs = { size = 1024 } }`.
    pub vocabulary: VocabularyKind,
    /// The share of the text, from its beginning, that is trained on; where no files are given for validation or test.
    pub train: f64,
    /// The share after it that is validated on; the rest is the test part.
    pub validation: f64,
    /// A file or a folder of its own to validate on.
    pub validation_path: String,
    /// A file or a folder of its own to test on.
    pub test_path: String,
    /// The files to validate on, by a pattern of their names.
    pub validation_files: String,
    /// The files to test on, by a pattern of their names.
    pub test_files: String,
    /// B, the streams read side by side.
    pub batch: usize,
    /// T, the symbols of each stream in one step; gradients reach no further back.
    pub window: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        let Split { train, validation } = Split::default();
        let [path, files, validation_path, test_path, validation_files, test_files] = Default::default();
        DataConfig {
            path,
            files,
            vocabulary: VocabularyKind::Characters,
            train,
            validation,
            validation_path,
            test_path,
            validation_files,
            test_files,
            batch: 32,
            window: 128,
        }
    }
}

/// The endings of files that hold text, in a folder.
const ENDINGS: [&str; 3] = ["txt", "text", "md"];

impl DataConfig {
    /// The split by position.
    pub fn split(&self) -> Split {
        Split { train: self.train, validation: self.validation }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// Those of [`DataFiles::read`].
    pub fn read(&self) -> Result<DataFiles> {
        let rules = Rules {
            files: &self.files,
            validation_path: &self.validation_path,
            test_path: &self.test_path,
            validation_files: &self.validation_files,
            test_files: &self.test_files,
        };
        DataFiles::read(Path::new(&self.path), &Wanted { what: "text", endings: &ENDINGS, rules })
    }
}
