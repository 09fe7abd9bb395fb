//! The loop: a pass for every symbol.

use super::{Reshape, Sampler};
use crate::autoregressive::Autoregressive;
use crate::distribution::{Distribution, not_finite};
use crate::error::Result;
use rand::Rng;

/// Draws symbols one after another from a model, for as long as it is asked, or until its sequence has its
/// [`length`](Autoregressive::length).
pub struct Generator<'m, M: Autoregressive, R> {
    pub(crate) model: &'m M,
    pub(crate) state: M::State,
    pub(crate) sampler: Sampler,
    pub(crate) random: R,
    /// Symbols until the sequence ends, where it does.
    pub(crate) left: Option<usize>,
}

impl<'m, M: Autoregressive, R: Rng> Generator<'m, M, R>
where
    M::Distribution: Reshape,
{
    /// A generator that goes on after `prompt`.
    ///
    /// # Panics
    /// If the prompt is longer than the model's sequences.
    #[track_caller]
    pub fn new(model: &'m M, prompt: &[M::Symbol], mut sampler: Sampler, random: R) -> Self {
        let left = model.length().map(|length| {
            assert!(prompt.len() <= length, "generator: a prompt of {} for sequences of {length}", prompt.len());
            length - prompt.len()
        });
        let mut state = model.start();
        for &symbol in prompt {
            model.next(&state).note(&mut sampler, symbol);
            model.step(&mut state, symbol);
        }
        Generator { model, state, sampler, random, left }
    }
}

impl<M: Autoregressive, R: Rng> Generator<'_, M, R>
where
    M::Distribution: Reshape,
{
    /// The symbols, as long as what they are drawn from is a distribution.
    ///
    /// # Errors
    /// The last item, where it is none: see [`not_finite`].
    pub fn checked(mut self) -> impl Iterator<Item = Result<M::Symbol>> {
        let (mut symbols, mut ended) = (0, false);
        std::iter::from_fn(move || {
            symbols += 1;
            if ended {
                return None;
            }
            if self.left != Some(0) && !self.model.next(&self.state).is_sound() {
                ended = true;
                return Some(Err(not_finite(symbols)));
            }
            self.next().map(Ok)
        })
    }
}

impl<M: Autoregressive, R: Rng> Iterator for Generator<'_, M, R>
where
    M::Distribution: Reshape,
{
    type Item = M::Symbol;

    /// Ends where the model's sequences do, and never by itself where they have no fixed length.
    fn next(&mut self) -> Option<M::Symbol> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        let symbol = self.model.next(&self.state).draw(&mut self.sampler, &mut self.random);
        self.model.step(&mut self.state, symbol);
        Some(symbol)
    }
}
