//! Layer normalization over the last axis.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::layer_norm;
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// `z = w ⊙ x̂ + b` with `x̂ = (x − mean x) / √(var x + ε)` over the last axis, the variance biased.
    ///
    /// # Shapes
    /// `self` (…, C) · `weight` (C) · `bias` (C) → (…, C)
    ///
    /// # Backward
    /// With `h = g ⊙ w`: `∂x = (h − mean h − x̂·mean(h ⊙ x̂)) / σ`, `∂w = Σ g ⊙ x̂`, `∂b = Σ g`. Saves x̂ and 1/σ.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// Source: Ba, Kiros & Hinton, "Layer Normalization", 2016, equation 4.
    #[track_caller]
    pub fn layer_norm(&self, weight: &Tensor<T>, bias: &Tensor<T>, epsilon: T) -> Tensor<T> {
        let c = *self.shape().last().expect("layer_norm: of a tensor of rank 0");
        let fits = weight.shape() == [c] && bias.shape() == [c];
        assert!(fits, "layer_norm: input {:?}, weight {:?}, bias {:?}", self.shape(), weight.shape(), bias.shape());
        let rows = Rows::of(self.value());
        let x = rows.flatten(self.value().clone());
        let (w, b) = (weight.standard(), bias.standard());
        let slice = |x: &crate::tensor::Value<T>| x.as_slice().expect("row-major").to_vec();
        let forward = layer_norm::forward(x.as_slice().expect("row-major"), &slice(&w), &slice(&b), epsilon);
        let z = rows.restore(forward.output, c);
        let (x_hat, inv_std) = (forward.x_hat, forward.inv_scale);
        Tensor::from_op("layer_norm", z, [self, weight, bias], move |g, [dx, dw, db]| {
            let g = rows.flatten(g.into_shared());
            let g = g.as_slice().expect("row-major");
            dx.add(|| rows.restore(layer_norm::backward_input(g, &x_hat, &inv_std, &slice(&w)), c));
            dw.write(|dw, store| layer_norm::backward_weight(g, &x_hat, store, dw));
            db.write(|db, store| crate::kernels::reduce::column_sums(g, store, db));
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let norm = |x: &[Tensor<f64>]| x[0].layer_norm(&x[1], &x[2], 1e-5);
    vec![
        Case::new("layer_norm", &[real(&[3, 4]), real(&[4]), real(&[4])], norm),
        Case::new("layer_norm", &[real(&[2, 2, 3]), real(&[3]), real(&[3])], norm).variant("rank 3"),
        Case::new("layer_norm", &[real(&[0, 3]), real(&[3]), real(&[3])], norm).variant("no row"),
    ]
}
