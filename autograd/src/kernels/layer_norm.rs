//! Layer normalisation of rows, and its backward passes.
//!
//! The variance is taken in two passes (mean first), so that rows far from zero keep their digits.
//!
//! Source: Ba, Kiros & Hinton, "Layer Normalization", 2016, equation 4.

use super::lanes::{dot_lanes, sum_lanes, sum_terms};
use super::math::dispatch::{Pass, dispatch};
use super::normalized::{self, BackwardRows, ForwardRows};
use crate::Scalar;

pub use super::normalized::{Normalized, backward_weight};

/// `mean x` and `1 / √(var x + ε)` of a row.
#[inline(always)]
fn mean_and_inverse<T: Scalar>(x: &[T], epsilon: T) -> (T, T) {
    let n = T::of(x.len() as f64);
    let mean = T::of(sum_lanes(x)) / n;
    let variance = T::of(sum_terms(x, |x| (x - mean) * (x - mean))) / n;
    (mean, (variance + epsilon).sqrt().recip())
}

struct Forward<'a, T> {
    rows: ForwardRows<'a, T>,
    weight: &'a [T],
    bias: &'a [T],
    epsilon: T,
}

impl<T: Scalar> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let cols = self.weight.len();
        let ForwardRows { x, output, x_hat, inv_scale } = self.rows;
        let outputs = output.chunks_exact_mut(cols).zip(x_hat.chunks_exact_mut(cols));
        for ((x, (z, x_hat)), inv_std) in x.chunks_exact(cols).zip(outputs).zip(inv_scale) {
            let mean;
            (mean, *inv_std) = mean_and_inverse(x, self.epsilon);
            let affine = x_hat.iter_mut().zip(z).zip(self.weight).zip(self.bias);
            for (&x, (((x_hat, z), &w), &b)) in x.iter().zip(affine) {
                *x_hat = (x - mean) * *inv_std;
                *z = *x_hat * w + b;
            }
        }
    }
}

/// `z = w ⊙ x̂ + b` of each row, with `x̂ = (x − mean x) / √(var x + ε)`, the variance biased.
///
/// # Shapes
/// `x` (R, C) · `weight` (C) · `bias` (C)
///
/// # Panics
/// If the lengths do not fit.
pub fn forward<T: Scalar>(x: &[T], weight: &[T], bias: &[T], epsilon: T) -> Normalized<T> {
    let cols = weight.len();
    assert_eq!(bias.len(), cols, "layer_norm: lengths of weight and bias");
    normalized::forward("layer_norm", x, cols, |rows| dispatch(Forward { rows, weight, bias, epsilon }))
}

struct Row<'a, T> {
    x: &'a [T],
    weight: &'a [T],
    bias: &'a [T],
    epsilon: T,
    z: &'a mut [T],
}

impl<T: Scalar> Pass for Row<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Row { x, weight, bias, epsilon, z } = self;
        let (mean, inv_std) = mean_and_inverse(x, epsilon);
        for (((&x, z), &w), &b) in x.iter().zip(z).zip(weight).zip(bias) {
            *z = (x - mean) * inv_std * w + b;
        }
    }
}

/// One row into memory that is there, in the bits of [`forward`]: a step of generation.
///
/// # Shapes
/// `x`, `weight`, `bias` (C) → `z` (C)
///
/// # Panics
/// If the lengths differ.
pub fn row<T: Scalar>(x: &[T], weight: &[T], bias: &[T], epsilon: T, z: &mut [T]) {
    assert_eq!([weight.len(), bias.len(), z.len()], [x.len(); 3], "layer_norm: lengths of a row");
    dispatch(Row { x, weight, bias, epsilon, z });
}

struct BackwardInput<'a, T> {
    rows: BackwardRows<'a, T>,
    weight: &'a [T],
}

impl<T: Scalar> Pass for BackwardInput<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let cols = self.weight.len();
        let n = T::of(cols as f64);
        let BackwardRows { g, x_hat, inv_scale, dx } = self.rows;
        let rows = g.chunks_exact(cols).zip(x_hat.chunks_exact(cols)).zip(inv_scale);
        for (((g, x_hat), &inv_std), h) in rows.zip(dx.chunks_exact_mut(cols)) {
            for ((h, &g), &w) in h.iter_mut().zip(g).zip(self.weight) {
                *h = g * w;
            }
            let mean = T::of(sum_lanes(h)) / n;
            let slope = dot_lanes(h, x_hat) / n;
            for (h, &x_hat) in h.iter_mut().zip(x_hat) {
                *h = (*h - mean - x_hat * slope) * inv_std;
            }
        }
    }
}

/// `∂x = (h − mean h − x̂·mean(h ⊙ x̂)) / σ` of each row, with `h = g ⊙ w`.
///
/// # Shapes
/// `g` (R, C) · `x_hat` (R, C) · `inv_std` (R) · `weight` (C) → (R, C)
///
/// # Panics
/// If the lengths do not fit.
pub fn backward_input<T: Scalar>(g: &[T], x_hat: &[T], inv_std: &[T], weight: &[T]) -> Vec<T> {
    normalized::backward_input("layer_norm", g, x_hat, inv_std, weight.len(), |rows| {
        dispatch(BackwardInput { rows, weight });
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::gemm::Store;
    use crate::kernels::reduce::column_sums;
    use crate::kernels::row_tasks::tests::{assert_thread_independent, wave, wave32};
    use approx::assert_relative_eq;

    #[test]
    fn rows_far_from_zero_keep_their_digits() {
        let x: Vec<f32> = [1.0, 2.0, 3.0, 4.0].iter().map(|x| 1e4 + x).collect();
        let x_hat = forward(&x, &[1.0; 4], &[0.0; 4], 0.0).x_hat;
        for (got, exact) in x_hat.iter().zip([-1.5, -0.5, 0.5, 1.5]) {
            assert_relative_eq!(*got, exact / 1.25f32.sqrt(), max_relative = 1e-6);
        }
    }

    #[test]
    fn a_row_alone_has_the_bits_of_the_row_among_all() {
        let (x, w, b) = (wave32(5 * 37, 0.0), wave32(37, 1.0), wave32(37, 2.0));
        let all = forward(&x, &w, &b, 1e-5).output;
        for (x, all) in x.chunks(37).zip(all.chunks(37)) {
            let mut z = vec![0.0; 37];
            row(x, &w, &b, 1e-5, &mut z);
            assert_eq!(z, all);
        }
    }

    #[test]
    fn every_row_equals_the_naive_formula() {
        for (rows, cols) in [(0, 3), (1, 1), (5, 7), (300, 33), (40, 1025)] {
            let (x, w, b) = (wave(rows * cols, 0.0), wave(cols, 1.0), wave(cols, 2.0));
            let kept = forward(&x, &w, &b, 1e-5);
            for (r, row) in x.chunks(cols).enumerate() {
                let mean = row.iter().sum::<f64>() / cols as f64;
                let var = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / cols as f64;
                for c in 0..cols {
                    let z = (row[c] - mean) / (var + 1e-5).sqrt() * w[c] + b[c];
                    assert_relative_eq!(kept.output[r * cols + c], z, epsilon = 1e-12);
                }
            }
        }
    }

    #[test]
    fn backward_passes_are_central_differences() {
        let (rows, cols, h) = (3, 11, 1e-5);
        let (x, w, b, g) = (wave(rows * cols, 0.0), wave(cols, 1.0), wave(cols, 2.0), wave(rows * cols, 3.0));
        let kept = forward(&x, &w, &b, 1e-5);
        let dx = backward_input(&g, &kept.x_hat, &kept.inv_scale, &w);
        let (mut dw, mut db) = (vec![1.0; cols], vec![1.0; cols]);
        backward_weight(&g, &kept.x_hat, Store::Overwrite, &mut dw);
        column_sums(&g, Store::Overwrite, &mut db);
        let value = |inputs: &[Vec<f64>; 3]| {
            let z = forward(&inputs[0], &inputs[1], &inputs[2], 1e-5).output;
            z.iter().zip(&g).map(|(z, g)| z * g).sum::<f64>()
        };
        for (input, gradient) in [dx, dw, db].iter().enumerate() {
            for i in 0..gradient.len() {
                let at = |step: f64| {
                    let mut inputs = [x.clone(), w.clone(), b.clone()];
                    inputs[input][i] += step;
                    value(&inputs)
                };
                assert_relative_eq!(gradient[i], (at(h) - at(-h)) / (2.0 * h), epsilon = 1e-8);
            }
        }
    }

    #[test]
    fn the_gradient_of_the_weight_is_added_where_asked() {
        let mut dw = [10.0, 20.0];
        backward_weight(&[1.0, 2.0, 3.0, 4.0], &[1.0, 1.0, 2.0, 2.0], Store::Accumulate, &mut dw);
        assert_eq!(dw, [17.0, 30.0]);
    }

    #[test]
    fn layer_norm_has_the_same_bits_for_any_number_of_threads() {
        for cols in [33, 1536] {
            let rows = 120_000 / cols;
            let (x, w, g) = (wave32(rows * cols, 0.0), wave32(cols, 1.0), wave32(rows * cols, 3.0));
            assert_thread_independent(|| {
                let kept = forward(&x, &w, &w, 1e-5);
                let dx = backward_input(&g, &kept.x_hat, &kept.inv_scale, &w);
                let mut dw = vec![0.0; cols];
                backward_weight(&g, &kept.x_hat, Store::Overwrite, &mut dw);
                [kept.output, kept.x_hat, kept.inv_scale, dx, dw]
            });
        }
    }
}
