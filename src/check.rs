//! `autoreg check`: the properties that every model here must have, checked on the model of a file.

use crate::Context;
use crate::model_file::{Model, ModelFile, PATH_HELP};
use crate::table::{Align, Table};
use autograd::random::Streams;
use clap::Args;
use models::check::{Outcome, causality, each_integrates_to_one, each_sums_to_one, steps_equal_parallel, sum_to_one};
use models::error::{Error, Kind, Result};
use models::sampling::{Generator, Options, Sampler};
use models::series::model::SeriesModel;
use models::series::neural_predictor::NeuralPredictor;
use models::series::saved::SavedSeries;
use models::text::decoder::Decoder;
use models::text::saved::TextModel;
use rand::RngExt;
use std::path::PathBuf;

/// Check a model: causality, sum to one, steps = parallel pass.
///
/// Random sequences are drawn from the seed. Small alphabets are enumerated: the probabilities of all sequences of two
/// symbols must sum to one. A model of a series is checked on a sequence drawn from itself. Ends with exit code 3 if a check fails.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// Length of the random sequences
    #[arg(long, value_name = "T", default_value_t = 32, value_parser = clap::value_parser!(u32).range(2..=4096))]
    length: u32,

    /// Another seed draws other sequences
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The most sequences that are enumerated for the sum to one.
const MOST_SEQUENCES: u64 = 10_000;

/// Runs the subcommand.
///
/// # Errors
/// A bad input for a file that is no model; a failed check after the table is written.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let file = ModelFile::open(&arguments.model)?;
    let outcomes = match &file.model {
        Model::Text(text) => of_text(text, &arguments),
        Model::Series(SavedSeries::Linear(linear)) => of_series(&linear.model, &arguments)?,
        Model::Series(SavedSeries::Neural(neural)) => of_series(&NeuralPredictor::new(neural), &arguments)?,
    };

    let mut table = Table::new(&[("check", Align::Left), ("outcome", Align::Left), ("detail", Align::Left)]);
    for Outcome { name, detail, passed } in &outcomes {
        table.row([name.to_string(), if *passed { "ok" } else { "FAILED" }.to_owned(), detail.clone()]);
    }
    context.results.line(table)?;
    let failed: Vec<&str> = outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| outcome.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = format!("{} of {} checks of {} failed", failed.len(), outcomes.len(), file.path.display());
    Err(Error::new(Kind::CheckFailed, what).cause(failed.join(", ")))
}

fn of_text(text: &TextModel, arguments: &Arguments) -> Vec<Outcome> {
    let decoder = Decoder::new(&text.model);
    let symbols = text.vocabulary.size() as u32;
    let mut random = Streams::new(arguments.seed).stream("check");
    let sequence: Vec<u32> = (0..arguments.length).map(|_| random.random_range(0..symbols)).collect();

    let mut outcomes = Vec::new();
    if symbols > 1 {
        outcomes.push(causality(&decoder, &sequence, |symbol| (symbol + 1) % symbols));
    }
    outcomes.push(steps_equal_parallel(&decoder, &sequence));
    outcomes.push(each_sums_to_one(&decoder, &sequence, symbols));
    if u64::from(symbols).pow(2) <= MOST_SEQUENCES {
        outcomes.push(sum_to_one(&decoder, symbols, 2));
    }
    outcomes
}

/// The sequence is drawn from the model, and is longer than it looks back.
fn of_series<M: SeriesModel>(model: &M, arguments: &Arguments) -> Result<Vec<Outcome>> {
    let length = (arguments.length as usize).max(model.reach() + 8);
    let random = Streams::new(arguments.seed).stream("check");
    let sampler = Sampler::new(Options::default())?;
    let sequence: Vec<f64> = Generator::new(model, &[], sampler, random).take(length).collect();
    let std = model.next(&model.start()).std;
    Ok(vec![
        causality(model, &sequence, |x| x + std.max(x.abs() * 1e-3)),
        steps_equal_parallel(model, &sequence),
        each_integrates_to_one(model, &sequence),
    ])
}
