//! The trait that every model here implements: `p(x) = ∏ p(x_t | x_<t)`, in parallel and one step at a time.
//!
//! Written once against it: sampling (`sampling.rs`), exact likelihood (here), the checks of causality, of sum to one and of
//! steps against the parallel pass (`check.rs`). A family of models only says what its symbols are:
//!
//! - text: a symbol is a code of a vocabulary (`u32`), its distribution a [`crate::distribution::Categorical`];
//! - series: a symbol is a real number (`f64`), its distribution a [`crate::distribution::Gaussian`];
//! - images: a sequence is the sub-pixels in raster order, each a level (`u32`); the state holds the rows it can still see;
//! - audio: a symbol is a mu-law code (`u32`); the state holds one ring buffer for each dilated layer.
//!
//! What a model is conditioned on (a class, a speaker) is not a symbol: the pair of a model and its condition is what
//! implements the trait.

use crate::distribution::Distribution;

/// A model of sequences that gives the distribution of each symbol from the ones before it.
pub trait Autoregressive {
    /// What a sequence is made of: a code of an alphabet, or a real number.
    type Symbol: Copy + PartialEq + std::fmt::Debug;

    /// `p(x_t | x_<t)`.
    type Distribution: Distribution<Symbol = Self::Symbol>;

    /// All that generation needs to know of the symbols seen so far, and the distribution of the next one.
    type State: Clone;

    /// **In parallel**: `p(x_t | x_<t)` for every t of the sequence, in one pass. Records no graph.
    ///
    /// The distribution at t may depend on the symbols before t only; the symbol at t is there because later ones need it.
    fn distributions(&self, sequence: &[Self::Symbol]) -> Vec<Self::Distribution>;

    /// **One step at a time**: the state before any symbol.
    fn start(&self) -> Self::State;

    /// The distribution of the next symbol, given all that the state has seen.
    fn next<'s>(&self, state: &'s Self::State) -> &'s Self::Distribution;

    /// Takes in one symbol. Allocates nothing after the first call, and costs the same for the 10,000th symbol as for the
    /// 10th (the caches of attention aside).
    fn step(&self, state: &mut Self::State, symbol: Self::Symbol);

    /// `−ln p(x_t | x_<t)` in nats of every symbol of a sequence that begins at `state`, which is left after the last symbol.
    /// For a density this can be negative.
    ///
    /// Runs step by step: exact, and in memory that does not grow with the sequence.
    fn nats(&self, state: &mut Self::State, sequence: &[Self::Symbol]) -> Vec<f64> {
        let one = |&symbol: &Self::Symbol| {
            let nats = -self.next(state).log_probability(symbol);
            self.step(state, symbol);
            nats
        };
        sequence.iter().map(one).collect()
    }
}
