//! The formulas of exp, tanh and sigmoid in `f32`, one element at a time, without a branch.
//!
//! Written for the auto-vectoriser: a loop over these inside a [`Pass`](super::dispatch::Pass) compiles to SIMD, because there is
//! no call, no table and no early return; a selection is a blend. Nothing here knows an instruction set.

/// `2²³ + 2²²`: adding it to a small float rounds that to an integer, which then stands in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// ln 2 as a float, and what is missing: `n · LN_2` leaves `x` exactly (one fused rounding, few bits), the rest is a correction.
const LN_2: f32 = std::f32::consts::LN_2;
const LN_2_REST: f32 = -1.904_654_2e-9;

/// `q` in `eʳ ≈ 1 + r + r² q(r)` for `|r| ≤ ½ ln 2`: minimax in the relative error of `eʳ`, which is 3.1e−9 (a twentieth of half an ULP).
const Q: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_39, 0.008_368_745, 0.001_381_454];

/// Splits `x = n ln 2 + r` and returns `n` and `eʳ − 1`, the latter with a small *relative* error, also where r → 0.
///
/// `x` must be NaN or in −2¹⁸ … 2¹⁸; for NaN, n is arbitrary and the second value NaN.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_REST, n.mul_add(-LN_2, x));
    let q = Q[4].mul_add(r, Q[3]).mul_add(r, Q[2]).mul_add(r, Q[1]).mul_add(r, Q[0]);
    ((shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32), (r * r).mul_add(q, r))
}

/// `2ⁿ` for n in −126 … 127 (for other n, which only NaN brings, some number).
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `exp x`.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Beyond these bounds the result is 0 or ∞ anyway; within, n stays small. Comparisons in this form let NaN through.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (n, p) = reduce(x);
    // 2ⁿ itself may be subnormal or above the largest float, its two halves are not; only the last product rounds.
    let half = n >> 1;
    (1.0 + p) * power_of_two(half) * power_of_two(n - half)
}

/// `1 / (1 + exp(−x))`, by `e = exp(−|x|) ≤ 1`, which never overflows: `1/(1+e)` right of zero, `e/(1+e)` left of it.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// `tanh x`, as `−m / (2 + m)` with `m = exp(−2|x|) − 1` and the sign of x: no cancellation near zero, no overflow, odd by construction.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let y = -2.0 * x.abs();
    let y = if y < -80.0 { -80.0 } else { y }; // far below where m rounds to −1, far above where 2ⁿ leaves the normal range
    let (n, p) = reduce(y);
    let scale = power_of_two(n);
    let m = scale.mul_add(p, scale - 1.0);
    (-m / (2.0 + m)).copysign(x)
}
