//! `autoreg eval`: the exact likelihood of a text under a model, beside what counting alone achieves.

use crate::Context;
use crate::console::Counting;
use crate::eval_series;
use crate::model_file::{Model, ModelFile, PATH_HELP};
use crate::table::{Align, Table, thousands};
use clap::{Args, ValueEnum};
use models::autoregressive::Autoregressive;
use models::error::{Error, Kind, Result};
use models::text::corpus::{self, Corpus};
use models::text::decoder::Decoder;
use models::text::floors::Floors;
use serde::{Serialize, Serializer};
use std::f64::consts::LN_2;
use std::path::PathBuf;
use std::time::Instant;

/// Score a text or a series: exact likelihood in nats and bits per symbol, beside classical floors.
///
/// A series is scored one step ahead, each value given the true ones before it; the first lags are given and not scored. Its
/// floors are the mean, persistence and AR(2), fitted on the training part. Beside that stands exposure bias: the error of the
/// model running free, on its own output.
///
/// Of a text, every symbol counts: the first is predicted from the empty state, and the state is carried through the whole part.
/// Where the file holds a running average of the weights, the average is what is evaluated.
///
/// The floors are Witten-Bell Markov chains counted on the training part of the given text (by the run's own split), as a
/// model of it would be trained, and score the same symbols as the model. With --split all or train, they have therefore
/// counted (a part of) what they score.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    pub(crate) model: PathBuf,

    /// The text to score, or the CSV file of a series
    #[arg(long, value_name = "PATH")]
    pub(crate) data: PathBuf,

    /// Which part of the data to score, by the run's own split (a text's by default 90 % training, 10 % validation)
    #[arg(long, value_enum, default_value_t = Part::All)]
    pub(crate) split: Part,

    /// For a series: the column, where it is not that of the run
    #[arg(long, value_name = "NAME")]
    pub(crate) column: Option<String>,

    /// For a series: how many steps ahead errors are measured
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) horizons: usize,

    /// For a series: draw the errors at every horizon, measured and in closed form
    #[arg(short, long, value_name = "FILE.svg")]
    pub(crate) output: Option<PathBuf>,

    /// Print one JSON object, with all digits
    #[arg(long)]
    pub(crate) json: bool,
}

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All of the given text.
    All,
    /// What was trained on.
    Train,
    /// What training was watched on.
    Validation,
    /// What training never saw.
    Test,
}

impl Part {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }
}

/// How likely data is under a model of any family: the first fields of `--json`.
#[derive(Serialize)]
pub(crate) struct Likelihood {
    pub(crate) model: String,
    pub(crate) checkpoint: String,
    pub(crate) step: Option<u64>,
    pub(crate) split: Part,
    /// Symbols scored.
    pub(crate) symbols: usize,
    pub(crate) nats_per_symbol: f64,
    pub(crate) bits_per_symbol: f64,
    /// `exp` of the nats.
    pub(crate) perplexity: f64,
}

impl Likelihood {
    pub(crate) fn new(file: &ModelFile, split: Part, symbols: usize, nats_per_symbol: f64) -> Self {
        Likelihood {
            model: file.kind().to_owned(),
            checkpoint: file.path.display().to_string(),
            step: file.step(),
            split,
            symbols,
            nats_per_symbol,
            bits_per_symbol: nats_per_symbol / LN_2,
            perplexity: nats_per_symbol.exp(),
        }
    }
}

/// The result; the fields of `--json`.
#[derive(Serialize)]
struct Evaluation {
    #[serde(flatten)]
    likelihood: Likelihood,
    /// Name → nats per symbol, crudest first; empty where the text is too short for a training part.
    #[serde(serialize_with = "as_object")]
    floors: Vec<(String, f64)>,
    /// How many symbols of the text the floors counted.
    floors_counted_on: usize,
    seconds: f64,
}

pub(crate) fn as_object<S: Serializer>(
    floors: &[(String, f64)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(floors.iter().map(|(name, nats)| (name, nats)))
}

/// Symbols scored between two looks at the progress.
const PIECE: usize = 4096;

/// Runs the subcommand.
///
/// # Errors
/// A bad input for a file that is no model or no text, for a character the model does not know, or an empty part.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let file = ModelFile::open(&arguments.model)?;
    let model = match &file.model {
        Model::Text(text) => text,
        Model::Series(model) => return eval_series::run(model, &file, &arguments, context),
    };
    if let Some(path) = &arguments.output {
        return Err(Error::new(Kind::Usage, format!("there is no picture to write to {}", path.display()))
            .cause("--output draws the errors of a model of a series, and this is one of text"));
    }
    let text = corpus::read(&arguments.data)?;
    let vocabulary = &model.vocabulary;
    let named = |mut error: Error| {
        error.what = format!("{}: {}", arguments.data.display(), error.what);
        error
    };
    // The whole text first: an unknown character is named with its place in the file.
    let all = vocabulary.encode(&text).map_err(named)?;
    let parts = Corpus::encode(&text, vocabulary, &file.split()).map_err(named);
    let (train, scored) = match (arguments.split, parts) {
        (Part::All, Ok(parts)) => (parts.train, all),
        (Part::All, Err(_)) => (Vec::new(), all), // too short to split is not too short to score
        (Part::Train, parts) => parts.map(|parts| (parts.train.clone(), parts.train))?,
        (Part::Validation, parts) => parts.map(|parts| (parts.train, parts.validation))?,
        (Part::Test, parts) => parts.map(|parts| (parts.train, parts.test))?,
    };
    if scored.is_empty() {
        let name = arguments.split.name();
        let split = file.split();
        return Err(Error::new(Kind::BadInput, format!("{}: the {name} part is empty", arguments.data.display()))
            .cause(format!("the run's split gives {} to train and {} to validate", split.train, split.validation))
            .help("choose another --split; without it all of the text is scored"));
    }
    let begin = Instant::now();
    let decoder = Decoder::new(&model.model);
    let mut state = decoder.start();
    let mut progress = Counting::new("symbols scored", scored.len() as u64);
    let mut nats = 0.0;
    for piece in scored.chunks(PIECE) {
        nats += decoder.nats(&mut state, piece).iter().sum::<f64>();
        progress.advance(piece.len());
    }
    progress.finish();
    let seconds = begin.elapsed().as_secs_f64();
    let floors = if train.is_empty() {
        Vec::new()
    } else {
        Floors::measure(&train, &scored, vocabulary.size())?.iter().collect()
    };
    let evaluation = Evaluation {
        likelihood: Likelihood::new(&file, arguments.split, scored.len(), nats / scored.len() as f64),
        floors,
        floors_counted_on: train.len(),
        seconds,
    };
    if arguments.json { context.results.json(&evaluation) } else { context.results.line(evaluation.shown()) }
}

impl Evaluation {
    /// The table that people read: the model's line between the floors, each where it ranks.
    fn shown(&self) -> String {
        let mut table = Table::new(&[
            ("", Align::Left),
            ("nats/symbol", Align::Right),
            ("bits/symbol", Align::Right),
            ("perplexity", Align::Right),
        ]);
        let Likelihood { model, checkpoint, split, symbols, nats_per_symbol, .. } = &self.likelihood;
        let mut lines: Vec<(String, f64)> = self.floors.clone();
        lines.push((format!("{model} (this model)"), *nats_per_symbol));
        lines.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (name, nats) in lines {
            table.row([name, format!("{nats:.5}"), format!("{:.5}", nats / LN_2), format!("{:.4}", nats.exp())]);
        }
        let seen = match split {
            Part::All | Part::Train if self.floors_counted_on > 0 => {
                "\nThey score what they have counted themselves: --split validation or test compares fairly."
            }
            _ => "",
        };
        format!(
            "{checkpoint}\n{} symbols (split: {}) in {:.1} s\n\n{table}\n\n\
             The floors were counted on the training part of the text, {} symbols.{seen}",
            thousands(*symbols),
            split.name(),
            self.seconds,
            thousands(self.floors_counted_on)
        )
    }
}
