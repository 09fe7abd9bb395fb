//! How far a run had come, as a checkpoint says it: the JSON of `autoreg.training`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checksums::of_bytes;
use crate::error::{Error, Kind, Result};

/// How far a run had come: the JSON of `autoreg.training`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done, counted over the whole run.
    pub step: u64,
    /// Symbols trained on.
    #[serde(default)]
    pub symbols: u64,
    /// Wall time of training, in seconds, over all its parts.
    #[serde(default)]
    pub seconds: f64,
    /// The best validation so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Which run it is of: the identifier that the run folder was given when it was made; absent from runs before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What `metrics.jsonl` of that run held when it was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsMark>,
    /// The resolved configuration of the run, and whatever else its loop wants to find again.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
}

/// How long `metrics.jsonl` was when a checkpoint was saved, and the CRC-32 of those bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsMark {
    /// Its length.
    pub bytes: u64,
    /// That of zlib.
    pub crc32: u32,
}

impl MetricsMark {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        MetricsMark { bytes: bytes.len() as u64, crc32: of_bytes(bytes) }
    }
}

/// The best validation of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The step it was measured at.
    pub step: u64,
    /// Nats per symbol.
    pub nats: f64,
}

/// The JSON of a progress, read back before it is trusted: JSON has no NaN, and would lose it silently.
pub(super) fn progress_json(path: &Path, progress: &Progress) -> Result<String> {
    let failed = |cause: String| Error::new(Kind::Failed, format!("cannot save {}", path.display())).cause(cause);
    let json = serde_json::to_string(progress).map_err(|e| failed(e.to_string()))?;
    match serde_json::from_str::<Progress>(&json) {
        Ok(read) if read == *progress => Ok(json),
        _ => Err(failed(format!("a number of its progress is not finite: {json}"))),
    }
}
