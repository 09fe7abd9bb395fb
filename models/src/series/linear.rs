//! A linear AR model with how it came about: chosen, fitted, and stored in a checkpoint to the last digit.

use serde::{Deserialize, Serialize};

use super::ar::{Ar, longest};
use super::config::{Lags, MOST_REACH, Method, ModelConfig, ModelKind};
use super::least_squares::spaced;
use super::order::{Criterion, best, mean_alone, spaced_candidates};
use crate::error::{Error, Kind, Result};
use crate::memory::Needs;
use crate::pages::numbers::digits;
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::safetensors_file::StoredTensor;

/// A fitted model; what a checkpoint of kind `ar` holds.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearAr {
    /// The model, with zeros between lags that lie apart.
    pub model: Ar,
    /// How it was fitted: the JSON of `autoreg.config`.
    pub estimate: Estimate,
}

/// How a linear model was fitted, and what least squares says about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// `"ar"`.
    pub model: ModelKind,
    /// k, the lags fitted.
    pub lags: usize,
    /// How far apart they lie.
    #[serde(default = "one")]
    pub stride: usize,
    /// How they were fitted.
    #[serde(default)]
    pub method: Method,
    /// What least squares says about its fit; absent for other methods and for a perfect fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
}

/// As in [`super::least_squares::Fit`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Regression rows.
    pub observations: usize,
    /// Of those rows, in nats.
    pub log_likelihood: f64,
    /// Akaike's criterion.
    pub aic: f64,
    /// Schwarz's criterion.
    pub bic: f64,
    /// Of the constant and each coefficient fitted.
    pub standard_errors: Vec<f64>,
}

/// A residual of so small a share of the largest value is what 64-bit numbers leave of an exact fit.
const ROUNDING: f64 = 1e-13;

fn one() -> usize {
    1
}

/// The number of lags of a configuration: as given, or what its criterion chooses on `series`.
///
/// # Errors
/// If the series is too short to choose on.
pub fn lags(series: &[f64], config: &ModelConfig) -> Result<usize> {
    match config.lags {
        Lags::Count(lags) => Ok(lags),
        Lags::Chosen(_) => {
            let candidates = spaced_candidates(series, most_lags(series, config), config.stride)?;
            Ok(best(&candidates, config.criterion).expect("there is a candidate where there is no error").lags)
        }
    }
}

/// The most lags that are tried: as configured, or as many as a short series can tell apart.
fn most_lags(series: &[f64], config: &ModelConfig) -> usize {
    config.most_lags.min(longest(series.len(), config.stride)).max(1)
}

/// How the number of lags was chosen, in a sentence; nothing where it was given.
///
/// # Errors
/// As [`lags`].
pub fn choice(series: &[f64], config: &ModelConfig) -> Result<Option<String>> {
    let Lags::Chosen(_) = config.lags else { return Ok(None) };
    let most = most_lags(series, config);
    let candidates = spaced_candidates(series, most, config.stride)?;
    let best = best(&candidates, config.criterion).expect("there is a candidate where there is no error");
    let mean = mean_alone(series, most, config.stride);
    let (criterion, ours, of_mean) = match config.criterion {
        Criterion::Aic => ("AIC", best.aic, mean.aic),
        Criterion::Bic => ("BIC", best.bic, mean.bic),
    };
    let longest = candidates.last().map_or(1, |candidate| candidate.lags);
    let chosen = format!("AR({}) has the least {criterion} of AR(1) … AR({longest}), {}", best.lags, digits(ours, 6));
    let than = format!("the mean alone, AR(0), has {}", digits(of_mean, 6));
    Ok(Some(match of_mean < ours {
        true => format!("warning: {chosen}, and {than}: the past of this series says nothing about its next value"),
        false => format!("{chosen}; {than}"),
    }))
}

impl LinearAr {
    /// Fits a series as the configuration says.
    ///
    /// # Errors
    /// If the series cannot be fitted with so many lags.
    pub fn fit(series: &[f64], config: &ModelConfig) -> Result<Self> {
        let (stride, method) = (config.stride, config.method);
        // The triangle of the regression, before it is made: with the most lags of a choice, with those given.
        let widest = if let Lags::Count(lags) = config.lags { lags } else { most_lags(series, config) } as u128 + 2;
        if longest(series.len(), stride) as u128 + 2 >= widest {
            Needs::default().and("the equations of the lags", widest * widest, 8, "`model.lags`").check()?;
        }
        let lags = lags(series, config)?;
        let (model, statistics) = match method {
            Method::Ols => {
                let fit = Ar::spaced_least_squares(series, lags, stride)?;
                let statistics = Statistics {
                    observations: fit.observations,
                    log_likelihood: fit.log_likelihood,
                    aic: fit.aic,
                    bic: fit.bic,
                    standard_errors: fit.standard_errors,
                };
                // What is left of a fit that is exact is rounding, and so would be a likelihood of it.
                let largest = series.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
                let exact = fit.model.variance.sqrt() <= ROUNDING * largest;
                (fit.model, (!exact && statistics.log_likelihood.is_finite()).then_some(statistics))
            }
            Method::YuleWalker => (Ar::yule_walker(series, lags)?, None),
            Method::Burg => (Ar::burg(series, lags)?, None),
        };
        Ok(LinearAr { model, estimate: Estimate { model: ModelKind::Ar, lags, stride, method, statistics } })
    }

    /// Whether the series follows its lags exactly, up to rounding: σ² then is rounding alone, and no likelihood is one.
    pub fn is_exact(&self) -> bool {
        self.estimate.method == Method::Ols && self.estimate.statistics.is_none()
    }

    /// `φ_1 … φ_k` of the lags fitted, without the zeros between them.
    pub fn coefficients(&self) -> Vec<f64> {
        let stride = self.estimate.stride;
        self.model.coefficients.iter().skip(stride - 1).step_by(stride).copied().collect()
    }

    /// A checkpoint of the model: `constant`, `coefficients` and `variance` in F64.
    ///
    /// # Errors
    /// None in practice: an estimate has a JSON form.
    pub fn to_checkpoint(&self) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::new(&self.estimate)?;
        let coefficients = self.coefficients();
        for (name, shape, values) in [
            ("constant", &[][..], &[self.model.constant][..]),
            ("coefficients", &[coefficients.len()], &coefficients),
            ("variance", &[], &[self.model.variance]),
        ] {
            checkpoint.push(Group::Parameter, StoredTensor::new(name, shape, values));
        }
        Ok(checkpoint)
    }

    /// The model of a checkpoint of kind `ar`.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if its tensors are not those of its configuration, or its numbers no model.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self> {
        let estimate: Estimate = checkpoint.config_as()?;
        let Estimate { lags, stride, .. } = estimate;
        let bad = |cause: String| {
            Error::new(Kind::BadInput, format!("{} holds no usable AR model", checkpoint.path.display())).cause(cause)
        };
        if lags == 0 || stride == 0 || lags.saturating_mul(stride) > MOST_REACH {
            return Err(bad(format!("{lags} lags {stride} apart")));
        }
        let shapes = [("constant", vec![]), ("coefficients", vec![lags]), ("variance", vec![])];
        let stored = checkpoint.parameters(&shapes.map(|(name, shape)| (name.to_string(), shape)))?;
        let (constant, coefficients, variance) = (stored[0].reals()?[0], stored[1].reals()?, stored[2].reals()?[0]);
        if variance < 0.0 {
            return Err(bad(format!("its variance is {variance}")));
        }
        Ok(LinearAr { model: Ar { constant, coefficients: spaced(&coefficients, stride), variance }, estimate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::config::Auto;
    use crate::series::sunspots::YEARLY;

    fn config(lags: Lags, stride: usize, method: Method) -> ModelConfig {
        ModelConfig { lags, stride, method, ..ModelConfig::default() }
    }

    #[test]
    fn a_fit_comes_back_from_its_checkpoint_to_the_last_digit() {
        for config in [
            config(Lags::Chosen(Auto::Auto), 1, Method::Ols),
            config(Lags::Count(3), 4, Method::Ols),
            config(Lags::Count(2), 1, Method::Burg),
            config(Lags::Count(2), 1, Method::YuleWalker),
        ] {
            let fitted = LinearAr::fit(&YEARLY, &config).unwrap();
            let checkpoint = fitted.to_checkpoint().unwrap();
            assert_eq!(LinearAr::from_checkpoint(&checkpoint).unwrap(), fitted);
            assert_eq!(fitted.estimate.statistics.is_some(), config.method == Method::Ols);
        }
    }

    #[test]
    fn bic_chooses_nine_lags_of_at_most_twelve() {
        assert_eq!(lags(&YEARLY, &ModelConfig::default()).unwrap(), 9);
    }

    #[test]
    fn a_checkpoint_whose_numbers_are_no_model_is_refused() {
        let fitted = LinearAr::fit(&YEARLY, &config(Lags::Count(2), 1, Method::Ols)).unwrap();
        let mut absurd = fitted.to_checkpoint().unwrap();
        absurd.config["stride"] = serde_json::json!(u64::MAX);
        assert!(LinearAr::from_checkpoint(&absurd).unwrap_err().cause.contains("apart"));
        let negative = LinearAr { model: Ar { variance: -1.0, ..fitted.model.clone() }, ..fitted.clone() };
        assert!(LinearAr::from_checkpoint(&negative.to_checkpoint().unwrap()).unwrap_err().cause.contains("variance"));
        let mut short = fitted.to_checkpoint().unwrap();
        short.config["lags"] = serde_json::json!(3);
        assert!(LinearAr::from_checkpoint(&short).unwrap_err().cause.contains("coefficients"));
    }
}
