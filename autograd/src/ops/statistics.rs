//! Variance and standard deviation over axes. The mean is a sum, in `reduce.rs`.
//!
//! The mean is taken first and the squares of the deviations after it, both added up in double precision: an `f32` result has the digits that its
//! input has. What is not finite in a lane makes its variance NaN, since ∞ − ∞ is; a NaN too.

use super::reduced_axes::ReducedAxes;
use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor};
use ndarray::ArrayD;

/// The mean and the variance of each lane.
fn moments<T: Scalar>(x: &Tensor<T>, axes: &ReducedAxes, correction: usize) -> (ArrayD<T>, ArrayD<T>) {
    let (n, kept) = (axes.count(), axes.reduced(vec![T::zero(); axes.kept().iter().product()]));
    let divisor = n.saturating_sub(correction) as f64;
    let rows = axes.rows(x.value());
    let (mut mean, mut variance) = (kept.clone(), kept);
    for (i, (mean, variance)) in mean.iter_mut().zip(&mut variance).enumerate() {
        let row = &rows[i * n..][..n];
        let center = row.iter().map(|x| x.as_f64()).sum::<f64>() / n as f64;
        let squares: f64 = row.iter().map(|x| (x.as_f64() - center).powi(2)).sum();
        (*mean, *variance) = (T::of(center), T::of(squares / divisor));
    }
    (mean, variance)
}

impl<T: Scalar> Tensor<T> {
    /// `z = Σ (x − mean x)² / (n − c)` over the given axes, which are removed; n elements make one, and c is the correction: 1 for the unbiased
    /// estimate from a sample (PyTorch's default), 0 for the variance of what is there (NumPy's default, and a norm's).
    ///
    /// With `n = c` it is NaN or ∞, as in PyTorch, which divides by `max(n − c, 0)`.
    ///
    /// # Backward
    /// `∂x = 2(x − mean x)·g / (n − c)`. Saves x (shared) and the means.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn var(&self, axes: &[isize], correction: usize) -> Tensor<T> {
        let axes = ReducedAxes::new("var", axes, self.shape());
        let (mean, variance) = moments(self, &axes, correction);
        let x = self.value().clone();
        Tensor::from_op("var", variance, [self], move |g, [dx]| {
            let factor = T::of(2.0 / axes.count().saturating_sub(correction) as f64);
            dx.add(|| (&x - axes.spread(mean)) * axes.spread(g * factor));
        })
    }

    /// `z = √var x`, the standard deviation, with axes and correction as in [`Tensor::var`].
    ///
    /// # Backward
    /// `∂x = (x − mean x)·g / ((n − c)·z)`, and 0 where `z = 0`, as in PyTorch: √ has no derivative there. Saves x and z (shared) and the means.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn std(&self, axes: &[isize], correction: usize) -> Tensor<T> {
        let axes = ReducedAxes::new("std", axes, self.shape());
        let (mean, variance) = moments(self, &axes, correction);
        let (x, z) = (self.value().clone(), variance.mapv_into(T::sqrt).into_shared());
        let saved = z.clone();
        Tensor::from_op("std", z, [self], move |mut g, [dx]| {
            let divisor = T::of(axes.count().saturating_sub(correction) as f64);
            let slope = |g: &mut T, &z: &T| *g = if z == T::zero() { T::zero() } else { *g / (divisor * z) };
            dx.add(|| {
                g.zip_mut_with(&saved, slope);
                (&x - axes.spread(mean)) * axes.spread(g)
            });
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, axes, correction) in [
        (&[2, 3][..], &[1][..], 1),
        (&[3, 2], &[0, 1], 0),
        (&[2, 3, 2], &[0, -1], 1),
        (&[4], &[0], 2),
        (&[2, 1], &[1], 0),
        (&[0, 3], &[1], 1),
    ] {
        let named = |case: Case| case.variant(format!("axes {axes:?} of {shape:?}, correction {correction}"));
        cases.push(named(Case::new("var", &[real(shape)], move |x| x[0].var(axes, correction))));
        // Where all elements are equal, as those of a broadcast axis 0 are, √ has no derivative for differences to measure.
        if shape.len() > axes.len() && !axes.contains(&0) && shape[1] != 1 {
            cases.push(named(Case::new("std", &[real(shape)], move |x| x[0].std(axes, correction))));
        }
    }
    let spread = |x: &[Tensor<f64>]| (&x[0] + &Tensor::from_vec(vec![0.0, 4.0, 9.0], &[3, 1])).std(&[0, 1], 1);
    cases.push(Case::new("std", &[real(&[3, 2])], spread).variant("all of [3, 2]"));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    #[test]
    fn the_correction_divides_the_squares_by_n_less_it() {
        let x = Tensor::from_vec(vec![1.0, 2.0, 4.0, 9.0], &[4]); // mean 4, squares 9 + 4 + 0 + 25
        for (correction, variance) in [(0, 38.0 / 4.0), (1, 38.0 / 3.0), (2, 38.0_f64 / 2.0)] {
            assert_relative_eq!(x.var(&[0], correction).item(), variance, max_relative = 1e-15);
            assert_relative_eq!(x.std(&[0], correction).item(), variance.sqrt(), max_relative = 1e-15);
        }
        assert_eq!(x.var(&[0], 5).item(), INF);
    }

    #[test]
    fn one_element_and_none_have_no_unbiased_variance() {
        assert!(Tensor::<f64>::scalar(3.0).var(&[], 1).item().is_nan());
        assert!(Tensor::<f64>::zeros(&[0]).var(&[0], 0).item().is_nan());
    }

    #[test]
    fn what_is_not_finite_makes_the_variance_nan() {
        for odd in [INF, -INF, NAN] {
            let x = Tensor::<f64>::from_vec(vec![1.0, odd, 3.0, 4.0], &[2, 2]);
            let z = x.var(&[1], 0).to_vec();
            assert!(z[0].is_nan() && z[1] == 0.25, "{z:?}");
            assert!(x.std(&[1], 0).to_vec()[0].is_nan());
        }
    }

    #[test]
    fn equal_elements_have_deviation_zero_and_gradient_zero() {
        let x = Tensor::full(&[3], 5.0).tracked();
        let z = x.std(&[0], 1);
        assert_eq!(z.item(), 0.0);
        assert!(z.backward().of(&x).unwrap().iter().all(|&d| d == 0.0));
    }

    #[test]
    fn single_precision_keeps_the_digits_of_numbers_far_from_zero() {
        let n = 100_000;
        let x = Tensor::from_vec((0..n).map(|i| 1e4 + (i % 4) as f32).collect(), &[n]); // variance 1.25
        assert_relative_eq!(x.var(&[0], 0).item(), 1.25, max_relative = 1e-7);
    }
}
