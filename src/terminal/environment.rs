//! What the process takes from its environment before any work: threads, the instruction set, variables that mean nothing.

use autograd::kernels::isa::Isa;
use models::error::{Error, Kind, Result};
use models::pages::numbers::counted;
use models::storage::expected::nearest;

/// More threads than any machine this runs on has; a slip of the keyboard must not ask the system for a million.
pub const MOST_THREADS: i64 = 1024;

/// Threads for each core, at most: a few are no harm (a test of threads runs on any machine), hundreds are a slip.
const MOST_THREADS_OF_A_CORE: usize = 16;

/// Makes the kernels use an instruction set; an empty name leaves them the best.
pub fn use_instruction_set(name: &str) -> Result<()> {
    if name.is_empty() {
        return Ok(());
    }
    let forced = name.parse::<Isa>().and_then(Isa::force);
    forced.map_err(|why| Error::new(Kind::Usage, format!("--isa cannot be `{name}`")).cause(why))
}

/// The variables that mean something to every subcommand; `AUTOREG_GROUP__KEY` is a setting of a training.
pub const VARIABLES: [&str; 3] = ["AUTOREG_THREADS", "AUTOREG_DATA", "AUTOREG_ISA"];

/// A variable that is read by nobody and looks like one that is, is a slip of the keyboard.
pub fn refuse_mistyped_variables() -> Result<()> {
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
pub fn use_threads(threads: Option<u16>) -> Result<()> {
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
}
