//! How many lags: AR(1) … AR(K) compared by an information criterion over the same observations.
//!
//! It chooses; fitting the chosen model on all observations it can use is `Ar::least_squares`.

use serde::{Deserialize, Serialize};

use super::ar::{Ar, check_spaced, deviations};
use super::least_squares::{Criteria, lag_triangle};
use crate::error::Result;

/// What a longer model has to pay for each parameter; smaller is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// Akaike's: 2 for a parameter. Aims at prediction, tends to more lags.
    Aic,
    /// Schwarz's: `ln n` for a parameter. Finds the true order of a long enough series.
    Bic,
}

/// One number of lags with its criteria, computed over the observations common to all candidates.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// The number of lags.
    pub lags: usize,
    /// `σ² = SSR / n` over the common observations.
    pub variance: f64,
    /// Akaike's criterion.
    pub aic: f64,
    /// Schwarz's criterion.
    pub bic: f64,
}

impl Candidate {
    /// The value of a criterion.
    pub fn value(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Aic => self.aic,
            Criterion::Bic => self.bic,
        }
    }
}

/// The candidates AR(1) … AR(`most`), in this order. Choose one with [`best`].
///
/// The first `most` values are held out of every regression: criteria over different observations do not compare. One
/// decomposition serves all candidates, whose columns are nested. A series that follows a recurrence exactly ends the
/// list at the longest candidate that is not singular. AR(0) is the mean, a floor and no candidate.
///
/// # Errors
/// As [`Ar::least_squares`] with `most` lags, singular fits aside; or if not even one lag can be fitted.
pub fn candidates(series: &[f64], most: usize) -> Result<Vec<Candidate>> {
    spaced_candidates(series, most, 1)
}

/// As [`candidates`], with lags `stride` apart.
///
/// # Errors
/// As [`candidates`].
pub fn spaced_candidates(series: &[f64], most: usize, stride: usize) -> Result<Vec<Candidate>> {
    check_spaced(series, most, stride)?;
    let (_, deviations) = deviations(series);
    let triangle = lag_triangle(&deviations, most, stride, most * stride);
    let observations = series.len() - most * stride;
    let longest = triangle.dependent_column(most + 1).map_or(most, |column| column - 1);
    if longest == 0 {
        return Ar::spaced_least_squares(series, most, stride).map(|_| Vec::new()); // its error names the singular lag
    }
    let candidate = |lags| {
        let variance = triangle.residual_sum_of_squares(lags + 1) / observations as f64;
        let criteria = Criteria::of(variance, observations, lags);
        Candidate { lags, variance, aic: criteria.aic, bic: criteria.bic }
    };
    Ok((1..=longest).map(candidate).collect())
}

/// AR(0), the mean alone, by the observations that the candidates AR(1) … AR(`most`) share: what they have to beat. It is a floor
/// and no model to choose, as an autoregressive one looks back.
pub fn mean_alone(series: &[f64], most: usize, stride: usize) -> Candidate {
    let observed = &series[(most * stride).min(series.len())..];
    let (_, deviations) = deviations(observed);
    let variance = deviations.iter().map(|d| d * d).sum::<f64>() / observed.len() as f64;
    let criteria = Criteria::of(variance, observed.len(), 0);
    Candidate { lags: 0, variance, aic: criteria.aic, bic: criteria.bic }
}

/// The candidate with the smallest criterion, the shortest of equal ones; none if there is no candidate.
pub fn best(candidates: &[Candidate], criterion: Criterion) -> Option<&Candidate> {
    candidates.iter().min_by(|a, b| a.value(criterion).total_cmp(&b.value(criterion)))
}
