//! A right factor packed once for many products: recurrent weights, taps of a convolution, weights of a generating model.
//!
//! Everything here runs on the calling thread, because it is used inside tasks that each own some rows of a batch. The product
//! that packs for itself and spreads over threads is `gemm`; the bits are the same.

use super::compact::Compact;
use super::gemm::{Gemm, Matrix, Store};
use super::operands::{Right, Start, Target};
use super::pack::{self, Line};
use super::tiling::Tiling;
use super::unwritten;
use rayon::current_num_threads;
use std::mem::MaybeUninit;
use std::ops::Range;

/// The right factor `B` (K × N) of many products `A·B`, in panels of columns.
///
/// A panel holds some columns (see [`Packed::columns_of`]) for each k in turn, as many as suit the instruction set that was in use
/// when it was packed; products with it go on to use that set.
#[derive(Clone, Debug)]
pub struct Packed<T> {
    rows: usize,
    cols: usize,
    /// Empty, where the weights are compact.
    values: Vec<Line<T>>,
    compact: Option<Compact>,
    tiling: &'static Tiling,
}

/// The order in which a pass over a matrix reads it.
///
/// Passes that alternate find what the last one read last still in the level-2 cache; passes in one order would evict
/// everything before they come to it, as soon as the matrix is larger than the cache. The outputs have the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The first columns first.
    #[default]
    Forward,
    /// The last columns first.
    Backward,
}

impl Direction {
    /// The other one.
    pub fn reversed(self) -> Self {
        if self == Direction::Forward { Direction::Backward } else { Direction::Forward }
    }
}

impl<T: Gemm> Packed<T> {
    /// Packs `b`.
    pub fn new(b: Matrix<T>) -> Self {
        Self::with_tiling(b, Tiling::in_use())
    }

    /// [`Packed::new`] for another instruction set than the one in use.
    pub(super) fn with_tiling(b: Matrix<T>, tiling: &'static Tiling) -> Self {
        let mut packed = Packed { rows: 0, cols: 0, values: Vec::new(), compact: None, tiling };
        packed.pack(b);
        packed
    }

    /// The same, stored in fewer bits where all its values have no more: in bf16, or as whole numbers of 8 bits by a power of two for each
    /// column. Products keep their bits; those of one row, which are as fast as memory, have half or a quarter of it to read.
    #[must_use]
    pub fn compacted(mut self) -> Self {
        let values = pack::all(&self.values);
        let compact = T::as_f32(values).and_then(|values| Compact::of(values, self.tiling, self.rows, self.cols));
        if compact.is_some() {
            (self.values, self.compact) = (Vec::new(), compact);
        }
        self
    }

    /// Whether it is stored in fewer bits.
    pub fn is_compact(&self) -> bool {
        self.compact.is_some()
    }

    /// Bytes that its values take.
    pub fn bytes(&self) -> usize {
        self.compact.as_ref().map_or(size_of_val(&self.values[..]), Compact::bytes)
    }

    /// Packs `b` into memory that this thread keeps for its products: for a factor that is not kept for long.
    pub(super) fn on_loan(b: Matrix<T>) -> Self {
        let values = pack::take(Tiling::in_use().packed_len(b.rows(), b.cols()));
        let mut packed = Packed { rows: 0, cols: 0, values, compact: None, tiling: Tiling::in_use() };
        packed.repack(b);
        packed
    }

    /// Ends [`Packed::on_loan`].
    pub(super) fn give_back(self) {
        pack::give_back(self.values);
    }

    /// Packs another matrix, or the same one after a training step, into the memory already held. Parallel.
    pub fn repack(&mut self, b: Matrix<T>) {
        self.tiling = Tiling::in_use();
        self.pack(b);
    }

    fn pack(&mut self, b: Matrix<T>) {
        (self.rows, self.cols, self.compact) = (b.rows(), b.cols(), None);
        let len = self.tiling.packed_len(b.rows(), b.cols());
        self.values = pack::with_len(std::mem::take(&mut self.values), len);
        let parallel = len >= super::parallel::MIN_PARALLEL && current_num_threads() > 1;
        // SAFETY: the buffer has room for all panels and is ours.
        unsafe { T::pack(self.tiling, b, self.values.as_mut_ptr().cast(), parallel) };
    }

    /// K, the rows of B: what a row of A must have as columns.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// N, the columns of B and of the product.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The number of panels.
    pub fn panels(&self) -> usize {
        self.cols.div_ceil(self.tiling.cols)
    }

    /// The columns of B that a panel holds.
    pub fn columns_of(&self, panel: usize) -> Range<usize> {
        let width = self.tiling.cols;
        panel * width..self.cols.min((panel + 1) * width)
    }

    pub(super) fn tiling(&self) -> &'static Tiling {
        self.tiling
    }

    pub(super) fn compact(&self) -> Option<&Compact> {
        self.compact.as_ref()
    }

    /// The panels as products read them; not of a compact matrix, see [`Packed::with_right`].
    pub(super) fn right(&self) -> Right<'_, T> {
        debug_assert!(self.compact.is_none(), "packed: the weights are compact");
        Right::Packed { values: self.values.as_ptr().cast(), depth: self.rows, cols: self.cols, tiling: self.tiling }
    }

    /// Some panels as products read them, widened into memory that this thread keeps for its products where they are compact.
    fn with_right<R>(&self, panels: Range<usize>, product: impl FnOnce(&Right<T>) -> R) -> R {
        let Some(compact) = &self.compact else { return product(&self.right()) };
        let skipped = panels.start * self.tiling.cols * self.rows;
        let len = self.tiling.packed_len(self.rows, self.cols.min(panels.end * self.tiling.cols)) - skipped;
        let mut wide = pack::take::<T>(len);
        let all: *mut T = wide.as_mut_ptr().cast();
        // SAFETY: the buffer has room for `len` values; only a matrix of f32 is ever compact.
        let out = unsafe { std::slice::from_raw_parts_mut(all.cast::<f32>(), len) };
        compact.widen(self.tiling, self.rows, self.cols, panels, out);
        let values = all.cast_const().wrapping_sub(skipped);
        let right = Right::Packed { values, depth: self.rows, cols: self.cols, tiling: self.tiling };
        let result = product(&right);
        pack::give_back(wide);
        result
    }

    /// `C ← A·B` or `C ← C + A·B` on the calling thread; row i of C begins at `c[i·c_row_stride]`.
    ///
    /// # Shapes
    /// `a` (M, K) → `c` (M, N), with what lies between its rows left alone.
    ///
    /// # Panics
    /// If the inner dimensions differ, rows of `c` overlap, or `c` is too short.
    pub fn product(&self, a: Matrix<T>, store: Store, c: &mut [T], c_row_stride: usize) {
        self.product_of_panels(0..self.panels(), a, store, c, c_row_stride);
    }

    /// `C ← A·B` into memory that was not written before; gives it back as what it then is.
    ///
    /// # Shapes
    /// `a` (M, K) → `c` (M, N)
    ///
    /// # Panics
    /// If a length does not fit, or B has no rows.
    pub(super) fn product_into<'c>(&self, a: Matrix<T>, c: &'c mut [MaybeUninit<T>]) -> &'c mut [T] {
        assert_eq!(a.cols(), self.rows, "packed product: inner dimensions differ");
        assert_eq!(c.len(), a.rows() * self.cols, "packed product: output has the wrong length");
        assert!(self.rows > 0, "packed product: chains of nothing");
        let target = Target { c: c.as_mut_ptr().cast::<T>(), row: self.cols };
        // SAFETY: c has room for all rows and columns, each of which the product writes and none of which it reads.
        unsafe {
            if !c.is_empty() {
                self.with_right(0..self.panels(), |right| T::packed(a, right, 0..self.panels(), Start::Zero, target));
            }
            unwritten::written_mut(c)
        }
    }

    /// The columns of some panels only: what a step needs next, so that it can go on with them while they are in the cache.
    ///
    /// # Shapes
    /// `a` (M, K) → `c` (M, columns of these panels), row i beginning at `c[i·c_row_stride]`.
    ///
    /// # Panics
    /// As [`Packed::product`], or if there is no such panel.
    pub fn product_of_panels(
        &self,
        panels: Range<usize>,
        a: Matrix<T>,
        store: Store,
        c: &mut [T],
        c_row_stride: usize,
    ) {
        assert_eq!(a.cols(), self.rows, "packed product: inner dimensions differ");
        assert!(panels.end <= self.panels(), "packed product: no such panel");
        if a.rows() == 0 || panels.is_empty() {
            return;
        }
        let skipped = panels.start * self.tiling.cols;
        let width = self.cols.min(panels.end * self.tiling.cols) - skipped;
        assert!(c_row_stride >= width || a.rows() == 1, "packed product: rows of the output overlap");
        assert!((a.rows() - 1) * c_row_stride + width <= c.len(), "packed product: output too short");
        if self.rows == 0 {
            if store == Store::Overwrite {
                (0..a.rows()).for_each(|i| c[i * c_row_stride..][..width].fill(T::default()));
            }
            return;
        }
        let target = Target { c: c.as_mut_ptr().wrapping_sub(skipped), row: c_row_stride };
        let start = if store == Store::Overwrite { Start::Zero } else { target.start() };
        // SAFETY: only columns from `skipped` on are written, so every address lies in `c`, whose length was checked.
        self.with_right(panels.clone(), |right| unsafe { T::packed(a, right, panels, start, target) });
    }
}
