//! The loops around the block product: which piece of which operand is packed when, and which tiles run in parallel.
//!
//! No choice made here changes a bit of the result (the law in `micro`), so tiles may depend on the number of threads.

use super::gemm::Matrix;
use super::isa::Isa;
use super::micro::{Block, Lane, MR, NR};
use super::operands::{Right, Start, Target, packed_len, panel_width};
use super::pack::{self, Source};
use rayon::prelude::*;
use std::ops::Range;

/// Most steps of k of one pass over C. Chains start from C, so each pass reads and writes all of C again: longer passes save more
/// than a panel (96 KiB) that streams from the level-2 instead of the level-1 cache costs; measured 128 to 512, on Zen 5.
pub(super) const KC: usize = 512;

/// Most rows of A packed at a time: with `KC` steps 384 KiB, a part of the level-2 cache.
const MC: usize = 192;

/// Fewest rows of a task, where there are panels enough to keep all threads busy: a panel must be used a few times.
const MIN_ROWS: usize = 64;

/// Values of B packed at a time: 4 MiB of f32, a part of the level-3 cache.
const CHUNK: usize = 1 << 20;

/// Multiply-adds below which a product stays on the calling thread: 17 µs, about twice what waking a sleeping worker costs.
pub(super) const MIN_PARALLEL: usize = 1 << 21;

/// Values of A that stay in a part of the level-2 cache while panels of B pass by: 384 KiB of f32.
const LEFT_IN_L2: usize = 96 << 10;

/// Rows up to which `KC` steps of A stay in the level-2 cache, while all of a large B streams past them.
const FEW_ROWS: usize = 48;

/// `C ← start + A·B`, parallel over tiles of C where that pays.
///
/// # Safety
/// `start` is valid to read and `c` to write for `a.rows × b.cols` outputs, written by nobody else.
pub(super) unsafe fn product<T: Lane>(a: Matrix<T>, b: Matrix<T>, start: Start<T>, c: Target<T>) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    let threads = if m * n * k < MIN_PARALLEL { 1 } else { rayon::current_num_threads() };
    // B is read in place where packing it would not pay: each value is used by one block only, or all of B is in the cache, or
    // few blocks use it and its rows are so close together that a panel is on few pages.
    let small = k * n <= 1 << 13;
    let narrow = b.row_stride <= 256 && m <= MIN_ROWS;
    if b.col_stride == 1 && (m <= MR || small || narrow) {
        // SAFETY: the caller's promise.
        unsafe { tiles(a, &Right::InPlace(b), start, c, threads) };
        return;
    }
    if m * k.min(KC) <= LEFT_IN_L2 && n.div_ceil(NR) >= 4 * threads {
        // SAFETY: the caller's promise.
        unsafe { panel_by_panel(a, b, start, c, threads) };
        return;
    }
    // 1. Chunks of columns, 2. chunks of k: in order, so that chains go on in the order of k.
    let wide = even_part(n, CHUNK / k.min(KC), NR);
    for j in (0..n).step_by(wide) {
        let cols = wide.min(n - j);
        let deep = even_part(k, (CHUNK / cols).max(KC), KC);
        let mut values = pack::take::<T>(packed_len(deep, cols));
        for p in (0..k).step_by(deep) {
            let depth = deep.min(k - p);
            let c = Target { c: c.at(0, j), ..c };
            let start = if p == 0 { start.at(0, j) } else { c.start() };
            let a = a.part(0..m, p..p + depth);
            let b = b.part(p..p + depth, j..j + cols);
            // SAFETY: the buffer holds the chunk; target and start moved by the columns before this chunk.
            unsafe {
                pack_panels(b, values.as_mut_ptr().cast(), threads > 1);
                let right = Right::Packed { values: values.as_ptr().cast(), depth, cols };
                tiles(a, &right, start, c, threads);
            }
        }
        pack::give_back(values);
    }
}

/// All of C, each thread packing the panels that it alone uses just before it does: for few rows and many columns.
///
/// # Safety
/// As [`product`].
unsafe fn panel_by_panel<T: Lane>(a: Matrix<T>, b: Matrix<T>, start: Start<T>, c: Target<T>, threads: usize) {
    let block = even_part(a.cols, KC, MR);
    let run = |panel: usize| {
        let columns = panel * NR..b.cols.min((panel + 1) * NR);
        let (width, c) = (columns.len(), Target { c: c.at(0, columns.start), ..c });
        let mut values = pack::take::<T>(packed_len(block, width));
        for k in (0..a.cols).step_by(block) {
            let piece = b.part(k..a.cols.min(k + block), columns.clone());
            let start = if k == 0 { start.at(0, columns.start) } else { c.start() };
            // SAFETY: the buffer holds a block of a panel; target and start moved by the columns before it.
            unsafe {
                pack_panels(piece, values.as_mut_ptr().cast(), false);
                let right = Right::Packed { values: values.as_ptr().cast(), depth: piece.rows, cols: width };
                tile(a.part(0..a.rows, k..k + piece.rows), &right, 0..a.rows, 0..1, start, c);
            }
        }
        pack::give_back(values);
    };
    let panels = b.cols.div_ceil(NR);
    if threads > 1 {
        (0..panels).into_par_iter().for_each(run);
    } else {
        (0..panels).for_each(run);
    }
}

/// The length of equal parts of `whole`, none above `limit`, each but the last a multiple of `unit`.
fn even_part(whole: usize, limit: usize, unit: usize) -> usize {
    let parts = whole.div_ceil(limit.max(unit)).max(1);
    whole.div_ceil(parts).next_multiple_of(unit)
}

/// Packs all panels of `b`.
///
/// # Safety
/// `out` has room for [`packed_len`] values, written by nobody else.
pub(super) unsafe fn pack_panels<T: Lane>(b: Matrix<T>, out: *mut T, parallel: bool) {
    let out = Target { c: out, row: 0 };
    // Pieces of k as well as panels, so that few columns keep all threads busy.
    let pieces = b.rows.div_ceil(KC);
    let pack_piece = |task: usize| {
        let (panel, k) = (task / pieces, task % pieces * KC);
        let width = panel_width(b.cols, panel);
        let piece = b.part(k..b.rows.min(k + KC), panel * NR..b.cols.min((panel + 1) * NR));
        let source = Source { from: piece.data.as_ptr(), step: b.row_stride, stride: b.col_stride };
        // SAFETY: the piece lies in b's slice, its copy in `out`; each task writes its own.
        unsafe {
            pack::strip(source, piece.rows, piece.cols, width, out.at(0, panel * NR * b.rows + k * width));
        }
    };
    let tasks = b.cols.div_ceil(NR) * pieces;
    if parallel && tasks > 1 {
        (0..tasks).into_par_iter().for_each(pack_piece);
    } else {
        (0..tasks).for_each(pack_piece);
    }
}

/// All of C for one packed chunk of B, cut into tiles for `threads` threads.
///
/// # Safety
/// As [`product`].
unsafe fn tiles<T: Lane>(a: Matrix<T>, b: &Right<T>, start: Start<T>, c: Target<T>, threads: usize) {
    let panels = b.cols().div_ceil(NR);
    // Four tasks a thread even out threads of unequal speed. Bands of rows first: a strip of panels packs its rows of A anew.
    let wanted = if threads == 1 { 1 } else { 4 * threads };
    let fewest = if panels >= wanted { MIN_ROWS } else { 2 * MR };
    let limit = (a.rows.div_ceil(wanted)).clamp(fewest, MC);
    let rows = even_part(a.rows, limit, MR);
    let bands = a.rows.div_ceil(rows);
    let strips = wanted.div_ceil(bands).min(panels);
    let run = |task: usize| {
        let (band, strip) = (task / strips, task % strips);
        let across = panels * strip / strips..panels * (strip + 1) / strips;
        // SAFETY: tiles of different tasks are disjoint parts of C.
        unsafe { tile(a, b, band * rows..a.rows.min((band + 1) * rows), across, start, c) };
    };
    if threads > 1 && bands * strips > 1 {
        (0..bands * strips).into_par_iter().with_max_len(1).for_each(run);
    } else {
        (0..bands * strips).for_each(run);
    }
}

/// The outputs of some rows and some panels.
///
/// # Safety
/// As [`product`], for this tile.
pub(super) unsafe fn tile<T: Lane>(
    a: Matrix<T>,
    b: &Right<T>,
    rows: Range<usize>,
    panels: Range<usize>,
    start: Start<T>,
    c: Target<T>,
) {
    let isa = Isa::in_use();
    let (depth, cols) = (a.cols, b.cols());
    // One use of A, or a few rows, does not pay for a copy of it; nor do rows that lie in the order in which they are needed.
    let packs = panels.len() > 2 && rows.len() >= MR && a.col_stride != 1;
    let mut strips = if packs { pack::take::<T>(KC * rows.len().next_multiple_of(MR)) } else { Vec::new() };
    let group = even_part(rows.len(), MR, 1);
    let group = if packs { MR } else { group };
    // 1. Blocks of k, in order.
    let block = even_part(depth, KC, MR);
    for k in (0..depth).step_by(block) {
        let steps = block.min(depth - k);
        if packs {
            let piece = a.part(rows.clone(), k..k + steps);
            // SAFETY: the buffer has a strip of MR lanes and KC steps for each eight rows.
            unsafe { pack::strips(piece, KC * MR, strips.as_mut_ptr().cast()) };
        }
        // 2. Panels of B: each is read from a near cache again and again, 3. while strips of A pass by it.
        for panel in panels.clone() {
            let (from, b_step) = b.panel(panel, k);
            for i in rows.clone().step_by(group) {
                let (a_from, a_row, a_step) = if packs {
                    (strips.as_ptr().cast::<T>().wrapping_add((i - rows.start) * KC), 1, MR)
                } else {
                    (a.address(i, k), a.row_stride, a.col_stride)
                };
                // SAFETY: the block lies in the tile; A, B and C are valid there by the caller's promise.
                unsafe {
                    let block = Block {
                        a: a_from,
                        a_row,
                        a_step,
                        b: from,
                        b_step,
                        depth: steps,
                        c: c.at(i, panel * NR),
                        c_row: c.row,
                        rows: group.min(rows.end - i),
                        cols: NR.min(cols - panel * NR),
                        start: if k == 0 { start.at(i, panel * NR) } else { c.start().at(i, panel * NR) },
                    };
                    T::block(isa, &block);
                }
            }
        }
    }
    if packs {
        pack::give_back(strips);
    }
}

/// The outputs of some panels of a packed B on the calling thread, for few rows or many.
///
/// # Safety
/// As [`product`], for these panels.
pub(super) unsafe fn on_this_thread<T: Lane>(
    a: Matrix<T>,
    b: &Right<T>,
    panels: Range<usize>,
    start: Start<T>,
    c: Target<T>,
) {
    // SAFETY: the caller's promise, for parts of its tile.
    unsafe {
        if a.rows <= FEW_ROWS {
            // B is what is large: each panel streams through the caches once, and A, which stays there, is read in place.
            for panel in panels {
                tile(a, b, 0..a.rows, panel..panel + 1, start, c);
            }
        } else {
            for i in (0..a.rows).step_by(MC) {
                tile(a, b, i..a.rows.min(i + MC), panels.clone(), start, c);
            }
        }
    }
}
