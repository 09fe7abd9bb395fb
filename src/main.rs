//! The command line of autoreg: parses arguments, calls the libraries, reports. No mathematics lives here.
//!
//! One file per subcommand. stdout carries results alone ([`results`]); progress and errors go to stderr ([`console`]).

mod check;
mod console;
mod demo;
mod demo_text;
mod doctor;
mod eval;
mod eval_series;
mod failure;
mod forecast;
mod generate;
mod gradcheck;
mod graph;
mod inspect;
mod inspect_series;
mod interrupt;
mod model_file;
mod results;
mod resume;
mod run;
mod run_series;
mod run_text;
mod table;
mod train;

use autograd::kernels::memory::CachingAllocator;
use clap::{Parser, Subcommand};
use models::error::{Error, Kind, Result};
use results::Results;
use std::process::ExitCode;

/// Training and generation ask for the same large buffers again and again.
#[global_allocator]
static ALLOCATOR: CachingAllocator = CachingAllocator::new();

/// More threads than any machine this runs on has; a slip of the keyboard must not ask the system for a million.
const MOST_THREADS: i64 = 1024;

/// Train, evaluate and sample autoregressive models: p(x) = ∏ p(x_t | x_<t).
///
/// Results go to stdout; progress and errors to stderr.
#[derive(Parser)]
#[command(name = "autoreg", version, after_help = EXIT_CODES, propagate_version = true)]
struct CommandLine {
    /// Number of threads; without it RAYON_NUM_THREADS, then all cores. No result depends on it.
    #[arg(long, global = true, value_name = "N", env = "AUTOREG_THREADS", hide_env_values = true, display_order = 900,
          value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS))]
    threads: Option<u16>,

    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 a check failed, 4 diverged, 5 bad input file, 6 disk, 130 interrupted";

/// What can be done.
#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Train(train::Arguments),
    Resume(resume::Arguments),
    Generate(generate::Arguments),
    Forecast(forecast::Arguments),
    Eval(eval::Arguments),
    Check(check::Arguments),
    Gradcheck(gradcheck::Arguments),
    Inspect(inspect::Arguments),
    Graph(graph::Arguments),
    Doctor(doctor::Arguments),
}

/// What every subcommand is given.
pub struct Context {
    /// Where results go: stdout.
    pub results: Results,
}

impl Command {
    fn run(self, context: &Context) -> Result<()> {
        match self {
            Command::Demo(arguments) => demo::run(arguments, context),
            Command::Train(arguments) => train::run(arguments, context),
            Command::Resume(arguments) => resume::run(arguments, context),
            Command::Generate(arguments) => generate::run(arguments, context),
            Command::Forecast(arguments) => forecast::run(arguments, context),
            Command::Eval(arguments) => eval::run(arguments, context),
            Command::Check(arguments) => check::run(arguments, context),
            Command::Gradcheck(arguments) => gradcheck::run(arguments, context),
            Command::Inspect(arguments) => inspect::run(arguments, context),
            Command::Graph(arguments) => graph::run(arguments, context),
            Command::Doctor(arguments) => doctor::run(arguments, context),
        }
    }
}

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        // Help and version are no errors. Where nobody reads them any more there is nobody to tell, either.
        Err(told) => {
            let _ = told.print();
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(1));
        }
    };
    failure::report(failure::without_panic(|| {
        use_threads(line.threads)?;
        let context = Context { results: Results::stdout() };
        line.command.run(&context)?;
        context.results.flush()
    }))
}

/// Fixes the number of threads for the whole process; rayon itself reads `RAYON_NUM_THREADS` where nothing is said.
///
/// This thread is one of them: it begins a parallel product at once, and only has to wake the others. Handing work to a pool
/// that it does not belong to costs a training step of many small products (gru-seed, two threads) a twentieth.
fn use_threads(threads: Option<u16>) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0).into()).use_current_thread();
    pool.build_global().map_err(|e| {
        let failure = match threads {
            Some(threads) => Error::new(Kind::Failed, format!("cannot start {threads} threads")),
            None => Error::new(Kind::Failed, "cannot start a thread for each core"),
        };
        failure.cause(e).help("give a smaller --threads")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_of_all_subcommands_fit_together() {
        CommandLine::command().debug_assert();
    }
}
