//! Results on stdout. A reader that has gone away (`autoreg … | head`) is not an error: what is written after is dropped. A stdout that
//! never was (`autoreg … >&-`) is one, as soon as there is something to write.

use super::closed::stdout_was_closed;
use models::error::{Error, Kind, Result};
use models::visible::visible;
use std::cell::{Cell, RefCell};
use std::io::{self, Write};

/// Where results go.
pub struct Results {
    out: RefCell<Box<dyn Write>>,
    closed: Cell<bool>,
}

impl Results {
    /// The process's stdout.
    pub fn stdout() -> Self {
        if stdout_was_closed() { Self::to(Box::new(Closed)) } else { Self::to(Box::new(io::stdout())) }
    }

    fn to(out: Box<dyn Write>) -> Self {
        Results { out: RefCell::new(out), closed: Cell::new(false) }
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// [`Kind::Disk`] where they cannot be kept, as when stdout is a file on a full disk.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.attempt(|out| out.write_all(bytes))
    }

    /// Writes text; what a terminal would obey in a name from outside is written out.
    ///
    /// # Errors
    /// As [`Results::bytes`].
    pub fn text(&self, text: &str) -> Result<()> {
        self.bytes(visible(text).as_bytes())
    }

    /// Writes a value and a line end.
    ///
    /// # Errors
    /// As [`Results::bytes`].
    pub fn line(&self, value: impl std::fmt::Display) -> Result<()> {
        self.text(&format!("{value}\n"))
    }

    /// Writes a value as one JSON object and a line end.
    ///
    /// # Errors
    /// As [`Results::bytes`].
    pub fn json(&self, value: &impl serde::Serialize) -> Result<()> {
        self.line(to_json(value)?)
    }

    /// Hands on what is held back: a reader sees it now.
    ///
    /// # Errors
    /// As [`Results::bytes`].
    pub fn flush(&self) -> Result<()> {
        self.attempt(|out| out.flush())
    }

    /// Whether the reader has gone away: an endless producer can stop.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    fn attempt(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        if self.is_closed() {
            return Ok(());
        }
        match write(&mut **self.out.borrow_mut()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.set(true);
                Ok(())
            }
            outcome => outcome.map_err(|e| cannot_write(&e)),
        }
    }
}

/// In place of a stdout that is closed: takes nothing. The standard library's own takes everything and drops it.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("stdout is closed"))
    }

    /// Nothing is held back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of results that go nowhere.
pub fn cannot_write(why: &io::Error) -> Error {
    let error = Error::new(Kind::Disk, "cannot write to stdout").cause(why);
    if stdout_was_closed() { error.help("leave out `>&-`; `>/dev/null` drops what is written") } else { error }
}

/// A value as one JSON object. Floats have all their digits; what is not finite is `null`.
///
/// # Errors
/// [`Kind::Failed`] if it has no JSON form.
pub fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(|e| Error::new(Kind::Failed, "the result has no JSON form").cause(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refuses(io::ErrorKind);

    impl Write for Refuses {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_that_has_gone_away_is_no_error() {
        let results = Results::to(Box::new(Refuses(io::ErrorKind::BrokenPipe)));
        assert!(!results.is_closed());
        results.line("lost").unwrap();
        assert!(results.is_closed());
        results.text("dropped").unwrap();
        results.flush().unwrap();
    }

    #[test]
    fn a_full_disk_under_stdout_is_an_error() {
        let results = Results::to(Box::new(Refuses(io::ErrorKind::StorageFull)));
        assert_eq!(results.line("lost").unwrap_err().kind, Kind::Disk);
        assert!(!results.is_closed());
    }
}
