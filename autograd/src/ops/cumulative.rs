//! Running sums along an axis.

use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor, shape};
use ndarray::{ArrayD, ArrayViewMut1, Axis};

/// Each element replaced by the sum up to it, in the order of `elements`.
///
/// The sum is carried in double precision and rounded for each element: an `f32` output is within 1/2 ULP of the sum that f64 gives,
/// and an output of n summands in f64 within `n·2⁻⁵³·Σ|x|` of the exact one.
fn accumulate<'a, T: Scalar>(elements: impl Iterator<Item = &'a mut T>) {
    let mut sum = 0.0;
    for x in elements {
        sum += x.as_f64();
        *x = T::of(sum);
    }
}

/// `f` of each lane of `x` along an axis.
fn each_lane<T: Scalar>(mut x: ArrayD<T>, axis: Axis, f: impl Fn(ArrayViewMut1<T>)) -> ArrayD<T> {
    x.lanes_mut(axis).into_iter().for_each(f);
    x
}

impl<T: Scalar> Tensor<T> {
    /// `z_i = Σ x_j` over `j ≤ i` along one axis, in order, carried in double precision (an `f32` is rounded once).
    ///
    /// +∞ and −∞ stay in all later sums, and both together are NaN from there on; NaN stays.
    ///
    /// # Backward
    /// `∂x_j = Σ g_i` over `i ≥ j`: the running sum from the end. Saves nothing.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Tensor<T> {
        let axis = Axis(shape::axis("cumsum", axis, self.rank()));
        let z = each_lane(self.value().to_owned(), axis, |mut lane| accumulate(lane.iter_mut()));
        Tensor::from_op("cumsum", z, [self], move |g, [dx]| {
            dx.add(|| each_lane(g, axis, |mut lane| accumulate(lane.iter_mut().rev())));
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, axis) in [(&[2, 3][..], 1), (&[2, 3], 0), (&[2, 3, 2], -2), (&[4], 0), (&[2, 1], 1), (&[0, 2], 0)] {
        let case = Case::new("cumsum", &[real(shape)], move |x| x[0].cumsum(axis));
        cases.push(case.variant(format!("axis {axis} of {shape:?}")));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    #[test]
    fn sums_run_along_the_axis_alone() {
        let x = Tensor::from_vec(vec![1.0, 2.0, 3.0, 10.0, 20.0, 30.0], &[2, 3]);
        assert_eq!(x.cumsum(1).to_vec(), [1.0, 3.0, 6.0, 10.0, 30.0, 60.0]);
        assert_eq!(x.cumsum(0).to_vec(), [1.0, 2.0, 3.0, 11.0, 22.0, 33.0]);
    }

    #[test]
    fn a_single_precision_sum_of_a_million_small_numbers_is_the_exact_one_rounded() {
        let n = 1_000_000;
        let z = Tensor::full(&[n], 0.1f32).cumsum(0).to_vec();
        // 0.1 in f32 is 13421773·2⁻²⁷, so each exact sum is a multiple of 2⁻²⁷ below 2⁵³ of them: f64 holds it.
        let exact = |i: usize| ((i + 1) as f64 * 13_421_773.0 / f64::powi(2.0, 27)) as f32;
        assert!((0..n).all(|i| z[i] == exact(i)));
    }

    #[test]
    fn what_is_not_finite_stays_in_every_later_sum() {
        let z = Tensor::from_vec(vec![1.0, INF, 2.0, -INF, 1.0], &[5]).cumsum(0).to_vec();
        assert_eq!(z[..3], [1.0, INF, INF]);
        assert!(z[3].is_nan() && z[4].is_nan());
        assert!(Tensor::from_vec(vec![NAN, 1.0], &[2]).cumsum(0).to_vec().iter().all(|z| z.is_nan()));
    }
}
