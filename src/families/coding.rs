//! What `compress`, `decompress` and `drift` of every family share: the progress, and how a file is read.

use crate::terminal::console::Counting;
use crate::terminal::interrupt;
use models::compression::Progress; // the same function as `models::drift::Progress`
use models::error::{Error, Kind, Result};
use models::storage::regular;
use std::path::Path;
use std::sync::atomic::Ordering;

/// The longest file that is compressed.
const MOST: u64 = 1 << 32;

/// The bytes of a file, and its name in messages.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, String)> {
    Ok((regular::read(path, MOST)?, path.display().to_string()))
}

/// Does work whose symbols are counted where people see it, and that ends when somebody asks it to stop.
pub(super) fn watched<T>(what: &'static str, work: impl FnOnce(Progress) -> Result<T>) -> Result<T> {
    let stop = interrupt::install()?;
    let mut counting = None;
    let done = work(&mut |done, of| {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "stopped; nothing was written"));
        }
        counting.get_or_insert_with(|| Counting::new(what, of as u64)).reached(done);
        Ok(())
    });
    counting.into_iter().for_each(Counting::finish);
    done
}
