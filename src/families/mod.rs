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
//! | `kinds` | which family a kind of model belongs to |
//! | [`requests`] | what commands ask of a model, and what it answers |
//! | [`opened`] | the model that a path on the command line means |
//! | `coding` | what `compress` and `decompress` of every family share |
//! | [`training`] | `train` and `resume` of any family: the run folder, the progress, the page |
//! | [`tour`] | what an act of `autoreg demo` is given |
//! | `text`, `series`, `image`, `audio` | the families |

mod audio;
mod coding;
pub mod flags;
mod image;
mod kinds;
pub mod opened;
pub mod requests;
mod series;
mod text;
pub mod tour;
pub mod training;

pub use kinds::{family_named, family_of};
pub use requests::{
    Compare, Compress, Decode, Description, Drift, Drifted, Evaluate, Forecast, Forecasted, Foreign, Generate, Look,
    Recorded, Report, Sight, Vocode, Vocoded, Way,
};
pub use series::header_of;

use crate::terminal::Context;
use clap::{ArgMatches, Command};
use models::check::Outcome;
use models::compression::{self, format::File};
use models::decoding::comparison::Measured;
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sink};
use models::narrow::Weights;
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use opened::Source;
use serde_json::Value;
use std::path::Path;
use tour::Tour;

/// Every family, in the order of help and of the tour.
pub const FAMILIES: &[&dyn Family] = &[&text::Text, &series::Series, &image::Image, &audio::Audio];

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

    /// Adds the flags of `compare` that only its models understand.
    fn compare_flags(&self, command: Command) -> Command {
        command
    }

    /// Adds the flags of `drift` that only its models understand.
    fn drift_flags(&self, command: Command) -> Command {
        command
    }

    /// Adds the flags of `compress` that only its models understand.
    fn compress_flags(&self, command: Command) -> Command {
        command
    }

    /// Adds the flags of `vocode` that only its models understand.
    fn vocode_flags(&self, command: Command) -> Command {
        command
    }

    /// Adds the flags of `receptive-field` that only its models understand.
    fn receptive_field_flags(&self, command: Command) -> Command {
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

    /// The model of other programs' files that a path means, in a form that is this family's to read.
    fn foreign(&self, _: &Path) -> Option<Foreign> {
        None
    }

    /// What an output of a model of this kind can depend on, of no model in particular: it is a property of the network.
    ///
    /// # Errors
    /// A usage error for a family whose outputs all depend on all that comes before them.
    fn receptive_field(&self, kind: &str, _: &Look) -> Result<Sight> {
        Err(sees_everything(format!("a model of kind `{kind}` is {}", self.a_model())))
    }

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

    /// Rounds its weights to fewer bits.
    ///
    /// # Errors
    /// A usage error for a model that keeps them in double precision.
    fn round(&mut self, weights: Weights) -> Result<()> {
        let what = format!("--weights {}: {}", weights.name(), self.source().holds());
        Err(Error::new(Kind::Usage, what).help("models of text, of images and of sounds are rounded"))
    }

    /// Draws from the model, piece by piece into `sink`; what it is stepped with needs the model no more.
    ///
    /// # Errors
    /// A usage error for what makes no sense for this model; the sink's.
    fn generate(self: Box<Self>, request: &Generate, sink: Sink) -> Result<()>;

    /// The exact likelihood of data, beside floors.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the data do not serve.
    fn evaluate(&self, request: &Evaluate) -> Result<Report>;

    /// Every way of drawing from it, measured once; `progress` is told which comes next.
    ///
    /// # Errors
    /// A usage error for a family that has one way alone; [`Kind::BadInput`] if the data do not serve.
    fn compare(&self, _: &Compare, _progress: &mut dyn FnMut(&str)) -> Result<Vec<Measured>> {
        Err(Error::new(Kind::Usage, self.source().holds())
            .help("models of text and of images are drawn from in several ways"))
    }
    /// How it does on its own output beside how it does on true data.
    ///
    /// # Errors
    /// As [`Model::evaluate`]; also if the data have no room for what is asked for.
    fn drift(&self, request: &Drift) -> Result<Drifted>;

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
        Err(Error::new(Kind::Usage, self.source().holds())
            .help("`autoreg generate` draws from it; a forecast is made by a model of a series"))
    }

    /// Recordings again, from their frames alone, each handed on when it is made.
    ///
    /// # Errors
    /// A usage error for a model that is told no frames; [`Kind::BadInput`] for what is no recording; those of `each`.
    fn vocode(&self, _: &Vocode, _: &mut dyn FnMut(Vocoded) -> Result<()>) -> Result<()> {
        Err(Error::new(Kind::Usage, self.source().holds())
            .help("recordings are made again by a model of sounds that is told their frames"))
    }

    /// A file as the bits that the model finds it surprising.
    ///
    /// # Errors
    /// A usage error for a model of real numbers; [`Kind::BadInput`] for a file that does not serve.
    fn compress(&self, _: &Compress) -> Result<compression::Report> {
        Err(self.codes_nothing())
    }

    /// The file that was compressed; `name` is the compressed one's.
    ///
    /// # Errors
    /// As [`Model::compress`].
    fn decompress(&self, _file: &File, _name: &str) -> Result<Vec<u8>> {
        Err(self.codes_nothing())
    }

    /// The refusal of those whose symbols are no codes.
    fn codes_nothing(&self) -> Error {
        Error::new(Kind::Usage, self.source().holds())
            .cause(
                "its symbols are real numbers: it gives a density, and no single number a probability to be coded by",
            )
            .help("models of text, of images and of sounds compress")
    }

    /// What one of its outputs can depend on.
    ///
    /// # Errors
    /// A usage error for a model whose outputs all depend on all that comes before them.
    fn receptive_field(&self, _: &Look) -> Result<Sight> {
        Err(sees_everything(self.source().holds()))
    }

    /// Where it came from.
    fn source(&self) -> &Source;
}

/// The refusal of those that have no receptive field of interest.
fn sees_everything(what: String) -> Error {
    Error::new(Kind::Usage, what)
        .cause("its outputs depend on all that it is given; a receptive field is told of networks of pictures and of sounds")
        .help("`autoreg check` shows that nothing depends on what comes later")
}
