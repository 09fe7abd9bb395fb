//! Everything a user can set of a model of sounds, with defaults and checks.

use super::condition::{MOST_BANDS, Upsampling};
use super::mel::MelSettings;
use super::mu_law;
use super::receptive_field::MOST_LAYERS;
use super::wav::RATES;
use super::wavenet::{Conditions, Sizes};
use crate::error::{Error, Kind, Result};
use crate::levels::head::Head;
use crate::pages::numbers::given;
use serde::{Deserialize, Serialize};

/// Which network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Gated causal convolutions, dilated.
    #[default]
    WaveNet,
}

impl Architecture {
    /// As configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::WaveNet => "wavenet",
        }
    }
}

/// What a sample is as a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// One of 256 codes, fine near silence: see [`mu_law`].
    #[default]
    MuLaw,
    /// One of 65,536: the 16 bits of a sample as they are, the lowest as 0.
    Linear,
}

impl Encoding {
    /// V, the symbols.
    pub fn symbols(self) -> usize {
        match self {
            Encoding::MuLaw => mu_law::CODES,
            Encoding::Linear => 1 << 16,
        }
    }

    /// The symbol of a sample.
    pub fn code(self, sample: i16) -> u32 {
        match self {
            Encoding::MuLaw => mu_law::code(sample).into(),
            Encoding::Linear => (i32::from(sample) - i32::from(i16::MIN)) as u32,
        }
    }

    /// The sample that a symbol is played as.
    ///
    /// # Panics
    /// If it is no symbol.
    pub fn sample(self, code: u32) -> i16 {
        match self {
            Encoding::MuLaw => mu_law::sample(u8::try_from(code).expect("a code of 256")),
            Encoding::Linear => i16::try_from(code as i32 + i32::from(i16::MIN)).expect("a code of 65,536"),
        }
    }
}

/// What the model is told moment by moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Local {
    /// Nothing.
    #[default]
    None,
    /// The log-mel frames of the recording itself.
    Mel(MelSettings),
    /// Frames out of files, one beside each recording.
    Frames {
        /// Features of a frame; 0: taken from the data.
        bands: usize,
        /// Samples from one frame to the next.
        hop: usize,
    },
}

impl Local {
    /// F, features of a frame.
    pub fn bands(&self) -> usize {
        match self {
            Local::None => 0,
            Local::Mel(MelSettings { bands, .. }) | Local::Frames { bands, .. } => *bands,
        }
    }

    /// Samples from one frame to the next; 0 where there are none.
    pub fn hop(&self) -> usize {
        match self {
            Local::None => 0,
            Local::Mel(MelSettings { hop, .. }) | Local::Frames { hop, .. } => *hop,
        }
    }
}

/// A kind of label that the model is told: `digit`, and what there is of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Its name, as `data.pattern` has it.
    pub name: String,
    /// What it can be, in the order of the numbers.
    pub values: Vec<String>,
}

/// What a model is made of. In a run's configuration `rate` and `labels` may be left out: they are taken from the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// The network: `"wavenet"`.
    pub model: Architecture,
    /// R, channels from layer to layer.
    pub residual: usize,
    /// S, channels of the skips.
    pub skip: usize,
    /// Layers of a stack, of dilation 1, 2, 4, …
    pub layers: usize,
    /// How many times the dilations begin again.
    pub stacks: usize,
    /// What a sample is as a symbol: `"mu-law"` or `"linear"`.
    pub encoding: Encoding,
    /// The distribution of a symbol: `"categorical"`, or `{ logistics = { components = 10 } }`.
    pub distribution: Head,
    /// The labels of `data.pattern` that the model is told.
    pub conditions: Vec<String>,
    /// What it is told moment by moment: `"none"`, `{ mel = { … } }`, or `{ frames = { bands = 0, hop = 64 } }`.
    pub local: Local,
    /// What a sample between two frames is told: `"repeat"` or `"linear"`.
    pub upsampling: Upsampling,
    /// Samples per second.
    pub rate: u32,
    /// What each of `conditions` can be.
    pub labels: Vec<Labels>,
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            model: Architecture::WaveNet,
            residual: 32,
            skip: 128,
            layers: 10,
            stacks: 1,
            encoding: Encoding::MuLaw,
            distribution: Head::Categorical,
            conditions: Vec::new(),
            local: Local::None,
            upsampling: Upsampling::Repeat,
            rate: 0,
            labels: Vec::new(),
        }
    }
}

/// Sizes beyond these are slips of the keyboard.
const MOST_CHANNELS: usize = 1 << 14;
const MOST_STACKS: usize = 100;
const MOST_LABELS: usize = 1 << 16;

impl ModelConfig {
    /// The numbers of the network.
    pub fn sizes(&self) -> Sizes {
        Sizes { residual: self.residual, skip: self.skip, layers: self.layers, stacks: self.stacks }
    }

    /// What the network is conditioned on.
    pub fn conditioned(&self) -> Conditions {
        Conditions {
            classes: self.labels.iter().map(|labels| labels.values.len()).collect(),
            features: self.local.bands(),
        }
    }

    /// V, the symbols.
    pub fn symbols(&self) -> usize {
        self.encoding.symbols()
    }

    /// A feature as the network reads it. Of a log-mel frame, m as `1 − 2m / ln floor`: −1 at the floor, 1 where a band has magnitude 1; so gates begin
    /// near their middle. Of frames out of files, as it is.
    pub fn feature(&self, x: f32) -> f64 {
        match &self.local {
            Local::Mel(MelSettings { floor, .. }) => 1.0 - 2.0 * f64::from(x) / libm::log(*floor),
            _ => x.into(),
        }
    }

    /// P, the numbers of the distribution of a symbol.
    pub fn parameters(&self) -> usize {
        self.distribution.parameters(self.symbols())
    }

    /// Checks every number by itself.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key and its bound.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("residual", self.residual, MOST_CHANNELS),
            ("skip", self.skip, MOST_CHANNELS),
            ("layers", self.layers, MOST_LAYERS),
            ("stacks", self.stacks, MOST_STACKS),
        ];
        if let Some((key, size, most)) = sizes.into_iter().find(|(_, size, most)| !(1..=*most).contains(size)) {
            return Err(Error::new(Kind::Usage, format!("`model.{key}` is {size}; it must be from 1 to {most}")));
        }
        if self.rate != 0 && !RATES.contains(&self.rate) {
            let range = format!("from {} to {}, or 0: it is taken from the data", RATES.start(), RATES.end());
            return Err(Error::new(Kind::Usage, format!("`model.rate` is {}; it must be {range}", self.rate)));
        }
        self.distribution.check_setting()?;
        let head = match (self.encoding, self.distribution) {
            (_, Head::Bernoulli) => Err("a Bernoulli distribution is one of two levels".to_owned()),
            (Encoding::Linear, Head::Categorical) => {
                Err("a number for each of 65,536 levels is more than can be learned".to_owned())
            }
            (_, head) => head.check(self.symbols()),
        };
        head.map_err(|cause| {
            Error::new(Kind::Usage, "`model.distribution` does not go with `model.encoding`")
                .cause(cause)
                .help("\"categorical\" for \"mu-law\", { logistics = { components = 10 } } for either")
        })?;
        let twice = |(i, name): (usize, &String)| self.conditions[..i].contains(name).then(|| name.clone());
        if let Some(name) = self.conditions.iter().enumerate().find_map(twice) {
            return Err(Error::new(Kind::Usage, format!("`model.conditions` has {name:?} twice")));
        }
        let named: Vec<&String> = self.labels.iter().map(|labels| &labels.name).collect();
        if !self.labels.is_empty() && named != self.conditions.iter().collect::<Vec<_>>() {
            return Err(Error::new(Kind::Usage, "`model.labels` are not those of `model.conditions`")
                .help("leave them out: they are taken from the data"));
        }
        if let Some(labels) = self.labels.iter().find(|labels| !(1..=MOST_LABELS).contains(&labels.values.len())) {
            let what = format!("`model.labels` has {} values of {:?}", labels.values.len(), labels.name);
            return Err(Error::new(Kind::Usage, what).cause(format!("there may be from 1 to {MOST_LABELS}")));
        }
        self.check_local()
    }

    fn check_local(&self) -> Result<()> {
        match &self.local {
            Local::None => Ok(()),
            // Without a rate yet, by the lowest that has room for the bands: the lower it is, the narrower are bands that are told apart.
            Local::Mel(mel) => {
                if mel.floor >= 1.0 {
                    let what = format!("`model.local.mel`: floor = {}", given(mel.floor));
                    return Err(Error::new(Kind::Usage, what)
                        .cause("features are read as a share of its logarithm: it is below 1"));
                }
                let least = (2.0 * mel.highest).max(4.0 * mel.lowest);
                let least = least.clamp(f64::from(*RATES.start()), f64::from(*RATES.end()));
                let rate = if self.rate == 0 { least.ceil() as u32 } else { self.rate };
                mel.check(rate).map_err(|error| Error { what: format!("`model.local.mel`: {}", error.what), ..error })
            }
            Local::Frames { bands, hop } => {
                if *bands > MOST_BANDS {
                    let what = format!("`model.local.frames.bands` is {bands}; it must be at most {MOST_BANDS}, or 0");
                    return Err(Error::new(Kind::Usage, what).help("0: it is taken from the data"));
                }
                if !(1..=MOST_HOP).contains(hop) {
                    let what = format!("`model.local.frames.hop` is {hop}; it must be from 1 to {MOST_HOP}");
                    return Err(Error::new(Kind::Usage, what));
                }
                Ok(())
            }
        }
    }
}

/// The most samples from one frame to the next.
const MOST_HOP: usize = 1 << 20;
