//! Masks of dropout, and their application.
//!
//! Not a random stream: the caller brings a key (see `random`).

use super::compiled::Compiled;
use super::math::dispatch::{Pass, dispatch};
use super::parallel::{MIN_PARALLEL, for_each, for_each_chunk};
use crate::Scalar;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Elements that are drawn from one ChaCha stream. Part of what the mask means: changing it changes every mask.
const MASK_CHUNK: usize = 1 << 13;

struct Compare<'a>(&'a mut [u8], &'a [u8], u32);
impl Pass for Compare<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (keep, &word) in self.0.iter_mut().zip(self.1.as_chunks::<4>().0) {
            *keep = u8::from(u32::from_le_bytes(word) < self.2);
        }
    }
}

/// `len` bytes, each 1 with probability `keep` and 0 otherwise, independent, drawn in parallel.
///
/// Byte i is 1 if word `i mod 8192` of ChaCha8 with this key and stream number `⌊i / 8192⌋` is below `keep · 2³²`, so the
/// probability is a multiple of 2⁻³² and the mask does not depend on the number of threads.
///
/// # Panics
/// If `keep` is not in [0, 1].
pub fn mask(key: [u8; 32], len: usize, keep: f64) -> Vec<u8> {
    assert!((0.0..=1.0).contains(&keep), "dropout: probability {keep} is not in [0, 1]");
    let threshold = (keep * 4_294_967_296.0).round();
    if threshold >= 4_294_967_296.0 {
        return vec![1; len]; // 2³² itself is no u32
    }
    let draw = |(chunk, keep): (usize, &mut [u8])| {
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(chunk as u64);
        let mut words = [0; 4 * 1024];
        for keep in keep.chunks_mut(words.len() / 4) {
            generator.fill_bytes(&mut words[..4 * keep.len()]);
            dispatch(Compare(keep, &words, threshold as u32));
        }
    };
    let mut mask = vec![0; len];
    for_each(len >= MIN_PARALLEL, mask.chunks_mut(MASK_CHUNK).enumerate(), draw);
    mask
}

struct Apply<'a, T>(&'a mut [T], &'a [u8], T);
impl<T: Scalar> Pass for Apply<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (x, &keep) in self.0.iter_mut().zip(self.1) {
            *x *= if keep != 0 { self.2 } else { T::zero() };
        }
    }
}

/// `x ← x ⊙ m · scale`: forward on the input and backward on the gradient.
///
/// # Panics
/// If the lengths differ.
pub fn apply<T: Scalar>(xs: &mut [T], mask: &[u8], scale: T) {
    Compiled::dropout(xs, mask, scale)
}

/// [`apply`], compiled for each type.
pub(in crate::kernels) fn apply_body<T: Scalar>(xs: &mut [T], mask: &[u8], scale: T) {
    assert_eq!(xs.len(), mask.len(), "dropout: lengths of input and mask");
    for_each_chunk(xs, |offset, xs| dispatch(Apply(xs, &mask[offset..offset + xs.len()], scale)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::row_tasks::tests::assert_thread_independent;

    #[test]
    fn a_mask_is_the_documented_words_of_chacha() {
        let (key, keep) = ([9; 32], 0.7);
        let drawn = mask(key, 20_000, keep);
        for (i, &kept) in drawn.iter().enumerate() {
            let mut generator = ChaCha8Rng::from_seed(key);
            generator.set_stream((i / 8192) as u64);
            generator.set_word_pos((i % 8192) as u128);
            assert_eq!(kept == 1, f64::from(generator.next_u32()) < keep * 4_294_967_296.0, "element {i}");
        }
    }

    #[test]
    fn a_mask_keeps_its_share_within_five_standard_errors() {
        for keep in [0.0, 0.1, 0.5, 0.75, 1.0] {
            let n = 1_000_000;
            let kept = mask([1; 32], n, keep).iter().map(|&m| f64::from(m)).sum::<f64>();
            let error = (keep * (1.0 - keep) * n as f64).sqrt();
            assert!((kept - keep * n as f64).abs() <= 5.0 * error, "{kept} of {n} kept at {keep}");
        }
    }

    #[test]
    fn a_shorter_mask_is_the_beginning_of_a_longer_one_for_any_number_of_threads() {
        let long = mask([2; 32], 50_000, 0.4);
        for len in [0, 1, 31, 8191, 8192, 8193, 40_000] {
            assert_eq!(mask([2; 32], len, 0.4), long[..len]);
        }
        assert_thread_independent(|| mask([2; 32], 50_000, 0.4));
    }

    #[test]
    fn kept_elements_are_scaled_and_dropped_ones_zero() {
        let mut xs = [1.0f32, -2.0, 3.0];
        apply(&mut xs, &[1, 0, 1], 2.0);
        assert_eq!(xs, [2.0, 0.0, 6.0]);
    }

    #[test]
    #[should_panic(expected = "dropout: probability 1.5 is not in [0, 1]")]
    fn a_probability_above_one_is_refused() {
        mask([0; 32], 1, 1.5);
    }
}
