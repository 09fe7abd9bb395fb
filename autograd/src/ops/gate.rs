//! The gated activation of PixelCNN and WaveNet.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::gate;
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// `z = tanh a ⊙ σ(b)`, where a is the first half of the channels (axis 1) and b the second. Consumes its input, whose memory it
    /// writes over where nothing else shares it.
    ///
    /// # Shapes
    /// `self` (B, 2C, …) → (B, C, …); channels innermost in memory.
    ///
    /// # Backward
    /// `∂a = g ⊙ σ(b) ⊙ (1 − tanh² a)`, `∂b = g ⊙ tanh a ⊙ σ(b) ⊙ (1 − σ(b))`. Saves `tanh a` and `σ(b)`.
    ///
    /// # Panics
    /// If there is no axis 1 of even size.
    ///
    /// Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", 2016, equation 1.
    #[track_caller]
    pub fn gated_tanh(self) -> Tensor<T> {
        let shape = self.shape().to_vec();
        let fits = shape.len() >= 2 && shape[1].is_multiple_of(2);
        assert!(fits, "gated_tanh: axis 1 of {shape:?} is not two halves");
        let channels = shape[1] / 2;
        let (value, x) = self.into_parts();
        // Channels last, the other axes in their order; and back.
        let mut last: Vec<usize> = (0..shape.len()).collect();
        last[1..].rotate_left(1);
        let mut back: Vec<usize> = (0..shape.len()).collect();
        back[1..].rotate_right(1);
        let value = value.permuted_axes(last.as_slice());
        let rows = Rows::of(&value);
        let mut saved = rows.buffer(value);
        let z = rows.restore(gate::forward(&mut saved, channels), channels).permuted_axes(back.as_slice());
        Tensor::from_op("gated_tanh", z, [&x], move |g, [dx]| {
            dx.add(|| {
                let g = rows.flatten(g.into_shared().permuted_axes(last.as_slice()));
                let mut dx = saved;
                gate::backward(g.as_slice().expect("row-major"), &mut dx, channels);
                rows.restore(dx, 2 * channels).permuted_axes(back.as_slice())
            });
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |x: &[usize]| Case::new("gated_tanh", &[real(x)], |x| x[0].clone().gated_tanh());
    let last = Case::new("gated_tanh", &[real(&[2, 3, 4])], |x| x[0].permute(&[0, 2, 1]).gated_tanh());
    vec![
        case(&[2, 4]),
        case(&[2, 6, 2, 2]).variant("an image"),
        last.variant("channels innermost"),
        case(&[1, 0, 3]).variant("no channel"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fused_equals_composed_in_value_and_gradient() {
        let x = Tensor::from_vec((0..24).map(|i| (f64::from(i) * 0.7).sin() * 3.0).collect(), &[2, 4, 3]).tracked();
        let composed = &x.narrow(1, 0, 2).tanh() * &x.narrow(1, 2, 2).sigmoid();
        let fused = x.clone().gated_tanh();
        assert_eq!(fused.to_vec(), composed.to_vec());
        let seed = composed.value().mapv(|z| z + 0.3);
        let fused = fused.backward_with(seed.to_owned());
        let composed = composed.backward_with(seed.to_owned());
        let pairs = fused.of(&x).unwrap().iter().zip(composed.of(&x).unwrap());
        pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-15, "{a} {b}"));
    }
}
