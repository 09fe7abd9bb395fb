//! The block product in portable code, in f64 also compiled for AVX2 and AVX-512.
//!
//! Arrays as wide as a vector or two are added in step, which the compiler makes vector instructions of. What every block
//! product must obey is said in `micro`.

use super::micro::{Block, Lane};
use super::operands::Start;

/// A block as sub-blocks of `R` rows × `W` columns whose accumulators the compiler keeps in registers.
///
/// # Safety
/// As [`Lane::block`].
#[inline(always)]
pub(super) unsafe fn in_lanes<T: Lane, const R: usize, const W: usize>(block: &Block<T>) {
    for j in (0..block.cols).step_by(W) {
        let width = W.min(block.cols - j);
        for i in (0..block.rows).step_by(R) {
            // SAFETY: the sub-block lies inside the block, whose addresses the caller vouches for.
            unsafe {
                let part = Block {
                    a: block.a.add(i * block.a_row),
                    b: block.b.add(j),
                    c: block.c.add(i * block.c_row + j),
                    start: block.start.at(i, j),
                    rows: R.min(block.rows - i),
                    cols: width,
                    ..*block
                };
                if part.rows == R && width == W {
                    sub_block::<T, R, W>(&part);
                } else {
                    for row in 0..part.rows {
                        let one = Block {
                            a: part.a.add(row * part.a_row),
                            c: part.c.add(row * part.c_row),
                            start: part.start.at(row, 0),
                            rows: 1,
                            ..part
                        };
                        if width == W {
                            sub_block::<T, 1, W>(&one);
                        } else {
                            edge::<T, W>(&one);
                        }
                    }
                }
            }
        }
    }
}

/// Exactly `R × W` outputs.
///
/// # Safety
/// As [`Lane::block`].
#[inline(always)]
unsafe fn sub_block<T: Lane, const R: usize, const W: usize>(block: &Block<T>) {
    let mut sums = [[T::default(); W]; R];
    // SAFETY: i < R = rows, j < W = cols, k < depth: the addresses the caller vouches for.
    unsafe {
        if let Start::Values { from, row } = block.start {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = from.add(i * row).cast::<[T; W]>().read();
            }
        }
        let mut b = block.b;
        for &jump in block.jumps {
            let a = block.a.wrapping_offset(jump);
            for k in 0..block.depth {
                let columns = b.cast::<[T; W]>().read();
                for (i, sum) in sums.iter_mut().enumerate() {
                    let x = *a.add(i * block.a_row + k * block.a_step);
                    for j in 0..W {
                        sum[j] = x.fma(columns[j], sum[j]);
                    }
                }
                b = b.wrapping_add(block.b_step);
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            block.c.add(i * block.c_row).cast::<[T; W]>().write(*sum);
        }
    }
}

/// One row of fewer than `W` outputs: reads and writes no column beyond `cols`.
///
/// # Safety
/// As [`Lane::block`].
#[inline(always)]
unsafe fn edge<T: Lane, const W: usize>(block: &Block<T>) {
    let mut sums = [T::default(); W];
    // SAFETY: j < cols, k < depth: the addresses the caller vouches for.
    unsafe {
        if let Start::Values { from, .. } = block.start {
            std::ptr::copy_nonoverlapping(from, sums.as_mut_ptr(), block.cols);
        }
        let mut b = block.b;
        for &jump in block.jumps {
            let a = block.a.wrapping_offset(jump);
            for k in 0..block.depth {
                let x = *a.add(k * block.a_step);
                for (j, sum) in sums[..block.cols].iter_mut().enumerate() {
                    *sum = x.fma(*b.add(j), *sum);
                }
                b = b.wrapping_add(block.b_step);
            }
        }
        std::ptr::copy_nonoverlapping(sums.as_ptr(), block.c, block.cols);
    }
}

/// The portable code compiled for wider vectors: `mul_add` becomes one instruction only where the feature is enabled.
#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::{Block, in_lanes};

    #[target_feature(enable = "avx2,fma")]
    pub(in super::super) unsafe fn avx2_f64(block: &Block<f64>) {
        // SAFETY: the caller's promise.
        unsafe { in_lanes::<f64, 4, 8>(block) }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(in super::super) unsafe fn avx512_f64(block: &Block<f64>) {
        // SAFETY: the caller's promise.
        unsafe { in_lanes::<f64, 4, 16>(block) }
    }
}
