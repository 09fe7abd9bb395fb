//! What a fitted AR(k) says about values to come: means, intervals and simulated futures.
//!
//! Intervals take the coefficients as known: they hold the noise to come, not the error of the estimate.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;

use super::ar::Ar;
use super::model::check_history;
use crate::error::Result;

/// The forecast of one value `h` steps ahead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The conditional mean.
    pub mean: f64,
    /// The standard deviation of the value around it, `σ √(Σ_{i<h} ψ_i²)`.
    pub standard_error: f64,
}

impl Forecast {
    /// The central interval that holds the value with probability `level`, 0.95 say.
    ///
    /// # Panics
    /// If `level` is not inside (0, 1).
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let reach = half_width(level) * self.standard_error;
        (self.mean - reach, self.mean + reach)
    }
}

/// A forecast as it is shown: the closed form of a linear model, or counted over simulated futures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outlook {
    /// The conditional mean.
    pub mean: f64,
    /// The standard deviation of the value around it.
    pub standard_error: f64,
    /// The central interval that holds the value with 80 %.
    pub within_80: (f64, f64),
    /// The central interval that holds the value with 95 %.
    pub within_95: (f64, f64),
}

impl From<Forecast> for Outlook {
    fn from(forecast: Forecast) -> Self {
        let Forecast { mean, standard_error } = forecast;
        Outlook { mean, standard_error, within_80: forecast.interval(0.8), within_95: forecast.interval(0.95) }
    }
}

impl Ar {
    /// The conditional means and standard errors of the `horizon` values after `history`, oldest first.
    ///
    /// # Errors
    /// If the history is shorter than the lags, or one of its last values is not finite.
    pub fn forecast(&self, history: &[f64], horizon: usize) -> Result<Vec<Forecast>> {
        let means = self.free_run(history, horizon, || 0.0)?;
        let deviations = self.forecast_variances(horizon).into_iter().map(f64::sqrt);
        Ok(means.into_iter().zip(deviations).map(|(mean, standard_error)| Forecast { mean, standard_error }).collect())
    }

    /// One possible future: `horizon` values after `history`, each drawn given those before it.
    ///
    /// # Errors
    /// As [`Ar::forecast`].
    pub fn simulate(&self, history: &[f64], horizon: usize, random: &mut (impl Rng + ?Sized)) -> Result<Vec<f64>> {
        let deviation = self.variance.sqrt();
        self.free_run(history, horizon, || {
            let noise: f64 = StandardNormal.sample(random);
            deviation * noise
        })
    }

    /// The model fed with its own output, `noise` added to each value.
    fn free_run(&self, history: &[f64], horizon: usize, mut noise: impl FnMut() -> f64) -> Result<Vec<f64>> {
        check_history(history, self.lags())?;
        let (lags, start) = (self.lags(), history.len() - self.lags());
        let mut values = history[start..].to_vec();
        for _ in 0..horizon {
            values.push(self.predict(&values) + noise());
        }
        Ok(values.split_off(lags))
    }

    /// The first `count` weights of the model written as `x_t = μ + Σ ψ_i ε_{t−i}`: `ψ_0 = 1`, `ψ_j = Σ_{i≤j} φ_i ψ_{j−i}`.
    pub fn psi_weights(&self, count: usize) -> Vec<f64> {
        let mut psi = Vec::with_capacity(count);
        for j in 0..count {
            let earlier = self.coefficients.iter().zip(psi.iter().rev()).map(|(phi, psi): (_, &f64)| phi * psi).sum();
            psi.push(if j == 0 { 1.0 } else { earlier });
        }
        psi
    }

    /// The variances of the values 1 … `horizon` steps ahead around their forecast: `σ² Σ_{i<h} ψ_i²`.
    ///
    /// This is how errors accumulate once the model runs on its own output.
    pub fn forecast_variances(&self, horizon: usize) -> Vec<f64> {
        let sums = self.psi_weights(horizon).into_iter().scan(0.0, |sum, psi| {
            *sum += psi * psi;
            Some(*sum)
        });
        sums.map(|sum| self.variance * sum).collect()
    }
}

/// The `z` for which a standard normal value lies within `±z` with probability `level`: 1.959964 for 0.95.
///
/// Newton's steps on `½ erfc(z / √2) = (1 − level) / 2`; from zero they rise to the root and never pass it.
///
/// # Panics
/// If `level` is not inside (0, 1).
pub fn half_width(level: f64) -> f64 {
    assert!(level > 0.0 && level < 1.0, "half_width: a level lies between 0 and 1, not {level}");
    let tail = 0.5 * (1.0 - level);
    let mut z: f64 = 0.0;
    loop {
        let density = (-0.5 * z * z).exp() / TAU.sqrt();
        let next = z + (0.5 * libm::erfc(z * FRAC_1_SQRT_2) - tail) / density;
        if next <= z {
            return next;
        }
        z = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn some_ar() -> impl Strategy<Value = Ar> {
        (-5.0..5.0f64, proptest::collection::vec(-0.9..0.9f64, 1..6)).prop_map(|(constant, coefficients)| Ar {
            constant,
            coefficients,
            variance: 0.0,
        })
    }

    proptest! {
        #[test]
        fn a_simulation_without_noise_is_the_forecast(model in some_ar(), history in proptest::collection::vec(-9.0..9.0f64, 6..20)) {
            let means: Vec<f64> = model.forecast(&history, 12).unwrap().iter().map(|f| f.mean).collect();
            let simulated = model.simulate(&history, 12, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
            prop_assert_eq!(&means, &simulated);
            let mut grown = history;
            for mean in means {
                let next = model.predict(&grown);
                prop_assert_eq!(next, mean);
                grown.push(next);
            }
        }

        #[test]
        fn psi_weights_are_the_response_to_one_shock(model in some_ar()) {
            let silent = vec![0.0; model.lags()];
            let mut shocked = silent.clone();
            shocked.push(1.0); // ε = 1 now, everything else zero
            let response = Ar { constant: 0.0, ..model.clone() }.forecast(&shocked, 10).unwrap();
            for (psi, response) in model.psi_weights(11)[1..].iter().zip(response) {
                prop_assert!((psi - response.mean).abs() <= 1e-12 * psi.abs().max(1.0));
            }
        }
    }

    #[test]
    fn half_widths_are_those_of_the_tables() {
        for (level, z) in [
            (0.5, 0.674_489_750_196_081_7),
            (0.8, 1.281_551_565_544_600_4),
            (0.95, 1.959_963_984_540_054),
            (0.999, 3.290_526_731_491_896),
        ] {
            assert_relative_eq!(half_width(level), z, max_relative = 1e-14);
        }
        assert_relative_eq!(libm::erf(half_width(1e-6) * FRAC_1_SQRT_2), 1e-6, max_relative = 1e-9);
    }

    #[test]
    fn simulated_futures_spread_as_the_closed_form_says() {
        let model = Ar { constant: 2.0, coefficients: vec![1.2, -0.6], variance: 4.0 };
        let (horizon, runs) = (8, 40_000);
        let forecast = model.forecast(&[3.0, 7.0], horizon).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut inside = vec![0; horizon];
        for _ in 0..runs {
            let future = model.simulate(&[3.0, 7.0], horizon, &mut random).unwrap();
            for ((inside, x), forecast) in inside.iter_mut().zip(future).zip(&forecast) {
                let (low, high) = forecast.interval(0.8);
                *inside += u32::from(low <= x && x <= high);
            }
        }
        for inside in inside {
            // Four standard deviations of a frequency over 40,000 runs are 0.008.
            assert!((f64::from(inside) / f64::from(runs) - 0.8).abs() < 0.008);
        }
    }

    use crate::error::Kind;

    #[test]
    fn a_history_shorter_than_the_lags_is_refused() {
        let model = Ar { constant: 0.0, coefficients: vec![0.1; 3], variance: 1.0 };
        let error = model.forecast(&[1.0, 2.0], 4).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
        assert!(error.cause.contains("needs the 3 values before"), "{error}");
    }
}
