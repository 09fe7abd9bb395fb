//! The gated activation of PixelCNN and WaveNet.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::gate;
use crate::kernels::reduce::column_sums;
use crate::{Scalar, Tensor, passes};

impl<T: Scalar> Tensor<T> {
    /// `z = tanh(a + a_s) ⊙ σ(b + b_s)`, where a is the first half of the channels (axis 1) and b the second, and `(a_s, b_s)` what an
    /// example is conditioned on, the same at all its positions; 0 where nothing is given. Consumes its input, whose memory it writes
    /// over where nothing else shares it.
    ///
    /// # Shapes
    /// `self` (B, 2C, …) · `condition` (B, 2C) → (B, C, …); channels innermost in memory.
    ///
    /// # Backward
    /// With t the tanh and s the σ: `∂a = g ⊙ s ⊙ (1 − t²)`, `∂b = g ⊙ t ⊙ s ⊙ (1 − s)`; that of the condition is their sum over positions.
    /// Saves t and s.
    ///
    /// # Panics
    /// If there is no axis 1 of even size, or the condition is not one for each example.
    ///
    /// Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", 2016, equations 2 and 4.
    #[track_caller]
    pub fn gated_tanh(self, condition: Option<&Tensor<T>>) -> Tensor<T> {
        let shape = self.shape().to_vec();
        let fits = shape.len() >= 2 && shape[1].is_multiple_of(2);
        assert!(fits, "gated_tanh: axis 1 of {shape:?} is not two halves");
        let fits = condition.is_none_or(|condition| condition.shape() == &shape[..2]);
        assert!(fits, "gated_tanh: input {shape:?}, condition {:?}", condition.map(Tensor::shape));
        let (examples, channels) = (shape[0], shape[1] / 2);
        let (value, x) = self.into_parts();
        // Channels last, the other axes in their order; and back.
        let mut last: Vec<usize> = (0..shape.len()).collect();
        last[1..].rotate_left(1);
        let mut back: Vec<usize> = (0..shape.len()).collect();
        back[1..].rotate_right(1);
        // Rows in row-major order of the other axes: those of an example side by side.
        let value = passes::standard(&value.permuted_axes(last.as_slice()));
        let rows = Rows::of(&value);
        let mut saved = rows.buffer(value);
        let s = condition.filter(|_| examples > 0).map(Tensor::standard);
        let s = s.as_ref().map(|s| s.as_slice().expect("row-major"));
        let z = rows.restore(gate::forward(&mut saved, s, channels), channels).permuted_axes(back.as_slice());
        let untracked = Tensor::zeros(&[examples, 2 * channels]);
        Tensor::from_op("gated_tanh", z, [&x, condition.unwrap_or(&untracked)], move |g, [dx, ds]| {
            let g = passes::standard(&g.into_shared().permuted_axes(last.as_slice()));
            let mut gradient = saved;
            gate::backward(g.as_slice().expect("row-major"), &mut gradient, channels);
            ds.write(|ds, store| {
                let each = gradient.len() / examples.max(1);
                for (gradient, ds) in gradient.chunks_exact(each.max(1)).zip(ds.chunks_exact_mut((2 * channels).max(1)))
                {
                    column_sums(gradient, store, ds);
                }
            });
            dx.add(|| rows.restore(gradient, 2 * channels).permuted_axes(back.as_slice()));
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |x: &[usize]| Case::new("gated_tanh", &[real(x)], |x| x[0].clone().gated_tanh(None));
    let last = Case::new("gated_tanh", &[real(&[2, 3, 4])], |x| x[0].permute(&[0, 2, 1]).gated_tanh(None));
    let conditioned =
        Case::new("gated_tanh", &[real(&[2, 4, 3]), real(&[2, 4])], |x| x[0].clone().gated_tanh(Some(&x[1])));
    vec![
        conditioned.variant("conditioned"),
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
        let fused = x.clone().gated_tanh(None);
        assert_eq!(fused.to_vec(), composed.to_vec());
        let seed = composed.value().mapv(|z| z + 0.3);
        let fused = fused.backward_with(seed.to_owned());
        let composed = composed.backward_with(seed.to_owned());
        let pairs = fused.of(&x).unwrap().iter().zip(composed.of(&x).unwrap());
        pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-15, "{a} {b}"));
    }
}
