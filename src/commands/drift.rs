//! `autoreg drift`: how a model does on its own output beside how it does on true data, by horizon.

use super::eval::Split;
use crate::families::flags::{FamilyFlags, ForDrift};
use crate::families::opened::{Head, PATH_HELP, open};
use crate::families::{self, Drifted, Evaluate};
use crate::terminal::results::to_json;
use crate::terminal::table::{Align, Table};
use crate::terminal::{Context, output};
use clap::Args;
use models::data::Part;
use models::drift::{Asked, Drift, Estimate, Row};
use models::error::Result;
use models::pages::numbers::{counted, decimals, grouped};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What nobody waits for.
const MOST_HORIZON: i64 = 100_000;

/// With the state that is fed with the truth they are as many as step side by side, and no more are ever held.
const MOST_DRAWS: i64 = 63;

/// Measure exposure bias: how a model does on its own output beside how it does on true data, by horizon.
///
/// From true prefixes of the data the model goes on twice: teacher forced, reading the true symbols, and free running, reading what it
/// draws itself. Of both the table shows −ln p of the true symbol h places after the prefix, and the error: of text, pictures and sounds
/// how often the most likely symbol is not the true one; of a series the root mean square error of the mean. They are equal at 1. Behind
/// ± stands the standard error over prefixes.
///
/// What is further ahead is less certain, also to a perfect model. Of a linear model of a series the closed form says by how much. Of a
/// text what the model writes is judged as well, by a Markov chain of order 4 counted on the training part: where own symbols grow less
/// likely with the horizon, and true ones do not, the model drifts.
///
/// A prefix of a text has 100 symbols and begins from the empty state, one of a series the values that the model looks back at, one of a
/// picture is its upper half, one of a sound as long as the network hears.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// The data to take prefixes from: a file, or a folder of files
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// Which part of the data, by the run's own split
    #[arg(long, value_enum, default_value_t = Split::All)]
    split: Split,

    /// How many symbols after the prefix
    #[arg(long, value_name = "H", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=MOST_HORIZON))]
    horizon: u32,

    /// How many prefixes, evenly spaced over the data [default: 200, or as many as there are]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    prefixes: Option<u32>,

    /// How many symbols a prefix has
    #[arg(long, value_name = "P")]
    prefix_length: Option<u32>,

    /// How often the model runs free after each prefix
    #[arg(long, value_name = "D", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=MOST_DRAWS))]
    draws: u32,

    /// Another seed draws other symbols
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// A picture (.svg) or every horizon as a table (.csv); may be given again
    #[arg(short, long, value_name = "FILE.svg|FILE.csv")]
    output: Vec<PathBuf>,

    /// Print one JSON object, with all digits
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    own: FamilyFlags<ForDrift>,
}

/// What is told, as JSON.
#[derive(Serialize)]
struct Told<'d> {
    #[serde(flatten)]
    head: &'d Head,
    split: Part,
    #[serde(flatten)]
    drift: &'d Drift,
}

/// Runs the subcommand.
///
/// # Errors
/// A bad input for a file that is no model or data that have no room, a usage error for more prefixes than there are, a disk error for an output.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    for path in &arguments.output {
        output::is_picture(path)?;
    }
    let outputs = || arguments.output.iter().map(PathBuf::as_path);
    output::check(outputs(), &[&arguments.data, &arguments.model])?;
    let model = open(&arguments.model)?;
    model.source().spares_data(outputs())?;
    let own = arguments.own.given_to(model.source().family)?;
    let (data, part) = (&*arguments.data, arguments.split.part());
    let asked = Asked {
        horizon: arguments.horizon as usize,
        prefixes: arguments.prefixes.map(|prefixes| prefixes as usize),
        prefix_length: arguments.prefix_length.map(|length| length as usize),
        draws: arguments.draws as usize,
        seed: arguments.seed,
    };
    let request = families::Drift { scored: Evaluate { data, part, each: None, own: &own }, asked };
    let Drifted { head, drift } = model.drift(&request)?;
    for path in outputs() {
        write(path, &head, &drift)?;
    }
    let told = Told { head: &head, split: part, drift: &drift };
    context.results.line(if arguments.json { to_json(&told)? } else { shown(&told) })
}

fn write(path: &Path, head: &Head, drift: &Drift) -> Result<()> {
    let content = match output::is_picture(path)? {
        true => drift.picture(&format!("Exposure bias: {}", head.model))?.as_str().to_owned(),
        false => drift.csv(),
    };
    output::write(path, content.as_bytes())
}

/// The tables that people read: nats, then the errors, then what the judge says, where there are any.
fn shown(told: &Told) -> String {
    let Told { head, split, drift } = told;
    let (prefixes, es) = (grouped(drift.prefixes as u64), if drift.prefixes == 1 { "" } else { "es" });
    let opening = format!(
        "{}\n{prefixes} prefix{es} of {} (split: {}), {} after each",
        head.checkpoint,
        counted(drift.prefix_length as u64, "symbol"),
        split.name(),
        counted(drift.draws as u64, "free run"),
    );
    let nats = table(
        drift,
        &["nats, teacher forced", "free running", "difference"],
        |row| Some(vec![row.teacher_forced, row.free_running, row.difference]),
        |row| Some(row.closed_form?.nats),
    );
    let errors = table(
        drift,
        &[&format!("{}, teacher forced", drift.error), "free running"],
        |row| row.error.map(|error| vec![error.teacher_forced, error.free_running]),
        |row| Some(row.closed_form?.error),
    );
    let judge = drift.judge.as_deref().unwrap_or_default();
    let judged = table(
        drift,
        &[&format!("nats by {judge}, true symbols"), "own symbols", "difference"],
        |row| row.judged.map(|judged| vec![judged.truth, judged.own, judged.difference]),
        |_| None,
    );
    [Some(opening), nats, errors, judged].into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Some numbers by horizon, each with its standard error, and what the closed form says where there is one; nothing where there are none.
fn table(
    drift: &Drift,
    columns: &[&str],
    estimates: impl Fn(&Row) -> Option<Vec<Estimate>>,
    closed_form: impl Fn(&Row) -> Option<f64>,
) -> Option<String> {
    let closed = drift.horizons.iter().any(|row| closed_form(row).is_some());
    let names = ["horizon"].iter().chain(columns).chain(closed.then_some(&"closed form"));
    let mut table = Table::new(&names.map(|name| (*name, Align::Right)).collect::<Vec<_>>());
    for row in drift.selected() {
        let estimates = estimates(row)?.into_iter().map(|Estimate { mean, standard_error }| {
            format!("{} ± {}", decimals(mean, 4), decimals(standard_error, 4))
        });
        let closed = closed.then(|| closed_form(row).map_or("–".to_owned(), |x| decimals(x, 4)));
        table.row(std::iter::once(grouped(row.horizon as u64)).chain(estimates).chain(closed).collect::<Vec<_>>());
    }
    Some(table.to_string())
}
