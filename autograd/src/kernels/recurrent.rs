//! What the sequence kernels of [`gru`](super::gru) and [`lstm`](super::lstm) share: their shape, and how the batch is cut into
//! tasks. The sums of columns that give the biases' gradients are in [`reduce`](super::reduce).
//!
//! A sequence is parallel over the rows of the batch: one task takes a block of rows through all time steps, so no thread ever
//! waits for another between steps, and the state of a block stays in that core's cache. Every result is computed by the same
//! operations in the same order whatever the blocks, so the number of threads decides only who computes it.

#[cfg(test)]
pub(crate) mod test_support;

use super::gemm::Matrix;
use super::parallel::MIN_PARALLEL;
use crate::Scalar;

/// The extent of a recurrent sequence; buffers are time-major, `(time, batch, …)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// T, the number of steps.
    pub time: usize,
    /// B, the number of independent rows.
    pub batch: usize,
    /// H, the width of the state.
    pub hidden: usize,
}

impl Sequence {
    /// `batch · hidden`: the elements of one state.
    pub(super) fn state(&self) -> usize {
        self.batch * self.hidden
    }

    /// Panics unless a buffer has as many elements as its shape asks for.
    #[track_caller]
    pub(super) fn check(&self, name: &str, length: usize, steps: usize, width: usize) {
        assert_eq!(length, steps * self.batch * width, "{name}: wrong length for {self:?}");
    }

    /// Panics unless the recurrent weight is (gates · H, H), with H > 0.
    #[track_caller]
    pub(super) fn check_weight<T>(&self, name: &str, w_hh: Matrix<T>, gates: usize) {
        assert!(self.hidden > 0, "{name}: no hidden units");
        assert_eq!((w_hh.rows(), w_hh.cols()), (gates * self.hidden, self.hidden), "{name}: wrong shape for {self:?}");
    }

    /// Rows of the batch for one task: an equal share for each thread, or all where the work is too small to share.
    pub(super) fn rows_of_a_task(&self) -> usize {
        if self.time * self.state() * self.hidden < MIN_PARALLEL {
            return self.batch.max(1);
        }
        self.batch.div_ceil(rayon::current_num_threads()).max(1)
    }
}

/// Cuts a `(time, batch, width)` buffer into tasks of `rows` batch rows: `cut(…)[task][t]` is that task's `(rows, width)` at time t.
pub(super) fn cut<T>(xs: &mut [T], batch: usize, width: usize, rows: usize) -> Vec<Vec<&mut [T]>> {
    let mut tasks: Vec<Vec<&mut [T]>> = (0..batch.div_ceil(rows)).map(|_| Vec::new()).collect();
    for step in xs.chunks_mut((batch * width).max(1)) {
        tasks.iter_mut().zip(step.chunks_mut((rows * width).max(1))).for_each(|(task, block)| task.push(block));
    }
    tasks
}

/// The same cut of a buffer that is only read: the `(rows, width)` of one task at time t.
pub(super) fn block<T>(xs: &[T], batch: usize, width: usize, rows: usize, task: usize, t: usize) -> &[T] {
    let (first, last) = (task * rows, batch.min((task + 1) * rows));
    &xs[(t * batch + first) * width..(t * batch + last) * width]
}

/// Units that an elementwise pass takes into local arrays at a time: one AVX-512 vector of `f32`.
///
/// Loops over the gates of a row do not vectorise: the gates are parts of one buffer, and the compiler cannot tell that writes to
/// one leave the next alone. Of local arrays it knows, and keeps them in
/// registers, if each is loaded by a statement of its own (`[…].map(load)` costs a third of the speed).
pub(super) const LANES: usize = 16;

/// `xs[j..j + count]`, filled up with zeros.
#[inline(always)]
pub(super) fn load<T: Scalar>(xs: &[T], j: usize, count: usize) -> [T; LANES] {
    let mut lanes = [T::zero(); LANES];
    lanes[..count].copy_from_slice(&xs[j..j + count]);
    lanes
}

/// `xs[j..j + count] ← lanes[..count]`.
#[inline(always)]
pub(super) fn store<T: Scalar>(xs: &mut [T], j: usize, count: usize, lanes: [T; LANES]) {
    xs[j..j + count].copy_from_slice(&lanes[..count]);
}

/// Cuts `hidden` units into at most `members` equal parts for the step of generation: `(first, count)` of each, in whole vectors.
pub(super) fn units_of(hidden: usize, members: usize) -> impl Iterator<Item = (usize, usize)> {
    let units = hidden.div_ceil(members.max(1)).next_multiple_of(LANES);
    (0..hidden).step_by(units).map(move |first| (first, units.min(hidden - first)))
}

/// The rows of some units for each of the given gates, one gate after the other: apart in the weight, side by side here.
pub(super) fn rows_of_units<T: Scalar>(
    w_hh: Matrix<T>,
    gates: std::ops::Range<usize>,
    first: usize,
    units: usize,
) -> Vec<T> {
    let hidden = w_hh.cols();
    let rows = gates.flat_map(|gate| (0..units).map(move |unit| gate * hidden + first + unit));
    rows.flat_map(|row| (0..hidden).map(move |k| w_hh.data[row * w_hh.row_stride + k * w_hh.col_stride])).collect()
}

/// A slice that several threads write to, each its own range.
pub(super) struct Disjoint<'a, T>(*mut T, usize, std::marker::PhantomData<&'a mut [T]>);

// SAFETY: a `Disjoint` is a `&mut [T]` that hands out disjoint parts (the promise of `range`), so it may cross threads as one does.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(super) fn new(xs: &'a mut [T]) -> Self {
        Disjoint(xs.as_mut_ptr(), xs.len(), std::marker::PhantomData)
    }

    /// `xs[first..first + count]`.
    ///
    /// # Safety
    /// Ranges that are alive at the same time must not overlap.
    #[expect(clippy::mut_from_ref, reason = "that is what the caller promises to keep apart")]
    pub(super) unsafe fn range(&self, first: usize, count: usize) -> &mut [T] {
        assert!(first + count <= self.1, "range outside its slice");
        // SAFETY: inside the slice that `self` borrows mutably; not aliased, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(first), count) }
    }
}
