//! Everything a user can set of a model of images, its data and its training, with defaults and checks. What is read by it stands in
//! [`crate::image::data`], what is made of it in [`crate::image::model`].

use super::augment::Augment;
use super::labels::read_labels;
use super::model::ModelConfig;
use super::quantized::MOST_LEVELS;
use super::shapes::{elements_per_pixel, parameter_shapes};
use crate::data::files::{DataFiles, Wanted};
use crate::data::parts::{Rules, cut};
use crate::error::{Error, Kind, Result};
use crate::memory::{Needs, elements};
use crate::training::settings::Settings;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The model, the data and the training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageConfig {
    /// The model.
    pub model: ModelConfig,
    /// The data.
    pub data: DataConfig,
    /// The training.
    pub training: Settings,
}

impl ImageConfig {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check(&self) -> Result<()> {
        self.model.check()?;
        self.data.check()?;
        let (asked, levels) = (self.model.levels, self.data.levels);
        if asked != 0 && asked != levels {
            let what = format!("`model.levels` is {asked}, and `data.levels` {levels}");
            return Err(Error::new(Kind::Usage, what).help("leave `model.levels` out: it is taken from the data"));
        }
        self.model.distribution.check_setting()?;
        self.model.distribution.check(levels).map_err(|cause| {
            Error::new(Kind::Usage, format!("`model.distribution` does not go with `data.levels` of {levels}"))
                .cause(cause)
                .help("change either of them")
        })?;
        self.training.check()
    }

    /// The memory of a training; what only the data decide counts as little as it can be, and the data themselves not at all.
    pub fn needs(&self) -> Needs {
        let known = |size: usize| size.max(1);
        let m = &self.model;
        let (colours, levels) = (known(m.colours), self.data.levels);
        let model = ModelConfig { colours, levels, height: known(m.height), width: known(m.width), ..m.clone() };
        let parameters = elements(parameter_shapes(&model).iter().map(|(_, shape)| &shape[..]));
        let pixels = (self.data.batch as u128).saturating_mul(model.height as u128 * model.width as u128);
        let kept = pixels.saturating_mul(elements_per_pixel(&model));
        let step = "`data.batch`, `model.hidden` or `model.layers`";
        let step = Needs::default().and("the activations of a step", kept, size_of::<f32>(), step);
        let sizes = "`model.hidden`, `model.head` or `model.layers`";
        // The decoder of the samples packs the weights once.
        let prepared = Needs::default().and("the network that samples", parameters, size_of::<f32>(), sizes);
        self.training.needs(parameters, sizes, step, prepared)
    }
}

/// Sizes beyond these are slips of the keyboard.
const MOST_CHANNELS: usize = 1 << 14;
const MOST_LAYERS: usize = 1000;
const MOST_SIDE: usize = 1 << 13;
const MOST_CLASSES: usize = 1 << 16;

impl ModelConfig {
    /// Checks every number by itself.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key and its bound.
    pub fn check(&self) -> Result<()> {
        let wrong = |key: &str, value: usize, range: &str| {
            Err(Error::new(Kind::Usage, format!("`model.{key}` is {value}; it must be {range}")))
        };
        let sizes = [
            ("hidden", self.hidden, MOST_CHANNELS),
            ("layers", self.layers, MOST_LAYERS),
            ("head", self.head, MOST_CHANNELS),
        ];
        if let Some((key, size, most)) = sizes.into_iter().find(|(_, size, most)| !(1..=*most).contains(size)) {
            return wrong(key, size, &format!("from 1 to {most}"));
        }
        let of_data = "or 0: it is taken from the data";
        if ![0, 1, 3].contains(&self.colours) {
            return wrong("colours", self.colours, &format!("1 for grey, 3 for RGB, {of_data}"));
        }
        for (key, side) in [("height", self.height), ("width", self.width)] {
            if side > MOST_SIDE {
                return wrong(key, side, &format!("at most {MOST_SIDE}, {of_data}"));
            }
        }
        if self.levels == 1 || self.levels > MOST_LEVELS {
            return wrong("levels", self.levels, &format!("from 2 to {MOST_LEVELS}, {of_data}"));
        }
        if self.classes.len() > MOST_CLASSES {
            return Err(Error::new(Kind::Usage, format!("`model.classes` has {} names", self.classes.len()))
                .cause(format!("there may be {MOST_CLASSES}")));
        }
        // A colour has as many channels as any other.
        let parted = [("hidden", self.hidden), ("head", self.head)];
        let whole = |size: usize| self.colours == 0 || size.is_multiple_of(self.colours);
        if let Some((key, size)) = parted.into_iter().find(|(_, size)| !whole(*size)) {
            let (less, more) = (size / self.colours * self.colours, size.next_multiple_of(self.colours));
            let near = if less > 0 { format!("{less} or {more}") } else { more.to_string() };
            return Err(Error::new(
                Kind::Usage,
                format!("`model.{key}` is {size}, and the images have {} colours", self.colours),
            )
            .cause("the channels are cut into one block for each colour")
            .help(format!("set it to {near}")));
        }
        Ok(())
    }
}

/// How pictures are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// An IDX file, plain or packed, a PNG, or a folder of PNGs. On the command line `--data`.
    pub path: String,
    /// Which files of a folder are read, by a pattern of their names: `"*-images-idx3-ubyte.gz"`; empty for .png.
    pub files: String,
    /// The share of the pictures, drawn by chance, that is trained on; where no files are given for validation or test.
    pub train: f64,
    /// The share that is validated on; the rest is the test part.
    pub validation: f64,
    /// A file or a folder of its own to validate on.
    pub validation_path: String,
    /// A file or a folder of its own to test on.
    pub test_path: String,
    /// The files to validate on, by a pattern of their names.
    pub validation_files: String,
    /// The files to test on, by a pattern of their names.
    pub test_files: String,
    /// The IDX file of the classes; `auto` for the one beside each file of pictures, `…-labels-idx1-ubyte` beside
    /// `…-images-idx3-ubyte`, for all parts that have none of their own; empty for none, or the folders of PNGs.
    pub labels: String,
    /// The IDX file of the classes of the validation part.
    pub validation_labels: String,
    /// The IDX file of the classes of the test part.
    pub test_labels: String,
    /// V, the levels of a value: 2 to 256.
    pub levels: usize,
    /// Whether black and white are drawn by chance, anew each epoch, a value v white with probability v/255; with 2 levels.
    pub stochastic: bool,
    /// Whether left and right are exchanged for half of the pictures of an epoch.
    pub flip: bool,
    /// By how many pixels at most a picture is moved, down or up and right or left, anew each epoch.
    pub shift: usize,
    /// B, the pictures of one step.
    pub batch: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        let [path, files, validation_path, test_path, validation_files, test_files] = Default::default();
        let [labels, validation_labels, test_labels] = Default::default();
        DataConfig {
            path,
            files,
            train: 0.8,
            validation: 0.1,
            validation_path,
            test_path,
            validation_files,
            test_files,
            labels,
            validation_labels,
            test_labels,
            levels: MOST_LEVELS,
            stochastic: false,
            flip: false,
            shift: 0,
            batch: 16,
        }
    }
}

/// The endings of pictures in a folder.
const ENDINGS: [&str; 1] = ["png"];

impl DataConfig {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check(&self) -> Result<()> {
        let refused = |what: String| Err(Error::new(Kind::Usage, what));
        if self.batch == 0 {
            return refused("`data.batch` is 0; it must be at least 1".to_owned());
        }
        if !(2..=MOST_LEVELS).contains(&self.levels) {
            return refused(format!("`data.levels` is {}; it must be from 2 to {MOST_LEVELS}", self.levels));
        }
        if self.stochastic && self.levels != 2 {
            return Err(Error::new(Kind::Usage, format!("`data.stochastic` with {} levels", self.levels))
                .cause("what is drawn by chance is black or white")
                .help("set `data.levels` to 2, or leave `data.stochastic` out"));
        }
        self.ends(1).map(|_| ())
    }

    /// The ends of the training and the validation part of `n` pictures; the rest is the test part.
    ///
    /// # Errors
    /// [`Kind::Usage`] unless both shares are in 0..=1, `train` is above 0, and their sum is at most 1.
    pub(super) fn ends(&self, n: usize) -> Result<(usize, usize)> {
        cut("pictures", self.train, self.validation, n)
    }

    /// What is done to the pictures that are trained on.
    pub fn augment(&self) -> Augment {
        Augment { flip: self.flip, shift: self.shift }
    }

    /// Reads the files, those of labels among them.
    ///
    /// # Errors
    /// Those of [`DataFiles::read`]; also if a file of labels is not there, or is given for a part without pictures.
    pub fn read(&self) -> Result<DataFiles> {
        let rules = Rules {
            files: &self.files,
            validation_path: &self.validation_path,
            test_path: &self.test_path,
            validation_files: &self.validation_files,
            test_files: &self.test_files,
        };
        let wanted = Wanted { what: "pictures", endings: &ENDINGS, rules };
        let mut data = DataFiles::read(Path::new(&self.path), &wanted)?;
        read_labels(&mut data, self)?;
        Ok(data)
    }
}
