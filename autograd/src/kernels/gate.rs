//! The gated activation `tanh a ⊙ σ(b)` of rows that hold a and b side by side, forward and backward: one pass over memory each. What
//! conditions a sequence or an image (a class, a speaker) is added to all its rows on the way.

use super::compiled::Compiled;
use super::math::dispatch::{Pass, dispatch};
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

/// The gate of one position, in the bits of [`forward`]: a step of generation. One pass, on the calling thread.
///
/// # Shapes
/// `x`, `condition` (2 · channels) → `z` (channels)
///
/// # Panics
/// If a length does not fit.
pub fn position<T: Scalar>(x: &[T], condition: Option<&[T]>, z: &mut [T]) {
    Compiled::gate_position(x, condition, z);
}

pub(super) fn position_body<T: Scalar>(x: &[T], condition: Option<&[T]>, z: &mut [T]) {
    let fits = x.len() == 2 * z.len() && condition.is_none_or(|condition| condition.len() == x.len());
    assert!(fits, "gate: {} for a position of {}", x.len(), z.len());
    dispatch(Position { x, condition, z });
}

struct Position<'a, T> {
    x: &'a [T],
    condition: Option<&'a [T]>,
    z: &'a mut [T],
}

impl<T: Scalar> Pass for Position<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let gate = |a: T, b: T| T::tanh_lane(a) * T::sigmoid_lane(b);
        let (a, b) = self.x.split_at(self.z.len());
        match self.condition {
            None => self.z.iter_mut().zip(a.iter().zip(b)).for_each(|(z, (&a, &b))| *z = gate(a, b)),
            Some(condition) => {
                let (a_s, b_s) = condition.split_at(self.z.len());
                let pairs = a.iter().zip(a_s).zip(b.iter().zip(b_s));
                self.z.iter_mut().zip(pairs).for_each(|(z, ((&a, &a_s), (&b, &b_s)))| *z = gate(a + a_s, b + b_s));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::row_tasks::tests::wave32;

    #[test]
    fn a_position_alone_has_the_bits_of_its_row_among_all() {
        for channels in [1, 7, 16, 33, 64] {
            let (x, condition) = (wave32(5 * 2 * channels, 0.3), wave32(2 * channels, 0.9));
            for condition in [None, Some(&condition[..])] {
                let all = forward(&mut x.clone(), condition, channels);
                for (x, expected) in x.chunks_exact(2 * channels).zip(all.chunks_exact(channels)) {
                    let mut z = vec![0.0; channels];
                    position(x, condition, &mut z);
                    assert_eq!(z, expected, "{channels} channels");
                }
            }
        }
    }
}
