//! `ln Σ exp x` over axes. Its gradient is softmax, which stands with log-softmax in `softmax.rs`.

use super::reduced_axes::ReducedAxes;
use crate::gradcheck::{Case, real};
use crate::kernels::gemm::Store;
use crate::kernels::parallel::for_each_chunk;
use crate::kernels::reduce::{row_max, row_sums};
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// `z = m + ln Σ exp(x − m)` with `m = max x`, over the given axes, which are removed; it overflows only where the result does.
    ///
    /// A lane of nothing but −∞, or of no elements, gives −∞; one with +∞ gives +∞; one with NaN gives NaN.
    ///
    /// # Backward
    /// `∂x = g ⊙ exp(x − z)`, the softmax. Where z is infinite, the elements equal to it get NaN, as in PyTorch. Saves x and z (shared).
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn logsumexp(&self, axes: &[isize]) -> Tensor<T> {
        let axes = ReducedAxes::new("logsumexp", axes, self.shape());
        let n = axes.count();
        let mut rows = axes.rows(self.value());
        let mut z = vec![T::zero(); axes.kept().iter().product()];
        let mut sums = z.clone();
        row_max(&rows, n, &mut z);
        // An infinite maximum must not meet itself: ∞ − ∞ is NaN. The sum of exponentials is then 0 or ∞ by itself.
        z.iter_mut().filter(|max| max.is_infinite()).for_each(|max| *max = T::zero());
        if n > 0 {
            rows.chunks_exact_mut(n).zip(&z).for_each(|(row, &max)| row.iter_mut().for_each(|x| *x -= max));
        }
        for_each_chunk(&mut rows, |_, chunk| T::exp_slice(chunk));
        row_sums(&rows, n, Store::Overwrite, &mut sums);
        z.iter_mut().zip(&sums).for_each(|(z, sum)| *z += sum.ln());
        let z = axes.reduced(z).into_shared();
        let (x, saved) = (self.value().clone(), z.clone());
        Tensor::from_op("logsumexp", z, [self], move |g, [dx]| {
            dx.add(|| {
                let mut softmax = &x - axes.spread(saved.into_owned());
                for_each_chunk(softmax.as_slice_memory_order_mut().expect("contiguous"), |_, chunk| {
                    T::exp_slice(chunk)
                });
                softmax * axes.spread(g)
            });
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, axes) in [
        (&[2, 3][..], &[1][..]),
        (&[2, 3], &[0]),
        (&[2, 3, 2], &[0, -1]),
        (&[2, 1], &[-1]),
        (&[0, 3], &[1]),
        (&[], &[]),
    ] {
        let case = Case::new("logsumexp", &[real(shape)], move |x| x[0].logsumexp(axes));
        cases.push(case.variant(format!("axes {axes:?} of {shape:?}")));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    #[test]
    fn it_is_what_log_softmax_subtracts_and_its_gradient_is_softmax() {
        let x = Tensor::from_vec(vec![0.5, -2.0, 700.0, 699.0, -701.0, -700.5], &[3, 2]).tracked();
        let z = x.logsumexp(&[1]);
        let subtracted = (&x - &x.log_softmax()).narrow(1, 0, 1).squeeze(1).to_vec();
        z.to_vec().iter().zip(subtracted).for_each(|(a, b)| assert_relative_eq!(*a, b, max_relative = 1e-15));
        let gradient = z.sum().backward().of(&x).unwrap().clone();
        gradient.iter().zip(x.softmax().to_vec()).for_each(|(a, b)| assert_relative_eq!(*a, b, max_relative = 1e-12));
    }

    #[test]
    fn the_sum_of_two_equal_exponentials_is_ln_2_above_them_however_large() {
        for x in [-1e30, -104.0, 0.0, 89.0, 1e30] {
            let z = Tensor::full(&[2], x as f32).logsumexp(&[0]).item();
            assert_relative_eq!(z, x as f32 + std::f32::consts::LN_2, max_relative = 1e-7);
        }
    }

    #[test]
    fn infinities_and_nan_are_those_of_the_formula() {
        let at = |x: [f64; 2]| Tensor::from_vec(x.to_vec(), &[2]).logsumexp(&[0]).item();
        assert_eq!(at([-INF, -INF]), -INF);
        assert_eq!(at([-INF, 1.0]), 1.0);
        assert_eq!(at([INF, 1.0]), INF);
        assert!(at([NAN, 1.0]).is_nan() && at([INF, NAN]).is_nan());
        assert_eq!(Tensor::<f64>::zeros(&[0, 2]).logsumexp(&[0]).to_vec(), [-INF, -INF]);
    }

    #[test]
    fn an_element_of_probability_zero_gets_no_gradient() {
        let x = Tensor::from_vec(vec![-INF, 1.0], &[2]).tracked();
        assert_eq!(x.logsumexp(&[0]).backward().of(&x).unwrap().as_slice().unwrap(), [0.0, 1.0]);
    }
}
