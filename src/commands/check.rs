//! `autoreg check`: the properties that every model here must have, checked on the model of a file.

use crate::families::opened::{PATH_HELP, open};
use crate::terminal::Context;
use crate::terminal::table::{Align, Table};
use clap::Args;
use models::check::Outcome;
use models::error::{Error, Kind, Result};
use std::path::PathBuf;

/// Check a model: causality, sum to one, steps = parallel pass.
///
/// Random sequences are drawn from the seed. Small alphabets are enumerated: the probabilities of all sequences of two
/// symbols must sum to one. A model of a series is checked on a sequence drawn from itself. A masked model is not causal: that a gap
/// sees both sides, is the same beside others, and sums to one is checked instead. Ends with exit code 3 if a check fails.
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

/// Runs the subcommand.
///
/// # Errors
/// A bad input for a file that is no model; a failed check after the table is written.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let model = open(&arguments.model)?;
    let outcomes = model.check(arguments.length as usize, arguments.seed);

    let mut table = Table::new(&[("check", Align::Left), ("outcome", Align::Left), ("detail", Align::Left)]);
    for Outcome { name, detail, passed } in &outcomes {
        table.row([name.to_string(), if *passed { "ok" } else { "FAILED" }.to_owned(), detail.clone()]);
    }
    context.results.line(table)?;
    let failed: Vec<&str> = outcomes.iter().filter(|outcome| !outcome.passed).map(|outcome| outcome.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = format!("{} of {} checks of {} failed", failed.len(), outcomes.len(), model.source().path.display());
    Err(Error::new(Kind::CheckFailed, what).cause(failed.join(", ")))
}
