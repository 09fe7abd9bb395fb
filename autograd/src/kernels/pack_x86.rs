//! Transposing 8 × 8 tiles of f32 in registers, for packing what lies across the order in which it is needed.

use std::arch::x86_64::*;

/// `out[k·width + lane] ← from[lane·stride + k]` for `k < depth`, `lane < lanes`; both are multiples of 8.
///
/// # Safety
/// The machine has AVX2; `from` and `out` are valid at all these places.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn transpose(
    from: *const f32,
    stride: usize,
    depth: usize,
    lanes: usize,
    width: usize,
    out: *mut f32,
) {
    // 1. Sixteen steps at a time are one cache line of each lane: 2. all lanes take theirs before it is needed no more.
    for first in (0..depth).step_by(16) {
        for lane in (0..lanes).step_by(8) {
            for k in (first..depth.min(first + 16)).step_by(8) {
                // SAFETY: the tile is k..k + 8 ≤ depth of lanes lane..lane + 8 ≤ lanes.
                unsafe { tile(from.add(lane * stride + k), stride, out.add(k * width + lane), width) };
            }
        }
    }
}

/// One tile.
///
/// # Safety
/// As [`transpose`], for 8 × 8 values.
#[target_feature(enable = "avx2")]
unsafe fn tile(from: *const f32, stride: usize, out: *mut f32, width: usize) {
    // SAFETY: eight rows of eight values, by the caller's promise.
    unsafe {
        // Lanes i and i + 4 side by side, first steps 0..4, then steps 4..8: the exchange of halves comes with the load.
        let halves = |i: usize, k: usize| {
            let low = _mm256_castps128_ps256(_mm_loadu_ps(from.add(i * stride + k)));
            _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add((i + 4) * stride + k)))
        };
        for k in [0, 4] {
            let (a, b, c, d) = (halves(0, k), halves(1, k), halves(2, k), halves(3, k));
            let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            _mm256_storeu_ps(out.add(k * width), _mm256_shuffle_ps::<0b01_00_01_00>(ab_low, cd_low));
            _mm256_storeu_ps(out.add((k + 1) * width), _mm256_shuffle_ps::<0b11_10_11_10>(ab_low, cd_low));
            _mm256_storeu_ps(out.add((k + 2) * width), _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high));
            _mm256_storeu_ps(out.add((k + 3) * width), _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high));
        }
    }
}
