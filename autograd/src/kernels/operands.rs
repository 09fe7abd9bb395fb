//! Where the operands of a product lie: the outputs, what their chains start from, and the right factor. Addresses, never arithmetic.

use super::gemm::Matrix;
use super::micro::Lane;
use super::tiling::Tiling;

/// What the chains of a product start from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<T> {
    /// 0.
    Zero,
    /// For output `(i, j)` the value at `from + i·row + j`: C itself where a product adds to it, a bias where `row` is 0.
    Values { from: *const T, row: usize },
}

// SAFETY: read-only while it is shared, unless it is C, of which each task reads what it alone writes.
unsafe impl<T: Sync> Send for Start<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Start<T> {}

impl<T> Start<T> {
    /// The start of the outputs from `(i, j)` on; only to be used if there is such an output.
    #[inline(always)]
    pub(super) fn at(self, i: usize, j: usize) -> Self {
        match self {
            Start::Zero => Start::Zero,
            Start::Values { from, row } => Start::Values { from: from.wrapping_add(i * row + j), row },
        }
    }
}

/// Where an output matrix lies: element `(i, j)` is `c + i·row + j`.
#[derive(Clone, Copy)]
pub(super) struct Target<T> {
    pub c: *mut T,
    pub row: usize,
}

impl<T> Target<T> {
    /// Where output `(i, j)` lies; only to be used if there is such an output.
    pub(super) fn at(&self, i: usize, j: usize) -> *mut T {
        self.c.wrapping_add(i * self.row + j)
    }

    /// The chains that go on from what this holds.
    pub(super) fn start(&self) -> Start<T> {
        Start::Values { from: self.c, row: self.row }
    }
}

// SAFETY: tasks that share a target write disjoint tiles of it.
unsafe impl<T: Send> Send for Target<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Target<T> {}

/// The right factor as the block product reads it: panels of as many columns as its tiling says.
#[derive(Clone, Copy)]
pub(super) enum Right<'a, T> {
    /// Packed panels of `depth` steps one after the other; only the last is narrower, and padded.
    Packed { values: *const T, depth: usize, cols: usize, tiling: &'static Tiling },
    /// In place: rows of contiguous columns.
    InPlace(Matrix<'a, T>, &'static Tiling),
}

// SAFETY: read-only while it is shared.
unsafe impl<T: Sync> Send for Right<'_, T> {}
// SAFETY: read-only while it is shared.
unsafe impl<T: Sync> Sync for Right<'_, T> {}

impl<T: Lane> Right<'_, T> {
    pub(super) fn tiling(&self) -> &'static Tiling {
        match *self {
            Right::Packed { tiling, .. } | Right::InPlace(_, tiling) => tiling,
        }
    }

    pub(super) fn cols(&self) -> usize {
        match self {
            Right::Packed { cols, .. } => *cols,
            Right::InPlace(b, _) => b.cols,
        }
    }

    /// Address of step `k` of a panel, and the distance to its next step.
    pub(super) fn panel(&self, panel: usize, k: usize) -> (*const T, usize) {
        match *self {
            Right::Packed { values, depth, cols, tiling } => {
                let width = tiling.panel_width(cols, panel);
                (values.wrapping_add(panel * tiling.cols * depth + k * width), width)
            }
            Right::InPlace(b, tiling) => {
                (b.data.as_ptr().wrapping_add(k * b.row_stride + panel * tiling.cols), b.row_stride)
            }
        }
    }
}
