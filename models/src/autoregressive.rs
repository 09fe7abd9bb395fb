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
//! What a model is conditioned on (a class, a speaker) is not a symbol: a [`Conditional`] model and its condition together are
//! what implements the trait.

use crate::distribution::Distribution;

/// A model of sequences that gives the distribution of each symbol from the ones before it.
///
/// Five methods make a model. What follows them is derived, and a model overrides it where it knows a faster way to the same
/// numbers: the same bits, where its products obey the one-chain law of `autograd::kernels`.
///
/// ```
/// use models::autoregressive::Autoregressive;
/// use models::check;
/// use models::distribution::Categorical;
///
/// /// Coins: each falls like the one before with probability 0.9, the first like heads (0).
/// struct Sticky;
///
/// impl Autoregressive for Sticky {
///     type Symbol = u32;
///     type Distribution = Categorical<f64>;
///     type State = Categorical<f64>;
///
///     fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
///         (0..x.len()).map(|t| after(if t == 0 { 0 } else { x[t - 1] })).collect()
///     }
///     fn start(&self) -> Categorical<f64> {
///         after(0)
///     }
///     fn next<'s>(&self, state: &'s Categorical<f64>) -> &'s Categorical<f64> {
///         state
///     }
///     fn step(&self, state: &mut Categorical<f64>, symbol: u32) {
///         *state = after(symbol);
///     }
/// }
///
/// fn after(last: u32) -> Categorical<f64> {
///     let mut p = [0.1_f64, 0.1];
///     p[last as usize] = 0.9;
///     Categorical { logits: p.map(f64::ln).to_vec() }
/// }
///
/// let nats = Sticky.nats(&mut Sticky.start(), &[0, 0, 1]);
/// assert!((nats.iter().sum::<f64>() + (0.9_f64 * 0.9 * 0.1).ln()).abs() < 1e-12);
/// assert!(check::causality(&Sticky, &[0, 1, 1, 0], |x| 1 - x).passed);
/// ```
pub trait Autoregressive {
    /// What a sequence is made of: a code of an alphabet, or a real number.
    type Symbol: Copy + PartialEq + std::fmt::Debug;

    /// `p(x_t | x_<t)`.
    type Distribution: Distribution<Symbol = Self::Symbol> + Clone;

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

    /// The number of symbols of every sequence, where it is fixed: 28 · 28 · 3 for an image of that size; none for a text, which
    /// ends when its reader stops.
    ///
    /// Where it is, no sequence is longer, a shorter one is a beginning, and nobody asks for the distribution after the last symbol.
    fn length(&self) -> Option<usize> {
        None
    }

    /// `−ln p(x_t | x_<t)` in nats of every symbol of a sequence that begins at `state`, which is left after the last symbol.
    /// For a density this can be negative.
    ///
    /// Runs step by step: exact, and in memory that does not grow with the sequence. A model whose parallel pass can begin at a
    /// state does better in blocks of positions.
    fn nats(&self, state: &mut Self::State, sequence: &[Self::Symbol]) -> Vec<f64> {
        let one = |&symbol: &Self::Symbol| {
            let nats = -self.next(state).log_probability(symbol);
            self.step(state, symbol);
            nats
        };
        sequence.iter().map(one).collect()
    }

    /// [`Autoregressive::nats`] of many sequences, each from the start, whatever their lengths: a validation set of images.
    ///
    /// One after the other. A model that overrides it runs them side by side on all cores, in bounded memory.
    fn nats_of_many(&self, sequences: &[&[Self::Symbol]]) -> Vec<Vec<f64>> {
        sequences.iter().map(|sequence| self.nats(&mut self.start(), sequence)).collect()
    }

    /// The distributions after each of some symbols that may come next: `p(· | seen, symbols[..=i])` for i = 0, 1, …. The state still says
    /// what it said.
    ///
    /// Step by step on a copy. A model whose parallel pass can begin at a state gives them in one pass, to the bits of stepping, and keeps
    /// what it computed in the state: the [`Autoregressive::step`]s that then take in those symbols cost nothing. It may look less far
    /// than it is asked to, but sees one symbol at least, where there is one.
    fn look_ahead(&self, state: &mut Self::State, symbols: &[Self::Symbol]) -> Vec<Self::Distribution> {
        let mut ahead = state.clone();
        let after = |&symbol: &Self::Symbol| {
            self.step(&mut ahead, symbol);
            self.next(&ahead).clone()
        };
        symbols.iter().map(after).collect()
    }

    /// [`Autoregressive::step`] of many states, each with its own symbol: several samples at once, the beams of a search.
    ///
    /// One after the other. A model that overrides it reads its weights once for all of them.
    ///
    /// # Panics
    /// If there is not one symbol for each state.
    fn step_many(&self, states: &mut [Self::State], symbols: &[Self::Symbol]) {
        assert_eq!(states.len(), symbols.len(), "step_many: one symbol for each state");
        states.iter_mut().zip(symbols).for_each(|(state, &symbol)| self.step(state, symbol));
    }
}

/// The distributions of [`Autoregressive::distributions`], one step after the other.
pub fn by_steps<M: Autoregressive + ?Sized>(model: &M, sequence: &[M::Symbol]) -> Vec<M::Distribution> {
    let mut state = model.start();
    let before = |&symbol: &M::Symbol| {
        let distribution = model.next(&state).clone();
        model.step(&mut state, symbol);
        distribution
    };
    sequence.iter().map(before).collect()
}

/// A borrowed model is the model.
impl<M: Autoregressive> Autoregressive for &M {
    type Symbol = M::Symbol;
    type Distribution = M::Distribution;
    type State = M::State;

    fn distributions(&self, sequence: &[M::Symbol]) -> Vec<M::Distribution> {
        (**self).distributions(sequence)
    }
    fn start(&self) -> M::State {
        (**self).start()
    }
    fn next<'s>(&self, state: &'s M::State) -> &'s M::Distribution {
        (**self).next(state)
    }
    fn step(&self, state: &mut M::State, symbol: M::Symbol) {
        (**self).step(state, symbol);
    }
    fn length(&self) -> Option<usize> {
        (**self).length()
    }
    fn nats(&self, state: &mut M::State, sequence: &[M::Symbol]) -> Vec<f64> {
        (**self).nats(state, sequence)
    }
    fn nats_of_many(&self, sequences: &[&[M::Symbol]]) -> Vec<Vec<f64>> {
        (**self).nats_of_many(sequences)
    }
    fn look_ahead(&self, state: &mut M::State, symbols: &[M::Symbol]) -> Vec<M::Distribution> {
        (**self).look_ahead(state, symbols)
    }
    fn step_many(&self, states: &mut [M::State], symbols: &[M::Symbol]) {
        (**self).step_many(states, symbols);
    }
}

/// A model of sequences given something that is not a symbol of them: `p(x | c) = ∏ p(x_t | x_<t, c)`.
///
/// `model.given(&c)` is a model like any other, which samples, scores and is checked as they are. What depends on the condition
/// alone is computed there, once: the bias that a class adds to every layer of a gated PixelCNN, or the frames of a spectrogram
/// brought to the rate of a WaveNet's samples, which also fix the [`Autoregressive::length`].
pub trait Conditional {
    /// A class, a speaker, the frames of a spectrogram.
    type Condition: ?Sized;

    /// The model and its condition.
    type Given<'c>: Autoregressive
    where
        Self: 'c;

    /// The model of sequences under one condition.
    fn given<'c>(&'c self, condition: &'c Self::Condition) -> Self::Given<'c>;
}

#[cfg(test)]
#[path = "autoregressive_tests.rs"]
mod tests;
