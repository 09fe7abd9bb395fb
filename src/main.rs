//! The process of `autoreg`: arguments, threads, the allocator, the exit code. No mathematics lives in this crate.
//!
//! [`commands`] has one file a subcommand, [`families`] one file a family of models and the boundary between the two,
//! [`terminal`] what both write to. Dependencies point one way: commands → families → terminal.

mod commands;
mod families;
mod terminal;

use autograd::kernels::memory::CachingAllocator;
use clap::Parser;
use families::training::VARIABLES;
use models::error::{Error, Kind, Result};
use models::pages::numbers::counted;
use models::storage::expected::nearest;
use models::visible::visible;
use std::io::Write;
use std::process::ExitCode;
use terminal::results::Results;
use terminal::{Context, failure};

/// Training and generation ask for the same large buffers again and again.
#[global_allocator]
static ALLOCATOR: CachingAllocator = CachingAllocator::new();

/// More threads than any machine this runs on has; a slip of the keyboard must not ask the system for a million.
const MOST_THREADS: i64 = 1024;

/// Threads for each core, at most: a few are no harm (a test of threads runs on any machine), hundreds are a slip.
const MOST_THREADS_OF_A_CORE: usize = 16;

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
    command: commands::Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 a check failed, 4 diverged, 5 bad input file, 6 disk, 130 interrupted";

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        // Help and version are no errors. Where nobody reads them any more there is nobody to tell, either.
        Err(told) => {
            let _ = match told.use_stderr() {
                // The words of the command line stand in it; a name from outside may hold what a terminal obeys.
                true => write!(std::io::stderr(), "{}", visible(&told.render().to_string())),
                false => told.print(),
            };
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(1));
        }
    };
    failure::report(failure::without_panic(|| {
        refuse_mistyped_variables()?;
        use_threads(line.threads)?;
        let context = Context { results: Results::stdout() };
        line.command.run(&context)?;
        context.results.flush()
    }))
}

/// A variable that is read by nobody and looks like one that is, is a slip of the keyboard.
fn refuse_mistyped_variables() -> Result<()> {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let own = name.strip_prefix("AUTOREG_").filter(|rest| !rest.contains("__"));
        if own.is_none() || VARIABLES.contains(&&*name) {
            continue;
        }
        if let Some(meant) = close_to(&name, VARIABLES) {
            return Err(Error::new(Kind::Usage, format!("environment variable {name} means nothing"))
                .help(format!("did you mean {meant}?")));
        }
    }
    Ok(())
}

/// What differs from `name` in a letter or two.
fn close_to(name: &str, known: [&'static str; 3]) -> Option<&'static str> {
    nearest(name, known).filter(|known| known.len().abs_diff(name.len()) <= 2)
}

/// The number of threads: of the flag or `AUTOREG_THREADS`, else of `RAYON_NUM_THREADS` (0 is unsaid), else all cores.
///
/// # Errors
/// [`Kind::Usage`] for more than the machine can sensibly run, whoever asked for them.
fn threads_asked(flag: Option<u16>, rayon: Option<&str>, cores: usize) -> Result<usize> {
    let most = (cores * MOST_THREADS_OF_A_CORE).min(MOST_THREADS as usize);
    let (asked, by) = match (flag, rayon) {
        (Some(threads), _) => (threads.into(), "--threads or AUTOREG_THREADS"),
        (None, Some(text)) => match text.trim().parse::<u64>() {
            Ok(0) => (cores.min(most), ""),
            Ok(threads) => (usize::try_from(threads).unwrap_or(usize::MAX), "RAYON_NUM_THREADS"),
            Err(_) => {
                let what = format!("environment variable RAYON_NUM_THREADS cannot be {text:?}");
                return Err(Error::new(Kind::Usage, what).cause(format!("it must be a number from 1 to {most}")));
            }
        },
        (None, None) => (cores.min(most), ""),
    };
    if asked > most {
        return Err(Error::new(Kind::Usage, format!("{by}: {asked} threads are too many; at most {most} here"))
            .cause(format!("this machine runs {cores} at once, and {MOST_THREADS_OF_A_CORE} for each are allowed"))
            .help("more threads than cores make nothing faster"));
    }
    Ok(asked)
}

/// Fixes the number of threads for the whole process.
///
/// This thread is one of them: it begins a parallel product at once, and only has to wake the others. Handing work to a pool
/// that it does not belong to costs a training step of many small products (gru-seed, two threads) a twentieth.
fn use_threads(threads: Option<u16>) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rayon = std::env::var_os("RAYON_NUM_THREADS").map(|text| text.to_string_lossy().into_owned());
    let threads = threads_asked(threads, rayon.as_deref(), cores)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    pool.build_global().map_err(|e| {
        Error::new(Kind::Failed, format!("cannot start {}", counted(threads as u64, "thread")))
            .cause(e)
            .help("give a smaller --threads")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn threads_are_bounded_whichever_way_they_are_asked_for() {
        assert_eq!(threads_asked(None, None, 4).unwrap(), 4);
        assert_eq!(threads_asked(None, Some("0"), 4).unwrap(), 4);
        assert_eq!(threads_asked(None, Some("64"), 4).unwrap(), 64);
        assert_eq!(threads_asked(Some(3), Some("10000"), 4).unwrap(), 3, "the flag goes before the variable");
        assert_eq!(threads_asked(None, None, 4096).unwrap(), 1024);
        for (flag, rayon) in [(Some(1000), None), (None, Some("65")), (None, Some("10000")), (None, Some("many"))] {
            assert_eq!(threads_asked(flag, rayon, 4).unwrap_err().kind, Kind::Usage, "{flag:?} {rayon:?}");
        }
        let most = threads_asked(None, Some("18446744073709551616"), 4).unwrap_err();
        assert!(most.what.contains("RAYON_NUM_THREADS"), "{most}");
    }

    #[test]
    fn a_variable_one_letter_off_is_told_from_one_of_somebody_elses() {
        assert_eq!(close_to("AUTOREG_THREDS", VARIABLES), Some("AUTOREG_THREADS"));
        assert_eq!(close_to("AUTOREG_ISAS", VARIABLES), Some("AUTOREG_ISA"));
        assert_eq!(close_to("AUTOREG_RANDOM_GRAPHS", VARIABLES), None);
    }

    #[test]
    fn the_arguments_of_all_subcommands_fit_together() {
        CommandLine::command().debug_assert();
    }
}
