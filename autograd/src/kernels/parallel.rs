//! When work is worth threads, how slices are cut for them, and how the pieces are handed out.
//!
//! The one place of the kernels that iterates in parallel: rayon's iterators are generic over the loop they run, and copy its body into
//! each of the five functions that split, steal and run it. `for_each` hands rayon numbers of tasks and one pointer to a function, so
//! a loop is compiled once.

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Elements below which an elementwise pass stays on one thread: a rayon task costs about as much as this many flops.
pub const MIN_PARALLEL: usize = 1 << 15;

/// Elements of one task of an elementwise pass: fits the level-1 cache of every machine we know with room for three operands.
pub const CHUNK: usize = 1 << 13;

/// Calls `f(offset, chunk)` on fixed chunks of `xs`, in parallel when there is enough work.
pub fn for_each_chunk<T: Send>(xs: &mut [T], f: impl Fn(usize, &mut [T]) + Sync + Send) {
    let parallel = xs.len() >= MIN_PARALLEL;
    for_each(parallel, xs.chunks_mut(CHUNK).enumerate(), |(i, chunk)| f(i * CHUNK, chunk));
}

/// Calls `f` with each task, in parallel if so wanted.
pub(super) fn for_each<I: Send>(parallel: bool, tasks: impl Iterator<Item = I>, f: impl Fn(I) + Sync) {
    if !parallel {
        return tasks.for_each(f);
    }
    /// Tasks, each taken by whoever has its number.
    struct Tasks<I>(Vec<MaybeUninit<I>>);
    // SAFETY: tasks are moved to other threads, and no two threads take the same.
    unsafe impl<I: Send> Sync for Tasks<I> {}
    impl<I> Tasks<I> {
        /// # Safety
        /// There is a task of this number, and it was not taken before.
        unsafe fn take(&self, number: usize) -> I {
            // SAFETY: the caller's promise.
            unsafe { self.0[number].assume_init_read() }
        }
    }
    let tasks = Tasks(tasks.map(MaybeUninit::new).collect());
    // SAFETY: `numbered` asks for every number below their count, once.
    numbered(tasks.0.len(), &|number| f(unsafe { tasks.take(number) }));
}

/// Calls `f(i)` once for each `i` below `tasks`, in parallel; neighbours may stay together on one thread.
pub(super) fn numbered(tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    (0..tasks).into_par_iter().for_each(f);
}

/// As [`numbered`], for tasks so large that each may go to a thread of its own.
pub(super) fn one_by_one(tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    (0..tasks).into_par_iter().with_max_len(1).for_each(f);
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
    for_each(len >= MIN_PARALLEL, parts.chunks_mut(size).enumerate(), |(i, part)| task(i * size, part));
    // SAFETY: the capacity was reserved, and the caller promises that the tasks wrote every element.
    unsafe { out.set_len(len) };
    out
}
