//! Reductions of one row in a fixed number of lanes, to be inlined into a [`Pass`](super::math::dispatch::Pass).
//!
//! Not parallel and not public: `reduce`, `softmax` and `layer_norm` build on them.
//!
//! Element i belongs to lane i mod 32, however long the row is, and the lanes are combined in one tree. So a sum has one order, the same
//! for every instruction set, and trailing zeros do not change it: a lane begins at +0 and never becomes −0, and adding ±0 to
//! it leaves its bits. A row of which a mask has turned the end into zeros therefore has the bits of its bare beginning.
//!
//! [`sum_lanes`] and [`dot_lanes`] add up blocks of 4096 elements in the row's own precision and the blocks in double: the error is
//! below 136 units of rounding of `Σ|x|` (2⁻²⁴ each in `f32`), however long the row. [`wide_sum`] does all in double.

use crate::Scalar;

/// Two AVX-512 registers of `f32`, which hides the latency of an addition.
const LANES: usize = 32;

/// Elements of a row that are added up in its own precision.
pub(super) const BLOCK: usize = 4096;

/// Partial results: an array that is never indexed by a variable, so that it lives in registers while a row is folded.
#[derive(Clone, Copy)]
struct Lanes<A>([A; LANES]);

impl<A: Copy> Lanes<A> {
    /// Combines the lanes in a tree. `four` and `one` give the terms that are left over, `count` below 32 of them, which belong
    /// to the first lanes.
    ///
    /// Not inlined: the compiler must then store the lanes side by side, which is what makes it fold them as vectors. Terms are
    /// added four at a time, for a processor that reads several lanes just after one was written waits until that is in its cache.
    #[inline(never)]
    fn finish(
        self,
        count: usize,
        four: impl Fn(usize) -> [A; 4],
        one: impl Fn(usize) -> A,
        neutral: A,
        join: impl Fn(A, A) -> A,
    ) -> A {
        let Lanes(mut lanes) = self;
        let (fours, _) = lanes.as_chunks_mut::<4>();
        let add = |[a, b, c, d]: [A; 4], [x, y, z, w]: [A; 4]| [join(a, x), join(b, y), join(c, z), join(d, w)];
        for (i, lanes) in fours.iter_mut().enumerate().take(count / 4) {
            *lanes = add(*lanes, four(i));
        }
        if !count.is_multiple_of(4) {
            let or_neutral = |i: usize| if i < count % 4 { one(i) } else { neutral };
            let lanes = &mut fours[count / 4];
            *lanes = add(*lanes, [one(0), or_neutral(1), or_neutral(2), neutral]);
        }
        Self::tree(lanes, join)
    }

    /// [`Lanes::finish`] when nothing is left over.
    #[inline(never)]
    fn combine(self, join: impl Fn(A, A) -> A) -> A {
        Self::tree(self.0, join)
    }

    #[inline(always)]
    fn tree(mut lanes: [A; LANES], join: impl Fn(A, A) -> A) -> A {
        for i in 0..16 {
            lanes[i] = join(lanes[i], lanes[i + 16]);
        }
        for i in 0..8 {
            lanes[i] = join(lanes[i], lanes[i + 8]);
        }
        for i in 0..4 {
            lanes[i] = join(lanes[i], lanes[i + 4]);
        }
        join(join(lanes[0], lanes[2]), join(lanes[1], lanes[3]))
    }
}

/// The terms of a row joined: lane by lane, then the lanes. `neutral` joined to anything leaves it.
#[inline(always)]
pub(super) fn fold<T: Copy, A: Copy>(
    xs: &[T],
    neutral: A,
    term: impl Fn(T) -> A + Copy,
    join: impl Fn(A, A) -> A + Copy,
) -> A {
    let (blocks, rest) = xs.as_chunks::<LANES>();
    let mut lanes = Lanes([neutral; LANES]);
    for block in blocks {
        for (lane, &x) in lanes.0.iter_mut().zip(block) {
            *lane = join(*lane, term(x));
        }
    }
    if rest.is_empty() {
        return lanes.combine(join);
    }
    let (fours, last) = rest.as_chunks::<4>();
    lanes.finish(rest.len(), |i| fours[i].map(term), |i| term(last[i]), neutral, join)
}

/// [`fold`] of terms of two rows of one length.
#[inline(always)]
fn fold_pairs<T: Scalar>(xs: &[T], ys: &[T], term: impl Fn(T, T) -> T + Copy) -> T {
    let (neutral, join) = (T::zero(), |a: T, b: T| a + b);
    let ((x_blocks, x_rest), (y_blocks, y_rest)) = (xs.as_chunks::<LANES>(), ys.as_chunks::<LANES>());
    let mut lanes = Lanes([neutral; LANES]);
    for (x_block, y_block) in x_blocks.iter().zip(y_blocks) {
        for ((lane, &x), &y) in lanes.0.iter_mut().zip(x_block).zip(y_block) {
            *lane = join(*lane, term(x, y));
        }
    }
    if x_rest.is_empty() {
        return lanes.combine(join);
    }
    let ((x_fours, x_last), (y_fours, y_last)) = (x_rest.as_chunks::<4>(), y_rest.as_chunks::<4>());
    let four = |i: usize| {
        let ([a, b, c, d], [x, y, z, w]) = (x_fours[i], y_fours[i]);
        [term(a, x), term(b, y), term(c, z), term(d, w)]
    };
    lanes.finish(x_rest.len(), four, |i| term(x_last[i], y_last[i]), neutral, join)
}

/// `Σ term(x)`.
#[inline(always)]
pub(super) fn sum_terms<T: Scalar>(xs: &[T], term: impl Fn(T) -> T + Copy) -> f64 {
    let mut sum = 0.0;
    // A loop, not `Iterator::fold`: what is not inlined into the pass is not compiled for its instruction set.
    for block in xs.chunks(BLOCK) {
        sum += fold(block, T::zero(), term, |a, b| a + b).as_f64();
    }
    sum
}

/// `Σ x`.
#[inline(always)]
pub(super) fn sum_lanes<T: Scalar>(xs: &[T]) -> f64 {
    sum_terms(xs, |x| x)
}

/// `Σ x·y` of two rows of one length.
#[inline(always)]
pub(super) fn dot_lanes<T: Scalar>(xs: &[T], ys: &[T]) -> T {
    let mut sum = 0.0;
    for (xs, ys) in xs.chunks(BLOCK).zip(ys.chunks(BLOCK)) {
        sum += fold_pairs(xs, ys, |x, y| x * y).as_f64();
    }
    T::of(sum)
}

/// `Σ x`, all in double precision.
#[inline(always)]
pub(super) fn wide_sum<T: Scalar>(xs: &[T]) -> f64 {
    fold(xs, 0.0, |x| x.as_f64(), |a, b| a + b)
}

/// `max x`; −∞ of none. NaN is passed over: the exponentials that follow find it.
#[inline(always)]
pub(super) fn max_lanes<T: Scalar>(xs: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a }; // one instruction, which `T::max` with its care for NaN is not
    // A maximum has no order: the last elements, which fill no block, are read in a block with some before them.
    if let Some(last) = xs.last_chunk::<LANES>() {
        return Lanes(largest_in_lanes(xs, last, larger)).combine(larger);
    }
    let largest = |xs: &[T]| xs.iter().fold(T::neg_infinity(), |a, &b| larger(a, b));
    match xs.last_chunk::<8>() {
        Some(last) => largest(&largest_in_lanes(xs, last, larger)),
        None => largest(xs),
    }
}

/// The maxima of blocks of n elements, which need not be apart.
#[inline(always)]
fn largest_in_lanes<T: Scalar, const N: usize>(xs: &[T], last: &[T; N], larger: impl Fn(T, T) -> T) -> [T; N] {
    let mut lanes = [T::neg_infinity(); N];
    for block in xs.as_chunks::<N>().0 {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(last) {
        *lane = larger(*lane, x);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::dispatch::{Isa, Pass, dispatch_to};
    use crate::kernels::row_tasks::tests::{wave, wave32};

    struct All<'a, T>(&'a [T], &'a [T]);
    impl<T: Scalar> Pass for All<'_, T> {
        type Output = [u64; 4];
        #[inline(always)]
        fn run(self) -> [u64; 4] {
            let sums = [sum_lanes(self.0), wide_sum(self.0), dot_lanes(self.0, self.1).as_f64()];
            [sums[0], sums[1], sums[2], max_lanes(self.0).as_f64()].map(f64::to_bits)
        }
    }

    /// On every instruction set of this machine, which must agree.
    fn bits<T: Scalar>(x: &[T], y: &[T]) -> [u64; 4] {
        let portable = dispatch_to(Isa::Portable, All(x, y));
        assert!(Isa::available().all(|isa| dispatch_to(isa, All(x, y)) == portable), "length {}", x.len());
        portable
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits_for_every_length() {
        for len in (0..140).chain([10_000]) {
            bits(&wave32(len, 0.2), &wave32(len, 1.0));
            bits(&wave(len, 0.2), &wave(len, 1.0));
        }
    }

    #[test]
    fn trailing_zeros_of_either_sign_do_not_change_a_sum() {
        let (x, y) = (wave32(8200, 0.2), wave32(8200, 1.0));
        for len in (0..=199).chain([1000, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 8193]) {
            let bare = bits(&x[..len], &y[..len]);
            for (padding, zero) in [(1, 0.0), (1, -0.0), (7, -0.0), (32, 0.0), (133, -0.0), (4100, -0.0)] {
                let padded = |x: &[f32]| [&x[..len], &vec![zero; padding]].concat();
                assert_eq!(bits(&padded(&x), &padded(&y))[..3], bare[..3], "{len} and {padding} of {zero:?}");
            }
        }
        assert_eq!(bits(&[-0.0f32; 3], &[1.0; 3])[0], 0, "a sum of −0 is +0, as that of a longer row");
    }

    #[test]
    fn a_long_row_in_its_own_precision_is_off_by_little() {
        for (x, len) in [(0.1f32, 20_000_000), (1.0, 20_000_000), (0.7, 10_000), (-0.3, 4096)] {
            let (xs, exact) = (vec![x; len], f64::from(x) * len as f64);
            for sum in [sum_lanes(&xs), dot_lanes(&xs, &vec![1.0; len]).as_f64()] {
                assert!((sum - exact).abs() <= 136.0 * 0.5f64.powi(24) * exact.abs(), "{len} of {x}: {sum}");
            }
            assert!((wide_sum(&xs) - exact).abs() <= len as f64 * 0.5f64.powi(58) * exact.abs(), "{len} of {x}");
        }
    }

    #[test]
    fn a_maximum_passes_over_nan() {
        for len in 1..100 {
            let mut x = vec![f32::NAN; len];
            assert_eq!(max_lanes(&x), f32::NEG_INFINITY);
            for at in 0..len {
                x[at] = -3.0;
                assert_eq!(max_lanes(&x), -3.0, "{at} of {len}");
                x[at] = f32::NAN;
            }
        }
    }

    #[test]
    fn every_element_counts_once() {
        for len in 0..140 {
            for at in 0..len {
                let mut x = vec![0.0f64; len];
                x[at] = 3.0;
                assert_eq!((sum_lanes(&x), wide_sum(&x), dot_lanes(&x, &x)), (3.0, 3.0, 9.0), "{at} of {len}");
                assert_eq!(max_lanes(&x), 3.0, "{at} of {len}");
            }
        }
    }
}
