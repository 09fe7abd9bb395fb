//! Values drawn from a model of a series, as a CSV file of one column, line by line.

use super::data::quoted;
use super::model::SeriesModel;
use super::neural_predictor::NeuralPredictor;
use super::saved::SavedSeries;
use crate::error::Result;
use crate::medium::Sink;
use crate::sampling::{Generator, Options, Sampler};
use autograd::random::Streams;

/// What is asked of a model of a series.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The name of the column; empty for `value`.
    pub column: &'a str,
    /// The values that are gone on from; without any, the model begins at its level.
    pub prompt: &'a [f64],
    /// Whether they are written before the ones drawn.
    pub echo: bool,
    /// How many values.
    pub values: usize,
    /// Of these, the temperature scales the deviation; the others are about alphabets.
    pub options: Options,
    /// Of the random stream `sampling`.
    pub seed: u64,
}

impl SavedSeries {
    /// Writes the name of the column and the values, a line each, to `sink`, until there are enough or nobody reads them.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) for options that make no sense;
    /// [`Kind::BadInput`](crate::error::Kind::BadInput) for a model whose mean or deviation is not finite; the sink's.
    pub fn generate(&self, request: &Request, sink: Sink) -> Result<()> {
        match self {
            SavedSeries::Linear(linear) => draw(&linear.model, request, sink),
            SavedSeries::Neural(neural) => draw(&NeuralPredictor::new(neural), request, sink),
        }
    }
}

fn draw<M: SeriesModel>(model: &M, request: &Request, sink: Sink) -> Result<()> {
    let sampler = Sampler::new(request.options.clone())?;
    let random = Streams::new(request.seed).stream("sampling");
    let header = if request.column.is_empty() { "value".to_string() } else { quoted(request.column) };
    let echoed = if request.echo { request.prompt } else { &[] };
    let drawn = Generator::new(model, request.prompt, sampler, random).checked().take(request.values);
    let lines = echoed.iter().copied().map(Ok).chain(drawn).map(|x| Ok(format!("{}\n", x?)));
    for line in std::iter::once(Ok(header + "\n")).chain(lines) {
        let line: String = line?;
        if sink(line.as_bytes())?.is_break() {
            break;
        }
    }
    Ok(())
}
