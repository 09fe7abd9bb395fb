//! Scheduled sampling: in training a network reads some symbols of its own in the place of true ones, and is to say the true next one
//! all the same, as it will have to when it runs on what it wrote itself.
//!
//! Input t of a window stays true with probability ε; else it is drawn from the network's own distribution after the inputs before it,
//! drawn ones among them. The targets stay true. The first input of a window is always true, since the window before it has ended. This is
//! the paper's method and no approximation of it: symbols are drawn in order, position by position, for all streams of the batch together.
//! Then one ordinary pass, forwards and backwards, reads the mixed window. No gradient goes through a draw.
//!
//! Beside the ordinary pass this costs about one forward pass more, in pieces as short as a position: what comes before the first drawn
//! symbol, or between two, is one piece. Such products are far from their best speed: a step takes about twice as long. Where nothing is
//! drawn nothing is computed. Networks draw as they generate, without dropout.
//!
//! Source: Bengio, Vinyals, Jaitly & Shazeer, "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks", 2015,
//! sections 2.4 and 2.5.

use super::network::{Carry, Network};
use crate::distribution::{Categorical, Distribution};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use autograd::no_grad;
use autograd::random::Stream;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// How ε, the probability that an input is true, falls with the steps i = 0, 1, … of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScheduledSampling {
    /// Every input is true: `ε = 1`.
    #[default]
    None,
    /// `ε = max(ε_min, k − c·i)`, at most 1.
    Linear {
        /// ε of the first step; above 1 the truth alone is read for `(k − 1)/c` steps.
        k: f64,
        /// How much it falls with a step.
        c: f64,
        /// ε_min, what it falls to.
        epsilon_min: f64,
    },
    /// `ε = kⁱ`.
    Exponential {
        /// Below 1.
        k: f64,
    },
    /// `ε = k / (k + exp(i/k))`: ½ after `k ln k` steps.
    InverseSigmoid {
        /// At least 1.
        k: f64,
    },
}

impl ScheduledSampling {
    /// ε of a step, counted from 0.
    pub fn epsilon(&self, step: u64) -> f64 {
        let i = step as f64;
        match *self {
            ScheduledSampling::None => 1.0,
            ScheduledSampling::Linear { k, c, epsilon_min } => (k - c * i).max(epsilon_min).min(1.0),
            // By `libm`: a system's own functions differ in the last bit, and what is drawn must not.
            ScheduledSampling::Exponential { k } => libm::pow(k, i),
            ScheduledSampling::InverseSigmoid { k } => k / (k + libm::exp(i / k)),
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key and its bound.
    pub fn check(&self) -> Result<()> {
        let within = |schedule: &str, key: &str, x: f64, holds: bool, bound: &str| match holds {
            true => Ok(()),
            false => {
                let what = format!("`data.scheduled_sampling.{schedule}.{key}` is {}; it must be {bound}", given(x));
                Err(Error::new(Kind::Usage, what))
            }
        };
        match *self {
            ScheduledSampling::None => Ok(()),
            ScheduledSampling::Linear { k, c, epsilon_min } => {
                within("linear", "k", k, (0.0..=1e6).contains(&k), "from 0 to 1e6")?;
                within("linear", "c", c, (0.0..=1e6).contains(&c), "from 0 to 1e6")?;
                within("linear", "epsilon_min", epsilon_min, (0.0..=1.0).contains(&epsilon_min), "from 0 to 1")
            }
            ScheduledSampling::Exponential { k } => {
                within("exponential", "k", k, (0.0..1.0).contains(&k), "at least 0 and below 1")
            }
            ScheduledSampling::InverseSigmoid { k } => {
                within("inverse_sigmoid", "k", k, (1.0..=1e9).contains(&k), "from 1 to 1e9")
            }
        }
    }
}

/// Puts the network's own symbols in the place of true inputs of a window, each with probability `1 − epsilon`. `carry` is what the window begins
/// with. What is drawn depends on the inputs, the network and the stream alone.
///
/// # Shapes
/// `inputs` (B, T) symbols, B = `batch`
pub(super) fn mix<N: Network>(
    network: &N,
    inputs: &mut [u32],
    batch: usize,
    carry: Option<&Carry>,
    epsilon: f64,
    random: &mut Stream,
) {
    let time = inputs.len() / batch;
    let own: Vec<bool> = (0..inputs.len()).map(|i| i % time > 0 && random.random::<f64>() >= epsilon).collect();
    let (mut carry, mut done) = (carry.cloned(), 0);
    for t in 1..time {
        let drawn = |b: &usize| own[b * time + t];
        if !(0..batch).any(|b| drawn(&b)) {
            continue;
        }
        let piece: Vec<u32> = inputs.chunks_exact(time).flat_map(|row| &row[done..t]).copied().collect();
        let (logits, next) = no_grad(|| network.window(&piece, batch, carry.as_ref(), None)); // (B, t − done, V)
        let size = logits.shape()[2];
        let last = logits.narrow(1, t - done - 1, 1).to_vec();
        for b in (0..batch).filter(drawn) {
            let logits = last[b * size..][..size].to_vec();
            inputs[b * time + t] = Categorical { logits }.sample(random);
        }
        (carry, done) = (Some(next), t);
    }
}

#[cfg(test)]
#[path = "scheduled_sampling_tests.rs"]
mod tests;
