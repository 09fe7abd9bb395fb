//! What [`gru::step`](super::super::gru::step) and [`lstm::step`](super::super::lstm::step) share: how the hidden units are cut into
//! parts, one a thread.

use super::{LANES, Sequence};
use crate::Scalar;
use crate::kernels::gemm::Matrix;
use crate::kernels::packed::{Direction, Packed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Some hidden units with all gates of each: what one thread computes of a step.
pub(in crate::kernels) struct Part<T> {
    pub first: usize,
    pub units: usize,
    /// The rows of these units in the recurrent weight, gate after gate, packed: (H, gates · units).
    pub w: Packed<T>,
    /// Their biases, gate after gate.
    pub b_hh: Vec<T>,
    /// A lock that nobody ever waits for, since a part belongs to one thread.
    scratch: Mutex<Scratch<T>>,
}

/// What a part needs to compute a step.
pub(in crate::kernels) struct Scratch<T> {
    /// Four values a unit.
    pub values: Vec<T>,
    direction: Direction,
}

impl<T: Scalar> Part<T> {
    /// The parts of a recurrent layer for a team of `members` threads.
    ///
    /// # Panics
    /// If `w_hh` is not (gates · H, H) or `b_hh` not (gates · H).
    pub fn all(name: &str, gates: usize, w_hh: Matrix<T>, b_hh: &[T], members: usize) -> Vec<Self> {
        let hidden = w_hh.cols();
        Sequence { time: 1, batch: 1, hidden }.check_weight(name, w_hh, gates);
        assert_eq!(b_hh.len(), gates * hidden, "{name}: wrong length of the bias");
        let part = |(first, units)| {
            let rows = rows_of_units(w_hh, gates, first, units);
            Part {
                first,
                units,
                w: Packed::new(Matrix::new(&rows, gates * units, hidden).t()).compacted(),
                b_hh: (0..gates).flat_map(|gate| &b_hh[gate * hidden + first..][..units]).copied().collect(),
                scratch: Mutex::new(Scratch { values: vec![T::zero(); 4 * units], direction: Direction::Forward }),
            }
        };
        units_of(hidden, members).map(part).collect()
    }

    pub fn scratch(&self) -> MutexGuard<'_, Scratch<T>> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Scratch<T> {
    /// The direction to read the weight in, another one at every call.
    pub fn turn(&mut self) -> Direction {
        let direction = self.direction;
        self.direction = direction.reversed();
        direction
    }
}

/// Cuts `hidden` units into at most `members` equal parts: `(first, count)` of each, in whole vectors.
fn units_of(hidden: usize, members: usize) -> impl Iterator<Item = (usize, usize)> {
    let units = hidden.div_ceil(members.max(1)).next_multiple_of(LANES);
    (0..hidden).step_by(units).map(move |first| (first, units.min(hidden - first)))
}

/// The rows of some units for each of the given gates, one gate after the other: apart in the weight, side by side here.
fn rows_of_units<T: Scalar>(w_hh: Matrix<T>, gates: usize, first: usize, units: usize) -> Vec<T> {
    let hidden = w_hh.cols();
    let rows = (0..gates).flat_map(|gate| (0..units).map(move |unit| gate * hidden + first + unit));
    rows.flat_map(|row| (0..hidden).map(move |k| w_hh.data[row * w_hh.row_stride + k * w_hh.col_stride])).collect()
}

/// A slice that several threads write to, each its own range.
pub(in crate::kernels) struct Disjoint<'a, T>(*mut T, usize, std::marker::PhantomData<&'a mut [T]>);

// SAFETY: a `Disjoint` is a `&mut [T]` that hands out disjoint parts (the promise of `range`), so it may cross threads as one does.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(in crate::kernels) fn new(xs: &'a mut [T]) -> Self {
        Disjoint(xs.as_mut_ptr(), xs.len(), std::marker::PhantomData)
    }

    /// `xs[first..first + count]`.
    ///
    /// # Safety
    /// Ranges that are alive at the same time must not overlap.
    #[expect(clippy::mut_from_ref, reason = "that is what the caller promises to keep apart")]
    pub(in crate::kernels) unsafe fn range(&self, first: usize, count: usize) -> &mut [T] {
        assert!(first + count <= self.1, "range outside its slice");
        // SAFETY: inside the slice that `self` borrows mutably; not aliased, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(first), count) }
    }
}
