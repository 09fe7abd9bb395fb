//! AR(k) by conditional least squares: the first k values are given, each later one is regressed on the k before it.
//!
//! Definitions of `σ²`, standard errors, likelihood and criteria are those of statsmodels' `AutoReg(trend="c")`, so that the
//! numbers can be laid side by side. The choice of k stands in `order.rs`, the decomposition in `qr.rs`.

use std::f64::consts::TAU;

use serde::Serialize;

use super::ar::{Ar, check_spaced, deviations};
use super::qr::Triangle;
use crate::error::{Error, Kind, Result};

/// A fitted AR(k) with what its estimation says about itself.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    /// The model; its variance is `σ² = SSR / n`.
    pub model: Ar,
    /// Standard errors of `c` and of the coefficients fitted, `φ_1 … φ_k`: the roots of the diagonal of `σ² (XᵀX)⁻¹`.
    pub standard_errors: Vec<f64>,
    /// The number `n` of regression rows: the length of the series less the lags.
    pub observations: usize,
    /// The log-likelihood of those `n` values in nats: `−n/2 (ln 2πσ² + 1)`. Infinite where the fit is perfect.
    pub log_likelihood: f64,
    /// Akaike's criterion `−2 ℓ + 2 (k + 2)`: constant, lags and variance are counted.
    pub aic: f64,
    /// Schwarz's criterion `−2 ℓ + ln(n) (k + 2)`.
    pub bic: f64,
}

impl Ar {
    /// Fits AR(`lags`) by conditional least squares, through a QR decomposition of the lagged values.
    ///
    /// Takes time `O(n k²)` and memory `O(n)`.
    ///
    /// # Errors
    /// As [`Ar::spaced_least_squares`].
    ///
    /// Source: Hamilton, *Time Series Analysis* (1994), §5.2.
    pub fn least_squares(series: &[f64], lags: usize) -> Result<Fit> {
        Ar::spaced_least_squares(series, lags, 1)
    }

    /// As [`Ar::least_squares`], with lags `stride` apart: `x_t = c + Σ φ_i x_{t−i·stride} + ε_t`.
    ///
    /// The model is an AR(`lags·stride`) whose other coefficients are zero, so that all that holds of one holds of it.
    ///
    /// # Errors
    /// If the series has fewer than `2 k + 2` values, a value that is not finite, is constant, or follows a shorter
    /// recurrence exactly, so that its lags determine each other; with a stride, `k (stride − 1)` values more.
    pub fn spaced_least_squares(series: &[f64], lags: usize, stride: usize) -> Result<Fit> {
        check_spaced(series, lags, stride)?;
        let (mean, deviations) = deviations(series);
        let reach = lags * stride;
        let triangle = lag_triangle(&deviations, lags, stride, reach);
        if let Some(column) = triangle.dependent_column(lags + 1) {
            return Err(singular(lags, column));
        }
        let mut coefficients = triangle.solve(lags + 1);
        // In deviations d = x − μ: d_t = c' + Σ φ_i d_{t−i}, so c = c' + μ (1 − Σ φ_i).
        let constant = coefficients.remove(0) + mean * (1.0 - coefficients.iter().sum::<f64>());
        let n = series.len() - reach;
        let variance = triangle.residual_sum_of_squares(lags + 1) / n as f64;
        let mut gradient = vec![-mean; lags + 1]; // of c with respect to (c', φ)
        gradient[0] = 1.0;
        let mut standard_errors = vec![(variance * triangle.variance_of(&gradient)).sqrt()];
        for i in 1..=lags {
            let mut unit = vec![0.0; lags + 1];
            unit[i] = 1.0;
            standard_errors.push((variance * triangle.variance_of(&unit)).sqrt());
        }
        let criteria = Criteria::of(variance, n, lags);
        Ok(Fit {
            model: Ar { constant, coefficients: spaced(&coefficients, stride), variance },
            standard_errors,
            observations: n,
            log_likelihood: criteria.log_likelihood,
            aic: criteria.aic,
            bic: criteria.bic,
        })
    }
}

/// Likelihood and criteria of a least-squares fit with constant, `lags` lags and variance.
pub(super) struct Criteria {
    pub(super) log_likelihood: f64,
    pub(super) aic: f64,
    pub(super) bic: f64,
}

impl Criteria {
    pub(super) fn of(variance: f64, observations: usize, lags: usize) -> Self {
        let (n, parameters) = (observations as f64, (lags + 2) as f64);
        let log_likelihood = -0.5 * n * ((TAU * variance).ln() + 1.0);
        Criteria {
            log_likelihood,
            aic: 2.0 * parameters - 2.0 * log_likelihood,
            bic: n.ln() * parameters - 2.0 * log_likelihood,
        }
    }
}

/// Coefficients of lags `stride` apart as those of all lags: zeros between them.
pub fn spaced(coefficients: &[f64], stride: usize) -> Vec<f64> {
    let mut all = vec![0.0; coefficients.len() * stride];
    all.iter_mut().skip(stride - 1).step_by(stride).zip(coefficients).for_each(|(to, from)| *to = *from);
    all
}

/// The triangle of the columns `1, x_{t−s}, …, x_{t−k·s}` and the response `x_t`, for every `t ≥ first`.
pub(super) fn lag_triangle(series: &[f64], lags: usize, stride: usize, first: usize) -> Triangle {
    Triangle::of_rows(series.len() - first, lags + 2, |rows, block| {
        let n = rows.len();
        let at = first + rows.start;
        let (constant, lagged) = block.split_at_mut(n);
        constant.fill(1.0);
        let (lagged, response) = lagged.split_at_mut(lags * n);
        for (lag, column) in (1..).zip(lagged.chunks_exact_mut(n)) {
            let from = at - lag * stride;
            column.copy_from_slice(&series[from..from + n]);
        }
        response.copy_from_slice(&series[at..at + n]);
    })
}

/// The error of lags that determine each other; `column` is the first such lag (column 0 is the constant).
fn singular(lags: usize, column: usize) -> Error {
    Error::new(Kind::BadInput, format!("cannot fit AR({lags}): the fit is singular"))
        .cause(format!(
            "up to rounding, lag {column} is a combination of the constant and the lags before it: \
             the series follows a shorter recurrence exactly"
        ))
        .help(if column > 1 {
            format!("ask for at most {} lags", column - 1)
        } else {
            "the values before the last are all equal; choose another column".into()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::order::candidates;
    use crate::series::sunspots::YEARLY;
    use approx::assert_relative_eq;

    #[track_caller]
    fn assert_refused(series: &[f64], lags: usize, part: &str) {
        let refusals =
            [Ar::least_squares(series, lags).err(), Ar::yule_walker(series, lags).err(), Ar::burg(series, lags).err()];
        for refusal in refusals {
            let error = refusal.expect("this series cannot be fitted");
            assert_eq!(error.kind, Kind::BadInput);
            assert!(error.to_string().contains(part) && !error.help.is_empty(), "{part:?} is missing in:\n{error}");
        }
    }

    #[test]
    fn what_no_method_can_fit_is_refused_by_name() {
        assert_refused(&YEARLY, 0, "1 lag or more");
        assert_refused(&YEARLY, 154, "at most 153 lags");
        assert_refused(&YEARLY, usize::MAX, "at most 153 lags");
        assert!(Ar::least_squares(&YEARLY, 153).is_ok());
        assert_refused(&[], 1, "longer series");
        assert_refused(&[1.0, 2.0], 1, "a series of 2 values");
        assert_refused(&[3.5; 40], 2, "constant: every value is 3.5");
        assert_refused(&[1.0, 2.0, f64::NAN, 4.0, 5.0], 1, "value 3 is NaN");
        assert_refused(&[1.0, 2.0, 3.0, f64::INFINITY, 5.0], 1, "value 4 is inf");
        assert_refused(&[1e200, 2.0, 3.0, 4.0, 5.0], 1, "the unit");
    }

    #[test]
    fn lags_that_determine_each_other_are_a_named_singular_fit() {
        let refusal = |series: &[f64], lags| Ar::least_squares(series, lags).unwrap_err().to_string();
        let ramp: Vec<f64> = (0..50).map(f64::from).collect();
        assert!(refusal(&ramp, 2).contains("singular") && refusal(&ramp, 5).contains("at most 1 lags"));
        let swing: Vec<f64> = (0..200).map(|t| 5.0 + (0.3 * f64::from(t)).sin()).collect();
        assert!(refusal(&swing, 4).contains("at most 2 lags"), "{}", refusal(&swing, 4));
        let one_jump: Vec<f64> = (0..20).map(|t| f64::from(t / 19)).collect();
        assert!(refusal(&one_jump, 1).contains("before the last are all equal"), "{}", refusal(&one_jump, 1));
        assert_eq!(candidates(&swing, 6).unwrap().len(), 2, "candidates end where fits become singular");
        assert!(candidates(&one_jump, 3).is_err());
    }

    #[test]
    fn an_exact_recurrence_is_recovered() {
        let swing: Vec<f64> = (0..200).map(|t| 5.0 + (0.3 * f64::from(t)).sin()).collect();
        let model = Ar::least_squares(&swing, 2).unwrap().model;
        assert_relative_eq!(model.coefficients[0], 2.0 * 0.3f64.cos(), max_relative = 1e-10);
        assert_relative_eq!(model.coefficients[1], -1.0, max_relative = 1e-10);
        assert_relative_eq!(model.constant, 5.0 * (2.0 - 2.0 * 0.3f64.cos()), max_relative = 1e-10);
    }

    #[test]
    fn the_unit_and_the_level_of_a_series_do_not_cost_digits() {
        let plain = Ar::least_squares(&YEARLY, 9).unwrap();
        // Multiples of 2⁻¹⁰, so that a level of 2³⁰ rounds nothing away.
        let grid: Vec<f64> = YEARLY.iter().map(|x| (x * 1024.0).round() / 1024.0).collect();
        let raised: Vec<f64> = grid.iter().map(|x| x + 1_073_741_824.0).collect();
        let (low, high) = (Ar::least_squares(&grid, 9).unwrap(), Ar::least_squares(&raised, 9).unwrap());
        for (low, high) in low.model.coefficients.iter().zip(&high.model.coefficients) {
            assert_relative_eq!(low, high, max_relative = 1e-9);
        }
        assert_relative_eq!(low.model.variance, high.model.variance, max_relative = 1e-9);
        let tiny: Vec<f64> = YEARLY.iter().map(|x| x * 2f64.powi(-200)).collect();
        let tiny = Ar::least_squares(&tiny, 9).unwrap();
        assert_eq!(tiny.model.coefficients, plain.model.coefficients);
        assert_eq!(tiny.standard_errors[1..], plain.standard_errors[1..]);
    }
}
