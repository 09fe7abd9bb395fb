//! The f32 block product in AVX2: up to 6 rows × 2 vectors of accumulators in registers.
//!
//! Per step of k a full block is 12 multiply-adds for 2 + 6 loads: twelve chains hide the latency of a multiply-add (4 cycles, two
//! a cycle), and the two multiply-add units decide the time, not the loads (two a cycle). Two vectors of B, twelve sums and a
//! value of A leave one of the 16 registers.

use super::micro::{Block, Row};
use super::operands::Start;
use super::tiling::AVX2;
use std::arch::x86_64::*;

/// Values of a vector.
const WIDTH: usize = 8;

/// Rows of a packed strip of A.
const ROWS: usize = AVX2.rows;

/// Columns of a panel.
const COLS: usize = AVX2.cols;

/// Panels of a row side by side.
const TOGETHER: usize = AVX2.together;

/// Computes one block of up to 6 × 16.
///
/// # Safety
/// The machine has AVX2 and FMA; addresses as in [`super::micro::Lane::block`].
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn block(block: &Block<f32>) {
    macro_rules! by_shape {
        ($($rows:literal)*) => {
            match (block.rows, block.cols.div_ceil(WIDTH)) {
                $(
                    ($rows, 1) => by_layout::<$rows, 1>(block),
                    ($rows, 2) => by_layout::<$rows, 2>(block),
                )*
                _ => {} // nothing to compute: no rows or no columns
            }
        };
    }
    // SAFETY: the caller's promise is passed on.
    unsafe { by_shape!(1 2 3 4 5 6) }
}

/// Chooses the code for where the rows of A lie, and for whether the last vector of columns is whole.
#[target_feature(enable = "avx2,fma")]
unsafe fn by_layout<const R: usize, const V: usize>(block: &Block<f32>) {
    // SAFETY: the caller's promise is passed on.
    unsafe {
        match (block.a_row == 1 && block.a_step == ROWS, block.cols == V * WIDTH) {
            (true, true) => outer_products::<R, V, true, true>(block),
            (true, false) => outer_products::<R, V, true, false>(block),
            (false, true) => outer_products::<R, V, false, true>(block),
            (false, false) => outer_products::<R, V, false, false>(block),
        }
    }
}

/// An outer product of R values of A and V vectors of B for every step of every piece of A.
///
/// # Safety
/// As [`block`], for a block of R rows and V vectors, the last of which is whole if so said.
#[target_feature(enable = "avx2,fma")]
unsafe fn outer_products<const R: usize, const V: usize, const PACKED: bool, const WHOLE: bool>(block: &Block<f32>) {
    // With constant strides all of A's addresses are one register and an offset.
    let (a_row, a_step) = if PACKED { (1, ROWS) } else { (block.a_row, block.a_step) };
    // Lane by lane: does this column of the last vector exist? Masked loads and stores touch no others.
    let last = {
        let existing = _mm256_set1_epi32(block.cols as i32 - ((V - 1) * WIDTH) as i32);
        _mm256_cmpgt_epi32(existing, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
    };
    let masked = |v: usize| !WHOLE && v + 1 == V;
    let mut sums = [[_mm256_setzero_ps(); V]; R];
    // SAFETY: rows and columns below those of the block, k < depth; the last vector is masked to the columns that exist.
    unsafe {
        if let Start::Values { from, row: start_row } = block.start {
            for (i, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    let from = from.add(i * start_row + v * WIDTH);
                    *sum = if masked(v) { _mm256_maskload_ps(from, last) } else { _mm256_loadu_ps(from) };
                }
            }
        }
        let mut b = block.b;
        for &jump in block.jumps {
            let mut a = block.a.wrapping_offset(jump);
            for _ in 0..block.depth {
                let mut columns = [_mm256_setzero_ps(); V];
                for (v, vector) in columns.iter_mut().enumerate() {
                    let from = b.add(v * WIDTH);
                    *vector = if masked(v) { _mm256_maskload_ps(from, last) } else { _mm256_loadu_ps(from) };
                }
                for (i, row) in sums.iter_mut().enumerate() {
                    let x = _mm256_broadcast_ss(&*a.add(i * a_row));
                    for v in 0..V {
                        row[v] = _mm256_fmadd_ps(x, columns[v], row[v]);
                    }
                }
                a = a.wrapping_add(a_step);
                b = b.wrapping_add(block.b_step);
            }
        }
        for (i, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                let c = block.c.add(i * block.c_row + v * WIDTH);
                if masked(v) { _mm256_maskstore_ps(c, last, *sum) } else { _mm256_storeu_ps(c, *sum) }
            }
        }
    }
}

/// One row of as many whole panels as come in sixes; returns how many that were.
///
/// # Safety
/// The machine has AVX2 and FMA; addresses as in [`super::micro::Lane::row`].
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn row(row: &Row<f32>) -> usize {
    const V: usize = COLS / WIDTH;
    let panel = row.depth * COLS;
    let rounds = row.panels / TOGETHER;
    for round in 0..rounds {
        let round = if row.backward { rounds - 1 - round } else { round };
        let y = row.y.wrapping_add(round * TOGETHER * COLS);
        let start = row.start.wrapping_add(round * TOGETHER * COLS);
        let mut b = row.b.wrapping_add(round * TOGETHER * panel);
        let mut sums = [[_mm256_setzero_ps(); V]; TOGETHER];
        // SAFETY: six whole panels, each `depth` steps of 16 values, and their 6 · 16 starts and outputs.
        unsafe {
            for (p, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm256_loadu_ps(start.add(p * COLS + v * WIDTH));
                }
            }
            for k in 0..row.depth {
                let x = _mm256_broadcast_ss(&*row.x.add(k));
                for (p, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = _mm256_fmadd_ps(x, _mm256_loadu_ps(b.add(p * panel + v * WIDTH)), *sum);
                    }
                }
                b = b.wrapping_add(COLS);
            }
            for (p, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    _mm256_storeu_ps(y.add(p * COLS + v * WIDTH), *sum);
                }
            }
        }
    }
    rounds * TOGETHER
}
