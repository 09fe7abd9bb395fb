//! Everything a user can set of a model of a series and its training, with defaults and checks.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::column::Header;
use super::neural_ar::Deviation;
use super::order::Criterion;
use super::split::Split;
use crate::error::{Error, Kind, Result};
use crate::memory::Needs;
use crate::pages::numbers::given;
use crate::training::settings::{OptimizerSettings, Rule, Settings};

/// The model, its data and its training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesConfig {
    /// The model.
    pub model: ModelConfig,
    /// The data.
    pub data: DataConfig,
    /// The training; a linear model is solved for and has none.
    pub training: Settings,
}

/// Which model: linear or neural.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Linear AR(k).
    #[default]
    Ar,
    /// The same lags into a multilayer perceptron.
    NeuralAr,
}

/// How a linear model is fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Conditional least squares.
    #[default]
    Ols,
    /// From the autocovariances.
    YuleWalker,
    /// From forward and backward errors.
    Burg,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Ols => "least squares",
            Method::YuleWalker => "Yule-Walker",
            Method::Burg => "Burg",
        })
    }
}

/// How many lags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number or `auto` is wanted")]
pub enum Lags {
    /// So many.
    Count(usize),
    /// What a criterion chooses: the string `auto`.
    Chosen(Auto),
}

/// The word that leaves the choice of the lags to a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auto {
    /// `auto`.
    Auto,
}

/// The model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// `"ar"` or `"neural-ar"`.
    pub model: ModelKind,
    /// k, the number of earlier values looked at, or `"auto"`.
    pub lags: Lags,
    /// How far apart they lie.
    pub stride: usize,
    /// For `auto`: the most lags to choose from.
    pub most_lags: usize,
    /// For `auto`: `"bic"` or `"aic"`, of linear models.
    pub criterion: Criterion,
    /// For `ar`: `"ols"`, `"yule-walker"` or `"burg"`.
    pub method: Method,
    /// For `neural-ar`: units of a hidden layer.
    pub hidden: usize,
    /// For `neural-ar`: hidden layers.
    pub layers: usize,
    /// For `neural-ar`: whether σ depends on the lags, `"free"`, or not, `"constant"`.
    pub deviation: Deviation,
}

/// How a series is read and cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The file. On the command line `--data`.
    pub path: String,
    /// The column, by name or by number from 1; empty for the only one.
    pub column: String,
    /// Whether the first line names the columns: `"detect"`, `"present"` or `"absent"`.
    pub header: Header,
    /// Values at the beginning that are left out.
    pub skip: usize,
    /// What is chosen on, before the test part: a share of the values below 1, or how many.
    pub validation: f64,
    /// What is reported on, at the end: a share of the values below 1, or how many.
    pub test: f64,
    /// For `neural-ar`: examples in a step; 0 for all of them.
    pub batch: usize,
}

impl Default for SeriesConfig {
    fn default() -> Self {
        // A network of a few thousand parameters on a few hundred examples: short steps, many of them.
        let optimizer = OptimizerSettings { rule: Rule::Adam, learning_rate: 3e-3, ..OptimizerSettings::default() };
        let training = Settings {
            steps: 3000,
            log_every: 50,
            eval_every: 300,
            save_every: 1000,
            optimizer,
            ..Settings::default()
        };
        SeriesConfig { model: ModelConfig::default(), data: DataConfig::default(), training }
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            model: ModelKind::Ar,
            lags: Lags::Chosen(Auto::Auto),
            stride: 1,
            most_lags: 12,
            criterion: Criterion::Bic,
            method: Method::Ols,
            hidden: 64,
            layers: 2,
            deviation: Deviation::Free,
        }
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        let (path, column) = (String::new(), String::new());
        DataConfig { path, column, header: Header::Detect, skip: 0, validation: 0.1, test: 0.1, batch: 0 }
    }
}

impl DataConfig {
    /// The parts of a series of so many values.
    ///
    /// # Errors
    /// If a part is no share and no count, or nothing is left to train on.
    pub fn split(&self, values: usize) -> Result<Split> {
        let count = |name: &str, part: f64| count_of(name, part, values);
        Split::by_count(values, count("validation", self.validation)?, count("test", self.test)?)
    }
}

/// How many of `values` a part has that is given as a share or as a number.
fn count_of(name: &str, part: f64, values: usize) -> Result<usize> {
    match part {
        _ if (0.0..1.0).contains(&part) => Ok((part * values as f64).round() as usize),
        _ if part >= 1.0 && part.fract() == 0.0 && part < 1e15 => Ok(part as usize),
        _ => Err(Error::new(Kind::Usage, format!("`data.{name}` cannot be {}", given(part)))
            .cause("it must be a share of at least 0 and below 1, or a whole number of values below 10¹⁵")),
    }
}

/// Sizes beyond these are slips of the keyboard, and a file that claims them is not to be believed.
pub(super) const MOST_REACH: usize = 1 << 20;
pub(super) const MOST_UNITS: usize = 1 << 14;
pub(super) const MOST_LAYERS: usize = 64;

impl SeriesConfig {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check(&self) -> Result<()> {
        let m = &self.model;
        let lags = match m.lags {
            Lags::Count(lags) => lags,
            Lags::Chosen(_) => m.most_lags,
        };
        for (key, part) in [("validation", self.data.validation), ("test", self.data.test)] {
            count_of(key, part, 1)?;
        }
        let rules = [
            (lags > 0, "`model.lags` must be at least 1, or \"auto\"; an autoregressive model looks back"),
            (m.stride > 0, "`model.stride` must be at least 1"),
            (lags.saturating_mul(m.stride) <= MOST_REACH, "`model.lags` times `model.stride` must be at most 1048576"),
            ((1..=MOST_UNITS).contains(&m.hidden), "`model.hidden` must be from 1 to 16384"),
            (m.layers <= MOST_LAYERS, "`model.layers` must be at most 64"),
            (
                m.stride == 1 || m.method == Method::Ols,
                "`model.stride` must be 1 for the methods `yule-walker` and `burg`, which need all lags",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(Error::new(Kind::Usage, wrong)),
            None => self.training.check(),
        }
    }

    /// The memory of a training of a neural model on so many examples of so many lags, of which so many are `scored` at
    /// once in another part.
    pub fn needs(&self, lags: usize, examples: usize, scored: usize) -> Needs {
        let m = &self.model;
        let (lags, hidden, layers) = (lags as u128, m.hidden as u128, m.layers as u128);
        let hidden_layers = if layers == 0 { 0 } else { (lags + 1) * hidden + (layers - 1) * (hidden + 1) * hidden };
        let outputs = if layers == 0 { lags } else { hidden } + 1;
        let batch = if self.data.batch == 0 { examples } else { self.data.batch } as u128;
        // Of each layer the output; of the one that the backward pass is in, its gradient.
        let step = Needs::default().and(
            "the activations of a step",
            batch.saturating_mul(lags + (layers + 1) * hidden),
            4,
            "`data.batch`",
        );
        let scored =
            Needs::default().and("the lags of what is scored", lags.saturating_mul(scored as u128), 4, "`model.lags`");
        let parameters = hidden_layers + outputs;
        self.training.needs(parameters, "`model.hidden`, `model.layers` or `model.lags`", step, scored).and(
            "the lags of all examples",
            lags.saturating_mul(examples as u128),
            4,
            "`model.lags`",
        )
    }
}
