//! The reductions that keep their axes, with size 1, so that the result broadcasts against what was reduced: PyTorch's `keepdim=True`. What each
//! computes, and the gradient, is said at the reduction of the same name.

use super::reduce::sorted_axes;
use crate::gradcheck::{Case, distinct, real};
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// [`Tensor::sum_axes`] with the axes kept.
    ///
    /// # Panics
    /// As the reduction.
    #[track_caller]
    pub fn sum_keepdim(&self, axes: &[isize]) -> Tensor<T> {
        self.with_axes_kept(axes, self.sum_axes(axes))
    }

    /// [`Tensor::mean_axes`] with the axes kept.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from_vec(vec![1.0, 3.0, 10.0, 20.0], &[2, 2]);
    /// let centred = &x - &x.mean_keepdim(&[-1]);
    /// assert_eq!(centred.to_vec(), [-1.0, 1.0, -5.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// As the reduction.
    #[track_caller]
    pub fn mean_keepdim(&self, axes: &[isize]) -> Tensor<T> {
        self.with_axes_kept(axes, self.mean_axes(axes))
    }

    /// [`Tensor::max_axis`] with the axis kept.
    ///
    /// # Panics
    /// As the reduction.
    #[track_caller]
    pub fn max_keepdim(&self, axis: isize) -> Tensor<T> {
        self.with_axes_kept(&[axis], self.max_axis(axis))
    }

    /// [`Tensor::min_axis`] with the axis kept.
    ///
    /// # Panics
    /// As the reduction.
    #[track_caller]
    pub fn min_keepdim(&self, axis: isize) -> Tensor<T> {
        self.with_axes_kept(&[axis], self.min_axis(axis))
    }

    /// [`Tensor::var`] with the axes kept.
    ///
    /// # Panics
    /// As the reduction.
    #[track_caller]
    pub fn var_keepdim(&self, axes: &[isize], correction: usize) -> Tensor<T> {
        self.with_axes_kept(axes, self.var(axes, correction))
    }

    /// [`Tensor::std`] with the axes kept.
    ///
    /// # Panics
    /// As the reduction.
    #[track_caller]
    pub fn std_keepdim(&self, axes: &[isize], correction: usize) -> Tensor<T> {
        self.with_axes_kept(axes, self.std(axes, correction))
    }

    /// [`Tensor::logsumexp`] with the axes kept.
    ///
    /// # Panics
    /// As the reduction.
    #[track_caller]
    pub fn logsumexp_keepdim(&self, axes: &[isize]) -> Tensor<T> {
        self.with_axes_kept(axes, self.logsumexp(axes))
    }

    #[track_caller]
    fn with_axes_kept(&self, axes: &[isize], reduced: Tensor<T>) -> Tensor<T> {
        let mut shape = self.shape().to_vec();
        for axis in sorted_axes("keepdim", axes, self.rank()) {
            shape[axis] = 1;
        }
        reduced.reshape(&shape)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let rescaled = |x: &[Tensor<f64>]| &(&x[0] - &x[0].mean_keepdim(&[1])) / &x[0].std_keepdim(&[1], 0);
    let ranged = |x: &[Tensor<f64>]| &x[0].max_keepdim(0) - &x[0].min_keepdim(0);
    vec![
        Case::new("sum", &[real(&[2, 3, 2])], |x| &x[0] * &x[0].sum_keepdim(&[0, -1])).variant("keepdim"),
        Case::new("std", &[real(&[2, 4])], rescaled).variant("keepdim, with the mean's"),
        Case::new("var", &[real(&[2, 3])], |x| &x[0] * &x[0].var_keepdim(&[-1], 1)).variant("keepdim"),
        Case::new("max", &[distinct(&[3, 2])], ranged).variant("keepdim, with min's"),
        Case::new("logsumexp", &[real(&[2, 3])], |x| &x[0] - &x[0].logsumexp_keepdim(&[0])).variant("keepdim"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reduction_gives_the_same_numbers_with_its_axes_kept() {
        let x = Tensor::from_vec((0..24).map(|i| f64::from(i * i % 17)).collect(), &[2, 3, 4]);
        let check = |kept: Tensor<f64>, reduced: Tensor<f64>, shape: &[usize]| {
            assert_eq!((kept.shape(), kept.to_vec()), (shape, reduced.to_vec()));
        };
        check(x.sum_keepdim(&[0, -1]), x.sum_axes(&[0, -1]), &[1, 3, 1]);
        check(x.mean_keepdim(&[1]), x.mean_axes(&[1]), &[2, 1, 4]);
        check(x.max_keepdim(-1), x.max_axis(-1), &[2, 3, 1]);
        check(x.min_keepdim(0), x.min_axis(0), &[1, 3, 4]);
        check(x.var_keepdim(&[0, 1, 2], 1), x.var(&[0, 1, 2], 1), &[1, 1, 1]);
        check(x.std_keepdim(&[2], 0), x.std(&[2], 0), &[2, 3, 1]);
        check(x.logsumexp_keepdim(&[1, 2]), x.logsumexp(&[1, 2]), &[2, 1, 1]);
    }
}
