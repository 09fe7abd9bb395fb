//! The process of `autoreg`: arguments, threads, the allocator, the exit code. No mathematics lives in this crate.
//!
//! [`commands`] has one file a subcommand, [`families`] one file a family of models and the boundary between the two,
//! [`terminal`] what both write to. Dependencies point one way: commands → families → terminal.

mod commands;
mod families;
mod terminal;

use autograd::kernels::memory::CachingAllocator;
use clap::{Arg, Command, CommandFactory, FromArgMatches, Parser};
use std::process::ExitCode;
use terminal::environment::{MOST_THREADS, refuse_mistyped_variables, use_instruction_set, use_threads};
use terminal::results::Results;
use terminal::{Context, failure, limits};

/// Training and generation ask for the same large buffers again and again.
#[global_allocator]
static ALLOCATOR: CachingAllocator = CachingAllocator::new();

/// Train, evaluate and sample autoregressive models: p(x) = ∏ p(x_t | x_<t).
///
/// Results go to stdout; progress and errors to stderr.
#[derive(Parser)]
#[command(name = "autoreg", version, after_help = EXIT_CODES, propagate_version = true)]
struct CommandLine {
    /// Number of threads; without it what AUTOREG_THREADS or RAYON_NUM_THREADS says, else all cores. No result depends on it.
    #[arg(long, global = true, value_name = "N", display_order = 900,
          value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS))]
    threads: Option<u16>,

    /// The instruction set of the kernels: `avx512`, `avx2`, `neon` or `portable`; without it what AUTOREG_ISA says, else the best of
    /// this machine. No result depends on it.
    #[arg(long, global = true, value_name = "NAME", display_order = 901)]
    isa: Option<String>,

    #[command(subcommand)]
    command: commands::Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 a check failed, 4 diverged, 5 bad input file, 6 disk, 130 interrupted";

/// What was asked for. A negative number behind a flag is its value, which says itself what it takes: no unknown flag `-1`.
fn command_line() -> Result<CommandLine, clap::Error> {
    let mut command = with_negative_numbers(CommandLine::command());
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    CommandLine::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn with_negative_numbers(command: Command) -> Command {
    let takes = |flag: &Arg| !flag.is_positional() && flag.get_action().takes_values();
    let command = command.mut_args(|flag| if takes(&flag) { flag.allow_negative_numbers(true) } else { flag });
    command.mut_subcommands(with_negative_numbers)
}

fn main() -> ExitCode {
    if let Err(error) = limits::writes_beyond_a_limit_are_errors() {
        return failure::report(Err(error));
    }
    let line = match command_line() {
        Ok(line) => line,
        // Help and version are no errors; that they could not be written is one.
        Err(told) => return failure::report_told(&told),
    };
    failure::report(failure::without_panic(|| {
        refuse_mistyped_variables()?;
        use_instruction_set(line.isa.as_deref())?;
        use_threads(line.threads)?;
        let context = Context { results: Results::stdout() };
        line.command.run(&context)?;
        context.results.flush()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_all_subcommands_fit_together() {
        with_negative_numbers(CommandLine::command()).debug_assert();
    }
}
