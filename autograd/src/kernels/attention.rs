//! Attention by tiles of keys with a running softmax, to the positions before or to all: no matrix of T × T, and no work for what the
//! mask hides.
//!
//! A query takes the keys that it sees in tiles of [`KEYS`], in order. Of each tile it needs the scores, their maximum and the sum of
//! their exponentials; what it has gathered so far is scaled to the new maximum:
//!
//! ```text
//! m' = max(m, max s)    l' = l·e^(m−m') + Σ e^(s−m')    o' = o·e^(m−m') + Σ e^(s−m') v        in the end o / l
//! ```
//!
//! The law that makes a step equal to its row of the parallel pass: tiles begin at multiples of [`KEYS`]; a score and an output are
//! each one chain of multiply-adds, over channels and over the keys of a tile in their order; the sum of a tile is that of `lanes.rs`. None
//! of it depends on how many queries go side by side, on threads or on the instruction set. A key after the query has the weight 0 where
//! a tile reaches beyond it, which leaves every chain as it is.
//!
//! Without the mask every query sees what the last one sees with it: it goes through the same tiles as if it stood at the last position.
//!
//! Not the place for projections, heads' weights or caches: those belong to the layer.
//!
//! Source: Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022, algorithm 1.

mod backward;
#[cfg(test)]
mod tests;

pub use backward::backward;
pub(super) use backward::backward_body;

use super::gemm::{Matrix, Store, gemm};
use super::lanes::{max_lanes, sum_lanes};
use super::math::dispatch::{Pass, dispatch};
use super::parallel::for_each;
use crate::Scalar;

/// Keys of a tile: where a tile begins is part of the law, so this number is part of the result.
pub const KEYS: usize = 64;

/// Queries that go side by side: a tile of their scores and their outputs stay in the level-1 cache. Changes no bit.
const QUERIES: usize = 32;

/// Which keys a query sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Those up to its own position: `j ≤ t`.
    Before,
    /// All of the sequence.
    All,
}

impl Sight {
    /// Of a block of queries `first..end` of a sequence of `time` positions: the last position that the first of them sees, and where the
    /// keys end that any of them sees. Each query sees one position more than the one before it, up to that end.
    fn of(self, first: usize, end: usize, time: usize) -> (usize, usize) {
        match self {
            Sight::Before => (first, end),
            Sight::All => (time - 1, time),
        }
    }
}

/// How the heads lie in a row: N of queries, then M of keys, then M of values, each D wide. Query head n reads the keys and values of
/// head ⌊n·M/N⌋.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// N, heads of queries.
    pub queries: usize,
    /// M, heads of keys and of values; divides N.
    pub keys: usize,
    /// D, the width of a head.
    pub width: usize,
}

impl Heads {
    /// The length of a row that holds queries, keys and values.
    pub fn packed(&self) -> usize {
        (self.queries + 2 * self.keys) * self.width
    }

    /// The length of a row of outputs.
    pub fn outputs(&self) -> usize {
        self.queries * self.width
    }

    /// Query heads that share one head of keys.
    pub fn group(&self) -> usize {
        self.queries / self.keys.max(1)
    }

    /// `1/√D`, by which scores are scaled.
    pub fn scale(&self) -> f64 {
        1.0 / (self.width as f64).sqrt()
    }

    /// Columns `at..at + D` of some rows of one sequence.
    fn columns<'a, T>(&self, rows: &'a [T], first: usize, count: usize, stride: usize, at: usize) -> Matrix<'a, T> {
        Matrix::with_strides(&rows[first * stride + at..], count, self.width, stride, 1)
    }
}

/// One head's keys and values, of positions 0, 1, ….
#[derive(Clone, Copy)]
pub struct Memory<'a, T> {
    /// Keys, (D, T): those of a tile lie side by side, so that a vector of scores is computed at once.
    pub keys: Matrix<'a, T>,
    /// Values, (T, D).
    pub values: Matrix<'a, T>,
}

/// What some queries gather on their way through the tiles, to be used again by the next.
#[derive(Clone, Debug, Default)]
pub struct Gathered<T> {
    /// Scores of a tile, then their weights.
    scores: Vec<T>,
    /// o of each query, (queries, D).
    outputs: Vec<T>,
    /// m of each query.
    max: Vec<T>,
    /// l of each query.
    sum: Vec<f64>,
}

/// A tile's part of the running softmax.
struct Tile<'a, T> {
    scores: &'a mut [T],
    keys: usize,
    /// Keys of the tile that the first query sees; each query sees one more than the one before.
    first_sees: isize,
    scale: T,
    max: &'a mut [T],
    sum: &'a mut [f64],
    outputs: &'a mut [T],
}

impl<T: Scalar> Pass for Tile<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Tile { scores, keys, first_sees, scale, max, sum, outputs } = self;
        let width = outputs.len() / max.len();
        let rows = scores.chunks_exact_mut(keys).zip(outputs.chunks_exact_mut(width)).zip(max.iter_mut().zip(sum));
        for (r, ((scores, output), (max, sum))) in rows.enumerate() {
            let sees = (first_sees + r as isize).clamp(0, keys as isize) as usize;
            let (seen, hidden) = scores.split_at_mut(sees);
            hidden.fill(T::zero());
            if seen.is_empty() {
                continue;
            }
            let tile_max = max_lanes(seen);
            // In this form a NaN of either goes on.
            let new_max = if tile_max <= *max { *max } else { tile_max };
            let keep = T::exp_lane((*max - new_max) * scale);
            for s in seen.iter_mut() {
                *s = T::exp_lane((*s - new_max) * scale);
            }
            *sum = *sum * keep.as_f64() + sum_lanes(seen);
            *max = new_max;
            for o in output {
                *o *= keep;
            }
        }
    }
}

/// The outputs of the queries at positions `first..first + queries.rows()` of a sequence, each from the keys up to its own, and `ln Σ e^s`
/// of each, which the backward pass needs.
///
/// # Shapes
/// `queries` (R, D) · `memory` keys (D, ≥ first + R), values (≥ first + R, D) → `write` is called for each query with its output (D)
/// and the logarithm.
///
/// # Panics
/// If the shapes do not fit.
pub fn attend<T: Scalar>(
    queries: Matrix<T>,
    first: usize,
    memory: Memory<T>,
    gathered: &mut Gathered<T>,
    write: impl FnMut(usize, &[T], T),
) {
    gather(queries, (first, first + queries.rows()), memory, gathered, write);
}

/// As [`attend`], where query r sees the keys up to position `first + r`, as far as `end`: see [`Sight::of`].
fn gather<T: Scalar>(
    queries: Matrix<T>,
    (first, end): (usize, usize),
    memory: Memory<T>,
    gathered: &mut Gathered<T>,
    mut write: impl FnMut(usize, &[T], T),
) {
    let (rows, width) = (queries.rows(), queries.cols());
    let scale = T::of(1.0 / (width as f64).sqrt());
    let Gathered { scores, outputs, max, sum } = gathered;
    outputs.clear();
    outputs.resize(rows * width, T::zero());
    max.clear();
    max.resize(rows, T::neg_infinity());
    sum.clear();
    sum.resize(rows, 0.0);
    // Over tiles, in order: each goes on from what those before it left.
    for begin in (0..end).step_by(KEYS) {
        let keys = KEYS.min(end - begin);
        scores.resize(rows * keys, T::zero());
        gemm(queries, memory.keys.part(0..width, begin..begin + keys), Store::Overwrite, scores);
        let first_sees = (first + 1) as isize - begin as isize;
        dispatch(Tile { scores, keys, first_sees, scale, max, sum, outputs });
        let weights = Matrix::new(scores, rows, keys);
        gemm(weights, memory.values.part(begin..begin + keys, 0..width), Store::Accumulate, outputs);
    }
    for (r, output) in outputs.chunks_exact_mut(width).enumerate() {
        let inverse = T::of(sum[r].recip());
        output.iter_mut().for_each(|o| *o *= inverse);
        write(r, output, T::of(max[r].as_f64() * scale.as_f64() + sum[r].ln()));
    }
}

/// Writes `x` (T, D) as (D, T).
fn transpose<T: Copy>(x: Matrix<T>, out: &mut [T]) {
    let rows = x.rows();
    for t in 0..rows {
        for (d, out) in out.iter_mut().skip(t).step_by(rows).enumerate() {
            *out = x.data[t * x.row_stride + d * x.col_stride];
        }
    }
}

/// `z_t = Σ_j softmax_j(q_t·k_j / √D) v_j` of every head and position, over the keys j that it sees, and `ln Σ_j e^(q_t·k_j / √D)`.
///
/// # Shapes
/// `x` (B, T, (N + 2M)·D) → outputs (B, T, N·D), logarithms (B, T, N)
///
/// # Panics
/// If the length is not that of whole sequences, or the heads of keys do not divide those of queries.
pub fn forward<T: Scalar>(x: &[T], time: usize, heads: Heads, sight: Sight) -> (Vec<T>, Vec<T>) {
    T::attention(x, time, heads, sight)
}

pub(super) fn forward_body<T: Scalar>(x: &[T], time: usize, heads: Heads, sight: Sight) -> (Vec<T>, Vec<T>) {
    let batch = sequences(x.len(), time, heads);
    let Heads { queries, keys, width } = heads;
    let mut outputs = vec![T::zero(); batch * time * heads.outputs()];
    let mut logarithms = vec![T::zero(); batch * time * queries];
    if outputs.is_empty() {
        return (outputs, logarithms);
    }
    let row = heads.packed();
    let mut transposed = vec![T::zero(); batch * keys * width * time];
    for_each(batch * keys > 1, transposed.chunks_exact_mut(width * time).enumerate(), |(i, out)| {
        let x = &x[i / keys * time * row..][..time * row];
        transpose(heads.columns(x, 0, time, row, (queries + i % keys) * width), out);
    });
    let (blocks, step) = (time.div_ceil(QUERIES), QUERIES);
    let parts = outputs
        .chunks_exact_mut(time * heads.outputs())
        .zip(logarithms.chunks_exact_mut(time * queries))
        .flat_map(|(o, l)| o.chunks_mut(step * heads.outputs()).zip(l.chunks_mut(step * queries)));
    // Over blocks of queries of every sequence: each owns its outputs.
    for_each(batch * blocks > 1, parts.enumerate(), |(i, (outputs, logarithms))| {
        let (b, first) = (i / blocks, i % blocks * step);
        let x = &x[b * time * row..][..time * row];
        let count = logarithms.len() / queries;
        let mut gathered = Gathered::default();
        for n in 0..queries {
            let m = n / heads.group();
            let memory = Memory {
                keys: Matrix::new(&transposed[(b * keys + m) * width * time..][..width * time], width, time),
                values: heads.columns(x, 0, time, row, (queries + keys + m) * width),
            };
            let (queries_of, seen) =
                (heads.columns(x, first, count, row, n * width), sight.of(first, first + count, time));
            gather(queries_of, seen, memory, &mut gathered, |r, z, logarithm| {
                outputs[r * heads.outputs() + n * width..][..width].copy_from_slice(z);
                logarithms[r * queries + n] = logarithm;
            });
        }
    });
    (outputs, logarithms)
}

/// The number of sequences of so many elements.
fn sequences(len: usize, time: usize, heads: Heads) -> usize {
    let Heads { queries, keys, width } = heads;
    assert!(keys > 0 && queries.is_multiple_of(keys) && width > 0, "attention: {heads:?}");
    let one = time * heads.packed();
    if one == 0 {
        assert_eq!(len, 0, "attention: elements of sequences without positions");
        return 0;
    }
    assert!(len.is_multiple_of(one), "attention: {len} elements in sequences of {one}");
    len / one
}
