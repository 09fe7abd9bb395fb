//! Picking elements by index: rows of a table (embedding), parts of any axis (index_select), and one element of each lane (gather).

use crate::gradcheck::{Case, real};
use crate::kernels::rows::{gather_rows, scatter_add_rows};
use crate::{Scalar, Tensor, passes, shape};
use ndarray::{ArrayD, Axis, Zip};

impl<T: Scalar> Tensor<T> {
    /// Rows of a table: `z_i = x[indices_i]`. `∂x[v] = Σ g_i` over the i with `indices_i = v`. Saves the indices.
    ///
    /// # Shapes
    /// `self` (V, C) · `indices` one for each position of `leading`, in row-major order → (leading…, C)
    ///
    /// # Panics
    /// If an index is not below V, or the number of indices is not that of positions.
    #[track_caller]
    pub fn embedding(&self, indices: &[u32], leading: &[usize]) -> Tensor<T> {
        assert_eq!(self.rank(), 2, "embedding: the table has shape {:?}", self.shape());
        assert_eq!(
            indices.len(),
            shape::count("embedding", leading),
            "embedding: number of indices for positions {leading:?}"
        );
        let (rows, columns) = (self.shape()[0], self.shape()[1]);
        if let Some(index) = indices.iter().find(|&&index| index as usize >= rows) {
            panic!("embedding: index {index} into a table of {rows} rows");
        }
        let table = self.standard();
        let mut z = vec![T::zero(); indices.len() * columns];
        gather_rows(table.as_slice().expect("row-major"), columns, indices, &mut z);
        let z = ArrayD::from_shape_vec([leading, &[columns]].concat(), z).expect("one row for each index");
        let indices = indices.to_vec();
        Tensor::from_op("embedding", z, [self], move |g, [dx]| {
            let g = passes::row_major(g);
            dx.update(|mut dx| {
                let dx = dx.as_slice_mut().expect("row-major");
                scatter_add_rows(g.as_slice().expect("row-major"), columns, &indices, dx);
            });
        })
    }

    /// Parts along an axis in any order, any of them any number of times: `z[…, j, …] = x[…, indices_j, …]`, as PyTorch's `index_select`.
    /// `∂x[…, v, …] = Σ g[…, j, …]` over the j with `indices_j = v`, added in the order of j. Saves the indices.
    ///
    /// # Shapes
    /// (…, n, …) → (…, number of indices, …)
    ///
    /// # Panics
    /// If the axis does not exist or an index is not below its size.
    #[track_caller]
    pub fn index_select(&self, axis: isize, indices: &[u32]) -> Tensor<T> {
        let axis = Axis(shape::axis("index_select", axis, self.rank()));
        let size = self.value().len_of(axis);
        if let Some(index) = indices.iter().find(|&&index| index as usize >= size) {
            panic!("index_select: index {index} along axis {} of {:?}", axis.0, self.shape());
        }
        let indices: Vec<usize> = indices.iter().map(|&index| index as usize).collect();
        let z = self.value().select(axis, &indices);
        Tensor::from_op("index_select", z, [self], move |g, [dx]| {
            dx.update(|mut dx| {
                for (&index, g) in indices.iter().zip(g.axis_iter(axis)) {
                    let mut dx = dx.index_axis_mut(axis, index);
                    dx += &g;
                }
            });
        })
    }

    /// One element of each lane along an axis: `z[…, j, …] = x[…, indices[…, j, …], …]`, as PyTorch's `gather`.
    /// The gradient is scattered back; an element picked twice gets both. Saves the indices.
    ///
    /// # Panics
    /// If the axis does not exist, another axis differs in size, or an index is not below the axis' size.
    #[track_caller]
    pub fn gather(&self, axis: isize, indices: &ArrayD<usize>) -> Tensor<T> {
        let axis = Axis(shape::axis("gather", axis, self.rank()));
        let mut expected = self.shape().to_vec();
        assert_eq!(
            indices.ndim(),
            expected.len(),
            "gather: ranks of {:?} and of the indices {:?}",
            expected,
            indices.shape()
        );
        expected[axis.0] = indices.len_of(axis);
        assert_eq!(indices.shape(), expected, "gather: shape of the indices");
        let size = self.value().len_of(axis);
        assert!(indices.iter().all(|&index| index < size), "gather: an index is not below {size}");
        let mut z = ArrayD::zeros(indices.shape());
        Zip::from(z.lanes_mut(axis)).and(indices.lanes(axis)).and(self.value().lanes(axis)).for_each(
            |mut z, indices, x| {
                z.iter_mut().zip(indices).for_each(|(z, &index)| *z = x[index]);
            },
        );
        let indices = indices.clone();
        Tensor::from_op("gather", z, [self], move |g, [dx]| {
            dx.update(|mut dx| {
                Zip::from(dx.lanes_mut(axis)).and(indices.lanes(axis)).and(g.lanes(axis)).for_each(
                    |mut dx, indices, g| {
                        indices.iter().zip(g).for_each(|(&index, &g)| dx[index] += g);
                    },
                );
            });
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let picked = || ndarray::arr2(&[[2, 0, 0], [1, 1, 2]]).into_dyn();
    vec![
        Case::new("embedding", &[real(&[4, 3])], |x| x[0].embedding(&[3, 1, 3, 0], &[2, 2])),
        Case::new("embedding", &[real(&[4, 2])], |x| x[0].embedding(&[], &[0])).variant("no index"),
        Case::new("gather", &[real(&[2, 3])], move |x| x[0].gather(1, &picked())),
        Case::new("gather", &[real(&[3, 2])], move |x| x[0].gather(0, &ndarray::arr2(&[[2, 0]]).into_dyn()))
            .variant("axis 0"),
        Case::new("index_select", &[real(&[2, 3])], |x| x[0].index_select(1, &[2, 0, 2, 2])),
        Case::new("index_select", &[real(&[3, 2, 2])], |x| x[0].index_select(-3, &[1, 1])).variant("axis 0"),
        Case::new("index_select", &[real(&[2, 2])], |x| x[0].index_select(0, &[])).variant("no index"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "embedding: index 4 into a table of 4 rows")]
    fn an_index_outside_the_table_is_named() {
        Tensor::<f32>::zeros(&[4, 2]).embedding(&[1, 4], &[2]);
    }

    #[test]
    fn selecting_rows_is_an_embedding_and_every_axis_works_alike() {
        let x = Tensor::from_vec((0..12).map(f64::from).collect(), &[4, 3]);
        let rows = x.index_select(0, &[3, 0, 3]);
        assert_eq!((rows.shape(), rows.to_vec()), (&[3, 3][..], x.embedding(&[3, 0, 3], &[3]).to_vec()));
        let columns = x.transpose(0, 1).index_select(-1, &[3, 0, 3]).transpose(0, 1);
        assert_eq!(columns.to_vec(), rows.to_vec());
    }

    #[test]
    #[should_panic(expected = "index_select: index 3 along axis 1 of [2, 3]")]
    fn an_index_outside_the_axis_is_named() {
        Tensor::<f32>::zeros(&[2, 3]).index_select(1, &[0, 3]);
    }
}
