//! Whether the files of a run are the state that a checkpoint was saved in: of one run, whole, and nobody else's. Nothing here writes.

use std::path::Path;

use super::checkpoint::{Checkpoint, MetricsMark};
use super::metrics;
use super::regular;
use super::run_files::{CONFIG, METRICS, Which, check_identity, mixed, read_pointer, records};
use super::run_identity::{Survey, identity_of};
use crate::error::{Error, Kind, Result};

/// Refuses a checkpoint that is not of the run in a folder, and records that are not those it was saved after.
///
/// # Errors
/// [`Kind::BadInput`] naming the file that is of another run, or is not whole.
pub(super) fn check(folder: &Path, checkpoint: &Checkpoint) -> Result<()> {
    check_identity(folder, checkpoint)?;
    // A `best` that names nothing would let the best checkpoint be deleted as an old one.
    for which in [Which::Latest, Which::Best] {
        read_pointer(folder, which)?;
    }
    // Files whose own reading says better what is wrong with them.
    let has_own_check = |file: &Path| [CONFIG, METRICS].iter().any(|name| file == Path::new(name));
    let mut foreign = Survey::of(folder).in_the_way.into_iter();
    if let Some(file) = foreign.find(|file| !has_own_check(file) && folder.join(file) != checkpoint.path) {
        let file = folder.join(file);
        let cause = "the run writes a file of that name, which would replace it";
        // Without it, the file may be the run's own all the same.
        let cause = match identity_of(folder) {
            Some(_) => cause.to_owned(),
            None => format!("{cause}; and {CONFIG} does not begin with the identifier of a run"),
        };
        return Err(Error::new(Kind::BadInput, format!("{} is not a file of this run", file.display()))
            .cause(cause)
            .help("move it away, or put the run's own file back"));
    }
    whole_records(folder, checkpoint).map(|_| ())
}

/// The bytes of `metrics.jsonl` up to a checkpoint.
///
/// # Errors
/// [`Kind::BadInput`] if they are not those that the checkpoint was saved after.
pub(super) fn whole_records(folder: &Path, checkpoint: &Checkpoint) -> Result<Vec<u8>> {
    let path = folder.join(METRICS);
    let progress = checkpoint.progress.clone().unwrap_or_default();
    let Some(mark) = &progress.metrics else {
        // An older run: its records as far as they can be read.
        let kept = records(folder)?.into_iter().filter(|record| record.step <= progress.step);
        return Ok(kept.map(|record| record.to_line()).collect::<String>().into_bytes());
    };
    if mark.bytes == 0 {
        return Ok(Vec::new());
    }
    let mut bytes = regular::read(&path, regular::MOST_TEXT)?;
    if let Some(run) = metrics::run_of(&bytes)
        && Some(&run) != progress.run.as_ref()
    {
        return Err(mixed(&checkpoint.path, progress.run.as_deref(), &path, Some(&run)));
    }
    let length = bytes.len();
    bytes.truncate(usize::try_from(mark.bytes).unwrap_or(usize::MAX));
    if MetricsMark::of(&bytes) == *mark {
        return Ok(bytes);
    }
    let cause = match (length as u64) < mark.bytes {
        true => format!("it has {length} bytes, and had {} at step {}", mark.bytes, progress.step),
        false => format!("its first {} bytes are not those it had at step {}", mark.bytes, progress.step),
    };
    // A line that is no record is named by its number.
    let cause = match metrics::parse(&path, &bytes) {
        Err(error) => format!("{cause}; {}: {}", error.what, error.cause),
        Ok(_) => cause,
    };
    Err(Error::new(Kind::BadInput, format!("{} is damaged", path.display()))
        .cause(cause)
        .help("put the run's own file back; `autoreg eval` and `generate` use the run as it is"))
}
