//! Layer normalisation of rows, and its backward passes.
//!
//! The variance is taken in two passes (mean first), so that rows far from zero keep their digits.
//!
//! Source: Ba, Kiros & Hinton, "Layer Normalization", 2016, equation 4.

use super::gemm::Store;
use super::lanes::{dot_lanes, sum_lanes, sum_terms};
use super::math::dispatch::{Pass, dispatch};
use super::parallel::MIN_PARALLEL;
use super::reduce::{add_rows, store_sums, sum_over_rows};
use super::row_tasks::{count_rows, for_each_row_block, rows_per_task};
use crate::Scalar;
use rayon::prelude::*;

/// What the forward pass returns, and keeps for the backward passes.
pub struct Normalized<T> {
    /// `z = w ⊙ x̂ + b` (R, C).
    pub output: Vec<T>,
    /// `x̂ = (x − mean x) / √(var x + ε)` (R, C): every gradient needs it.
    pub x_hat: Vec<T>,
    /// `1 / √(var x + ε)` (R): the gradient of the input needs it.
    pub inv_std: Vec<T>,
}

struct Forward<'a, T> {
    x: &'a [T],
    weight: &'a [T],
    bias: &'a [T],
    epsilon: T,
    output: &'a mut [T],
    x_hat: &'a mut [T],
    inv_std: &'a mut [T],
}

impl<T: Scalar> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let cols = self.weight.len();
        let n = T::of(cols as f64);
        let outputs = self.output.chunks_exact_mut(cols).zip(self.x_hat.chunks_exact_mut(cols));
        for ((x, (z, x_hat)), inv_std) in self.x.chunks_exact(cols).zip(outputs).zip(self.inv_std) {
            let mean = T::of(sum_lanes(x)) / n;
            let variance = T::of(sum_terms(x, |x| (x - mean) * (x - mean))) / n;
            *inv_std = (variance + self.epsilon).sqrt().recip();
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
    let rows = count_rows("layer_norm", x, cols);
    assert_eq!(bias.len(), cols, "layer_norm: lengths of weight and bias");
    let new = |len| vec![T::zero(); len];
    let mut kept = Normalized { output: new(x.len()), x_hat: new(x.len()), inv_std: new(rows) };
    let task = |(((x, output), x_hat), inv_std)| {
        dispatch(Forward { x, weight, bias, epsilon, output, x_hat, inv_std });
    };
    let (height, Normalized { output, x_hat, inv_std }) = (rows_per_task(cols), &mut kept);
    if x.is_empty() {
        return kept;
    }
    if x.len() < MIN_PARALLEL {
        task((((x, output), x_hat), inv_std));
    } else {
        let size = height * cols;
        let outputs = x.par_chunks(size).zip(output.par_chunks_mut(size)).zip(x_hat.par_chunks_mut(size));
        outputs.zip(inv_std.par_chunks_mut(height)).for_each(task);
    }
    kept
}

struct BackwardInput<'a, T> {
    g: &'a [T],
    x_hat: &'a [T],
    inv_std: &'a [T],
    weight: &'a [T],
    dx: &'a mut [T],
}

impl<T: Scalar> Pass for BackwardInput<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let cols = self.weight.len();
        let n = T::of(cols as f64);
        let rows = self.g.chunks_exact(cols).zip(self.x_hat.chunks_exact(cols)).zip(self.inv_std);
        for (((g, x_hat), &inv_std), h) in rows.zip(self.dx.chunks_exact_mut(cols)) {
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
    let cols = weight.len();
    assert_eq!(count_rows("layer_norm", g, cols), inv_std.len(), "layer_norm: one inverse deviation per row");
    assert_eq!(g.len(), x_hat.len(), "layer_norm: lengths of gradient and x̂");
    let mut dx = vec![T::zero(); g.len()];
    for_each_row_block(cols, &mut dx, |first, dx| {
        let (elements, rows) = (first * cols..first * cols + dx.len(), first..first + dx.len() / cols);
        let (g, x_hat, inv_std) = (&g[elements.clone()], &x_hat[elements], &inv_std[rows]);
        dispatch(BackwardInput { g, x_hat, inv_std, weight, dx });
    });
    dx
}

/// Adds columns `at..` of the products of rows of `cols` to as many sums.
struct AddProducts<'a, T> {
    g: &'a [T],
    x_hat: &'a [T],
    cols: usize,
    at: usize,
    sums: &'a mut [f64],
}

impl<T: Scalar> Pass for AddProducts<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let AddProducts { g, x_hat, cols, at, sums } = self;
        let width = sums.len();
        let row = |r: usize| (&g[r * cols + at..][..width], &x_hat[r * cols + at..][..width]);
        add_rows(sums, g.len() / cols, row, |(g, x_hat): (&[T], &[T]), c| g[c] * x_hat[c]);
    }
}

/// `∂w = Σ_r g ⊙ x̂`, stored or added. (`∂b = Σ_r g` is [`column_sums`](super::reduce::column_sums).)
///
/// # Shapes
/// `g` (R, C) · `x_hat` (R, C) · `out` (C)
///
/// # Panics
/// If the lengths do not fit.
pub fn backward_weight<T: Scalar>(g: &[T], x_hat: &[T], store: Store, out: &mut [T]) {
    let cols = out.len();
    let rows = count_rows("layer_norm", g, cols);
    assert_eq!(g.len(), x_hat.len(), "layer_norm: lengths of gradient and x̂");
    let mut sums = vec![0.0; cols];
    sum_over_rows(rows, &mut sums, |rows, at, sums| {
        let elements = rows.start * cols..rows.end * cols;
        dispatch(AddProducts { g: &g[elements.clone()], x_hat: &x_hat[elements], cols, at, sums });
    });
    store_sums(&sums, store, out);
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let dx = backward_input(&g, &kept.x_hat, &kept.inv_std, &w);
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
                let dx = backward_input(&g, &kept.x_hat, &kept.inv_std, &w);
                let mut dw = vec![0.0; cols];
                backward_weight(&g, &kept.x_hat, Store::Overwrite, &mut dw);
                [kept.output, kept.x_hat, kept.inv_std, dx, dw]
            });
        }
    }
}
