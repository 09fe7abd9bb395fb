//! Images, as the commands see them: their flags, their results as tables and pictures.
//!
//! | file | holds |
//! | --- | --- |
//! | [`flags`] | the flags that images add to subcommands |
//! | [`drawing`] | what `generate` draws: pictures, the rest of a picture, frames |
//! | [`glyphs`] | the act of the tour |
//! | [`sight`] | what `receptive-field` tells and draws |
//! | [`tables`] | what `eval` prints and writes |

mod drawing;
mod flags;
mod glyphs;
mod sight;
mod tables;

use self::flags::{CompressFlags, EvalFlags, GenerateFlags, ReceptiveFieldFlags, TrainFlags};
use super::coding;
use super::opened::Source;
use super::tour::Tour;
use super::training::{self, Flags, Resume};
use super::{Compare, Compress, Drift, Drifted, Evaluate, Family, Generate, Look, Model, Recorded, Report, Sight};
use crate::terminal::Context;
use crate::terminal::console::Counting;
use crate::terminal::output::quoted;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use models::check::Outcome;
use models::compression::{self, format::File, identity::identity};
use models::data::Part;
use models::decoding::comparison::Measured;
use models::error::{Error, Kind, Result};
use models::image::comparison::compare;
use models::image::compression::{self as pictures, Classes};
use models::image::config::{DataConfig, ImageConfig};
use models::image::drift::drift;
use models::image::evaluation::evaluate;
use models::image::generation::check_size;
use models::image::model::ImageModel;
use models::image::saved;
use models::image::shapes::elements_per_pixel;
use models::image::training::ImageTask;
use models::medium::{Medium, Sink};
use models::memory::Needs;
use models::narrow::{Weights, round};
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use models::training::settings::Settings;
use std::path::{Path, PathBuf};

/// The family.
pub struct Image;

impl Family for Image {
    fn name(&self) -> &'static str {
        "image"
    }

    fn heading(&self) -> &'static str {
        "Images"
    }

    fn about(&self) -> &'static str {
        "A PixelCNN or a PixelRNN on pictures, IDX or PNG"
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

    fn generate_flags(&self, command: Command) -> Command {
        GenerateFlags::augment_args(command)
    }

    fn eval_flags(&self, command: Command) -> Command {
        EvalFlags::augment_args(command)
    }

    fn compare_flags(&self, command: Command) -> Command {
        EvalFlags::augment_args(command)
    }

    fn drift_flags(&self, command: Command) -> Command {
        EvalFlags::augment_args(command)
    }

    fn compress_flags(&self, command: Command) -> Command {
        CompressFlags::augment_args(command)
    }

    fn receptive_field_flags(&self, command: Command) -> Command {
        ReceptiveFieldFlags::augment_args(command)
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

    fn receptive_field(&self, kind: &str, look: &Look) -> Result<Sight> {
        sight::of_kind(kind, look)
    }

    fn act(&self, tour: &mut Tour) -> Result<()> {
        glyphs::act(tour)
    }
}

/// How to go on with a run.
fn commands(config: &ImageConfig, folder: &Path) -> Vec<(String, String)> {
    let (run, data) = (quoted(folder), quoted(&config.data.path));
    let commands = [
        ("Draw pictures", format!("autoreg generate {run} -n 64 -o samples.png")),
        ("Score it again, exactly", format!("autoreg eval {run} --data {data} --split validation")),
        ("Train on", format!("autoreg resume {run} --steps {}", config.training.steps.saturating_mul(2))),
        ("Check that it is a model", format!("autoreg check {run}")),
    ];
    commands.map(|(what, command)| (what.to_string(), command)).to_vec()
}

/// Pictures that ways of drawing are compared by.
const COMPARED: usize = 4;

/// A model out of a file.
struct Opened {
    model: ImageModel<f32>,
    source: Source,
}

impl Opened {
    /// What is read to be scored: the data that are named, by the run's settings, those of its own files of a part where one is asked for.
    fn data(&self, request: &Evaluate, labels: Option<String>) -> Result<DataConfig> {
        let known: DataConfig = self.source.setting("data");
        let path = training::data_path(request.data)?;
        let own = path == known.path;
        let labels = labels.unwrap_or_else(|| match own || known.labels.is_empty() {
            true => known.labels.clone(),
            // Those of other pictures stand beside them, if anywhere.
            false => "auto".to_owned(),
        });
        // All of the given data are those at the given path, whatever files serve what.
        let given = |rule: &String| if request.part == Part::All { String::new() } else { rule.clone() };
        Ok(DataConfig {
            path,
            labels,
            validation_path: given(&known.validation_path),
            test_path: given(&known.test_path),
            validation_files: given(&known.validation_files),
            test_files: given(&known.test_files),
            validation_labels: given(&known.validation_labels),
            test_labels: given(&known.test_labels),
            ..known
        })
    }
}

impl Model for Opened {
    fn source(&self) -> &Source {
        &self.source
    }

    fn medium(&self) -> Medium {
        Medium::Picture
    }

    fn round(&mut self, weights: Weights) -> Result<()> {
        round(&mut self.model, weights);
        Ok(())
    }

    fn generate(self: Box<Self>, request: &Generate, sink: Sink) -> Result<()> {
        self.draw(request, sink)
    }

    fn receptive_field(&self, look: &Look) -> Result<Sight> {
        sight::of_model(&self.model.config, self.source.head(), look)
    }

    fn evaluate(&self, request: &Evaluate) -> Result<Report> {
        let EvalFlags { labels } = request.own.parsed();
        let data = self.data(request, labels)?;
        let files = self.source.parts_of(data.read()?, request.part)?;
        let seed = self.source.setting::<Settings>("training").seed;
        let mut counting = None;
        let evaluation = evaluate(&self.model, &files, &data, seed, request.part, &mut |done, of| {
            counting.get_or_insert_with(|| Counting::new("pictures scored", of as u64)).reached(done);
        })
        .map_err(|error| self.source.named(error))?;
        counting.into_iter().for_each(Counting::finish);
        let (head, split) = (self.source.head(), request.part);
        let text = tables::shown(&head, split, &evaluation);
        let each = tables::each(&evaluation);
        Report::new(head, split, &evaluation, text, each)
    }

    fn compare(&self, request: &Compare, progress: &mut dyn FnMut(&str)) -> Result<Vec<Measured>> {
        let &Compare { data, symbols, seed, own } = request;
        let EvalFlags { labels } = own.parsed();
        let images = symbols.unwrap_or(COMPARED);
        if images == 0 {
            return Err(Error::new(Kind::Usage, "-n 0: no pictures are no way of drawing").help("ask for at least 1"));
        }
        check_size(images, self.model.config.shape(), 1, 1)?;
        let data = self.data(&Evaluate { data, part: Part::Validation, each: None, own }, labels)?;
        let files = self.source.parts_of(data.read()?, Part::Validation)?;
        compare(&self.model, &files, &data, images, seed, progress).map_err(|error| self.source.named(error))
    }

    fn drift(&self, Drift { scored, asked }: &Drift) -> Result<Drifted> {
        let EvalFlags { labels } = scored.own.parsed();
        let data = self.data(scored, labels)?;
        let files = self.source.parts_of(data.read()?, scored.part)?;
        let seed = self.source.setting::<Settings>("training").seed;
        let drift = coding::watched("prefixes followed", |progress| {
            drift(&self.model, &files, &data, seed, scored.part, asked, progress)
        })
        .map_err(|error| self.source.named(error))?;
        Ok(Drifted { head: self.source.head(), drift })
    }

    fn compress(&self, request: &Compress) -> Result<compression::Report> {
        let CompressFlags { class, labels } = request.own.parsed();
        let classes = match (class, labels) {
            (Some(word), _) => Classes::All(self.class(&word)?),
            (None, Some(file)) => Classes::File(file),
            (None, None) => Classes::Unsaid,
        };
        let (bytes, path) = coding::read(request.file)?;
        let (model, identity) = (&self.model, identity(self.source.described, &self.model));
        coding::watched("sub-pixels coded", |progress| {
            pictures::compress(model, identity, &bytes, &path, &classes, progress)
        })
        .map_err(|error| self.source.named(error))
    }

    fn decompress(&self, file: &File, name: &str) -> Result<Vec<u8>> {
        let (model, identity) = (&self.model, identity(self.source.described, &self.model));
        coding::watched("sub-pixels decoded", |progress| pictures::decompress(model, identity, file, name, progress))
            .map_err(|error| self.source.named(error))
    }

    fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        self.model.check(length, seed)
    }

    /// Of so many pictures; the length of one is the model's own.
    fn graph(&self, batch: usize, _: usize) -> Result<Recorded> {
        let config = &self.model.config;
        let kept = elements_per_pixel(config).saturating_mul((config.pixels() * batch) as u128);
        Needs::default().and("the activations of the pictures", kept, size_of::<f32>(), "--batch").check()?;
        Ok(Recorded::new(self.model.recorded_loss(batch), &self.model))
    }
}
