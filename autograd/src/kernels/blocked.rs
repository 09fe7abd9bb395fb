//! The loops around the block product: which piece of which operand is packed when, and which tiles run in parallel.
//!
//! No choice made here changes a bit of the result (the law in `micro`), so tiles may depend on the number of threads.

use super::gemm::Matrix;
use super::micro::{Block, Lane, WHOLE};
use super::operands::{Right, Start, Target};
use super::pack;
use super::parallel::{numbered, one_by_one};
use super::tiling::Tiling;
use std::ops::Range;

/// Fewest rows of a task, where there are panels enough to keep all threads busy: a panel must be used a few times.
const MIN_ROWS: usize = 64;

/// Values of B packed at a time: 4 MiB of f32, a part of the level-3 cache.
const CHUNK: usize = 1 << 20;

/// Multiply-adds below which a product stays on the calling thread: 17 µs, about twice what waking a sleeping worker costs.
pub(super) const MIN_PARALLEL: usize = 1 << 21;

/// Outputs of one thread up to which they stay in the level-2 cache beside a block of each factor.
const FEW_OUTPUTS: usize = 48 << 10;

/// Values of B that one thread packs for itself at a time: 256 KiB of f32, a part of the level-2 cache.
const OWN: usize = 64 << 10;

/// Columns of B up to which a copy of A does not pay.
const FEW_COLS: usize = 96;

/// Rows up to which a few hundred steps of A stay in the level-2 cache, while all of a large B streams past them.
const FEW_ROWS: usize = 48;

/// `C ← start + A·B`, parallel over tiles of C where that pays.
///
/// # Safety
/// `start` is valid to read and `c` to write for `a.rows × b.cols` outputs, written by nobody else.
pub(super) unsafe fn product<T: Lane>(a: Matrix<T>, b: Matrix<T>, start: Start<T>, c: Target<T>) {
    let tiling = Tiling::in_use();
    let (m, k, n) = (a.rows, a.cols, b.cols);
    let threads = if m * n * k < MIN_PARALLEL { 1 } else { rayon::current_num_threads() };
    // B is read in place where packing it would not pay: each value is used by one block only, or all of B is in the cache, or
    // few blocks use it and its rows are so close together that a panel is on few pages.
    let small = k * n <= 1 << 13;
    let narrow = b.row_stride <= tiling.in_place && m <= MIN_ROWS;
    if b.col_stride == 1 && (m <= tiling.rows || small || narrow) {
        // SAFETY: the caller's promise.
        unsafe { tiles(a, &Right::InPlace(b, tiling), start, c, threads) };
        return;
    }
    if m * k.min(tiling.steps) <= tiling.left && n.div_ceil(tiling.abreast * tiling.cols) >= 4 * threads {
        let cut = Cut { rows: m, cols: tiling.abreast * tiling.cols, steps: tiling.steps };
        // SAFETY: the caller's promise.
        unsafe { each_for_itself(tiling, cut, a, b, start, c, threads) };
        return;
    }
    if m * n <= threads * FEW_OUTPUTS && k * n > CHUNK {
        // A long K: each thread goes through all of it alone, instead of meeting the others after every chunk.
        let rows = even_part(m, m.div_ceil(threads).max(MIN_ROWS), tiling.rows);
        let cols = even_part(n, n.div_ceil(threads.div_ceil(m.div_ceil(rows))), tiling.cols);
        let cut = Cut { rows, cols, steps: tiling.steps.min((OWN / cols).max(64)) };
        // SAFETY: the caller's promise.
        unsafe { each_for_itself(tiling, cut, a, b, start, c, threads) };
        return;
    }
    // 1. Chunks of columns, 2. chunks of k: in order, so that chains go on in the order of k.
    let wide = even_part(n, CHUNK / k.min(tiling.steps), tiling.cols);
    for j in (0..n).step_by(wide) {
        let cols = wide.min(n - j);
        let deep = even_part(k, (CHUNK / cols).max(tiling.steps), tiling.steps);
        let mut values = pack::take::<T>(tiling.packed_len(deep, cols));
        for p in (0..k).step_by(deep) {
            let depth = deep.min(k - p);
            let c = Target { c: c.at(0, j), ..c };
            let start = if p == 0 { start.at(0, j) } else { c.start() };
            let a = a.part(0..m, p..p + depth);
            let b = b.part(p..p + depth, j..j + cols);
            // SAFETY: the buffer holds the chunk; target and start moved by the columns before this chunk.
            unsafe {
                pack::panels(tiling, b, values.as_mut_ptr().cast(), threads > 1);
                let right = Right::Packed { values: values.as_ptr().cast(), depth, cols, tiling };
                tiles(a, &right, start, c, threads);
            }
        }
        pack::give_back(values);
    }
}

/// How a product is cut whose tasks pack B for themselves.
#[derive(Clone, Copy)]
struct Cut {
    /// Rows and columns of C in one task.
    rows: usize,
    cols: usize,
    /// Most steps of k packed at a time.
    steps: usize,
}

/// All of C, each task packing what it uses of B just before it does: where that is less work than to meet after packing, because
/// nobody else needs it or because K is long.
///
/// # Safety
/// As [`product`].
unsafe fn each_for_itself<T: Lane>(
    tiling: &'static Tiling,
    cut: Cut,
    a: Matrix<T>,
    b: Matrix<T>,
    start: Start<T>,
    c: Target<T>,
    threads: usize,
) {
    let steps = even_part(a.cols, cut.steps, 8);
    let bands = a.rows.div_ceil(cut.rows);
    let run = |task: usize| {
        let (band, strip) = (task % bands * cut.rows, task / bands * cut.cols);
        let (rows, columns) = (band..a.rows.min(band + cut.rows), strip..b.cols.min(strip + cut.cols));
        let (cols, c) = (columns.len(), Target { c: c.at(0, strip), ..c });
        let mut values = pack::take::<T>(tiling.packed_len(steps, cols));
        for k in (0..a.cols).step_by(steps) {
            let piece = b.part(k..a.cols.min(k + steps), columns.clone());
            let start = if k == 0 { start.at(0, strip) } else { c.start() };
            // SAFETY: the buffer holds a block of these columns; target and start moved by the columns before them.
            unsafe {
                pack::panels(tiling, piece, values.as_mut_ptr().cast(), false);
                let right = Right::Packed { values: values.as_ptr().cast(), depth: piece.rows, cols, tiling };
                let panels = 0..cols.div_ceil(tiling.cols);
                tile(a.part(0..a.rows, k..k + piece.rows), &right, rows.clone(), panels, start, c);
            }
        }
        pack::give_back(values);
    };
    let tasks = bands * b.cols.div_ceil(cut.cols);
    if threads > 1 {
        numbered(tasks, &run);
    } else {
        (0..tasks).for_each(run);
    }
}

/// The length of equal parts of `whole`, none above `limit`, each but the last a multiple of `unit`.
fn even_part(whole: usize, limit: usize, unit: usize) -> usize {
    let parts = whole.div_ceil(limit.max(unit)).max(1);
    whole.div_ceil(parts).next_multiple_of(unit)
}

/// All of C for one packed chunk of B, cut into tiles for `threads` threads.
///
/// # Safety
/// As [`product`].
unsafe fn tiles<T: Lane>(a: Matrix<T>, b: &Right<T>, start: Start<T>, c: Target<T>, threads: usize) {
    let tiling = b.tiling();
    let panels = b.cols().div_ceil(tiling.cols);
    // Four tasks a thread even out threads of unequal speed. Bands of rows first: a strip of panels packs its rows of A anew.
    let wanted = if threads == 1 { 1 } else { 4 * threads };
    let fewest = if panels >= wanted { MIN_ROWS } else { 2 * tiling.rows };
    let limit = (a.rows.div_ceil(wanted)).clamp(fewest, tiling.band);
    let rows = even_part(a.rows, limit, tiling.rows);
    let bands = a.rows.div_ceil(rows);
    let strips = wanted.div_ceil(bands).min(panels);
    let run = |task: usize| {
        let (band, strip) = (task / strips, task % strips);
        let across = panels * strip / strips..panels * (strip + 1) / strips;
        // SAFETY: tiles of different tasks are disjoint parts of C.
        unsafe { tile(a, b, band * rows..a.rows.min((band + 1) * rows), across, start, c) };
    };
    if threads > 1 && bands * strips > 1 {
        one_by_one(bands * strips, &run);
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
    let tiling = b.tiling();
    let (depth, cols) = (a.cols, b.cols());
    // One use of A, or a few rows, does not pay for a copy of it; nor do rows that lie in the order in which they are needed.
    let packs = panels.len() * tiling.cols > FEW_COLS && rows.len() >= tiling.rows && a.col_stride != 1;
    let groups = rows.len().div_ceil(tiling.rows);
    // Packed rows come in whole strips; others in groups of about one size, as a block of few rows is slow.
    let group = |g: usize| if packs { rows.len().min(g * tiling.rows) } else { rows.len() * g / groups };
    let mut strips = if packs { pack::take::<T>(tiling.steps * groups * tiling.rows) } else { Vec::new() };
    // 1. Blocks of k, in order.
    let block = even_part(depth, tiling.steps, 8);
    for k in (0..depth).step_by(block) {
        let steps = block.min(depth - k);
        if packs {
            let piece = a.part(rows.clone(), k..k + steps);
            // SAFETY: the buffer has a strip of `rows` lanes and `steps` steps for each group.
            unsafe { pack::strips(tiling, piece, tiling.steps * tiling.rows, strips.as_mut_ptr().cast()) };
        }
        // 2. Panels of B: each is read from a near cache again and again, 3. while strips of A pass by it.
        for panel in panels.clone() {
            let (from, b_step) = b.panel(panel, k);
            for g in 0..groups {
                let (i, end) = (rows.start + group(g), rows.start + group(g + 1));
                let (a_from, a_row, a_step) = if packs {
                    (strips.as_ptr().cast::<T>().wrapping_add(g * tiling.rows * tiling.steps), 1, tiling.rows)
                } else {
                    (a.address(i, k), a.row_stride, a.col_stride)
                };
                // SAFETY: the block lies in the tile; A, B and C are valid there by the caller's promise.
                unsafe {
                    let block = Block {
                        a: a_from,
                        a_row,
                        a_step,
                        jumps: WHOLE,
                        b: from,
                        b_step,
                        depth: steps,
                        c: c.at(i, panel * tiling.cols),
                        c_row: c.row,
                        rows: end - i,
                        cols: tiling.cols.min(cols - panel * tiling.cols),
                        start: if k == 0 { start } else { c.start() }.at(i, panel * tiling.cols),
                    };
                    T::block(tiling.isa, &block);
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
            let band = b.tiling().band;
            for i in (0..a.rows).step_by(band) {
                tile(a, b, i..a.rows.min(i + band), panels.clone(), start, c);
            }
        }
    }
}
