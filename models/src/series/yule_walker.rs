//! AR(k) from the autocovariances: the Yule-Walker equations, solved by the recursion of Levinson and Durbin.
//!
//! Always stationary, and biased towards zero on short series; `least_squares.rs` and `burg.rs` are the alternatives.

use super::ar::{Ar, check_series, deviations};
use crate::error::Result;

impl Ar {
    /// Fits AR(`lags`) by the Yule-Walker equations `Σ_j φ_j γ_{|i−j|} = γ_i`, `i = 1 … k`, in time `O(n k)`.
    ///
    /// `γ_i` are the biased autocovariances of the deviations from the mean, so the model is stationary;
    /// `σ² = γ_0 − Σ φ_i γ_i`.
    ///
    /// # Errors
    /// If the series has fewer than `2 k + 2` values, a value that is not finite, or is constant.
    ///
    /// Source: Brockwell and Davis, *Introduction to Time Series and Forecasting* (2016), §5.1.1.
    pub fn yule_walker(series: &[f64], lags: usize) -> Result<Ar> {
        check_series(series, lags)?;
        let (mean, deviations) = deviations(series);
        let (coefficients, variance) = levinson_durbin(&autocovariances(&deviations, lags));
        let constant = mean * (1.0 - coefficients.iter().sum::<f64>());
        Ok(Ar { constant, coefficients, variance })
    }
}

/// The biased autocovariances `γ_i = 1/n Σ_t d_t d_{t−i}` of deviations from a mean, `i = 0 … lags`.
///
/// Dividing by `n` rather than by the number of terms keeps their Toeplitz matrix positive definite.
pub fn autocovariances(deviations: &[f64], lags: usize) -> Vec<f64> {
    let n = deviations.len();
    let at = |lag: usize| deviations[lag..].iter().zip(deviations).map(|(x, y)| x * y).sum::<f64>() / n as f64;
    (0..=lags).map(at).collect()
}

/// Solves `Σ_j φ_j γ_{|i−j|} = γ_i` for the orders 1 … k in turn; returns `φ` and the variance `γ_0 − Σ φ_i γ_i` left.
///
/// Time `O(k²)` where a general solver takes `O(k³)`.
///
/// Source: Durbin, *The fitting of time-series models* (1960).
pub fn levinson_durbin(autocovariances: &[f64]) -> (Vec<f64>, f64) {
    let mut coefficients = Vec::with_capacity(autocovariances.len() - 1);
    let mut variance = autocovariances[0];
    for order in 1..autocovariances.len() {
        let explained: f64 =
            coefficients.iter().zip(autocovariances[1..order].iter().rev()).map(|(phi, gamma)| phi * gamma).sum();
        let reflection = (autocovariances[order] - explained) / variance;
        lengthen(&mut coefficients, reflection);
        variance *= 1.0 - reflection * reflection;
    }
    (coefficients, variance)
}

/// One order more: `φ'_i = φ_i − κ φ_{m−i}` for the old ones and `φ'_m = κ`, the reflection (partial autocorrelation).
pub(super) fn lengthen(coefficients: &mut Vec<f64>, reflection: f64) {
    let mirrored: Vec<f64> = coefficients.iter().rev().copied().collect();
    for (phi, mirror) in coefficients.iter_mut().zip(mirrored) {
        *phi -= reflection * mirror;
    }
    coefficients.push(reflection);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn levinson_durbin_solves_the_toeplitz_system(series in proptest::collection::vec(-5.0..5.0f64, 30..80), lags in 1..9usize) {
            let gamma = autocovariances(&deviations(&series).1, lags);
            let (phi, variance) = levinson_durbin(&gamma);
            for i in 1..=lags {
                let left: f64 = phi.iter().zip(1..).map(|(phi, j)| phi * gamma[i.abs_diff(j)]).sum();
                prop_assert!((left - gamma[i]).abs() < 1e-10 * gamma[0]);
            }
            let left: f64 = gamma[0] - phi.iter().zip(&gamma[1..]).map(|(phi, gamma)| phi * gamma).sum::<f64>();
            prop_assert!((left - variance).abs() < 1e-10 * gamma[0]);
        }
    }
}
