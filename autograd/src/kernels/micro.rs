//! The innermost block of a matrix product, at most 8 × 48 outputs, in the best instruction set of this machine.
//!
//! The law of every product in this crate: **each output is one chain of fused multiply-adds in the order of k**, started from 0
//! or from the old output. All code here obeys it, so the bits of a product depend on nothing but its operands: not on the
//! instruction set, the tile, the thread, nor on how many other rows are computed beside a row. Where blocks are cut is not
//! decided here but in `blocked`.

use super::isa::Isa;
use super::operands::Start;
use super::{micro_portable, pack::Line};
use std::{cell::RefCell, thread::LocalKey};

/// Rows of the largest block: 8 rows × 3 vectors are 24 accumulators, which leaves registers for three vectors of B.
pub(super) const MR: usize = 8;

/// Columns of a panel of B: three vectors of sixteen. See [`super::packed::NR`].
pub(super) const NR: usize = 48;

/// Panels of one row computed together: 4 × 3 chains hide the latency of a multiply-add (4 cycles, two a cycle).
pub(super) const TOGETHER: usize = 4;

/// Columns that are packed and computed together; the last panel is padded to a multiple of it.
pub(super) const LANES: usize = 16;

/// One block of work: `C[i][j] ← start[i][j] + Σ_k A[i][k]·B[k][j]` for `i < rows ≤ MR`, `j < cols ≤ NR`, `k < depth`.
///
/// Addresses, in elements: `A[i][k]` is `a + i·a_row + k·a_step`; `B[k][j]` is `b + k·b_step + j`; `C[i][j]` is `c + i·c_row + j`.
#[derive(Clone, Copy)]
pub(super) struct Block<T> {
    pub a: *const T,
    pub a_row: usize,
    pub a_step: usize,
    pub b: *const T,
    pub b_step: usize,
    pub depth: usize,
    pub c: *mut T,
    pub c_row: usize,
    pub rows: usize,
    pub cols: usize,
    /// What is not read may be uninitialised: so may C, unless it is what the chains start from.
    pub start: Start<T>,
}

/// One row times whole panels: `y[48p + j] ← start[48p + j] + Σ_k x[k]·b[(p·depth + k)·48 + j]`. The start may be y itself.
#[derive(Clone, Copy)]
pub(super) struct Row<T> {
    pub x: *const T,
    pub depth: usize,
    pub b: *const T,
    pub panels: usize,
    pub start: *const T,
    pub y: *mut T,
    /// The last panels first.
    pub backward: bool,
}

impl<T> Row<T> {
    /// One panel as a block.
    pub(super) fn panel(&self, panel: usize) -> Block<T> {
        Block {
            a: self.x,
            a_row: 0,
            a_step: 1,
            b: self.b.wrapping_add(panel * self.depth * NR),
            b_step: NR,
            depth: self.depth,
            c: self.y.wrapping_add(panel * NR),
            c_row: 0,
            rows: 1,
            cols: NR,
            start: Start::Values { from: self.start.wrapping_add(panel * NR), row: 0 },
        }
    }
}

/// An element type with the block product. Implemented for `f32` and `f64`, and closed.
pub trait Lane: Copy + Default + Send + Sync + std::fmt::Debug + 'static {
    /// `self · x + y`, rounded once.
    #[doc(hidden)]
    fn fma(self, x: Self, y: Self) -> Self;

    /// The packing buffers this thread keeps for its next product.
    #[doc(hidden)]
    fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Line<Self>>>>>;

    /// Computes one block.
    ///
    /// # Safety
    /// `isa` runs on this machine, and every address that [`Block`] names is valid: A, B and the start to read, C to write, with
    /// nobody else writing any of them meanwhile.
    #[doc(hidden)]
    #[allow(private_interfaces)] // the trait is closed: only this crate calls it
    unsafe fn block(isa: Isa, block: &Block<Self>);

    /// `out[k·width + lane] ← from[lane·stride + k]` for `k < size.0`, `lane < size.1`, both multiples of 8, if there is a fast way.
    ///
    /// # Safety
    /// All these places are valid.
    #[doc(hidden)]
    unsafe fn transpose(
        _from: *const Self,
        _stride: usize,
        _size: (usize, usize),
        _width: usize,
        _out: *mut Self,
    ) -> bool {
        false
    }

    /// Computes one row of whole panels.
    ///
    /// # Safety
    /// As [`Lane::block`], for the addresses that [`Row`] names.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    unsafe fn row(isa: Isa, row: &Row<Self>) {
        for panel in 0..row.panels {
            // SAFETY: the caller's promise, for a part of the row.
            unsafe { Self::block(isa, &row.panel(panel)) };
        }
    }
}

impl Lane for f32 {
    fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Line<Self>>>>> {
        thread_local!(static SPARE: RefCell<Vec<Vec<Line<f32>>>> = const { RefCell::new(Vec::new()) });
        &SPARE
    }

    #[inline(always)]
    fn fma(self, x: Self, y: Self) -> Self {
        self.mul_add(x, y)
    }

    #[inline]
    #[allow(private_interfaces)]
    unsafe fn block(isa: Isa, block: &Block<Self>) {
        // SAFETY: the caller's promise is passed on; `isa` names only what this machine has.
        unsafe {
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => super::micro_avx512::block(block),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => super::micro_avx2::block(block),
                _ => micro_portable::in_lanes::<f32, 4, 16>(block),
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    unsafe fn transpose(from: *const Self, stride: usize, size: (usize, usize), width: usize, out: *mut Self) -> bool {
        let fast = Isa::in_use() != Isa::Portable;
        if fast {
            // SAFETY: the machine has AVX2, which both other instruction sets include; the caller vouches for the places.
            unsafe { super::pack_x86::transpose(from, stride, size.0, size.1, width, out) };
        }
        fast
    }

    #[cfg(target_arch = "x86_64")]
    #[allow(private_interfaces)]
    unsafe fn row(isa: Isa, row: &Row<Self>) {
        let mut panels = 0;
        // SAFETY: the caller's promise is passed on; `isa` names only what this machine has.
        unsafe {
            if isa == Isa::Avx512 {
                panels = super::micro_avx512::row(row);
            }
            for panel in panels..row.panels {
                Self::block(isa, &row.panel(panel));
            }
        }
    }
}

impl Lane for f64 {
    fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Line<Self>>>>> {
        thread_local!(static SPARE: RefCell<Vec<Vec<Line<f64>>>> = const { RefCell::new(Vec::new()) });
        &SPARE
    }

    #[inline(always)]
    fn fma(self, x: Self, y: Self) -> Self {
        self.mul_add(x, y)
    }

    #[inline]
    #[allow(private_interfaces)]
    unsafe fn block(isa: Isa, block: &Block<Self>) {
        // SAFETY: the caller's promise is passed on; `isa` names only what this machine has.
        unsafe {
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => micro_portable::x86::avx512_f64(block),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => micro_portable::x86::avx2_f64(block),
                _ => micro_portable::in_lanes::<f64, 4, 8>(block),
            }
        }
    }
}

#[cfg(test)]
mod tests;
