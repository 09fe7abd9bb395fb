//! Models whose laws are known in closed form, for the tests of this folder.

use crate::autoregressive::Autoregressive;
use crate::distribution::Categorical;
use crate::text::draft::MarkovDraft;
use crate::text::markov::MarkovChain;

/// An order-2 chain over four symbols, counted on a text with habits and exceptions.
pub fn chain() -> MarkovDraft {
    let text: Vec<u32> = (0..400u32).map(|t| (t * t / 3 + t / 7) % 4).collect();
    MarkovDraft::new(MarkovChain::fit(&text, 4, 2))
}

/// Another one over the same symbols.
pub fn other_chain() -> MarkovDraft {
    let text: Vec<u32> = (0..300u32).map(|t| (t * t / 5 + t / 3) % 4).collect();
    MarkovDraft::new(MarkovChain::fit(&text, 4, 1))
}

/// Each symbol is its place modulo 5.
pub struct Counter {
    /// Of the sequences.
    pub length: Option<usize>,
}

fn certainly(symbol: usize) -> Categorical<f64> {
    Categorical { logits: (0..5).map(|i| if i == symbol { 0.0 } else { f64::NEG_INFINITY }).collect() }
}

impl Autoregressive for Counter {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = (usize, Categorical<f64>);

    fn distributions(&self, sequence: &[u32]) -> Vec<Categorical<f64>> {
        (0..sequence.len()).map(|t| certainly(t % 5)).collect()
    }
    fn start(&self) -> Self::State {
        (0, certainly(0))
    }
    fn next<'s>(&self, state: &'s Self::State) -> &'s Categorical<f64> {
        &state.1
    }
    fn step(&self, state: &mut Self::State, _: u32) {
        *state = (state.0 + 1, certainly((state.0 + 1) % 5));
    }
    fn length(&self) -> Option<usize> {
        self.length
    }
}
