//! A limit on the size of files (`ulimit -f`) is an error of the write that meets it, and not the end of the process.

use models::error::Result;

/// Takes over the signal that Unix sends with such a write; the write itself then fails, and is told as every other failure.
///
/// # Errors
/// [`Kind::Failed`](models::error::Kind::Failed) if the system refuses.
#[cfg(unix)]
pub fn writes_beyond_a_limit_are_errors() -> Result<()> {
    use models::error::{Error, Kind};
    // Nobody looks at the flag: what counts is that the signal does not end the process.
    let seen = std::sync::Arc::default();
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, seen)
        .map(|_| ())
        .map_err(|e| Error::new(Kind::Failed, "cannot listen for the signal of too large a file").cause(e))
}

/// Elsewhere such a write fails by itself.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn writes_beyond_a_limit_are_errors() -> Result<()> {
    Ok(())
}
