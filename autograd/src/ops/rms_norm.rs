//! Root-mean-square normalization over the last axis: layer normalization without the mean and the shift.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::rms_norm;
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// `z = w ⊙ x̂` with `x̂ = x / √(mean x² + ε)` over the last axis.
    ///
    /// A row with ±∞ or NaN in it becomes NaN at least there; with ε = 0 a row of zeros is NaN, as in PyTorch.
    ///
    /// # Shapes
    /// `self` (…, C) · `weight` (C) → (…, C)
    ///
    /// # Backward
    /// With `h = g ⊙ w`: `∂x = (h − x̂·mean(h ⊙ x̂)) / √(mean x² + ε)`, `∂w = Σ g ⊙ x̂`. Saves x̂ and the inverse of the root.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// Source: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, equation 4.
    #[track_caller]
    pub fn rms_norm(&self, weight: &Tensor<T>, epsilon: T) -> Tensor<T> {
        let fits = self.rank() > 0 && weight.shape() == &self.shape()[self.rank() - 1..];
        assert!(fits, "rms_norm: input {:?}, weight {:?}", self.shape(), weight.shape());
        let c = weight.shape()[0];
        let rows = Rows::of(self.value());
        let (x, w) = (rows.flatten(self.value().clone()), weight.standard());
        let slice = |x: &crate::Value<T>| x.as_slice().expect("row-major").to_vec();
        let forward = rms_norm::forward(x.as_slice().expect("row-major"), &slice(&w), epsilon);
        let z = rows.restore(forward.output, c);
        let (x_hat, inv_rms) = (forward.x_hat, forward.inv_scale);
        Tensor::from_op("rms_norm", z, [self, weight], move |g, [dx, dw]| {
            let g = rows.flatten(g.into_shared());
            let g = g.as_slice().expect("row-major");
            dx.add(|| rows.restore(rms_norm::backward_input(g, &x_hat, &inv_rms, &slice(&w)), c));
            dw.write(|dw, store| rms_norm::backward_weight(g, &x_hat, store, dw));
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let norm = |x: &[Tensor<f64>]| x[0].rms_norm(&x[1], 1e-5);
    vec![
        Case::new("rms_norm", &[real(&[3, 4]), real(&[4])], norm),
        Case::new("rms_norm", &[real(&[2, 2, 3]), real(&[3])], norm).variant("rank 3"),
        Case::new("rms_norm", &[real(&[3]), real(&[3])], norm).variant("one row"),
        Case::new("rms_norm", &[real(&[0, 3]), real(&[3])], norm).variant("no row"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fused_norm_equals_the_composed_form_in_value_and_every_gradient() {
        let mut stream = crate::random::Streams::new(2).stream("norm");
        let mut draw = |shape: &[usize]| Tensor::<f64>::randn(shape, &mut stream).tracked();
        let (x, w, seed) = (draw(&[4, 5, 7]).transpose(0, 1).detach().tracked(), draw(&[7]), draw(&[5, 4, 7]));
        let fused = x.rms_norm(&w, 1e-3);
        let composed = &(&x / &((&x * &x).mean_keepdim(&[-1]) + 1e-3).sqrt()) * &w;
        let close = |a: &ndarray::ArrayD<f64>, b: &ndarray::ArrayD<f64>| {
            a.iter()
                .zip(b)
                .for_each(|(a, b)| approx::assert_relative_eq!(*a, *b, epsilon = 1e-13, max_relative = 1e-12));
        };
        close(&fused.value().to_owned(), &composed.value().to_owned());
        let (a, b) = (fused.backward_with(seed.value().to_owned()), composed.backward_with(seed.value().to_owned()));
        [&x, &w].iter().for_each(|leaf| close(a.of(leaf).unwrap(), b.of(leaf).unwrap()));
    }

    #[test]
    fn what_is_not_finite_makes_nan_of_its_row_alone() {
        let x = Tensor::from_vec(vec![f64::INFINITY, 1.0, 3.0, 4.0, f64::NAN, 1.0, 0.0, 0.0], &[4, 2]);
        let z = x.rms_norm(&Tensor::ones(&[2]), 0.0).to_vec();
        assert!(z[0].is_nan() && z[1] == 0.0 && z[4..].iter().all(|z| z.is_nan()));
        let root = 12.5f64.sqrt();
        assert!((z[2] - 3.0 / root).abs() < 1e-15 && (z[3] - 4.0 / root).abs() < 1e-15);
    }

    #[test]
    #[should_panic(expected = "rms_norm: input [2, 3], weight [2]")]
    fn a_weight_that_does_not_fit_is_named() {
        Tensor::<f32>::zeros(&[2, 3]).rms_norm(&Tensor::ones(&[2]), 0.0);
    }
}
