//! The gated activation `tanh a ⊙ σ(b)` of rows that hold a and b side by side, forward and backward: one pass over memory each. What
//! conditions a sequence or an image (a class, a speaker) is added to all its rows on the way.

use super::row_tasks::{count_rows, for_each_row_block, for_each_row_block_with};
use crate::Scalar;

/// `z = tanh(a + a_s) ⊙ σ(b + b_s)`, where the condition `(a_s, b_s)` of a row is that of its group of consecutive rows, and 0 where
/// there is none; what held a and b holds the tanh and the σ afterwards, for [`backward`].
///
/// # Shapes
/// `x` (rows, 2 · `channels`) · `condition` (groups, 2 · `channels`), as many rows in each group → (rows, `channels`)
///
/// # Panics
/// If a length does not fit.
pub fn forward<T: Scalar>(x: &mut [T], condition: Option<&[T]>, channels: usize) -> Vec<T> {
    T::gate(x, condition, channels)
}

pub(super) fn forward_body<T: Scalar>(x: &mut [T], condition: Option<&[T]>, channels: usize) -> Vec<T> {
    let rows = count_rows("gate", x, 2 * channels);
    let groups = condition.map_or(1, |condition| count_rows("gate: condition", condition, 2 * channels));
    assert!(rows == 0 || groups > 0 && rows.is_multiple_of(groups), "gate: {rows} rows in {groups} groups");
    let mut z = vec![T::zero(); rows * channels];
    if z.is_empty() {
        return z;
    }
    let group = rows / groups;
    for_each_row_block_with(2 * channels, x, channels, &mut z, |first, x, z| {
        for (row, (x, z)) in x.chunks_exact_mut(2 * channels).zip(z.chunks_exact_mut(channels)).enumerate() {
            if let Some(condition) = condition {
                let condition = &condition[(first + row) / group * 2 * channels..][..2 * channels];
                x.iter_mut().zip(condition).for_each(|(x, &s)| *x += s);
            }
            let (a, b) = x.split_at_mut(channels);
            T::tanh_slice(a);
            T::sigmoid_slice(b);
            z.iter_mut().zip(a.iter().zip(&*b)).for_each(|(z, (&t, &s))| *z = t * s);
        }
    });
    z
}

/// `∂a = g ⊙ s ⊙ (1 − t²)`, `∂b = g ⊙ t ⊙ s ⊙ (1 − s)`, written over t, the tanh, and s, the σ. The gradient of a condition is the sum
/// over the rows of its group.
///
/// # Shapes
/// `g` (rows, `channels`) · `x` (rows, 2 · `channels`)
///
/// # Panics
/// If the lengths do not fit.
pub fn backward<T: Scalar>(g: &[T], x: &mut [T], channels: usize) {
    T::gate_backward(g, x, channels);
}

pub(super) fn backward_body<T: Scalar>(g: &[T], x: &mut [T], channels: usize) {
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
