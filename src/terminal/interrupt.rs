//! Ctrl-C and SIGTERM: the first asks the work to stop where it can be gone on from, the second stops the process at once.

use super::failure::exit_code;
use models::error::{Error, Kind, Result};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Takes over Ctrl-C and SIGTERM; the flag is set by the first of them. Called again, gives the same flag.
///
/// Only for work that looks at the flag between its steps: everything else ends well enough by the signal itself.
///
/// # Errors
/// [`Kind::Failed`] if the system refuses.
pub fn install() -> Result<Arc<AtomicBool>> {
    static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(asked) = ASKED.get() {
        return Ok(Arc::clone(asked));
    }
    let asked = Arc::clone(ASKED.get_or_init(Arc::default));
    let flag = Arc::clone(&asked);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(exit_code(Kind::Interrupted).into());
        }
        let _ = writeln!(std::io::stderr(), "\nstopping after this step; once more to stop at once");
    })
    .map_err(|e| Error::new(Kind::Failed, "cannot listen for Ctrl-C").cause(e))?;
    Ok(asked)
}
