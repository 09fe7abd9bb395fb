//! The boundary between commands and families of models: what a family brings ([`Family`]), what one of its models can do
//! ([`Model`]), and the table of families.
//!
//! A subcommand meets models through these two traits alone. A new family is a file here, a line in [`FAMILIES`], and a folder in
//! `models`; the compiler lists what it lacks. A new subcommand that only some families can serve is a method of [`Model`] whose
//! default says so. Why a trait and not an enum: `docs/decisions/0018`.
//!
//! | file | holds |
//! | --- | --- |
//! | [`flags`] | flags that a family adds to a subcommand, under its own heading |
//! | [`opened`] | the model that a path on the command line means |
//! | [`training`] | `train` and `resume` of any family: the run folder, the progress, the page |
//! | [`tour`] | what an act of `autoreg demo` is given |
//! | `text`, `series`, `image` | the families |

pub mod flags;
mod image;
pub mod opened;
mod series;
mod text;
pub mod tour;
pub mod training;

pub use series::header_of;

use crate::terminal::Context;
use crate::terminal::results::to_json;
use autograd::Tensor;
use clap::{ArgMatches, Command};
use flags::Given;
use models::check::Outcome;
use models::data::Part;
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sink};
use models::sampling::Options;
use models::series::column::Header;
use models::series::forecast::Outlook;
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use opened::{Head, Source};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tour::Tour;

/// Every family, in the order of help and of the tour.
pub const FAMILIES: &[&dyn Family] = &[&text::Text, &series::Series, &image::Image];

/// What a family of models brings to the commands.
pub trait Family: Sync {
    /// The word after `autoreg train`: `text`.
    fn name(&self) -> &'static str;

    /// The heading of its flags in the help of other subcommands: `Text`.
    fn heading(&self) -> &'static str;

    /// What it trains and on what, in the help of `train`.
    fn about(&self) -> &'static str;

    /// One of its models, as an error says it: `a model of text`.
    fn a_model(&self) -> &'static str;

    /// The kinds of model that are its own, as checkpoints name them.
    fn kinds(&self) -> Vec<&'static str>;

    /// Adds what its training takes beside [`training::Flags`].
    fn train_flags(&self, command: Command) -> Command;

    /// Adds the flags of `generate` that only its models understand.
    fn generate_flags(&self, command: Command) -> Command {
        command
    }

    /// Adds the flags of `eval` that only its models understand.
    fn eval_flags(&self, command: Command) -> Command {
        command
    }

    /// Trains a model in a run folder of its own.
    ///
    /// # Errors
    /// Those of the configuration, the data, the run folder and the training.
    fn train(&self, flags: &training::Flags, own: &ArgMatches, context: &Context) -> Result<()>;

    /// Goes on with a run of one of its models.
    ///
    /// # Errors
    /// If the run or its data cannot be read, or the data changed; and those of training.
    fn resume(
        &self,
        request: &training::Resume,
        folder: RunFolder,
        checkpoint: &Checkpoint,
        context: &Context,
    ) -> Result<()>;

    /// The model of a checkpoint of one of its kinds.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the checkpoint is not whole.
    fn open(&self, checkpoint: &Checkpoint, source: Source) -> Result<Box<dyn Model>>;

    /// What `inspect` shows of a model beside its tensors; nothing where there is nothing more to say.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the checkpoint is not whole.
    fn describe(&self, _: &Checkpoint) -> Result<Option<Description>> {
        Ok(None)
    }

    /// How `inspect` shows an entry of a file's metadata (`autoreg.KEY`) that is this family's own, readable or not.
    fn metadata(&self, _key: &str, _value: &Value) -> Option<String> {
        None
    }

    /// Its act of the tour: a small model on data that come with the program, and its part of the page.
    ///
    /// # Errors
    /// If a folder cannot be written, or the tour is interrupted.
    fn act(&self, tour: &mut Tour) -> Result<()>;
}

/// A model of any family, out of a checkpoint, as the commands use it.
pub trait Model {
    /// What it makes.
    fn medium(&self) -> Medium;

    /// Draws from the model, piece by piece into `sink`.
    ///
    /// # Errors
    /// A usage error for what makes no sense for this model; the sink's.
    fn generate(&self, request: &Generate, sink: Sink) -> Result<()>;

    /// The exact likelihood of data, beside floors.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the data do not serve.
    fn evaluate(&self, request: &Evaluate) -> Result<Report>;

    /// What must hold of every model, checked on sequences of so many symbols.
    fn check(&self, length: usize, seed: u64) -> Vec<Outcome>;

    /// The graph that one training step records.
    ///
    /// # Errors
    /// A usage error for a model that records none.
    fn graph(&self, batch: usize, length: usize) -> Result<Recorded>;

    /// The values after a series.
    ///
    /// # Errors
    /// A usage error for a model that is not of a series; [`Kind::BadInput`] for a series that does not serve.
    fn forecast(&self, _: &Forecast) -> Result<Forecasted> {
        let source = self.source();
        let what = format!("{} holds {}", source.path.display(), source.family.a_model());
        Err(Error::new(Kind::Usage, what)
            .help("`autoreg generate` draws from it; a forecast is made by a model of a series"))
    }

    /// Where it came from.
    fn source(&self) -> &Source;
}

/// What `generate` asks for.
pub struct Generate<'a> {
    /// What is gone on from, as it was given; bytes, as only a family knows whether they must be text.
    pub prompt: &'a [u8],
    /// Whether the prompt is written first.
    pub echo: bool,
    /// How many symbols, or pictures; where nobody says, what suits the family.
    pub symbols: Option<usize>,
    /// How each is chosen.
    pub options: Options,
    /// Of the random stream `sampling`.
    pub seed: u64,
    /// Where it is written, if to a file.
    pub output: Option<&'a Path>,
    /// The flags that only some families understand.
    pub own: &'a Given,
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

/// The family that a kind of model belongs to.
///
/// # Errors
/// [`Kind::BadInput`] for a kind that no family knows.
pub fn family_of(kind: &str, path: &Path) -> Result<&'static dyn Family> {
    FAMILIES.iter().find(|family| family.kinds().contains(&kind)).copied().ok_or_else(|| {
        let known: Vec<&str> = FAMILIES.iter().flat_map(|family| family.kinds()).collect();
        Error::new(Kind::BadInput, format!("{} holds a model of kind `{kind}`", path.display()))
            .cause(format!(
                "it is of a newer version or of another program; autoreg {} knows {}",
                env!("CARGO_PKG_VERSION"),
                known.join(", ")
            ))
            .help("use a newer autoreg; `autoreg inspect` shows what is in the file")
    })
}
