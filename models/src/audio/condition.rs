//! What a sound is conditioned on moment by moment: frames of features out of a file, and how they are brought to samples.
//!
//! A file is CSV: a line a frame, a column a feature, commas, semicolons or tabs between, a first line of names or none.
//!
//! Frame t is centred on sample `t·hop`, as in [`super::spectrum`], so sample n lies nearest to frame `⌊(n + ⌊hop/2⌋) / hop⌋`; the samples
//! behind the last one's middle are its own. A sound of n samples has `1 + n / hop` frames.

use crate::data::sniff::without_mark;
use crate::data::table::cell::{self, Cell};
use crate::data::table::layout::{self, First};
use crate::data::table::rows::{Row, Rows};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::counted;
use csv::ByteRecord;
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
/// [`Kind::BadInput`] if it is no text, holds no frame, has lines of different lengths, an empty line between them or more than
/// [`MOST_BANDS`] columns, a first line that may be numbers of columns or a frame, or one of its cells is no finite number; the message names
/// line and column.
pub fn parse_frames(bytes: &[u8], path: &str) -> Result<Frames> {
    let bad = |what: String| Error::new(Kind::BadInput, format!("{path}: {what}"));
    let (bytes, _) = without_mark(bytes);
    layout::check(bytes, path, "write a line of numbers for each frame")?;
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(bad("it cannot be read as CSV".to_owned()).cause(error).help("save it as CSV in UTF-8"));
    }
    let mut ahead = Rows::of(bytes, path);
    let (first, second) = (ahead.next()?, ahead.next()?);
    let named = match &first {
        Some(first) => names(&first.cells, second.as_ref().map(|row| &row.cells)).map_err(|cause| {
            bad(format!("line {} may be a frame or numbers of columns", first.line))
                .cause(cause)
                .help("remove the line, or write names; pandas: to_csv(index=False, header=False)")
        })?,
        None => false,
    };
    let mut rows = Rows::of(bytes, path);
    if named {
        rows.next()?;
    }
    let mut frames =
        Frames { bands: if named { first.map_or(0, |row| row.cells.len()) } else { 0 }, values: Vec::new() };
    while let Some(Row { line, after_blank, cells }) = rows.next()? {
        if frames.bands == 0 {
            frames.bands = cells.len();
        }
        if cells.len() > MOST_BANDS {
            return Err(bad(format!("line {line} has {}", counted(cells.len() as u64, "column")))
                .cause(format!("a frame has at most {MOST_BANDS} features"))
                .help("a line is a frame, a column a feature: turn the table around"));
        }
        if cells.len() != frames.bands {
            let help = match cell::decimal_comma_split(&cells, frames.bands) {
                true => "if the commas are decimal commas, write points, or separate columns by ;",
                false => "give every frame the same features",
            };
            return Err(bad(format!("line {line} has {}", counted(cells.len() as u64, "column")))
                .cause(format!("the lines before have {}", frames.bands))
                .help(help));
        }
        if after_blank && !frames.values.is_empty() {
            return Err(bad(format!("line {} is empty", line - 1))
                .cause("a line is a frame: whether one is missing there, nobody knows")
                .help("fill the gap or remove the line"));
        }
        for (column, text) in cells.iter().enumerate() {
            let text = String::from_utf8_lossy(text);
            match text.parse::<f32>() {
                Ok(value) if value.is_finite() => frames.values.push(value),
                _ => return Err(complaint(&bad, line, column, &text)),
            }
        }
    }
    if frames.values.is_empty() {
        return Err(bad("it holds no frames".to_owned()).help("give a line of numbers for each frame"));
    }
    Ok(frames)
}

/// Whether a first line names the features: none of its cells is a number.
///
/// # Errors
/// What it holds, where it looks like what programs write above columns that have no names.
fn names(first: &ByteRecord, second: Option<&ByteRecord>) -> std::result::Result<bool, String> {
    let text = |cell: &[u8]| std::str::from_utf8(cell).is_ok_and(|cell| cell.parse::<f32>().is_err());
    if first.iter().all(|cell| text(cell) && !cell.is_empty()) {
        return Ok(true);
    }
    let shown =
        || first.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",").chars().take(60).collect::<String>();
    if first.get(0).is_some_and(<[u8]>::is_empty) {
        return Err(format!("it begins with a column without a name, as pandas writes an index: {}", shown()));
    }
    // One or two features, 0 or 1 each, are as well a frame where the next one is like it.
    let whole = |cell: &[u8]| cell.iter().all(u8::is_ascii_digit);
    let like_it = first.len() < 3 && second.is_none_or(|second| second.iter().all(whole));
    match layout::first_line(first, second) {
        First::Unclear if !like_it => {
            Err(format!("it holds {}, as a program numbers columns that have no name", shown()))
        }
        _ => Ok(false),
    }
}

/// The error of a cell that is no finite number.
fn complaint(bad: &impl Fn(String) -> Error, line: usize, column: usize, text: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    let error = bad(format!("line {line}, column {}: {shown:?} is no finite number", column + 1));
    let (cause, help) = match Cell::of(text) {
        // A number that 32 bits do not hold; or a word, of which a series' complaint would speak of its column.
        Cell::Number(_) => {
            ("features are numbers of 32-bit float".to_owned(), "mend the cell, or leave the column out")
        }
        Cell::Text if !shown.starts_with('#') => (
            "features are numbers of 32-bit float, with a decimal point".to_owned(),
            "mend the cell, or leave the column out",
        ),
        cell => cell.complaint(&shown),
    };
    error.cause(cause).help(help)
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
                // With a point: `0,1,2` would look like numbers of columns.
                let _ = write!(text, "{}{value:?}", if i > 0 { "," } else { "" });
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
