//! What commands ask of a model, and what it answers: values that go over the boundary between the two.

use super::flags::Given;
use super::opened::Head;
use crate::terminal::results::to_json;
use autograd::Tensor;
use clap::ValueEnum;
use models::data::Part;
use models::drift::{self, Asked};
use models::error::{Error, Kind, Result};
use models::sampling::Options;
use models::series::column::Header;
use models::series::forecast::Outlook;
use models::storage::checkpoint::Checkpoint;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A model in files of another program's.
pub struct Foreign {
    /// Its files, that of the tensors first.
    pub files: Vec<PathBuf>,
    /// Reads them into a checkpoint of ours.
    pub read: Box<dyn Fn() -> Result<Checkpoint>>,
}

/// What `generate` asks for.
pub struct Generate<'a> {
    /// What is gone on from, as it was given; bytes, as only a family knows whether they must be text.
    pub prompt: &'a [u8],
    /// Whether the prompt is written first.
    pub echo: bool,
    /// How many symbols, pictures or sounds; where nobody says, what suits the family.
    pub symbols: Option<usize>,
    /// How each is chosen.
    pub options: Options,
    /// Of the random stream `sampling`.
    pub seed: u64,
    /// Whether samples are wanted as they are, without the header of a file.
    pub raw: bool,
    /// Where it is written, if to a file.
    pub output: Option<&'a Path>,
    /// How they come about.
    pub decode: Decode,
    /// The flags that only some families understand.
    pub own: &'a Given,
}

/// How symbols come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// One after the other.
    Sequential,
    /// The same ones in fewer passes of the network: guesses for many are improved side by side (text, pictures).
    Jacobi,
    /// A likely continuation, which is no sample (text).
    Beam,
    /// All gaps of a window in a few rounds, those first that the model is surest of: approximate (masked models of text).
    MaskPredict,
    /// All gaps of a window in one round, each whatever the others are: approximate (masked models of text).
    Independent,
}

/// A way with its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Decode {
    /// The way, where somebody says.
    pub way: Option<Way>,
    /// Guesses of a pass, where somebody says.
    pub ahead: Option<usize>,
    /// Continuations that a search goes on with, where somebody says.
    pub beams: Option<usize>,
}

impl Decode {
    /// The way; where nobody says, the first that the family knows. Refuses what it does not know, or what the way does not take;
    /// `guesses` is whether passes are over guesses for a reason of the family's own.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the flag.
    pub fn check(&self, a_model: &str, known: &[Way], guesses: bool) -> Result<Way> {
        let name = |way: Way| way.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let way = self.way.unwrap_or(known[0]);
        if !known.contains(&way) {
            let known: Vec<String> = known.iter().map(|&way| name(way)).collect();
            return Err(Error::new(Kind::Usage, format!("--decode {}: not for {a_model}", name(way)))
                .help(format!("it draws {}", known.join(" or "))));
        }
        if self.ahead.is_some() && !guesses && way != Way::Jacobi {
            return Err(Error::new(Kind::Usage, "--ahead without guesses")
                .cause("symbols that are drawn one after the other need none")
                .help("it goes with --decode jacobi, or with --speculative"));
        }
        if self.beams.is_some() && way != Way::Beam {
            return Err(Error::new(Kind::Usage, "--beams without a search").help("it goes with --decode beam"));
        }
        Ok(way)
    }
}

/// What `eval` asks for.
pub struct Evaluate<'a> {
    /// The data.
    pub data: &'a Path,
    /// Which part of them.
    pub part: Part,
    /// Where the nats of every example are written, if they are asked for.
    pub each: Option<&'a Path>,
    /// The flags that only some families understand.
    pub own: &'a Given,
}

/// What `compare` asks for.
pub struct Compare<'a> {
    /// The run's data.
    pub data: &'a Path,
    /// How many symbols, or pictures.
    pub symbols: Option<usize>,
    /// Of the random streams.
    pub seed: u64,
    /// The flags that only some families understand.
    pub own: &'a Given,
}

/// What `drift` asks for.
pub struct Drift<'a> {
    /// The data, and which part of them.
    pub scored: Evaluate<'a>,
    /// How many prefixes, how long, how far.
    pub asked: Asked,
}

/// What `drift` found.
pub struct Drifted {
    /// Of which model.
    pub head: Head,
    /// Horizon by horizon.
    pub drift: drift::Drift,
}

/// What `compress` asks for.
pub struct Compress<'a> {
    /// The file.
    pub file: &'a Path,
    /// The flags that only some families understand.
    pub own: &'a Given,
}

/// What `vocode` asks for.
pub struct Vocode<'a> {
    /// A recording, or a folder of them.
    pub recordings: &'a Path,
    /// How each sample is chosen.
    pub options: Options,
    /// Of the random streams.
    pub seed: u64,
    /// The flags that only some families understand.
    pub own: &'a Given,
}

/// A recording that was made again.
pub struct Vocoded {
    /// The name of its file, from the folder that was named.
    pub name: String,
    /// What was made, as a file.
    pub file: Vec<u8>,
    /// Its samples.
    pub samples: usize,
    /// How likely the true recording is.
    pub bits_per_sample: f64,
    /// How far the two are apart, in decibels.
    pub log_spectral_distance: f64,
    /// How far their frames are apart, in decibels.
    pub log_mel_distance: f64,
}

/// What `forecast` asks for.
pub struct Forecast {
    /// The series to go on from, where it is not where the run found it.
    pub data: Option<PathBuf>,
    /// The column, where it is not that of the run.
    pub column: Option<String>,
    /// Whether the first line names the columns, where it is not as in the run.
    pub header: Option<Header>,
    /// How many values.
    pub steps: usize,
    /// The part after which the forecast is made.
    pub after: Part,
    /// Of a sampled forecast, how many futures, and from which seed.
    pub futures: usize,
    /// The seed of the futures.
    pub seed: u64,
}

/// What `forecast` draws and writes.
pub struct Forecasted {
    /// The model: `AR(9)`.
    pub model: String,
    /// The name of the series.
    pub series: String,
    /// Its values.
    pub values: Vec<f64>,
    /// How many of them were known.
    pub known: usize,
    /// The values to come.
    pub outlooks: Vec<Outlook>,
    /// What the reader should know of the model.
    pub warning: Option<String>,
}

/// A result in both forms that it is shown in.
pub struct Report {
    /// One object, with all digits.
    pub json: String,
    /// What people read.
    pub text: String,
    /// The nats of every example, a line of CSV each.
    pub each: String,
}

impl Report {
    /// Of an evaluation: what was measured, on which part, what came out, the same as people read it, and the nats of every example.
    ///
    /// # Errors
    /// If it has no JSON form.
    pub fn new(head: Head, split: Part, evaluation: impl Serialize, text: String, each: String) -> Result<Self> {
        #[derive(Serialize)]
        struct Scored<E> {
            #[serde(flatten)]
            head: Head,
            split: Part,
            #[serde(flatten)]
            evaluation: E,
        }
        Ok(Report { json: to_json(&Scored { head, split, evaluation })?, text, each })
    }
}

/// The recorded loss of one batch, and the parameters it flows from.
pub struct Recorded {
    /// The loss.
    pub loss: Tensor<f32>,
    /// The parameters' names by node.
    pub parameters: Vec<(String, autograd::Id)>,
}

impl Recorded {
    /// Of a loss that was recorded from these parameters.
    pub fn new<M: autograd::nn::Module<f32>>(loss: Tensor<f32>, model: &M) -> Self {
        let id = |(name, param): (String, &autograd::nn::Param<f32>)| Some((name, param.node()?.id()));
        Recorded { loss, parameters: model.parameters().into_iter().filter_map(id).collect() }
    }
}

/// What there is to say of a model beside its tensors.
pub struct Description {
    /// Its key in `inspect --json`.
    pub key: &'static str,
    /// With all digits.
    pub json: Value,
    /// As a person reads it.
    pub text: String,
}

/// What `receptive-field` asks for.
pub struct Look<'a> {
    /// Whether a picture is wanted as well.
    pub picture: bool,
    /// How many layers the network has, where it is none of a run.
    pub layers: Option<u32>,
    /// The flags that only some families understand.
    pub own: &'a Given,
}

/// What one output of a model can depend on.
pub struct Sight {
    /// One object.
    pub json: String,
    /// What people read.
    pub text: String,
    /// The bytes of a PNG, where a picture was wanted.
    pub picture: Option<Vec<u8>>,
}
