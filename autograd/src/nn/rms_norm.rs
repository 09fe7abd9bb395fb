//! Root-mean-square normalization with a learned scale.

use super::Param;
use crate::{Scalar, Tensor, module};
use ndarray::ArrayD;

/// `z = w ⊙ x / √(mean x² + ε)` over the last axis. PyTorch's `nn.RMSNorm`: w = 1; ε is the distance from 1 to the next number (`finfo.eps`),
/// 2⁻²³ in `f32`. LLaMA's ε is 10⁻⁵ or 10⁻⁶: set the field.
#[derive(Clone, Debug)]
pub struct RmsNorm<T> {
    /// (C).
    pub weight: Param<T>,
    /// Added to the mean square.
    pub epsilon: T,
}

module!(RmsNorm { weight });

impl<T: Scalar> RmsNorm<T> {
    /// A layer for rows of length `channels`.
    pub fn new(channels: usize) -> Self {
        RmsNorm { weight: Param::new(ArrayD::ones(vec![channels])), epsilon: T::epsilon() }
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
        x.rms_norm(&self.weight, self.epsilon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Module;

    #[test]
    fn it_begins_as_pytorchs_and_gives_rows_of_mean_square_one() {
        let norm = RmsNorm::<f32>::new(4);
        let names: Vec<String> = norm.parameters().into_iter().map(|(name, _)| name).collect();
        assert_eq!((names, norm.epsilon), (vec!["weight".to_owned()], f32::powi(2.0, -23)));
        let z = norm.forward(&Tensor::from_vec(vec![1.0, -2.0, 3.0, -4.0], &[1, 4]));
        approx::assert_relative_eq!((&z * &z).mean().item(), 1.0, max_relative = 1e-6);
    }
}
