//! `ln Σ exp x` of a row in double precision, whatever the row is in: what exact likelihoods are normalised by.
//!
//! Not for losses: `softmax` computes in the type of its row, a tenth of the work. Here the exponentials are within 1.5 ULP of f64,
//! so that probabilities sum to one within rounding even over a large alphabet. 10,000 `f32` take 5 µs on one core of a Zen 5
//! EPYC, with the standard library's exp 50 µs. Beside it the exponentials themselves, [`weights()`].

use super::compiled::Compiled;
use super::math::dispatch::{Pass, dispatch};
use crate::Scalar;

/// `2⁵² + 2⁵¹`: adding it to a small number rounds that to an integer, which then stands in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// ln 2 in double precision, and what is missing: `n · LN_2` leaves `x` exactly (one fused rounding, few bits).
const LN_2: f64 = std::f64::consts::LN_2;
const LN_2_REST: f64 = 2.319_046_813_846_299_6e-17;

/// `q` in `eʳ = 1 + r + r² q(r)`: Taylor's series up to `r¹³`, whose rest for `|r| ≤ ½ ln 2` is 4e−18.
const Q: [f64; 12] = {
    let (mut q, mut factorial, mut k) = ([0.0; 12], 1.0, 0);
    while k < 12 {
        factorial *= (k + 2) as f64;
        q[k] = 1.0 / factorial;
        k += 1;
    }
    q
};

/// `exp x` for `x ≤ 0`, without a branch; NaN for NaN. Below −708, where 2ⁿ would leave the normal numbers, as at −708: 3e−308.
#[inline(always)]
fn exp(x: f64) -> f64 {
    let x = if x < -708.0 { -708.0 } else { x }; // lets NaN through
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2_REST, n.mul_add(-LN_2, x));
    let mut q = Q[11];
    for k in (0..11).rev() {
        q = q.mul_add(r, Q[k]);
    }
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(1023);
    (1.0 + (r * r).mul_add(q, r)) * f64::from_bits(exponent << 52)
}

/// Elements taken together: four AVX-512 registers of `f64`. Element i belongs to lane i mod 32, so a sum has one order.
const LANES: usize = 32;

/// A tree over the lanes.
#[inline(always)]
fn join<A: Copy>(mut lanes: [A; LANES], f: impl Fn(A, A) -> A) -> A {
    for width in [16, 8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] = f(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}

struct Normalizer<'a, T>(&'a [T]);
impl<T: Scalar> Pass for Normalizer<'_, T> {
    type Output = (f64, f64);
    #[inline(always)]
    fn run(self) -> (f64, f64) {
        let (blocks, rest) = self.0.as_chunks::<LANES>();
        let mut last = [T::neg_infinity(); LANES]; // which adds nothing
        last[..rest.len()].copy_from_slice(rest);
        let blocks = || blocks.iter().chain(std::iter::once(&last));
        let larger = |a: T, b: T| if b > a { b } else { a }; // passes over NaN: the exponentials find it
        let mut maxima = [T::neg_infinity(); LANES];
        for block in blocks() {
            maxima.iter_mut().zip(block).for_each(|(max, &x)| *max = larger(*max, x));
        }
        let max = join(maxima, larger).as_f64();
        let mut sums = [0.0; LANES];
        for block in blocks() {
            sums.iter_mut().zip(block).for_each(|(sum, &x)| *sum += exp(x.as_f64() - max));
        }
        (max, join(sums, |a, b| a + b))
    }
}

/// `(max x, ln Σ exp(x − max x))` of one row, on the calling thread: `ln p_i = x_i − max x − ln Σ`.
///
/// The sum is within 1.5 ULP of f64 and `V/32 + 6` additions, all terms being positive. An element of −∞ adds
/// nothing; a row of nothing but −∞, or with +∞ or NaN in it, gives NaN.
pub fn log_sum_exp<T: Scalar>(row: &[T]) -> (f64, f64) {
    Compiled::log_sum_exp(row)
}

/// [`log_sum_exp`], compiled for each type.
pub(in crate::kernels) fn log_sum_exp_body<T: Scalar>(row: &[T]) -> (f64, f64) {
    let (max, sum) = dispatch(Normalizer(row));
    (max, sum.ln())
}

struct Weights<'a, T>(&'a [T], f64, &'a mut [f64]);
impl<T: Scalar> Pass for Weights<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Weights(row, max, out) = self;
        out.iter_mut().zip(row).for_each(|(out, &x)| *out = exp(x.as_f64() - max));
    }
}

/// `exp(x − max x)` of every element, in double precision: probabilities up to their sum, for whoever must have the same ones on another
/// machine.
///
/// Within 1.5 ULP, and the same bits on every machine and instruction set: only operations that IEEE 754 rounds exactly are used, in one
/// order, and no library's logarithm. An element of −∞ gives 3e−308; a row with NaN or +∞ in it gives NaN somewhere.
///
/// # Panics
/// If there is not one place for each element.
#[track_caller]
pub fn weights<T: Scalar>(row: &[T], out: &mut [f64]) {
    assert_eq!(row.len(), out.len(), "weights: one place for each element");
    let max = row.iter().fold(T::neg_infinity(), |max, &x| if x > max { x } else { max });
    dispatch(Weights(row, max.as_f64(), out));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::dispatch::{Isa, dispatch_to};
    use crate::kernels::row_tasks::tests::{wave, wave32};

    #[test]
    fn exponentials_are_within_one_and_a_half_ulp_of_the_standard_library() {
        let mut worst = 0.0_f64;
        for i in 0..2_000_000 {
            let x = -f64::from(i) * 3.519_7e-4;
            let exact = x.exp();
            worst = worst.max((exp(x) - exact).abs() / (exact * f64::EPSILON));
        }
        assert!(worst <= 1.5, "{worst} ε"); // an ULP is between ½ ε and ε of the value
        assert_eq!((exp(0.0), exp(-1e9), exp(f64::NEG_INFINITY)), (1.0, exp(-708.0), exp(-708.0)));
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn the_sum_is_that_of_the_formula() {
        for len in (1..140).chain([10_000]) {
            let row: Vec<f64> = wave(len, 0.3).into_iter().map(|x| 40.0 * x).collect();
            let (max, ln_sum) = log_sum_exp(&row);
            let expected: f64 = row.iter().map(|x| (x - max).exp()).sum();
            assert!(row.iter().all(|&x| x <= max) && row.contains(&max));
            approx::assert_relative_eq!(ln_sum.exp(), expected, max_relative = 1e-14);
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for len in (0..140).chain([10_000]) {
            let row = wave32(len, 0.2);
            let on = |isa| {
                let (max, sum) = dispatch_to(isa, Normalizer(&row));
                [max.to_bits(), sum.to_bits()]
            };
            assert!(Isa::available().all(|isa| on(isa) == on(Isa::Portable)), "length {len}");
            let weights = |isa| {
                let mut out = vec![0.0; len];
                dispatch_to(isa, Weights(&row, 1.0, &mut out));
                out.into_iter().map(f64::to_bits).collect::<Vec<_>>()
            };
            assert!(Isa::available().all(|isa| weights(isa) == weights(Isa::Portable)), "length {len}");
        }
    }

    #[test]
    fn weights_are_exponentials_below_the_largest_element() {
        let row = [1000.0_f32, 999.0, f32::NEG_INFINITY, 1000.0];
        let mut out = [0.0; 4];
        weights(&row, &mut out);
        assert_eq!((out[0], out[3]), (1.0, 1.0));
        approx::assert_relative_eq!(out[1], (-1.0_f64).exp(), max_relative = 4e-16);
        assert!(out[2] > 0.0 && out[2] < 1e-307);
        weights(&[1.0, f64::NAN], &mut out[..2]);
        assert!(out[1].is_nan());
    }

    #[test]
    fn minus_infinity_adds_nothing_and_what_is_no_distribution_gives_nan() {
        assert_eq!(log_sum_exp(&[f32::NEG_INFINITY, 2.0, f32::NEG_INFINITY]), (2.0, 0.0));
        for row in [[f64::NEG_INFINITY; 2], [1.0, f64::INFINITY], [f64::NAN, 0.0], [0.0, f64::NAN]] {
            assert!(log_sum_exp(&row).1.is_nan(), "{row:?}");
        }
    }
}
