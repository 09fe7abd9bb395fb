//! A tensor read as one row for each index of the axes that a reduction keeps: the reduced axes put last and made one. For reductions that
//! are more than a sum. Rows along the last axis alone are `rows.rs`.

use super::reduce::{sorted_axes, without};
use crate::{Scalar, shape};
use ndarray::{ArcArray, ArrayD, Axis, IxDyn};

/// The way from a tensor to its rows of reduced elements, and back.
#[derive(Clone)]
pub(crate) struct ReducedAxes {
    shape: Vec<usize>,
    /// Ascending, from the front.
    axes: Vec<usize>,
}

impl ReducedAxes {
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub(crate) fn new(op: &str, axes: &[isize], shape: &[usize]) -> ReducedAxes {
        ReducedAxes { shape: shape.to_vec(), axes: sorted_axes(op, axes, shape.len()) }
    }

    /// How many elements make one.
    pub(crate) fn count(&self) -> usize {
        self.axes.iter().map(|&axis| self.shape[axis]).product()
    }

    /// The shape with the axes removed.
    pub(crate) fn kept(&self) -> Vec<usize> {
        without(&self.shape, &self.axes)
    }

    /// The elements of `x`, row after row of [`ReducedAxes::count`].
    pub(crate) fn rows<T: Scalar>(&self, x: &ArcArray<T, IxDyn>) -> Vec<T> {
        let mut order: Vec<usize> = (0..self.shape.len()).filter(|axis| !self.axes.contains(axis)).collect();
        order.extend(&self.axes);
        shape::into_buffer(x.clone().permuted_axes(order))
    }

    /// One value for each row, as a tensor with the axes removed.
    pub(crate) fn reduced<T: Scalar>(&self, values: Vec<T>) -> ArrayD<T> {
        ArrayD::from_shape_vec(self.kept(), values).expect("one value for each row")
    }

    /// A tensor with the axes removed, repeated along them.
    pub(crate) fn spread<T: Scalar>(&self, mut reduced: ArrayD<T>) -> ArrayD<T> {
        for &axis in &self.axes {
            reduced = reduced.insert_axis(Axis(axis));
        }
        reduced.broadcast(self.shape.as_slice()).expect("sizes 1 and equal sizes broadcast").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_the_reduced_elements_and_their_values_spread_back() {
        let x = ndarray::Array::from_shape_fn((2, 3, 2), |(i, j, k)| (100 * i + 10 * j + k) as f64).into_dyn();
        let axes = ReducedAxes::new("sum", &[0, -1], x.shape());
        assert_eq!((axes.count(), axes.kept()), (4, vec![3]));
        let rows = axes.rows(&x.into_shared());
        assert_eq!(rows[4..8], [10.0, 11.0, 110.0, 111.0]);
        let spread = axes.spread(axes.reduced(vec![7.0, 8.0, 9.0]));
        assert_eq!(spread.shape(), [2, 3, 2]);
        assert!(spread.indexed_iter().all(|(at, &value)| value == 7.0 + at[1] as f64));
    }
}
