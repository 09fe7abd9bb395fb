//! The keys and values of the positions of a window, and attention that reads them.

use crate::affine::share;
use autograd::kernels::attention::{Gathered, Memory, attend};
use autograd::kernels::gemm::Matrix;
use autograd::kernels::team::Team;
use autograd::{Heads, Scalar};

/// The keys and values of one layer.
#[derive(Clone, Debug)]
pub(super) struct Cache<T> {
    /// (M, D, context).
    keys: Vec<T>,
    /// (M, context, D).
    values: Vec<T>,
}

impl<T: Scalar> Cache<T> {
    /// Room for a context.
    pub(super) fn new(heads: Heads, context: usize) -> Self {
        let zeros = vec![T::zero(); heads.keys * heads.width * context];
        Cache { keys: zeros.clone(), values: zeros }
    }

    /// Keeps the keys and values of a row of queries, keys and values.
    pub(super) fn write(&mut self, row: &[T], t: usize, heads: Heads, context: usize) {
        let Heads { queries, keys, width } = heads;
        for m in 0..keys {
            let key = &row[(queries + m) * width..][..width];
            for (d, &k) in key.iter().enumerate() {
                self.keys[(m * width + d) * context + t] = k;
            }
            let value = &row[(queries + keys + m) * width..][..width];
            self.values[(m * context + t) * width..][..width].copy_from_slice(value);
        }
    }

    fn memory(&self, m: usize, count: usize, width: usize, context: usize) -> Memory<'_, T> {
        let keys = &self.keys[m * width * context..][..width * context];
        let values = &self.values[m * width * context..][..width * context];
        Memory {
            keys: Matrix::with_strides(keys, width, count, context, 1),
            values: Matrix::new(&values[..count * width], count, width),
        }
    }
}

/// What attention gives, and memory that it uses again.
#[derive(Default)]
pub(super) struct Attended<T> {
    /// (R, N·D).
    pub rows: Vec<T>,
    /// The same head by head, (N, R, D).
    by_head: Vec<T>,
    /// Of each head.
    gathered: Vec<Gathered<T>>,
}

/// What the queries of each row gather; heads are shared out to the team.
pub(super) fn attention<T: Scalar>(
    qkv: &[T],
    first: usize,
    cache: &Cache<T>,
    heads: Heads,
    context: usize,
    team: &mut Team,
    Attended { rows: attended, by_head, gathered }: &mut Attended<T>,
) {
    let (rows, width) = (qkv.len() / heads.packed(), heads.width);
    attended.resize(rows * heads.outputs(), T::zero());
    gathered.resize_with(heads.queries, Gathered::default);
    // Head by head and within it row by row; afterwards row by row.
    by_head.resize(attended.len(), T::zero());
    let pieces = by_head.chunks_exact_mut(rows * width).zip(gathered.iter_mut()).enumerate();
    share(team, pieces, |(n, (out, gathered))| {
        let memory = cache.memory(n / heads.group(), first + rows, width, context);
        let queries = Matrix::with_strides(&qkv[n * width..], rows, width, heads.packed(), 1);
        attend(queries, first, memory, gathered, |r, z, _| out[r * width..][..width].copy_from_slice(z));
    });
    for (n, head) in by_head.chunks_exact(rows * width).enumerate() {
        for (r, z) in head.chunks_exact(width).enumerate() {
            attended[r * heads.outputs() + n * width..][..width].copy_from_slice(z);
        }
    }
}
