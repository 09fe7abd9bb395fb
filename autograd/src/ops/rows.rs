//! A tensor read as rows along its last axis, in the order in which they lie in memory. For ops that work row by row.

use crate::tensor::Value;
use crate::{Scalar, passes, shape};
use ndarray::{ArrayD, IxDyn};

/// The way from a tensor (…, C) to its rows of length C and back, taken in memory order so that a time-major sequence seen
/// as (B, T, C) is not copied.
pub(crate) struct Rows {
    order: Vec<usize>,
    shape: Vec<usize>,
}

impl Rows {
    pub(crate) fn of<T: Scalar>(x: &Value<T>) -> Rows {
        let order = shape::memory_order(&x.view());
        let shape = order.iter().map(|&axis| x.shape()[axis]).collect();
        Rows { order, shape }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        shape::len(&self.shape[..self.shape.len() - 1])
    }

    /// `x`, laid out like the tensor this came from, as (rows, C).
    pub(crate) fn flatten<T: Scalar>(&self, x: Value<T>) -> Value<T> {
        let columns = *x.shape().last().expect("rank ≥ 1");
        let x = x.permuted_axes(self.order.as_slice());
        let x = passes::standard(&x);
        x.into_shape_with_order(IxDyn(&[self.len(), columns])).expect("row-major")
    }

    /// [`Rows::flatten`] as a buffer to write to: x's own when nothing else holds it, else a copy.
    pub(crate) fn buffer<T: Scalar>(&self, x: Value<T>) -> Vec<T> {
        shape::into_buffer(self.flatten(x))
    }

    /// Rows of any length as a tensor with the leading axes of the one this came from.
    pub(crate) fn restore<T: Scalar>(&self, rows: Vec<T>, columns: usize) -> ArrayD<T> {
        let mut shape = self.shape.clone();
        *shape.last_mut().expect("rank ≥ 1") = columns;
        let x = ArrayD::from_shape_vec(shape, rows).expect("as many rows");
        x.permuted_axes(shape::inverse(&self.order))
    }

    /// Values given one for each position in row-major order of the leading axes, in the order of the rows.
    pub(crate) fn arrange<S: Copy>(&self, values: &[S]) -> Vec<S> {
        let leading = self.order.len() - 1;
        let mut shape = vec![0; leading];
        (0..leading).for_each(|i| shape[self.order[i]] = self.shape[i]);
        let values = ndarray::ArrayView::from_shape(shape, values).expect("one value for each position");
        values.permuted_axes(&self.order[..leading]).iter().copied().collect()
    }
}
