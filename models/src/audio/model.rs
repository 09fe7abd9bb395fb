//! A model of sounds: a network, the distribution that its numbers mean, and the symbols that samples are to it.

use super::condition::Frames;
use super::model_config::{Encoding, ModelConfig};
use super::wavenet::{Condition, Input, WaveNet};
use crate::levels::head::{LevelDistribution, rows};
use autograd::nn::{Module, Visit, VisitMut};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, no_grad};
use std::ops::Range;

/// A model of sounds of one rate.
#[derive(Clone, Debug)]
pub struct AudioModel<T> {
    /// What it is made of; nothing is left to be filled in.
    pub config: ModelConfig,
    /// The network.
    pub network: WaveNet<T>,
}

/// The parameters are the network's, under its names.
impl<T: Scalar> Module<T> for AudioModel<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        self.network.visit(prefix, visit);
    }

    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        self.network.visit_mut(prefix, visit);
    }
}

/// What a model is told of a sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The number of each of its labels.
    pub labels: Vec<u32>,
    /// Its frames.
    pub frames: Option<Frames>,
}

/// Samples that are scored in one pass, beside those before them that the network hears: what is alive at once stays within a large cache.
const BLOCK: usize = 1 << 14;

impl<T: Scalar> AudioModel<T> {
    /// A model with its initial weights.
    ///
    /// # Panics
    /// If the network has no layer.
    pub fn new(config: &ModelConfig, stream: &mut Stream) -> Self {
        let input = match config.encoding {
            Encoding::MuLaw => Input::Codes(config.symbols()),
            Encoding::Linear => Input::Levels(config.symbols()),
        };
        let network = WaveNet::new(config.sizes(), input, config.parameters(), &config.conditioned(), stream);
        AudioModel { config: config.clone(), network }
    }

    /// The symbols of samples.
    pub fn codes(&self, samples: &[i16]) -> Vec<u32> {
        samples.iter().map(|&sample| self.config.encoding.code(sample)).collect()
    }

    /// The numbers for some positions of a sound, from its codes before them as far back as the network hears. Bit for bit those of one pass
    /// over the whole sound.
    ///
    /// # Shapes
    /// `codes` the whole sound, or its beginning up to the end of the range → (1, P, positions)
    ///
    /// # Panics
    /// If there are not so many codes, one is none, or what is told is not what the model is told.
    #[track_caller]
    pub fn forward(&self, codes: &[u32], positions: Range<usize>, told: &Told) -> Tensor<T> {
        let past = positions.start.min(self.config.sizes().receptive_field());
        let from = positions.start - past;
        let count = positions.end - from;
        let local = told.frames.as_ref().map(|frames| {
            let rows = frames.of_samples(self.config.local.hop(), from, count, self.config.upsampling);
            let rows = rows.into_iter().map(|x| T::of(self.config.feature(x))).collect();
            Tensor::from_vec(rows, &[1, count, frames.bands]).permute(&[0, 2, 1])
        });
        let global: Vec<&[u32]> = told.labels.iter().map(std::slice::from_ref).collect();
        let condition = Condition { global: &global, local: local.as_ref() };
        let skips = self.network.skips(&codes[from..positions.end], 1, condition);
        self.network.outputs(&if past == 0 { skips } else { skips.narrow(2, past, positions.len()) })
    }

    /// The mean `−ln p` of a sample of these pieces, in nats, recorded for the backward pass. Each is a sound, the positions of it that
    /// count, and what the model is told of it.
    ///
    /// # Shapes
    /// → ()
    ///
    /// # Panics
    /// As [`AudioModel::forward`]; if there is no position at all.
    #[track_caller]
    pub fn loss<'p>(&self, pieces: impl IntoIterator<Item = (&'p [u32], Range<usize>, &'p Told)>) -> Tensor<T> {
        let pieces: Vec<_> = pieces.into_iter().collect();
        let all: usize = pieces.iter().map(|(_, positions, _)| positions.len()).sum();
        let of_one = |(codes, positions, told): (&[u32], Range<usize>, &Told)| {
            let share = T::of(positions.len() as f64 / all as f64);
            let parameters = self.forward(codes, positions.clone(), told);
            self.config.distribution.loss(self.config.symbols(), parameters, &codes[positions]).mul_scalar(share)
        };
        let sum = pieces.into_iter().map(of_one).reduce(|sum, one| sum + one);
        sum.expect("loss: at least one piece")
    }

    /// The distribution of every symbol of a sound given those before it, in one pass. Records nothing.
    ///
    /// # Panics
    /// As [`AudioModel::forward`].
    #[track_caller]
    pub fn distributions(&self, codes: &[u32], told: &Told) -> Vec<LevelDistribution<T>> {
        if codes.is_empty() {
            return Vec::new();
        }
        let each = self.config.parameters();
        let rows = no_grad(|| rows(each, &self.forward(codes, 0..codes.len(), told)));
        let rows = rows.value().as_slice().expect("row-major").chunks_exact(each);
        rows.map(|row| self.distribution(row)).collect()
    }

    /// The distribution that P numbers mean.
    pub fn distribution(&self, row: &[T]) -> LevelDistribution<T> {
        self.config.distribution.distribution(self.config.symbols(), row)
    }

    /// `−ln p` of every symbol of a sound in nats, in blocks and on all cores; the same bits as step by step. Records nothing.
    ///
    /// # Panics
    /// As [`AudioModel::forward`].
    #[track_caller]
    pub fn nats(&self, codes: &[u32], told: &Told) -> Vec<f64> {
        let mut nats = Vec::with_capacity(codes.len());
        for from in (0..codes.len()).step_by(BLOCK) {
            let positions = from..(from + BLOCK).min(codes.len());
            let parameters = no_grad(|| self.forward(codes, positions.clone(), told));
            nats.extend(self.config.distribution.nats(self.config.symbols(), &parameters, &codes[positions]));
        }
        nats
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
