//! The causal convolution over time, dilated: the layer of WaveNet.

use super::{Param, init};
use crate::ops::Convolution;
use crate::random::Stream;
use crate::{Scalar, Tensor, module};

/// A 1-D convolution that sees the present and the past: `z_t = b + Σ_k W_k·x_(t − dilation·(K − 1 − k))`. PyTorch's `nn.Conv1d` on an
/// input with `dilation·(K − 1)` zeros before it: weight (out, in, K) and bias (out), both drawn from U(±1/√(in · K)).
#[derive(Clone, Debug)]
pub struct CausalConv1d<T> {
    /// (out, in, K).
    pub weight: Param<T>,
    /// (out); a layer may do without.
    pub bias: Option<Param<T>>,
    how: Convolution,
}

module!(CausalConv1d { weight, bias });

impl<T: Scalar> CausalConv1d<T> {
    /// A layer from `inputs` to `outputs` channels, with bias.
    ///
    /// # Panics
    /// If the kernel has no place or the dilation is 0.
    #[track_caller]
    pub fn new(inputs: usize, outputs: usize, kernel: usize, dilation: usize, stream: &mut Stream) -> Self {
        assert!(kernel > 0, "causal convolution: a kernel without places");
        let bound = 1.0 / ((inputs * kernel) as f64).sqrt();
        let weight = init::uniform(&[outputs, inputs, kernel], bound, stream);
        let before = (dilation * (kernel - 1)) as isize;
        let how = Convolution::default().padded([0, 0], [before, 0]).dilated([1, dilation]);
        CausalConv1d { weight, bias: Some(init::uniform(&[outputs], bound, stream)), how }
    }

    /// The same layer without a bias.
    pub fn without_bias(self) -> Self {
        CausalConv1d { bias: None, ..self }
    }

    /// The same layer of the ReLU of its input.
    pub fn of_relu(self) -> Self {
        CausalConv1d { how: self.how.of_relu(), ..self }
    }

    /// Steps of time between the places of the kernel.
    pub fn dilation(&self) -> usize {
        self.how.dilation()[1]
    }

    /// # Shapes
    /// (B, in, T) → (B, out, T)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.conv1d(&self.weight, self.bias.as_deref(), &self.how)
    }

    /// `y + forward(x)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward_onto(&self, x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
        x.conv1d_onto(&self.weight, self.bias.as_deref(), &self.how, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;

    #[test]
    fn a_causal_layer_sees_its_dilated_past_and_nothing_else() {
        let layer = CausalConv1d::<f64>::new(1, 1, 2, 3, &mut Streams::new(1).stream("init"));
        let w: Vec<f64> = layer.weight.value().iter().copied().collect();
        let b = layer.bias.as_ref().unwrap().value()[[0]];
        let x = [2.0, 3.0, 5.0, 7.0, 11.0];
        let z = layer.forward(&Tensor::from_vec(x.to_vec(), &[1, 1, 5])).to_vec();
        for t in 0..5 {
            let past = if t < 3 { 0.0 } else { x[t - 3] };
            assert_eq!(z[t], x[t].mul_add(w[1], past.mul_add(w[0], b)), "{t}");
        }
    }

    #[test]
    fn a_layer_of_the_relu_equals_the_layer_after_a_relu_with_and_without_a_bias() {
        let layer = CausalConv1d::<f64>::new(2, 3, 2, 2, &mut Streams::new(1).stream("init"));
        let bias = Tensor::from_vec(layer.bias.as_ref().unwrap().to_vec(), &[3, 1]);
        let x = Tensor::from_vec((0..14).map(|i| f64::from(i).sin()).collect(), &[1, 2, 7]).tracked();
        for layer in [layer.clone(), layer.clone().without_bias()] {
            let (fused, composed) = (layer.clone().of_relu().forward(&x), layer.forward(&x.relu()));
            assert_eq!(fused.to_vec(), composed.to_vec());
            assert_ne!(fused.to_vec(), layer.forward(&x).to_vec());
            assert_eq!(fused.sum().backward().of(&x), composed.sum().backward().of(&x));
        }
        let with = (&layer.clone().without_bias().forward(&x) + &bias).to_vec();
        with.iter()
            .zip(layer.forward(&x).to_vec())
            .for_each(|(a, b)| approx::assert_relative_eq!(*a, b, epsilon = 1e-15));
    }
}
