//! A neural AR model as an autoregressive model like any other: in parallel and one value at a time, in the same bits.

use std::cell::RefCell;

use autograd::kernels::team::Team;
use autograd::nn::Linear;
use autograd::{Scalar, Tensor, no_grad};

use super::model::SeriesModel;
use super::neural_ar::{Architecture, LOG_SIGMA, NeuralAr, lags_of};
use crate::affine::Affine;
use crate::autoregressive::Autoregressive;
use crate::distribution::Gaussian;

/// A [`NeuralAr`] ready to be stepped: its weights are packed once. It owns what it needs: its parameters are the model's until
/// one of the two changes them.
pub struct NeuralPredictor<T> {
    model: NeuralAr<T>,
    hidden: Vec<Affine<T>>,
    head: Affine<T>,
    /// The caller alone: a network this small is done before another thread has woken.
    team: RefCell<Team>,
}

/// What a [`NeuralPredictor`] has seen.
#[derive(Clone, Debug)]
pub struct State<T> {
    /// The last values it can still see, standardised: a ring.
    past: Vec<T>,
    /// Where in the ring the oldest value stands, which the next one replaces.
    oldest: usize,
    inputs: Vec<T>,
    features: Vec<T>,
    next_features: Vec<T>,
    next: Gaussian,
}

impl<T: Scalar> NeuralPredictor<T> {
    /// Prepares a model.
    pub fn new(model: &NeuralAr<T>) -> Self {
        let affine = |layer: &Linear<T>| Affine::new(&layer.weight, layer.bias.as_ref());
        let hidden = model.hidden.iter().map(affine).collect();
        NeuralPredictor { model: model.clone(), hidden, head: affine(&model.head), team: RefCell::new(Team::new(1)) }
    }

    /// The distribution in the unit of the series, from the head's outputs.
    fn distribution(&self, outputs: &[T]) -> Gaussian {
        let standardize = self.model.standardize;
        let log_sigma = outputs[1].as_f64().clamp(LOG_SIGMA.0, LOG_SIGMA.1);
        Gaussian {
            mean: standardize.mean + standardize.std * outputs[0].as_f64(),
            std: standardize.std * log_sigma.exp(),
        }
    }

    fn update(&self, state: &mut State<T>) {
        let State { past, oldest, inputs, features, next_features, next } = state;
        let Architecture { stride, .. } = self.model.architecture;
        for (i, input) in inputs.iter_mut().enumerate() {
            // The ring holds k·s values; the value (i + 1)·s back stands that far before where the next is written.
            *input = past[(*oldest + past.len() - (i + 1) * stride) % past.len()];
        }
        let team = &mut *self.team.borrow_mut();
        for (i, layer) in self.hidden.iter().enumerate() {
            layer.apply(team, if i == 0 { inputs } else { features }, next_features);
            T::tanh_slice(next_features);
            std::mem::swap(features, next_features);
        }
        let mut outputs = [T::zero(); 2];
        if let Some(log_sigma) = &self.model.log_sigma {
            outputs[1] = log_sigma.values()[0];
        }
        let heads = &mut outputs[..self.model.architecture.outputs()];
        self.head.apply(team, if self.hidden.is_empty() { inputs } else { features }, heads);
        *next = self.distribution(&outputs);
    }
}

impl<T: Scalar> Autoregressive for NeuralPredictor<T> {
    type Symbol = f64;
    type Distribution = Gaussian;
    type State = State<T>;

    fn distributions(&self, sequence: &[f64]) -> Vec<Gaussian> {
        let NeuralAr { architecture, standardize, .. } = &self.model;
        let lags = |t| lags_of::<T>(sequence, t, architecture, standardize);
        // In one piece: a vector that grows holds twice what it needs.
        let mut inputs: Vec<T> = Vec::with_capacity(sequence.len() * architecture.lags);
        (0..sequence.len()).for_each(|t| inputs.extend(lags(t)));
        let inputs = Tensor::from_vec(inputs, &[sequence.len(), architecture.lags]);
        no_grad(|| self.model.forward(&inputs)).to_vec().chunks(2).map(|outputs| self.distribution(outputs)).collect()
    }

    fn start(&self) -> State<T> {
        let Architecture { lags, stride, hidden, .. } = self.model.architecture;
        let zeros = |n| vec![T::zero(); n];
        let mut state = State {
            past: zeros(lags * stride),
            oldest: 0,
            inputs: zeros(lags),
            features: zeros(hidden),
            next_features: zeros(hidden),
            next: Gaussian { mean: 0.0, std: 1.0 },
        };
        self.update(&mut state);
        state
    }

    fn next<'s>(&self, state: &'s State<T>) -> &'s Gaussian {
        &state.next
    }

    fn step(&self, state: &mut State<T>, x: f64) {
        state.past[state.oldest] = self.model.standardize.apply(x);
        state.oldest = (state.oldest + 1) % state.past.len();
        self.update(state);
    }
}

impl<T: Scalar> SeriesModel for NeuralPredictor<T> {
    fn reach(&self) -> usize {
        self.model.architecture.lags * self.model.architecture.stride
    }
}

#[cfg(test)]
mod tests {
    use super::super::neural_ar::{Deviation, Standardize};
    use super::*;
    use crate::check;
    use crate::series::sunspots::YEARLY;
    use autograd::random::Streams;

    fn check_all<T: Scalar>() {
        for (lags, stride, hidden, layers) in [(1, 1, 3, 0), (9, 1, 7, 1), (4, 6, 64, 2), (2, 3, 50, 3)] {
            let deviation = if layers == 1 { Deviation::Constant } else { Deviation::Free };
            let architecture = Architecture { lags, stride, hidden, layers, deviation };
            let mut stream = Streams::new(9).stream("init");
            let model = NeuralAr::<T>::new(&architecture, Standardize::of(&YEARLY), &mut stream);
            let predictor = NeuralPredictor::new(&model);
            for outcome in [
                check::causality(&predictor, &YEARLY[..60], |x| x + 20.0),
                check::steps_equal_parallel(&predictor, &YEARLY[..60]),
            ] {
                assert!(outcome.passed, "{architecture:?}: {outcome}");
            }
        }
    }

    #[test]
    fn a_neural_model_is_causal_and_its_steps_equal_the_parallel_pass_bit_for_bit() {
        check_all::<f32>(); // what is trained and stored; products in f64 promise no equal bits for one row and many
    }

    #[test]
    fn training_sees_the_likelihood_that_scoring_finds() {
        let architecture = Architecture { lags: 3, stride: 2, hidden: 8, layers: 2, deviation: Deviation::Constant };
        let standardize = Standardize::of(&YEARLY);
        let model = NeuralAr::<f64>::new(&architecture, standardize, &mut Streams::new(2).stream("init"));
        let inputs = (6..309).flat_map(|t| lags_of(&YEARLY, t, &architecture, &standardize)).collect();
        let targets = YEARLY[6..].iter().map(|&x| standardize.apply(x)).collect();
        let loss = model.loss(&Tensor::from_vec(inputs, &[303, 3]), &Tensor::from_vec(targets, &[303, 1]));
        let score = NeuralPredictor::new(&model).score(&YEARLY, 6..309).unwrap();
        approx::assert_relative_eq!(loss.item(), score.nats, max_relative = 1e-12);
    }
}
