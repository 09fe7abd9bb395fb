//! Shapes: broadcasting and its reverse, axes counted from either end. No tensor, no gradient here.

use crate::Scalar;
use ndarray::{ArcArray, ArrayD, ArrayViewD, Axis, IxDyn};

/// The shape two operands broadcast to, by NumPy's rule: aligned at the last axis, sizes equal or one of them 1.
///
/// # Panics
/// If they do not broadcast; the message names `op` and both shapes.
#[track_caller]
pub(crate) fn broadcast(op: &str, x: &[usize], y: &[usize]) -> Vec<usize> {
    let rank = x.len().max(y.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|axis| match (size(x, axis), size(y, axis)) {
            (a, b) if a == b => a,
            (1, b) => b,
            (a, 1) => a,
            _ => panic!("{op}: shapes do not broadcast, {x:?} and {y:?}"),
        })
        .collect()
}

/// Sums `g` over the axes along which an operand of shape `to` was broadcast: the reverse of broadcasting.
pub(crate) fn sum_to<T: Scalar>(mut g: ArrayD<T>, to: &[usize]) -> ArrayD<T> {
    while g.ndim() > to.len() {
        g = g.sum_axis(Axis(0));
    }
    for (axis, &size) in to.iter().enumerate() {
        if g.shape()[axis] != size {
            g = g.sum_axis(Axis(axis)).insert_axis(Axis(axis));
        }
    }
    g
}

/// An axis counted from the front, given one counted from the front (`0..rank`) or from the back (`−rank..0`).
///
/// # Panics
/// If there is no such axis.
#[track_caller]
pub(crate) fn axis(op: &str, axis: isize, rank: usize) -> usize {
    let from_front = if axis < 0 { axis + rank as isize } else { axis };
    assert!((0..rank as isize).contains(&from_front), "{op}: axis {axis} of a tensor of rank {rank}");
    from_front as usize
}

/// Number of elements of a shape.
pub(crate) fn len(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The elements in row-major order: the array's own memory if it lies so and nothing else holds it, else a copy.
pub(crate) fn into_buffer<T: Scalar>(x: ArcArray<T, IxDyn>) -> Vec<T> {
    let x = if x.is_standard_layout() { x.into_owned() } else { x.as_standard_layout().into_owned() };
    let (n, (buffer, offset)) = (x.len(), x.into_raw_vec_and_offset());
    let start = offset.unwrap_or(0);
    if buffer.len() == n { buffer } else { buffer[start..start + n].to_vec() } // x was a part of something larger
}

/// The axes of `x` ordered as its memory is, the slowest first, with the last axis kept last.
///
/// A time-major sequence seen as (B, T, C) can thus be read as rows of length C without a copy.
pub(crate) fn memory_order<T>(x: &ArrayViewD<T>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.ndim()).collect();
    let leading = x.ndim().saturating_sub(1);
    order[..leading].sort_by_key(|&axis| (std::cmp::Reverse(x.strides()[axis].unsigned_abs()), axis));
    order
}

/// The permutation that undoes `order`.
pub(crate) fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        inverse[from] = to;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array;

    #[test]
    fn shapes_broadcast_as_in_numpy() {
        assert_eq!(broadcast("add", &[2, 1, 3], &[4, 1]), [2, 4, 3]);
        assert_eq!(broadcast("add", &[], &[5]), [5]);
        assert_eq!(broadcast("add", &[0], &[1]), [0]);
    }

    #[test]
    #[should_panic(expected = "add: shapes do not broadcast, [2, 3] and [2]")]
    fn shapes_that_do_not_broadcast_are_named() {
        broadcast("add", &[2, 3], &[2]);
    }

    #[test]
    fn summing_to_a_shape_counts_how_often_it_was_broadcast() {
        let ones = Array::ones(vec![2, 4, 3]);
        assert_eq!(sum_to::<f64>(ones, &[4, 1]), Array::from_elem(vec![4, 1], 6.0));
    }

    #[test]
    fn memory_order_finds_the_time_major_sequence() {
        let x = Array::<f32, _>::zeros(vec![5, 2, 3]).permuted_axes(vec![1, 0, 2]);
        let order = memory_order(&x.view());
        assert_eq!(order, [1, 0, 2]);
        assert!(x.permuted_axes(order).is_standard_layout());
    }
}
