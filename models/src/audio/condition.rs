//! What a sound is conditioned on moment by moment: frames of features out of a file, and how they are brought to samples.
//!
//! A file is CSV: a line a frame, a column a feature, commas between, a first line of names or none.
//!
//! Frame t is centred on sample `t·hop`, as in [`super::spectrum`], so sample n lies nearest to frame `⌊(n + ⌊hop/2⌋) / hop⌋`; the samples
//! behind the last one's middle are its own. A sound of n samples has `1 + n / hop` frames.

use crate::data::sniff::{not_text, without_mark};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::counted;
use csv::{ReaderBuilder, StringRecord, Trim};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::ops::RangeInclusive;

/// The most features of a frame.
pub const MOST_BANDS: usize = 4096;

/// Frames of features.
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    /// Features of a frame.
    pub bands: usize,
    /// The features, frame by frame, all finite: (frames, bands).
    pub values: Vec<f32>,
}

/// What a sample between two frames is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upsampling {
    /// The nearest frame.
    #[default]
    Repeat,
    /// A line between the frame before and the frame behind.
    Linear,
}

/// Reads frames; `path` names the file in messages.
///
/// # Errors
/// [`Kind::BadInput`] if it is no text, holds no frame, has lines of different lengths or more than [`MOST_BANDS`] columns, or one of its
/// cells is no finite number; the message names line and column.
pub fn parse_frames(bytes: &[u8], path: &str) -> Result<Frames> {
    let bad = |what: String| Error::new(Kind::BadInput, format!("{path}: {what}"));
    let (bytes, _) = without_mark(bytes);
    if let Some(kind) = not_text(bytes) {
        return Err(bad("these are no frames of features".to_owned())
            .cause(format!("it is {}", kind.what))
            .help(kind.help));
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(bytes);
    let (mut row, mut first) = (StringRecord::new(), true);
    let mut frames = Frames { bands: 0, values: Vec::new() };
    loop {
        let read = reader
            .read_record(&mut row)
            .map_err(|error| bad("it cannot be read as CSV".to_owned()).cause(error).help("save it as CSV in UTF-8"))?;
        if !read {
            break;
        }
        let line = row.position().map_or(0, csv::Position::line);
        if frames.bands == 0 {
            frames.bands = row.len();
        }
        if row.len() > MOST_BANDS {
            return Err(bad(format!("line {line} has {}", counted(row.len() as u64, "column")))
                .cause(format!("a frame has at most {MOST_BANDS} features"))
                .help("a line is a frame, a column a feature: turn the table around"));
        }
        if row.len() != frames.bands {
            return Err(bad(format!("line {line} has {}", counted(row.len() as u64, "column")))
                .cause(format!("the lines before have {}", frames.bands))
                .help("give every frame the same features"));
        }
        // A first line without a number names the columns.
        let names = std::mem::take(&mut first) && row.iter().all(|cell| cell.parse::<f32>().is_err());
        if names {
            continue;
        }
        for (column, cell) in row.iter().enumerate() {
            let value = cell.parse::<f32>().map_err(|_| ()).and_then(|x| if x.is_finite() { Ok(x) } else { Err(()) });
            let Ok(value) = value else {
                let shown: String = cell.chars().take(40).collect();
                return Err(bad(format!("line {line}, column {}: {shown:?} is no finite number", column + 1))
                    .cause("features are numbers of 32-bit float, with a decimal point")
                    .help("mend the cell, or leave the column out"));
            };
            frames.values.push(value);
        }
    }
    if frames.values.is_empty() {
        return Err(bad("it holds no frames".to_owned()).help("give a line of numbers for each frame"));
    }
    Ok(frames)
}

impl Frames {
    /// Frames.
    pub fn count(&self) -> usize {
        self.values.len() / self.bands.max(1)
    }

    /// The frames as a file, without names; what is read from it is equal, bit by bit.
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for frame in self.values.chunks_exact(self.bands.max(1)) {
            for (i, value) in frame.iter().enumerate() {
                let _ = write!(text, "{}{value}", if i > 0 { "," } else { "" });
            }
            text.push('\n');
        }
        text
    }

    /// How many samples a sound of these frames may have: those n for which `1 + n / hop` is the count of frames.
    ///
    /// # Panics
    /// If there are no frames, or the hop is 0.
    #[track_caller]
    pub fn lengths(&self, hop: usize) -> RangeInclusive<usize> {
        assert!(self.count() > 0 && hop > 0, "{} frames, {hop} samples apart", self.count());
        (self.count() - 1).saturating_mul(hop)..=self.count().saturating_mul(hop) - 1
    }

    /// What the samples `from .. from + count` are told. Samples behind the last frame are told the last one.
    ///
    /// # Shapes
    /// → (count, bands)
    ///
    /// # Panics
    /// If there are no frames, or the hop is 0.
    #[track_caller]
    pub fn of_samples(&self, hop: usize, from: usize, count: usize, upsampling: Upsampling) -> Vec<f32> {
        let mut rows = vec![0.0; count * self.bands];
        for (i, row) in rows.chunks_exact_mut(self.bands.max(1)).enumerate() {
            self.of_sample(hop, from + i, upsampling, row);
        }
        rows
    }

    /// What one sample is told.
    ///
    /// # Shapes
    /// → `row` (bands)
    ///
    /// # Panics
    /// If there are no frames, the hop is 0, or the row has another length.
    #[track_caller]
    pub fn of_sample(&self, hop: usize, sample: usize, upsampling: Upsampling, row: &mut [f32]) {
        assert!(self.count() > 0 && hop > 0, "{} frames, {hop} samples apart", self.count());
        let last = self.count() - 1;
        let frame = |t: usize| &self.values[t.min(last) * self.bands..][..self.bands];
        match upsampling {
            Upsampling::Repeat => row.copy_from_slice(frame(nearest(sample, hop))),
            Upsampling::Linear => {
                let share = (sample % hop) as f64 / hop as f64;
                let pairs = frame(sample / hop).iter().zip(frame(sample / hop + 1));
                assert_eq!(row.len(), self.bands, "features of a sample");
                // Exact at a frame and between two equal ones, and in f64 no difference is beyond all measure.
                let between = |(&a, &b): (&f32, &f32)| (f64::from(a) + (f64::from(b) - f64::from(a)) * share) as f32;
                row.iter_mut().zip(pairs).for_each(|(x, pair)| *x = between(pair));
            }
        }
    }
}

/// The frame whose middle is nearest to a sample, the later one of two: `⌊(n + ⌊hop/2⌋) / hop⌋`.
fn nearest(sample: usize, hop: usize) -> usize {
    sample.saturating_add(hop / 2) / hop
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
