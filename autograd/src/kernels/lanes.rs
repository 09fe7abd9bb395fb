//! Reductions of one row in a fixed number of lanes, to be inlined into a [`Pass`](super::math::dispatch::Pass).
//!
//! Not parallel and not public: `reduce`, `softmax` and `layer_norm` build on them. The lanes are the same for every instruction
//! set, so the order of each sum is too, and so are its bits.

use crate::Scalar;

/// Lanes for most of a row: two AVX-512 registers of `f32`, which hides the latency of an addition.
const WIDE: usize = 32;

/// Lanes for what is left of it; the last few elements share one.
const NARROW: usize = 8;

/// Partial results. Fixed arrays and one value, never indexed by a variable, so that they live in registers while a row is folded.
#[derive(Clone, Copy)]
pub(super) struct Lanes<A> {
    wide: [A; WIDE],
    narrow: [A; NARROW],
    single: A,
}

impl<A: Copy> Lanes<A> {
    #[inline(always)]
    pub(super) fn new(start: A) -> Self {
        Lanes { wide: [start; WIDE], narrow: [start; NARROW], single: start }
    }

    /// Combines the lanes in a tree.
    ///
    /// Not inlined: the compiler must then store the lanes side by side, which is what makes it fold them as vectors.
    #[inline(never)]
    pub(super) fn combine(self, f: impl Fn(A, A) -> A) -> A {
        let Lanes { mut wide, narrow, single } = self;
        for i in 0..16 {
            wide[i] = f(wide[i], wide[i + 16]);
        }
        for i in 0..8 {
            wide[i] = f(wide[i], wide[i + 8]);
        }
        for i in 0..8 {
            wide[i] = f(wide[i], narrow[i]);
        }
        for i in 0..4 {
            wide[i] = f(wide[i], wide[i + 4]);
        }
        f(f(f(wide[0], wide[2]), f(wide[1], wide[3])), single)
    }
}

/// Folds a row: `lane ← step(lane, x)`.
#[inline(always)]
pub(super) fn fold<T: Copy, A: Copy>(xs: &[T], start: A, step: impl Fn(A, T) -> A) -> Lanes<A> {
    continue_fold(Lanes::new(start), xs, step)
}

#[inline(always)]
fn continue_fold<T: Copy, A: Copy>(mut lanes: Lanes<A>, xs: &[T], step: impl Fn(A, T) -> A) -> Lanes<A> {
    let (blocks, rest) = xs.as_chunks::<WIDE>();
    for block in blocks {
        for (lane, &x) in lanes.wide.iter_mut().zip(block) {
            *lane = step(*lane, x);
        }
    }
    let (blocks, rest) = rest.as_chunks::<NARROW>();
    for block in blocks {
        for (lane, &x) in lanes.narrow.iter_mut().zip(block) {
            *lane = step(*lane, x);
        }
    }
    for &x in rest {
        lanes.single = step(lanes.single, x);
    }
    lanes
}

/// `Σ` of elements that come in several slices, all but the last of a multiple of [`WIDE`] elements: the bits of one [`sum_lanes`].
#[inline(always)]
pub(super) fn continue_sum<T: Scalar>(sums: Lanes<T>, xs: &[T]) -> Lanes<T> {
    continue_fold(sums, xs, |sum, x| sum + x)
}

/// As [`fold`], over two rows of one length.
#[inline(always)]
fn fold_pairs<T: Copy, A: Copy>(xs: &[T], ys: &[T], start: A, step: impl Fn(A, T, T) -> A) -> Lanes<A> {
    let mut lanes = Lanes::new(start);
    let ((x_blocks, x_rest), (y_blocks, y_rest)) = (xs.as_chunks::<WIDE>(), ys.as_chunks::<WIDE>());
    for (x_block, y_block) in x_blocks.iter().zip(y_blocks) {
        for ((lane, &x), &y) in lanes.wide.iter_mut().zip(x_block).zip(y_block) {
            *lane = step(*lane, x, y);
        }
    }
    let ((x_blocks, x_rest), (y_blocks, y_rest)) = (x_rest.as_chunks::<NARROW>(), y_rest.as_chunks::<NARROW>());
    for (x_block, y_block) in x_blocks.iter().zip(y_blocks) {
        for ((lane, &x), &y) in lanes.narrow.iter_mut().zip(x_block).zip(y_block) {
            *lane = step(*lane, x, y);
        }
    }
    for (&x, &y) in x_rest.iter().zip(y_rest) {
        lanes.single = step(lanes.single, x, y);
    }
    lanes
}

/// `Σ x`.
#[inline(always)]
pub(super) fn sum_lanes<T: Scalar>(xs: &[T]) -> T {
    fold(xs, T::zero(), |sum, x| sum + x).combine(|a, b| a + b)
}

/// `Σ x·y`.
#[inline(always)]
pub(super) fn dot_lanes<T: Scalar>(xs: &[T], ys: &[T]) -> T {
    fold_pairs(xs, ys, T::zero(), |sum, x, y| sum + x * y).combine(|a, b| a + b)
}

/// `max x`; −∞ of none. NaN is passed over: the exponentials that follow find it.
#[inline(always)]
pub(super) fn max_lanes<T: Scalar>(xs: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a }; // one instruction, which `T::max` with its care for NaN is not
    fold(xs, T::neg_infinity(), larger).combine(larger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math::dispatch::{Isa, Pass, dispatch_to};
    use crate::kernels::row_tasks::tests::wave32;

    struct All<'a>(&'a [f32], &'a [f32]);
    impl Pass for All<'_> {
        type Output = [f32; 3];
        #[inline(always)]
        fn run(self) -> [f32; 3] {
            [sum_lanes(self.0), dot_lanes(self.0, self.1), max_lanes(self.0)]
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits_for_every_length() {
        for len in (0..140).chain([10_000]) {
            let (x, y) = (wave32(len, 0.2), wave32(len, 1.0));
            let on = |isa| dispatch_to(isa, All(&x, &y)).map(f32::to_bits);
            assert!(Isa::available().all(|isa| on(isa) == on(Isa::Portable)), "length {len}");
        }
    }

    #[test]
    fn every_element_counts_once() {
        for len in 0..140 {
            for at in 0..len {
                let mut x = vec![0.0f64; len];
                x[at] = 3.0;
                assert_eq!((sum_lanes(&x), dot_lanes(&x, &x)), (3.0, 9.0), "{at} of {len}");
                assert_eq!(max_lanes(&x), 3.0);
            }
        }
    }
}
