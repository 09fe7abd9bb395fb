//! A fully connected layer.

use super::{Param, init};
use crate::random::Stream;
use crate::{Scalar, Tensor, module};
use ndarray::ArrayD;

/// `z = x·wᵀ + b`. PyTorch's `nn.Linear`: weight (out, in), both drawn from U(±1/√in).
#[derive(Clone, Debug)]
pub struct Linear<T> {
    /// (out, in).
    pub weight: Param<T>,
    /// (out); a layer may do without.
    pub bias: Option<Param<T>>,
}

module!(Linear { weight, bias });

impl<T: Scalar> Linear<T> {
    /// A layer from `inputs` to `outputs` features, with bias.
    pub fn new(inputs: usize, outputs: usize, stream: &mut Stream) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        let weight = init::uniform(&[outputs, inputs], bound, stream);
        Linear { weight, bias: Some(init::uniform(&[outputs], bound, stream)) }
    }

    /// A layer without bias.
    pub fn without_bias(inputs: usize, outputs: usize, stream: &mut Stream) -> Self {
        Linear { weight: init::uniform(&[outputs, inputs], 1.0 / (inputs as f64).sqrt(), stream), bias: None }
    }

    /// A layer whose weight is drawn from N(0, deviation²), and whose bias, where it has one, is 0: as GPT-2 begins.
    pub fn normal(inputs: usize, outputs: usize, deviation: f64, bias: bool, stream: &mut Stream) -> Self {
        let bias = bias.then(|| Param::new(ArrayD::zeros(vec![outputs])));
        Linear { weight: init::normal(&[outputs, inputs], deviation, stream), bias }
    }

    /// Applies the layer to each row.
    ///
    /// # Shapes
    /// (…, in) → (…, out)
    ///
    /// # Panics
    /// If the last axis has not size `in`.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.linear(&self.weight, self.bias.as_deref())
    }
}
