//! Images, as the commands see them: the flags of their training, their results as tables.

use super::opened::Source;
use super::tour::Tour;
use super::training::{self, Flags, Resume};
use super::{Evaluate, Family, Generate, Model, Recorded, Report};
use crate::terminal::Context;
use crate::terminal::output::quoted;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use models::check::Outcome;
use models::error::{Error, Kind, Result};
use models::image::config::ImageConfig;
use models::image::model::ImageModel;
use models::image::saved;
use models::image::shapes::elements_per_pixel;
use models::image::training::ImageTask;
use models::medium::{Medium, Sink};
use models::memory::Needs;
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use std::path::{Path, PathBuf};

/// The family.
pub struct Image;

#[derive(Args, Debug)]
struct TrainFlags {
    /// `pixelcnn`, `gated-pixelcnn`, `row-lstm` or `diagonal-lstm`.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The levels of a sub-pixel that are told apart: 2 for black and white, at most 256.
    #[arg(long, value_name = "V")]
    levels: Option<u64>,
    /// Pictures to validate on, where they are no part of the data: a file, or a folder of files.
    #[arg(long, value_name = "PATH")]
    validation: Option<PathBuf>,
    /// Pictures to test on.
    #[arg(long, value_name = "PATH")]
    test: Option<PathBuf>,
    /// The IDX file of the classes, or `auto` for the one beside the pictures.
    #[arg(long, value_name = "PATH|auto")]
    labels: Option<String>,
}

impl Family for Image {
    fn name(&self) -> &'static str {
        "image"
    }

    fn heading(&self) -> &'static str {
        "Images"
    }

    fn about(&self) -> &'static str {
        "A PixelCNN, a Gated PixelCNN, a Row LSTM or a Diagonal BiLSTM on pictures in IDX files or PNGs"
    }

    fn a_model(&self) -> &'static str {
        "a model of images"
    }

    fn kinds(&self) -> Vec<&'static str> {
        saved::kinds()
    }

    fn train_flags(&self, command: Command) -> Command {
        TrainFlags::augment_args(command)
    }

    fn train(&self, flags: &Flags, own: &ArgMatches, context: &Context) -> Result<()> {
        let own = TrainFlags::from_arg_matches(own).expect("the family added these flags itself");
        let path = |path: Option<PathBuf>| path.map(|path| training::data_path(&path)).transpose();
        let more = [
            ("--model", "model.model", own.model),
            ("--levels", "data.levels", own.levels.map(|levels| levels.to_string())),
            ("--validation", "data.validation_path", path(own.validation)?),
            ("--test", "data.test_path", path(own.test)?),
            ("--labels", "data.labels", own.labels),
        ];
        training::train::<ImageTask>(flags, &more, commands, context)
    }

    fn resume(&self, request: &Resume, folder: RunFolder, checkpoint: &Checkpoint, context: &Context) -> Result<()> {
        training::resume::<ImageTask>(request, folder, checkpoint, commands, context)
    }

    fn open(&self, checkpoint: &Checkpoint, source: Source) -> Result<Box<dyn Model>> {
        Ok(Box::new(Opened { model: saved::from_checkpoint(checkpoint)?, source }))
    }

    fn act(&self, _: &mut Tour) -> Result<()> {
        Ok(())
    }
}

/// How to go on with a run.
fn commands(config: &ImageConfig, folder: &Path) -> Vec<(String, String)> {
    let run = quoted(folder);
    let commands = [("Train on", format!("autoreg resume {run} --steps {}", config.training.steps.saturating_mul(2)))];
    commands.map(|(what, command)| (what.to_string(), command)).to_vec()
}

/// A model out of a file.
struct Opened {
    model: ImageModel<f32>,
    source: Source,
}

impl Opened {
    fn later(&self, what: &str) -> Error {
        Error::new(Kind::Usage, format!("{} holds {}", self.source.path.display(), self.source.family.a_model()))
            .cause(what)
    }
}

impl Model for Opened {
    fn source(&self) -> &Source {
        &self.source
    }

    fn medium(&self) -> Medium {
        Medium::Picture
    }

    fn generate(&self, _: &Generate, _: Sink) -> Result<()> {
        Err(self.later("drawing pictures is yet to come"))
    }

    fn evaluate(&self, _: &Evaluate) -> Result<Report> {
        Err(self.later("scoring pictures is yet to come"))
    }

    fn check(&self, _: usize, _: u64) -> Vec<Outcome> {
        Vec::new()
    }

    /// Of a batch of black images; the length of a sequence is the model's own.
    fn graph(&self, batch: usize, _: usize) -> Result<Recorded> {
        let config = &self.model.config;
        let kept = elements_per_pixel(config).saturating_mul(config.pixels() as u128).saturating_mul(batch as u128);
        Needs::default().and("the activations of a batch", kept, size_of::<f32>(), "--batch").check()?;
        let classes = (!config.classes.is_empty()).then(|| vec![0; batch]);
        let loss = self.model.loss(&vec![0; batch * config.values()], classes.as_deref());
        Ok(Recorded::new(loss, &self.model))
    }
}
