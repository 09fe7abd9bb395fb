//! Text, as the commands see it: the flags of its training, its results as tables, its act of the tour.

mod drawing;
mod engine_sources;
mod tables;

use self::drawing::GenerateFlags;
pub(super) use self::drawing::SYMBOLS;

use super::coding;
use super::opened::Source;
use super::tour::{MOST_TIME, Tour};
use super::training::{self, Flags, Resume};
use super::{Compare, Compress, Drift, Drifted, Evaluate, Family, Foreign, Generate, Model, Recorded, Report};
use crate::terminal::Context as Terminal;
use crate::terminal::console::{Counting, say};
use crate::terminal::output::quoted;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use models::check::Outcome;
use models::compression::{self, format::File, identity::identity};
use models::data::Part;
use models::data::files::DataFiles;
use models::decoding::comparison::Measured;
use models::error::{Kind, Result};
use models::medium::{Medium, Sink};
use models::memory::Needs;
use models::narrow::{Weights, round};
use models::pages::numbers::counted;
use models::storage::atomic::{SystemDisk, replace};
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use models::text::compression as text;
use models::text::config::{DataConfig, TextConfig};
use models::text::context::Context;
use models::text::drift::drift;
use models::text::evaluation::{Line, evaluate};
use models::text::gpt::Gpt;
use models::text::gpt2;
use models::text::language_model::LanguageModel;
use models::text::network::Network;
use models::text::saved::TextModel;
use models::text::training::TextTask;
use models::text::vocabulary::Vocabulary;
use models::training::begin;
use models::training::task::Task;
use serde_json::{Value, json};
use std::path::Path;

/// The recurrent network, trained in f32.
type Recurrent = LanguageModel<f32>;

/// The Transformer, trained in f32.
type Transformer = Gpt<f32>;

/// The family.
pub struct Text;

#[derive(Args, Debug)]
struct TrainFlags {
    /// `gru`, `lstm` or `gpt`.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

#[derive(Args, Debug)]
#[group(skip)]
struct EvalFlags {
    /// How far apart windows of a model with a limited context begin: 1 predicts each symbol from a whole context, at the cost of a pass each
    /// [default: half the context, as it generates].
    #[arg(long, value_name = "N")]
    stride: Option<usize>,
}

impl Family for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn heading(&self) -> &'static str {
        "Text"
    }

    fn about(&self) -> &'static str {
        "A language model (GRU, LSTM or GPT) on text files"
    }

    fn a_model(&self) -> &'static str {
        "a model of text"
    }

    fn kinds(&self) -> Vec<&'static str> {
        [Recurrent::KINDS, Transformer::KINDS].concat()
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

    fn train(&self, flags: &Flags, own: &ArgMatches, context: &Terminal) -> Result<()> {
        let TrainFlags { model } = TrainFlags::from_arg_matches(own).expect("the family added these flags itself");
        let more = [("--model", "model.model", model)];
        // The kind alone decides whose settings the others are: they are read once without a word of what may stand there.
        let said = flags.configure(&json!({}), &more)?;
        let kind = said["model"]["model"].as_str().unwrap_or_default();
        if Transformer::KINDS.contains(&kind) {
            return training::train::<TextTask<Transformer>>(flags, &more, commands, context);
        }
        let trained = training::train::<TextTask<Recurrent>>(flags, &more, commands, context);
        let unknown = !kind.is_empty() && !self.kinds().contains(&kind);
        trained.map_err(|error| match unknown && error.kind == Kind::Usage {
            true => error.help(format!("a model of text is {}", self.kinds().join(", "))),
            false => error,
        })
    }

    fn resume(&self, request: &Resume, folder: RunFolder, checkpoint: &Checkpoint, context: &Terminal) -> Result<()> {
        match is_gpt(checkpoint)? {
            true => training::resume::<TextTask<Transformer>>(request, folder, checkpoint, commands, context),
            false => training::resume::<TextTask<Recurrent>>(request, folder, checkpoint, commands, context),
        }
    }

    fn open(&self, checkpoint: &Checkpoint, source: Source) -> Result<Box<dyn Model>> {
        Ok(match is_gpt(checkpoint)? {
            true => Box::new(Opened { text: TextModel::<Transformer>::from_checkpoint(checkpoint)?, source }),
            false => Box::new(Opened { text: TextModel::<Recurrent>::from_checkpoint(checkpoint)?, source }),
        })
    }

    /// GPT-2's.
    fn foreign(&self, path: &Path) -> Option<Foreign> {
        let files = gpt2::Files::of(path)?;
        Some(Foreign { files: files.paths(), read: Box::new(move || files.checkpoint()) })
    }

    /// The kind, the size and the first symbols of a vocabulary.
    fn metadata(&self, key: &str, value: &Value) -> Option<String> {
        const SHOWN: u32 = 12;
        let vocabulary = (key == "vocabulary").then(|| Vocabulary::from_json(&value.to_string()).ok()).flatten()?;
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let size = vocabulary.size() as u32;
        let first: Vec<String> = (0..size.min(SHOWN)).map(|code| vocabulary.symbol_name(code)).collect();
        let sized = counted(u64::from(size), "symbol");
        Some(format!("{kind}, {sized}: {}{}", first.join(" "), if size > SHOWN { " …" } else { "" }))
    }

    /// A GRU on the sources of the engine.
    fn act(&self, tour: &mut Tour) -> Result<()> {
        say("text: a GRU learns to write the source code of the engine that trains it");
        let path = tour.folder.join(self.name());
        let data = path.join("engine.txt");
        let mut config = <TextConfig<<Recurrent as Network>::Config>>::default();
        (config.model.embedding, config.model.hidden, config.model.dropout) = (64, 256, 0.1);
        (config.data.batch, config.data.window) = (32, 64);
        config.data.path = training::data_path(&data)?;
        (config.training.steps, config.training.eval_every, config.training.save_every) =
            (tour.steps.unwrap_or(1200), 200, 0);
        config.training.optimizer.learning_rate = 4e-3;
        let files = DataFiles::in_memory(&config.data.path, engine_sources::TEXT);
        let trainer = begin::begin_on::<TextTask<Recurrent>>(config, &files)?;
        let folder = training::create(&path, true, trainer.task.config())?;
        replace(&SystemDisk, &data, |out| out.write_all(engine_sources::TEXT.as_bytes()))?;
        let trained = training::run(trainer, folder, Some(MOST_TIME), commands, tour.context)?;
        if let Some(sample) = trained.summary.samples.last() {
            let sample = String::from_utf8_lossy(&sample.bytes);
            tour.context.results.text(&format!("\nits last sample:\n{sample}\n\n"))?;
        }
        tour.add(&trained)
    }
}

/// Whether a checkpoint is one of the Transformer.
fn is_gpt(checkpoint: &Checkpoint) -> Result<bool> {
    Ok(Transformer::KINDS.contains(&checkpoint.model()?))
}

/// How to go on with a run.
fn commands<M: Default>(config: &TextConfig<M>, folder: &Path) -> Vec<(String, String)> {
    let (run, data) = (quoted(folder), quoted(&config.data.path));
    let commands = [
        ("Write more text", format!("autoreg generate {run} -n 500 --seed 1")),
        ("Score it again, exactly", format!("autoreg eval {run} --data {data} --split validation")),
        ("Train on", format!("autoreg resume {run} --steps {}", config.training.steps.saturating_mul(2))),
        ("Check that it is a model", format!("autoreg check {run}")),
    ];
    commands.map(|(what, command)| (what.to_string(), command)).to_vec()
}

/// A model out of a file.
struct Opened<N> {
    text: TextModel<N>,
    source: Source,
}

impl<N: Network> Opened<N> {
    /// What is read to be scored: the data that are named, by the run's settings, those of its own files of a part where one is asked for.
    fn data(&self, request: &Evaluate) -> Result<DataConfig> {
        let known: DataConfig = self.source.setting("data");
        // All of the given data are those at the given path, whatever files serve what.
        let given = |rule: &String| if request.part == Part::All { String::new() } else { rule.clone() };
        Ok(DataConfig {
            path: training::data_path(request.data)?,
            validation_path: given(&known.validation_path),
            test_path: given(&known.test_path),
            validation_files: given(&known.validation_files),
            test_files: given(&known.test_files),
            ..known
        })
    }
}

impl<N: Network> Model for Opened<N> {
    fn source(&self) -> &Source {
        &self.source
    }

    fn medium(&self) -> Medium {
        Medium::Text
    }

    fn round(&mut self, weights: Weights) -> Result<()> {
        round(&mut self.text.model, weights);
        Ok(())
    }

    fn generate(self: Box<Self>, request: &Generate, sink: Sink) -> Result<()> {
        self.draw(request, sink)
    }

    fn evaluate(&self, request: &Evaluate) -> Result<Report> {
        let data = self.data(request)?;
        let EvalFlags { stride } = request.own.parsed();
        // Before the data are read: a wrong stride is told at once.
        Context::of::<N>(self.text.model.config(), stride)?;
        let files = self.source.parts_of(data.read()?, request.part)?;
        let mut counting = None;
        let evaluation = evaluate(&self.text, &files, &data.split(), request.part, stride, &mut |done, of| {
            counting.get_or_insert_with(|| Counting::new("symbols scored", of as u64)).reached(done);
        })
        .map_err(|error| self.source.named(error))?;
        counting.into_iter().for_each(Counting::finish);
        let (head, split) = (self.source.head(), request.part);
        let text = tables::shown(&head, split, &evaluation);
        let line = |(i, Line { symbols, nats }): (usize, &Line)| format!("{},{symbols},{nats}\n", i + 1);
        let each = evaluation.lines.iter().enumerate().map(line).collect::<String>();
        Report::new(head, split, evaluation, text, "line,symbols,nats\n".to_owned() + &each)
    }

    fn compare(&self, request: &Compare, progress: &mut dyn FnMut(&str)) -> Result<Vec<Measured>> {
        self.compared(request, progress)
    }

    fn drift(&self, Drift { scored, asked }: &Drift) -> Result<Drifted> {
        let data = self.data(scored)?;
        let files = self.source.parts_of(data.read()?, scored.part)?;
        let drift = coding::watched("prefixes followed", |progress| {
            drift(&self.text, &files, &data.split(), scored.part, asked, progress)
        })
        .map_err(|error| self.source.named(error))?;
        Ok(Drifted { head: self.source.head(), drift })
    }

    fn compress(&self, request: &Compress) -> Result<compression::Report> {
        let (bytes, path) = coding::read(request.file)?;
        let identity = identity(self.source.described, &self.text.model);
        coding::watched("symbols coded", |progress| text::compress(&self.text, identity, &bytes, &path, progress))
            .map_err(|error| self.source.named(error))
    }

    fn decompress(&self, file: &File, name: &str) -> Result<Vec<u8>> {
        let identity = identity(self.source.described, &self.text.model);
        coding::watched("symbols decoded", |progress| text::decompress(&self.text, identity, file, name, progress))
            .map_err(|error| self.source.named(error))
    }

    fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        self.text.check(length, seed)
    }

    fn graph(&self, batch: usize, length: usize) -> Result<Recorded> {
        let kept = N::elements_per_position(self.text.model.config()).saturating_mul((batch * length) as u128);
        Needs::default().and("the activations of the window", kept, size_of::<f32>(), "--batch or --length").check()?;
        Ok(Recorded::new(self.text.recorded_loss(batch, length), &self.text.model))
    }
}
