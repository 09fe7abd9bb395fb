//! Passes over the elements of arrays of any layout, in parallel when there is enough work: functions of one and of two operands,
//! copies, sums in place. The arithmetic is in `kernels/elementwise.rs` and `kernels/strided.rs`; here layouts are brought together.
//!
//! Not the place for reductions, nor for shapes that do not agree: operands have been broadcast.

use crate::kernels::{elementwise, strided};
use crate::{Scalar, shape};
use ndarray::{ArcArray, ArrayD, ArrayViewD, CowArray, IxDyn, ShapeBuilder};

/// The elements of an array without gaps, as they lie in memory, with strides that are not negative.
fn gapless<'a, T>(x: &'a ArrayViewD<T>) -> Option<&'a [T]> {
    let forward = x.strides().iter().all(|&stride| stride >= 0);
    if forward { x.as_slice_memory_order() } else { None }
}

/// A buffer as an array with the shape and the strides of `x`.
fn laid_out_as<T: Scalar>(x: &ArrayViewD<T>, elements: Vec<T>) -> ArrayD<T> {
    let strides: Vec<usize> = x.strides().iter().map(|&stride| stride as usize).collect();
    ArrayD::from_shape_vec(x.raw_dim().strides(IxDyn(&strides)), elements).expect("as many elements, without gaps")
}

/// The array in row-major order, copied.
pub(crate) fn copy<T: Scalar>(x: &ArrayViewD<T>) -> ArrayD<T> {
    ArrayD::from_shape_vec(x.raw_dim(), T::copy(x.view())).expect("as many elements")
}

/// The array in row-major order, moved when it already is.
pub(crate) fn row_major<T: Scalar>(x: ArrayD<T>) -> ArrayD<T> {
    if x.is_standard_layout() { x } else { copy(&x.view()) }
}

/// The array in row-major order, shared when it already is.
pub(crate) fn standard<T: Scalar>(x: &ArcArray<T, IxDyn>) -> ArcArray<T, IxDyn> {
    if x.is_standard_layout() { x.clone() } else { copy(&x.view()).into_shared() }
}

/// `f` applied to a copy of `x`, chunk by chunk; in the memory order of `x` where it has no gaps.
pub(crate) fn map_chunks<T: Scalar>(x: &ArcArray<T, IxDyn>, f: &(dyn Fn(&mut [T]) + Sync)) -> ArrayD<T> {
    let view = x.view();
    match gapless(&view) {
        Some(xs) => laid_out_as(&view, elementwise::copy_and_update(xs, f)),
        None => {
            let x = T::copy(view.view());
            ArrayD::from_shape_vec(view.raw_dim(), elementwise::copy_and_update(&x, f)).expect("as many elements")
        }
    }
}

/// `f(x)` of every element, as [`map_chunks`].
pub(crate) fn map<T: Scalar>(x: &ArcArray<T, IxDyn>, f: impl Fn(T) -> T + Copy + Send + Sync) -> ArrayD<T> {
    map_chunks(x, &elementwise::each(f))
}

/// `f(x)` of every element, in the array's own buffer.
pub(crate) fn update<T: Scalar>(mut x: ArrayD<T>, f: impl Fn(T) -> T + Copy + Send + Sync) -> ArrayD<T> {
    match x.as_slice_memory_order_mut() {
        Some(xs) => elementwise::update(xs, f),
        None => x.mapv_inplace(f),
    }
    x
}

/// The array, copied if elements along its last axis are neither side by side nor all one: walking across lines of cache costs
/// more than a copy that does not.
fn along_lines<'a, T: Scalar>(x: ArrayViewD<'a, T>) -> CowArray<'a, T, IxDyn> {
    let last = (0..x.ndim()).rev().find(|&axis| x.shape()[axis] > 1);
    if last.is_none_or(|axis| matches!(x.strides()[axis], 0 | 1)) { x.into() } else { copy(&x).into() }
}

/// `f(x, y)` of every pair of elements of two arrays of one shape, laid out as the one of them that repeats none.
pub(crate) fn zip_map<T: Scalar>(
    x: &ArrayViewD<T>,
    y: &ArrayViewD<T>,
    f: impl Fn(T, T) -> T + Copy + Send + Sync,
) -> ArrayD<T> {
    let repeats = |x: &ArrayViewD<T>| x.shape().iter().zip(x.strides()).any(|(&size, &stride)| size > 1 && stride == 0);
    let order = match [x, y].into_iter().find(|x| !repeats(x)) {
        Some(leader) => shape::by_stride(leader.strides()),
        None => (0..x.ndim()).collect(),
    };
    let (x, y) = (x.view().permuted_axes(order.as_slice()), y.view().permuted_axes(order.as_slice()));
    let (x, y) = (along_lines(x), along_lines(y));
    let z = ArrayD::from_shape_vec(x.raw_dim(), strided::zip_map(x.view(), y.view(), f)).expect("as many elements");
    z.permuted_axes(shape::inverse(&order))
}

/// `x ← f(x, y)`, in the buffer of `x` where the two are laid out alike.
pub(crate) fn update_with<T: Scalar>(
    mut x: ArrayD<T>,
    y: &ArrayViewD<T>,
    f: impl Fn(T, T) -> T + Copy + Send + Sync,
) -> ArrayD<T> {
    let alike = x.shape() == y.shape() && x.strides() == y.strides();
    match (alike, gapless(y), x.as_slice_memory_order_mut()) {
        (true, Some(y), Some(xs)) => elementwise::update_with(xs, y, f),
        _ => return zip_map(&x.view(), y, f),
    }
    x
}

/// `f(g, x)` in the buffer of g, where it lies without gaps, chunk by chunk: `f` is given parts of both that belong together.
///
/// Unlike [`update_with`], whose closure has to be part of its loops, this is compiled once for all derivatives.
pub(crate) fn update_chunks_with<T: Scalar>(
    mut g: ArrayD<T>,
    x: &ArrayViewD<T>,
    f: &(dyn Fn(&mut [T], &[T]) + Sync),
) -> ArrayD<T> {
    let alike = g.shape() == x.shape() && g.strides() == x.strides();
    if let (true, Some(x), Some(gs)) = (alike, gapless(x), g.as_slice_memory_order_mut()) {
        elementwise::update_chunks_with(gs, x, f);
        return g;
    }
    // Both in the order of x's memory, which an op saved as it came; rules rarely see a gradient that lies otherwise.
    let order = shape::by_stride(x.strides());
    let mut g = row_major(g.permuted_axes(order.as_slice()));
    let x = x.view().permuted_axes(order.as_slice());
    let x = if x.is_standard_layout() { CowArray::from(x) } else { copy(&x).into() };
    elementwise::update_chunks_with(g.as_slice_mut().expect("row-major"), x.as_slice().expect("row-major"), f);
    g.permuted_axes(shape::inverse(&order))
}

/// `sum ← sum + x`.
pub(crate) fn accumulate<T: Scalar>(sum: &mut ArrayD<T>, x: &ArrayD<T>) {
    let alike = sum.shape() == x.shape() && sum.strides() == x.strides();
    match (alike, x.as_slice_memory_order(), sum.as_slice_memory_order_mut()) {
        (true, Some(x), Some(sum)) => elementwise::accumulate(sum, x),
        _ => *sum += x,
    }
}
