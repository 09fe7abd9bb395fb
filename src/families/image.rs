//! Images, as the commands see them: their flags, their results as tables and pictures, their act of the tour.

mod flags;
mod glyphs;
mod tables;

use self::flags::{EvalFlags, GenerateFlags, TrainFlags};
use super::opened::Source;
use super::tour::Tour;
use super::training::{self, Flags, Resume};
use super::{Evaluate, Family, Generate, Model, Recorded, Report};
use crate::terminal::Context;
use crate::terminal::console::Counting;
use crate::terminal::output::{self, quoted};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use models::check::Outcome;
use models::data::Part;
use models::error::{Error, Kind, Result};
use models::image::config::{DataConfig, ImageConfig};
use models::image::evaluation::evaluate;
use models::image::generation::{Request, columns, draw, grid};
use models::image::model::ImageModel;
use models::image::quantized::level;
use models::image::shapes::elements_per_pixel;
use models::image::training::ImageTask;
use models::image::{png, saved};
use models::medium::{Medium, Sink};
use models::memory::Needs;
use models::storage::checkpoint::Checkpoint;
use models::storage::regular;
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

/// How many pictures are drawn where nobody says.
const PICTURES: usize = 64;

/// The longest file of a picture to complete.
const MOST_PICTURE: u64 = 1 << 28;

/// A model out of a file.
struct Opened {
    model: ImageModel<f32>,
    source: Source,
}

impl Opened {
    /// The number of a class by its name, or by itself.
    fn class(&self, word: &str) -> Result<u32> {
        let classes = &self.model.config.classes;
        let refused = |cause: String| {
            Err(Error::new(Kind::Usage, format!("--class {word}: there is no such class")).cause(cause))
        };
        if classes.is_empty() {
            return refused(
                "the model is told no class: it was trained on pictures without, or is one that cannot be".to_owned(),
            );
        }
        let number = word.parse().ok().filter(|&number: &usize| number < classes.len());
        match classes.iter().position(|name| name == word).or(number) {
            Some(class) => Ok(class as u32),
            None => refused(format!("the model knows {}", classes.join(", "))),
        }
    }

    /// The levels of the first rows of a picture.
    fn given(&self, path: &Path, rows: usize) -> Result<Vec<u32>> {
        let config = &self.model.config;
        if rows == 0 || rows >= config.height {
            return Err(Error::new(Kind::Usage, format!("--rows {rows}: there are none to give, or none to draw"))
                .cause(format!("a picture of the model has {} rows", config.height)));
        }
        let bytes = regular::read(path, MOST_PICTURE)?;
        let (shape, values) = png::parse(&bytes, &path.display().to_string())?;
        if shape != config.shape() {
            return Err(Error::new(Kind::BadInput, format!("{} is {shape}", path.display()))
                .cause(format!("the pictures of the model are {}", config.shape()))
                .help("scale or cut it to that size"));
        }
        let given = &values[..rows * config.width * config.colours];
        Ok(given.iter().map(|&value| level(value, config.levels).into()).collect())
    }

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
        // All of the given data are those at the given path.
        let given = |other: &String| if request.part == Part::All { String::new() } else { other.clone() };
        Ok(DataConfig {
            path,
            labels,
            validation_path: given(&known.validation_path),
            test_path: given(&known.test_path),
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

    fn generate(&self, request: &Generate, sink: Sink) -> Result<()> {
        let GenerateFlags { class, complete, rows, scale, columns: wide } = request.own.parsed();
        if !request.prompt.is_empty() {
            return Err(Error::new(Kind::Usage, "a picture goes on from no text: the model is one of images")
                .help("--complete FILE.png --rows R goes on from the first rows of a picture"));
        }
        if let Some(complete) = &complete {
            output::check(request.output, &[complete])?;
        }
        let class = class.map(|word| self.class(&word)).transpose()?;
        let given = match complete.zip(rows) {
            Some((path, rows)) => self.given(&path, rows as usize)?,
            None => Vec::new(),
        };
        let images = request.symbols.unwrap_or(PICTURES);
        if images == 0 {
            return Err(Error::new(Kind::Usage, "-n 0: there is no picture of no pictures").help("ask for at least 1"));
        }
        let config = &self.model.config;
        let wide = wide.map_or_else(
            || columns(images, if class.is_some() { 0 } else { config.classes.len() }),
            |wide| wide as usize,
        );
        let asked = Request { images, class, given: &given, options: request.options.clone(), seed: request.seed };
        let mut counting = None;
        let drawn = draw(&self.model, &asked, &mut |done, of| {
            counting.get_or_insert_with(|| Counting::new("sub-pixels drawn", of as u64)).reached(done);
            // Nothing yet; but it tells when somebody asks to stop.
            sink(&[]).map(|_| ())
        })
        .map_err(|error| self.source.named(error))?;
        counting.into_iter().for_each(Counting::finish);
        sink(&grid(&drawn, config.shape(), config.levels, wide, scale as usize)?).map(|_| ())
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
