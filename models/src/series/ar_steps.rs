//! The linear AR(k) model as an autoregressive model like any other: in parallel and one step at a time.
//!
//! Before a series begins, every lag is at the model's level ([`Ar::level`]): the mean it returns to.

use super::ar::Ar;
use super::model::SeriesModel;
use crate::autoregressive::Autoregressive;
use crate::distribution::Gaussian;

/// The smallest deviation of a distribution: a perfect fit has a variance of 0, and a density needs a width.
pub(super) const NARROWEST: f64 = 1e-150;

/// The values an [`Ar`] still sees.
#[derive(Clone, Debug)]
pub struct State {
    /// The last k values, oldest first.
    past: Vec<f64>,
    next: Gaussian,
}

impl Ar {
    fn given(&self, past: &[f64]) -> Gaussian {
        Gaussian { mean: self.predict(past), std: self.variance.sqrt().max(NARROWEST) }
    }
}

impl Autoregressive for Ar {
    type Symbol = f64;
    type Distribution = Gaussian;
    type State = State;

    fn distributions(&self, sequence: &[f64]) -> Vec<Gaussian> {
        let mut padded = vec![self.level(); self.lags()];
        padded.extend(sequence);
        (0..sequence.len()).map(|t| self.given(&padded[..self.lags() + t])).collect()
    }

    fn start(&self) -> State {
        let past = vec![self.level(); self.lags()];
        State { next: self.given(&past), past }
    }

    fn next<'s>(&self, state: &'s State) -> &'s Gaussian {
        &state.next
    }

    fn step(&self, state: &mut State, x: f64) {
        if let Some(oldest) = state.past.first_mut() {
            *oldest = x;
            state.past.rotate_left(1);
        }
        state.next = self.given(&state.past);
    }
}

impl SeriesModel for Ar {
    fn reach(&self) -> usize {
        self.lags()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::series::sunspots::YEARLY;
    use approx::assert_relative_eq;

    fn models() -> Vec<Ar> {
        let fit = |lags| Ar::least_squares(&YEARLY, lags).unwrap().model;
        let walk = Ar { constant: 0.5, coefficients: vec![1.0], variance: 2.0 };
        vec![fit(1), fit(9), walk, Ar::spaced_least_squares(&YEARLY, 2, 5).unwrap().model]
    }

    #[test]
    fn a_linear_model_is_causal_and_its_steps_equal_the_parallel_pass_bit_for_bit() {
        for model in models() {
            for outcome in [
                check::causality(&model, &YEARLY[..40], |x| x + 1.0),
                check::steps_equal_parallel(&model, &YEARLY[..40]),
            ] {
                assert!(outcome.passed, "AR({}): {outcome}", model.lags());
            }
        }
    }

    #[test]
    fn before_the_series_stands_the_mean_where_there_is_one() {
        for model in models() {
            let level = if model.is_stationary() { model.mean() } else { 0.0 };
            let expected = model.predict(&vec![level; model.lags()]);
            assert_eq!(model.next(&model.start()).mean, expected);
            if model.is_stationary() {
                assert_relative_eq!(expected, level, max_relative = 1e-12);
            }
        }
    }

    #[test]
    fn the_likelihood_of_the_regression_rows_is_that_of_the_fit() {
        for (lags, stride) in [(2, 1), (9, 1), (3, 4)] {
            let fit = Ar::spaced_least_squares(&YEARLY, lags, stride).unwrap();
            let score = fit.model.score(&YEARLY, lags * stride..309).unwrap();
            assert_relative_eq!(-score.nats * fit.observations as f64, fit.log_likelihood, max_relative = 1e-12);
            assert_relative_eq!(score.rmse.powi(2), fit.model.variance, max_relative = 1e-12);
        }
    }
}
