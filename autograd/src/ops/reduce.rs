//! Sums and means over axes. Maxima are in `extremum.rs`, variances in `statistics.rs`.

use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor, shape};
use ndarray::{ArrayD, Axis};

/// `x` with the given axes (from the front, ascending) removed.
pub(super) fn without(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).collect()
}

/// `g` with axes of size 1 put back where a reduction removed them.
fn restore<T: Scalar>(mut g: ArrayD<T>, axes: &[usize]) -> ArrayD<T> {
    for &axis in axes {
        g = g.insert_axis(Axis(axis));
    }
    g
}

/// The axes counted from the front, ascending.
///
/// # Panics
/// If one does not exist or is named twice.
#[track_caller]
pub(super) fn sorted_axes(op: &str, axes: &[isize], rank: usize) -> Vec<usize> {
    let mut sorted: Vec<usize> = axes.iter().map(|&axis| shape::axis(op, axis, rank)).collect();
    sorted.sort_unstable();
    assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]), "{op}: axes {axes:?} name one axis twice");
    sorted
}

impl<T: Scalar> Tensor<T> {
    /// `z = Σ x` over all elements, of rank 0. `∂x = g`, broadcast.
    #[track_caller]
    pub fn sum(&self) -> Tensor<T> {
        self.sum_axes(&(0..self.rank() as isize).collect::<Vec<_>>())
    }

    /// `z = Σ x` over the given axes, which are removed. `∂x = g`, broadcast.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: &[isize]) -> Tensor<T> {
        let axes = sorted_axes("sum", axes, self.rank());
        let mut z = self.value().to_owned();
        if axes.len() == self.rank() {
            z = ArrayD::from_elem(Vec::new(), z.sum());
        } else {
            for &axis in axes.iter().rev() {
                z = z.sum_axis(Axis(axis));
            }
        }
        let shape = self.shape().to_vec();
        Tensor::from_op("sum", z, [self], move |g, [dx]| {
            dx.add(|| restore(g, &axes).broadcast(shape).expect("g broadcasts back").to_owned());
        })
    }

    /// `z = mean x` over all elements, of rank 0. `∂x = g / n`, broadcast.
    #[track_caller]
    pub fn mean(&self) -> Tensor<T> {
        let n = T::of(self.value().len() as f64);
        self.sum().mul_scalar(n.recip())
    }

    /// `z = mean x` over the given axes, which are removed.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_axes(&self, axes: &[isize]) -> Tensor<T> {
        let n: usize = sorted_axes("mean", axes, self.rank()).iter().map(|&axis| self.shape()[axis]).product();
        self.sum_axes(axes).mul_scalar(T::of(n as f64).recip())
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("sum", &[real(&[2, 3])], |x| x[0].sum()),
        Case::new("sum", &[real(&[2, 3, 2])], |x| x[0].sum_axes(&[0, -1])).variant("axes 0 and −1"),
        Case::new("sum", &[real(&[2, 1])], |x| x[0].sum_axes(&[1])).variant("axis of size 1"),
        Case::new("sum", &[real(&[0, 2])], |x| x[0].sum_axes(&[0])).variant("axis of size 0"),
        Case::new("sum", &[real(&[])], |x| x[0].sum()).variant("rank 0"),
        Case::new("sum", &[real(&[2, 3])], |x| x[0].mean()).variant("mean"),
        Case::new("sum", &[real(&[2, 3])], |x| x[0].mean_axes(&[-1])).variant("mean over an axis"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_nothing_is_nan_as_in_numpy() {
        assert!(Tensor::<f64>::zeros(&[0]).mean().item().is_nan());
    }

    #[test]
    #[should_panic(expected = "sum: axes [0, -2] name one axis twice")]
    fn an_axis_named_twice_is_refused() {
        Tensor::<f64>::zeros(&[2, 2]).sum_axes(&[0, -2]);
    }
}
