//! Exposure bias of a model of a series: prefixes before values of a part, and what the closed form says of a linear model that is the source.

use super::data::SeriesData;
use super::evaluation::scored;
use super::linear::LinearAr;
use super::model::SeriesModel;
use super::neural_predictor::NeuralPredictor;
use super::saved::SavedSeries;
use crate::data::Part;
use crate::distribution::Gaussian;
use crate::drift::{Asked, ClosedForm, Drift, Meter, Progress, Sequence, places};
use crate::error::{Error, Kind, Result};
use std::f64::consts::TAU;

impl SavedSeries {
    /// Follows prefixes of a part of a series. What is scored lies in the part; the values before it that a prefix holds may lie before it.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a prefix shorter than the model looks back; [`Kind::BadInput`] if the part is empty; those of [`places`] and of
    /// `progress`.
    pub fn drift(&self, data: &SeriesData, part: Part, asked: &Asked, progress: Progress) -> Result<Drift> {
        match self {
            SavedSeries::Linear(linear) => {
                let mut drift = follow(&linear.model, data, part, asked, progress)?;
                // A fit that leaves nothing but rounding has no likelihood.
                if !linear.is_exact() {
                    let closed = closed_form(linear, asked);
                    drift.horizons.iter_mut().zip(closed).for_each(|(row, form)| row.closed_form = Some(form));
                }
                Ok(drift)
            }
            SavedSeries::Neural(neural) => follow(&NeuralPredictor::new(neural), data, part, asked, progress),
        }
    }
}

fn follow<M: SeriesModel>(
    model: &M,
    data: &SeriesData,
    part: Part,
    asked: &Asked,
    progress: Progress,
) -> Result<Drift> {
    let reach = model.reach();
    let length = asked.prefix_length.unwrap_or(reach);
    if length < reach {
        return Err(Error::new(Kind::Usage, format!("--prefix-length {length} is too short"))
            .cause(format!("the model looks {reach} values back"))
            .help(format!("give {reach} or more, or leave it out")));
    }
    let targets = scored(data, part, length)?;
    let first = targets.start.saturating_sub(length);
    let values = &data.values[first..targets.end];
    let window = length.saturating_add(asked.horizon);
    let places = places(&[values.len()], window, 1, asked, "part of the series")?;
    let sequence = |(number, &(_, start)): (usize, &(usize, usize))| {
        let (prefix, truth) = values[start..start + window].split_at(length);
        Sequence { number, prefix, truth }
    };
    let sequences: Vec<Sequence<f64>> = places.iter().enumerate().map(sequence).collect();
    let mut meter = Meter::new(asked, None);
    let predicted = |next: &Gaussian| Some(next.mean);
    meter.measure(model, &sequences, predicted, &mut |done| progress(done, places.len()))?;
    Ok(meter.drift(length, None))
}

/// What is expected where the series follows the model: with `S_h = Σ_{i<h} ψ_i²`, σ² S_h is the variance of a value h steps ahead around
/// its forecast. The mean that the model gives after h − 1 values of its own spreads around the same forecast by σ²(S_h − 1), and the two
/// are independent:
///
/// - nats: `½ ln 2πσ² + ½(2 S_h − 1)`;
/// - error, of the mean of D such means: `σ √(S_h + (S_h − 1)/D)`, the deviation of a forecast where D is large.
fn closed_form(linear: &LinearAr, asked: &Asked) -> impl Iterator<Item = ClosedForm> {
    let (variance, draws) = (linear.model.variance, asked.draws as f64);
    let psi = linear.model.psi_weights(asked.horizon);
    let sums = psi.into_iter().scan(0.0, |sum, psi| {
        *sum += psi * psi;
        Some(*sum)
    });
    sums.map(move |sum| ClosedForm {
        nats: 0.5 * (TAU * variance).ln() + 0.5 * (2.0 * sum - 1.0),
        error: (variance * (sum + (sum - 1.0) / draws)).sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::ar::Ar;
    use crate::series::config::{DataConfig, Lags, ModelConfig};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// A series of an AR(2), and the model that is fitted to it.
    fn fitted(values: usize) -> (SeriesData, SavedSeries) {
        let source = Ar { constant: 1.0, coefficients: vec![1.3, -0.7], variance: 2.0 };
        let series = source.simulate(&[0.0, 0.0], values, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        let csv: String = series.iter().map(|x| format!("{x}\n")).collect();
        let data = SeriesData::parse(csv.as_bytes(), &DataConfig::default()).unwrap();
        let config = ModelConfig { lags: Lags::Count(2), ..ModelConfig::default() };
        let linear = LinearAr::fit(&data.values, &config).unwrap();
        (data, SavedSeries::Linear(linear))
    }

    #[test]
    fn nats_and_errors_of_a_free_running_ar_2_grow_as_the_closed_form_says() {
        let (data, model) = fitted(40_000);
        let asked = Asked { horizon: 12, prefixes: Some(6000), prefix_length: None, draws: 5, seed: 1 };
        let drift = model.drift(&data, Part::All, &asked, &mut |_, _| Ok(())).unwrap();
        assert_eq!((drift.prefixes, drift.prefix_length, drift.horizons.len()), (6000, 2, 12));
        for row in &drift.horizons {
            let (form, error) = (row.closed_form.unwrap(), row.error.unwrap());
            let (nats, rmse) = (row.free_running, error.free_running);
            // Prefixes 6 or 7 values apart are not independent: the standard error is somewhat too small.
            assert!((nats.mean - form.nats).abs() < 6.0 * nats.standard_error, "nats {row:?}");
            assert!((rmse.mean - form.error).abs() < 6.0 * rmse.standard_error, "error {row:?}");
            assert!((error.teacher_forced.mean - 2f64.sqrt()).abs() < 0.06, "{row:?}");
        }
        let [first, .., last] = &drift.horizons[..] else { unreachable!("twelve horizons") };
        assert_eq!((first.difference.mean, first.difference.standard_error), (0.0, 0.0));
        assert!(last.difference.mean > 2.0, "{last:?}");
    }

    #[test]
    fn a_prefix_shorter_than_the_model_looks_back_and_a_part_without_room_are_refused() {
        let (data, model) = fitted(100);
        let drift = |horizon, prefix_length, prefixes| {
            let asked = Asked { horizon, prefixes, prefix_length, draws: 2, seed: 0 };
            model.drift(&data, Part::All, &asked, &mut |_, _| Ok(()))
        };
        assert!(drift(10, Some(1), None).unwrap_err().cause.contains("2 values back"));
        assert_eq!(drift(99, None, None).unwrap_err().kind, Kind::BadInput);
        assert_eq!(drift(98, None, Some(2)).unwrap_err().kind, Kind::Usage);
        assert_eq!(drift(98, None, None).unwrap().prefixes, 1);
    }
}
