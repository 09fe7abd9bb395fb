//! The order in which symbols are coded, once for both directions.
//!
//! 1. The labels of all sequences, in their order: a label of n values as a symbol of n equally likely ones. So the file says itself what
//!    the model was told, and nobody has to say it again.
//! 2. The sequences, those of equal labels together, labels ascending, so that one model serves many. Of these [`AT_ONCE`] at a time go side by
//!    side: the first symbol of each, then the second of each, so that weights are read once for all of them.

use super::Progress;
use super::coder::Coder;
use super::intervals::Coded;
use crate::autoregressive::Autoregressive;
use crate::distribution::{Categorical, Distribution, not_finite};
use crate::error::{Error, Kind, Result};
use std::collections::BTreeMap;

/// Sequences that go side by side. A part of the format: another number is another order.
pub const AT_ONCE: usize = 64;

/// Symbols between two calls of `progress`.
const PIECE: usize = 1024;

/// What an error says of sequences that are none of the model's.
pub(super) const NOT_OF_THIS_LENGTH: &str = "the file holds sequences of another length than the model's";

/// A model as it codes.
pub trait Source {
    /// What labels mean to the model.
    type Told;

    /// The model told it.
    type Given<'m>: Autoregressive<Symbol = u32, Distribution: Coded>
    where
        Self: 'm;

    /// How many values each label of a sequence has; none for a model that is told nothing.
    fn labels(&self) -> Vec<u32>;

    /// What labels mean.
    fn told(&self, labels: &[u32]) -> Self::Told;

    /// The model told it.
    fn given<'m>(&'m self, told: &'m Self::Told) -> Self::Given<'m>;
}

/// Sequences of one length, each with its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequences {
    /// The labels of each.
    pub labels: Vec<Vec<u32>>,
    /// The codes of each.
    pub codes: Vec<Vec<u32>>,
}

impl Sequences {
    /// One sequence, of which the model is told nothing.
    pub fn of_one(codes: Vec<u32>) -> Self {
        Sequences { labels: vec![Vec::new()], codes: vec![codes] }
    }

    /// So many without a symbol yet.
    pub(super) fn empty(count: usize) -> Self {
        Sequences { labels: vec![Vec::new(); count], codes: vec![Vec::new(); count] }
    }

    /// CRC-32 of all labels, then all codes, four bytes each, little-endian.
    pub fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        self.labels.iter().chain(&self.codes).flatten().for_each(|code| hasher.update(&code.to_le_bytes()));
        hasher.finalize()
    }

    /// The places of the sequences of equal labels.
    fn groups(&self) -> BTreeMap<Vec<u32>, Vec<usize>> {
        let mut groups: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
        self.labels
            .iter()
            .enumerate()
            .for_each(|(place, labels)| groups.entry(labels.clone()).or_default().push(place));
        groups
    }
}

/// Codes sequences of this length: those that are there, or, decoding, into those that are empty.
///
/// # Errors
/// Those of the coder and of `progress`; [`Kind::BadInput`] where the model gives no distribution, or its sequences have another length.
pub(super) fn run<S: Source, C: Coder>(
    source: &S,
    coder: &mut C,
    sequences: &mut Sequences,
    length: usize,
    progress: Progress,
) -> Result<()> {
    for (kind, &values) in source.labels().iter().enumerate() {
        let equally_likely = Categorical { logits: vec![0.0_f64; values as usize] };
        for labels in &mut sequences.labels {
            coder.code(&equally_likely, labels, kind)?;
        }
    }
    let (mut done, mut told_of) = (0, 0);
    let all = sequences.codes.len() * length;
    progress(0, all)?;
    for (labels, places) in sequences.groups() {
        let told = source.told(&labels);
        let model = source.given(&told);
        if let Some(own) = model.length().filter(|&own| own != length) {
            return Err(Error::new(Kind::BadInput, NOT_OF_THIS_LENGTH)
                .cause(format!("they have {length} symbols, the model's {own}")));
        }
        if length == 0 {
            continue;
        }
        let start = model.start();
        for places in places.chunks(AT_ONCE) {
            let mut states = vec![start.clone(); places.len()];
            let mut symbols = vec![0; places.len()];
            for t in 0..length {
                for ((state, &place), symbol) in states.iter().zip(places).zip(&mut symbols) {
                    let distribution = model.next(state);
                    if !distribution.is_sound() {
                        return Err(not_finite(t + 1));
                    }
                    *symbol = coder.code(distribution, &mut sequences.codes[place], t)?;
                }
                match &mut states[..] {
                    // Nobody asks what comes after the last.
                    _ if t + 1 == length => {}
                    [state] => model.step(state, symbols[0]),
                    states => model.step_many(states, &symbols),
                }
                done += places.len();
                if done - told_of >= PIECE {
                    told_of = done;
                    progress(done, all)?;
                }
            }
        }
    }
    progress(done, all)
}
