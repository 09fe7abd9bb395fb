//! Exposure bias measured: the errors of a model that sees the true past beside those of one that sees its own output.
//!
//! Measured for any model through the common trait. A linear model has the growth in closed form as well, so that
//! measurement and theory stand in one table.

use std::ops::Range;

use serde::Serialize;

use super::ar::mean_square;
use super::model::{SeriesModel, check_targets};
use crate::error::Result;

/// One test part predicted twice: from the true values before each target, and in one free run from the part's start.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    /// Root mean square error given the true past (teacher forcing).
    pub one_step_rmse: f64,
    /// Root mean square error of the free run.
    pub free_running_rmse: f64,
    /// The predictions given the true past.
    pub one_step: Vec<f64>,
    /// The predictions of the free run.
    pub free_running: Vec<f64>,
}

/// The error `h` steps after a forecast was made, over many forecasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HorizonError {
    /// The steps ahead `h`, from 1.
    pub horizon: usize,
    /// How many forecasts were averaged.
    pub origins: usize,
    /// Root mean square error measured.
    pub rmse: f64,
    /// What the model itself expects, where that has a closed form: `σ √(Σ_{i<h} ψ_i²)` of a linear one.
    pub expected: Option<f64>,
}

/// The model fed with its own means for `horizon` steps after a state.
fn free_run<M: SeriesModel>(model: &M, mut state: M::State, horizon: usize) -> Vec<f64> {
    let one = |_| {
        let mean = model.next(&state).mean;
        model.step(&mut state, mean);
        mean
    };
    (0..horizon).map(one).collect()
}

/// Predicts `series[test]` with the true past and without it: exposure bias in two numbers.
///
/// # Errors
/// If the test part has fewer predecessors than the model looks back, is empty, or leaves the series.
pub fn exposure<M: SeriesModel>(model: &M, series: &[f64], test: Range<usize>) -> Result<Exposure> {
    let one_step: Vec<f64> = model.one_step(series, test.clone())?.iter().map(|gaussian| gaussian.mean).collect();
    let free_running = free_run(model, model.after(&series[..test.start]), test.len());
    let truth = &series[test];
    Ok(Exposure {
        one_step_rmse: mean_square(&one_step, truth).sqrt(),
        free_running_rmse: mean_square(&free_running, truth).sqrt(),
        one_step,
        free_running,
    })
}

/// The errors at the horizons 1 … `horizons`, averaged over a free run from before every value of the test part.
///
/// `variances` are those that the model itself expects at each horizon, where it has them
/// ([`Ar::forecast_variances`](super::ar::Ar::forecast_variances)). A horizon near the length of the part has few forecasts
/// that reach it: read `origins` with the error. Horizons beyond the part are left out.
///
/// # Errors
/// As [`exposure`].
pub fn errors_by_horizon<M: SeriesModel>(
    model: &M,
    series: &[f64],
    test: Range<usize>,
    horizons: usize,
    variances: Option<&[f64]>,
) -> Result<Vec<HorizonError>> {
    check_targets(series, &test, model.reach())?;
    let horizons = horizons.min(test.len());
    let mut squares = vec![0.0; horizons];
    let mut state = model.after(&series[..test.start]);
    for origin in test.clone() {
        let truth = &series[origin..test.end.min(origin + horizons)];
        for ((sum, mean), x) in squares.iter_mut().zip(free_run(model, state.clone(), truth.len())).zip(truth) {
            *sum += (mean - x).powi(2);
        }
        model.step(&mut state, series[origin]);
    }
    let row = |(i, sum): (usize, f64)| {
        let origins = test.len() - i;
        let expected = variances.and_then(|variances| variances.get(i)).map(|variance| variance.sqrt());
        HorizonError { horizon: i + 1, origins, rmse: (sum / origins as f64).sqrt(), expected }
    };
    Ok(squares.into_iter().enumerate().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::ar::Ar;
    use approx::assert_relative_eq;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn errors_grow_with_the_horizon_as_the_closed_form_says() {
        let model = Ar { constant: 1.0, coefficients: vec![1.3, -0.7], variance: 2.0 };
        let series = model.simulate(&[0.0, 0.0], 60_000, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        let variances = model.forecast_variances(12);
        let rows = errors_by_horizon(&model, &series, 100..series.len(), 12, Some(&variances)).unwrap();
        assert_eq!(rows.len(), 12);
        for row in rows {
            assert_relative_eq!(row.rmse, row.expected.unwrap(), max_relative = 0.02);
        }
    }

    #[test]
    fn the_first_horizon_is_the_one_step_error_and_the_last_one_forecast() {
        let series: Vec<f64> = (0..40).map(|t| f64::from(t % 7) + f64::from(t).sin()).collect();
        let model = Ar::least_squares(&series[..30], 3).unwrap().model;
        let exposure = exposure(&model, &series, 30..40).unwrap();
        let rows = errors_by_horizon(&model, &series, 30..40, 99, None).unwrap();
        assert_relative_eq!(rows[0].rmse, exposure.one_step_rmse, max_relative = 1e-12);
        assert_eq!((rows.len(), rows[9].origins, rows[9].expected), (10, 1, None));
        assert_relative_eq!(rows[9].rmse, (exposure.free_running[9] - series[39]).abs(), max_relative = 1e-12);
    }

    #[test]
    fn the_free_run_is_the_forecast() {
        let series: Vec<f64> = (0..40).map(|t| f64::from(t % 7) + f64::from(t).sin()).collect();
        let model = Ar::least_squares(&series[..30], 3).unwrap().model;
        let means: Vec<f64> = model.forecast(&series[..30], 10).unwrap().iter().map(|forecast| forecast.mean).collect();
        assert_eq!(exposure(&model, &series, 30..40).unwrap().free_running, means);
    }

    #[test]
    fn a_test_part_without_enough_past_is_refused() {
        let model = Ar { constant: 0.0, coefficients: vec![0.1; 3], variance: 1.0 };
        for test in [2..5, 5..5, 5..11] {
            assert!(exposure(&model, &[1.0; 10], test.clone()).is_err(), "{test:?}");
        }
    }
}
