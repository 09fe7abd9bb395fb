//! Layer normalization with a learned scale and shift.

use super::Param;
use crate::{Scalar, Tensor, module};
use ndarray::ArrayD;

/// `z = w ⊙ (x − mean x) / √(var x + ε) + b` over the last axis. PyTorch's `nn.LayerNorm`: w = 1, b = 0, ε = 10⁻⁵.
#[derive(Clone, Debug)]
pub struct LayerNorm<T> {
    /// (C).
    pub weight: Param<T>,
    /// (C).
    pub bias: Param<T>,
    /// Added to the variance.
    pub epsilon: T,
}

module!(LayerNorm { weight, bias });

impl<T: Scalar> LayerNorm<T> {
    /// A layer for rows of length `channels`.
    pub fn new(channels: usize) -> Self {
        let weight = Param::new(ArrayD::ones(vec![channels]));
        LayerNorm { weight, bias: Param::new(ArrayD::zeros(vec![channels])), epsilon: T::of(1e-5) }
    }

    /// Normalizes each row.
    ///
    /// # Shapes
    /// (…, C) → (…, C)
    ///
    /// # Panics
    /// If the last axis has not size C.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.layer_norm(&self.weight, &self.bias, self.epsilon)
    }
}
