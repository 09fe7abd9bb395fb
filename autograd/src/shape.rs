//! Shapes: broadcasting and its reverse, axes counted from either end. No tensor, no gradient here.

use crate::kernels::reduce::axis_sums;
use crate::{Scalar, passes};
use ndarray::{ArcArray, ArrayD, ArrayViewD, IxDyn};

/// The shape two operands broadcast to, by NumPy's rule: aligned at the last axis, sizes equal or one of them 1.
///
/// # Panics
/// If they do not broadcast, the message names `op` and both shapes; if the result has more elements than memory has addresses, it
/// names that.
#[track_caller]
pub(crate) fn broadcast(op: &str, x: &[usize], y: &[usize]) -> Vec<usize> {
    let rank = x.len().max(y.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    let shape: Vec<usize> = (0..rank)
        .map(|axis| match (size(x, axis), size(y, axis)) {
            (a, b) if a == b => a,
            (1, b) => b,
            (a, 1) => a,
            _ => panic!("{op}: shapes do not broadcast, {x:?} and {y:?}"),
        })
        .collect();
    count(op, &shape);
    shape
}

/// Sums `g` over the axes along which an operand of shape `to` was broadcast: the reverse of broadcasting.
pub(crate) fn sum_to<T: Scalar>(g: ArrayD<T>, to: &[usize]) -> ArrayD<T> {
    let Some(extra) = g.ndim().checked_sub(to.len()) else { return g };
    let repeated = |&axis: &usize| axis < extra || g.shape()[axis] != to[axis - extra];
    let axes: Vec<usize> = (0..g.ndim()).filter(repeated).collect();
    if axes.is_empty() {
        return g;
    }
    let sums = sum_axes(&g.into_shared(), &axes).into_iter().map(T::of).collect();
    ArrayD::from_shape_vec(to, sums).expect("shape of a gradient and of its input")
}

/// `Σ x` over the given axes (ascending), in row-major order of the others and in double precision: whoever asks rounds it, once.
///
/// The order of each sum depends on the shape alone, not on the layout of x.
pub(crate) fn sum_axes<T: Scalar>(x: &ArcArray<T, IxDyn>, axes: &[usize]) -> Vec<f64> {
    let x = passes::standard(x);
    let xs = x.as_slice().expect("row-major");
    let (mut shape, mut sums) = (x.shape().to_vec(), None::<Vec<f64>>);
    // Axes that lie side by side are one; the innermost first, so that the next has less to add up.
    for group in axes.chunk_by(|a, b| a + 1 == *b).rev() {
        let (first, end) = (group[0], group[0] + group.len());
        let (outer, n, inner) = (len(&shape[..first]), len(&shape[first..end]), len(&shape[end..]));
        sums = Some(match sums {
            None => axis_sums(xs, outer, n, inner),
            Some(sums) => axis_sums(&sums, outer, n, inner),
        });
        shape.drain(first..end);
    }
    sums.unwrap_or_else(|| xs.iter().map(|x| x.as_f64()).collect())
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

/// Number of elements of the shape of an array that there is: it does not overflow.
pub(crate) fn len(shape: &[usize]) -> usize {
    if shape.contains(&0) { 0 } else { shape.iter().product() }
}

/// Number of elements of a shape that a caller asks for.
///
/// # Panics
/// If there are more than memory has addresses; the message names `op` and the shape.
#[track_caller]
pub(crate) fn count(op: &str, shape: &[usize]) -> usize {
    // As ndarray counts: sizes of 0 do not save the others, as strides are made of them.
    let most = shape.iter().filter(|&&size| size != 0).try_fold(1usize, |len, &size| len.checked_mul(size));
    match most {
        Some(most) if most <= isize::MAX as usize => len(shape),
        _ => panic!("{op}: a tensor of shape {shape:?} has more elements than memory has addresses"),
    }
}

/// The elements in row-major order: the array's own memory if it lies so and nothing else holds it, else a copy.
pub(crate) fn into_buffer<T: Scalar>(x: ArcArray<T, IxDyn>) -> Vec<T> {
    let x = if x.is_standard_layout() { x.into_owned() } else { passes::copy(&x.view()) };
    let (n, (buffer, offset)) = (x.len(), x.into_raw_vec_and_offset());
    let start = offset.unwrap_or(0);
    if buffer.len() == n { buffer } else { buffer[start..start + n].to_vec() } // x was a part of something larger
}

/// The axes of `x` ordered as its memory is, the slowest first, with the last axis kept last.
///
/// A time-major sequence seen as (B, T, C) can thus be read as rows of length C without a copy.
pub(crate) fn memory_order<T>(x: &ArrayViewD<T>) -> Vec<usize> {
    let leading = x.ndim().saturating_sub(1);
    let mut order = by_stride(&x.strides()[..leading]);
    order.extend(leading..x.ndim());
    order
}

/// Axes ordered by their strides, the longest first; of equals the first first.
///
/// A function of strides alone, and an insertion of few among few: a sort in generic code would be compiled for each type and
/// closure around it.
pub(crate) fn by_stride(strides: &[isize]) -> Vec<usize> {
    let mut order = Vec::with_capacity(strides.len());
    for axis in 0..strides.len() {
        let longer = |&other: &usize| strides[other].unsigned_abs() >= strides[axis].unsigned_abs();
        order.insert(order.partition_point(longer), axis);
    }
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
