//! The neural autoregressive model: the lags of AR(k) into a multilayer perceptron with a head for mean and deviation.
//!
//! `x_t ~ N(μ(x_{t−s}, …, x_{t−ks}), σ²(x_{t−s}, …, x_{t−ks}))`: what the linear model fixes, the straight line and the one σ,
//! depends on the past here. One value at a time it runs in `neural_predictor.rs`.

use std::f64::consts::TAU;

use autograd::nn::{Linear, Param};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, module};
use ndarray::arr1;
use serde::{Deserialize, Serialize};

/// What `ln σ` of the standardised value is held between: below, a few lucky examples would make the loss bottomless.
pub(super) const LOG_SIGMA: (f64, f64) = (-9.0, 3.0);

/// The sizes of a [`NeuralAr`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Architecture {
    /// k, the values it looks at.
    pub lags: usize,
    /// s, how far apart they lie: the furthest is `k·s` back.
    pub stride: usize,
    /// Units of each hidden layer.
    pub hidden: usize,
    /// Hidden layers.
    pub layers: usize,
    /// What σ depends on.
    #[serde(default)]
    pub deviation: Deviation,
}

impl Architecture {
    /// Outputs of the head: μ, and ln σ where it is one.
    pub(super) fn outputs(&self) -> usize {
        if self.deviation == Deviation::Free { 2 } else { 1 }
    }
}

/// What the deviation of a value depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deviation {
    /// The lags, as the mean does: places that are hard to predict pull less on the mean.
    #[default]
    Free,
    /// Nothing, as in the linear model: the likeliest mean is the one of least squared error.
    Constant,
}

/// The mean and the standard deviation by which values are made comparable before the network sees them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standardize {
    /// The mean of what was trained on.
    pub mean: f64,
    /// Its standard deviation.
    pub std: f64,
}

impl Standardize {
    /// That of a series, which is not constant.
    pub fn of(series: &[f64]) -> Self {
        let (mean, deviations) = super::ar::deviations(series);
        let variance = deviations.iter().map(|d| d * d).sum::<f64>() / series.len() as f64;
        Standardize { mean, std: variance.sqrt() }
    }

    /// `(x − mean) / std`.
    pub fn apply<T: Scalar>(&self, x: f64) -> T {
        T::of((x - self.mean) / self.std)
    }
}

/// The model. Hidden layers are `tanh(W x + b)`; the head gives μ and ln σ of the standardised value.
#[derive(Clone, Debug)]
pub struct NeuralAr<T> {
    /// Its sizes.
    pub architecture: Architecture,
    /// What it was standardised by.
    pub standardize: Standardize,
    /// The hidden layers; the first sees the lags, the latest value first.
    pub hidden: Vec<Linear<T>>,
    /// μ, and ln σ where it depends on the lags.
    pub head: Linear<T>,
    /// ln σ where it does not: one number.
    pub log_sigma: Option<Param<T>>,
}

module!(NeuralAr { hidden, head, log_sigma });

impl<T: Scalar> NeuralAr<T> {
    /// A model with random parameters.
    pub fn new(architecture: &Architecture, standardize: Standardize, stream: &mut Stream) -> Self {
        let Architecture { lags, hidden, layers, .. } = *architecture;
        let width = |layer: usize| if layer == 0 { lags } else { hidden };
        NeuralAr {
            architecture: architecture.clone(),
            standardize,
            hidden: (0..layers).map(|layer| Linear::new(width(layer), hidden, stream)).collect(),
            head: Linear::new(width(layers), architecture.outputs(), stream),
            log_sigma: (architecture.outputs() == 1).then(|| Param::new(arr1(&[T::zero()]).into_dyn())),
        }
    }

    /// μ and ln σ of standardised values.
    ///
    /// # Shapes
    /// `lags` (N, k), the latest value first → (N, 2)
    pub fn forward(&self, lags: &Tensor<T>) -> Tensor<T> {
        let features = self.hidden.iter().fold(lags.clone(), |x, layer| layer.forward(&x).tanh());
        let outputs = self.head.forward(&features);
        match &self.log_sigma {
            None => outputs,
            Some(log_sigma) => Tensor::cat(&[&outputs, &log_sigma.broadcast_to(&[lags.shape()[0], 1])], 1),
        }
    }

    /// The mean negative log-likelihood of values given their lags, in nats of the original unit:
    /// `mean [ln σ + ½ ((x − μ) / σ)²] + ½ ln 2π + ln std`.
    ///
    /// # Shapes
    /// `lags` (N, k) · `targets` (N, 1), both standardised → ()
    pub fn loss(&self, lags: &Tensor<T>, targets: &Tensor<T>) -> Tensor<T> {
        gaussian_nats(&self.forward(lags), targets).add_scalar(T::of(self.standardize.std.ln()))
    }
}

/// `mean [ln σ + ½ ((x − μ) / σ)²] + ½ ln 2π` of outputs (μ, ln σ).
///
/// # Shapes
/// `outputs` (N, 2) · `targets` (N, 1) → ()
fn gaussian_nats<T: Scalar>(outputs: &Tensor<T>, targets: &Tensor<T>) -> Tensor<T> {
    let mu = outputs.narrow(1, 0, 1);
    let log_sigma = outputs.narrow(1, 1, 1).clamp(T::of(LOG_SIGMA.0), T::of(LOG_SIGMA.1));
    let errors = &(&mu - targets) * &(-&log_sigma).exp();
    let nats = &log_sigma + &(&errors * &errors).mul_scalar(T::of(0.5));
    nats.mean().add_scalar(T::of(0.5 * TAU.ln()))
}

/// The lags of `series[t]`, standardised, the latest first; before the series begins stands the mean.
pub(super) fn lags_of<'a, T: Scalar>(
    series: &'a [f64],
    t: usize,
    architecture: &Architecture,
    standardize: &'a Standardize,
) -> impl Iterator<Item = T> + use<'a, T> {
    let Architecture { lags, stride, .. } = *architecture;
    (1..=lags).map(move |i| match t.checked_sub(i * stride) {
        Some(at) => standardize.apply(series[at]),
        None => T::zero(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::gradcheck::gradcheck;
    use autograd::nn::Module;
    use autograd::random::Streams;

    fn model(deviation: Deviation) -> NeuralAr<f64> {
        let architecture = Architecture { lags: 3, stride: 2, hidden: 5, layers: 2, deviation };
        NeuralAr::new(&architecture, Standardize { mean: 2.0, std: 3.0 }, &mut Streams::new(4).stream("init"))
    }

    fn example() -> (Tensor<f64>, Tensor<f64>) {
        let lags = Tensor::from_vec((0..12).map(|i| f64::from(i * i % 7) / 3.0 - 1.0).collect(), &[4, 3]);
        (lags, Tensor::from_vec(vec![0.3, -1.0, 0.5, 1.4], &[4, 1]))
    }

    #[test]
    fn every_parameter_gets_a_gradient_that_is_not_zero() {
        for (deviation, parameters) in [(Deviation::Free, 6), (Deviation::Constant, 7)] {
            let (model, (lags, targets)) = (model(deviation), example());
            let gradients = model.loss(&lags, &targets).backward();
            assert_eq!(model.parameters().len(), parameters);
            for (name, param) in model.parameters() {
                let g = gradients.of(param).unwrap_or_else(|| panic!("no gradient for {name}"));
                assert!(g.iter().any(|g| *g != 0.0), "the gradient of {name} is zero");
            }
        }
    }

    #[test]
    fn the_gradient_of_the_loss_is_that_of_differences() {
        let (lags, targets) = example();
        let model = model(Deviation::Free);
        let inputs = model.parameters().iter().map(|(_, p)| p.value().to_owned()).collect::<Vec<_>>();
        let loss = |x: &[Tensor<f64>]| {
            let hidden = lags.linear(&x[0], Some(&x[1])).tanh().linear(&x[2], Some(&x[3])).tanh();
            gaussian_nats(&hidden.linear(&x[4], Some(&x[5])), &targets)
        };
        let report = gradcheck("neural AR loss", loss, &inputs);
        assert!(report.passed(), "{report}");
        // The function checked is the model's own.
        let tensors: Vec<Tensor<f64>> = inputs.into_iter().map(Tensor::new).collect();
        let ours = model.loss(&lags, &targets).item();
        approx::assert_relative_eq!(loss(&tensors).item() + 3f64.ln(), ours, max_relative = 1e-13);
    }

    #[test]
    fn before_the_series_stands_the_mean_and_the_latest_value_comes_first() {
        let model = model(Deviation::Free);
        let lags = |t| lags_of::<f64>(&[5.0, 8.0, 11.0, 14.0, 17.0], t, &model.architecture, &model.standardize);
        assert_eq!(lags(0).collect::<Vec<_>>(), [0.0, 0.0, 0.0]);
        assert_eq!(lags(4).collect::<Vec<_>>(), [3.0, 1.0, 0.0]);
    }
}
