//! When work is worth threads, and how slices are cut for them.

use rayon::prelude::*;

/// Elements below which an elementwise pass stays on one thread: a rayon task costs about as much as this many flops.
pub const MIN_PARALLEL: usize = 1 << 15;

/// Elements of one task of an elementwise pass: fits the level-1 cache of every machine we know with room for three operands.
pub const CHUNK: usize = 1 << 13;

/// Calls `f(offset, chunk)` on fixed chunks of `xs`, in parallel when there is enough work.
pub fn for_each_chunk<T: Send>(xs: &mut [T], f: impl Fn(usize, &mut [T]) + Sync + Send) {
    if xs.len() < MIN_PARALLEL {
        xs.chunks_mut(CHUNK).enumerate().for_each(|(i, chunk)| f(i * CHUNK, chunk));
    } else {
        xs.par_chunks_mut(CHUNK).enumerate().for_each(|(i, chunk)| f(i * CHUNK, chunk));
    }
}
