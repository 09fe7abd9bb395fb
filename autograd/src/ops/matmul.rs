//! Matrix products: `matmul` (2-D, a stack of rows times a matrix, batches) and `linear`.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::gemm::{self, Matrix, Store, gemm};
use crate::kernels::reduce::column_sums;
use crate::tensor::Value;
use crate::{Scalar, Tensor, passes, shape};
use ndarray::{ArrayD, ArrayView2, ArrayViewD, Axis, CowArray, Ix2, IxDyn};

/// A 2-D view in a layout that [`Matrix`] can describe: borrowed when its memory has no gaps, copied otherwise.
fn gapless<'a, T: Scalar>(x: ArrayView2<'a, T>) -> CowArray<'a, T, Ix2> {
    let forward = x.strides().iter().all(|&stride| stride >= 0);
    if forward && x.as_slice_memory_order().is_some() { x.into() } else { x.as_standard_layout().into_owned().into() }
}

fn matrix<'a, T: Scalar>(x: &'a CowArray<'_, T, Ix2>) -> Matrix<'a, T> {
    let stride = |axis: usize| x.strides()[axis] as usize; // not negative: see `gapless`
    let data = x.as_slice_memory_order().expect("gapless");
    Matrix::with_strides(data, x.nrows(), x.ncols(), stride(0), stride(1))
}

/// `A·B` for arrays of any layout, each row begun with the bias if there is one.
fn product<T: Scalar>(a: ArrayView2<T>, b: ArrayView2<T>, bias: Option<&[T]>) -> Vec<T> {
    let (a, b) = (gapless(a), gapless(b));
    gemm::matmul(matrix(&a), matrix(&b), bias)
}

/// `sum + A·B`, in the place of the sum where there is one.
fn add_product<T: Scalar>(a: ArrayView2<T>, b: ArrayView2<T>, sum: Option<Vec<T>>) -> Vec<T> {
    let Some(mut sum) = sum else { return product(a, b, None) };
    let (a, b) = (gapless(a), gapless(b));
    gemm(matrix(&a), matrix(&b), Store::Accumulate, &mut sum);
    sum
}

fn two_d<T: Scalar>(x: &Value<T>) -> ArrayView2<'_, T> {
    x.view().into_dimensionality().expect("rank 2")
}

impl<T: Scalar> Tensor<T> {
    /// The matrix product. `z = x·y`, `∂x = g·yᵀ`, `∂y = xᵀ·g`. Saves both (shared, not copied).
    ///
    /// # Shapes
    /// (M, K) × (K, N) → (M, N) · (…, M, K) × (K, N) → (…, M, N), as one product of all rows ·
    /// (…, M, K) × (…, K, N) → (…, M, N) with the leading axes broadcast.
    ///
    /// # Panics
    /// If a rank is below 2, the inner sizes differ, or leading axes do not broadcast.
    #[track_caller]
    pub fn matmul(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let (sx, sy) = (self.shape(), rhs.shape());
        assert!(sx.len() >= 2 && sy.len() >= 2, "matmul: needs ranks of at least 2, {sx:?} × {sy:?}");
        assert_eq!(sx[sx.len() - 1], sy[sy.len() - 2], "matmul: inner dimensions differ, {sx:?} × {sy:?}");
        if sy.len() == 2 { self.matmul_rows(rhs) } else { self.matmul_batched(rhs) }
    }

    /// (…, K) × (K, N): all rows in one product.
    #[track_caller]
    fn matmul_rows(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let rows = Rows::of(self.value());
        let (x, y) = (rows.flatten(self.value().clone()), rhs.value().clone());
        let n = y.shape()[1];
        shape::count("matmul", &[rows.len(), n]);
        let z = product(two_d(&x), two_d(&y), None);
        Tensor::from_op("matmul", rows.restore(z, n), [self, rhs], move |g, [dx, dy]| {
            let g = rows.flatten(g.into_shared());
            dx.add(|| rows.restore(product(two_d(&g), two_d(&y).t(), None), x.shape()[1]));
            dy.fold(|dy| add_product(two_d(&x).t(), two_d(&g), dy));
        })
    }

    /// (…, M, K) × (…, K, N), a product for each index of the broadcast leading axes.
    #[track_caller]
    fn matmul_batched(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let (sx, sy) = (self.shape(), rhs.shape());
        let (x_batch, y_batch) = (&sx[..sx.len() - 2], &sy[..sy.len() - 2]);
        let batch = shape::broadcast("matmul", x_batch, y_batch);
        let whole = |batch: &[usize], s: &[usize]| [batch, &s[s.len() - 2..]].concat();
        let (x_shape, y_shape) = (whole(&batch, sx), whole(&batch, sy));
        let (x, y) = (self.value().clone(), rhs.value().clone());
        let z_shape = [&batch[..], &[sx[sx.len() - 2], sy[sy.len() - 1]]].concat();
        shape::count("matmul", &z_shape);
        let z = each_matrix(
            x.broadcast(x_shape.as_slice()).expect("broadcasts"),
            y.broadcast(y_shape.as_slice()).expect("broadcasts"),
            z_shape,
        );
        Tensor::from_op("matmul", z, [self, rhs], move |g, [dx, dy]| {
            let rank = g.ndim();
            dx.add(|| each_matrix(g.view(), transposed(&y, &y_shape, rank), x_shape.clone()));
            dy.add(|| each_matrix(transposed(&x, &x_shape, rank), g.view(), y_shape.clone()));
        })
    }

    /// `z = x·wᵀ + b`: every row of x through one layer. `∂x = g·w`, `∂w = gᵀ·x`, `∂b = Σ g` over rows. Saves x and w (shared).
    ///
    /// The product starts from the bias, so an output is one chain of multiply-adds that begins with b.
    ///
    /// # Shapes
    /// `self` (…, K) · `weight` (N, K), as in PyTorch · `bias` (N) → (…, N), in the memory order of x.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn linear(&self, weight: &Tensor<T>, bias: Option<&Tensor<T>>) -> Tensor<T> {
        let (sx, sw) = (self.shape(), weight.shape());
        assert!(!sx.is_empty() && sw.len() == 2 && sx[sx.len() - 1] == sw[1], "linear: input {sx:?}, weight {sw:?}");
        let n = sw[0];
        let rows = Rows::of(self.value());
        let (x, w) = (rows.flatten(self.value().clone()), weight.value().clone());
        shape::count("linear", &[rows.len(), n]);
        let z = match bias {
            None => product(two_d(&x), two_d(&w).t(), None),
            Some(b) => {
                assert_eq!(b.shape(), [n], "linear: weight {sw:?}, bias {:?}", b.shape());
                product(two_d(&x), two_d(&w).t(), b.standard().as_slice())
            }
        };
        let untracked = Tensor::zeros(&[n]);
        let inputs = [self, weight, bias.unwrap_or(&untracked)];
        Tensor::from_op("linear", rows.restore(z, n), inputs, move |g, [dx, dw, db]| {
            let g = rows.flatten(g.into_shared());
            dx.add(|| rows.restore(product(two_d(&g), two_d(&w), None), x.shape()[1]));
            dw.fold(|dw| add_product(two_d(&g).t(), two_d(&x), dw));
            db.write(|db, store| column_sums(g.as_slice().expect("row-major"), store, db));
        })
    }
}

/// `x` broadcast to a shape, the last two axes exchanged.
fn transposed<'a, T: Scalar>(x: &'a Value<T>, shape: &[usize], rank: usize) -> ArrayViewD<'a, T> {
    let mut x = x.broadcast(shape).expect("broadcasts");
    x.swap_axes(rank - 2, rank - 1);
    x
}

/// A product for each index of the leading axes, which are equal in all three.
fn each_matrix<T: Scalar>(x: ArrayViewD<T>, y: ArrayViewD<T>, shape: Vec<usize>) -> ArrayD<T> {
    let (batch, size) = shape.split_at(shape.len() - 2);
    let (x, y) = (of_gapless_matrices(x), of_gapless_matrices(y));
    let (x, y) = (x.view(), y.view());
    let z = gemm::matmul_each(shape::len(batch), (size[0], size[1]), |i| (nth(&x, i), nth(&y, i)));
    ArrayD::from_shape_vec(shape, z).expect("a matrix for each index")
}

/// The array, copied if the matrices of its last two axes are not in a layout that [`Matrix`] can describe.
fn of_gapless_matrices<T: Scalar>(x: ArrayViewD<T>) -> CowArray<T, IxDyn> {
    let first =
        (0..x.ndim() - 2).try_fold(x.view(), |x, _| (x.len_of(Axis(0)) > 0).then(|| x.index_axis_move(Axis(0), 0)));
    let described =
        |x: &ArrayViewD<T>| x.strides().iter().all(|&stride| stride >= 0) && x.as_slice_memory_order().is_some();
    if first.is_none_or(|first| described(&first)) { x.into() } else { passes::copy(&x).into() }
}

/// Matrix `i` of the last two axes, counted in row-major order of the leading ones.
fn nth<'a, T: Scalar>(x: &ArrayViewD<'a, T>, mut i: usize) -> Matrix<'a, T> {
    let mut x = x.clone();
    while x.ndim() > 2 {
        let last = Axis(x.ndim() - 3);
        let size = x.len_of(last);
        x = x.index_axis_move(last, i % size);
        i /= size;
    }
    let stride = |axis: usize| x.strides()[axis] as usize; // not negative: see `of_gapless_matrices`
    let data = x.to_slice_memory_order().expect("gapless");
    Matrix::with_strides(data, x.shape()[0], x.shape()[1], stride(0), stride(1))
}

pub(crate) fn cases() -> Vec<Case> {
    let product = |x: &[usize], y: &[usize]| {
        Case::new("matmul", &[real(x), real(y)], |x| x[0].matmul(&x[1])).variant(format!("{x:?} × {y:?}"))
    };
    let transposed = |x: &[Tensor<f64>]| x[0].transpose(0, 1).matmul(&x[1].transpose(0, 1));
    let time_major = |x: &[Tensor<f64>]| x[0].transpose(0, 1).linear(&x[1], Some(&x[2]));
    vec![
        product(&[2, 3], &[3, 4]),
        product(&[1, 3], &[3, 1]),
        product(&[2, 0], &[0, 3]),
        product(&[0, 2], &[2, 3]),
        product(&[2, 2, 3], &[3, 2]),
        product(&[2, 2, 3], &[2, 3, 2]),
        product(&[3, 1, 2, 2], &[2, 2, 1]),
        product(&[2, 2], &[3, 2, 2]),
        Case::new("matmul", &[real(&[3, 2]), real(&[4, 3])], transposed).variant("both transposed"),
        Case::new("matmul", &[real(&[3, 3])], |x| x[0].matmul(&x[0])).variant("the same tensor twice"),
        Case::new("matmul", &[real(&[4, 3])], |x| x[0].embedding(&[2, 0, 2], &[3]).matmul(&x[0].transpose(0, 1)))
            .variant("a table tied to the output"),
        Case::new("matmul", &[real(&[4, 3])], |x| {
            let output = x[0].transpose(0, 1);
            x[0].embedding(&[2, 0, 2], &[3]).matmul(&output)
        })
        .variant("a table tied to the output, transposed first"),
        Case::new("linear", &[real(&[2, 3]), real(&[4, 3]), real(&[4])], |x| x[0].linear(&x[1], Some(&x[2]))),
        Case::new("linear", &[real(&[3]), real(&[2, 3])], |x| x[0].linear(&x[1], None)).variant("one row, no bias"),
        Case::new("linear", &[real(&[2, 3]), real(&[3, 3])], |x| x[0].linear(&x[1], None).linear(&x[1], None))
            .variant("a weight used twice"),
        Case::new("linear", &[real(&[2, 3, 2]), real(&[2, 2]), real(&[2])], time_major).variant("axes exchanged"),
        Case::new("linear", &[real(&[2, 0]), real(&[3, 0]), real(&[3])], |x| x[0].linear(&x[1], Some(&x[2])))
            .variant("empty"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "matmul: inner dimensions differ, [8, 32] × [64, 10]")]
    fn a_shape_mistake_names_the_op_and_both_shapes() {
        Tensor::<f32>::zeros(&[8, 32]).matmul(&Tensor::zeros(&[64, 10]));
    }

    #[test]
    fn a_time_major_sequence_goes_through_a_layer_without_a_copy_and_stays_time_major() {
        let x = Tensor::<f32>::zeros(&[5, 2, 3]).transpose(0, 1);
        let z = x.linear(&Tensor::zeros(&[4, 3]), None);
        assert_eq!(z.shape(), [2, 5, 4]);
        assert!(z.transpose(0, 1).view().is_standard_layout());
    }
}
