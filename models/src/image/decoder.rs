//! A network of images a sub-pixel at a time: exact, in the bits of the pass over whole images, and at the cost of one such pass for an
//! image in all.
//!
//! An image is its levels in raster order, the colours of a pixel side by side. What a layer computed of the pixels before is remembered
//! (`rows`); what is above a row enters all its pixels when the row begins (`convolution`). How a network is put together of such
//! layers stands with each: a new one is a file with its `Steps`, and a line in `steps_of`.

mod class;
mod convolution;
mod diagonal_lstm;
mod drawing;
mod gated_pixel_cnn;
mod kernel;
mod lstm;
mod pixel_cnn;
mod row_lstm;
mod rows;

use super::model::{ImageModel, ModelConfig};
use super::network::Network;
use crate::autoregressive::{Autoregressive, Conditional};
use crate::distribution::{Categorical, Distribution};
use crate::levels::head::LevelDistribution;
use autograd::Scalar;
use convolution::At;
pub use drawing::{AT_A_TIME, Drawing, first_after_a_hole};
use rows::{Plan, Rows};

/// A network that is computed a sub-pixel at a time.
trait Steps<T: Scalar>: Send + Sync {
    /// What is to be remembered of an image. The first rows are those of the image itself.
    fn plan(&self) -> &Plan;

    /// Multiply-adds of a pixel, all its colours and its share of what is computed row by row together.
    fn multiply_adds(&self) -> usize;

    /// Those of them that the last row does without: what would be computed of it for a row that there is not.
    fn unread(&self) -> usize {
        0
    }

    /// Computes what the rows above say of the next row. All rows of the memory have begun it.
    fn begin_row(&self, memory: &mut Memory<T>);

    /// Computes the parameters of the distribution of a sub-pixel, the same one of every image, into the work's `out`: (images, P).
    fn sub_pixel(&self, states: &mut [State<T>], at: At, work: &mut Work<T>);
}

/// A network prepared for stepping.
fn steps_of<T: Scalar>(network: &Network<T>, colours: usize, width: usize) -> Box<dyn Steps<T>> {
    match network {
        Network::PixelCnn(network) => Box::new(pixel_cnn::CachedPixelCnn::new(network, colours, width)),
        Network::GatedPixelCnn(network) => Box::new(gated_pixel_cnn::CachedGatedPixelCnn::new(network, colours, width)),
        Network::RowLstm(network) => Box::new(row_lstm::CachedRowLstm::new(network, colours, width)),
        Network::DiagonalLstm(network) => Box::new(diagonal_lstm::CachedDiagonalBiLstm::new(network, colours, width)),
    }
}

/// What a network remembers of an image.
#[derive(Clone, Debug)]
struct Memory<T> {
    rows: Vec<Rows<T>>,
    /// What was computed when the row began.
    begun: Vec<Vec<T>>,
    /// Rows that have begun, the one that is drawn among them.
    rows_begun: usize,
    class: Option<u32>,
    /// Done for this image so far.
    multiply_adds: u64,
}

/// Values on their way from layer to layer, of several images side by side. Kept between steps for their memory alone.
#[derive(Clone, Debug, Default)]
struct Work<T> {
    passed: Vec<T>,
    features: Vec<T>,
    hidden: Vec<T>,
    skips: Vec<T>,
    out: Vec<T>,
}

/// An image as far as it is drawn.
#[derive(Clone, Debug)]
pub struct State<T> {
    memory: Memory<T>,
    work: Work<T>,
    /// Sub-pixels so far.
    seen: usize,
    distribution: LevelDistribution<T>,
}

impl<T> State<T> {
    /// The multiply-adds that were done for this image so far, counted as they were done.
    pub fn multiply_adds(&self) -> u64 {
        self.memory.multiply_adds
    }
}

/// Channels 0, 1, … in equal blocks, one for each colour.
fn by_colour(channels: usize, colours: usize) -> Vec<Vec<usize>> {
    let each = channels / colours;
    (0..colours).map(|colour| (colour * each..(colour + 1) * each).collect()).collect()
}

/// A model ready to be stepped. It owns what it needs: its parameters are the model's until one of the two changes them.
pub struct Decoder<T> {
    model: ImageModel<T>,
    stepper: Stepper<T>,
}

/// What of a [`Decoder`] threads can share.
struct Stepper<T> {
    steps: Box<dyn Steps<T>>,
    config: ModelConfig,
    /// Level l as the network reads it.
    scaled: Vec<T>,
}

impl<T: Scalar> Decoder<T> {
    /// Prepares a model.
    ///
    /// # Panics
    /// If its images have no sub-pixel, or fewer than two levels.
    pub fn new(model: &ImageModel<T>) -> Self {
        let config = model.config.clone();
        assert!(config.values() > 0 && config.levels > 1, "decoder: images of {config:?}");
        let stepper =
            Stepper { steps: steps_of(&model.network, config.colours, config.width), scaled: model.scaled(), config };
        Decoder { model: model.clone(), stepper }
    }

    /// Multiply-adds of one image in all: those of one pass over it, without what is masked.
    pub fn multiply_adds(&self) -> u64 {
        let Stepper { steps, config, .. } = &self.stepper;
        steps.multiply_adds() as u64 * config.pixels() as u64 - steps.unread() as u64 * config.width as u64
    }
}

impl<T: Scalar> Stepper<T> {
    /// The state before any sub-pixel of an image of this class.
    ///
    /// # Panics
    /// If the model has no such class.
    #[track_caller]
    fn start_of(&self, class: Option<u32>) -> State<T> {
        let classes = self.config.classes.len();
        assert!(class.is_none_or(|class| (class as usize) < classes), "decoder: class {class:?} of {classes}");
        let plan = self.steps.plan();
        let memory = Memory {
            rows: plan.rows.iter().map(|&extent| Rows::new(extent)).collect(),
            begun: plan.begun.iter().map(|&len| vec![T::zero(); len]).collect(),
            rows_begun: 0,
            class,
            multiply_adds: 0,
        };
        let ModelConfig { distribution, .. } = self.config;
        let distribution = distribution.distribution(self.config.levels, &vec![T::zero(); self.config.parameters()]);
        let mut state = State { memory, work: Work::default(), seen: 0, distribution };
        self.next_of(std::slice::from_mut(&mut state));
        state
    }

    /// Gives every state, all at the same sub-pixel, the distribution of that sub-pixel.
    fn next_of(&self, states: &mut [State<T>]) {
        let Some(&State { seen, .. }) = states.first() else { return };
        if seen == self.config.values() {
            return;
        }
        let ModelConfig { width, colours, .. } = self.config;
        let at = At { x: seen / colours % width, colour: seen % colours };
        if (at.x, at.colour) == (0, 0) {
            for State { memory, .. } in states.iter_mut() {
                memory.rows.iter_mut().for_each(Rows::begin);
                memory.rows_begun += 1;
                self.steps.begin_row(memory);
            }
        }
        let mut work = std::mem::take(&mut states[0].work);
        self.steps.sub_pixel(states, at, &mut work);
        let each = work.out.len() / states.len();
        for (state, parameters) in states.iter_mut().zip(work.out.chunks_exact(each)) {
            match &mut state.distribution {
                // in the memory that it has
                LevelDistribution::Categorical(Categorical { logits }) => logits.copy_from_slice(parameters),
                other => *other = self.config.distribution.distribution(self.config.levels, parameters),
            }
        }
        states[0].work = work;
    }

    /// Takes in a sub-pixel of every state, all at the same one.
    fn step_together(&self, states: &mut [State<T>], levels: &[u32]) {
        let ModelConfig { width, colours, .. } = self.config;
        for (state, &level) in states.iter_mut().zip(levels) {
            assert!(state.seen < self.config.values(), "step: the image is whole");
            let (x, colour) = (state.seen / colours % width, state.seen % colours);
            state.memory.rows[0].at(x, colour, 1)[0] = self.scaled[level as usize];
            state.seen += 1;
        }
        self.next_of(states);
    }
}

/// A model and the class of an image; none, of a model without classes.
pub struct Given<'d, T> {
    decoder: &'d Decoder<T>,
    class: Option<u32>,
}

impl<T: Scalar> Conditional for Decoder<T> {
    type Condition = Option<u32>;
    type Given<'c> = Given<'c, T>;

    fn given<'c>(&'c self, class: &'c Option<u32>) -> Given<'c, T> {
        Given { decoder: self, class: *class }
    }
}

impl<T: Scalar> Autoregressive for Given<'_, T> {
    type Symbol = u32;
    type Distribution = LevelDistribution<T>;
    type State = State<T>;

    fn distributions(&self, levels: &[u32]) -> Vec<LevelDistribution<T>> {
        self.decoder.model.distributions(levels, self.class)
    }

    fn start(&self) -> State<T> {
        self.decoder.stepper.start_of(self.class)
    }

    fn next<'s>(&self, state: &'s State<T>) -> &'s LevelDistribution<T> {
        &state.distribution
    }

    fn step(&self, state: &mut State<T>, level: u32) {
        self.decoder.stepper.step_together(std::slice::from_mut(state), &[level]);
    }

    fn length(&self) -> Option<usize> {
        Some(self.decoder.stepper.config.values())
    }

    /// In the pass over a whole image, in the bits of stepping.
    fn nats_of_many(&self, sequences: &[&[u32]]) -> Vec<Vec<f64>> {
        let nats = |levels: &[u32]| {
            self.distributions(levels).iter().zip(levels).map(|(d, &level)| -d.log_probability(level)).collect()
        };
        sequences.iter().map(|levels| nats(levels)).collect()
    }

    /// Reads the weights once for all states that are at the same sub-pixel.
    fn step_many(&self, states: &mut [State<T>], levels: &[u32]) {
        assert_eq!(states.len(), levels.len(), "step_many: one symbol for each state");
        let mut levels = levels;
        for states in states.chunk_by_mut(|a, b| a.seen == b.seen) {
            let (these, others) = levels.split_at(states.len());
            self.decoder.stepper.step_together(states, these);
            levels = others;
        }
    }
}

#[cfg(test)]
mod tests;
