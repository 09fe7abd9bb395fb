//! Text, as the commands see it: the flags of its training, its results as tables, its act of the tour.

mod causal;
mod drawing;
mod engine_sources;
mod masked;
mod tables;

use self::causal::Opened;
use self::drawing::GenerateFlags;
pub(super) use self::drawing::SYMBOLS;
use self::masked::Masked;

use super::opened::Source;
use super::tour::{MOST_TIME, Tour};
use super::training::{self, Flags, Resume};
use super::{Evaluate, Family, Foreign, Model};
use crate::terminal::Context as Terminal;
use crate::terminal::console::say;
use crate::terminal::output::quoted;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use models::data::Part;
use models::data::files::DataFiles;
use models::error::{Error, Kind, Result};
use models::memory::Needs;
use models::pages::numbers::counted;
use models::storage::atomic::{SystemDisk, replace};
use models::storage::checkpoint::Checkpoint;
use models::storage::run_folder::RunFolder;
use models::text::config::{DataConfig, TextConfig};
use models::text::gpt::Gpt;
use models::text::gpt2;
use models::text::language_model::LanguageModel;
use models::text::masked::MaskedGpt;
use models::text::network::Configured;
use models::text::saved::TextModel;
use models::text::training::TextTask;
use models::text::vocabulary::Vocabulary;
use models::training::begin;
use models::training::task::Task;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The recurrent network, trained in f32.
type Recurrent = LanguageModel<f32>;

/// The Transformer, trained in f32.
type Transformer = Gpt<f32>;

/// The Transformer that fills gaps, trained in f32.
type Filler = MaskedGpt<f32>;

/// The family.
pub struct Text;

#[derive(Args, Debug)]
struct TrainFlags {
    /// `gru`, `lstm`, `gpt`, or `masked-gpt`, which fills gaps.
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
    /// Of a masked model: from how many draws of masks for each window its bound is estimated [default: 8].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_DRAWS))]
    draws: Option<u32>,
}

/// Draws beyond this are slips of the keyboard.
const MOST_DRAWS: i64 = 1 << 16;

#[derive(Args, Debug)]
#[group(skip)]
struct CompareFlags {
    /// A masked model over the same symbols: what it draws in 1, 4, 8, 16 and 64 rounds stands beside, judged by the exact model.
    #[arg(long, value_name = "RUN|CHECKPOINT")]
    masked: Option<PathBuf>,
}

impl Family for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn heading(&self) -> &'static str {
        "Text"
    }

    fn about(&self) -> &'static str {
        "A language model (GRU, LSTM, GPT or masked GPT) on text files"
    }

    fn a_model(&self) -> &'static str {
        "a model of text"
    }

    fn kinds(&self) -> Vec<&'static str> {
        [Recurrent::KINDS, Transformer::KINDS, Filler::KINDS].concat()
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
        CompareFlags::augment_args(command)
    }

    fn train(&self, flags: &Flags, own: &ArgMatches, context: &Terminal) -> Result<()> {
        let TrainFlags { model } = TrainFlags::from_arg_matches(own).expect("the family added these flags itself");
        let more = [("--model", "model.model", model)];
        // The kind alone decides whose settings the others are: they are read once without a word of what may stand there.
        let said = flags.configure(&json!({}), &more)?;
        let kind = said["model"]["model"].as_str().unwrap_or_default();
        let trained = match Architecture::of(kind) {
            Architecture::Gpt => return training::train::<TextTask<Transformer>>(flags, &more, commands, context),
            Architecture::MaskedGpt => return training::train::<TextTask<Filler>>(flags, &more, filling, context),
            Architecture::Recurrent => training::train::<TextTask<Recurrent>>(flags, &more, commands, context),
        };
        let unknown = !kind.is_empty() && !self.kinds().contains(&kind);
        trained.map_err(|error| match unknown && error.kind == Kind::Usage {
            true => error.help(format!("a model of text is {}", self.kinds().join(", "))),
            false => error,
        })
    }

    fn resume(&self, request: &Resume, folder: RunFolder, checkpoint: &Checkpoint, context: &Terminal) -> Result<()> {
        match Architecture::of(checkpoint.model()?) {
            Architecture::Gpt => {
                training::resume::<TextTask<Transformer>>(request, folder, checkpoint, commands, context)
            }
            Architecture::MaskedGpt => {
                training::resume::<TextTask<Filler>>(request, folder, checkpoint, filling, context)
            }
            Architecture::Recurrent => {
                training::resume::<TextTask<Recurrent>>(request, folder, checkpoint, commands, context)
            }
        }
    }

    fn open(&self, checkpoint: &Checkpoint, source: Source) -> Result<Box<dyn Model>> {
        Ok(match Architecture::of(checkpoint.model()?) {
            Architecture::Gpt => {
                Box::new(Opened { text: TextModel::<Transformer>::from_checkpoint(checkpoint)?, source })
            }
            Architecture::MaskedGpt => {
                Box::new(Masked { text: TextModel::<Filler>::from_checkpoint(checkpoint)?, source })
            }
            Architecture::Recurrent => {
                Box::new(Opened { text: TextModel::<Recurrent>::from_checkpoint(checkpoint)?, source })
            }
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
        let mut config = <TextConfig<<Recurrent as Configured>::Config>>::default();
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

/// Which network a kind of model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Architecture {
    Recurrent,
    Gpt,
    MaskedGpt,
}

impl Architecture {
    /// Of a kind; one that there is not is told by what reads it as the first.
    fn of(kind: &str) -> Self {
        match kind {
            kind if Transformer::KINDS.contains(&kind) => Architecture::Gpt,
            kind if Filler::KINDS.contains(&kind) => Architecture::MaskedGpt,
            _ => Architecture::Recurrent,
        }
    }
}

/// How to go on with a run.
fn commands<M: Default>(config: &TextConfig<M>, folder: &Path) -> Vec<(String, String)> {
    going_on(config, folder, "Score it again, exactly")
}

/// How to go on with a run of a model that fills gaps.
fn filling<M: Default>(config: &TextConfig<M>, folder: &Path) -> Vec<(String, String)> {
    going_on(config, folder, "Bound its likelihood by more draws")
}

fn going_on<M: Default>(config: &TextConfig<M>, folder: &Path, score: &str) -> Vec<(String, String)> {
    let (run, data) = (quoted(folder), quoted(&config.data.path));
    let commands = [
        ("Write more text", format!("autoreg generate {run} -n 500 --seed 1")),
        (score, format!("autoreg eval {run} --data {data} --split validation")),
        ("Train on", format!("autoreg resume {run} --steps {}", config.training.steps.saturating_mul(2))),
        ("Check that it is a model", format!("autoreg check {run}")),
    ];
    commands.map(|(what, command)| (what.to_string(), command)).to_vec()
}

/// What is read to be scored: the data that are named, by the run's settings, those of its own files of a part where one is asked for.
fn data(source: &Source, request: &Evaluate) -> Result<DataConfig> {
    let known: DataConfig = source.setting("data");
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

/// Refuses a window that is longer than a model's context, or whose activations are more than there is memory for.
fn window_fits<N: Configured>(config: &N::Config, batch: usize, length: usize) -> Result<()> {
    if let Some(context) = N::context(config).filter(|&context| context < length) {
        let what = format!("--length {length}: the model's windows have {context} positions at most");
        return Err(Error::new(Kind::Usage, what).help(format!("--length {context} or less")));
    }
    let kept = N::elements_per_position(config).saturating_mul((batch * length) as u128);
    Needs::default().and("the activations of the window", kept, size_of::<f32>(), "--batch or --length").check()
}
