//! What the process takes from its environment before any work: threads, the instruction set, variables that mean nothing.

use autograd::kernels::isa::{Isa, VARIABLE};
use models::error::{Error, Kind, Result};
use models::pages::numbers::counted;
use models::storage::expected::nearest;

/// More threads than any machine this runs on has; a slip of the keyboard must not ask the system for a million.
pub const MOST_THREADS: i64 = 1024;

/// Threads for each core, at most: a few are no harm (a test of threads runs on any machine), hundreds are a slip.
const MOST_THREADS_OF_A_CORE: usize = 16;

/// Makes the kernels use the instruction set that the flag names, else the variable, else the best.
pub fn use_instruction_set(flag: Option<&str>) -> Result<()> {
    let (isa, asked) = match flag {
        Some(name) => (name.parse().map(Some), format!("--isa cannot be `{name}`")),
        None => {
            let given = variable(VARIABLE).unwrap_or_default();
            (Isa::from_environment(), format!("environment variable {VARIABLE} cannot be `{given}`"))
        }
    };
    let forced = isa.and_then(|isa| isa.map_or(Ok(()), Isa::force));
    forced.map_err(|why| Error::new(Kind::Usage, asked).cause(why))
}

/// What a variable says; one that is empty says nothing.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).filter(|text| !text.is_empty()).map(|text| text.to_string_lossy().into_owned())
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

/// The number of threads: of the flag, else of `AUTOREG_THREADS`, else of `RAYON_NUM_THREADS` (0 is unsaid there), else all cores.
///
/// # Errors
/// [`Kind::Usage`] for more than the machine can sensibly run, whoever asked for them.
fn threads_asked(flag: Option<u16>, own: Option<&str>, rayon: Option<&str>, cores: usize) -> Result<usize> {
    let most = (cores * MOST_THREADS_OF_A_CORE).min(MOST_THREADS as usize);
    let said = |name: &'static str, text: &str| match text.trim().parse::<u128>() {
        Ok(threads) => Ok((usize::try_from(threads).unwrap_or(usize::MAX), name)),
        Err(_) => Err(Error::new(Kind::Usage, format!("environment variable {name} cannot be {text:?}"))
            .cause(format!("a whole number from 1 to {most} is wanted"))),
    };
    let (asked, by) = match (flag, own, rayon) {
        (Some(threads), ..) => (threads.into(), "--threads"),
        (None, Some(text), _) => said("AUTOREG_THREADS", text)?,
        (None, None, Some(text)) => match said("RAYON_NUM_THREADS", text)? {
            (0, _) => (cores.min(most), ""),
            said => said,
        },
        (None, None, None) => (cores.min(most), ""),
    };
    if asked == 0 {
        return Err(Error::new(Kind::Usage, format!("{by}: 0 threads do nothing"))
            .cause(format!("a whole number from 1 to {most} is wanted")));
    }
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
    let (own, rayon) = (variable("AUTOREG_THREADS"), variable("RAYON_NUM_THREADS"));
    let threads = threads_asked(threads, own.as_deref(), rayon.as_deref(), cores)?;
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
        assert_eq!(threads_asked(None, None, None, 4).unwrap(), 4);
        assert_eq!(threads_asked(None, None, Some("0"), 4).unwrap(), 4);
        assert_eq!(threads_asked(None, None, Some("64"), 4).unwrap(), 64);
        assert_eq!(threads_asked(None, Some("5"), Some("64"), 4).unwrap(), 5, "our own goes before rayon's");
        assert_eq!(threads_asked(Some(3), Some("many"), Some("10000"), 4).unwrap(), 3, "the flag goes before both");
        assert_eq!(threads_asked(None, None, None, 4096).unwrap(), 1024);
        for (flag, own, rayon, by) in [
            (Some(1000), None, None, "--threads"),
            (None, Some("65"), None, "AUTOREG_THREADS"),
            (None, Some("0"), None, "AUTOREG_THREADS"),
            (None, Some("-1"), Some("2"), "AUTOREG_THREADS"),
            (None, None, Some("65"), "RAYON_NUM_THREADS"),
            (None, None, Some("many"), "RAYON_NUM_THREADS"),
            (None, None, Some("18446744073709551616"), "RAYON_NUM_THREADS"),
        ] {
            let error = threads_asked(flag, own, rayon, 4).unwrap_err();
            assert!(error.kind == Kind::Usage && error.what.contains(by), "{flag:?} {own:?} {rayon:?}: {error}");
        }
    }

    #[test]
    fn a_variable_one_letter_off_is_told_from_one_of_somebody_elses() {
        assert_eq!(close_to("AUTOREG_THREDS", VARIABLES), Some("AUTOREG_THREADS"));
        assert_eq!(close_to("AUTOREG_ISAS", VARIABLES), Some("AUTOREG_ISA"));
        assert_eq!(close_to("AUTOREG_RANDOM_GRAPHS", VARIABLES), None);
    }
}
