//! Drawing sequences from any model, and the ways to reshape a categorical distribution before drawing from it.
//!
//! How many random numbers a draw takes depends on the alphabet and the [`Noise`], not on the distribution: the noise of the symbol after
//! next is known before the next symbol is, which [`crate::decoding`] makes use of.

mod generator;
pub use generator::Generator;

use crate::distribution::{Categorical, Distribution, Gaussian, pick};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use rand::{Rng, RngExt};
use rand_distr::Gumbel;

/// What turns a distribution over an alphabet into a symbol. Both draw from it exactly; what differs is when two distributions that are
/// close, under the same noise, give the same symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Noise {
    /// A uniform number, looked up in the cumulated probabilities: one number a symbol.
    #[default]
    Uniform,
    /// `argmax ln p_i + G_i` with a Gumbel number for every symbol of the alphabet, whose own probability alone it depends on: symbols that
    /// are unlikely in both distributions do not shift the likely ones.
    ///
    /// Source: Gumbel 1954; Maddison, Tarlow & Minka, "A* Sampling", 2014.
    Gumbel,
}

/// How the next symbol is chosen. The steps apply in the order of the fields; each keeps what the ones before left.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Logits of symbols already seen are divided by this when positive and multiplied when negative; 1 changes nothing.
    ///
    /// Source: Keskar et al., "CTRL", 2019, section 4.1.
    pub repetition_penalty: f64,
    /// Logits are divided by it: below 1 sharpens, above 1 flattens, 0 takes the most likely symbol.
    pub temperature: f64,
    /// Keeps the k most likely symbols (ties at the edge: the lower codes).
    pub top_k: Option<usize>,
    /// Keeps the fewest symbols, most likely first, whose probabilities reach p together.
    ///
    /// Source: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020, section 3.1.
    pub top_p: Option<f64>,
    /// Keeps the symbols at least p times as likely as the most likely one.
    ///
    /// Source: Nguyen et al., "Min-p sampling", 2024.
    pub min_p: Option<f64>,
    /// What turns what is kept into a symbol.
    pub noise: Noise,
}

impl Default for Options {
    /// Draws from the model's own distribution.
    fn default() -> Self {
        Options {
            repetition_penalty: 1.0,
            temperature: 1.0,
            top_k: None,
            top_p: None,
            min_p: None,
            noise: Noise::Uniform,
        }
    }
}

impl Options {
    /// Checks every number.
    ///
    /// # Errors
    /// A usage error that names the option and what it may be.
    pub fn check(&self) -> Result<()> {
        let wrong = |name: &str, value: String, help: &str| {
            Err(Error::new(Kind::Usage, format!("{name} is {value}")).cause(format!("{name} must be {help}")))
        };
        let within = |x: f64, most: f64| x > 0.0 && x <= most;
        if !(0.0..=1e6).contains(&self.temperature) {
            return wrong("temperature", given(self.temperature), "from 0 to 1e6; 0 takes the most likely symbol");
        }
        if self.top_k == Some(0) {
            return wrong("top-k", "0".into(), "at least 1; leave it out to keep all symbols");
        }
        if let Some(p) = self.top_p.filter(|&p| !within(p, 1.0)) {
            return wrong("top-p", given(p), "above 0 and at most 1; leave it out to keep all symbols");
        }
        if let Some(p) = self.min_p.filter(|&p| !(0.0..=1.0).contains(&p)) {
            return wrong("min-p", given(p), "between 0 and 1; leave it out to keep all symbols");
        }
        if !within(self.repetition_penalty, 1e6) {
            return wrong(
                "repetition-penalty",
                given(self.repetition_penalty),
                "above 0 and at most 1e6; 1 changes nothing",
            );
        }
        Ok(())
    }
}

/// Chooses symbols by [`Options`]. Keeps its buffers, so that a choice allocates nothing after the first.
#[derive(Clone, Debug)]
pub struct Sampler {
    options: Options,
    /// For the repetition penalty: which symbols came before.
    seen: Vec<bool>,
    weights: Vec<f64>,
    order: Vec<u32>,
}

impl Sampler {
    /// A sampler that has seen no symbol.
    ///
    /// # Errors
    /// If an option makes no sense, see [`Options::check`].
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        Ok(Sampler { options, seen: Vec::new(), weights: Vec::new(), order: Vec::new() })
    }

    /// Whether symbols are drawn from the distributions as they are.
    pub fn is_plain(&self) -> bool {
        self.options == Options::default()
    }

    /// Remembers a symbol of V, for the repetition penalty.
    pub fn note(&mut self, symbols: usize, symbol: u32) {
        self.seen.resize(symbols, false);
        self.seen[symbol as usize] = true;
    }

    /// Computes the weights, proportional to the probabilities after reshaping, and their sum.
    fn reshape<T: autograd::Scalar>(&mut self, distribution: &Categorical<T>) -> f64 {
        let Options { repetition_penalty, temperature, top_k, top_p, min_p, noise: _ } = self.options;
        let n = distribution.logits.len();
        self.seen.resize(n, false);
        self.weights.clear();
        self.weights.extend(distribution.logits.iter().map(|x| x.as_f64()));
        if repetition_penalty != 1.0 {
            for (x, _) in self.weights.iter_mut().zip(&self.seen).filter(|(_, seen)| **seen) {
                *x = if *x > 0.0 { *x / repetition_penalty } else { *x * repetition_penalty };
            }
        }
        let largest = self.weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if temperature == 0.0 {
            let best = self.weights.iter().position(|&x| x == largest).unwrap_or(0);
            self.weights.iter_mut().enumerate().for_each(|(i, x)| *x = f64::from(i == best));
            return 1.0;
        }
        self.weights.iter_mut().for_each(|x| *x = ((*x - largest) / temperature).exp());
        if top_k.is_some_and(|k| k < n) || top_p.is_some_and(|p| p < 1.0) {
            let weights = &self.weights;
            self.order.clear();
            self.order.extend(0..n as u32);
            let by_weight = |a: &u32, b: &u32| weights[*b as usize].total_cmp(&weights[*a as usize]).then(a.cmp(b));
            self.order.sort_unstable_by(by_weight);
            let mut kept = top_k.unwrap_or(n).min(n);
            if let Some(p) = top_p {
                let total: f64 = self.order[..kept].iter().map(|&i| weights[i as usize]).sum();
                let mut reached = 0.0;
                let enough = |&i: &u32| {
                    reached += weights[i as usize];
                    reached >= p * total
                };
                kept = self.order[..kept].iter().position(enough).map_or(kept, |last| last + 1);
            }
            self.order[kept..].iter().for_each(|&i| self.weights[i as usize] = 0.0);
        }
        if let Some(p) = min_p {
            self.weights.iter_mut().filter(|x| **x < p).for_each(|x| *x = 0.0); // the most likely one has weight 1
        }
        self.weights.iter().sum()
    }

    /// Draws a symbol by the weights, whose sum is `total`.
    fn pick(&self, total: f64, random: &mut impl Rng) -> u32 {
        let weights = self.weights.iter().copied();
        match self.options.noise {
            Noise::Uniform => pick(weights, random.random::<f64>() * total),
            Noise::Gumbel => {
                let gumbel = Gumbel::new(0.0, 1.0).expect("a scale of 1");
                let mut best = (0, f64::NEG_INFINITY);
                for (symbol, weight) in weights.enumerate() {
                    let score = weight.ln() + random.sample(gumbel);
                    if score > best.1 {
                        best = (symbol as u32, score);
                    }
                }
                best.0
            }
        }
    }
}

/// A distribution that a [`Sampler`] knows how to reshape and draw from.
pub trait Reshape: Distribution {
    /// Draws a symbol as the sampler's options say.
    fn draw(&self, sampler: &mut Sampler, random: &mut impl Rng) -> Self::Symbol;

    /// Tells the sampler of a symbol that it did not draw itself (a prompt).
    fn note(&self, sampler: &mut Sampler, symbol: Self::Symbol);
}

/// A distribution whose probabilities after reshaping are wanted as numbers.
pub trait Weigh: Reshape + Distribution<Symbol = u32> {
    /// The probability of every symbol as the sampler's options have it, (V).
    fn weigh(&self, sampler: &mut Sampler, probabilities: &mut Vec<f64>);
}

impl<T: autograd::Scalar> Weigh for Categorical<T> {
    fn weigh(&self, sampler: &mut Sampler, probabilities: &mut Vec<f64>) {
        let total = sampler.reshape(self);
        probabilities.clear();
        probabilities.extend(sampler.weights.iter().map(|weight| weight / total));
    }
}

impl<T: autograd::Scalar> Reshape for Categorical<T> {
    fn draw(&self, sampler: &mut Sampler, random: &mut impl Rng) -> u32 {
        let symbol = if sampler.is_plain() {
            self.sample(random)
        } else {
            let total = sampler.reshape(self);
            sampler.pick(total, random)
        };
        self.note(sampler, symbol);
        symbol
    }

    fn note(&self, sampler: &mut Sampler, symbol: u32) {
        sampler.note(self.logits.len(), symbol);
    }
}

/// Temperature scales the deviation; the other options are about alphabets and change nothing.
impl Reshape for Gaussian {
    fn draw(&self, sampler: &mut Sampler, random: &mut impl Rng) -> f64 {
        let std = self.std * sampler.options.temperature;
        if std == 0.0 { self.mean } else { Gaussian { std, ..*self }.sample(random) }
    }

    fn note(&self, _: &mut Sampler, _: f64) {}
}

#[cfg(test)]
#[path = "sampling_tests.rs"]
mod tests;
