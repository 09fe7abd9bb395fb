//! Passes over contiguous slices, element by element, in parallel when there is enough work: what the ops on tensors are made of.
//!
//! Not the place for strides or broadcasting. Closures are inlined into a loop for each instruction set, so `|x| x * x` becomes SIMD.

use super::math::dispatch::{Pass, dispatch};
use super::parallel::{CHUNK, MIN_PARALLEL, filled, for_each};
use crate::Scalar;
use std::mem::MaybeUninit;

struct Update<'a, T, F>(&'a mut [T], F);
impl<T: Copy, F: Fn(T) -> T> Pass for Update<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for y in self.0 {
            *y = (self.1)(*y);
        }
    }
}

/// `y ← f(y)` of few elements, on this thread.
pub fn each<T: Copy>(f: impl Fn(T) -> T + Copy + Sync) -> impl Fn(&mut [T]) + Copy + Sync {
    move |ys| dispatch(Update(ys, f))
}

/// `y ← f(y)`.
pub fn update<T: Copy + Send>(ys: &mut [T], f: impl Fn(T) -> T + Copy + Send + Sync) {
    let task = |ys| dispatch(Update(ys, f));
    match ys.len() {
        0..MIN_PARALLEL => task(ys),
        _ => for_each(true, ys.chunks_mut(CHUNK), task),
    }
}

struct UpdateWith<'a, T, U, F>(&'a mut [T], &'a [U], F);
impl<T: Copy, U: Copy, F: Fn(T, U) -> T> Pass for UpdateWith<'_, T, U, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.0.iter_mut().zip(self.1) {
            *y = (self.2)(*y, x);
        }
    }
}

/// `y ← f(y, x)` of as many y as x, few, on this thread.
pub fn each_pair<T: Copy>(f: impl Fn(T, T) -> T + Copy + Sync) -> impl Fn(&mut [T], &[T]) + Copy + Sync {
    move |ys, xs| dispatch(UpdateWith(ys, xs, f))
}

/// `y ← f(y, x)`.
///
/// # Panics
/// If the lengths differ.
pub fn update_with<T: Copy + Send, U: Copy + Sync>(ys: &mut [T], xs: &[U], f: impl Fn(T, U) -> T + Copy + Send + Sync) {
    assert_eq!(ys.len(), xs.len(), "update_with: lengths");
    let task = |(ys, xs)| dispatch(UpdateWith(ys, xs, f));
    match ys.len() {
        0..MIN_PARALLEL => task((ys, xs)),
        _ => for_each(true, ys.chunks_mut(CHUNK).zip(xs.chunks(CHUNK)), task),
    }
}

/// `f(y, x)` on parts of [`CHUNK`] elements of both.
///
/// # Panics
/// If the lengths differ.
pub fn update_chunks_with<T: Copy + Send + Sync>(ys: &mut [T], xs: &[T], f: &(dyn Fn(&mut [T], &[T]) + Sync)) {
    assert_eq!(ys.len(), xs.len(), "update_chunks_with: lengths");
    let parallel = ys.len() >= MIN_PARALLEL;
    for_each(parallel, ys.chunks_mut(CHUNK).zip(xs.chunks(CHUNK)), |(ys, xs)| f(ys, xs));
}

/// `y ← f(x)`; what was in y is not read.
///
/// # Panics
/// If the lengths differ.
pub fn map<T: Copy + Send, U: Copy + Sync>(xs: &[U], ys: &mut [T], f: impl Fn(U) -> T + Copy + Send + Sync) {
    update_with(ys, xs, move |_, x| f(x));
}

struct ZipMap<'a, T, U, V, F>(&'a [U], &'a [V], &'a mut [T], F);
impl<T, U: Copy, V: Copy, F: Fn(U, V) -> T> Pass for ZipMap<'_, T, U, V, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((z, &x), &y) in self.2.iter_mut().zip(self.0).zip(self.1) {
            *z = (self.3)(x, y);
        }
    }
}

/// `z ← f(x, y)`; what was in z is not read.
///
/// # Panics
/// If the lengths differ.
pub fn zip_map<T: Send, U: Copy + Sync, V: Copy + Sync>(
    xs: &[U],
    ys: &[V],
    zs: &mut [T],
    f: impl Fn(U, V) -> T + Copy + Send + Sync,
) {
    assert!(xs.len() == zs.len() && ys.len() == zs.len(), "zip_map: lengths");
    let task = |((zs, xs), ys)| dispatch(ZipMap(xs, ys, zs, f));
    match zs.len() {
        0..MIN_PARALLEL => task(((zs, xs), ys)),
        _ => for_each(true, zs.chunks_mut(CHUNK).zip(xs.chunks(CHUNK)).zip(ys.chunks(CHUNK)), task),
    }
}

/// A copy of `xs`, chunk by chunk changed by `f` while it is in the cache.
pub fn copy_and_update<T: Copy + Send + Sync>(xs: &[T], f: &(dyn Fn(&mut [T]) + Sync)) -> Vec<T> {
    let task = |offset: usize, out: &mut [MaybeUninit<T>]| {
        let xs = &xs[offset..offset + out.len()];
        out.iter_mut().zip(xs).for_each(|(y, &x)| _ = y.write(x));
        // SAFETY: every element was just written, and `MaybeUninit<T>` lies in memory as `T` does.
        f(unsafe { &mut *(out as *mut [MaybeUninit<T>] as *mut [T]) });
    };
    // SAFETY: the task writes every element of `out`.
    unsafe { filled(xs.len(), CHUNK, task) }
}

/// `y ← y + x`.
///
/// # Panics
/// If the lengths differ.
pub fn accumulate<T: Scalar>(ys: &mut [T], xs: &[T]) {
    update_with(ys, xs, |y, x| y + x);
}

/// `y ← y + a·x`, the product rounded before the sum.
///
/// # Panics
/// If the lengths differ.
pub fn accumulate_scaled<T: Scalar>(ys: &mut [T], a: T, xs: &[T]) {
    update_with(ys, xs, move |y, x| y + a * x);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::row_tasks::tests::{assert_thread_independent, wave, wave32};

    #[test]
    fn every_pass_visits_every_element_once() {
        for len in [0, 1, 31, CHUNK + 1, MIN_PARALLEL - 1, MIN_PARALLEL, MIN_PARALLEL + 3] {
            let (x, y) = (wave(len, 0.0), wave(len, 1.0));
            let pairs = || x.iter().copied().zip(y.iter().copied());
            let mut z = vec![f64::NAN; len];
            map(&x, &mut z, |x| 2.0 * x);
            assert!(z.iter().zip(&x).all(|(&z, &x)| z == 2.0 * x));
            assert_eq!(copy_and_update(&x, &|xs: &mut [f64]| xs.iter_mut().for_each(|x| *x *= 2.0)), z);
            zip_map(&x, &y, &mut z, |x, y| x * y);
            assert!(z.iter().zip(pairs()).all(|(&z, (x, y))| z == x * y));
            update(&mut z, |z| -z);
            assert!(z.iter().zip(pairs()).all(|(&z, (x, y))| z == -(x * y)));
            accumulate(&mut z, &x);
            accumulate_scaled(&mut z, 3.0, &y);
            assert!(z.iter().zip(pairs()).all(|(&z, (x, y))| z == -(x * y) + x + 3.0 * y));
        }
    }

    #[test]
    fn passes_have_the_same_bits_for_any_number_of_threads() {
        let x = wave32(100_001, 0.0);
        assert_thread_independent(|| {
            let mut y = wave32(100_001, 1.0);
            accumulate_scaled(&mut y, 0.3, &x);
            update(&mut y, f32::sqrt);
            y.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        });
    }

    #[test]
    #[should_panic(expected = "update_with: lengths")]
    fn slices_of_different_lengths_are_refused() {
        accumulate(&mut [0.0f32; 2], &[0.0; 3]);
    }
}
