//! What must hold of a model of a series, checked on a sequence drawn from itself: causality, densities that integrate to one,
//! steps equal to the parallel pass.

use super::model::SeriesModel;
use super::neural_predictor::NeuralPredictor;
use super::saved::SavedSeries;
use crate::check::{Outcome, causality, each_integrates_to_one, steps_equal_parallel};
use crate::sampling::{Generator, Options, Sampler};
use autograd::Tensor;
use autograd::random::Streams;

impl SavedSeries {
    /// Checks the model on a sequence of at least so many values.
    pub fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        match self {
            SavedSeries::Linear(linear) => check(&linear.model, length, seed),
            SavedSeries::Neural(neural) => check(&NeuralPredictor::new(neural), length, seed),
        }
    }

    /// The loss of so many examples of zeros, recorded; none for a linear model, which is solved for and records nothing.
    pub fn recorded_loss(&self, examples: usize) -> Option<Tensor<f32>> {
        let SavedSeries::Neural(neural) = self else { return None };
        let lags = Tensor::zeros(&[examples, neural.architecture.lags]);
        Some(neural.loss(&lags, &Tensor::zeros(&[examples, 1])))
    }
}

/// The sequence is longer than the model looks back.
fn check<M: SeriesModel>(model: &M, length: usize, seed: u64) -> Vec<Outcome> {
    let length = length.max(model.reach() + 8);
    let random = Streams::new(seed).stream("check");
    let sampler = Sampler::new(Options::default()).expect("the default options are right");
    let sequence: Vec<f64> = Generator::new(model, &[], sampler, random).take(length).collect();
    let std = model.next(&model.start()).std;
    vec![
        causality(model, &sequence, |x| x + std.max(x.abs() * 1e-3)),
        steps_equal_parallel(model, &sequence),
        each_integrates_to_one(model, &sequence),
    ]
}
