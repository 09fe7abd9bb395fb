//! General matrix product `C ← A·B` or `C ← C + A·B` over strided operands.

/// A read-only strided matrix over a slice.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Row-major `rows × cols`.
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::with_strides(data, rows, cols, cols, 1)
    }

    /// Element `(i, j)` is `data[i·row_stride + j·col_stride]`.
    ///
    /// # Panics
    /// If an element lies outside `data`.
    pub fn with_strides(data: &'a [T], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        if rows > 0 && cols > 0 {
            assert!(
                (rows - 1) * row_stride + (cols - 1) * col_stride < data.len(),
                "matrix: element outside its slice"
            );
        }
        Matrix { data, rows, cols, row_stride, col_stride }
    }

    /// The transpose, as a view.
    pub fn t(self) -> Self {
        Matrix { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// Rows `first..last`, as a view.
    pub fn row_range(self, first: usize, last: usize) -> Self {
        assert!(first <= last && last <= self.rows, "matrix: rows outside");
        let start = if first == last { 0 } else { first * self.row_stride };
        Matrix { data: &self.data[start..], rows: last - first, ..self }
    }

    /// Element `(i, j)`.
    #[inline(always)]
    pub fn at(&self, i: usize, j: usize) -> T
    where
        T: Copy,
    {
        self.data[i * self.row_stride + j * self.col_stride]
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
}

/// What a kernel does with the memory it writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// `C ← result`; what was there is not read.
    Overwrite,
    /// `C ← C + result`.
    Accumulate,
}

/// The element types that have a matrix product.
pub trait Gemm: Copy + Send + Sync + 'static {
    #[doc(hidden)]
    fn raw(a: Matrix<Self>, b: Matrix<Self>, store: Store, c: &mut [Self]);
}

macro_rules! by_matrixmultiply {
    ($t:ty, $f:ident) => {
        impl Gemm for $t {
            fn raw(a: Matrix<Self>, b: Matrix<Self>, store: Store, c: &mut [Self]) {
                let beta = if store == Store::Overwrite { 0.0 } else { 1.0 };
                // SAFETY: `Matrix` guarantees that every element of a and b lies in its slice, and `gemm` checked c's length.
                unsafe {
                    matrixmultiply::$f(
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
                        beta,
                        c.as_mut_ptr(),
                        b.cols as isize,
                        1,
                    );
                }
            }
        }
    };
}
by_matrixmultiply!(f32, sgemm);
by_matrixmultiply!(f64, dgemm);

/// `C ← A·B` or `C ← C + A·B`, with C row-major `a.rows() × b.cols()`; parallel over tiles of C.
///
/// # Panics
/// If the inner dimensions or the length of `c` do not fit.
pub fn gemm<T: Gemm>(a: Matrix<T>, b: Matrix<T>, store: Store, c: &mut [T]) {
    assert_eq!(a.cols, b.rows, "gemm: inner dimensions differ");
    assert_eq!(c.len(), a.rows * b.cols, "gemm: output has the wrong length");
    T::raw(a, b, store, c);
}
