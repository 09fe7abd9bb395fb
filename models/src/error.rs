//! The one error type of everything that reads files, configurations or data: what failed, why, what to do.
//!
//! Libraries return it; only the binary prints it and turns [`Kind`] into an exit code.

use crate::visible::{visible, visible_line};
use std::fmt;

/// What sort of failure it is; the binary maps it to its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything that has no better name (exit code 1).
    Failed,
    /// A flag, a key or a value the user gave makes no sense (exit code 2).
    Usage,
    /// A check of a model's properties failed (exit code 3).
    CheckFailed,
    /// The loss stopped being finite; the last good checkpoint is kept (exit code 4).
    Diverged,
    /// An input file is missing, broken or not what it should be (exit code 5).
    BadInput,
    /// The disk refused a write (exit code 6).
    Disk,
    /// Ctrl-C or SIGTERM; the state was saved (exit code 130).
    Interrupted,
}

/// A failure with its cause and a way out, shown as `error: what`, `cause: why`, `help: what to do`.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Error {
    /// The sort of failure.
    pub kind: Kind,
    /// What could not be done, with path and position where they exist.
    pub what: String,
    /// Why; empty where `what` says it all.
    pub cause: String,
    /// What the user can do; empty where nothing helps.
    pub help: String,
}

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure of the given kind; add a cause and help with [`Error::cause`] and [`Error::help`].
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Error { kind, what: what.into(), cause: String::new(), help: String::new() }
    }

    /// Says why.
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = cause.to_string();
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl fmt::Display) -> Self {
        self.help = help.to_string();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names from outside stand in all three; in the first line they stand alone.
        write!(f, "error: {}", visible_line(&self.what))?;
        if !self.cause.is_empty() {
            write!(f, "\ncause: {}", visible(&self.cause))?;
        }
        if !self.help.is_empty() {
            write!(f, "\nhelp: {}", visible(&self.help))?;
        }
        Ok(())
    }
}
