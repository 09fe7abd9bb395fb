//! How well a part of a series is predicted: error and likelihood one step ahead beside the floors, and exposure bias by horizon.

use super::ar::Ar;
use super::data::SeriesData;
use super::exposure::{Exposure, HorizonError, errors_by_horizon, exposure};
use super::floors::spaced_floors;
use super::linear::Statistics;
use super::model::{Score, SeriesModel};
use super::neural_predictor::NeuralPredictor;
use super::saved::SavedSeries;
use crate::data::Part;
use crate::distribution::{Distribution, not_finite};
use crate::error::{Error, Kind, Result};
use crate::evaluation::{Floor, Likelihood, as_object};
use crate::pages::plot::{Mark, Plot, Svg};
use serde::Serialize;
use std::ops::Range;
use std::time::Instant;

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesEvaluation {
    /// Symbols are values; of a density, so the perplexity depends on the unit of the series.
    #[serde(flatten)]
    pub likelihood: Likelihood,
    /// Values before them that are given.
    pub given: usize,
    /// Root mean square error one step ahead, given the true past.
    pub rmse: f64,
    /// `rmse` over the standard deviation of the values scored; `null` where that is 0.
    pub nrmse: f64,
    /// The standard deviation of the values scored.
    pub deviation: f64,
    /// Of one free run over all values scored.
    pub free_running_rmse: f64,
    /// Nats per value.
    #[serde(serialize_with = "as_object")]
    pub floors: Vec<Floor>,
    /// Root mean square errors of the floors.
    #[serde(serialize_with = "errors_as_object")]
    pub floors_rmse: Vec<(String, f64)>,
    /// The error of a free run after so many steps, averaged over a run from before every value.
    pub horizons: Vec<HorizonError>,
    /// Of a linear model, as it was fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fitted>,
    /// Wall time of scoring, without the floors.
    pub seconds: f64,
    /// `−ln p` of each value scored, given those before it.
    #[serde(skip)]
    pub each: Vec<f64>,
    /// Where in the series the first of them stands, from 0.
    #[serde(skip)]
    pub first: usize,
}

/// The numbers of a linear model.
#[derive(Clone, Debug, Serialize)]
pub struct Fitted {
    /// c.
    pub constant: f64,
    /// Of the lags fitted.
    pub coefficients: Vec<f64>,
    /// σ².
    pub variance: f64,
    /// Whether the series follows them exactly, up to rounding: then no likelihood is one.
    pub exact: bool,
    /// What least squares says about them.
    #[serde(flatten)]
    pub statistics: Option<Statistics>,
}

fn errors_as_object<S: serde::Serializer>(
    errors: &[(String, f64)],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(errors.iter().map(|(name, rmse)| (name, rmse)))
}

impl SavedSeries {
    /// Scores a part of a series; `horizons` is how many steps ahead errors are measured.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the part is empty or too short.
    pub fn evaluate(&self, data: &SeriesData, part: Part, horizons: usize) -> Result<SeriesEvaluation> {
        // No error is measured further ahead than the part reaches.
        let horizons = horizons.min(data.range(part).len());
        match self {
            SavedSeries::Linear(linear) => {
                let variances = linear.model.forecast_variances(horizons);
                let mut evaluation = evaluate(&linear.model, self, data, part, horizons, Some(&variances))?;
                evaluation.fit = Some(Fitted {
                    constant: linear.model.constant,
                    coefficients: linear.coefficients(),
                    variance: linear.model.variance,
                    exact: linear.is_exact(),
                    statistics: linear.estimate.statistics.clone(),
                });
                Ok(evaluation)
            }
            SavedSeries::Neural(neural) => evaluate(&NeuralPredictor::new(neural), self, data, part, horizons, None),
        }
    }
}

/// The values that are scored: a part, without the first values that the model is given.
pub(super) fn scored(data: &SeriesData, part: Part, reach: usize) -> Result<Range<usize>> {
    let range = data.range(part);
    if range.is_empty() {
        return Err(Error::new(Kind::BadInput, format!("the {} part of the series is empty", part.name()))
            .cause("the run kept no values for it")
            .help("choose another --split; without it all of the series is scored"));
    }
    Ok(range.start.max(reach.min(range.end))..range.end)
}

fn evaluate<M: SeriesModel>(
    model: &M,
    saved: &SavedSeries,
    data: &SeriesData,
    part: Part,
    horizons: usize,
    variances: Option<&[f64]>,
) -> Result<SeriesEvaluation> {
    let values = &data.values[..];
    let range = scored(data, part, model.reach())?;
    let begin = Instant::now();
    let Score { rmse, nats } = model.score(values, range.clone())?;
    let predicted = model.one_step(values, range.clone())?;
    let each = predicted.iter().zip(&values[range.clone()]).map(|(p, &x)| -p.log_probability(x)).collect();
    if !nats.is_finite() || !rmse.is_finite() {
        return Err(not_finite(range.start + 1));
    }
    let Exposure { free_running_rmse, .. } = exposure(model, values, range.clone())?;
    let horizons = errors_by_horizon(model, values, range.clone(), horizons, variances)?;
    let seconds = begin.elapsed().as_secs_f64();
    let (lags, stride) = saved.lags();
    let (mut floors, mut floors_rmse) = (Vec::new(), Vec::new());
    let mut add = |name: String, rmse: f64, nats: f64| {
        floors_rmse.push((name.clone(), rmse));
        floors.push(Floor { name, nats });
    };
    // Where the training part is too short for floors, there are none.
    for floor in spaced_floors(values, data.train().len(), range.clone(), stride).unwrap_or_default() {
        add(floor.name.to_string(), floor.rmse, floor.nats);
    }
    if let (SavedSeries::Neural(_), Ok(fit)) = (saved, Ar::spaced_least_squares(data.train(), lags, stride)) {
        let Score { rmse, nats } = fit.model.score(values, range.clone())?;
        add(format!("linear AR({lags})"), rmse, nats);
    }
    let truth = &values[range.clone()];
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let deviation = (truth.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / truth.len() as f64).sqrt();
    Ok(SeriesEvaluation {
        likelihood: Likelihood::new(truth.len(), nats),
        given: range.start,
        rmse,
        nrmse: if deviation > 0.0 { rmse / deviation } else { f64::NAN },
        deviation,
        free_running_rmse,
        floors,
        floors_rmse,
        horizons,
        fit: None,
        seconds,
        each,
        first: range.start,
    })
}

impl SeriesEvaluation {
    /// The errors at every horizon as a picture; `name` is what was measured.
    ///
    /// # Errors
    /// [`Kind::Usage`] if there are no horizons.
    pub fn picture(&self, name: &str) -> Result<Svg> {
        if self.horizons.is_empty() {
            return Err(Error::new(Kind::Usage, "there is no horizon to draw").help("ask for --horizons of 1 or more"));
        }
        let measured = self.horizons.iter().map(|row| (row.horizon as f64, row.rmse)).collect();
        let expected: Vec<(f64, f64)> =
            self.horizons.iter().filter_map(|row| Some((row.horizon as f64, row.expected?))).collect();
        let title = "Exposure bias: the error of a model that runs on its own output";
        let mut plot = Plot::new(title, "steps ahead", format!("root mean square error of {name}")).x_from(0.0).series(
            "measured",
            Mark::Dots,
            measured,
        );
        if !expected.is_empty() {
            plot = plot.series("σ √(Σ ψ²)", Mark::Line, expected);
        }
        plot.level("one step", self.rmse).svg()
    }
}
