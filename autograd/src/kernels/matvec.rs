//! One row times a packed matrix: a generated symbol. What limits it is how fast the weights arrive from the cache they fit in.
//!
//! The same chains as every product (`micro` states the law), so a step equals its row of the parallel pass bit for bit.

use super::blocked::{self, Target};
use super::gemm::{Gemm, Matrix, Store};
use super::micro::{Isa, Row};
use super::packed::{NR, Packed};
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
    pub fn row(&self, x: &[T], store: Store, y: &mut [T]) {
        assert_eq!(y.len(), self.cols(), "row product: output has the wrong length");
        self.row_of_panels(0..self.panels(), x, store, y);
    }

    /// The columns of some panels of the product of one row.
    ///
    /// # Shapes
    /// `x` (K) → `y` (columns of these panels)
    ///
    /// # Panics
    /// If a length does not fit or there is no such panel.
    pub fn row_of_panels(&self, panels: Range<usize>, x: &[T], store: Store, y: &mut [T]) {
        assert_eq!(x.len(), self.rows(), "row product: inner dimensions differ");
        assert!(panels.start <= panels.end && panels.end <= self.panels(), "row product: no such panel");
        let width = self.cols().min(panels.end * NR).saturating_sub(panels.start * NR);
        assert_eq!(y.len(), width, "row product: output has the wrong length");
        if store == Store::Overwrite {
            y.fill(T::default());
        }
        if x.is_empty() || y.is_empty() {
            return;
        }
        // SAFETY: x has K values, y the columns of these panels.
        unsafe { self.row_unchecked(panels, x, y.as_mut_ptr()) };
    }

    /// `y ← y + x·B` for some panels.
    ///
    /// # Safety
    /// `y` is valid for the columns of the panels, which exist; `x` has K > 0 values.
    unsafe fn row_unchecked(&self, panels: Range<usize>, x: &[T], y: *mut T) {
        let isa = Isa::best();
        let right = self.right();
        // Full panels are one array; a narrower last one is a block of its own.
        let full = panels.start..panels.end.min(self.cols() / NR).max(panels.start);
        // SAFETY: the panels exist and y has room for their columns.
        unsafe {
            let row = Row { x: x.as_ptr(), depth: x.len(), b: right.panel(full.start, 0).0, panels: full.len(), y };
            T::row(isa, &row);
            if full.end < panels.end {
                let a = Matrix::new(x, 1, x.len());
                let c = Target { c: y.wrapping_sub(panels.start * NR), row: self.cols() };
                blocked::tile(a, &right, 0..1, full.end..panels.end, c.start(), c);
            }
        }
    }

    /// The panels that belong to one of several members: the same ones at every call, so that each member's part of the
    /// weights stays in its own cache.
    pub fn share_of(&self, member: usize, members: usize) -> Range<usize> {
        self.panels() * member / members..self.panels() * (member + 1) / members
    }

    /// `y ← x·B` or `y ← y + x·B` for one row, each member of the team computing its share of the columns.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn row_by(&self, team: &mut Team, x: &[T], store: Store, y: &mut [T]) {
        assert_eq!(y.len(), self.cols(), "row product: output has the wrong length");
        let (members, target) = (team.members(), Target { c: y.as_mut_ptr(), row: 0 });
        let cols = self.cols();
        team.run(|member| {
            let share = self.share_of(member, members);
            let columns = (share.start * NR).min(cols)..(share.end * NR).min(cols);
            // SAFETY: members' shares are disjoint parts of y, which this function holds mutably until all are done.
            let part = unsafe { std::slice::from_raw_parts_mut(target.at(0, columns.start), columns.len()) };
            self.row_of_panels(share, x, store, part);
        });
    }
}
