//! The f32 block product in AVX-512: up to 8 rows × 3 vectors of accumulators in registers.
//!
//! Per step of k a full block is 24 multiply-adds for 3 + 8 loads, so the two multiply-add units decide the time, not the loads.

use super::micro::{Block, Row};
use super::operands::Start;
use super::tiling::AVX512;
use std::arch::x86_64::*;

/// Values of a vector.
const LANES: usize = AVX512.lanes;

/// Rows of a packed strip of A.
const ROWS: usize = AVX512.rows;

/// Columns of a panel.
const COLS: usize = AVX512.cols;

/// Panels of a row side by side.
const TOGETHER: usize = AVX512.together;

/// Computes one block of up to 8 × 48.
///
/// # Safety
/// The machine has AVX-512F; addresses as in [`super::micro::Lane::block`].
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn block(block: &Block<f32>) {
    macro_rules! by_shape {
        ($($rows:literal)*) => {
            match (block.rows, block.cols.div_ceil(LANES)) {
                $(
                    ($rows, 1) => by_layout::<$rows, 1>(block),
                    ($rows, 2) => by_layout::<$rows, 2>(block),
                    ($rows, 3) => by_layout::<$rows, 3>(block),
                )*
                _ => {} // nothing to compute: no rows or no columns
            }
        };
    }
    // SAFETY: the caller's promise is passed on.
    unsafe { by_shape!(1 2 3 4 5 6 7 8) }
}

/// Chooses the code for where the rows of A lie.
#[target_feature(enable = "avx512f")]
unsafe fn by_layout<const R: usize, const V: usize>(block: &Block<f32>) {
    // SAFETY: the caller's promise is passed on.
    unsafe {
        if block.a_row == 1 && block.a_step == ROWS {
            outer_products::<R, V, true>(block);
        } else {
            outer_products::<R, V, false>(block);
        }
    }
}

/// An outer product of R values of A and V vectors of B for every step of every piece of A.
#[target_feature(enable = "avx512f")]
unsafe fn outer_products<const R: usize, const V: usize, const PACKED: bool>(block: &Block<f32>) {
    // With constant strides all of A's addresses are one register and an offset.
    let (a_row, a_step) = if PACKED { (1, ROWS) } else { (block.a_row, block.a_step) };
    let last: __mmask16 = u16::MAX >> (V * LANES - block.cols);
    let mut sums = [[_mm512_setzero_ps(); V]; R];
    // SAFETY: rows and columns below those of the block, k < depth; the last vector is masked to the columns that exist.
    unsafe {
        if let Start::Values { from, row: start_row } = block.start {
            for (i, row) in sums.iter_mut().enumerate() {
                let from = from.add(i * start_row);
                for (v, sum) in row.iter_mut().enumerate() {
                    let mask = if v + 1 == V { last } else { u16::MAX };
                    *sum = _mm512_maskz_loadu_ps(mask, from.add(v * LANES));
                }
            }
        }
        let mut b = block.b;
        for &jump in block.jumps {
            let mut a = block.a.wrapping_offset(jump);
            for _ in 0..block.depth {
                let mut columns = [_mm512_setzero_ps(); V];
                for (v, vector) in columns.iter_mut().enumerate() {
                    let mask = if v + 1 == V { last } else { u16::MAX };
                    *vector = _mm512_maskz_loadu_ps(mask, b.add(v * LANES));
                }
                for (i, row) in sums.iter_mut().enumerate() {
                    let x = _mm512_set1_ps(*a.add(i * a_row));
                    for v in 0..V {
                        row[v] = _mm512_fmadd_ps(x, columns[v], row[v]);
                    }
                }
                a = a.wrapping_add(a_step);
                b = b.wrapping_add(block.b_step);
            }
        }
        for (i, row) in sums.iter().enumerate() {
            let c = block.c.add(i * block.c_row);
            for (v, sum) in row.iter().enumerate() {
                let mask = if v + 1 == V { last } else { u16::MAX };
                _mm512_mask_storeu_ps(c.add(v * LANES), mask, *sum);
            }
        }
    }
}

/// One row of as many whole panels as come in fours; returns how many that were.
///
/// # Safety
/// The machine has AVX-512F; addresses as in [`super::micro::Lane::row`].
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn row(row: &Row<f32>) -> usize {
    const V: usize = COLS / LANES;
    let panel = row.depth * COLS;
    let rounds = row.panels / TOGETHER;
    for round in 0..rounds {
        let round = if row.backward { rounds - 1 - round } else { round };
        let y = row.y.wrapping_add(round * TOGETHER * COLS);
        let start = row.start.wrapping_add(round * TOGETHER * COLS);
        let mut b = row.b.wrapping_add(round * TOGETHER * panel);
        let mut sums = [[_mm512_setzero_ps(); V]; TOGETHER];
        // SAFETY: four whole panels, each `depth` steps of 48 values, and their 4 · 48 starts and outputs.
        unsafe {
            for (p, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm512_loadu_ps(start.add(p * COLS + v * LANES));
                }
            }
            for k in 0..row.depth {
                let x = _mm512_set1_ps(*row.x.add(k));
                for (p, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = _mm512_fmadd_ps(x, _mm512_loadu_ps(b.add(p * panel + v * LANES)), *sum);
                    }
                }
                b = b.wrapping_add(COLS);
            }
            for (p, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    _mm512_storeu_ps(y.add(p * COLS + v * LANES), *sum);
                }
            }
        }
    }
    rounds * TOGETHER
}
