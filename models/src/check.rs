//! What must hold of every model, checked through the trait alone: causality bit for bit, probabilities that sum to one,
//! steps that equal the parallel pass, likelihoods that do not depend on how they are computed.
//!
//! Where a model's sequences have a fixed length, what is longer is cut to it.

use crate::autoregressive::Autoregressive;
use crate::distribution::{Discrete, Distribution, Gaussian};
use std::fmt;

mod causality;
mod looking_ahead;
pub use causality::{causality, causality_at, visibility, visibility_on_all_cores};
pub use looking_ahead::looking_ahead;

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was checked.
    pub name: &'static str,
    /// How much was compared, and how well it held.
    pub detail: String,
    /// Whether it held.
    pub passed: bool,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24} {:<5} {}", self.name, if self.passed { "ok" } else { "FAILED" }, self.detail)
    }
}

fn bits(distribution: &impl Distribution) -> Vec<u64> {
    distribution.parameters().into_iter().map(f64::to_bits).collect()
}

/// As much of a sequence as the model's sequences are long.
fn within<'s, M: Autoregressive>(model: &M, sequence: &'s [M::Symbol]) -> &'s [M::Symbol] {
    &sequence[..model.length().map_or(sequence.len(), |length| length.min(sequence.len()))]
}

/// Largest difference from 1 that a sum of probabilities may have: the distributions are normalized in f64.
pub const SUM_TOLERANCE: f64 = 1e-12;

/// The probabilities of all sequences of `length` symbols below `symbols` must sum to one: by enumeration, in parallel.
pub fn sum_to_one<M: Autoregressive<Symbol = u32>>(model: &M, symbols: u32, length: usize) -> Outcome {
    let length = model.length().map_or(length, |fixed| fixed.min(length));
    let mut sequence = vec![0; length];
    let (mut total, mut count) = (0.0, 0_u64);
    loop {
        let distributions = model.distributions(&sequence);
        let ln_p: f64 = distributions.iter().zip(&sequence).map(|(d, &symbol)| d.log_probability(symbol)).sum();
        total += ln_p.exp();
        count += 1;
        let Some(position) = (0..length).rev().find(|&t| sequence[t] + 1 < symbols) else { break };
        sequence[position] += 1;
        sequence[position + 1..].fill(0);
    }
    let off = (total - 1.0).abs();
    let detail = format!("{count} sequences of length {length} sum to 1 within {off:.1e}");
    Outcome { name: "sum to one", detail, passed: off <= SUM_TOLERANCE }
}

/// Each distribution of a sequence must have `symbols` probabilities that sum to one, and score the symbol that comes with its
/// own: for alphabets too large to enumerate sequences of. Costs V a position.
pub fn each_sums_to_one<M>(model: &M, sequence: &[u32], symbols: u32) -> Outcome
where
    M: Autoregressive<Symbol = u32>,
    M::Distribution: Discrete,
{
    const NAME: &str = "each sums to one";
    let sequence = within(model, sequence);
    let mut worst = 0.0_f64;
    for (t, (distribution, &symbol)) in model.distributions(sequence).iter().zip(sequence).enumerate() {
        let p = distribution.probabilities();
        if [p.len(), distribution.symbols()] != [symbols as usize; 2] {
            let detail = format!("the distribution at position {t} is over {} symbols, not {symbols}", p.len());
            return Outcome { name: NAME, detail, passed: false };
        }
        let scored = distribution.log_probability(symbol).exp();
        let off = [p.iter().sum::<f64>() - 1.0, scored - p[symbol as usize]];
        // NaN is worse than every number
        worst =
            off.iter().fold(worst, |worst, off| if worst.is_nan() || off.abs() <= worst { worst } else { off.abs() });
    }
    let detail = format!("{} distributions over {symbols} symbols sum to 1 within {worst:.1e}", sequence.len());
    Outcome { name: NAME, detail, passed: worst <= SUM_TOLERANCE }
}

/// Each density of a sequence must integrate to one: by the trapezoidal rule over 12 standard deviations to each side, which
/// for a normal density is exact to rounding.
pub fn each_integrates_to_one<M>(model: &M, sequence: &[M::Symbol]) -> Outcome
where
    M: Autoregressive<Symbol = f64, Distribution = Gaussian>,
{
    const STEPS: i32 = 8; // in a standard deviation
    let off = |d: &Gaussian| {
        let width = d.std / f64::from(STEPS);
        // A grid of exact multiples of the width around the mean; rounding of mean + i·width is far below it.
        let density = |i: i32| Gaussian { mean: 0.0, ..*d }.log_probability(f64::from(i) * width).exp();
        ((-12 * STEPS..=12 * STEPS).map(density).sum::<f64>() * width - 1.0).abs()
    };
    let sequence = within(model, sequence);
    let worst = model.distributions(sequence).iter().map(off).fold(0.0, f64::max);
    let detail = format!("{} densities integrate to 1 within {worst:.1e}", sequence.len());
    Outcome { name: "each integrates to one", detail, passed: worst <= SUM_TOLERANCE }
}

/// The distribution after each step must be the one of the parallel pass, bit for bit.
pub fn steps_equal_parallel<M: Autoregressive>(model: &M, sequence: &[M::Symbol]) -> Outcome {
    const NAME: &str = "steps = parallel";
    let sequence = within(model, sequence);
    let mut state = model.start();
    for (t, (parallel, &symbol)) in model.distributions(sequence).iter().zip(sequence).enumerate() {
        let (a, b) = (parallel.parameters(), model.next(&state).parameters());
        if bits(parallel) != bits(model.next(&state)) {
            let largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let detail = format!("at position {t} a step differs from the parallel pass by {largest:.1e}");
            return Outcome { name: NAME, detail, passed: false };
        }
        model.step(&mut state, symbol);
    }
    Outcome { name: NAME, detail: format!("bit for bit at {} positions", sequence.len()), passed: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Categorical;

    /// A two-symbol chain: the logit of "1" is what the last symbols make it.
    #[derive(Clone, Copy)]
    enum Chain {
        /// Depends on the symbol before: right.
        Honest,
        /// Sees the symbol itself.
        SeesItself,
        /// Sees nothing at all.
        Blind,
        /// Steps look at the first symbol, the parallel pass at the last.
        Forgetful,
    }

    impl Autoregressive for Chain {
        type Symbol = u32;
        type Distribution = Categorical<f64>;
        type State = (Vec<u32>, Categorical<f64>);

        fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
            let seen = |t: usize| match self {
                Chain::Honest | Chain::Forgetful => t.checked_sub(1).map_or(0, |i| x[i] + 1),
                Chain::SeesItself => x[t] + 1,
                Chain::Blind => 0,
            };
            (0..x.len()).map(|t| Categorical { logits: vec![0.0, f64::from(seen(t)) * 0.7] }).collect()
        }
        fn start(&self) -> Self::State {
            (Vec::new(), Categorical { logits: vec![0.0, 0.0] })
        }
        fn next<'s>(&self, state: &'s Self::State) -> &'s Categorical<f64> {
            &state.1
        }
        fn step(&self, state: &mut Self::State, symbol: u32) {
            state.0.push(symbol);
            let seen = if let Chain::Forgetful = self { state.0[0] } else { symbol };
            state.1.logits[1] = f64::from(seen + 1) * 0.7;
        }
    }

    const SEQUENCE: [u32; 4] = [1, 0, 1, 1];

    #[test]
    fn an_honest_model_passes_every_check() {
        assert!(causality(&Chain::Honest, &SEQUENCE, |x| 1 - x).passed);
        assert!(sum_to_one(&Chain::Honest, 2, 5).passed);
        assert!(each_sums_to_one(&Chain::Honest, &SEQUENCE, 2).passed);
        assert!(steps_equal_parallel(&Chain::Honest, &SEQUENCE).passed);
    }

    #[test]
    fn a_model_that_sees_the_symbol_it_predicts_is_rejected() {
        let outcome = causality(&Chain::SeesItself, &SEQUENCE, |x| 1 - x);
        assert!(!outcome.passed && outcome.detail.contains("position 0"), "{outcome}");
        assert!(!sum_to_one(&Chain::SeesItself, 2, 5).passed);
    }

    #[test]
    fn a_model_that_sees_nothing_is_rejected() {
        assert!(!causality(&Chain::Blind, &SEQUENCE, |x| 1 - x).passed);
    }

    #[test]
    fn a_model_whose_steps_differ_from_its_parallel_pass_is_rejected() {
        let outcome = steps_equal_parallel(&Chain::Forgetful, &SEQUENCE);
        assert!(!outcome.passed && outcome.detail.contains("position 2"), "{outcome}");
    }

    /// A distribution that says one thing and scores another.
    #[derive(Clone)]
    struct Told {
        probabilities: Vec<f64>,
        scored: f64,
    }

    impl Distribution for Told {
        type Symbol = u32;
        fn log_probability(&self, _: u32) -> f64 {
            self.scored.ln()
        }
        fn sample(&self, _: &mut impl rand::Rng) -> u32 {
            0
        }
        fn entropy(&self) -> f64 {
            0.0
        }
        fn parameters(&self) -> Vec<f64> {
            self.probabilities.clone()
        }
    }

    impl Discrete for Told {
        fn symbols(&self) -> usize {
            self.probabilities.len()
        }
        fn probabilities(&self) -> Vec<f64> {
            self.probabilities.clone()
        }
    }

    /// The first symbol is distributed as told, all others evenly.
    impl Autoregressive for Told {
        type Symbol = u32;
        type Distribution = Told;
        type State = Told;
        fn distributions(&self, x: &[u32]) -> Vec<Told> {
            let even = Told { probabilities: vec![0.5; 2], scored: 0.5 };
            std::iter::once(self.clone()).chain(std::iter::repeat(even)).take(x.len()).collect()
        }
        fn start(&self) -> Told {
            self.clone()
        }
        fn next<'s>(&self, state: &'s Told) -> &'s Told {
            state
        }
        fn step(&self, _: &mut Told, _: u32) {}
    }

    #[test]
    fn probabilities_that_do_not_sum_to_one_or_are_not_what_is_scored_are_rejected() {
        let passes = |probabilities: &[f64], scored| {
            let model = Told { probabilities: probabilities.to_vec(), scored };
            each_sums_to_one(&model, &SEQUENCE, 2).passed
        };
        assert!(passes(&[0.75, 0.25], 0.25));
        assert!(!passes(&[0.75, 0.2501], 0.2501));
        assert!(!passes(&[0.75, 0.25], 0.75));
        assert!(!passes(&[f64::NAN, 0.25], 0.25));
        assert!(!passes(&[0.5, 0.25, 0.25], 0.25));
    }

    #[test]
    fn nats_of_a_sequence_are_those_of_its_distributions() {
        let model = Chain::Honest;
        let nats = model.nats(&mut model.start(), &SEQUENCE);
        let parallel = model.distributions(&SEQUENCE);
        for ((nats, d), &symbol) in nats.iter().zip(parallel).zip(&SEQUENCE) {
            assert_eq!(*nats, -d.log_probability(symbol));
        }
    }
}
