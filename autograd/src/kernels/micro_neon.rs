//! The f32 block product in NEON: up to 6 rows × 4 vectors of accumulators in registers.
//!
//! Per step of k a full block is 24 multiply-adds for 4 vectors of B and 6 values of A: 24 chains hide the latency of a
//! multiply-add (4 cycles, two to four a cycle), and 24 + 4 + 1 registers of 32 are in use. Each multiply-add takes its value of A
//! from a lane of a register, so that nothing is broadcast.

use super::micro::{Block, Row};
use super::operands::Start;
use super::tiling::NEON;
use std::arch::aarch64::*;

/// Values of a vector.
const WIDTH: usize = 4;

/// Vectors of a panel.
const VECTORS: usize = NEON.cols / WIDTH;

/// Panels of a row side by side.
const TOGETHER: usize = NEON.together;

/// Computes one block of up to 6 × 16.
///
/// # Safety
/// Addresses as in [`super::micro::Lane::block`]. (Every aarch64 has NEON.)
pub(super) unsafe fn block(block: &Block<f32>) {
    macro_rules! by_rows {
        ($($rows:literal)*) => {
            match block.rows {
                $($rows => outer_products::<$rows>(block),)*
                _ => {} // nothing to compute
            }
        };
    }
    // SAFETY: the caller's promise is passed on.
    unsafe {
        if block.cols == NEON.cols {
            by_rows!(1 2 3 4 5 6)
        } else {
            super::micro_portable::in_lanes::<f32, 4, 4>(block);
        }
    }
}

/// An outer product of R values of A and a panel's row of B for every step of every piece of A.
///
/// # Safety
/// As [`block`], for a block of R rows and all columns.
#[inline(always)]
unsafe fn outer_products<const R: usize>(block: &Block<f32>) {
    // SAFETY: rows and columns below those of the block, k < depth.
    unsafe {
        let mut sums = [[vdupq_n_f32(0.0); VECTORS]; R];
        if let Start::Values { from, row: start_row } = block.start {
            for (i, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = vld1q_f32(from.add(i * start_row + v * WIDTH));
                }
            }
        }
        let mut b = block.b;
        for &jump in block.jumps {
            let mut a = block.a.wrapping_offset(jump);
            for _ in 0..block.depth {
                let columns: [_; VECTORS] = std::array::from_fn(|v| vld1q_f32(b.add(v * WIDTH)));
                for (i, row) in sums.iter_mut().enumerate() {
                    let x = *a.add(i * block.a_row);
                    for (sum, &column) in row.iter_mut().zip(&columns) {
                        *sum = vfmaq_n_f32(*sum, column, x);
                    }
                }
                a = a.wrapping_add(block.a_step);
                b = b.wrapping_add(block.b_step);
            }
        }
        for (i, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                vst1q_f32(block.c.add(i * block.c_row + v * WIDTH), *sum);
            }
        }
    }
}

/// One row of as many whole panels as come in fours; returns how many that were.
///
/// # Safety
/// Addresses as in [`super::micro::Lane::row`].
pub(super) unsafe fn row(row: &Row<f32>) -> usize {
    let (width, panel) = (NEON.cols, row.depth * NEON.cols);
    let rounds = row.panels / TOGETHER;
    for round in 0..rounds {
        let round = if row.backward { rounds - 1 - round } else { round };
        let y = row.y.wrapping_add(round * TOGETHER * width);
        let start = row.start.wrapping_add(round * TOGETHER * width);
        let mut b = row.b.wrapping_add(round * TOGETHER * panel);
        // SAFETY: four whole panels, each `depth` steps of 16 values, and their 4 · 16 starts and outputs.
        unsafe {
            let mut sums = [[vdupq_n_f32(0.0); VECTORS]; TOGETHER];
            for (p, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = vld1q_f32(start.add(p * width + v * WIDTH));
                }
            }
            for k in 0..row.depth {
                let x = *row.x.add(k);
                for (p, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = vfmaq_n_f32(*sum, vld1q_f32(b.add(p * panel + v * WIDTH)), x);
                    }
                }
                b = b.wrapping_add(width);
            }
            for (p, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    vst1q_f32(y.add(p * width + v * WIDTH), *sum);
                }
            }
        }
    }
    rounds * TOGETHER
}
