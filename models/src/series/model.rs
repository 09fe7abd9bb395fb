//! What models of series share beyond the common trait: how far back they look, and how they are scored on a part of a series.
//!
//! Everything here runs through [`Autoregressive`]; what a single family can do in closed form stands with the family.

use std::ops::Range;

use serde::Serialize;

use super::ar::mean_square;
use crate::autoregressive::Autoregressive;
use crate::distribution::{Distribution, Gaussian};
use crate::error::{Error, Kind, Result};

/// A model of real numbers that looks back a fixed number of values.
pub trait SeriesModel: Autoregressive<Symbol = f64, Distribution = Gaussian> {
    /// How many values back the furthest one lies that the next depends on.
    fn reach(&self) -> usize;

    /// The state after a past, oldest first. Only the last [`SeriesModel::reach`] values matter.
    fn after(&self, past: &[f64]) -> Self::State {
        let mut state = self.start();
        past[past.len().saturating_sub(self.reach())..].iter().for_each(|&x| self.step(&mut state, x));
        state
    }

    /// The distribution of each of `series[targets]` given the true values before it (teacher forcing).
    ///
    /// # Errors
    /// If the first target has fewer predecessors than the model looks back, or the range is empty or leaves the series.
    fn one_step(&self, series: &[f64], targets: Range<usize>) -> Result<Vec<Gaussian>> {
        check_targets(series, &targets, self.reach())?;
        let mut state = self.after(&series[..targets.start]);
        let one = |&x: &f64| {
            let next = *self.next(&state);
            self.step(&mut state, x);
            next
        };
        Ok(series[targets].iter().map(one).collect())
    }

    /// How well the true values before each of `series[targets]` predict it.
    ///
    /// # Errors
    /// As [`SeriesModel::one_step`].
    fn score(&self, series: &[f64], targets: Range<usize>) -> Result<Score> {
        let predicted = self.one_step(series, targets.clone())?;
        let truth = &series[targets];
        let means: Vec<f64> = predicted.iter().map(|gaussian| gaussian.mean).collect();
        let ln_p: f64 = predicted.iter().zip(truth).map(|(gaussian, &x)| gaussian.log_probability(x)).sum();
        Ok(Score { rmse: mean_square(&means, truth).sqrt(), nats: -ln_p / truth.len() as f64 })
    }
}

/// How well a part of a series is predicted, one step at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Root mean square error of the means, in the unit of the series.
    pub rmse: f64,
    /// Mean negative log-likelihood, nats per value; a density's, so it can be negative.
    pub nats: f64,
}

/// Refuses targets that do not lie in the series, or have fewer than `reach` values before them.
pub(super) fn check_targets(series: &[f64], targets: &Range<usize>, reach: usize) -> Result<()> {
    if targets.start < reach {
        return Err(Error::new(Kind::BadInput, format!("cannot predict value {} of the series", targets.start + 1))
            .cause(format!("the model looks {reach} values back, and there are {} before it", targets.start))
            .help("evaluate a later part, give a longer series, or fit fewer lags"));
    }
    if targets.is_empty() || targets.end > series.len() {
        let what = format!("cannot evaluate values {} to {} of the series", targets.start + 1, targets.end);
        return Err(Error::new(Kind::BadInput, what)
            .cause(format!("the series has {} values", series.len()))
            .help("give a longer series, or a larger part to evaluate on"));
    }
    Ok(())
}

/// Refuses a past that a model cannot go on from: shorter than it looks back, or not finite there.
pub(super) fn check_history(history: &[f64], reach: usize) -> Result<()> {
    let what = || Error::new(Kind::BadInput, "cannot forecast the series");
    let Some(start) = history.len().checked_sub(reach) else {
        return Err(what()
            .cause(format!("the model needs the {reach} values before, and there are {}", history.len()))
            .help("give a longer series, or fit fewer lags"));
    };
    match (start..history.len()).find(|&t| !history[t].is_finite()) {
        Some(t) => Err(what().cause(format!("value {} of the series is {}", t + 1, history[t]))),
        None => Ok(()),
    }
}
