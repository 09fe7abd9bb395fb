//! What there is to say of a linear model: its numbers, their errors, its roots.

use super::linear::{LinearAr, Statistics};
use super::roots::Root;
use crate::pages::numbers::digits;
use serde::Serialize;

/// A linear model, with all digits.
#[derive(Serialize)]
pub struct Description {
    constant: f64,
    /// Of the lags fitted.
    coefficients: Vec<f64>,
    variance: f64,
    #[serde(flatten)]
    statistics: Option<Statistics>,
    /// The level a stationary model returns to.
    mean: f64,
    stationary: bool,
    /// Why it is not stationary, and what that does to forecasts.
    warning: Option<String>,
    roots: Vec<RootDescription>,
}

#[derive(Serialize)]
struct RootDescription {
    re: f64,
    im: f64,
    modulus: f64,
    /// Steps of a swing; `null` for a positive real root.
    period: Option<f64>,
}

impl Description {
    /// What there is to say about a model.
    pub fn of(linear: &LinearAr) -> Self {
        let warning = linear.model.stationarity_warning();
        let root =
            |root: Root| RootDescription { re: root.re, im: root.im, modulus: root.modulus(), period: root.period() };
        Description {
            constant: linear.model.constant,
            coefficients: linear.coefficients(),
            variance: linear.model.variance,
            statistics: linear.estimate.statistics.clone(),
            mean: linear.model.mean(),
            stationary: warning.is_none(),
            warning: warning.map(|warning| warning.to_string()),
            roots: linear.model.roots().into_iter().map(root).collect(),
        }
    }
}

/// Ten significant digits: of a series at any scale as much is seen.
fn number(x: f64) -> String {
    digits(x, 10)
}

/// Name, value and standard error of every number of a model, as a person reads them.
pub fn rows(linear: &LinearAr) -> Vec<[String; 3]> {
    let stride = linear.estimate.stride;
    let mut rows = vec![("c".to_string(), linear.model.constant)];
    let lag = |(i, &phi): (usize, &f64)| (format!("φ of lag {}", (i + 1) * stride), phi);
    rows.extend(linear.coefficients().iter().enumerate().map(lag));
    let error = |i: usize| {
        let statistics = linear.estimate.statistics.as_ref();
        statistics.map_or(String::new(), |s| s.standard_errors.get(i).map_or(String::new(), |&e| number(e)))
    };
    let mut rows: Vec<[String; 3]> =
        rows.into_iter().enumerate().map(|(i, (name, x))| [name, number(x), error(i)]).collect();
    let mut more = |name: &str, x: f64| rows.push([name.to_string(), number(x), String::new()]);
    more("σ²", linear.model.variance);
    if let Some(Statistics { log_likelihood, aic, bic, .. }) = linear.estimate.statistics {
        more("log-likelihood", log_likelihood);
        more("AIC", aic);
        more("BIC", bic);
    }
    let roots = linear.model.roots();
    for root in roots.iter().filter(|root| root.im >= 0.0).take(3) {
        let period = root.period().map_or(String::new(), |period| format!("period {period:.4}"));
        rows.push(["root, modulus".to_string(), number(root.modulus()), period]);
    }
    rows
}
