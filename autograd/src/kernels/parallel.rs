//! When work is worth threads, and how slices are cut for them.

use rayon::prelude::*;
use std::mem::MaybeUninit;

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

/// Elements of one task of a pass that memory limits: some ten microseconds of it.
pub const TASK: usize = 1 << 15;

/// A new buffer of `len` elements in which `task(offset, part)` fills parts of `size` elements, in parallel when there is enough
/// work: memory is written once.
///
/// # Safety
/// The task writes every element of its part.
pub(super) unsafe fn filled<T: Send>(
    len: usize,
    size: usize,
    task: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync,
) -> Vec<T> {
    let mut out = Vec::with_capacity(len);
    let parts = &mut out.spare_capacity_mut()[..len];
    if len < MIN_PARALLEL {
        parts.chunks_mut(size).enumerate().for_each(|(i, part)| task(i * size, part));
    } else {
        parts.par_chunks_mut(size).enumerate().for_each(|(i, part)| task(i * size, part));
    }
    // SAFETY: the capacity was reserved, and the caller promises that the tasks wrote every element.
    unsafe { out.set_len(len) };
    out
}
