//! One row times a packed matrix: a generated symbol. What limits it is how fast the weights arrive from the cache they fit in.
//!
//! The same chains as every product (`micro` states the law), so a step equals its row of the parallel pass bit for bit.

use super::compact::CompactRow;
use super::gemm::{Gemm, Store};
use super::micro::Row;
use super::operands::Target;
use super::packed::{Direction, Packed};
use super::team::Team;
use std::ops::Range;

impl<T: Gemm> Packed<T> {
    /// `y ← x·B` or `y ← y + x·B` for one row, on the calling thread.
    ///
    /// # Shapes
    /// `x` (K) → `y` (N)
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn row(&self, x: &[T], store: Store, direction: Direction, y: &mut [T]) {
        assert_eq!(x.len(), self.rows(), "row product: inner dimensions differ");
        assert_eq!(y.len(), self.cols(), "row product: output has the wrong length");
        if store == Store::Overwrite {
            y.fill(T::default());
        }
        if x.is_empty() || y.is_empty() {
            return;
        }
        let start = y.as_ptr();
        // SAFETY: x has K values, y the columns of all panels.
        unsafe { self.row_unchecked(0..self.panels(), x, start, direction, y.as_mut_ptr()) };
    }

    /// `y ← start + x·B` for some panels; the start may be y.
    ///
    /// # Safety
    /// `start` and `y` are valid for the columns of the panels, which exist; `x` has K > 0 values.
    unsafe fn row_unchecked(&self, panels: Range<usize>, x: &[T], start: *const T, direction: Direction, y: *mut T) {
        let (tiling, cols) = (self.tiling(), self.columns_of(panels.start).start..self.cols());
        let cols = cols.start..cols.end.min(panels.end * tiling.cols);
        if let Some(compact) = self.compact() {
            let (x, depth, start, y) = (x.as_ptr().cast(), x.len(), start.cast(), y.cast());
            let row = CompactRow {
                x,
                depth,
                panels,
                cols: self.cols(),
                start,
                y,
                backward: direction == Direction::Backward,
            };
            // SAFETY: as below; only a matrix of f32 is ever compact.
            return unsafe { compact.row(tiling, &row) };
        }
        let (b, backward) = (self.right().panel(panels.start, 0).0, direction == Direction::Backward);
        let row = Row { tiling, x: x.as_ptr(), depth: x.len(), b, cols: cols.len(), start, y, backward };
        // SAFETY: the panels exist; start and y have room for their columns.
        unsafe { T::row(&row) };
    }

    /// `y ← bias + x·B` for one row, the columns shared out to a team.
    ///
    /// # Shapes
    /// `x` (K) · `bias` (N) → `y` (N)
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn row_by(&self, team: &mut Team, x: &[T], bias: &[T], direction: Direction, y: &mut [T]) {
        assert_eq!(x.len(), self.rows(), "row product: inner dimensions differ");
        assert_eq!([bias.len(), y.len()], [self.cols(); 2], "row product: bias or output has the wrong length");
        if x.is_empty() {
            return y.copy_from_slice(bias);
        }
        let target = Target { c: y.as_mut_ptr(), row: 0 };
        let tiling = self.tiling();
        team.run_shares(self.panels(), tiling.together, direction == Direction::Backward, |panels| {
            let first = panels.start * tiling.cols;
            // SAFETY: the ranges are disjoint parts of y, which this function holds mutably until all are done.
            unsafe { self.row_unchecked(panels, x, bias[first..].as_ptr(), direction, target.at(0, first)) };
        });
    }
}
