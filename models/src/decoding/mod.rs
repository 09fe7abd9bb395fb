//! Ways around the loop: sequences from any model in fewer passes through its network than they have symbols, and the likeliest one.
//!
//! A pass of a network over several positions costs little more than one over a single position, where the weights must be read from far
//! away, or where positions run side by side. [`Autoregressive::look_ahead`](crate::autoregressive::Autoregressive::look_ahead) is such a
//! pass over guesses; what differs is where guesses come from, and what is done with those that are wrong.
//!
//! | way | guesses | what comes out |
//! | --- | --- | --- |
//! | [`crate::sampling::Generator`] | none: a pass a symbol | a sample |
//! | [`speculative`] | a smaller model's | a sample: exactly the law of the model, another sample than the loop's |
//! | [`jacobi`] | what the pass before made of its guesses | exactly the sample of the loop, bit for bit |
//! | [`beam`] | none: a pass a symbol of each beam | no sample: a continuation that is likely |
//! | [`mask_predict`] | of a model that fills gaps: all of them, in each of a few rounds | a sample of a law near the model's own |

pub mod beam;
pub mod comparison;
pub mod jacobi;
pub mod mask_predict;
pub mod speculative;

#[cfg(test)]
mod toys;

use crate::pages::numbers::{counted, grouped};
use serde::Serialize;
use std::fmt;
use std::ops::Add;

/// What sequences cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Symbols that came out.
    pub symbols: u64,
    /// Passes through the network, over one position or several.
    pub passes: u64,
    /// Symbols that a draft proposed, and the network judged.
    pub drafted: u64,
    /// Those of them that were kept.
    pub accepted: u64,
}

impl Cost {
    /// The share of the drafted symbols that were kept: the rate of acceptance `a`, estimated over all that were judged until the first
    /// that was not kept. None where nothing was judged.
    pub fn acceptance(&self) -> Option<f64> {
        (self.drafted > 0).then(|| self.accepted as f64 / self.drafted as f64)
    }
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            symbols: self.symbols + other.symbols,
            passes: self.passes + other.passes,
            drafted: self.drafted + other.drafted,
            accepted: self.accepted + other.accepted,
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { symbols, passes, drafted, .. } = *self;
        let ending = if passes == 1 { "" } else { "es" };
        write!(f, "{} in {} pass{ending}", counted(symbols, "symbol"), grouped(passes))?;
        if passes > 0 {
            write!(f, ", {:.2} a pass", symbols as f64 / passes as f64)?;
        }
        match self.acceptance() {
            Some(kept) => write!(f, "; {:.1} % of {} kept", 100.0 * kept, counted(drafted, "proposal")),
            None => Ok(()),
        }
    }
}

/// The mean number of symbols of a pass with `g` guesses, each right with probability `a` whatever the others are:
/// `1 + a + … + a^g = (1 − a^{g+1}) / (1 − a)`.
///
/// Source: Leviathan, Kalman & Matias, "Fast Inference from Transformers via Speculative Decoding", 2023, equation 1.
pub fn symbols_per_pass(a: f64, g: usize) -> f64 {
    (0..=g).map(|i| a.powi(i as i32)).sum()
}
