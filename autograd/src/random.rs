//! Named, portable random streams: what depends on chance depends on a seed and a name, on every machine.
//!
//! A [`Stream`] is a ChaCha8 generator. Its key is the seed and the name: bytes 0–7 are the seed, 8–15 the FNV-1a hash (64 bit) of the
//! name's bytes, the rest zeros, integers little-endian. So a stream does not change when another part of a program draws more or
//! less, and two streams are unrelated unless the hashes of their names collide (for a thousand names: with probability 3·10⁻¹⁴).
//!
//! Values are drawn in double precision and rounded for `f32`: models in `f32` and `f64` begin alike.

use crate::Scalar;
use crate::kernels::dropout;
use rand::rand_core::{Infallible, TryRng};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// The streams of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// All streams of a seed.
    pub fn new(seed: u64) -> Self {
        Streams { seed }
    }

    /// The stream of a name, from its beginning.
    ///
    /// ```
    /// use autograd::random::Streams;
    /// use rand::RngExt;
    /// let mut order = Streams::new(1).stream("order");
    /// assert_eq!(order.random_range(0..100), Streams::new(1).stream("order").random_range(0..100));
    /// ```
    pub fn stream(&self, name: &str) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&fnv_1a(name.as_bytes()).to_le_bytes());
        Stream(ChaCha8Rng::from_seed(key))
    }
}

/// The Fowler–Noll–Vo hash 1a of 64 bits.
///
/// Source: Fowler, Noll & Vo, "The FNV Non-Cryptographic Hash Algorithm", <http://www.isthe.com/chongo/tech/comp/fnv/>.
pub fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// A stream of random numbers; a generator for everything in `rand` and `rand_distr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Everything that determines what comes next: the key (four numbers), ChaCha's stream number, and the position in words of
    /// 32 bits.
    pub fn state(&self) -> [u64; 6] {
        let key = self.0.get_seed();
        let word = |i: usize| u64::from_le_bytes(std::array::from_fn(|byte| key[8 * i + byte]));
        // The position has 68 bits; at a word a nanosecond, the 64th changes after 292 years.
        [word(0), word(1), word(2), word(3), self.0.get_stream(), self.0.get_word_pos() as u64]
    }

    /// The stream that goes on where the one with this [`state`](Stream::state) stopped.
    pub fn from_state(state: [u64; 6]) -> Self {
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip(state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(state[4]);
        generator.set_word_pos(u128::from(state[5]));
        Stream(generator)
    }

    /// Fills with numbers of the uniform distribution on [−bound, bound): `bound · (2u − 1)`, u a multiple of 2⁻⁵³ in [0, 1).
    pub fn fill_uniform<T: Scalar>(&mut self, xs: &mut [T], bound: f64) {
        xs.iter_mut().for_each(|x| *x = T::of(bound * (2.0 * self.random::<f64>() - 1.0)));
    }

    /// Fills with numbers of the normal distribution: `mean + deviation · z`, z by the ziggurat of `rand_distr`.
    pub fn fill_normal<T: Scalar>(&mut self, xs: &mut [T], mean: f64, deviation: f64) {
        for x in xs {
            let z: f64 = StandardNormal.sample(self);
            *x = T::of(mean + deviation * z);
        }
    }

    /// `len` bytes, each 1 with probability `keep` and 0 otherwise, drawn in parallel.
    ///
    /// Draws one key of 256 bits from this stream, whatever the length; see [`dropout::mask`] for what follows from it. The
    /// probability is rounded to a multiple of 2⁻³².
    ///
    /// # Panics
    /// If `keep` is not in [0, 1].
    pub fn dropout_mask(&mut self, len: usize, keep: f64) -> Vec<u8> {
        let mut key = [0; 32];
        self.fill_bytes(&mut key);
        dropout::mask(key, len, keep)
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        let published = [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)];
        published.iter().for_each(|&(name, hash)| assert_eq!(fnv_1a(name.as_bytes()), hash));
    }

    #[test]
    fn a_stream_is_chacha8_keyed_by_seed_and_name() {
        let mut key = [0u8; 32];
        key[0] = 7;
        key[8..16].copy_from_slice(&0xaf63_dc4c_8601_ec8c_u64.to_le_bytes());
        let mut expected = ChaCha8Rng::from_seed(key);
        let mut stream = Streams::new(7).stream("a");
        (0..1000).for_each(|_| assert_eq!(stream.next_u64(), expected.next_u64()));
    }

    #[test]
    fn streams_of_other_names_or_seeds_share_nothing() {
        let draws = |seed, name: &str| {
            let mut stream = Streams::new(seed).stream(name);
            (0..1000).map(|_| stream.next_u64()).collect::<std::collections::HashSet<_>>()
        };
        let all = [draws(1, "init"), draws(1, "order"), draws(2, "init"), draws(1, "")];
        for (i, a) in all.iter().enumerate() {
            all[..i].iter().for_each(|b| assert!(a.is_disjoint(b)));
        }
    }

    #[test]
    fn a_restored_stream_goes_on_exactly_from_every_position() {
        let mut stream = Streams::new(u64::MAX).stream("order");
        for draw in 0..300 {
            let mut restored = Stream::from_state(stream.state());
            assert_eq!(restored.state(), stream.state());
            let mut original = stream.clone();
            for _ in 0..100 {
                assert_eq!(restored.next_u64(), original.next_u64(), "after {draw} draws");
                assert_eq!(restored.next_u32(), original.next_u32(), "after {draw} draws");
            }
            match draw % 3 {
                0 => drop(stream.next_u32()),
                1 => drop(stream.next_u64()),
                _ => stream.fill_bytes(&mut [0; 7]),
            }
        }
    }

    #[test]
    fn uniform_numbers_stay_within_their_bound_and_have_its_moments() {
        let mut xs = vec![0.0f64; 100_000];
        Streams::new(3).stream("u").fill_uniform(&mut xs, 2.0);
        assert!(xs.iter().all(|x| (-2.0..2.0).contains(x)));
        let n = xs.len() as f64;
        let (mean, square) = (xs.iter().sum::<f64>() / n, xs.iter().map(|x| x * x).sum::<f64>() / n);
        // Five standard errors: √(4/3/n) of the mean, √(16/5 − 16/9)/√n of the square.
        assert!(mean.abs() < 5.0 * (4.0 / 3.0 / n).sqrt(), "mean {mean}");
        assert!((square - 4.0 / 3.0).abs() < 5.0 * (64.0 / 45.0 / n).sqrt(), "mean square {square}");
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut xs = vec![0.0f64; 100_000];
        Streams::new(3).stream("n").fill_normal(&mut xs, 1.0, 0.5);
        let n = xs.len() as f64;
        let z = xs.iter().map(|x| (x - 1.0) / 0.5);
        let moment = |power| z.clone().map(|z: f64| z.powi(power)).sum::<f64>() / n;
        for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let got: f64 = moment(power);
            assert!((got - expected).abs() < 5.0 * (f64::sqrt(variance / n)), "moment {power}: {got}");
        }
    }

    #[test]
    fn numbers_of_32_and_64_bits_and_bytes_are_those_of_the_generator_in_one_sequence() {
        let mut expected = Streams::new(7).stream("mixed").0;
        let mut stream = Streams::new(7).stream("mixed");
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            let word = stream.next_u32();
            assert_eq!(word, expected.next_u32());
            seen.insert(word);
            assert_eq!(stream.next_u64(), expected.next_u64());
            let (mut bytes, mut wanted) = ([0; 5], [0; 5]);
            stream.fill_bytes(&mut bytes);
            expected.fill_bytes(&mut wanted);
            assert_eq!(bytes, wanted);
        }
        assert_eq!(seen.len(), 100); // two of them are equal with probability 10⁻⁶, and the seed is fixed
    }

    #[test]
    fn a_normal_number_is_the_mean_and_the_deviation_times_the_standard_one_of_the_stream() {
        let (mut filled, mut stream) = ([0.0f64; 50], Streams::new(9).stream("n"));
        Streams::new(9).stream("n").fill_normal(&mut filled, 3.0, 0.25);
        for x in filled {
            let z: f64 = StandardNormal.sample(&mut stream);
            assert_eq!(x, 3.0 + 0.25 * z);
        }
    }

    #[test]
    fn a_uniform_number_is_the_bound_times_a_draw_moved_to_minus_one_to_one() {
        let (mut filled, mut stream) = ([0.0f64; 50], Streams::new(9).stream("u"));
        Streams::new(9).stream("u").fill_uniform(&mut filled, 3.0);
        for x in filled {
            assert_eq!(x, 3.0 * (2.0 * stream.random::<f64>() - 1.0));
        }
    }

    #[test]
    fn single_precision_is_double_precision_rounded() {
        let (mut single, mut double) = ([0.0f32; 100], [0.0f64; 100]);
        Streams::new(1).stream("w").fill_normal(&mut single, 0.0, 0.02);
        Streams::new(1).stream("w").fill_normal(&mut double, 0.0, 0.02);
        assert!(single.iter().zip(double).all(|(&s, d)| s == d as f32));
    }

    #[test]
    fn two_masks_of_one_stream_differ_and_a_mask_moves_the_stream_by_its_key_alone() {
        let mut stream = Streams::new(1).stream("dropout");
        let before = stream.state();
        let first = stream.dropout_mask(1000, 0.5);
        assert_eq!(stream.state()[5], before[5] + 8);
        assert_ne!(first, stream.dropout_mask(1000, 0.5));
        assert_eq!(first, Stream::from_state(before).dropout_mask(1000, 0.5));
    }
}
