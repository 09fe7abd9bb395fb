//! A model of sounds through the trait of all models: given what it is told of a sound, in parallel and a sample at a time.

use super::decoder::{Decoder, Memory};
use super::model::{AudioModel, Told};
use crate::autoregressive::{Autoregressive, Conditional};
use crate::distribution::Categorical;
use crate::levels::head::LevelDistribution;
use autograd::Scalar;

/// A model prepared for drawing. It owns what it needs.
pub struct Prepared<T> {
    model: AudioModel<T>,
    decoder: Decoder<T>,
}

impl<T: Scalar> Prepared<T> {
    /// Prepares a model.
    pub fn new(model: &AudioModel<T>) -> Self {
        Prepared { decoder: Decoder::new(&model.network), model: model.clone() }
    }

    /// The model.
    pub fn model(&self) -> &AudioModel<T> {
        &self.model
    }

    /// The network a sample at a time.
    pub(super) fn decoder(&self) -> &Decoder<T> {
        &self.decoder
    }

    /// What a sample is told of its moment, as the network reads it; `row` is memory for it.
    ///
    /// # Shapes
    /// → `features` (F)
    pub(super) fn features(&self, told: &Told, sample: usize, row: &mut [f32], features: &mut [T]) {
        let config = &self.model.config;
        if let Some(frames) = &told.frames {
            frames.of_sample(config.local.hop(), sample, config.upsampling, row);
            features.iter_mut().zip(row).for_each(|(x, &mut y)| *x = T::of(config.feature(y)));
        }
    }

    /// Multiply-adds of a sample.
    pub fn multiply_adds(&self) -> usize {
        self.decoder.multiply_adds()
    }
}

/// A model and what it is told of a sound. With frames, sounds end where the last frame's samples do.
pub struct Given<'d, T> {
    prepared: &'d Prepared<T>,
    told: &'d Told,
    length: Option<usize>,
}

impl<'d, T: Scalar> Given<'d, T> {
    /// Sounds of so many samples.
    ///
    /// # Panics
    /// If there are frames, and not those of so many samples.
    #[track_caller]
    pub fn of_length(self, samples: usize) -> Self {
        let fits = |most: usize| assert!(samples <= most, "{samples} samples of frames for {most}");
        self.length.into_iter().for_each(fits);
        Given { length: Some(samples), ..self }
    }
}

/// A sound as far as it is drawn.
#[derive(Clone, Debug)]
pub struct State<T> {
    memory: Memory<T>,
    /// Samples so far.
    seen: usize,
    /// What the next sample is told.
    features: Vec<T>,
    row: Vec<f32>,
    distribution: LevelDistribution<T>,
}

impl<T: Scalar> Conditional for Prepared<T> {
    type Condition = Told;
    type Given<'c> = Given<'c, T>;

    fn given<'c>(&'c self, told: &'c Told) -> Given<'c, T> {
        let hop = self.model.config.local.hop();
        let length = told.frames.as_ref().map(|frames| *frames.lengths(hop).end());
        Given { prepared: self, told, length }
    }
}

impl<T: Scalar> Given<'_, T> {
    /// Gives the state the distribution of the symbol after `code`, none at the beginning.
    fn advance(&self, state: &mut State<T>, code: Option<u32>) {
        let Prepared { model, decoder } = self.prepared;
        self.prepared.features(self.told, state.seen, &mut state.row, &mut state.features);
        let row = decoder.step(&mut state.memory, code, &state.features);
        keep(model, row, &mut state.distribution);
    }
}

/// Gives a distribution the parameters of another one of the model.
pub(super) fn keep<T: Scalar>(model: &AudioModel<T>, row: &[T], distribution: &mut LevelDistribution<T>) {
    match distribution {
        // in the memory that it has
        LevelDistribution::Categorical(Categorical { logits }) => logits.copy_from_slice(row),
        other => *other = model.distribution(row),
    }
}

impl<T: Scalar> Autoregressive for Given<'_, T> {
    type Symbol = u32;
    type Distribution = LevelDistribution<T>;
    type State = State<T>;

    fn distributions(&self, codes: &[u32]) -> Vec<LevelDistribution<T>> {
        self.prepared.model.distributions(codes, self.told)
    }

    fn start(&self) -> State<T> {
        let Prepared { model, decoder } = self.prepared;
        let features = model.config.local.bands();
        let mut state = State {
            memory: decoder.start(&self.told.labels),
            seen: 0,
            features: vec![T::zero(); features],
            row: vec![0.0; features],
            distribution: model.distribution(&vec![T::zero(); model.config.parameters()]),
        };
        self.advance(&mut state, None);
        state
    }

    fn next<'s>(&self, state: &'s State<T>) -> &'s LevelDistribution<T> {
        &state.distribution
    }

    fn step(&self, state: &mut State<T>, code: u32) {
        state.seen += 1;
        if self.length.is_none_or(|length| state.seen < length) {
            self.advance(state, Some(code));
        }
    }

    fn length(&self) -> Option<usize> {
        self.length
    }

    /// In the pass over whole sounds, in the bits of stepping.
    fn nats_of_many(&self, sounds: &[&[u32]]) -> Vec<Vec<f64>> {
        sounds.iter().map(|codes| self.prepared.model.nats(codes, self.told)).collect()
    }
}
