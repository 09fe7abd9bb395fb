//! A layer norm ready for rows as a decoder has them.

use autograd::Scalar;
use autograd::kernels::layer_norm;
use autograd::nn::LayerNorm;

/// Weights and biases of a [`LayerNorm`]; zeros where it has none.
pub(super) struct Norm<T> {
    weight: Vec<T>,
    pub bias: Vec<T>,
    epsilon: T,
}

impl<T: Scalar> Norm<T> {
    pub fn new(norm: &LayerNorm<T>) -> Self {
        let weight = norm.weight.values().to_vec();
        let bias = norm.bias.as_ref().map_or_else(|| vec![T::zero(); weight.len()], |bias| bias.values().to_vec());
        Norm { weight, bias, epsilon: norm.epsilon }
    }

    /// Each row normalized, into memory that is there.
    pub fn rows(&self, x: &[T], z: &mut Vec<T>) {
        let width = self.weight.len();
        z.resize(x.len(), T::zero());
        for (x, z) in x.chunks_exact(width).zip(z.chunks_exact_mut(width)) {
            layer_norm::row(x, &self.weight, &self.bias, self.epsilon, z);
        }
    }
}
