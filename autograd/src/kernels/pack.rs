//! Copying pieces of a strided matrix into the order in which the block product reads them, and the buffers that hold them.
//!
//! A strip is a few lanes side by side: for each k in turn, one value per lane. The lanes of a strip of A are rows, those of a
//! panel of B columns, as many as `tiling` says. What is done with strips is in `blocked` and `packed`.

use super::gemm::Matrix;
use super::isa::Isa;
use super::micro::Lane;
use super::operands::Target;
use super::parallel::numbered;
use super::tiling::Tiling;
use std::ops::Range;

/// Values of a [`Line`].
const LANES: usize = 16;

/// Sixteen values on a cache-line boundary, so that no vector of a packed strip straddles two lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Line<T>([T; LANES]);

/// A buffer of at least `len` values, from this thread's store; [`give_back`] returns it. Its contents are arbitrary.
///
/// A thread that takes a second buffer before it returned the first simply gets another one.
pub(super) fn take<T: Lane>(len: usize) -> Vec<Line<T>> {
    let lines = len.div_ceil(LANES);
    let found = T::spare().with_borrow_mut(|spare| {
        // The smallest that is large enough; otherwise one that will be replaced anyway.
        let best = (0..spare.len()).min_by_key(|&i| (spare[i].len() < lines, spare[i].len()))?;
        Some(spare.swap_remove(best))
    });
    with_len(found.unwrap_or_default(), len)
}

/// Returns a buffer for the next product on this thread: fresh memory would cost page faults each time.
pub(super) fn give_back<T: Lane>(buffer: Vec<Line<T>>) {
    T::spare().with_borrow_mut(|spare| spare.push(buffer));
}

/// All values of a buffer.
pub(super) fn all<T: Lane>(buffer: &[Line<T>]) -> &[T] {
    // SAFETY: a line is sixteen values and nothing else, for values of 4 bytes; of 8 it is 128 bytes, a multiple of its alignment too.
    unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), buffer.len() * LANES) }
}

/// The buffer with room for `len` values; grows by allocating anew, because the old contents are of no use.
pub(super) fn with_len<T: Lane>(buffer: Vec<Line<T>>, len: usize) -> Vec<Line<T>> {
    let lines = len.div_ceil(LANES);
    if buffer.len() >= lines {
        return buffer;
    }
    drop(buffer);
    vec![Line::default(); lines]
}

/// Where a strip comes from: value `(k, lane)` is `from + k·step + lane·stride`.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub from: *const T,
    pub step: usize,
    pub stride: usize,
}

/// Steps packed at a time: one cache line of each lane, where the steps of a lane are contiguous.
pub(super) const STEPS: usize = 16;

/// Writes `depth × lanes` values of `source` to `out + k·width + lane`. Lanes from `lanes` to `width` are left as they are:
/// the block product never reads them.
///
/// # Safety
/// `isa` runs on this machine; the source is valid to read at all these places, `out` to write.
pub(super) unsafe fn strip<T: Lane>(
    isa: Isa,
    source: Source<T>,
    depth: usize,
    lanes: usize,
    width: usize,
    out: *mut T,
) {
    // SAFETY: k < depth and lane < lanes: the places the caller vouches for.
    unsafe {
        match (source.stride, lanes) {
            (1, 6) => rows::<T, 6>(source, depth, width, out),
            (1, 8) => rows::<T, 8>(source, depth, width, out),
            (1, 16) => rows::<T, 16>(source, depth, width, out),
            (1, 48) => rows::<T, 48>(source, depth, width, out),
            (1, _) => {
                for k in 0..depth {
                    std::ptr::copy_nonoverlapping(source.from.add(k * source.step), out.add(k * width), lanes);
                }
            }
            _ => {
                let (mut k, mut lane) = (0, 0);
                if source.step == 1 {
                    let whole = (depth & !7, lanes & !7);
                    if T::transpose(isa, source.from, source.stride, whole, width, out) {
                        (k, lane) = whole;
                    }
                }
                // What the transposition left: the last lanes of the steps it did, and the last steps of all lanes.
                values(source, 0..k, lane..lanes, width, out);
                values(source, k..depth, 0..lanes, width, out);
            }
        }
    }
}

/// Steps of `W` contiguous lanes: a copy whose length the compiler knows.
///
/// # Safety
/// As [`strip`].
unsafe fn rows<T: Lane, const W: usize>(source: Source<T>, depth: usize, width: usize, out: *mut T) {
    for k in 0..depth {
        // The next rows may lie pages apart, where the machine's own prefetching does not follow.
        prefetch(source.from.wrapping_add((k + STEPS) * source.step));
        // SAFETY: the caller's promise.
        unsafe { out.add(k * width).cast::<[T; W]>().write(source.from.add(k * source.step).cast::<[T; W]>().read()) };
    }
}

/// Asks for the cache line at an address, which need not exist.
#[inline(always)]
pub(super) fn prefetch<T>(address: *const T) {
    ask::<true, T>(address);
}

/// As [`prefetch`], no nearer than the level-2 cache.
#[inline(always)]
pub(super) fn prefetch_near<T>(address: *const T) {
    ask::<false, T>(address);
}

/// Into the level-1 cache as well, or not.
#[inline(always)]
fn ask<const NEAREST: bool, T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program could see, and an invalid address does no harm.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        if NEAREST {
            _mm_prefetch::<_MM_HINT_T0>(address.cast());
        } else {
            _mm_prefetch::<_MM_HINT_T1>(address.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// One value after the other.
///
/// # Safety
/// As [`strip`], for these steps and lanes.
unsafe fn values<T: Lane>(source: Source<T>, steps: Range<usize>, lanes: Range<usize>, width: usize, out: *mut T) {
    for first in steps.clone().step_by(STEPS) {
        for lane in lanes.clone() {
            for k in first..steps.end.min(first + STEPS) {
                // SAFETY: the caller's promise.
                unsafe { *out.add(k * width + lane) = *source.from.add(k * source.step + lane * source.stride) };
            }
        }
    }
}

/// All strips of A, each `distance` values after the one before.
///
/// # Safety
/// As [`strip`], for all rows, with the tiling's instruction set.
pub(super) unsafe fn strips<T: Lane>(tiling: &Tiling, a: Matrix<T>, distance: usize, out: *mut T) {
    let width = tiling.rows;
    // Where the rows are contiguous, a few steps of all rows read whole lines and few pages; else each strip is read at once.
    let deep = if a.row_stride == 1 { STEPS } else { a.cols };
    for k in (0..a.cols).step_by(deep) {
        let depth = deep.min(a.cols - k);
        for i in (0..a.rows).step_by(width) {
            let source = Source { from: a.address(i, k), step: a.col_stride, stride: a.row_stride };
            let (lanes, out) = (width.min(a.rows - i), out.wrapping_add(i / width * distance + k * width));
            // SAFETY: the caller's promise, for a part of the rows and steps.
            unsafe { strip(tiling.isa, source, depth, lanes, width, out) };
        }
    }
}

/// Steps of k that are packed by one task.
const PIECE: usize = 512;

/// All panels of B, the whole of each before the next.
///
/// # Safety
/// `out` has room for the packed panels, written by nobody else.
pub(super) unsafe fn panels<T: Lane>(tiling: &Tiling, b: Matrix<T>, out: *mut T, parallel: bool) {
    let out = Target { c: out, row: 0 };
    let panels = b.cols.div_ceil(tiling.cols);
    // Pieces of k as well as of columns, so that few columns keep all threads busy.
    let pieces = b.rows.div_ceil(PIECE);
    let pack_piece = |task: usize| {
        let (first, k) = (task / pieces * tiling.abreast, task % pieces * PIECE);
        let (panels, steps) = (first..panels.min(first + tiling.abreast), k..b.rows.min(k + PIECE));
        // Few steps of each panel in turn: what lies side by side is read together.
        let deep = if panels.len() == 1 { PIECE } else { STEPS };
        for k in steps.clone().step_by(deep) {
            for panel in panels.clone() {
                let width = tiling.panel_width(b.cols, panel);
                let columns = panel * tiling.cols..b.cols.min((panel + 1) * tiling.cols);
                let piece = b.part(k..steps.end.min(k + deep), columns);
                let source = Source { from: piece.data.as_ptr(), step: b.row_stride, stride: b.col_stride };
                let out = out.at(0, panel * tiling.cols * b.rows + k * width);
                // SAFETY: the piece lies in b's slice, its copy in `out`; each task writes its own.
                unsafe { strip(tiling.isa, source, piece.rows, piece.cols, width, out) };
            }
        }
    };
    let tasks = panels.div_ceil(tiling.abreast) * pieces;
    if parallel && tasks > 1 {
        numbered(tasks, &pack_piece);
    } else {
        (0..tasks).for_each(pack_piece);
    }
}
