//! Buffers that tasks fill before anybody reads them: zeros would be written once for nothing, and by one thread.

use std::mem::MaybeUninit;

/// Two buffers of so many values, filled by `fill`.
///
/// # Safety
/// `fill` writes every element.
pub(super) unsafe fn filled_both<T>(
    one: usize,
    other: usize,
    fill: impl FnOnce(&mut [MaybeUninit<T>], &mut [MaybeUninit<T>]),
) -> (Vec<T>, Vec<T>) {
    let (mut xs, mut ys) = (Vec::with_capacity(one), Vec::with_capacity(other));
    fill(&mut xs.spare_capacity_mut()[..one], &mut ys.spare_capacity_mut()[..other]);
    // SAFETY: the capacities were reserved, and every element was written, by the caller's promise.
    unsafe {
        xs.set_len(one);
        ys.set_len(other);
    }
    (xs, ys)
}

/// What was written.
///
/// # Safety
/// Every element was.
#[inline(always)]
pub(super) unsafe fn written<T>(xs: &[MaybeUninit<T>]) -> &[T] {
    // SAFETY: the same length and layout; the elements are initialised, by the caller's promise.
    unsafe { std::slice::from_raw_parts(xs.as_ptr().cast::<T>(), xs.len()) }
}

/// What was written, to be changed.
///
/// # Safety
/// As [`written`].
#[inline(always)]
pub(super) unsafe fn written_mut<T>(xs: &mut [MaybeUninit<T>]) -> &mut [T] {
    // SAFETY: as in `written`.
    unsafe { std::slice::from_raw_parts_mut(xs.as_mut_ptr().cast::<T>(), xs.len()) }
}

/// Memory that holds values, to be written over without being read.
#[inline(always)]
pub(super) fn unwritten<T: Copy>(xs: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: the same length and layout; only whole values are ever written through it in this crate, so they stay initialised.
    unsafe { std::slice::from_raw_parts_mut(xs.as_mut_ptr().cast::<MaybeUninit<T>>(), xs.len()) }
}

/// Values as what fresh memory holds once they are written there.
#[inline(always)]
pub(super) fn as_written<T>(xs: &[T]) -> &[MaybeUninit<T>] {
    // SAFETY: the same length and layout, and nothing can be written through it.
    unsafe { std::slice::from_raw_parts(xs.as_ptr().cast::<MaybeUninit<T>>(), xs.len()) }
}

/// Copies values into memory that was not written before.
pub(super) fn copy<T: Copy>(from: &[T], to: &mut [MaybeUninit<T>]) {
    to.copy_from_slice(as_written(from));
}
