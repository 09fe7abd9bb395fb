//! What a network is trained for: the loss of a window, the number that validation watches, and what a sample of it is. A training of text
//! ([`super::training`]) is written once against it.

use super::generation::opening_sample;
use super::network::{Carry, Configured, Network};
use super::scheduled_sampling::mix;
use super::vocabulary::Vocabulary;
use super::windows::Window;
use crate::autoregressive::Autoregressive;
use autograd::Tensor;
use autograd::random::{Stream, Streams};

/// What a step has beside its window. Random numbers of a step depend on the seed and the number of the step alone, so that a resumed run
/// goes on from its counter.
pub struct Step<'a> {
    /// The number of the step, from 0.
    pub number: u64,
    /// B.
    pub batch: usize,
    /// Of the run.
    pub streams: Streams,
    /// The probability that an input is true: see [`super::scheduled_sampling`].
    pub epsilon: f64,
    /// Of dropout, where there is any.
    pub dropout: Option<&'a mut Stream>,
}

/// A network that knows what it learns.
pub trait Objective: Configured {
    /// The loss of a window, recorded, and what the next window begins with.
    fn loss(&self, window: &mut Window, carry: Option<Carry>, step: Step) -> (Tensor<f32>, Carry);

    /// Nats per symbol of some symbols, at least one: their likelihood, or a bound of it.
    fn validation(&self, symbols: &[u32], streams: Streams) -> f64;

    /// Text on a fresh line, as it is shown during training.
    fn sample(&self, vocabulary: &Vocabulary, symbols: usize, stream: Stream) -> Vec<u8>;

    /// What a person should know of the numbers that training shows.
    fn note() -> Option<&'static str> {
        None
    }
}

/// The next symbol: `−ln p(x_t | x_<t)`, averaged over the window.
impl<N: Network> Objective for N {
    fn loss(&self, window: &mut Window, carry: Option<Carry>, step: Step) -> (Tensor<f32>, Carry) {
        let Step { number, batch, streams, epsilon, dropout } = step;
        if epsilon < 1.0 {
            let mut random = streams.stream(&format!("scheduled sampling of step {number}"));
            mix(self, &mut window.inputs, batch, carry.as_ref(), epsilon, &mut random);
        }
        let (logits, carry) = self.window(&window.inputs, batch, carry.as_ref(), dropout);
        (logits.cross_entropy(&window.targets), carry)
    }

    fn validation(&self, symbols: &[u32], _: Streams) -> f64 {
        let decoder = self.decoder();
        let nats = decoder.nats(&mut decoder.start(), symbols);
        nats.iter().sum::<f64>() / symbols.len() as f64
    }

    fn sample(&self, vocabulary: &Vocabulary, symbols: usize, stream: Stream) -> Vec<u8> {
        opening_sample(self, vocabulary, symbols, stream)
    }
}
