//! The gradient of a convolution's weight: for every tap one product over all positions, its left factor read through an index.

use super::ahead::Ahead;
use super::band::{Band, Patch};
use super::{Operands, Window};
use crate::Scalar;
use crate::kernels::math::dispatch::dispatch;
use crate::kernels::micro::Block;
use crate::kernels::operands::{Start, Target};
use crate::kernels::parallel;
use crate::kernels::reduce::AddRows;
use crate::kernels::tiling::Tiling;
use std::ops::Range;

/// `∂W_t = Σ_p x_(p + t)·g_pᵀ` over all output positions p of all images, in that order: one chain an output.
///
/// Tasks are parts of the taps · channels; each goes through all bands, which it reads again and again while they are in a cache.
///
/// # Shapes
/// `x` (images, input height, input width, I) · `g` (images, output height, output width, O) → (taps · I, O)
///
/// # Panics
/// If lengths do not fit.
pub fn backward_weight<T: Scalar>(
    window: &Window,
    images: usize,
    (x, channels): (&[T], usize),
    relu: bool,
    (g, outputs): (&[T], usize),
) -> Vec<T> {
    T::convolution_weight(window, images, (x, channels), relu, (g, outputs), false).0
}

/// [`backward_weight`], and the gradient of the bias, `Σ_p g_p` (O) in double precision: added up while a band is in a cache, not in a
/// pass of its own.
///
/// # Panics
/// As [`backward_weight`].
pub fn backward_weight_and_bias<T: Scalar>(
    window: &Window,
    images: usize,
    (x, channels): (&[T], usize),
    relu: bool,
    (g, outputs): (&[T], usize),
) -> (Vec<T>, Vec<f64>) {
    T::convolution_weight(window, images, (x, channels), relu, (g, outputs), true)
}

pub(in super::super) fn backward_weight_body<T: Scalar>(
    window: &Window,
    images: usize,
    (x, channels): (&[T], usize),
    relu: bool,
    (g, outputs): (&[T], usize),
    of_bias: bool,
) -> (Vec<T>, Vec<f64>) {
    let operands = Operands::new(window, images, x, channels, relu);
    let len = images.checked_mul(window.outputs()).and_then(|len| len.checked_mul(outputs));
    assert_eq!(len, Some(g.len()), "convolution: gradient of {images} images of {:?} × {outputs}", window.output);
    let rows = window.taps().len() * channels;
    let mut out = vec![T::zero(); rows * outputs];
    let mut sums = vec![0.0; if of_bias { outputs } else { 0 }];
    if out.is_empty() || g.is_empty() {
        if of_bias && !g.is_empty() {
            dispatch(AddRows { xs: g, cols: outputs, at: 0, sums: &mut sums });
        }
        return (out, sums);
    }
    let tiling = Tiling::in_use();
    let bands = Band::all(window, images);
    let blocks = if operands.side_by_side() {
        row_blocks(1, rows, tiling.rows)
    } else {
        row_blocks(window.taps().len(), channels, tiling.rows)
    };
    let work = g.len().saturating_mul(rows);
    let tasks = if work < parallel::MIN_PARALLEL { 1 } else { rayon::current_num_threads().min(blocks.len()) };
    let target = Target { c: out.as_mut_ptr(), row: outputs };
    let sums_target = Target { c: sums.as_mut_ptr(), row: 0 };
    let summed = sums.len();
    let run = |task: usize| {
        let columns = summed * task / tasks..summed * (task + 1) / tasks;
        // SAFETY: tasks have different columns of the sums.
        let sums = unsafe { std::slice::from_raw_parts_mut(sums_target.at(0, columns.start), columns.len()) };
        let mine = &blocks[blocks.len() * task / tasks..blocks.len() * (task + 1) / tasks];
        for (i, band) in bands.iter().enumerate() {
            let of =
                |next: &Band| [operands.news(next), &g[next.first(window) * outputs..][..next.len() * outputs], &[]];
            let next = bands.get(i + 1).map_or([&[][..]; 3], of);
            // SAFETY: tasks have different rows of the output, which holds zeros or the sum over earlier bands.
            unsafe { add_band(operands, g, band, mine, next, tiling, target) };
            if of_bias {
                let xs = &g[band.first(window) * outputs..][..band.len() * outputs];
                dispatch(AddRows { xs, cols: outputs, at: columns.start, sums: &mut *sums });
            }
        }
    };
    if tasks == 1 {
        run(0);
    } else {
        parallel::one_by_one(tasks, &run);
    }
    (out, sums)
}

/// Rows of the output: some channels of one piece of the chain, a tap or all taps side by side.
struct RowBlock {
    piece: usize,
    channels: Range<usize>,
}

/// All rows of the output, in blocks of about one size, none above `limit`.
fn row_blocks(pieces: usize, channels: usize, limit: usize) -> Vec<RowBlock> {
    let parts = channels.div_ceil(limit);
    let channels = |part: usize| channels * part / parts..channels * (part + 1) / parts;
    let blocks = |piece| (0..parts).map(move |part| RowBlock { piece, channels: channels(part) });
    (0..pieces).flat_map(blocks).collect()
}

/// Adds what one band contributes to some rows.
///
/// # Safety
/// Nobody else uses these rows of `target`, which has room for all.
unsafe fn add_band<T: Scalar>(
    operands: Operands<T>,
    g: &[T],
    band: &Band,
    blocks: &[RowBlock],
    soon: [&[T]; 3],
    tiling: &Tiling,
    target: Target<T>,
) {
    let outputs = target.row;
    let patch = Patch::read(operands, band);
    // The chain runs over positions: a line of them is a piece.
    let jumps: Vec<isize> = (0..patch.lines).map(|line| (line * patch.line()) as isize).collect();
    let at = band.first(operands.window);
    let mut ahead = Ahead::of(soon, outputs.div_ceil(tiling.cols) * blocks.len());
    for first in (0..outputs).step_by(tiling.cols) {
        for block in blocks {
            ahead.turn();
            let c = target.at(block.piece * patch.depth + block.channels.start, first);
            let block = Block {
                a: patch.at(0, 0).wrapping_offset(patch.jumps[block.piece]).wrapping_add(block.channels.start),
                a_row: 1,
                a_step: patch.step,
                jumps: &jumps,
                b: g[at * outputs + first..].as_ptr(),
                b_step: outputs,
                depth: patch.len,
                c,
                c_row: outputs,
                rows: block.channels.len(),
                cols: tiling.cols.min(outputs - first),
                start: Start::Values { from: c, row: outputs },
            };
            // SAFETY: the patch holds what every tap of these positions reads; a band has all columns of its rows, or one row,
            // so that its positions follow one another in g; outputs are the caller's promise.
            unsafe { T::block(tiling.isa, &block) };
        }
    }
    patch.give_back();
}
