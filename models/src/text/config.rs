//! Everything a user can set of a training on text, for any network, with defaults and checks.

use super::bpe::MAX_SYMBOLS;
use super::corpus::Split;
use super::network::Configured;
use super::scheduled_sampling::ScheduledSampling;
use super::vocabulary::VocabularyKind;
use super::windows::Order;
use crate::data::files::{DataFiles, Wanted};
use crate::data::parts::Rules;
use crate::error::{Error, Kind, Result};
use crate::memory::{Needs, elements};
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
    /// [`Kind::Usage`] naming the key.
    pub fn check<N: Configured<Config = M>>(&self) -> Result<()> {
        N::check(&self.model)?;
        let symbols = N::symbols(&self.model);
        if symbols > MOST_CHARACTERS {
            return Err(Error::new(Kind::Usage, format!("`model.symbols` is {symbols}; no text has so many"))
                .help("leave it out: it is taken from the data"));
        }
        self.data.check()?;
        let stateless = N::carry_shapes(&self.model, 1).is_empty();
        if stateless && self.data.scheduled_sampling != ScheduledSampling::None {
            let kind = N::kind(&self.model);
            let what =
                format!("`data.scheduled_sampling` is for networks that carry a state, and `{kind}` carries none");
            return Err(Error::new(Kind::Usage, what)
                .cause("its own symbols are drawn one after another, each from the state after the ones before")
                .help("leave it out, or train a `gru` or an `lstm`"));
        }
        N::check_window(&self.model, self.data.window)?;
        self.training.check()
    }

    /// The memory of a training: of the symbols that the configuration knows of, or those that its vocabulary has at least.
    pub fn needs<N: Configured<Config = M>>(&self) -> Needs
    where
        M: Clone,
    {
        let least = match self.data.vocabulary {
            VocabularyKind::Characters => 1,
            VocabularyKind::Bytes | VocabularyKind::BytePairs { .. } => 256,
        };
        let model = N::with_symbols(self.model.clone(), N::symbols(&self.model).max(least));
        let sizes = "`model.hidden`, `model.embedding` or `model.layers`";
        let step = "`data.batch`, `data.window` or `model.hidden`";
        let positions = (self.data.batch as u128).saturating_mul(self.data.window as u128);
        let kept = positions.saturating_mul(N::elements_per_position(&model));
        let codes = positions.saturating_mul(2);
        let parameters = elements(N::parameter_shapes(&model).iter().map(|(_, shape)| &shape[..]));
        let step = Needs::default().and("the activations of a step", kept, size_of::<f32>(), step).and(
            "the symbols of a step",
            codes,
            size_of::<u32>(),
            step,
        );
        let masks = N::dropouts(&model).iter().any(|&(key, p)| key == "weight_dropout" && p > 0.0);
        let masked = if masks { parameters.saturating_mul(2) } else { 0 };
        let step = step.and("what dropout leaves of the weights", masked, size_of::<f32>(), sizes);
        // Validation and samples each pack the weights once.
        let prepared =
            Needs::default().and("the networks that score and sample", 2 * parameters.min(u128::MAX / 2), 4, sizes);
        self.training.needs(parameters, sizes, step, prepared)
    }
}

/// The code points of Unicode, more than a vocabulary of any kind has.
const MOST_CHARACTERS: usize = 0x11_0000;

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
    /// Where a window begins: `"contiguous"`, where the one before ended, whose state it carries on; `"random"`, anywhere, with an empty
    /// state.
    pub windows: Order,
    /// With which probability an input of a window is true and no symbol of the network's own: `"none"` (always);
    /// `{ linear = { k = 1, c = 1e-4, epsilon_min = 0.5 } }`, `{ exponential = { k = 0.9999 } }`, `{ inverse_sigmoid = { k = 1000 } }`.
    pub scheduled_sampling: ScheduledSampling,
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
            windows: Order::default(),
            scheduled_sampling: ScheduledSampling::default(),
        }
    }
}

/// The endings of files that hold text, in a folder.
const ENDINGS: [&str; 3] = ["txt", "text", "md"];

impl DataConfig {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check(&self) -> Result<()> {
        for (key, size) in [("batch", self.batch), ("window", self.window)] {
            if size == 0 {
                return Err(Error::new(Kind::Usage, format!("`data.{key}` is 0; it must be at least 1")));
            }
        }
        if let VocabularyKind::BytePairs { size } = self.vocabulary
            && !(256..=MAX_SYMBOLS).contains(&size)
        {
            let what = format!(
                "`data.vocabulary.byte_pairs.size` is {size}; it must be from 256, the bytes themselves, to {MAX_SYMBOLS}"
            );
            return Err(Error::new(Kind::Usage, what));
        }
        self.scheduled_sampling.check()?;
        self.split().ends(1).map(|_| ())
    }

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
