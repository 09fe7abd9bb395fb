//! Distributions of one symbol as values: each scores, samples, and reports its entropy.

use crate::error::{Error, Kind};
use autograd::kernels::log_sum_exp::log_sum_exp;
use autograd::kernels::reduce::{row_max, sum};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// The distribution of one symbol.
pub trait Distribution {
    /// What it is a distribution of.
    type Symbol;

    /// `ln p(symbol)` in nats; for a density, of the density.
    fn log_probability(&self, symbol: Self::Symbol) -> f64;

    /// Draws a symbol.
    fn sample(&self, random: &mut impl Rng) -> Self::Symbol;

    /// `−E ln p` in nats; for a density, the differential entropy.
    fn entropy(&self) -> f64;

    /// The numbers that define it, for comparing two distributions bit for bit.
    fn parameters(&self) -> Vec<f64>;

    /// Whether it is a distribution at all: weights of a model may be finite, and what is computed with them overflow.
    fn is_sound(&self) -> bool {
        self.parameters().iter().all(|x| x.is_finite())
    }
}

/// What an error says of a model whose distribution is none.
pub const NOT_FINITE: &str = "the model gives no distribution";

/// The error of a model whose distribution is none, at a symbol counted from 1.
pub fn not_finite(symbol: usize) -> Error {
    Error::new(Kind::BadInput, NOT_FINITE)
        .cause(format!("with its weights, what it computes of symbol {symbol} overflows: it is not finite"))
        .help("its weights are too large; use an earlier checkpoint, or train it with a lower learning rate")
}

/// A distribution of one symbol of an alphabet 0..V.
///
/// Not only by logits: levels of a mixture of discretized logistics, say, have their probabilities from differences of a
/// cumulative function, all at once for the cost of V symbols, where each alone would repeat what they share.
pub trait Discrete: Distribution<Symbol = u32> {
    /// V.
    fn symbols(&self) -> usize;

    /// The probability of every symbol: V numbers, `exp` of [`Distribution::log_probability`], that sum to one.
    fn probabilities(&self) -> Vec<f64>;

    /// The symbol of the largest probability, the first of equal ones.
    fn most_likely(&self) -> u32 {
        first_largest(&self.probabilities())
    }
}

/// The index of the largest element, the first of equal ones.
fn first_largest<T: PartialOrd>(xs: &[T]) -> u32 {
    let mut best = 0;
    for (index, x) in xs.iter().enumerate() {
        if *x > xs[best] {
            best = index;
        }
    }
    best as u32
}

/// One of V symbols, by unnormalized log-probabilities (logits). Sums run in f64 whatever the logits are.
#[derive(Clone, Debug, PartialEq)]
pub struct Categorical<T> {
    /// `ln p + constant` of each symbol; −∞ for one that cannot come.
    pub logits: Vec<T>,
}

/// `ln p(symbol)` of a row of logits: the one formula by which a symbol is scored, one step at a time or in blocks.
pub(crate) fn log_probability<T: autograd::Scalar>(logits: &[T], symbol: u32) -> f64 {
    let (largest, ln_sum) = log_sum_exp(logits);
    logits[symbol as usize].as_f64() - largest - ln_sum
}

impl<T: autograd::Scalar> Discrete for Categorical<T> {
    fn symbols(&self) -> usize {
        self.logits.len()
    }

    fn probabilities(&self) -> Vec<f64> {
        let (largest, ln_sum) = log_sum_exp(&self.logits);
        self.logits.iter().map(|x| (x.as_f64() - largest - ln_sum).exp()).collect()
    }

    /// By the logits.
    fn most_likely(&self) -> u32 {
        first_largest(&self.logits)
    }
}

impl<T: autograd::Scalar> Distribution for Categorical<T> {
    type Symbol = u32;

    /// A logit of −∞ is a symbol that cannot come; not all can be.
    fn is_sound(&self) -> bool {
        let largest = self.logits.iter().fold(f64::NEG_INFINITY, |most, x| most.max(x.as_f64()));
        largest.is_finite() && !self.logits.iter().any(|x| x.as_f64().is_nan())
    }

    fn log_probability(&self, symbol: u32) -> f64 {
        log_probability(&self.logits, symbol)
    }

    /// In one pass over blocks of symbols: a block takes the place of the one chosen before it with the probability that its
    /// weight has among all so far, and in the block that remains a symbol is drawn. Weights `exp(logit − largest)` come from
    /// the vector kernels (to their precision, a few 10⁻⁷ for f32), so that 10,000 symbols cost microseconds.
    ///
    /// Source: Chao, "A general purpose unequal probability sampling plan", 1982, for a sample of one.
    fn sample(&self, random: &mut impl Rng) -> u32 {
        let mut largest = [T::neg_infinity()];
        row_max(&self.logits, self.logits.len(), &mut largest);
        let mut buffer = [T::zero(); BLOCK];
        let (mut total, mut chosen) = (0.0, (0, 0.0));
        for (i, block) in self.logits.chunks(BLOCK).enumerate() {
            let weight = sum(weights(block, largest[0], &mut buffer)).as_f64();
            total += weight;
            if random.random::<f64>() * total < weight {
                chosen = (i, weight);
            }
        }
        let (i, weight) = chosen;
        let block = self.logits.chunks(BLOCK).nth(i).unwrap_or_default();
        let weights = weights(block, largest[0], &mut buffer);
        (i * BLOCK) as u32 + pick(weights.iter().map(|w| w.as_f64()), random.random::<f64>() * weight)
    }

    fn entropy(&self) -> f64 {
        self.probabilities().iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum()
    }

    fn parameters(&self) -> Vec<f64> {
        self.logits.iter().map(|x| x.as_f64()).collect()
    }
}

/// Logits whose weights are computed at a time.
const BLOCK: usize = 256;

/// `exp(logit − largest)` of a block.
fn weights<'b, T: autograd::Scalar>(block: &[T], largest: T, buffer: &'b mut [T; BLOCK]) -> &'b [T] {
    let weights = &mut buffer[..block.len()];
    weights.iter_mut().zip(block).for_each(|(weight, &logit)| *weight = logit - largest);
    T::exp_slice(weights);
    weights
}

/// The index at which the running sum of the weights passes `left`; where it never does, the last of positive weight.
pub(crate) fn pick(weights: impl Iterator<Item = f64>, mut left: f64) -> u32 {
    let mut last = 0;
    for (index, weight) in weights.enumerate() {
        if weight > 0.0 {
            last = index as u32;
            if left < weight {
                return last;
            }
            left -= weight;
        }
    }
    last
}

/// A normal distribution of a real number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaussian {
    /// μ.
    pub mean: f64,
    /// σ, above 0.
    pub std: f64,
}

impl Distribution for Gaussian {
    type Symbol = f64;

    /// `−½ ln 2π − ln σ − ½((x − μ)/σ)²`.
    fn log_probability(&self, x: f64) -> f64 {
        let deviation = (x - self.mean) / self.std;
        -0.5 * (2.0 * std::f64::consts::PI).ln() - self.std.ln() - 0.5 * deviation * deviation
    }

    fn sample(&self, random: &mut impl Rng) -> f64 {
        self.mean + self.std * random.sample::<f64, _>(StandardNormal)
    }

    /// `½ ln(2πe σ²)`.
    fn entropy(&self) -> f64 {
        0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln() + self.std.ln()
    }

    fn parameters(&self) -> Vec<f64> {
        vec![self.mean, self.std]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::random::Streams;

    #[test]
    fn a_categorical_sums_to_one_and_its_entropy_is_that_of_its_probabilities() {
        let d = Categorical { logits: vec![1000.0_f32, 1001.0, f32::NEG_INFINITY] };
        let p: Vec<f64> = (0..3).map(|symbol| d.log_probability(symbol).exp()).collect();
        approx::assert_relative_eq!(p.iter().sum::<f64>(), 1.0, epsilon = 1e-14);
        approx::assert_relative_eq!(p[1] / p[0], std::f64::consts::E, max_relative = 1e-12);
        assert_eq!(p[2], 0.0);
        approx::assert_relative_eq!(d.entropy(), -(p[0] * p[0].ln() + p[1] * p[1].ln()), epsilon = 1e-12);
    }

    #[test]
    fn a_symbol_of_probability_zero_is_never_drawn() {
        let d = Categorical { logits: vec![f64::NEG_INFINITY, 0.0, f64::NEG_INFINITY] };
        let mut random = Streams::new(1).stream("test");
        assert!((0..100).all(|_| d.sample(&mut random) == 1));
    }

    #[test]
    fn samples_of_a_categorical_follow_it_by_chi_square() {
        let d = Categorical { logits: vec![0.0_f64, 1.0, -1.0, 0.5] };
        let mut random = Streams::new(2).stream("test");
        let n = 100_000;
        let mut counts = [0.0; 4];
        (0..n).for_each(|_| counts[d.sample(&mut random) as usize] += 1.0);
        let expected = d.probabilities().into_iter().map(|p| p * f64::from(n));
        let chi_square: f64 = counts.iter().zip(expected).map(|(c, e)| (c - e).powi(2) / e).sum();
        assert!(chi_square < 16.27, "χ² with 3 degrees of freedom is below 16.27 in 999 cases of 1000: {chi_square}");
    }

    #[test]
    fn samples_of_a_large_alphabet_reach_every_block_as_often_as_it_is_likely() {
        let n = 1000;
        let d =
            Categorical { logits: (0..n).map(|i| if i % 250 == 7 { 2.0_f32 } else { f32::NEG_INFINITY }).collect() };
        let mut random = Streams::new(4).stream("test");
        let mut counts = vec![0.0; n];
        (0..40_000).for_each(|_| counts[d.sample(&mut random) as usize] += 1.0);
        let four: Vec<f64> = [7, 257, 507, 757].map(|i| counts[i]).to_vec();
        assert_eq!(four.iter().sum::<f64>(), 40_000.0);
        let chi_square: f64 = four.iter().map(|c| (c - 1e4_f64).powi(2) / 1e4).sum();
        assert!(chi_square < 16.27, "χ² with 3 degrees of freedom is below 16.27 in 999 cases of 1000: {chi_square}");
    }

    #[test]
    fn the_density_of_a_gaussian_integrates_to_one() {
        let d = Gaussian { mean: 1.5, std: 0.3 };
        let h = 1e-3;
        let total: f64 = (-3000..6000).map(|i| d.log_probability(f64::from(i) * h).exp() * h).sum();
        approx::assert_relative_eq!(total, 1.0, epsilon = 1e-9);
    }

    #[test]
    fn samples_of_a_gaussian_have_its_mean_and_deviation() {
        let d = Gaussian { mean: -2.0, std: 0.5 };
        let mut random = Streams::new(3).stream("test");
        let n = 100_000;
        let x: Vec<f64> = (0..n).map(|_| d.sample(&mut random)).collect();
        let mean = x.iter().sum::<f64>() / n as f64;
        let std = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
        assert!((mean + 2.0).abs() < 0.008 && (std - 0.5).abs() < 0.006, "five standard errors: {mean} {std}");
    }
}
