//! Softmax and log-softmax over the last axis.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::softmax;
use crate::{Scalar, Tensor};
use ndarray::ArrayD;

impl<T: Scalar> Tensor<T> {
    /// `z = exp(x − max x) / Σ exp(x − max x)` over the last axis. `∂x = z ⊙ (g − ⟨g, z⟩)`. Saves z (shared).
    ///
    /// −∞ is allowed and gets probability 0; a lane of nothing but −∞ gives NaN, as in PyTorch.
    ///
    /// # Panics
    /// If the rank is 0.
    #[track_caller]
    pub fn softmax(&self) -> Tensor<T> {
        self.over_rows("softmax", softmax::softmax, softmax::softmax_backward)
    }

    /// `z = x − max x − ln Σ exp(x − max x)` over the last axis. `∂x = g − exp(z)·Σ g`. Saves z (shared).
    ///
    /// # Panics
    /// If the rank is 0.
    #[track_caller]
    pub fn log_softmax(&self) -> Tensor<T> {
        self.over_rows("log_softmax", softmax::log_softmax, softmax::log_softmax_backward)
    }

    /// A function of each lane along the last axis, in place, whose backward is a function of its output, in g's place.
    #[track_caller]
    fn over_rows(
        &self,
        op: &'static str,
        forward: fn(&mut [T], usize),
        backward: fn(&[T], &mut [T], usize),
    ) -> Tensor<T> {
        assert!(self.rank() > 0, "{op}: of a tensor of rank 0");
        let rows = Rows::of(self.value());
        let columns = self.shape()[self.rank() - 1];
        let mut z = rows.buffer(self.value().clone());
        forward(&mut z, columns);
        let z: ArrayD<T> = rows.restore(z, columns);
        let z = z.into_shared();
        let saved = z.clone();
        Tensor::from_op(op, z, [self], move |g, [dx]| {
            dx.add(|| {
                let z = rows.flatten(saved);
                let mut d = rows.buffer(g.into_shared());
                backward(z.as_slice().expect("row-major"), &mut d, columns);
                rows.restore(d, columns)
            });
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape in [&[2, 3][..], &[4], &[2, 1], &[0, 3], &[2, 2, 2]] {
        let named = |case: Case| case.variant(format!("{shape:?}"));
        cases.push(named(Case::new("softmax", &[real(shape)], |x| x[0].softmax())));
        cases.push(named(Case::new("log_softmax", &[real(shape)], |x| x[0].log_softmax())));
    }
    cases
}
