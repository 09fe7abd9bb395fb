//! Ways of generating side by side: what each costs, what comes out, and how likely the model finds it. What a family measures stands in its
//! own folder.

use super::Cost;
use serde::Serialize;
use std::time::Instant;

/// What comes out of a way, against the model's law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was drawn: data that the model never saw.
    Data,
    /// A sample: of each symbol, its distribution given those before.
    Sample,
    /// The sample of another way, symbol by symbol; compared when it was drawn.
    SameSample,
    /// A sample of the same law, another one.
    SameLaw,
    /// Not the model's law, but one near it.
    Approximate,
    /// No sample: a likely sequence.
    Likely,
}

impl Outcome {
    /// As a table says it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Data => "data",
            Outcome::Sample => "exact",
            Outcome::SameSample => "exact: the same sample",
            Outcome::SameLaw => "exact: the same law",
            Outcome::Approximate => "approximate",
            Outcome::Likely => "no sample",
        }
    }
}

/// A way of generating, measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Its name.
    pub way: String,
    /// What comes out.
    pub outcome: Outcome,
    /// What it costs.
    #[serde(flatten)]
    pub cost: Cost,
    /// Wall time of drawing, after everything is prepared.
    pub seconds: f64,
    /// `−ln p` of what came out under the model, a symbol.
    pub nats_per_symbol: f64,
    /// The same under a Markov chain that was counted on the training part: a judge that is not the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_nats_per_symbol: Option<f64>,
}

/// What is done, and how long it took.
pub(crate) fn timed<R>(work: impl FnOnce() -> R) -> (R, f64) {
    let begin = Instant::now();
    let result = work();
    (result, begin.elapsed().as_secs_f64())
}
