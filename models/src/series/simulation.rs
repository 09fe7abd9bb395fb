//! Forecasts of any model of a series from simulated futures: what a linear model has in closed form, counted.

use autograd::random::Streams;

use super::forecast::Outlook;
use super::model::SeriesModel;
use super::neural_predictor::NeuralPredictor;
use super::saved::SavedSeries;
use crate::error::Result;
use crate::memory::Needs;
use crate::sampling::{Generator, Options, Sampler};

/// The outlook on the `horizon` values after `history`, from so many sampled futures, each from a stream of its own.
///
/// # Errors
/// If the history is shorter than the model looks back.
pub fn simulated<M: SeriesModel>(
    model: &M,
    history: &[f64],
    horizon: usize,
    futures: usize,
    streams: Streams,
) -> Result<Vec<Outlook>> {
    super::model::check_history(history, model.reach())?;
    let values = (horizon as u128).saturating_mul(futures as u128);
    Needs::default().and("the simulated futures", values, 8, "--futures or --steps").check()?;
    let past = &history[history.len() - model.reach()..];
    let mut at_horizon = vec![Vec::with_capacity(futures); horizon];
    for future in 0..futures {
        let sampler = Sampler::new(Options::default())?;
        let random = streams.stream(&format!("future {future}"));
        for (values, x) in at_horizon.iter_mut().zip(Generator::new(model, past, sampler, random)) {
            values.push(x);
        }
    }
    Ok(at_horizon.into_iter().map(outlook).collect())
}

/// Mean, deviation and central intervals of a sample.
fn outlook(mut sample: Vec<f64>) -> Outlook {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let within = |level: f64| (quantile(&sample, 0.5 - 0.5 * level), quantile(&sample, 0.5 + 0.5 * level));
    Outlook { mean, standard_error: variance.sqrt(), within_80: within(0.8), within_95: within(0.95) }
}

/// The value below which a share of a sorted sample lies, linear between its values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    sorted[below] + part * (above - sorted[below])
}

impl SavedSeries {
    /// The values after `history`: of a linear model in closed form, its coefficients taken as known; of a neural one from so many
    /// simulated futures.
    ///
    /// # Errors
    /// [`Kind::BadInput`](crate::error::Kind::BadInput) if the history is shorter than the model looks back, or not finite there.
    pub fn forecast(&self, history: &[f64], horizon: usize, futures: usize, seed: u64) -> Result<Vec<Outlook>> {
        match self {
            SavedSeries::Linear(linear) => {
                Ok(linear.model.forecast(history, horizon)?.into_iter().map(Outlook::from).collect())
            }
            SavedSeries::Neural(neural) => {
                simulated(&NeuralPredictor::new(neural), history, horizon, futures, Streams::new(seed))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::ar::Ar;

    #[test]
    fn simulated_futures_of_a_linear_model_agree_with_its_closed_form() {
        let model = Ar { constant: 2.0, coefficients: vec![1.2, -0.6], variance: 4.0 };
        let history = [3.0, 7.0];
        let futures = 20_000;
        let simulated = simulated(&model, &history, 8, futures, Streams::new(5)).unwrap();
        for (simulated, exact) in simulated.iter().zip(model.forecast(&history, 8).unwrap()) {
            let exact = Outlook::from(exact);
            // Five standard errors of a mean; quantiles at 2.5 % are about three times as rough.
            let rough = 5.0 * exact.standard_error / f64::from(futures as u32).sqrt();
            assert!((simulated.mean - exact.mean).abs() < rough);
            for (ours, closed) in [(simulated.within_80, exact.within_80), (simulated.within_95, exact.within_95)] {
                assert!((ours.0 - closed.0).abs() < 3.0 * rough && (ours.1 - closed.1).abs() < 3.0 * rough);
            }
        }
    }

    #[test]
    fn a_quantile_lies_between_the_values_it_falls_between() {
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|q| quantile(&[1.0, 2.0, 4.0], q)), [1.0, 1.5, 2.0, 4.0]);
    }

    #[test]
    fn a_history_shorter_than_the_reach_is_refused() {
        let model = Ar { constant: 0.0, coefficients: vec![0.1; 3], variance: 1.0 };
        assert!(simulated(&model, &[1.0, 2.0], 4, 1, Streams::new(1)).is_err());
    }
}
