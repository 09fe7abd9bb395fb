//! What must hold of a model of text, checked on random sequences: causality, sum to one, steps equal to the parallel pass. And the
//! graph that one training step records.

use super::network::Network;
use super::saved::TextModel;
use crate::check::{Outcome, causality, each_sums_to_one, steps_equal_parallel, sum_to_one};
use autograd::Tensor;
use autograd::random::Streams;
use rand::RngExt;

/// The most sequences that are enumerated for the sum to one.
const MOST_SEQUENCES: u64 = 10_000;

impl<N: Network> TextModel<N> {
    /// Checks the model on a sequence of so many symbols, drawn evenly from the stream `check` of the seed.
    pub fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        let decoder = self.model.decoder();
        let symbols = self.vocabulary.size() as u32;
        let mut random = Streams::new(seed).stream("check");
        let sequence: Vec<u32> = (0..length).map(|_| random.random_range(0..symbols)).collect();
        let mut outcomes = Vec::new();
        if symbols > 1 {
            outcomes.push(causality(&decoder, &sequence, |symbol| (symbol + 1) % symbols));
        }
        outcomes.push(steps_equal_parallel(&decoder, &sequence));
        outcomes.push(each_sums_to_one(&decoder, &sequence, symbols));
        if u64::from(symbols).pow(2) <= MOST_SEQUENCES {
            outcomes.push(sum_to_one(&decoder, symbols, 2));
        }
        outcomes
    }

    /// The loss of one window of symbols that are all the first, recorded.
    pub fn recorded_loss(&self, batch: usize, length: usize) -> Tensor<f32> {
        let symbols = vec![0; batch * length];
        self.model.window(&symbols, batch, None, None).0.cross_entropy(&symbols)
    }
}
