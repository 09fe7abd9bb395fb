//! A distribution of a code as whole numbers: each symbol an interval of 0 … 2³², as wide as it is likely.
//!
//! `bound(s) = ⌊P(x < s) · (2³² − 2V)⌋ + 2s`, `bound(0) = 0`, `bound(V) = 2³²`; symbol s has the interval from `bound(s)` to `bound(s + 1)`.
//!
//! - **Every symbol can come.** Two units belong to each beforehand: where rounding lets `P` step back from one symbol to the next, which
//!   it can by one unit at most, one is left. The rest is shared by probability, so what is lost is at most `2V/2³²` of each: 2·10⁻⁷ bits
//!   a symbol for 256 codes, 5·10⁻⁵ for 65,536.
//! - **Every machine has the same ones.** `P` is computed from the numbers of the network by sums in one order and exponentials of our
//!   own (`autograd::kernels::log_sum_exp::weights`, `libm`), never by the system's library, whose last bit is the system's own. Logarithms are not needed.

use crate::distribution::{Categorical, Distribution};
use crate::levels::head::LevelDistribution;
use autograd::Scalar;
use autograd::kernels::log_sum_exp::weights;
use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};
use std::borrow::Borrow;
use std::num::NonZeroU32;

/// Bits of a whole probability.
pub const PRECISION: usize = 32;

/// 1 as a whole number.
const WHOLE: u64 = 1 << PRECISION;

/// The most symbols of an alphabet: beside the units that are theirs beforehand, most of the whole is left for what is likely.
pub const MOST_SYMBOLS: usize = 1 << 20;

/// A distribution of codes whose cumulative function has the same bits on every machine.
pub trait Coded: Distribution<Symbol = u32> {
    /// V, at most [`MOST_SYMBOLS`].
    fn symbols(&self) -> usize;

    /// Computes what [`Coded::below`] needs, in memory that is used again.
    fn prepare(&self, prepared: &mut Vec<f64>);

    /// `P(x < s)` of what was prepared, up to rounding from 0 to 1; 0 < s < V.
    fn below(&self, prepared: &[f64], s: usize) -> f64;
}

/// `0, w₀, w₀ + w₁, …` of the weights of a row.
fn running_sums<T: Scalar>(row: &[T], sums: &mut Vec<f64>) {
    sums.clear();
    sums.resize(row.len() + 1, 0.0);
    weights(row, &mut sums[1..]);
    let mut sum = 0.0;
    for place in &mut sums[1..] {
        sum += *place;
        *place = sum;
    }
}

impl<T: Scalar> Coded for Categorical<T> {
    fn symbols(&self) -> usize {
        self.logits.len()
    }

    fn prepare(&self, sums: &mut Vec<f64>) {
        running_sums(&self.logits, sums);
    }

    fn below(&self, sums: &[f64], s: usize) -> f64 {
        sums[s] / sums[sums.len() - 1]
    }
}

impl<T: Scalar> Coded for LevelDistribution<T> {
    fn symbols(&self) -> usize {
        match self {
            LevelDistribution::Bernoulli(_) => 2,
            LevelDistribution::Categorical(categorical) => categorical.logits.len(),
            LevelDistribution::Logistics(logistics) => logistics.levels(),
        }
    }

    fn prepare(&self, prepared: &mut Vec<f64>) {
        match self {
            LevelDistribution::Bernoulli(bernoulli) => running_sums(&[0.0, bernoulli.logit], prepared),
            LevelDistribution::Categorical(categorical) => categorical.prepare(prepared),
            // The bells alone: a level costs what they do, and not what 65,536 levels do.
            LevelDistribution::Logistics(logistics) => {
                prepared.clear();
                prepared.resize(logistics.components(), 0.0);
                logistics.weights(prepared);
                let sum: f64 = prepared.iter().sum();
                prepared.iter_mut().for_each(|weight| *weight /= sum);
            }
        }
    }

    fn below(&self, prepared: &[f64], s: usize) -> f64 {
        match self {
            LevelDistribution::Bernoulli(_) | LevelDistribution::Categorical(_) => {
                prepared[s] / prepared[prepared.len() - 1]
            }
            LevelDistribution::Logistics(logistics) => logistics.below(s, prepared),
        }
    }
}

/// The intervals of a distribution, as the coder asks for them.
pub struct Intervals<'d, D> {
    distribution: &'d D,
    prepared: &'d [f64],
}

impl<'d, D: Coded> Intervals<'d, D> {
    /// Those of a distribution of at least two symbols; `memory` is used again from symbol to symbol.
    ///
    /// # Panics
    /// If the alphabet has fewer than two symbols or more than [`MOST_SYMBOLS`].
    #[track_caller]
    pub fn new(distribution: &'d D, memory: &'d mut Vec<f64>) -> Self {
        let symbols = distribution.symbols();
        assert!((2..=MOST_SYMBOLS).contains(&symbols), "an alphabet of {symbols} symbols is not coded");
        distribution.prepare(memory);
        Intervals { distribution, prepared: memory }
    }

    /// Where the interval of a symbol begins; of V where that of the last one ends.
    fn bound(&self, s: usize) -> u64 {
        let symbols = self.distribution.symbols();
        if s == 0 || s == symbols {
            return if s == 0 { 0 } else { WHOLE };
        }
        let shared = (WHOLE - 2 * symbols as u64) as f64;
        let below = self.distribution.below(self.prepared, s).clamp(0.0, 1.0);
        (below * shared) as u64 + 2 * s as u64
    }

    /// Where the interval of a symbol begins, and how wide it is.
    ///
    /// # Panics
    /// If it is no symbol.
    #[track_caller]
    pub fn interval(&self, symbol: u32) -> (u32, NonZeroU32) {
        let symbol = symbol as usize;
        assert!(symbol < self.distribution.symbols(), "symbol {symbol} of {}", self.distribution.symbols());
        let (from, to) = (self.bound(symbol), self.bound(symbol + 1));
        let width = NonZeroU32::new((to - from) as u32).expect("two units are every symbol's");
        (from as u32, width)
    }

    /// The symbol in whose interval a point lies.
    fn symbol_at(&self, point: u32) -> u32 {
        // bound(low) ≤ point < bound(high)
        let (mut low, mut high) = (0, self.distribution.symbols());
        while high - low > 1 {
            let middle = low.midpoint(high);
            if self.bound(middle) <= point.into() { low = middle } else { high = middle }
        }
        low as u32
    }
}

impl<D: Coded> EntropyModel<PRECISION> for Intervals<'_, D> {
    type Symbol = u32;
    type Probability = u32;
}

impl<D: Coded> EncoderModel<PRECISION> for Intervals<'_, D> {
    fn left_cumulative_and_probability(&self, symbol: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        Some(self.interval(*symbol.borrow()))
    }
}

impl<D: Coded> DecoderModel<PRECISION> for Intervals<'_, D> {
    fn quantile_function(&self, point: u32) -> (u32, u32, NonZeroU32) {
        let symbol = self.symbol_at(point);
        let (from, width) = self.interval(symbol);
        (symbol, from, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::head::Head;
    use autograd::Tensor;
    use autograd::random::Streams;

    /// Distributions of every kind: flat, steep, certain, with symbols that cannot come, bells narrow, wide and outside.
    fn distributions() -> Vec<LevelDistribution<f64>> {
        let mut all = Vec::new();
        for (head, levels) in [
            (Head::Bernoulli, 2),
            (Head::Categorical, 2),
            (Head::Categorical, 256),
            (Head::Categorical, 5000),
            (Head::Logistics { components: 1 }, 2),
            (Head::Logistics { components: 5 }, 256),
            (Head::Logistics { components: 10 }, 1 << 16),
        ] {
            for (seed, scale) in [(1, 0.1), (2, 1.0), (3, 10.0), (4, 1000.0)] {
                let row = Tensor::<f64>::randn(&[head.parameters(levels)], &mut Streams::new(seed).stream("row"));
                let row: Vec<f64> = row.to_vec().into_iter().map(|x| scale * x).collect();
                all.push(head.distribution(levels, &row));
            }
        }
        let mut certain = vec![f64::NEG_INFINITY; 256];
        certain[77] = 3.0;
        all.push(LevelDistribution::Categorical(Categorical { logits: certain }));
        all
    }

    #[test]
    fn every_symbol_has_an_interval_and_all_of_them_fill_the_whole() {
        let mut memory = Vec::new();
        for distribution in distributions() {
            let intervals = Intervals::new(&distribution, &mut memory);
            let mut end = 0;
            for symbol in 0..distribution.symbols() as u32 {
                let (from, width) = intervals.interval(symbol);
                assert_eq!(u64::from(from), end, "{symbol} of {distribution:?}");
                end += u64::from(width.get());
                for point in [from, from + (width.get() - 1) / 2, (end - 1) as u32] {
                    assert_eq!(intervals.symbol_at(point), symbol);
                }
            }
            assert_eq!(end, WHOLE);
        }
    }

    #[test]
    fn an_interval_is_as_wide_as_its_symbol_is_likely() {
        let mut memory = Vec::new();
        for distribution in distributions() {
            let intervals = Intervals::new(&distribution, &mut memory);
            let symbols = distribution.symbols();
            let lost = 2.0 * symbols as f64 / WHOLE as f64;
            for symbol in 0..symbols as u32 {
                let p = distribution.log_probability(symbol).exp();
                let width = f64::from(intervals.interval(symbol).1.get()) / WHOLE as f64;
                // Two roundings of a unit each, and the two units of each symbol.
                let most = p * lost + 4.0 / WHOLE as f64;
                assert!((width - p).abs() < most, "{symbol}: {width} for {p}, {distribution:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "an alphabet of 1 symbols is not coded")]
    fn what_can_only_be_one_thing_is_not_coded() {
        Intervals::new(&Categorical { logits: vec![0.0_f32] }, &mut Vec::new());
    }
}
