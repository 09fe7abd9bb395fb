//! How the process ends: an error becomes three lines on stderr and an exit code; a panic becomes an error.

use super::closed::stdout_was_closed;
use super::flag_values;
use super::results::cannot_write;
use models::error::{Error, Kind, Result};
use models::visible::visible;
use std::io::Write;
use std::panic;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// The exit code of a kind of failure.
pub fn exit_code(kind: Kind) -> u8 {
    match kind {
        Kind::Failed => 1,
        Kind::Usage => 2,
        Kind::CheckFailed => 3,
        Kind::Diverged => 4,
        Kind::BadInput => 5,
        Kind::Disk => 6,
        Kind::Interrupted => 130,
    }
}

/// Says on stderr what went wrong, and turns it into the exit code.
pub fn report(outcome: Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Where stderr is closed, the exit code says what can still be said.
    let _ = writeln!(std::io::stderr(), "{error}");
    ExitCode::from(exit_code(error.kind))
}

/// Prints what clap has to say instead of running a command: help and version on stdout, a usage error on stderr.
pub fn report_told(told: &clap::Error) -> ExitCode {
    if let Some(error) = flag_values::refusal(told) {
        return report(Err(error));
    }
    let code = ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(1));
    let printed = match told.use_stderr() {
        // The words of the command line stand in it: a name from outside may hold what a terminal obeys.
        true => write!(std::io::stderr(), "{}", visible(&told.render().to_string())),
        // It is written past `Results`, in colours where there is a terminal.
        false if stdout_was_closed() => Err(std::io::Error::other("stdout is closed")),
        false => told.print().and_then(|()| std::io::stdout().flush()),
    };
    match printed {
        Ok(()) => code,
        // `--help | head`: who has gone away has read enough.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => code,
        Err(_) if told.use_stderr() => code,
        Err(e) => report(Err(cannot_write(&e))),
    }
}

/// The last resort: a mistake in this program is an error with a request to report it, never a backtrace.
pub fn without_panic(work: impl FnOnce() -> Result<()>) -> Result<()> {
    let first = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&first);
    // A panic of a worker thread is passed on to the thread that waits for it: the first one tells the place.
    panic::set_hook(Box::new(move |panic| {
        seen.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| describe(panic));
    }));
    let outcome = panic::catch_unwind(panic::AssertUnwindSafe(work));
    let _ = panic::take_hook();
    outcome.unwrap_or_else(|_| {
        let cause = first.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        Err(Error::new(Kind::Failed, format!("internal: autoreg {} has a mistake here", env!("CARGO_PKG_VERSION")))
            .cause(cause)
            .help("please report this with the command line that led to it"))
    })
}

/// What a panic says, and where, on one line.
fn describe(panic: &panic::PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let words = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let message = words.unwrap_or("a panic without a message").replace('\n', " ");
    match panic.location() {
        Some(place) => format!("{message} ({}:{})", place.file(), place.line()),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_internal_error_with_its_place_and_a_request_to_report_it() {
        let error = without_panic(|| panic!("the impossible\nhappened")).unwrap_err();
        assert_eq!(error.kind, Kind::Failed);
        let shown = error.to_string();
        assert!(shown.starts_with("error: internal"), "{shown}");
        assert!(shown.contains("cause: the impossible happened (src"), "{shown}");
        assert!(shown.contains("help: please report"), "{shown}");
        assert_eq!(shown.lines().count(), 3, "{shown}");
    }
}
