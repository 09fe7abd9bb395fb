//! Sums and means over axes. Maxima are in `extremum.rs`, variances in `statistics.rs`.
//!
//! Sums and means are added up in double precision over all their axes, in an order that the shape alone gives, and rounded once: of
//! `f32` the error is below `4.01·2⁻²⁴·Σ|x|`, however many there are (see [`reduce`](crate::kernels::reduce)).

use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor, passes, shape};
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
        self.add_up("sum", (0..self.rank()).collect(), 1.0)
    }

    /// `z = Σ x` over the given axes, which are removed. `∂x = g`, broadcast.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: &[isize]) -> Tensor<T> {
        self.add_up("sum", sorted_axes("sum", axes, self.rank()), 1.0)
    }

    /// `z = mean x` over all elements, of rank 0; NaN of none. `∂x = g / n`, broadcast. A sum beyond the largest number does no harm.
    #[track_caller]
    pub fn mean(&self) -> Tensor<T> {
        self.add_up("mean", (0..self.rank()).collect(), self.value().len() as f64)
    }

    /// `z = mean x` over the given axes, which are removed. `∂x = g / n`, broadcast.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_axes(&self, axes: &[isize]) -> Tensor<T> {
        let axes = sorted_axes("mean", axes, self.rank());
        let n = axes.iter().map(|&axis| self.shape()[axis] as f64).product();
        self.add_up("mean", axes, n)
    }

    /// `z = Σ x / n` over axes from the front, ascending.
    #[track_caller]
    fn add_up(&self, op: &'static str, axes: Vec<usize>, n: f64) -> Tensor<T> {
        let sums = shape::sum_axes(self.value(), &axes).into_iter().map(|sum| T::of(sum / n)).collect();
        let z = ArrayD::from_shape_vec(without(self.shape(), &axes), sums).expect("a sum for each position");
        let shape = self.shape().to_vec();
        Tensor::from_op(op, z, [self], move |g, [dx]| {
            let share = move |g: T| T::of(g.as_f64() / n);
            dx.add(|| passes::copy(&restore(g.mapv_into(share), &axes).broadcast(shape).expect("g broadcasts back")));
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("sum", &[real(&[2, 3])], |x| x[0].sum()),
        Case::new("sum", &[real(&[2, 3, 2])], |x| x[0].sum_axes(&[0, -1])).variant("axes 0 and −1"),
        Case::new("sum", &[real(&[2, 1])], |x| x[0].sum_axes(&[1])).variant("axis of size 1"),
        Case::new("sum", &[real(&[0, 2])], |x| x[0].sum_axes(&[0])).variant("axis of size 0"),
        Case::new("sum", &[real(&[])], |x| x[0].sum()).variant("rank 0"),
        Case::new("sum", &[real(&[2, 3, 2, 2])], |x| x[0].sum_axes(&[3, 1])).variant("axes 1 and 3"),
        Case::new("mean", &[real(&[2, 3])], |x| x[0].mean()),
        Case::new("mean", &[real(&[2, 3])], |x| x[0].mean_axes(&[-1])).variant("over an axis"),
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
    fn long_sums_means_and_gradients_of_repeated_operands_are_right_to_a_few_units_in_the_last_place() {
        let close = |got: f32, exact: f64| (f64::from(got) - exact).abs() <= 4.01 * 0.5f64.powi(24) * exact.abs();
        let n = 20_000_000;
        let ones = Tensor::<f32>::ones(&[n]);
        assert_eq!((ones.sum().item(), ones.mean().item()), (n as f32, 1.0));
        let tenth = f64::from(0.1f32);
        for (shape, axes, count) in [
            (&[1_000_000][..], &[0][..], 1e6),
            (&[2, 1_000_000], &[1], 1e6),
            (&[1_000_000, 3], &[0], 1e6),
            (&[2, 300_000, 3], &[1], 3e5),
            (&[1000, 3, 1000], &[0, 2], 1e6),
            (&[4, 3, 50, 1000], &[0, 2, 3], 2e5),
        ] {
            let x = Tensor::full(shape, 0.1f32);
            assert!(x.sum_axes(axes).to_vec().iter().all(|&z| close(z, tenth * count)), "{shape:?} over {axes:?}");
            assert!(x.mean_axes(axes).to_vec().iter().all(|&z| close(z, tenth)), "mean of {shape:?} over {axes:?}");
            let y = x.transpose(0, -1);
            let turned: Vec<isize> = (0..shape.len() as isize).map(|axis| shape.len() as isize - 1 - axis).collect();
            if shape.len() == 2 {
                let axes: Vec<isize> = axes.iter().map(|&axis| turned[axis as usize]).collect();
                assert!(y.sum_axes(&axes).to_vec().iter().all(|&z| close(z, tenth * count)), "{shape:?} transposed");
            }
        }
        let bias = Tensor::<f32>::zeros(&[3]).tracked();
        let g = (&Tensor::full(&[1_000_000, 3], 0.1) * &(&Tensor::zeros(&[1_000_000, 3]) + &bias)).sum().backward();
        assert!(g.of(&bias).unwrap().iter().all(|&g| close(g, tenth * 1e6)));
    }

    #[test]
    fn a_mean_does_not_overflow_and_a_sum_does_not_depend_on_the_layout() {
        assert_eq!(Tensor::full(&[4], 3e38f32).mean().item(), 3e38);
        let x = Tensor::from_vec((0..6000).map(|i| (i as f32 * 0.7).sin()).collect(), &[20, 100, 3]);
        let same = Tensor::from_vec(x.transpose(0, 2).to_vec(), &[3, 100, 20]);
        for axes in [&[0][..], &[1], &[2], &[0, 2], &[0, 1, 2]] {
            assert_eq!(x.transpose(0, 2).sum_axes(axes).to_vec(), same.sum_axes(axes).to_vec());
        }
    }

    #[test]
    #[should_panic(expected = "sum: axes [0, -2] name one axis twice")]
    fn an_axis_named_twice_is_refused() {
        Tensor::<f64>::zeros(&[2, 2]).sum_axes(&[0, -2]);
    }
}
