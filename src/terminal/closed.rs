//! Whether stdout was closed before the program began (`autoreg … >&-`), which only code that runs before `main` can see.
//!
//! On Unix the Rust runtime opens `/dev/null` under every standard number that is closed, so that no file of the program comes to lie
//! there. After that a closed stdout looks like one that somebody sent to `/dev/null`: results would be lost, and the exit code 0.
//! Elsewhere nothing is looked at, and [`stdout_was_closed`] is never true.

use std::sync::atomic::{AtomicBool, Ordering};

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether whoever started the program closed its stdout.
pub fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

#[cfg(unix)]
ctor::declarative::ctor! {
    // SAFETY: before `main` nothing of the standard library may be relied upon. This asks the system one question, by a call that
    // changes nothing, and writes one number.
    #[ctor(unsafe)]
    fn look_before_the_runtime() {
        let closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()) == Err(rustix::io::Errno::BADF);
        STDOUT_WAS_CLOSED.store(closed, Ordering::Relaxed);
    }
}
