//! The innermost block of a matrix product, in the instruction set in use; how large it is says `tiling`.
//!
//! The law of every product in this crate: **each output is one chain of fused multiply-adds in the order of k**, started from 0
//! or from the old output. All code here obeys it, so the bits of a product depend on nothing but its operands: not on the
//! instruction set, the tile, the thread, nor on how many other rows are computed beside a row. Where blocks are cut is not
//! decided here but in `blocked`.

use super::isa::Isa;
use super::operands::Start;
use super::tiling::Tiling;
use super::{micro_portable, pack::Line};
use std::{cell::RefCell, thread::LocalKey};

/// One block of work: `C[i][j] ← start[i][j] + Σ_k A[i][k]·B[k][j]` for `i < rows`, `j < cols`, `k < depth`, at most the
/// [`Tiling`]'s rows and columns.
///
/// Addresses, in elements: `A[i][k]` is `a + i·a_row + k·a_step`; `B[k][j]` is `b + k·b_step + j`; `C[i][j]` is `c + i·c_row + j`.
/// Where A is read through an index, as in a convolution, it comes in pieces of `depth` steps: step `k` of piece `p` is
/// `a + jumps[p] + i·a_row + k·a_step`, and the pieces follow one another in B, as in the chain.
#[derive(Clone, Copy)]
pub(super) struct Block<'a, T> {
    pub a: *const T,
    pub a_row: usize,
    pub a_step: usize,
    /// [`WHOLE`] for a matrix.
    pub jumps: &'a [isize],
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

/// The pieces of an A that is one piece.
pub(super) const WHOLE: &[isize] = &[0];

/// One row times consecutive panels: `y[j] ← start[j] + Σ_k x[k]·B[k][j]` for `j < cols`. The start may be y. All panels but the last
/// are full; the last is one only if it is the last of the matrix.
#[derive(Clone, Copy)]
pub(super) struct Row<T> {
    pub tiling: &'static Tiling,
    pub x: *const T,
    pub depth: usize,
    pub b: *const T,
    pub cols: usize,
    pub start: *const T,
    pub y: *mut T,
    /// The last panels first.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))] // only the AVX-512 row reads it
    pub backward: bool,
}

impl<T> Row<T> {
    /// One panel as a block.
    pub(super) fn panel(&self, panel: usize) -> Block<'static, T> {
        let width = self.tiling.cols;
        let cols = width.min(self.cols - panel * width);
        Block {
            a: self.x,
            a_row: 0,
            a_step: 1,
            jumps: WHOLE,
            b: self.b.wrapping_add(panel * self.depth * width),
            b_step: self.tiling.panel_width(self.cols, panel),
            depth: self.depth,
            c: self.y.wrapping_add(panel * width),
            c_row: 0,
            rows: 1,
            cols,
            start: Start::Values { from: self.start.wrapping_add(panel * width), row: 0 },
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

    /// The values, if they are f32: what may be stored in fewer bits.
    #[doc(hidden)]
    fn as_f32(_: &[Self]) -> Option<&[f32]> {
        None
    }

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
    /// `isa` runs on this machine, and all these places are valid.
    #[doc(hidden)]
    unsafe fn transpose(
        _isa: Isa,
        _from: *const Self,
        _stride: usize,
        _size: (usize, usize),
        _width: usize,
        _out: *mut Self,
    ) -> bool {
        false
    }

    /// Computes one row.
    ///
    /// # Safety
    /// As [`Lane::block`], for the addresses that [`Row`] names.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    unsafe fn row(row: &Row<Self>) {
        for panel in 0..row.cols.div_ceil(row.tiling.cols) {
            // SAFETY: the caller's promise, for a part of the row.
            unsafe { Self::block(row.tiling.isa, &row.panel(panel)) };
        }
    }
}

impl Lane for f32 {
    fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Line<Self>>>>> {
        thread_local!(static SPARE: RefCell<Vec<Vec<Line<f32>>>> = const { RefCell::new(Vec::new()) });
        &SPARE
    }

    fn as_f32(values: &[f32]) -> Option<&[f32]> {
        Some(values)
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
                #[cfg(target_arch = "aarch64")]
                Isa::Neon => super::micro_neon::block(block),
                _ => micro_portable::in_lanes::<f32, 4, 16>(block),
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    unsafe fn transpose(
        isa: Isa,
        from: *const Self,
        stride: usize,
        size: (usize, usize),
        width: usize,
        out: *mut Self,
    ) -> bool {
        let fast = isa != Isa::Portable;
        if fast {
            // SAFETY: the machine has AVX2, which AVX-512 includes; the caller vouches for the places.
            unsafe { super::pack_x86::transpose(from, stride, size.0, size.1, width, out) };
        }
        fast
    }

    #[allow(private_interfaces)]
    unsafe fn row(row: &Row<Self>) {
        // SAFETY: the caller's promise is passed on; the set of a tiling in use is one of this machine.
        unsafe {
            let done = match row.tiling.isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => return super::micro_avx512::row(row),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => super::micro_avx2::row(row),
                #[cfg(target_arch = "aarch64")]
                Isa::Neon => super::micro_neon::row(row),
                _ => 0,
            };
            for panel in done..row.cols.div_ceil(row.tiling.cols) {
                Self::block(row.tiling.isa, &row.panel(panel));
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
