//! Heads: the numbers that a network gives for a symbol, a sub-pixel of an image or a sample of a sound, as a distribution of its level, and the
//! loss of many of them at once.
//!
//! | distribution | numbers | levels |
//! | --- | --- | --- |
//! | `bernoulli` | 1: the logit of level 1 | 2 |
//! | `categorical` | V: a logit for each level | any |
//! | `{ logistics = { components = 5 } }` | 3 for each component: see [`super::logistics`] | any |

use super::logistics::{self, Logistics};
use crate::distribution::{Categorical, Discrete, Distribution, log_probability};
use crate::error::{Error, Kind};
use crate::sampling::{Reshape, Sampler};
use autograd::{Scalar, Tensor};
use rand::{Rng, RngExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What a network's numbers for a symbol mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// Of two levels: σ of one number.
    Bernoulli,
    /// The softmax of a number for each level.
    #[default]
    Categorical,
    /// A mixture of discretized logistics.
    Logistics {
        /// K.
        components: usize,
    },
}

/// More components than this are a slip of the keyboard.
const MOST_COMPONENTS: usize = 1000;

impl Head {
    /// P, the numbers for a symbol of V levels.
    pub fn parameters(self, levels: usize) -> usize {
        match self {
            Head::Bernoulli => 1,
            Head::Categorical => levels,
            Head::Logistics { components } => components.saturating_mul(3),
        }
    }

    /// Says what is wrong with its numbers, whatever it is a distribution of.
    ///
    /// # Errors
    /// The key, below that of the distribution, and its bounds.
    pub fn bounds(self) -> Result<(), String> {
        match self {
            Head::Logistics { components } if !(1..=MOST_COMPONENTS).contains(&components) => {
                Err(format!("`logistics.components` is {components}; it must be from 1 to {MOST_COMPONENTS}"))
            }
            _ => Ok(()),
        }
    }

    /// The same as of a configuration, whose `model.distribution` it is.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check_setting(self) -> crate::error::Result<()> {
        let within = |what: String| what.replacen('`', "`model.distribution.", 1);
        self.bounds().map_err(|what| Error::new(Kind::Usage, within(what)))
    }

    /// Says what is wrong with it for V levels.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(self, levels: usize) -> Result<(), String> {
        match self {
            Head::Bernoulli if levels != 2 => {
                Err(format!("a Bernoulli distribution is one of two levels, not of {levels}"))
            }
            Head::Bernoulli | Head::Categorical | Head::Logistics { .. } => self.bounds(),
        }
    }

    /// The mean `−ln p` of symbols, in nats, recorded for the backward pass. V is `levels`, `targets` the level of every symbol.
    ///
    /// # Shapes
    /// `parameters` (B, C · P, places…), channels innermost in memory · `targets` (B, places…, C) → ()
    ///
    /// # Panics
    /// If the shapes do not fit, or a target is no level.
    #[track_caller]
    pub fn loss<T: Scalar>(self, levels: usize, parameters: Tensor<T>, targets: &[u32]) -> Tensor<T> {
        let rows = rows(self.parameters(levels), &parameters);
        // Nobody else holds the numbers now: the cross-entropy writes over them.
        drop(parameters);
        match self {
            // ln(1 + exp z) − t z, which is −ln σ(z) for t = 1 and −ln σ(−z) for t = 0.
            Head::Bernoulli => {
                assert!(targets.iter().all(|&t| t < 2), "bernoulli: a level that is neither 0 nor 1");
                let targets = targets.iter().map(|&t| T::of(f64::from(t))).collect();
                let targets = Tensor::from_vec(targets, rows.shape());
                (rows.softplus() - &rows * &targets).mean()
            }
            Head::Categorical => rows.cross_entropy(targets),
            Head::Logistics { .. } => logistics::loss(levels, &rows, targets),
        }
    }

    /// `−ln p` of every symbol, in nats and in double precision: that of [`Head::distribution`], without making one for each.
    ///
    /// # Shapes
    /// As [`Head::loss`], but → (B · places · C)
    ///
    /// # Panics
    /// As [`Head::loss`].
    #[track_caller]
    pub fn nats<T: Scalar>(self, levels: usize, parameters: &Tensor<T>, targets: &[u32]) -> Vec<f64> {
        let each = self.parameters(levels);
        let rows = rows(each, parameters);
        let rows = rows.value().as_slice().expect("row-major");
        assert_eq!(rows.len(), each * targets.len(), "nats: numbers for {} symbols", targets.len());
        let one = |(row, &level): (&[T], &u32)| match self {
            Head::Bernoulli => -Bernoulli::of(row[0]).log_probability(level),
            Head::Categorical => -log_probability(row, level),
            Head::Logistics { .. } => -Logistics::new(levels, row).log_probability(level),
        };
        rows.par_chunks_exact(each).zip(targets).map(one).collect()
    }

    /// The distribution of the level of a symbol, of V, by the P numbers for it.
    pub fn distribution<T: Scalar>(self, levels: usize, row: &[T]) -> LevelDistribution<T> {
        match self {
            Head::Bernoulli => LevelDistribution::Bernoulli(Bernoulli::of(row[0])),
            Head::Categorical => LevelDistribution::Categorical(Categorical { logits: row.to_vec() }),
            Head::Logistics { .. } => LevelDistribution::Logistics(Logistics::new(levels, row)),
        }
    }
}

/// (B, C · P, places…) → (B · places · C, P): the same numbers in the same places of memory.
#[track_caller]
pub(crate) fn rows<T: Scalar>(each: usize, parameters: &Tensor<T>) -> Tensor<T> {
    let count = parameters.value().len() / each;
    let axes: Vec<usize> = std::iter::once(0).chain(2..parameters.shape().len()).chain([1]).collect();
    parameters.permute(&axes).reshape(&[count, each])
}

/// The distribution of the level of one symbol, 0 to V − 1.
#[derive(Clone, Debug, PartialEq)]
pub enum LevelDistribution<T> {
    /// Of two levels.
    Bernoulli(Bernoulli),
    /// By logits.
    Categorical(Categorical<T>),
    /// By bells on a line.
    Logistics(Logistics),
}

/// A distribution of 0 and 1: `p(1) = σ(logit)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bernoulli {
    /// `ln p(1) − ln p(0)`.
    pub logit: f64,
}

impl Bernoulli {
    fn of<T: Scalar>(logit: T) -> Self {
        Bernoulli { logit: logit.as_f64() }
    }

    fn log_probability(self, level: u32) -> f64 {
        log_sigmoid(if level == 1 { self.logit } else { -self.logit })
    }

    fn categorical(self) -> Categorical<f64> {
        Categorical { logits: vec![0.0, self.logit] }
    }
}

/// `ln σ(x) = min(x, 0) − ln(1 + exp(−|x|))`.
pub(super) fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

impl<T: Scalar> Distribution for LevelDistribution<T> {
    type Symbol = u32;

    fn log_probability(&self, level: u32) -> f64 {
        match self {
            LevelDistribution::Bernoulli(bernoulli) => bernoulli.log_probability(level),
            LevelDistribution::Categorical(categorical) => categorical.log_probability(level),
            LevelDistribution::Logistics(logistics) => logistics.log_probability(level),
        }
    }

    fn sample(&self, random: &mut impl Rng) -> u32 {
        match self {
            LevelDistribution::Bernoulli(bernoulli) => {
                u32::from(random.random::<f64>() < bernoulli.log_probability(1).exp())
            }
            LevelDistribution::Categorical(categorical) => categorical.sample(random),
            LevelDistribution::Logistics(logistics) => logistics.sample(random),
        }
    }

    fn entropy(&self) -> f64 {
        self.probabilities().iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum()
    }

    fn is_sound(&self) -> bool {
        match self {
            // A logit may be −∞, of a level that cannot come.
            LevelDistribution::Categorical(categorical) => categorical.is_sound(),
            _ => self.parameters().iter().all(|x| x.is_finite()),
        }
    }

    fn parameters(&self) -> Vec<f64> {
        match self {
            LevelDistribution::Bernoulli(bernoulli) => vec![bernoulli.logit],
            LevelDistribution::Categorical(categorical) => categorical.parameters(),
            LevelDistribution::Logistics(logistics) => logistics.parameters(),
        }
    }
}

impl<T: Scalar> Discrete for LevelDistribution<T> {
    fn symbols(&self) -> usize {
        match self {
            LevelDistribution::Bernoulli(_) => 2,
            LevelDistribution::Categorical(categorical) => categorical.symbols(),
            LevelDistribution::Logistics(logistics) => logistics.levels(),
        }
    }

    fn probabilities(&self) -> Vec<f64> {
        match self {
            LevelDistribution::Bernoulli(bernoulli) => {
                [0, 1].map(|level| bernoulli.log_probability(level).exp()).into()
            }
            LevelDistribution::Categorical(categorical) => categorical.probabilities(),
            LevelDistribution::Logistics(logistics) => {
                logistics.categorical().logits.into_iter().map(f64::exp).collect()
            }
        }
    }
}

/// As a categorical distribution: by `ln p` of each level, where logits are no part of it.
impl<T: Scalar> Reshape for LevelDistribution<T> {
    fn draw(&self, sampler: &mut Sampler, random: &mut impl Rng) -> u32 {
        match self {
            LevelDistribution::Bernoulli(bernoulli) => bernoulli.categorical().draw(sampler, random),
            LevelDistribution::Categorical(categorical) => categorical.draw(sampler, random),
            // Drawn from as it is, a level costs what its components do, and not what all levels do.
            LevelDistribution::Logistics(logistics) if sampler.is_plain() => {
                let level = logistics.sample(random);
                sampler.note(logistics.levels(), level);
                level
            }
            LevelDistribution::Logistics(logistics) => logistics.categorical().draw(sampler, random),
        }
    }

    fn note(&self, sampler: &mut Sampler, level: u32) {
        sampler.note(self.symbols(), level);
    }
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
