//! Samples of a large model at the speed of a small one, as far as the two agree: a draft proposes symbols, one pass of the target judges
//! all of them.
//!
//! With `p` the target's distribution and `q` the draft's, both as the sampling options reshape them, a proposed symbol x is kept with
//! probability `min(1, p(x)/q(x))`; in place of the first that is not, a symbol is drawn from `max(0, p − q)`, normalized. So each symbol
//! has the law of the target, whatever the draft is: a bad draft costs time and nothing else. After proposals that are all kept the pass has
//! the distribution of one symbol more.
//!
//! Source: Leviathan, Kalman & Matias, "Fast Inference from Transformers via Speculative Decoding", 2023; Chen et al., "Accelerating Large
//! Language Model Decoding with Speculative Sampling", 2023.

use super::Cost;
use crate::autoregressive::Autoregressive;
use crate::distribution::{Distribution, not_finite, pick};
use crate::error::Result;
use crate::sampling::{Generator, Sampler, Weigh};
use rand::{Rng, RngExt};
use std::collections::VecDeque;

/// Draws from the target, symbol after symbol.
pub struct Speculative<'m, M: Autoregressive, D: Autoregressive, R> {
    target: &'m M,
    /// Has taken in all that was drawn but the last.
    state: M::State,
    draft: &'m D,
    /// What the draft has seen: first as much as `state`, and then one proposal more each.
    drafts: Vec<D::State>,
    sampler: Sampler,
    random: R,
    /// The last symbol that was drawn; none before the first.
    last: Option<u32>,
    /// Drawn, and not handed out yet.
    ready: VecDeque<u32>,
    /// Proposals of a pass.
    ahead: usize,
    /// Symbols to come, where the sequence ends.
    left: Option<usize>,
    /// The draft's probabilities of each proposal, and the target's.
    q: Vec<Vec<f64>>,
    p: Vec<f64>,
    cost: Cost,
}

impl<'m, M, D, R> Speculative<'m, M, D, R>
where
    M: Autoregressive<Symbol = u32, Distribution: Weigh>,
    D: Autoregressive<Symbol = u32, Distribution: Weigh>,
    R: Rng,
{
    /// Goes on from where a generator stands, with `ahead` proposals in a pass by a draft over the same symbols, which has seen `prompt`.
    pub fn new(generator: Generator<'m, M, R>, draft: &'m D, prompt: &[u32], ahead: usize) -> Self {
        let Generator { model: target, state, sampler, random, left } = generator;
        let mut seen = draft.start();
        prompt.iter().for_each(|&symbol| draft.step(&mut seen, symbol));
        let (drafts, q) = (vec![seen; ahead + 1], vec![Vec::new(); ahead]);
        let (ready, p, cost) = (VecDeque::new(), Vec::new(), Cost::default());
        Speculative { target, state, draft, drafts, sampler, random, last: None, ready, ahead, left, q, p, cost }
    }

    /// What it cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The next symbol; none where the sequence has ended.
    ///
    /// # Errors
    /// If what is to be drawn from is no distribution: see [`not_finite`].
    pub fn draw(&mut self) -> Result<Option<u32>> {
        if self.ready.is_empty() && self.left != Some(0) {
            match self.last {
                None => self.draw_from_target()?,
                Some(last) => self.round(last)?,
            }
        }
        let symbol = self.ready.pop_front();
        self.cost.symbols += u64::from(symbol.is_some());
        Ok(symbol)
    }

    /// The target's probabilities of the next symbol, in `p`.
    fn weigh(&mut self) -> Result<()> {
        let next = self.target.next(&self.state);
        if !next.is_sound() {
            return Err(not_finite(self.cost.symbols as usize + self.ready.len() + 1));
        }
        next.weigh(&mut self.sampler, &mut self.p);
        Ok(())
    }

    fn draw_from_target(&mut self) -> Result<()> {
        self.weigh()?;
        let symbol = pick(self.p.iter().copied(), self.random.random());
        self.keep(symbol);
        Ok(())
    }

    fn keep(&mut self, symbol: u32) {
        self.sampler.note(self.p.len(), symbol);
        self.last = Some(symbol);
        self.ready.push_back(symbol);
        self.left = self.left.map(|left| left - 1);
    }

    /// Proposals after the last symbol that was drawn, one pass of the target over them, and its judgement.
    fn round(&mut self, last: u32) -> Result<()> {
        let most = self.left.map_or(self.ahead, |left| self.ahead.min(left - 1));
        let mut block = vec![last];
        let mut sampler = self.sampler.clone();
        self.draft.step(&mut self.drafts[0], last);
        for i in 0..most {
            let (seen, next) = self.drafts.split_at_mut(i + 1);
            let distribution = self.draft.next(&seen[i]);
            if !distribution.is_sound() {
                break; // a draft that knows nothing proposes nothing
            }
            distribution.weigh(&mut sampler, &mut self.q[i]);
            let symbol = pick(self.q[i].iter().copied(), self.random.random());
            sampler.note(self.q[i].len(), symbol);
            block.push(symbol);
            next[0].clone_from(&seen[i]);
            self.draft.step(&mut next[0], symbol);
        }
        let seen = self.target.look_ahead(&mut self.state, &block).len();
        self.cost.passes += 1;
        self.target.step(&mut self.state, last);
        for (i, &symbol) in block[1..seen].iter().enumerate() {
            self.weigh()?;
            self.cost.drafted += 1;
            let (p, q) = (&self.p, &self.q[i]);
            if self.random.random::<f64>() * q[symbol as usize] < p[symbol as usize] {
                self.cost.accepted += 1;
                self.keep(symbol);
                self.target.step(&mut self.state, symbol);
                continue;
            }
            let excess = p.iter().zip(q).map(|(p, q)| (p - q).max(0.0));
            let total: f64 = excess.clone().sum();
            let symbol = pick(excess, self.random.random::<f64>() * total);
            self.drafts.swap(0, i);
            self.keep(symbol);
            return Ok(());
        }
        self.drafts.swap(0, seen - 1);
        match self.left {
            Some(0) => Ok(()),
            _ => self.draw_from_target(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbols_per_pass;
    use super::super::toys::{Counter, chain, other_chain};
    use super::*;
    use crate::sampling::Options;
    use autograd::random::Streams;

    fn new<'m, D: Autoregressive<Symbol = u32, Distribution: Weigh>>(
        target: &'m crate::text::draft::MarkovDraft,
        draft: &'m D,
        options: &Options,
        seed: u64,
        ahead: usize,
    ) -> Speculative<'m, crate::text::draft::MarkovDraft, D, autograd::random::Stream> {
        let sampler = Sampler::new(options.clone()).unwrap();
        let generator = Generator::new(target, &[], sampler, Streams::new(seed).stream("sampling"));
        Speculative::new(generator, draft, &[], ahead)
    }

    /// The probability of a sequence of four under the chain as the options reshape it.
    fn probability(sequence: &[u32], options: &Options) -> f64 {
        let target = chain();
        let (mut state, mut sampler) = (target.start(), Sampler::new(options.clone()).unwrap());
        let (mut p, mut product) = (Vec::new(), 1.0);
        for &symbol in sequence {
            target.next(&state).weigh(&mut sampler, &mut p);
            product *= p[symbol as usize];
            sampler.note(4, symbol);
            target.step(&mut state, symbol);
        }
        product
    }

    #[test]
    fn sequences_have_the_law_of_the_target_by_chi_square_whatever_the_draft() {
        let target = chain();
        let sequences: Vec<[u32; 4]> = (0..256u32).map(|i| [i / 64, i / 16 % 4, i / 4 % 4, i % 4]).collect();
        for options in [
            Options::default(),
            Options { temperature: 0.8, top_k: Some(3), repetition_penalty: 1.2, ..Options::default() },
        ] {
            for ahead in [1, 2, 5] {
                let n = 40_000;
                let mut counts = vec![0u32; 256];
                let draft = other_chain();
                for seed in 0..n {
                    let mut speculative = new(&target, &draft, &options, seed, ahead);
                    let code = (0..4).fold(0, |code, _| code * 4 + speculative.draw().unwrap().unwrap());
                    counts[code as usize] += 1;
                }
                let (mut chi_square, mut cells, mut rest) = (0.0, 0, (0.0, 0.0));
                for (sequence, &count) in sequences.iter().zip(&counts) {
                    let expected = probability(sequence, &options) * n as f64;
                    let count = f64::from(count);
                    // Cells that are too rare for the approximation are one together.
                    if expected < 5.0 {
                        rest = (rest.0 + expected, rest.1 + count);
                    } else {
                        chi_square += (count - expected).powi(2) / expected;
                        cells += 1;
                    }
                }
                if rest.0 > 0.0 {
                    chi_square += (rest.1 - rest.0).powi(2) / rest.0;
                }
                let freedom = f64::from(cells);
                let bound = freedom + 4.0 * (2.0 * freedom).sqrt(); // four deviations
                assert!(chi_square < bound, "{options:?}, {ahead} ahead: χ² {chi_square} of {cells} cells");
            }
        }
    }

    #[test]
    fn a_draft_that_is_the_target_is_always_right_and_costs_a_pass_for_all_its_proposals() {
        let (target, draft) = (chain(), chain());
        let mut speculative = new(&target, &draft, &Options::default(), 7, 4);
        (0..501).for_each(|_| assert!(speculative.draw().unwrap().is_some()));
        assert_eq!(speculative.cost(), Cost { symbols: 501, passes: 100, drafted: 400, accepted: 400 });
        assert_eq!(symbols_per_pass(1.0, 4), 5.0);
    }

    #[test]
    fn symbols_of_a_pass_are_those_of_the_formula_where_acceptance_is_the_same_everywhere() {
        // Target and draft are the same at every place: a is Σ min(p, q).
        let one = |counts: &[u32]| {
            let text: Vec<u32> = counts.iter().enumerate().flat_map(|(s, &n)| vec![s as u32; n as usize]).collect();
            crate::text::draft::MarkovDraft::new(crate::text::markov::MarkovChain::fit(&text, 3, 0))
        };
        let (target, draft) = (one(&[500, 300, 200]), one(&[200, 300, 500]));
        let mut speculative = new(&target, &draft, &Options::default(), 1, 3);
        (0..60_000).for_each(|_| assert!(speculative.draw().unwrap().is_some()));
        let Cost { symbols, passes, .. } = speculative.cost();
        let (a, measured) = (0.7, symbols as f64 / passes as f64);
        let expected = symbols_per_pass(a, 3);
        assert!((measured - expected).abs() < 0.03, "{measured} symbols a pass, by the formula {expected}");
        let acceptance = speculative.cost().acceptance().unwrap();
        assert!((acceptance - a).abs() < 0.01, "{acceptance}");
    }

    #[test]
    fn a_sequence_ends_where_the_model_says() {
        let target = Counter { length: Some(13) };
        let draft = Counter { length: None };
        let sampler = Sampler::new(Options::default()).unwrap();
        let generator = Generator::new(&target, &[], sampler, Streams::new(1).stream("sampling"));
        let mut speculative = Speculative::new(generator, &draft, &[], 5);
        let drawn: Vec<u32> = std::iter::from_fn(|| speculative.draw().unwrap()).collect();
        assert_eq!(drawn, (0..13).map(|t| t % 5).collect::<Vec<u32>>());
    }
}
