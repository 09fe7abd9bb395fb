//! Root-mean-square normalization of rows, and its backward passes. With the mean taken off first it is `layer_norm.rs`.
//!
//! Source: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, equation 4.

use super::lanes::dot_lanes;
use super::math::dispatch::{Pass, dispatch};
use super::normalized::{self, BackwardRows, ForwardRows};
use crate::Scalar;

pub use super::normalized::{Normalized, backward_weight};

struct Forward<'a, T> {
    rows: ForwardRows<'a, T>,
    weight: &'a [T],
    epsilon: T,
}

impl<T: Scalar> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let cols = self.weight.len();
        let n = T::of(cols as f64);
        let ForwardRows { x, output, x_hat, inv_scale } = self.rows;
        let outputs = output.chunks_exact_mut(cols).zip(x_hat.chunks_exact_mut(cols));
        for ((x, (z, x_hat)), inv_rms) in x.chunks_exact(cols).zip(outputs).zip(inv_scale) {
            *inv_rms = (dot_lanes(x, x) / n + self.epsilon).sqrt().recip();
            for (((&x, x_hat), z), &w) in x.iter().zip(x_hat).zip(z).zip(self.weight) {
                *x_hat = x * *inv_rms;
                *z = *x_hat * w;
            }
        }
    }
}

/// `z = w ⊙ x̂` of each row, with `x̂ = x / √(mean x² + ε)`.
///
/// # Shapes
/// `x` (R, C) · `weight` (C)
///
/// # Panics
/// If the lengths do not fit.
pub fn forward<T: Scalar>(x: &[T], weight: &[T], epsilon: T) -> Normalized<T> {
    normalized::forward("rms_norm", x, weight.len(), |rows| dispatch(Forward { rows, weight, epsilon }))
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
        for (((g, x_hat), &inv_rms), h) in rows.zip(dx.chunks_exact_mut(cols)) {
            for ((h, &g), &w) in h.iter_mut().zip(g).zip(self.weight) {
                *h = g * w;
            }
            let slope = dot_lanes(h, x_hat) / n;
            for (h, &x_hat) in h.iter_mut().zip(x_hat) {
                *h = (*h - x_hat * slope) * inv_rms;
            }
        }
    }
}

/// `∂x = (h − x̂·mean(h ⊙ x̂)) / √(mean x² + ε)` of each row, with `h = g ⊙ w`.
///
/// # Shapes
/// `g` (R, C) · `x_hat` (R, C) · `inv_rms` (R) · `weight` (C) → (R, C)
///
/// # Panics
/// If the lengths do not fit.
pub fn backward_input<T: Scalar>(g: &[T], x_hat: &[T], inv_rms: &[T], weight: &[T]) -> Vec<T> {
    normalized::backward_input("rms_norm", g, x_hat, inv_rms, weight.len(), |rows| {
        dispatch(BackwardInput { rows, weight });
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::gemm::Store;
    use crate::kernels::row_tasks::tests::{assert_thread_independent, wave, wave32};
    use approx::assert_relative_eq;

    #[test]
    fn every_row_equals_the_naive_formula() {
        for (rows, cols) in [(0, 3), (1, 1), (5, 7), (300, 33), (40, 1025)] {
            let (x, w) = (wave(rows * cols, 0.0), wave(cols, 1.0));
            let kept = forward(&x, &w, 1e-5);
            for (r, row) in x.chunks(cols).enumerate() {
                let square = row.iter().map(|x| x * x).sum::<f64>() / cols as f64;
                for c in 0..cols {
                    assert_relative_eq!(
                        kept.output[r * cols + c],
                        row[c] / (square + 1e-5).sqrt() * w[c],
                        epsilon = 1e-12
                    );
                }
            }
        }
    }

    #[test]
    fn backward_passes_are_central_differences() {
        let (rows, cols, h) = (3, 11, 1e-5);
        let (x, w, g) = (wave(rows * cols, 0.0), wave(cols, 1.0), wave(rows * cols, 3.0));
        let kept = forward(&x, &w, 1e-5);
        let dx = backward_input(&g, &kept.x_hat, &kept.inv_scale, &w);
        let mut dw = vec![1.0; cols];
        backward_weight(&g, &kept.x_hat, Store::Overwrite, &mut dw);
        let value = |inputs: &[Vec<f64>; 2]| {
            let z = forward(&inputs[0], &inputs[1], 1e-5).output;
            z.iter().zip(&g).map(|(z, g)| z * g).sum::<f64>()
        };
        for (input, gradient) in [dx, dw].iter().enumerate() {
            for i in 0..gradient.len() {
                let at = |step: f64| {
                    let mut inputs = [x.clone(), w.clone()];
                    inputs[input][i] += step;
                    value(&inputs)
                };
                assert_relative_eq!(gradient[i], (at(h) - at(-h)) / (2.0 * h), epsilon = 1e-8);
            }
        }
    }

    #[test]
    fn rms_norm_has_the_same_bits_for_any_number_of_threads() {
        for cols in [33, 1536] {
            let rows = 120_000 / cols;
            let (x, w, g) = (wave32(rows * cols, 0.0), wave32(cols, 1.0), wave32(rows * cols, 3.0));
            assert_thread_independent(|| {
                let kept = forward(&x, &w, 1e-5);
                let dx = backward_input(&g, &kept.x_hat, &kept.inv_scale, &w);
                [kept.output, kept.x_hat, kept.inv_scale, dx]
            });
        }
    }
}
