//! The row product of [`super::compact`] in AVX-512 and AVX2: weights are widened in the register that multiplies them.

use super::compact::{Compact, CompactRow};
use super::tiling::{AVX2, AVX512};
use std::arch::x86_64::*;

/// 16 weights as f32, of 2 bytes (bf16) or 1.
///
/// # Safety
/// They are valid to read.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn wide_avx512<const BYTES: usize>(weights: *const u8) -> __m512 {
    // SAFETY: 16 · BYTES bytes.
    unsafe {
        if BYTES == 2 {
            let bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(weights.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits))
        } else {
            _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(weights.cast())))
        }
    }
}

/// 8 weights as f32.
///
/// # Safety
/// They are valid to read.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn wide_avx2<const BYTES: usize>(weights: *const u8) -> __m256 {
    // SAFETY: 8 · BYTES bytes.
    unsafe {
        if BYTES == 2 {
            let bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(weights.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(bits))
        } else {
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(weights.cast())))
        }
    }
}

macro_rules! row {
    (
        $row:ident, $panels:ident, $features:literal, $tiling:ident, $vector:ty,
        $zero:ident, $set:ident, $load:ident, $store:ident, $mul:ident, $div:ident, $fma:ident, $wide:ident
    ) => {
        /// Whole panels side by side, then what is left, one panel after the other.
        ///
        /// # Safety
        /// As [`Compact::row`], with weights of so many bytes, on a machine with these instructions.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $row<const BYTES: usize>(compact: &Compact, row: &CompactRow) {
            const LANES: usize = $tiling.lanes;
            const V: usize = $tiling.cols / LANES;
            const P: usize = $tiling.together;
            let whole = row.panels.end.min(row.cols / $tiling.cols).max(row.panels.start) - row.panels.start;
            let rounds = whole / P;
            // SAFETY: panels of the caller's, whole but for the last of the matrix.
            unsafe {
                for round in 0..rounds {
                    let round = if row.backward { rounds - 1 - round } else { round };
                    $panels::<BYTES, P, V>(compact, row, round * P, V);
                }
                for panel in rounds * P..row.panels.len() {
                    let left = row.cols - (row.panels.start + panel) * $tiling.cols;
                    if left >= $tiling.cols {
                        $panels::<BYTES, 1, V>(compact, row, panel, V);
                    } else {
                        narrow::<BYTES>(compact, row, panel, left);
                    }
                }
            }

            /// The last panel: what its chains start from and where they end has fewer columns than vectors have lanes.
            #[target_feature(enable = $features)]
            unsafe fn narrow<const BYTES: usize>(compact: &Compact, row: &CompactRow, panel: usize, left: usize) {
                let first = panel * $tiling.cols;
                let mut values = [0.0; $tiling.cols];
                // SAFETY: start and y have these columns; the padded panel has whole vectors, and so has `values`.
                unsafe {
                    std::ptr::copy_nonoverlapping(row.start.add(first), values.as_mut_ptr(), left);
                    let y = values.as_mut_ptr();
                    let panels = row.panels.start + panel..row.panels.end;
                    let alone = CompactRow { panels, start: y, y, ..*row };
                    match left.div_ceil(LANES) {
                        1 => $panels::<BYTES, 1, 1>(compact, &alone, 0, 1),
                        2 => $panels::<BYTES, 1, 2>(compact, &alone, 0, 2),
                        _ => $panels::<BYTES, 1, V>(compact, &alone, 0, V),
                    }
                    std::ptr::copy_nonoverlapping(values.as_ptr(), row.y.add(first), left);
                }
            }
        }

        /// `P` panels of `V` vectors from one on, counted from the first of the row.
        ///
        /// # Safety
        /// As the row's; the panels are of so many vectors.
        #[target_feature(enable = $features)]
        unsafe fn $panels<const BYTES: usize, const P: usize, const V: usize>(
            compact: &Compact,
            row: &CompactRow,
            first: usize,
            vectors: usize,
        ) {
            const LANES: usize = $tiling.lanes;
            let (begin, scales) = compact.panel(row.panels.start + first, $tiling.cols, row.depth);
            let (step, panel) = (vectors * LANES * BYTES, $tiling.cols * row.depth * BYTES);
            let (start, y) = (row.start.wrapping_add(first * $tiling.cols), row.y.wrapping_add(first * $tiling.cols));
            let mut sums: [[$vector; V]; P] = [[$zero(); V]; P];
            // SAFETY: the caller's promise: panels, starts, outputs and scales of P · V vectors.
            unsafe {
                for (p, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        let at = p * $tiling.cols + v * LANES;
                        *sum = $load(start.add(at));
                        if BYTES == 1 {
                            *sum = $div(*sum, $load(scales.as_ptr().add(at)));
                        }
                    }
                }
                let mut b = begin;
                for k in 0..row.depth {
                    let x = $set(*row.x.add(k));
                    for (p, sums) in sums.iter_mut().enumerate() {
                        for (v, sum) in sums.iter_mut().enumerate() {
                            *sum = $fma(x, $wide::<BYTES>(b.add(p * panel + v * LANES * BYTES)), *sum);
                        }
                    }
                    b = b.add(step);
                }
                for (p, sums) in sums.iter().enumerate() {
                    for (v, sum) in sums.iter().enumerate() {
                        let at = p * $tiling.cols + v * LANES;
                        let sum = if BYTES == 1 { $mul(*sum, $load(scales.as_ptr().add(at))) } else { *sum };
                        $store(y.add(at), sum);
                    }
                }
            }
        }
    };
}

row!(
    row_avx512,
    panels_avx512,
    "avx512f",
    AVX512,
    __m512,
    _mm512_setzero_ps,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_fmadd_ps,
    wide_avx512
);

row!(
    row_avx2,
    panels_avx2,
    "avx2,fma",
    AVX2,
    __m256,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    wide_avx2
);
