//! Models that propose what a larger one judges ([`crate::decoding::speculative`]): smaller networks, and a Markov chain that was counted,
//! which costs next to nothing.

use super::decoder::Decoder;
use super::gpt::GptDecoder;
use super::markov::{Context, MarkovChain};
use crate::autoregressive::Autoregressive;
use crate::distribution::Categorical;

/// The draft of a model of text, over the same symbols.
pub enum Draft {
    /// Counted.
    Markov(MarkovDraft),
    /// A GRU or an LSTM.
    Recurrent(Box<Decoder<f32>>),
    /// A Transformer.
    Gpt(Box<GptDecoder<f32>>),
}

/// The longest chain of a [`MarkovChain`].
pub struct MarkovDraft {
    chain: MarkovChain,
}

/// What it has seen, and what comes next.
#[derive(Debug)]
pub struct MarkovState {
    context: Context,
    probabilities: Vec<f64>,
    distribution: Categorical<f64>,
}

impl Clone for MarkovState {
    fn clone(&self) -> Self {
        let MarkovState { context, probabilities, distribution } = self;
        let (context, probabilities) = (context.clone(), probabilities.clone());
        MarkovState { context, probabilities, distribution: distribution.clone() }
    }

    /// In the memory that is there.
    fn clone_from(&mut self, other: &Self) {
        self.context.clone_from(&other.context);
        self.probabilities.clone_from(&other.probabilities);
        self.distribution.logits.clone_from(&other.distribution.logits);
    }
}

impl MarkovDraft {
    /// Of a chain that was counted.
    pub fn new(chain: MarkovChain) -> Self {
        MarkovDraft { chain }
    }

    fn predict(&self, state: &mut MarkovState) {
        let MarkovState { context, probabilities, distribution } = state;
        self.chain.probabilities(context, self.chain.order(), probabilities);
        distribution.logits.clear();
        distribution.logits.extend(probabilities.iter().map(|p| p.ln()));
    }
}

impl Autoregressive for MarkovDraft {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = MarkovState;

    fn distributions(&self, sequence: &[u32]) -> Vec<Categorical<f64>> {
        let mut state = self.start();
        let before = |&symbol: &u32| {
            let distribution = state.distribution.clone();
            self.step(&mut state, symbol);
            distribution
        };
        sequence.iter().map(before).collect()
    }

    fn start(&self) -> MarkovState {
        let (context, probabilities) = (self.chain.start(), vec![0.0; self.chain.size()]);
        let mut state = MarkovState { context, probabilities, distribution: Categorical { logits: Vec::new() } };
        self.predict(&mut state);
        state
    }

    fn next<'s>(&self, state: &'s MarkovState) -> &'s Categorical<f64> {
        &state.distribution
    }

    fn step(&self, state: &mut MarkovState, symbol: u32) {
        self.chain.advance(&mut state.context, symbol);
        self.predict(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn a_chain_that_was_counted_is_a_model_and_scores_as_the_chain_does() {
        let text: Vec<u32> = (0..500u32).map(|t| (t * t / 3) % 5).collect();
        let chain = MarkovChain::fit(&text, 5, 3);
        let expected = chain.nats_per_symbol(&text[..200])[3];
        let model = MarkovDraft::new(chain);
        let nats = model.nats(&mut model.start(), &text[..200]).iter().sum::<f64>() / 200.0;
        approx::assert_relative_eq!(nats, expected, epsilon = 1e-12);
        let outcome = check::sum_to_one(&model, 5, 4);
        assert!(outcome.passed, "{outcome}");
        let outcome = check::steps_equal_parallel(&model, &text[..50]);
        assert!(outcome.passed, "{outcome}");
    }
}
