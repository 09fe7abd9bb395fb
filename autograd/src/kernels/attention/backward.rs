//! The backward pass of attention: the weights of a tile are computed again from what the forward pass kept, the logarithm of
//! each query's sum.

use super::{Heads, KEYS, QUERIES, Sight, sequences, transpose};
use crate::Scalar;
use crate::kernels::gemm::{Matrix, Store, gemm};
use crate::kernels::lanes::dot_lanes;
use crate::kernels::math::dispatch::{Pass, dispatch};
use crate::kernels::parallel::for_each;

/// `p = e^(s/√D − ln Σ)` in the place of the scores, and `p ⊙ (dp − δ)/√D` in that of the weights' gradients.
struct Weights<'a, T> {
    scores: &'a mut [T],
    gradients: &'a mut [T],
    keys: usize,
    first_sees: isize,
    scale: T,
    logarithms: &'a [T],
    deltas: &'a [T],
}

impl<T: Scalar> Pass for Weights<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Weights { scores, gradients, keys, first_sees, scale, logarithms, deltas } = self;
        let rows = scores.chunks_exact_mut(keys).zip(gradients.chunks_exact_mut(keys));
        for (r, ((scores, gradients), (&logarithm, &delta))) in rows.zip(logarithms.iter().zip(deltas)).enumerate() {
            let sees = (first_sees + r as isize).clamp(0, keys as isize) as usize;
            for (s, g) in scores[..sees].iter_mut().zip(&mut gradients[..sees]) {
                let p = T::exp_lane(*s * scale - logarithm);
                *g = p * (*g - delta) * scale;
                *s = p;
            }
            scores[sees..].fill(T::zero());
            gradients[sees..].fill(T::zero());
        }
    }
}

/// `Σ_d g_d·z_d` of rows.
struct Dots<'a, T>(&'a [T], &'a [T], usize, &'a mut [T]);
impl<T: Scalar> Pass for Dots<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.0.chunks_exact(self.2).zip(self.1.chunks_exact(self.2));
        for ((g, z), dot) in rows.zip(self.3) {
            *dot = dot_lanes(g, z);
        }
    }
}

/// The gradient of queries, keys and values, laid out as they are. With p the weights and g the gradient of the outputs z:
/// `dv_j = Σ_t p_tj g_t`, `ds_tj = p_tj (g_t·v_j − g_t·z_t)/√D`, `dq_t = Σ_j ds_tj k_j`, `dk_j = Σ_t ds_tj q_t`.
///
/// Parallel over sequences and heads of keys: a head's sums over queries have one order.
///
/// # Shapes
/// `x` (B, T, (N + 2M)·D) · `z`, `g` (B, T, N·D) · `logarithms` (B, T, N) → (B, T, (N + 2M)·D)
///
/// # Panics
/// If the lengths do not fit.
pub fn backward<T: Scalar>(
    x: &[T],
    z: &[T],
    g: &[T],
    logarithms: &[T],
    time: usize,
    heads: Heads,
    sight: Sight,
) -> Vec<T> {
    T::attention_backward(x, z, g, logarithms, time, heads, sight)
}

pub(in crate::kernels) fn backward_body<T: Scalar>(
    x: &[T],
    z: &[T],
    g: &[T],
    logarithms: &[T],
    time: usize,
    heads: Heads,
    sight: Sight,
) -> Vec<T> {
    let batch = sequences(x.len(), time, heads);
    let Heads { queries, keys, width } = heads;
    assert_eq!(z.len(), batch * time * heads.outputs(), "attention: outputs");
    assert_eq!(g.len(), z.len(), "attention: gradients of the outputs");
    assert_eq!(logarithms.len(), batch * time * queries, "attention: logarithms");
    if x.is_empty() {
        return Vec::new();
    }
    let group = heads.group();
    let one = time * width;
    // Head by head: the gradients of a group of queries, then those of its keys and values, each (T, D).
    let mut by_head = vec![T::zero(); x.len()];
    for_each(batch * keys > 1, by_head.chunks_exact_mut((group + 2) * one).enumerate(), |(i, gradients)| {
        let (b, m) = (i / keys, i % keys);
        let sequence = |of: &'_ [T]| -> std::ops::Range<usize> {
            let length = of.len() / batch;
            b * length..(b + 1) * length
        };
        let head = Head {
            x: &x[sequence(x)],
            z: &z[sequence(z)],
            g: &g[sequence(g)],
            logarithms: &logarithms[sequence(logarithms)],
            time,
            heads,
            sight,
        };
        head.backward(m, gradients);
    });
    // Back to the layout of the input.
    let mut dx = vec![T::zero(); x.len()];
    for_each(batch * time > 1, dx.chunks_exact_mut(heads.packed()).enumerate(), |(row, dx)| {
        let (b, t) = (row / time, row % time);
        for (n, dx) in dx.chunks_exact_mut(width).enumerate() {
            let (m, part) = match n {
                n if n < queries => (n / group, n % group),
                n if n < queries + keys => (n - queries, group),
                n => (n - queries - keys, group + 1),
            };
            let from = ((b * keys + m) * (group + 2) + part) * one + t * width;
            dx.copy_from_slice(&by_head[from..][..width]);
        }
    });
    dx
}

/// One sequence.
struct Head<'a, T> {
    x: &'a [T],
    z: &'a [T],
    g: &'a [T],
    logarithms: &'a [T],
    time: usize,
    heads: Heads,
    sight: Sight,
}

impl<T: Scalar> Head<'_, T> {
    /// The gradients of head m of the keys, of its values and of the queries that read it.
    fn backward(&self, m: usize, gradients: &mut [T]) {
        let &Head { x, z, g, logarithms, time, heads, sight } = self;
        let Heads { queries, keys, width } = heads;
        let (row, out, group) = (heads.packed(), heads.outputs(), heads.group());
        let scale = T::of(heads.scale());
        let (dq, rest) = gradients.split_at_mut(group * time * width);
        let (dk, dv) = rest.split_at_mut(time * width);
        let key = heads.columns(x, 0, time, row, (queries + m) * width);
        let value = heads.columns(x, 0, time, row, (queries + keys + m) * width);
        let mut transposed = vec![T::zero(); 2 * time * width];
        let (keys_t, values_t) = transposed.split_at_mut(time * width);
        transpose(key, keys_t);
        transpose(value, values_t);
        let (keys_t, values_t) = (Matrix::new(keys_t, width, time), Matrix::new(values_t, width, time));
        let mut scores = vec![T::zero(); QUERIES * KEYS];
        let mut weights = scores.clone();
        let mut rows = [const { Vec::new() }; 4];
        // 1. Over the queries' heads, 2. over blocks of queries, 3. over tiles of keys: in order, as each adds to sums of its own key head.
        for (h, dq) in dq.chunks_exact_mut(time * width).enumerate() {
            let n = m * group + h;
            for (block, dq) in dq.chunks_mut(QUERIES * width).enumerate() {
                let (first, count) = (block * QUERIES, dq.len() / width);
                let query = heads.columns(x, first, count, row, n * width);
                let [of_g, of_z, logs, deltas] = &mut rows;
                let g = gathered(&g[first * out..], count, out, n * width, width, of_g);
                let z = gathered(&z[first * out..], count, out, n * width, width, of_z);
                let logs = gathered(&logarithms[first * queries..], count, queries, n, 1, logs);
                deltas.resize(count, T::zero());
                dispatch(Dots(g, z, width, deltas));
                let g = Matrix::new(g, count, width);
                let (seen, end) = sight.of(first, first + count, time);
                for begin in (0..end).step_by(KEYS) {
                    let tile = begin..(begin + KEYS).min(end);
                    let (scores, gradients) = (&mut scores[..count * tile.len()], &mut weights[..count * tile.len()]);
                    gemm(query, keys_t.part(0..width, tile.clone()), Store::Overwrite, scores);
                    gemm(g, values_t.part(0..width, tile.clone()), Store::Overwrite, gradients);
                    let (keys, first_sees) = (tile.len(), (seen + 1) as isize - begin as isize);
                    let (logarithms, deltas) = (logs, &deltas[..]);
                    dispatch(Weights { scores, gradients, keys, first_sees, scale, logarithms, deltas });
                    let of_tile = tile.start * width..tile.end * width;
                    let (p, ds) = (Matrix::new(scores, count, keys), Matrix::new(gradients, count, keys));
                    gemm(p.t(), g, Store::Accumulate, &mut dv[of_tile.clone()]);
                    gemm(ds, key.part(tile, 0..width), Store::Accumulate, dq);
                    gemm(ds.t(), query, Store::Accumulate, &mut dk[of_tile]);
                }
            }
        }
    }
}

/// Columns `at..at + width` of some rows, side by side.
fn gathered<'a, T: Copy>(x: &[T], rows: usize, stride: usize, at: usize, width: usize, out: &'a mut Vec<T>) -> &'a [T] {
    out.clear();
    (0..rows).for_each(|r| out.extend_from_slice(&x[r * stride + at..][..width]));
    out
}
