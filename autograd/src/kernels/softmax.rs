//! Softmax and log-softmax over rows, in place, and their backward passes.
//!
//! A row that ends in −∞ has the bits of the row without these elements, and zeros after them: `lanes.rs` says why.
//! The loss built of them stands in `softmax/cross_entropy.rs`. Each row is read three times, but only the first reading
//! comes from memory: a row of 10,000 `f32` fits the level-1 cache.

mod cross_entropy;
pub use cross_entropy::{cross_entropy, cross_entropy_backward, mean, negative_log_likelihoods};
pub(super) use cross_entropy::{cross_entropy_backward_body, cross_entropy_body, negative_log_likelihoods_body};

use super::compiled::Compiled;
use super::lanes::{BLOCK, dot_lanes, max_lanes, sum_lanes};
use super::math::dispatch::{Pass, dispatch};
use super::row_tasks::{count_rows, for_each_row_block};
use crate::Scalar;

/// `x ← exp(x − max x) / Σ exp(x − max x)` of one row; returns `(max x, Σ exp(x − max x))`.
#[inline(always)]
fn normalize<T: Scalar>(row: &mut [T]) -> (T, f64) {
    let max = max_lanes(row);
    for x in row.iter_mut() {
        *x = T::exp_lane(*x - max);
    }
    let sum = sum_lanes(row);
    scale(row, T::of(sum.recip()));
    (max, sum)
}

/// Exponentials on their way into a sum, from the beginning of a line of cache on: where the stack happened to put them, rows of 65
/// took half as long again in some programs.
#[repr(align(64))]
struct Buffer<T>([T; BLOCK]);

/// `(max x, Σ exp(x − max x))` of one row, which stays as it is; the same bits as [`normalize`].
#[inline(always)]
fn max_and_sum<T: Scalar>(row: &[T], Buffer(buffer): &mut Buffer<T>) -> (T, f64) {
    let max = max_lanes(row);
    // Exponentials and sums vectorise in loops of their own; the buffer between them stays in the level-1 cache.
    let mut sum = 0.0;
    for xs in row.chunks(BLOCK) {
        let exponentials = &mut buffer[..xs.len()];
        for (e, &x) in exponentials.iter_mut().zip(xs) {
            *e = T::exp_lane(x - max);
        }
        sum += sum_lanes(exponentials);
    }
    (max, sum)
}

/// `x ← factor · x`.
#[inline(always)]
fn scale<T: Scalar>(xs: &mut [T], factor: T) {
    for x in xs {
        *x *= factor;
    }
}

struct Softmax<'a, T>(&'a mut [T], usize);
impl<T: Scalar> Pass for Softmax<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for row in self.0.chunks_exact_mut(self.1) {
            normalize(row);
        }
    }
}

struct LogSoftmax<'a, T>(&'a mut [T], usize);
impl<T: Scalar> Pass for LogSoftmax<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let mut buffer = Buffer([T::zero(); BLOCK]);
        for row in self.0.chunks_exact_mut(self.1) {
            let (max, sum) = max_and_sum(row, &mut buffer);
            let log_sum = T::of(sum.ln());
            for x in row {
                *x = (*x - max) - log_sum;
            }
        }
    }
}

struct SoftmaxBackward<'a, T>(&'a [T], &'a mut [T], usize);
impl<T: Scalar> Pass for SoftmaxBackward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (z, g) in self.0.chunks_exact(self.2).zip(self.1.chunks_exact_mut(self.2)) {
            let dot = dot_lanes(g, z);
            for (g, &z) in g.iter_mut().zip(z) {
                *g = z * (*g - dot);
            }
        }
    }
}

struct LogSoftmaxBackward<'a, T>(&'a [T], &'a mut [T], usize);
impl<T: Scalar> Pass for LogSoftmaxBackward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (z, g) in self.0.chunks_exact(self.2).zip(self.1.chunks_exact_mut(self.2)) {
            let sum = T::of(sum_lanes(g));
            for (g, &z) in g.iter_mut().zip(z) {
                *g -= T::exp_lane(z) * sum;
            }
        }
    }
}

/// `z = exp(x − max x) / Σ exp(x − max x)` of each row, in place.
///
/// −∞ gets 0; a row of nothing but −∞, or with +∞ or NaN in it, becomes NaN, as in PyTorch.
///
/// # Shapes
/// `xs` (R, C)
///
/// # Panics
/// If `xs` is not made of rows of `cols`.
pub fn softmax<T: Scalar>(xs: &mut [T], cols: usize) {
    Compiled::softmax(xs, cols)
}

/// [`softmax`], compiled for each type.
pub(in crate::kernels) fn softmax_body<T: Scalar>(xs: &mut [T], cols: usize) {
    count_rows("softmax", xs, cols);
    for_each_row_block(cols, xs, |_, xs| dispatch(Softmax(xs, cols)));
}

/// `z = x − max x − ln Σ exp(x − max x)` of each row, in place; NaN as [`softmax`].
///
/// # Shapes
/// `xs` (R, C)
///
/// # Panics
/// If `xs` is not made of rows of `cols`.
pub fn log_softmax<T: Scalar>(xs: &mut [T], cols: usize) {
    Compiled::log_softmax(xs, cols)
}

/// [`log_softmax`], compiled for each type.
pub(in crate::kernels) fn log_softmax_body<T: Scalar>(xs: &mut [T], cols: usize) {
    count_rows("log_softmax", xs, cols);
    for_each_row_block(cols, xs, |_, xs| dispatch(LogSoftmax(xs, cols)));
}

/// `∂x = z ⊙ (g − ⟨g, z⟩)` of each row, where z is what [`softmax`] returned; in the place of g.
///
/// # Shapes
/// `z` (R, C) · `g` (R, C)
///
/// # Panics
/// If the lengths differ or are not made of rows of `cols`.
pub fn softmax_backward<T: Scalar>(z: &[T], g: &mut [T], cols: usize) {
    Compiled::softmax_backward(z, g, cols)
}

/// [`softmax_backward`], compiled for each type.
pub(in crate::kernels) fn softmax_backward_body<T: Scalar>(z: &[T], g: &mut [T], cols: usize) {
    backward("softmax_backward", z, g, cols, |z, g| dispatch(SoftmaxBackward(z, g, cols)));
}

/// `∂x = g − exp(z)·Σ g` of each row, where z is what [`log_softmax`] returned; in the place of g.
///
/// # Shapes
/// `z` (R, C) · `g` (R, C)
///
/// # Panics
/// If the lengths differ or are not made of rows of `cols`.
pub fn log_softmax_backward<T: Scalar>(z: &[T], g: &mut [T], cols: usize) {
    Compiled::log_softmax_backward(z, g, cols)
}

/// [`log_softmax_backward`], compiled for each type.
pub(in crate::kernels) fn log_softmax_backward_body<T: Scalar>(z: &[T], g: &mut [T], cols: usize) {
    backward("log_softmax_backward", z, g, cols, |z, g| dispatch(LogSoftmaxBackward(z, g, cols)));
}

fn backward<T: Scalar>(what: &str, z: &[T], g: &mut [T], cols: usize, rows: impl Fn(&[T], &mut [T]) + Sync + Send) {
    count_rows(what, z, cols);
    assert_eq!(z.len(), g.len(), "{what}: lengths of output and gradient");
    for_each_row_block(cols, g, |first, g| rows(&z[first * cols..first * cols + g.len()], g));
}

#[cfg(test)]
mod tests;
