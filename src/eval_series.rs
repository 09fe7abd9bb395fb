//! `autoreg eval` of a series: one-step error and likelihood beside the floors, and exposure bias at every horizon.

use crate::Context;
use crate::console::say;
use crate::eval::{Arguments, Likelihood, Part, as_object};
use crate::model_file::ModelFile;
use crate::table::{Align, Table, thousands};
use models::error::{Error, Kind, Result};
use models::pages::plot::{Mark, Plot};
use models::series::ar::Ar;
use models::series::exposure::{Exposure, HorizonError, errors_by_horizon, exposure};
use models::series::floors::spaced_floors;
use models::series::linear::Statistics;
use models::series::model::{Score, SeriesModel};
use models::series::neural_predictor::NeuralPredictor;
use models::series::saved::SavedSeries;
use models::series::training::SeriesData;
use models::storage::atomic::{SystemDisk, replace};
use serde::Serialize;
use std::ops::Range;
use std::time::Instant;

/// The result; the fields of `--json`.
#[derive(Serialize)]
struct Evaluation {
    /// Symbols are values; of a density, so the perplexity depends on the unit of the series.
    #[serde(flatten)]
    likelihood: Likelihood,
    /// Values before them that are given.
    given: usize,
    /// Root mean square error one step ahead, given the true past.
    rmse: f64,
    /// `rmse` over the standard deviation of the values scored.
    nrmse: f64,
    /// Of one free run over all values scored.
    free_running_rmse: f64,
    /// Name → nats per value.
    #[serde(serialize_with = "as_object")]
    floors: Vec<(String, f64)>,
    /// Name → root mean square error.
    #[serde(serialize_with = "as_object")]
    floors_rmse: Vec<(String, f64)>,
    /// The error of a free run after so many steps, averaged over a run from before every value.
    horizons: Vec<HorizonError>,
    /// Of a linear model, as it was fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    fit: Option<Fitted>,
    seconds: f64,
}

/// The numbers of a linear model.
#[derive(Serialize)]
struct Fitted {
    constant: f64,
    coefficients: Vec<f64>,
    variance: f64,
    #[serde(flatten)]
    statistics: Option<Statistics>,
}

/// Runs the subcommand on a model of a series.
///
/// # Errors
/// A bad input for a file that holds no such series, or a part that is too short.
pub fn run(model: &SavedSeries, file: &ModelFile, arguments: &Arguments, context: &Context) -> Result<()> {
    let data = file.series(Some(&arguments.data), arguments.column.as_deref())?;
    let evaluation = match model {
        SavedSeries::Linear(linear) => {
            let variances = linear.model.forecast_variances(arguments.horizons);
            let mut evaluation = evaluate(&linear.model, model, file, &data, arguments, Some(&variances))?;
            evaluation.fit = Some(Fitted {
                constant: linear.model.constant,
                coefficients: linear.coefficients(),
                variance: linear.model.variance,
                statistics: linear.estimate.statistics.clone(),
            });
            evaluation
        }
        SavedSeries::Neural(neural) => evaluate(&NeuralPredictor::new(neural), model, file, &data, arguments, None)?,
    };
    if let Some(path) = &arguments.output {
        let picture = evaluation.picture(&data.name)?;
        replace(&SystemDisk, path, |out| out.write_all(picture.as_bytes()))?;
        say(&format!("wrote {}", path.display()));
    }
    if arguments.json { context.results.json(&evaluation) } else { context.results.line(evaluation.shown()) }
}

/// The values that are scored: a part, without the first values that the model is given.
fn scored(data: &SeriesData, part: Part, reach: usize) -> Result<Range<usize>> {
    let range = match part {
        Part::All => 0..data.values.len(),
        Part::Train => data.split.train.clone(),
        Part::Validation => data.split.validation.clone(),
        Part::Test => data.split.test.clone(),
    };
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
    file: &ModelFile,
    data: &SeriesData,
    arguments: &Arguments,
    variances: Option<&[f64]>,
) -> Result<Evaluation> {
    let values = &data.values[..];
    let range = scored(data, arguments.split, model.reach())?;
    let begin = Instant::now();
    let Score { rmse, nats } = model.score(values, range.clone())?;
    let Exposure { free_running_rmse, .. } = exposure(model, values, range.clone())?;
    let horizons = errors_by_horizon(model, values, range.clone(), arguments.horizons, variances)?;
    let seconds = begin.elapsed().as_secs_f64();
    let (lags, stride) = saved.lags();
    let (mut floors, mut floors_rmse) = (Vec::new(), Vec::new());
    // Where the training part is too short for floors, there are none.
    for floor in spaced_floors(values, data.train().len(), range.clone(), stride).unwrap_or_default() {
        floors.push((floor.name.to_string(), floor.nats));
        floors_rmse.push((floor.name.to_string(), floor.rmse));
    }
    if let (SavedSeries::Neural(_), Ok(fit)) = (saved, Ar::spaced_least_squares(data.train(), lags, stride)) {
        let Score { rmse, nats } = fit.model.score(values, range.clone())?;
        floors.push((format!("linear AR({lags})"), nats));
        floors_rmse.push((format!("linear AR({lags})"), rmse));
    }
    let truth = &values[range.clone()];
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let deviation = (truth.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / truth.len() as f64).sqrt();
    Ok(Evaluation {
        likelihood: Likelihood::new(file, arguments.split, truth.len(), nats),
        given: range.start,
        rmse,
        nrmse: rmse / deviation,
        free_running_rmse,
        floors,
        floors_rmse,
        horizons,
        fit: None,
        seconds,
    })
}

impl Evaluation {
    /// The tables that people read: the model between the floors, then the errors at some horizons.
    fn shown(&self) -> String {
        let mut table = Table::new(&[
            ("one step ahead", Align::Left),
            ("RMSE", Align::Right),
            ("NRMSE", Align::Right),
            ("nats/value", Align::Right),
        ]);
        let Likelihood { model, checkpoint, split, symbols, nats_per_symbol, .. } = &self.likelihood;
        let deviation = self.rmse / self.nrmse;
        let floors =
            self.floors.iter().zip(&self.floors_rmse).map(|((name, nats), (_, rmse))| (name.clone(), *rmse, *nats));
        let mut lines: Vec<(String, f64, f64)> = floors.collect();
        lines.push((format!("{model} (this model)"), self.rmse, *nats_per_symbol));
        lines.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (name, rmse, nats) in lines {
            table.row([name, format!("{rmse:.6}"), format!("{:.5}", rmse / deviation), format!("{nats:.5}")]);
        }
        let mut parts = vec![
            format!(
                "{checkpoint}\n{} values (split: {}; the {} before them are given) in {:.1} s",
                thousands(*symbols),
                split.name(),
                thousands(self.given),
                self.seconds
            ),
            table.to_string(),
            format!(
                "exposure bias: RMSE {:.4} given the true past, {:.4} running free over the whole part",
                self.rmse, self.free_running_rmse
            ),
        ];
        if !self.horizons.is_empty() {
            let mut table = Table::new(&[
                ("steps ahead", Align::Right),
                ("RMSE running free", Align::Right),
                ("closed form", Align::Right),
                ("forecasts", Align::Right),
            ]);
            for HorizonError { horizon, origins, rmse, expected } in &self.horizons {
                let expected = expected.map_or("–".to_string(), |expected| format!("{expected:.4}"));
                table.row([horizon.to_string(), format!("{rmse:.4}"), expected, origins.to_string()]);
            }
            parts.push(table.to_string());
        }
        parts.join("\n\n")
    }

    /// The errors at every horizon as a picture.
    fn picture(&self, name: &str) -> Result<String> {
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
        Ok(plot.level("one step", self.rmse).svg()?.as_str().to_string())
    }
}
