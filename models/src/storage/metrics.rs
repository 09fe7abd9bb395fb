//! What is recorded of a logged step, as one line of `metrics.jsonl`, and the reading of such a file.
//!
//! The first line says of which run it is. A crash may tear the last line; the reader drops it. Anything else that is broken is an
//! error naming its line.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use super::regular;
use crate::error::{Error, Kind, Result};

/// One logged step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The step, counted over the whole run; from 1.
    pub step: u64,
    /// Symbols trained on so far.
    pub symbols: u64,
    /// Training loss of the step, before its update, in nats per symbol; `null` in the file where it is not finite.
    #[serde(deserialize_with = "null_is_nan")]
    pub loss: f64,
    /// Validation loss, in nats per symbol, where this step was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
    /// The learning rate of the step.
    #[serde(deserialize_with = "null_is_nan")]
    pub learning_rate: f64,
    /// Euclidean norm of the whole gradient, before clipping; `null` in the file where it is not finite.
    #[serde(deserialize_with = "null_is_nan")]
    pub gradient_norm: f64,
    /// Symbols per second of the step alone: forward, backward, update.
    #[serde(deserialize_with = "null_is_nan")]
    pub symbols_per_second: f64,
    /// Wall time of training so far, in seconds, over all parts of the run.
    pub seconds: f64,
}

/// JSON has no NaN: serde_json writes `null`, and a diverged step must still be readable.
fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Record {
    /// The record as one line, with its line end.
    pub fn to_line(&self) -> String {
        let json = serde_json::to_string(self).expect("a record of numbers always has a JSON form");
        json + "\n"
    }
}

/// The first line: of which run the records are.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    run: String,
}

/// The first line of a run's records, with its line end; nothing for a run without an identifier.
pub(super) fn head(run: Option<&str>) -> String {
    let head = run.map(|run| Head { run: run.to_owned() });
    head.map_or(String::new(), |head| serde_json::to_string(&head).expect("a string always has a JSON form") + "\n")
}

/// Of which run these records say they are.
pub(super) fn run_of(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|&b| b == b'\n').next()?;
    serde_json::from_slice(line).ok().map(|head: Head| head.run)
}

/// Whether a file begins as one of records does; an empty one does.
pub(super) fn begins_as_one(path: &Path) -> bool {
    let Ok((file, _)) = regular::open(path) else { return false };
    let mut begin = Vec::new();
    if file.take(MOST_LINE).read_to_end(&mut begin).is_err() {
        return false;
    }
    let line = begin.split(|&b| b == b'\n').next().unwrap_or_default();
    begin.is_empty() || run_of(&begin).is_some() || serde_json::from_slice::<Record>(line).is_ok()
}

/// No line is longer.
const MOST_LINE: u64 = 4096;

/// Reads `metrics.jsonl`.
///
/// # Errors
/// [`Kind::BadInput`] with path and line.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    parse(path, &regular::read(path, regular::MOST_TEXT)?)
}

/// The records of a file's bytes; a last line without its line end that is no record was torn by a crash, and is dropped.
///
/// # Errors
/// [`Kind::BadInput`] naming the line that is no record, or whose step does not follow the one before.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = Vec::new();
    for (i, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
        let broken = |why: String| {
            Error::new(Kind::BadInput, format!("{}, line {}: not a record of a step", path.display(), i + 1)).cause(why)
        };
        if i == 0 && serde_json::from_slice::<Head>(line).is_ok() {
            continue;
        }
        match serde_json::from_slice::<Record>(line) {
            Ok(record) => {
                let before = records.last().map_or(0, |r| r.step);
                if record.step <= before && !records.is_empty() {
                    return Err(broken(format!("step {} comes after step {before}", record.step)));
                }
                records.push(record);
            }
            Err(_) if line.last() != Some(&b'\n') => break,
            Err(e) => return Err(broken(e.to_string())),
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64) -> Record {
        Record {
            step,
            symbols: step * 4096,
            loss: 1.0 / step as f64,
            validation: step.is_multiple_of(2).then_some(0.1 + 0.2),
            learning_rate: 2e-3,
            gradient_norm: 0.7,
            symbols_per_second: 45_000.0,
            seconds: step as f64 * 0.09,
        }
    }

    fn lines(steps: impl IntoIterator<Item = u64>) -> String {
        steps.into_iter().map(|s| record(s).to_line()).collect()
    }

    fn parsed(text: &str) -> Result<Vec<Record>> {
        parse(Path::new("metrics.jsonl"), text.as_bytes())
    }

    #[test]
    fn records_come_back_to_the_last_digit() {
        let wanted: Vec<Record> = (1..5).map(record).collect();
        assert_eq!(parsed(&lines(1..5)).unwrap(), wanted);
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
        let whole = lines(1..4);
        let second_end = lines(1..3).len();
        for cut in second_end..whole.len() - 1 {
            assert_eq!(parsed(&whole[..cut]).unwrap().len(), 2, "cut at byte {cut}");
        }
        assert_eq!(parsed(&whole[..whole.len() - 1]).unwrap().len(), 3, "only the line end is missing");
    }

    #[test]
    fn zeros_left_at_the_end_by_a_power_loss_are_dropped() {
        let mut bytes = lines(1..3).into_bytes();
        bytes.extend([0; 100]);
        assert_eq!(parse(Path::new("x"), &bytes).unwrap().len(), 2);
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let text = lines(1..3) + "{\"step\": 3}\n" + &lines(4..5);
        let error = parsed(&text).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
        assert!(error.what.contains("metrics.jsonl, line 3"), "{error}");
    }

    #[test]
    fn steps_that_go_back_are_named() {
        let error = parsed(&lines([1, 3, 2])).unwrap_err();
        assert!(error.what.contains("line 3") && error.cause.contains("step 2 comes after step 3"), "{error}");
    }

    #[test]
    fn a_diverged_step_is_recorded_and_read() {
        let diverged = Record { loss: f64::NAN, gradient_norm: f64::INFINITY, ..record(1) };
        let read = parsed(&diverged.to_line()).unwrap();
        assert!(read[0].loss.is_nan() && read[0].gradient_norm.is_nan());
    }
}
