//! The gated activation `tanh a ⊙ σ(b)` of rows that hold a and b side by side, forward and backward: one pass over memory each.

use super::row_tasks::{count_rows, for_each_row_block, for_each_row_block_with};
use crate::Scalar;

/// `z = tanh a ⊙ σ(b)`; what held a and b holds `tanh a` and `σ(b)` afterwards, for [`backward`].
///
/// # Shapes
/// `x` (rows, 2 · `channels`) → (rows, `channels`)
///
/// # Panics
/// If the length does not fit.
pub fn forward<T: Scalar>(x: &mut [T], channels: usize) -> Vec<T> {
    let rows = count_rows("gate", x, 2 * channels);
    let mut z = vec![T::zero(); rows * channels];
    if z.is_empty() {
        return z;
    }
    for_each_row_block_with(2 * channels, x, channels, &mut z, |_, x, z| {
        for (x, z) in x.chunks_exact_mut(2 * channels).zip(z.chunks_exact_mut(channels)) {
            let (a, b) = x.split_at_mut(channels);
            T::tanh_slice(a);
            T::sigmoid_slice(b);
            z.iter_mut().zip(a.iter().zip(&*b)).for_each(|(z, (&t, &s))| *z = t * s);
        }
    });
    z
}

/// `∂a = g ⊙ s ⊙ (1 − t²)`, `∂b = g ⊙ t ⊙ s ⊙ (1 − s)`, written over `t = tanh a` and `s = σ(b)`.
///
/// # Shapes
/// `g` (rows, `channels`) · `x` (rows, 2 · `channels`)
///
/// # Panics
/// If the lengths do not fit.
pub fn backward<T: Scalar>(g: &[T], x: &mut [T], channels: usize) {
    let rows = count_rows("gate", g, channels);
    assert_eq!(x.len(), rows * 2 * channels, "gate: {rows} rows of 2 · {channels}");
    if x.is_empty() {
        return;
    }
    for_each_row_block(2 * channels, x, |first, x| {
        for (row, x) in x.chunks_exact_mut(2 * channels).enumerate() {
            let g = &g[(first + row) * channels..][..channels];
            let (a, b) = x.split_at_mut(channels);
            for ((a, b), &g) in a.iter_mut().zip(b).zip(g) {
                let (t, s) = (*a, *b);
                *a = g * s * (T::one() - t * t);
                *b = g * t * s * (T::one() - s);
            }
        }
    });
}
