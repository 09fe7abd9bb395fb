//! The matrix product in double precision, over `matrixmultiply`: gradients are checked in it, and linear models are fitted.
//!
//! Not one chain for each output, as the product in single precision in `blocked` is.

use super::blocked;
use super::gemm::Matrix;
use super::operands::{Start, Target};
use super::parallel::one_by_one;

/// Rows of one task of a double-precision product: fixed, so that nothing depends on the number of threads.
const ROWS_F64: usize = 128;

/// `C ← start + A·B`.
///
/// # Safety
/// As [`Gemm::raw`](super::gemm::Gemm::raw).
pub(super) unsafe fn product(a: Matrix<f64>, b: Matrix<f64>, start: Start<f64>, c: Target<f64>) {
    let band = |i: usize| {
        let a = a.part(i..a.rows.min(i + ROWS_F64), 0..a.cols);
        // SAFETY: `Matrix` guarantees that every element of a and b lies in its slice; bands of C are disjoint; the start
        // is C itself or lies elsewhere.
        unsafe {
            if let Start::Values { from, row } = start {
                for i in i..i + a.rows {
                    std::ptr::copy(from.add(i * row), c.at(i, 0), b.cols);
                }
            }
            matrixmultiply::dgemm(
                a.rows,
                a.cols,
                b.cols,
                1.0,
                a.data.as_ptr(),
                a.row_stride as isize,
                a.col_stride as isize,
                b.data.as_ptr(),
                b.row_stride as isize,
                b.col_stride as isize,
                if matches!(start, Start::Zero) { 0.0 } else { 1.0 }, // with 0 it does not read C
                c.at(i, 0),
                c.row as isize,
                1,
            );
        }
    };
    if a.rows * a.cols * b.cols < blocked::MIN_PARALLEL {
        (0..a.rows).step_by(ROWS_F64).for_each(band);
    } else {
        one_by_one(a.rows.div_ceil(ROWS_F64), &|i| band(i * ROWS_F64));
    }
}
