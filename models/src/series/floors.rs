//! What any model of a series has to beat: its mean, its last value, and two lags.
//!
//! Parameters, variances included, come from the part trained on; errors from the part evaluated.

use std::ops::Range;

use serde::Serialize;

use super::ar::{Ar, check_spaced, deviations, mean_square};
use super::least_squares::spaced;
use super::model::{Score, SeriesModel};
use crate::error::{Error, Kind, Result};

/// One simple predictor with Gaussian errors, evaluated.
#[derive(Clone, Debug, Serialize)]
pub struct Floor {
    /// `mean`, `persistence` or `AR(2)`.
    pub name: &'static str,
    /// Root mean square error on the evaluated part.
    pub rmse: f64,
    /// Mean negative log-likelihood of the evaluated part, nats per observation.
    pub nats: f64,
}

/// The floors on `series[evaluated]`, fitted on `series[..train]`.
///
/// The mean with the variance around it; the value before with the mean square of the steps; AR(2) by least squares,
/// which is left out where `series[..train]` follows a shorter recurrence exactly.
///
/// # Errors
/// If the training part has fewer than 6 values, is constant or not finite; or if the evaluated part is empty or leaves the
/// series.
pub fn floors(series: &[f64], train: usize, evaluated: Range<usize>) -> Result<Vec<Floor>> {
    spaced_floors(series, train, evaluated, 1)
}

/// As [`floors`], for a model whose lags lie `stride` apart: persistence and the two lags look as far back as it does.
///
/// # Errors
/// As [`floors`]. A floor that looks further back than the evaluated part has values before it is left out.
pub fn spaced_floors(series: &[f64], train: usize, evaluated: Range<usize>, stride: usize) -> Result<Vec<Floor>> {
    let Some(past) = series.get(..train) else {
        return Err(Error::new(Kind::BadInput, format!("cannot train on {train} values of {}", series.len())));
    };
    check_spaced(past, 2, stride)?;
    let two_lags = Ar::spaced_least_squares(past, 2, stride).ok().map(|fit| fit.model);
    let (mean, deviations) = deviations(past);
    let variance = deviations.iter().map(|d| d * d).sum::<f64>() / train as f64;
    let level = Ar { constant: mean, coefficients: Vec::new(), variance };
    let steps = mean_square(&past[stride..], &past[..train - stride]);
    let walk = Ar { constant: 0.0, coefficients: spaced(&[1.0], stride), variance: steps };
    let named = [("mean", Some(level)), ("persistence", Some(walk)), ("AR(2)", two_lags)];
    let named = named.into_iter().filter_map(|(name, model)| Some((name, model?)));
    let named = named.filter(|(_, model)| model.reach() <= evaluated.start);
    named
        .map(|(name, model)| {
            let Score { rmse, nats } = model.score(series, evaluated.clone())?;
            Ok(Floor { name, rmse, nats })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sunspots;
    use approx::assert_relative_eq;

    #[test]
    fn on_its_own_data_a_floor_scores_half_the_log_of_its_error() {
        // With σ² = mean square error: ½ (ln 2πσ² + 1). All but the first values, so only nearly.
        let series = &sunspots::YEARLY[..];
        for floor in floors(series, 309, 2..309).unwrap() {
            let own = 0.5 * ((std::f64::consts::TAU * floor.rmse * floor.rmse).ln() + 1.0);
            assert_relative_eq!(floor.nats, own, max_relative = 1e-3);
        }
    }

    #[test]
    fn each_floor_on_the_last_sunspots_is_below_the_one_before() {
        let series = &sunspots::YEARLY[..];
        let floors = floors(series, 279, 279..309).unwrap();
        assert_eq!(floors.iter().map(|f| f.name).collect::<Vec<_>>(), ["mean", "persistence", "AR(2)"]);
        assert!(floors.windows(2).all(|pair| pair[1].rmse < pair[0].rmse && pair[1].nats < pair[0].nats));
        let mean = series[..279].iter().sum::<f64>() / 279.0;
        let error = series[279..].iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 30.0;
        assert_relative_eq!(floors[0].rmse, error.sqrt(), max_relative = 1e-12);
    }

    #[test]
    fn values_after_the_training_part_do_not_change_the_parameters() {
        let mut series = sunspots::YEARLY.to_vec();
        let before = floors(&series, 200, 200..250).unwrap();
        series[250..].fill(1e6);
        let after = floors(&series, 200, 200..250).unwrap();
        assert!(before.iter().zip(&after).all(|(a, b)| a.nats == b.nats && a.rmse == b.rmse));
    }

    #[test]
    fn a_ramp_has_no_second_lag() {
        let ramp: Vec<f64> = (0..30).map(f64::from).collect();
        assert_eq!(floors(&ramp, 20, 20..30).unwrap().len(), 2);
    }
}
