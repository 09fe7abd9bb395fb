//! Layer normalization with a learned scale and shift.

use super::Param;
use crate::{Scalar, Tensor, module};
use ndarray::ArrayD;

/// `z = w ⊙ (x − mean x) / √(var x + ε) + b` over the last axis. PyTorch's `nn.LayerNorm`: w = 1, b = 0, ε = 10⁻⁵.
#[derive(Clone, Debug)]
pub struct LayerNorm<T> {
    /// (C).
    pub weight: Param<T>,
    /// (C); a layer may do without.
    pub bias: Option<Param<T>>,
    /// Added to the variance.
    pub epsilon: T,
}

module!(LayerNorm { weight, bias });

impl<T: Scalar> LayerNorm<T> {
    /// A layer for rows of length `channels`.
    pub fn new(channels: usize) -> Self {
        let weight = Param::new(ArrayD::ones(vec![channels]));
        LayerNorm { weight, bias: Some(Param::new(ArrayD::zeros(vec![channels]))), epsilon: T::of(1e-5) }
    }

    /// The same layer without a shift.
    pub fn without_bias(self) -> Self {
        LayerNorm { bias: None, ..self }
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
        match &self.bias {
            Some(bias) => x.layer_norm(&self.weight, bias, self.epsilon),
            None => x.layer_norm(&self.weight, &Tensor::zeros(self.weight.shape()), self.epsilon),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_bias_a_row_has_the_mean_zero_whatever_the_bias_was() {
        let mut layer = LayerNorm::<f64>::new(3);
        layer.bias.as_mut().unwrap().values_mut().fill(5.0);
        let x = Tensor::from_vec(vec![1.0, 2.0, 6.0], &[1, 3]);
        approx::assert_relative_eq!(layer.forward(&x).mean().item(), 5.0, epsilon = 1e-12);
        approx::assert_relative_eq!(layer.without_bias().forward(&x).mean().item(), 0.0, epsilon = 1e-12);
    }
}
