//! General matrix product `C ← A·B` or `C ← C + A·B` over strided operands: what is asked for. How it is computed is in `blocked`.

use super::micro::Lane;
use super::operands::{Right, Start, Target};
use super::pack;
use super::parallel::for_each;
use super::tiling::Tiling;
use super::{blocked, double};
use std::mem::MaybeUninit;
use std::ops::Range;

/// A read-only strided matrix over a slice.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    pub(super) data: &'a [T],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
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
            // Not even a stride that wraps around may lead back into the slice: every later address relies on this.
            let (down, right) = ((rows - 1).checked_mul(row_stride), (cols - 1).checked_mul(col_stride));
            let last = down.zip(right).and_then(|(down, right)| down.checked_add(right));
            assert!(last.is_some_and(|last| last < data.len()), "matrix: element outside its slice");
        }
        Matrix { data, rows, cols, row_stride, col_stride }
    }

    /// The transpose, as a view.
    pub fn t(self) -> Self {
        Matrix { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// The part in these rows and columns, as a view.
    ///
    /// # Panics
    /// If they are not rows and columns of this matrix.
    pub fn part(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        assert!(rows.end <= self.rows && cols.end <= self.cols, "matrix: part outside");
        let (rows_len, cols_len) = (rows.len(), cols.len());
        let first = if rows_len == 0 || cols_len == 0 {
            0
        } else {
            rows.start * self.row_stride + cols.start * self.col_stride
        };
        Matrix { data: &self.data[first..], rows: rows_len, cols: cols_len, ..self }
    }

    /// Where element `(i, j)` lies; only to be read if there is such an element.
    pub(super) fn address(&self, i: usize, j: usize) -> *const T {
        self.data.as_ptr().wrapping_add(i * self.row_stride + j * self.col_stride)
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
pub trait Gemm: Lane {
    /// `C ← start + A·B` of operands that fit and are not empty.
    ///
    /// # Safety
    /// Every element of the start is valid to read, and of C to write, by nobody else.
    #[doc(hidden)]
    #[allow(private_interfaces)] // the trait is closed: only this crate calls it
    unsafe fn raw(a: Matrix<Self>, b: Matrix<Self>, start: Start<Self>, c: Target<Self>);

    /// `C ← start + A·B` for some panels of a packed B, on the calling thread.
    ///
    /// # Safety
    /// As [`Gemm::raw`], for these panels.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    unsafe fn packed(a: Matrix<Self>, b: &Right<Self>, panels: Range<usize>, start: Start<Self>, c: Target<Self>);

    /// Packs B in panels.
    ///
    /// # Safety
    /// `out` has room for them, and nobody else writes there.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    unsafe fn pack(tiling: &'static Tiling, b: Matrix<Self>, out: *mut Self, parallel: bool);
}

impl Gemm for f32 {
    #[allow(private_interfaces)]
    unsafe fn raw(a: Matrix<Self>, b: Matrix<Self>, start: Start<Self>, c: Target<Self>) {
        // SAFETY: the caller's promise.
        unsafe { blocked::product(a, b, start, c) }
    }

    #[allow(private_interfaces)]
    unsafe fn packed(a: Matrix<Self>, b: &Right<Self>, panels: Range<usize>, start: Start<Self>, c: Target<Self>) {
        // SAFETY: the caller's promise.
        unsafe { blocked::on_this_thread(a, b, panels, start, c) }
    }

    #[allow(private_interfaces)]
    unsafe fn pack(tiling: &'static Tiling, b: Matrix<Self>, out: *mut Self, parallel: bool) {
        // SAFETY: the caller's promise.
        unsafe { pack::panels(tiling, b, out, parallel) }
    }
}

impl Gemm for f64 {
    #[allow(private_interfaces)]
    unsafe fn raw(a: Matrix<Self>, b: Matrix<Self>, start: Start<Self>, c: Target<Self>) {
        // SAFETY: the caller's promise.
        unsafe { double::product(a, b, start, c) }
    }

    #[allow(private_interfaces)]
    unsafe fn packed(a: Matrix<Self>, b: &Right<Self>, panels: Range<usize>, start: Start<Self>, c: Target<Self>) {
        // SAFETY: the caller's promise.
        unsafe { blocked::on_this_thread(a, b, panels, start, c) }
    }

    #[allow(private_interfaces)]
    unsafe fn pack(tiling: &'static Tiling, b: Matrix<Self>, out: *mut Self, parallel: bool) {
        // SAFETY: the caller's promise.
        unsafe { pack::panels(tiling, b, out, parallel) }
    }
}

/// `C ← A·B` or `C ← C + A·B`, with C row-major `a.rows() × b.cols()`; parallel over tiles of C.
///
/// In f32 each output is one chain of fused multiply-adds in the order of k, started from 0 or from the old output, whatever the
/// strides, the number of threads or the instruction set; so a row has the same bits alone and among others, and the same as
/// from [`Packed`](super::packed::Packed). In f64 the bits do not depend on the number of threads.
///
/// # Panics
/// If the inner dimensions or the length of `c` do not fit.
pub fn gemm<T: Gemm>(a: Matrix<T>, b: Matrix<T>, store: Store, c: &mut [T]) {
    assert_eq!(a.cols, b.rows, "gemm: inner dimensions differ");
    assert_eq!(Some(c.len()), a.rows.checked_mul(b.cols), "gemm: output has the wrong length");
    if c.is_empty() {
        return;
    }
    if a.cols == 0 {
        if store == Store::Overwrite {
            c.fill(T::default());
        }
        return;
    }
    let c = Target { c: c.as_mut_ptr(), row: b.cols };
    let start = if store == Store::Overwrite { Start::Zero } else { c.start() };
    // SAFETY: c holds exactly the rows × columns of the product, and we hold it mutably.
    unsafe { T::raw(a, b, start, c) };
}

/// `A·B` in a new buffer, row-major; with a bias, `1·biasᵀ + A·B`: each output is one chain that begins with its bias.
///
/// # Panics
/// If the inner dimensions or the length of the bias do not fit.
pub fn matmul<T: Gemm>(a: Matrix<T>, b: Matrix<T>, bias: Option<&[T]>) -> Vec<T> {
    let mut c = Vec::new();
    append_matmul(a, b, bias, &mut c);
    c
}

/// Appends [`matmul`] to a buffer: memory is not written before the product is.
///
/// # Panics
/// As [`matmul`].
pub fn append_matmul<T: Gemm>(a: Matrix<T>, b: Matrix<T>, bias: Option<&[T]>, out: &mut Vec<T>) {
    assert_eq!(a.cols, b.rows, "matmul: inner dimensions differ");
    assert!(bias.is_none_or(|bias| bias.len() == b.cols), "matmul: length of the bias");
    let len = a.rows.checked_mul(b.cols).expect("matmul: more outputs than memory has addresses");
    out.reserve_exact(len);
    let spare: &mut [MaybeUninit<T>] = &mut out.spare_capacity_mut()[..len];
    let (c, start) = (Target { c: spare.as_mut_ptr().cast::<T>(), row: b.cols }, bias);
    let start = start.map_or(Start::Zero, |bias| Start::Values { from: bias.as_ptr(), row: 0 });
    if a.cols == 0 {
        let row = |j: usize| bias.map_or(T::default(), |bias| bias[j]);
        spare.iter_mut().enumerate().for_each(|(i, c)| _ = c.write(row(i % b.cols)));
    } else if len > 0 {
        // SAFETY: c is room for exactly the rows × columns of the product, and ours; the bias has a value for each column.
        unsafe { T::raw(a, b, start, c) };
    }
    // SAFETY: the capacity was reserved, and every output was written.
    unsafe { out.set_len(out.len() + len) };
}

/// Matrices of one shape at equal distances in a slice.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    data: &'a [T],
    stride: usize,
    shape: (usize, usize),
    strides: (usize, usize),
}

impl<'a, T> Batch<'a, T> {
    /// Element `(i, j)` of matrix `n` is `data[n·stride + i·strides.0 + j·strides.1]`; with `stride` 0 all are the same matrix.
    pub fn new(data: &'a [T], stride: usize, shape: (usize, usize), strides: (usize, usize)) -> Self {
        Batch { data, stride, shape, strides }
    }

    /// Matrix `n`.
    ///
    /// # Panics
    /// If an element of it lies outside the slice.
    pub fn at(&self, n: usize) -> Matrix<'a, T> {
        let first = n.checked_mul(self.stride).expect("matrix: element outside its slice");
        Matrix::with_strides(&self.data[first..], self.shape.0, self.shape.1, self.strides.0, self.strides.1)
    }
}

/// `C_n ← A_n·B_n` or `C_n ← C_n + A_n·B_n` for `count` independent products, parallel over them; C is (count, M, N), contiguous.
///
/// # Panics
/// If inner dimensions, the length of `c` or a slice of an operand do not fit.
pub fn gemm_batched<T: Gemm>(count: usize, a: Batch<T>, b: Batch<T>, store: Store, c: &mut [T]) {
    let ((m, k), n) = (a.shape, b.shape.1);
    assert_eq!(k, b.shape.0, "gemm_batched: inner dimensions differ");
    let len = count.checked_mul(m).and_then(|rows| rows.checked_mul(n));
    assert_eq!(Some(c.len()), len, "gemm_batched: output has the wrong length");
    if c.is_empty() {
        return;
    }
    let one = |(i, c): (usize, &mut [T])| gemm(a.at(i), b.at(i), store, c);
    // Large products spread themselves as well: a task of rayon may have tasks of its own.
    for_each(count * m * n * k >= blocked::MIN_PARALLEL, c.chunks_exact_mut(m * n).enumerate(), one);
}

/// `A_i·B_i` for `count` independent products of one shape m × n in a new buffer (count, m, n), parallel over them.
///
/// # Panics
/// If the operands of a product do not fit.
pub fn matmul_each<'a, T: Gemm>(
    count: usize,
    (m, n): (usize, usize),
    operands: impl Fn(usize) -> (Matrix<'a, T>, Matrix<'a, T>) + Sync,
) -> Vec<T> {
    let len = count.checked_mul(m).and_then(|rows| rows.checked_mul(n));
    let len = len.expect("matmul_each: more outputs than memory has addresses");
    if len == 0 {
        return Vec::new();
    }
    let one = |(i, c): (usize, &mut [MaybeUninit<T>])| {
        let (a, b) = operands(i);
        assert!((a.rows, b.cols) == (m, n) && a.cols == b.rows, "matmul_each: shapes of product {i}");
        if a.cols == 0 {
            return c.fill(MaybeUninit::new(T::default()));
        }
        // SAFETY: c is room for exactly the m × n outputs, and ours.
        unsafe { T::raw(a, b, Start::Zero, Target { c: c.as_mut_ptr().cast::<T>(), row: n }) };
    };
    let mut out = Vec::with_capacity(len);
    let parts = &mut out.spare_capacity_mut()[..len];
    // Large products spread themselves as well: a task of rayon may have tasks of its own.
    let parallel = len.saturating_mul(operands(0).0.cols) >= blocked::MIN_PARALLEL;
    for_each(parallel, parts.chunks_exact_mut(m * n).enumerate(), one);
    // SAFETY: the capacity was reserved, and every output was written.
    unsafe { out.set_len(len) };
    out
}

#[cfg(test)]
mod tests;
