//! What the tests of the recurrent kernels share: shapes, random inputs, tolerances, thread pools.

use super::Sequence;
use crate::Scalar;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One step, one row, one unit; widths below, at, between and beyond multiples of the SIMD width.
pub(crate) const SHAPES: [Sequence; 6] = [
    Sequence { time: 1, batch: 1, hidden: 1 },
    Sequence { time: 1, batch: 4, hidden: 7 },
    Sequence { time: 6, batch: 1, hidden: 7 },
    Sequence { time: 5, batch: 3, hidden: 16 },
    Sequence { time: 4, batch: 9, hidden: 33 },
    Sequence { time: 3, batch: 17, hidden: 50 },
];

/// Uniform in −scale … scale.
pub(crate) fn random(seed: u64, count: usize, scale: f64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-scale..scale)).collect()
}

/// Nearest values in `T`.
pub(crate) fn cast<T: Scalar>(xs: &[f64]) -> Vec<T> {
    xs.iter().map(|&x| T::from(x).expect("a float fits a float")).collect()
}

/// The largest `|x − y|`; NaN wherever there is one, so that comparisons with it fail.
pub(crate) fn largest_difference<T: Scalar>(xs: &[T], ys: &[f64]) -> f64 {
    assert_eq!(xs.len(), ys.len());
    let differences = xs.iter().zip(ys).map(|(x, y)| (x.to_f64().unwrap_or(f64::NAN) - y).abs());
    differences.fold(0.0, |worst, d| if d <= worst { worst } else { d })
}

/// Whether two numbers agree to `tolerance`, relative to the larger of them and 1.
pub(crate) fn close(x: f64, y: f64, tolerance: f64) -> bool {
    (x - y).abs() <= tolerance * x.abs().max(y.abs()).max(1.0)
}

/// Runs `f` in a rayon pool of its own.
pub(crate) fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start").install(f)
}
