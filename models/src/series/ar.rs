//! The linear autoregressive model AR(k) itself: its numbers, one-step predictions and likelihood.
//!
//! How the numbers are found stands in `least_squares.rs`, `yule_walker.rs` and `burg.rs`; forecasts in `forecast.rs`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::pages::numbers::counted;

/// `x_t = c + Σ_i φ_i x_{t−i} + ε_t` with independent `ε_t ~ N(0, σ²)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ar {
    /// The constant `c`; not the mean, which is `c / (1 − Σ φ_i)`.
    pub constant: f64,
    /// `φ_1 … φ_k`: the first belongs to the latest value.
    pub coefficients: Vec<f64>,
    /// The variance `σ²` of the noise.
    pub variance: f64,
}

impl Ar {
    /// The number of lags `k`.
    pub fn lags(&self) -> usize {
        self.coefficients.len()
    }

    /// The level a stationary model returns to, `μ = c / (1 − Σ φ_i)`.
    pub fn mean(&self) -> f64 {
        self.constant / (1.0 - self.coefficients.iter().sum::<f64>())
    }

    /// What stands for the values before a series begins: the mean of a stationary model, 0 of another, which has none.
    pub fn level(&self) -> f64 {
        if self.is_stationary() { self.mean() } else { 0.0 }
    }

    /// The expected next value after `past`, oldest first: `c + Σ φ_i x_{t−i}`.
    ///
    /// # Panics
    /// If `past` is shorter than the lags.
    pub fn predict(&self, past: &[f64]) -> f64 {
        assert!(past.len() >= self.lags(), "predict: {} values of past for {} lags", past.len(), self.lags());
        self.coefficients.iter().zip(past.iter().rev()).fold(self.constant, |sum, (phi, x)| sum + phi * x)
    }
}

/// `mean (a_t − b_t)²`.
pub fn mean_square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64
}

/// Refuses what no method can fit: `lags` lags and a constant need `2 k + 2` values for one degree of freedom to be left.
pub(super) fn check_series(series: &[f64], lags: usize) -> Result<()> {
    check_spaced(series, lags, 1)
}

/// As [`check_series`], for lags `stride` apart.
pub(super) fn check_spaced(series: &[f64], lags: usize, stride: usize) -> Result<()> {
    let refuse = |cause: String, help: &str| {
        Err(Error::new(
            Kind::BadInput,
            format!("cannot fit AR({lags}) to a series of {}", counted(series.len() as u64, "value")),
        )
        .cause(cause)
        .help(help))
    };
    if lags == 0 {
        return refuse("an autoregressive model looks at one earlier value at least".into(), "ask for 1 lag or more");
    }
    if let Some(t) = series.iter().position(|x| !x.is_finite()) {
        return refuse(format!("value {} is {}", t + 1, series[t]), "remove or fill the values that are not numbers");
    }
    let most = longest(series.len(), stride);
    if lags > most || stride == 0 {
        return refuse(
            match stride {
                0 => "lags lie at least one value apart".into(),
                1 => format!(
                    "{} and a constant need at least twice as many values and two more",
                    counted(lags as u64, "lag")
                ),
                _ => format!(
                    "{lags} lags {stride} apart and a constant need at least {} values for each and two more",
                    stride + 1
                ),
            },
            &if most > 0 {
                format!("ask for at most {}", counted(most as u64, "lag"))
            } else {
                "give a longer series".into()
            },
        );
    }
    if series.iter().all(|x| *x == series[0]) {
        return refuse(
            format!("the series is constant: every value is {}", series[0]),
            "a constant has nothing to predict; choose another column",
        );
    }
    let largest = series.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if !(1e-140..=1e140).contains(&largest) {
        return refuse(
            format!("its largest magnitude is {largest:e}, whose square is no 64-bit number"),
            "change the unit of the column",
        );
    }
    Ok(())
}

/// The most lags that a series of so many values can be fitted with.
pub(super) fn longest(values: usize, stride: usize) -> usize {
    values.saturating_sub(2) / stride.saturating_add(1)
}

/// The mean of a series and the deviations from it.
///
/// Every method fits the deviations: a large level beside a small movement would cost digits of every sum of products. So the mean
/// is taken twice. That of the values is off by rounding of the size of their sum; the values less it are exact where they vary
/// less than twofold, and their own mean is what it was off by.
pub(super) fn deviations(series: &[f64]) -> (f64, Vec<f64>) {
    let n = series.len() as f64;
    let near = series.iter().sum::<f64>() / n;
    let rest = series.iter().map(|x| x - near).sum::<f64>() / n;
    (near + rest, series.iter().map(|x| (x - near) - rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sunspots::YEARLY;
    use approx::assert_relative_eq;

    #[test]
    fn a_large_level_changes_the_coefficients_by_rounding_only() {
        let series: Vec<f64> = YEARLY.iter().map(|x| (x * 8.0).round() / 8.0).collect();
        let least_squares = |series: &[f64], lags| Ar::least_squares(series, lags).map(|fit| fit.model);
        type Method = fn(&[f64], usize) -> Result<Ar>;
        let methods: [Method; 3] = [Ar::yule_walker, Ar::burg, least_squares];
        for level in [1e6, 1e12, -1e12] {
            let shifted: Vec<f64> = series.iter().map(|x| level + x).collect();
            assert!(shifted.iter().zip(&series).all(|(y, x)| y - level == *x), "the shift is exact");
            for fit in methods {
                let (low, high) = (fit(&series, 9).unwrap(), fit(&shifted, 9).unwrap());
                assert_relative_eq!(high.variance, low.variance, max_relative = 1e-12);
                for (high, low) in high.coefficients.iter().zip(&low.coefficients) {
                    assert_relative_eq!(high, low, max_relative = 1e-11, epsilon = 1e-12);
                }
            }
        }
    }
}
