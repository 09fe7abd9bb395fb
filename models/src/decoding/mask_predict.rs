//! A window filled in so many rounds, whatever its length: in each, all gaps are drawn side by side, and the draws that the model is surest of
//! stay.
//!
//! A model that fills gaps says of every gap what it may hold, given the symbols that are known. Of n gaps and R rounds, in round r = 1, …, R:
//!
//! 1. every gap i draws a symbol `x_i` from its own distribution `p_i(· | known)`, whatever the others draw;
//! 2. its confidence is `c_i = ln p_i(x_i | known) + τ (1 − r/R) G_i`, with a Gumbel number `G_i`;
//! 3. the draws of the largest confidence stay, so many that `⌊n cos(π/2 · r/R)⌋` gaps are left, and at least one; the others are thrown away.
//!
//! What stays is known from then on. With R = 1 this is independent decoding: a product of marginals. With R = n each round leaves one gap
//! fewer, and every symbol is drawn given all that were drawn before it, in an order that the draws decide. Where the order is
//! decided without looking at the symbols (τ → ∞: at random) that is ancestral sampling in a random order, from the law that the
//! model was trained for. Confidence looks at the symbols: those that are likely stay sooner, and sequences come out likelier than the model's
//! own law has them. In between both approximate: symbols of one round do not know of each other.
//!
//! Source: Chang et al., "MaskGIT: Masked Generative Image Transformer", 2022, section 3.2, with the annealed Gumbel noise of its published
//! code (`choice_temperature`); Ghazvininejad et al., "Mask-Predict", 2019, which throws sure draws of earlier rounds away again.

use crate::distribution::{Discrete, Distribution, not_finite};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use crate::sampling::{Reshape, Sampler, Weigh};
use rand::{Rng, RngExt};
use rand_distr::Gumbel;
use std::f64::consts::FRAC_PI_2;
use std::ops::Range;

/// A model of what gaps hold.
pub trait FillsGaps {
    /// Of one gap.
    type Distribution: Weigh + Discrete;

    /// What each of some gaps may hold, given all symbols of the window that are known; one pass of the network.
    ///
    /// # Panics
    /// If the window is longer than the model's.
    fn gaps(&self, window: &[Option<u32>], places: &[usize]) -> Vec<Self::Distribution>;
}

/// How a window is filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// R; more than there are gaps are as many as there are gaps.
    pub rounds: usize,
    /// τ: 0 keeps the likeliest draws, much keeps any.
    pub choice_temperature: f64,
}

/// τ where nobody says: that of MaskGIT's published code.
pub const CHOICE_TEMPERATURE: f64 = 4.5;

impl Plan {
    /// So many rounds, with the published noise.
    pub fn of(rounds: usize) -> Self {
        Plan { rounds, choice_temperature: CHOICE_TEMPERATURE }
    }

    /// Checks both numbers.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the number and its bound.
    pub fn check(&self) -> Result<()> {
        if self.rounds == 0 {
            return Err(Error::new(Kind::Usage, "0 rounds fill nothing").help("ask for at least 1"));
        }
        if !(0.0..=1e6).contains(&self.choice_temperature) {
            let what = format!("choice-temperature is {}", given(self.choice_temperature));
            return Err(Error::new(Kind::Usage, what).cause("choice-temperature must be from 0 to 1e6"));
        }
        Ok(())
    }
}

/// Gaps of n that are left after round r of R: `⌊n cos(π/2 · r/R)⌋`; none after the last.
pub fn left(n: usize, r: usize, rounds: usize) -> usize {
    match r < rounds {
        // By `libm`: a system's own functions differ in the last bit, and what is drawn must not.
        true => (n as f64 * libm::cos(FRAC_PI_2 * r as f64 / rounds as f64)) as usize,
        false => 0,
    }
}

/// Fills the gaps at `places` of a window; others stay. The passes it took.
///
/// # Errors
/// If a gap has no distribution: see [`not_finite`].
pub fn fill<M: FillsGaps>(
    model: &M,
    window: &mut [Option<u32>],
    places: Range<usize>,
    plan: Plan,
    sampler: &mut Sampler,
    random: &mut impl Rng,
) -> Result<u64> {
    let gumbel = Gumbel::new(0.0, 1.0).expect("a scale of 1");
    let mut gaps: Vec<usize> = places.collect();
    let (n, rounds) = (gaps.len(), plan.rounds.min(gaps.len()));
    for round in 1..=rounds {
        let left = left(n, round, rounds).min(gaps.len() - 1);
        let noise = plan.choice_temperature * (1.0 - round as f64 / rounds as f64);
        let mut drawn = Vec::with_capacity(gaps.len());
        for (&place, distribution) in gaps.iter().zip(model.gaps(window, &gaps)) {
            if !distribution.is_sound() {
                return Err(not_finite(place + 1));
            }
            let symbol = distribution.draw(sampler, random);
            let mut confidence = distribution.log_probability(symbol);
            if noise > 0.0 {
                confidence += noise * random.sample(gumbel);
            }
            drawn.push((confidence, place, symbol));
        }
        // The surest first; of equally sure ones, the earlier place.
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let kept = gaps.len() - left;
        drawn[..kept].iter().for_each(|&(_, place, symbol)| window[place] = Some(symbol));
        gaps.retain(|&place| window[place].is_none());
    }
    Ok(rounds as u64)
}

#[cfg(test)]
#[path = "mask_predict_tests.rs"]
mod tests;
