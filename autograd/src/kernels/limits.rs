//! What this machine can do at most with the instruction set in use: the rates that timings are read against. Measures, prints
//! nothing.

use super::gemm::{Matrix, Store, gemm};
use super::isa::Isa;
use super::team::Team;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A rate on one thread and on all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// On one thread.
    pub one: f64,
    /// On all threads together.
    pub all: f64,
}

/// How fast a working set is read again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bandwidth {
    /// Size of the working set in bytes, the parts of all threads together.
    pub bytes: usize,
    /// GB/s.
    pub rate: Rate,
}

/// The limits of this machine, with one instruction set.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The instruction set that was measured: the one in use.
    pub isa: Isa,
    /// The number of threads that `all` means.
    pub threads: usize,
    /// GFLOP/s of f32 multiply-adds on registers, two FLOPs each.
    pub fma: Rate,
    /// GFLOP/s of the f32 product of two 512 × 512 matrices.
    pub gemm: Rate,
    /// Reading, by size of the working set, smallest first.
    pub read: Vec<Bandwidth>,
}

/// Working sets from below a level-2 cache to far beyond a level-3 cache, in bytes.
pub const WORKING_SETS: [usize; 8] = [3 << 18, 3 << 19, 3 << 20, 11 << 20, 24 << 20, 43 << 20, 96 << 20, 256 << 20];

/// Time spent on one figure: the best of as many repetitions as fit.
const PATIENCE: Duration = Duration::from_millis(40);

/// Measures everything, in about two seconds, with all threads of the current rayon pool.
pub fn measure() -> Limits {
    let threads = rayon::current_num_threads();
    let both = |rate: &dyn Fn(usize) -> f64| Rate { one: rate(1), all: rate(threads) };
    Limits {
        isa: Isa::in_use(),
        threads,
        fma: both(&fma_peak),
        gemm: both(&gemm_rate),
        read: WORKING_SETS
            .iter()
            .map(|&bytes| Bandwidth { bytes, rate: both(&|threads| read_bandwidth(bytes, threads)) })
            .collect(),
    }
}

/// GFLOP/s of f32 multiply-adds that touch no memory, with the instruction set in use.
///
/// # Panics
/// If `threads` is 0.
pub fn fma_peak(threads: usize) -> f64 {
    const STEPS: usize = 100_000;
    let mut team = Team::new(threads);
    let lanes = multiply_adds(1);
    let seconds = shortest(|| {
        team.run(|_| {
            multiply_adds(STEPS);
        });
    });
    (2 * STEPS * CHAINS * lanes * threads) as f64 / seconds * 1e-9
}

/// GFLOP/s of `gemm` at 512³.
///
/// # Panics
/// If the system refuses `threads` threads.
pub fn gemm_rate(threads: usize) -> f64 {
    const N: usize = 512;
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("limits: the system refuses threads");
    let (a, b, mut c) = (vec![0.5_f32; N * N], vec![0.25; N * N], vec![0.0; N * N]);
    let product = || gemm(Matrix::new(&a, N, N), Matrix::new(&b, N, N), Store::Overwrite, &mut c);
    let seconds = pool.install(|| shortest(product));
    2.0 * (N * N * N) as f64 / seconds * 1e-9
}

/// GB/s of reading `bytes` bytes again and again, each thread always the same part.
///
/// # Panics
/// If `threads` is 0.
pub fn read_bandwidth(bytes: usize, threads: usize) -> f64 {
    let mut team = Team::new(threads);
    let words = bytes / size_of::<u64>() / threads;
    // Each member writes its own part first, so that the pages lie near it.
    let parts: Vec<Mutex<Vec<u64>>> = (0..threads).map(|_| Mutex::default()).collect();
    team.run(|member| *parts[member].lock().expect("limits: own part") = vec![1; words]);
    let parts: Vec<Vec<u64>> = parts.into_iter().map(|part| part.into_inner().expect("limits: own part")).collect();
    // Several passes between two meetings, where a pass is short.
    let passes = ((8 << 20) / bytes).max(1);
    let seconds = shortest(|| {
        team.run(|member| {
            for _ in 0..passes {
                black_box(sum_of(black_box(&parts[member])));
            }
        });
    });
    (words * size_of::<u64>() * threads * passes) as f64 / seconds * 1e-9
}

/// Seconds of the fastest run: other work on the machine can only slow one down.
fn shortest(mut run: impl FnMut()) -> f64 {
    run();
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed() < PATIENCE {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

/// Independent chains of multiply-adds: more than any core's latency times units, and no more than it has registers.
const CHAINS: usize = 12;

/// `steps` multiply-adds on each of [`CHAINS`] vectors; returns the number of values in a vector.
fn multiply_adds(steps: usize) -> usize {
    match Isa::in_use() {
        // SAFETY: `Isa` names only what this machine has.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { x86::multiply_adds_avx512(steps) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { x86::multiply_adds_avx2(steps) },
        _ => {
            // Two vectors of 128 bits a chain: four units with a latency of four need sixteen.
            let x = black_box(0.5_f32);
            let mut sums = [[x; 8]; CHAINS];
            for _ in 0..steps {
                for sum in &mut sums {
                    for s in sum {
                        *s = s.mul_add(x, x);
                    }
                }
            }
            black_box(sums);
            8
        }
    }
}

/// The wrapping sum of all words.
fn sum_of(words: &[u64]) -> u64 {
    match Isa::in_use() {
        // SAFETY: `Isa` names only what this machine has.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { x86::sum_avx512(words) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { x86::sum_avx2(words) },
        _ => sum_in_lanes(words),
    }
}

/// Sixty-four sums side by side: the compiler makes vectors of them, of the widest kind it may use here.
#[inline(always)]
fn sum_in_lanes(words: &[u64]) -> u64 {
    const LANES: usize = 64;
    let mut sums = [0_u64; LANES];
    let mut chunks = words.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (sum, word) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*word);
        }
    }
    sums.iter().chain(chunks.remainder()).fold(0, |sum, &word| sum.wrapping_add(word))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{CHAINS, black_box, sum_in_lanes};
    use std::arch::x86_64::*;

    macro_rules! multiply_adds {
        ($name:ident, $features:literal, $set1:ident, $fmadd:ident, $lanes:literal) => {
            #[target_feature(enable = $features)]
            pub(super) fn $name(steps: usize) -> usize {
                let x = $set1(black_box(0.5));
                let mut sums = [x; CHAINS];
                for _ in 0..steps {
                    for sum in &mut sums {
                        *sum = $fmadd(*sum, x, x);
                    }
                }
                black_box(sums);
                $lanes
            }
        };
    }
    multiply_adds!(multiply_adds_avx512, "avx512f", _mm512_set1_ps, _mm512_fmadd_ps, 16);
    multiply_adds!(multiply_adds_avx2, "avx2,fma", _mm256_set1_ps, _mm256_fmadd_ps, 8);

    #[target_feature(enable = "avx512f")]
    pub(super) fn sum_avx512(words: &[u64]) -> u64 {
        sum_in_lanes(words)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn sum_avx2(words: &[u64]) -> u64 {
        sum_in_lanes(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_not_much_faster_than_the_multiply_add_peak_and_rates_are_plausible() {
        let (peak, gemm) = (fma_peak(1), gemm_rate(1));
        assert!(peak.is_finite() && peak > 0.1, "{peak} GFLOP/s");
        assert!(gemm > 0.01 && gemm < 2.0 * peak, "product {gemm}, peak {peak} GFLOP/s");
        let read = read_bandwidth(1 << 20, 2);
        assert!(read.is_finite() && read > 0.1, "{read} GB/s");
    }

    #[test]
    fn reading_reads_every_word() {
        let words: Vec<u64> = (0..64 * 9 + 5).collect();
        assert_eq!(sum_of(&words), words.iter().sum::<u64>());
    }
}
