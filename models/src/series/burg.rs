//! AR(k) by Burg's method: each further lag is the one that leaves least of the errors of prediction, both ways in time.
//!
//! Always stationary, and without the bias of `yule_walker.rs`, as it never pretends that the series is zero outside.

use super::ar::{Ar, check_series, deviations};
use super::yule_walker::lengthen;
use crate::error::Result;

impl Ar {
    /// Fits AR(`lags`) by Burg's method, in time `O(n k)`.
    ///
    /// With forward errors `f` and backward errors `b` of the order before, the reflection of order `m` is
    /// `κ = 2 Σ f_t b_{t−1} / Σ (f_t² + b_{t−1}²)`; then `f'_t = f_t − κ b_{t−1}` and `b'_t = b_{t−1} − κ f_t`.
    /// `σ²` is the mean square of the last errors, forward and backward.
    ///
    /// # Errors
    /// If the series has fewer than `2 k + 2` values, a value that is not finite, or is constant.
    ///
    /// Source: Brockwell and Davis, *Introduction to Time Series and Forecasting* (2016), §5.1.2.
    pub fn burg(series: &[f64], lags: usize) -> Result<Ar> {
        check_series(series, lags)?;
        let (mean, mut forward) = deviations(series);
        let mut backward = forward.clone();
        let silence = f64::EPSILON.powi(2) * forward.iter().map(|x| x * x).sum::<f64>();
        let mut coefficients = Vec::with_capacity(lags);
        let mut variance = 0.0;
        for order in 1..=lags {
            // Slot i of `backward` holds b_{i+m−1}, so that these are the pairs (f_t, b_{t−1}) for t ≥ m.
            let pairs = series.len() - order;
            let (forward, backward) = (&mut forward[order..], &mut backward[..pairs]);
            let (mut product, mut energy) = (0.0, 0.0);
            for (f, b) in forward.iter().zip(&*backward) {
                product += f * b;
                energy += f * f + b * b;
            }
            // Errors that are rounding alone hold nothing that a further lag could predict.
            let reflection = if energy > silence { 2.0 * product / energy } else { 0.0 };
            for (f, b) in forward.iter_mut().zip(backward) {
                (*f, *b) = (*f - reflection * *b, *b - reflection * *f);
            }
            lengthen(&mut coefficients, reflection);
            variance = (1.0 - reflection * reflection) * energy / (2.0 * pairs as f64);
        }
        let constant = mean * (1.0 - coefficients.iter().sum::<f64>());
        Ok(Ar { constant, coefficients, variance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_predicted_perfectly_keeps_finite_coefficients() {
        let alternating: Vec<f64> = (0..40).map(|t| if t % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let model = Ar::burg(&alternating, 5).expect("a fit");
        assert_eq!(model.coefficients, [-1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(model.variance, 0.0);
    }
}
