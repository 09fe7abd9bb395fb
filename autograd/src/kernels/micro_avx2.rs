//! The f32 block product in AVX2: sub-blocks of up to 4 rows × 2 vectors, or one row × 6, which is what 16 registers hold.
//!
//! Eight sums in flight hide the latency of a multiply-add (4 cycles, two a cycle).

use super::micro::{Block, LANES, NR};
use super::operands::Start;
use std::arch::x86_64::*;

/// Values of a vector.
const WIDTH: usize = 8;

/// Computes one block of up to 8 × 48.
///
/// # Safety
/// The machine has AVX2 and FMA; addresses as in [`super::micro::Lane::block`].
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn block(block: &Block<f32>) {
    // SAFETY: the sub-blocks lie inside the block, whose addresses the caller vouches for.
    unsafe {
        if block.rows == 1 && block.cols == NR {
            outer_products::<1, 6>(block);
            return;
        }
        for j in (0..block.cols).step_by(LANES) {
            for i in (0..block.rows).step_by(4) {
                let part = Block {
                    a: block.a.add(i * block.a_row),
                    b: block.b.add(j),
                    c: block.c.add(i * block.c_row + j),
                    start: block.start.at(i, j),
                    rows: (block.rows - i).min(4),
                    cols: (block.cols - j).min(LANES),
                    ..*block
                };
                match part.rows {
                    4 => outer_products::<4, 2>(&part),
                    3 => outer_products::<3, 2>(&part),
                    2 => outer_products::<2, 2>(&part),
                    _ => outer_products::<1, 2>(&part),
                }
            }
        }
    }
}

/// `depth` outer products of R values of A and V vectors of B.
///
/// # Safety
/// As [`block`], for a block of R rows and at most V vectors.
#[target_feature(enable = "avx2,fma")]
unsafe fn outer_products<const R: usize, const V: usize>(block: &Block<f32>) {
    // Lane by lane: does this column exist? Masked loads and stores touch no others.
    let mut masks = [_mm256_setzero_si256(); V];
    let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    for (v, mask) in masks.iter_mut().enumerate() {
        let existing = block.cols as i32 - (v * WIDTH) as i32;
        *mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(existing), lane);
    }
    let whole = block.cols == V * WIDTH;
    let mut sums = [[_mm256_setzero_ps(); V]; R];
    // SAFETY: rows and columns below those of the block, k < depth; vectors are masked to the columns that exist.
    unsafe {
        if let Start::Values { from, row: start_row } = block.start {
            for (i, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = _mm256_maskload_ps(from.wrapping_add(i * start_row + v * WIDTH), masks[v]);
                }
            }
        }
        let (mut a, mut b) = (block.a, block.b);
        for _ in 0..block.depth {
            let mut columns = [_mm256_setzero_ps(); V];
            for (v, vector) in columns.iter_mut().enumerate() {
                let from = b.wrapping_add(v * WIDTH);
                *vector = if whole { _mm256_loadu_ps(from) } else { _mm256_maskload_ps(from, masks[v]) };
            }
            for (i, row) in sums.iter_mut().enumerate() {
                let x = _mm256_set1_ps(*a.add(i * block.a_row));
                for v in 0..V {
                    row[v] = _mm256_fmadd_ps(x, columns[v], row[v]);
                }
            }
            a = a.wrapping_add(block.a_step);
            b = b.wrapping_add(block.b_step);
        }
        for (i, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                _mm256_maskstore_ps(block.c.wrapping_add(i * block.c_row + v * WIDTH), masks[v], *sum);
            }
        }
    }
}
