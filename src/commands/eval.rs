//! `autoreg eval`: the exact likelihood of data under a model, beside what simple rivals achieve.

use crate::families::flags::{FamilyFlags, ForEval};
use crate::families::opened::{Format, PATH_HELP, open};
use crate::families::{Evaluate, Report};
use crate::terminal::results::to_json;
use crate::terminal::{Context, output};
use clap::{Args, ValueEnum};
use models::data::Part;
use models::error::Result;
use models::narrow::Weights;
use serde_json::Value;
use std::path::PathBuf;

/// Score data: exact likelihood in nats and bits per symbol, beside classical floors.
///
/// Of a text, every symbol counts: the first is predicted from the empty state, and the state is carried through the whole part.
/// The floors are Witten-Bell Markov chains counted on the training part of the given text (by the run's own split), as a
/// model of it would be trained, and score the same symbols as the model. With --split all or train, they have therefore
/// counted (a part of) what they score.
///
/// A series is scored one step ahead, each value given the true ones before it; the first lags are given and not scored. Its
/// floors are the mean, persistence and AR(2), fitted on the training part (as the run itself cut it, or all of it). Beside that stands exposure bias: the error of the
/// model running free, on its own output.
///
/// Pictures are scored sub-pixel by sub-pixel, in nats per picture and bits per dimension; of a model that is told the class of a
/// picture, given its class. Their floors are counts of the training part.
///
/// A masked model has no likelihood that could be computed: an upper bound is estimated from draws of masks, with its standard error, and
/// said to be one.
///
/// Where the file holds a running average of the weights, the average is what is evaluated.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// The data to score: a file, or a folder of files
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// Which part of the data to score, by the run's own split (a text's by default 90 % training, 10 % validation)
    #[arg(long, value_enum, default_value_t = Split::All)]
    split: Split,

    /// Write the nats of every example: of a text line by line, of a series value by value, of pictures one by one
    #[arg(long, value_name = "FILE.csv")]
    each: Option<PathBuf>,

    /// The format that the weights are rounded to; says what that costs beside f32
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "f32")]
    weights: Format,

    /// Print one JSON object, with all digits
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    own: FamilyFlags<ForEval>,
}

/// A part of the data, as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Split {
    /// All of the given data.
    All,
    /// What was trained on.
    Train,
    /// What training was watched on.
    Validation,
    /// What training never saw.
    Test,
}

impl Split {
    pub(super) fn part(self) -> Part {
        match self {
            Split::All => Part::All,
            Split::Train => Part::Train,
            Split::Validation => Part::Validation,
            Split::Test => Part::Test,
        }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// A bad input for a file that is no model, for data that do not serve, or an empty part.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { model: path, data, split, each, weights, json, own } = arguments;
    each.as_deref().map_or(Ok(()), |path| output::check_form(path, "csv"))?;
    output::check(each.as_deref(), &[&data, &path])?;
    let mut model = open(&path)?;
    model.source().spares_data(each.as_deref())?;
    let own = own.given_to(model.source().family)?;
    let request = Evaluate { data: &data, part: split.part(), each: each.as_deref(), own: &own };
    let mut report = model.evaluate(&request)?;
    // Of the same file: a training may put another one in its place meanwhile.
    if let Some(format) = weights.narrow() {
        model.round(format)?;
        report = beside_full(model.evaluate(&request)?, &report, format)?;
    }
    if let Some(path) = &each {
        output::write(path, report.each.as_bytes())?;
    }
    context.results.line(if json { report.json } else { report.text })
}

/// A report of a model with rounded weights, beside that with its own.
fn beside_full(report: Report, full: &Report, weights: Weights) -> Result<Report> {
    let read = |json: &str| serde_json::from_str::<Value>(json).unwrap_or_default();
    let (mut narrow, full) = (read(&report.json), read(&full.json));
    // A likelihood, or a bound of one, which is estimated from the same draws.
    const KEYS: [&str; 2] = ["nats_per_symbol", "nats_per_symbol_at_most"];
    let key = if full[KEYS[0]].is_null() { KEYS[1] } else { KEYS[0] };
    let nats = |json: &Value| json[key].as_f64().unwrap_or(f64::NAN);
    let (rounded, own) = (nats(&narrow), nats(&full));
    let name = weights.name();
    let text = format!(
        "{}\n\nWith weights rounded to {name}: {rounded:.6} nats per symbol, {:+.6} beside {own:.6} in f32.",
        report.text,
        rounded - own
    );
    if let Value::Object(fields) = &mut narrow {
        fields.insert("weights".to_owned(), name.into());
        fields.insert(format!("{key}_f32"), own.into());
    }
    Ok(Report { json: to_json(&narrow)?, text, ..report })
}
