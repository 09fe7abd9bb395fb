//! The sample of the loop in fewer passes: a fixed point under noise that is drawn beforehand.
//!
//! With its noise given, each symbol is a function of those before it: `x_t = f(p(· | x_<t), noise_t)`. Guesses for many positions are
//! improved side by side: a pass gives the distribution at each from the guesses before it, and these and the noise give new guesses. What
//! stands before the first guess that changed is right, and so is the one that changed: every pass settles one symbol at least, and all
//! those guesses that were right besides. The fixed point is unique, and it is what the loop would have drawn.
//!
//! Source: Song, Meng, Liao & Ermon, "Accelerating Feedforward Computation via Parallel Nonlinear Equation Solving", 2021; with Gumbel
//! noise ([`crate::sampling::Noise`]): Wiggers & Hoogeboom, "Predictive Sampling with Forecasting Autoregressive Models", 2020.

use super::Cost;
use crate::autoregressive::Autoregressive;
use crate::distribution::{Distribution, not_finite};
use crate::error::Result;
use crate::sampling::{Generator, Reshape, Sampler};
use rand::Rng;
use std::collections::VecDeque;

/// Draws what a [`Generator`] draws with the same sampler and random stream.
pub struct Jacobi<'m, M: Autoregressive, R> {
    model: &'m M,
    /// Has taken in all that is settled but the last.
    state: M::State,
    /// Has drawn all that is settled.
    sampler: Sampler,
    /// Has drawn all that is settled.
    random: R,
    /// The last symbol that is settled; none before the first.
    settled: Option<M::Symbol>,
    guesses: Vec<M::Symbol>,
    /// Settled, and not handed out yet.
    ready: VecDeque<M::Symbol>,
    /// Guesses of a pass.
    ahead: usize,
    /// Symbols that are not settled yet, where the sequence ends.
    left: Option<usize>,
    cost: Cost,
}

impl<'m, M: Autoregressive, R: Rng + Clone> Jacobi<'m, M, R>
where
    M::Distribution: Reshape,
{
    /// Goes on from where a generator stands, with up to `ahead` guesses in a pass.
    pub fn new(generator: Generator<'m, M, R>, ahead: usize) -> Self {
        let Generator { model, state, sampler, random, left } = generator;
        let (guesses, ready) = (Vec::new(), VecDeque::new());
        Jacobi { model, state, sampler, random, settled: None, guesses, ready, ahead, left, cost: Cost::default() }
    }

    /// What it cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The next symbol; none where the sequence has ended.
    ///
    /// # Errors
    /// If what is to be drawn from is no distribution: see [`not_finite`].
    pub fn draw(&mut self) -> Result<Option<M::Symbol>> {
        if self.ready.is_empty() && self.left != Some(0) {
            match self.settled {
                None => self.begin()?,
                Some(settled) => self.pass(settled)?,
            }
        }
        let symbol = self.ready.pop_front();
        self.cost.symbols += u64::from(symbol.is_some());
        Ok(symbol)
    }

    /// The first symbol: its distribution is known already.
    fn begin(&mut self) -> Result<()> {
        let next = self.model.next(&self.state);
        if !next.is_sound() {
            return Err(not_finite(1));
        }
        let symbol = next.draw(&mut self.sampler, &mut self.random);
        self.settle(symbol);
        Ok(())
    }

    fn settle(&mut self, symbol: M::Symbol) {
        self.settled = Some(symbol);
        self.ready.push_back(symbol);
        self.left = self.left.map(|left| left - 1);
    }

    /// One pass over the last settled symbol and the guesses after it.
    fn pass(&mut self, settled: M::Symbol) -> Result<()> {
        let most = self.left.map_or(self.ahead, |left| self.ahead.min(left - 1));
        let filler = self.guesses.last().copied().unwrap_or(settled);
        self.guesses.resize(most, filler);
        let block: Vec<M::Symbol> = std::iter::once(settled).chain(self.guesses.iter().copied()).collect();
        let after = self.model.look_ahead(&mut self.state, &block);
        self.cost.passes += 1;
        self.model.step(&mut self.state, settled);
        let (mut sampler, mut random) = (self.sampler.clone(), self.random.clone());
        let mut later = Vec::with_capacity(after.len());
        let mut right = true; // all guesses so far
        for (i, distribution) in after.iter().enumerate() {
            // Only what follows right guesses must be a distribution.
            if right && !distribution.is_sound() {
                return Err(not_finite(self.cost.symbols as usize + self.ready.len() + 1));
            }
            if !right && !distribution.is_sound() {
                later.extend(self.guesses.get(i));
                continue;
            }
            let symbol = distribution.draw(&mut sampler, &mut random);
            if !right {
                later.push(symbol);
                continue;
            }
            (self.sampler, self.random) = (sampler.clone(), random.clone());
            self.settle(symbol);
            right = self.guesses.get(i) == Some(&symbol) && i + 1 < after.len();
            if right {
                self.model.step(&mut self.state, symbol);
            }
        }
        self.guesses = later;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::toys::{Counter, chain};
    use super::*;
    use crate::sampling::{Noise, Options};
    use autograd::random::Streams;

    #[test]
    fn it_draws_what_the_loop_draws_whatever_the_options_and_however_far_it_looks() {
        let chain = chain();
        for noise in [Noise::Uniform, Noise::Gumbel] {
            for options in [
                Options::default(),
                Options { temperature: 0.7, top_k: Some(3), ..Options::default() },
                Options { repetition_penalty: 1.4, ..Options::default() },
                Options { temperature: 0.0, ..Options::default() },
            ] {
                let options = Options { noise, ..options };
                for ahead in [0, 1, 5, 64] {
                    let new = || {
                        let sampler = Sampler::new(options.clone()).unwrap();
                        Generator::new(&chain, &[1, 2], sampler, Streams::new(3).stream("sampling"))
                    };
                    let expected: Vec<u32> = new().take(300).collect();
                    let mut jacobi = Jacobi::new(new(), ahead);
                    let drawn: Vec<u32> = (0..300).map(|_| jacobi.draw().unwrap().unwrap()).collect();
                    assert_eq!(drawn, expected, "{options:?}, {ahead} ahead");
                    let Cost { symbols, passes, .. } = jacobi.cost();
                    assert!(symbols == 300 && passes <= 299, "{passes} passes");
                    assert!(ahead > 0 || passes == 299, "without guesses each pass settles one symbol: {passes}");
                }
            }
        }
    }

    #[test]
    fn a_symbol_that_needs_none_before_it_needs_no_pass_of_its_own() {
        // Each symbol is its place modulo 5, whatever came before: all guesses are right after one pass.
        let counter = Counter { length: Some(40) };
        let sampler = Sampler::new(Options::default()).unwrap();
        let mut jacobi = Jacobi::new(Generator::new(&counter, &[], sampler, Streams::new(1).stream("sampling")), 100);
        let drawn: Vec<u32> = std::iter::from_fn(|| jacobi.draw().unwrap()).collect();
        assert_eq!(drawn, (0..40).map(|t| t % 5).collect::<Vec<u32>>());
        assert_eq!(
            jacobi.cost(),
            Cost { symbols: 40, passes: 2, drafted: 0, accepted: 0 },
            "one to guess, one to know"
        );
    }
}
