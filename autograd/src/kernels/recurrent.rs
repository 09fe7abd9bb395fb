//! What the sequence kernels of [`gru`](super::gru) and [`lstm`](super::lstm) share: their shape, and how the batch is cut into
//! tasks. The sums of columns that give the biases' gradients are in [`reduce`](super::reduce).
//!
//! A sequence is parallel over the rows of the batch: one task takes a block of rows through all time steps, so no thread ever
//! waits for another between steps, and the state of a block stays in that core's cache. Every result is computed by the same
//! operations in the same order whatever the blocks, so the number of threads decides only who computes it.

pub(super) mod step;
#[cfg(test)]
pub(crate) mod test_support;

use super::gemm::Matrix;
use super::parallel::MIN_PARALLEL;
use super::unwritten::as_written;
use crate::Scalar;
use std::mem::MaybeUninit;

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

/// The rows of a `(batch, width)` buffer for each task, if there is one.
pub(super) fn cut_rows<T>(xs: Option<&mut [T]>, tasks: usize, width: usize, rows: usize) -> Vec<Option<&mut [T]>> {
    let Some(xs) = xs else { return (0..tasks).map(|_| None).collect() };
    xs.chunks_mut((rows * width).max(1)).map(Some).collect()
}

/// Units that an elementwise pass takes into local arrays at a time: one AVX-512 vector of `f32`.
///
/// Loops over the gates of a row do not vectorise: the gates are parts of one buffer, and the compiler cannot tell that writes to
/// one leave the next alone. Of local arrays it knows, and keeps them in
/// registers, if each is loaded by a statement of its own (`[…].map(load)` costs a third of the speed).
pub(super) const LANES: usize = 16;

/// `body` for all units of a row, [`LANES`] at a time from `first` on and then the rest: for the whole blocks with a count that
/// the compiler knows.
///
/// Not a function that takes a closure: the compiler would not inline it twice, and without the instruction set of the pass
/// around it a step takes twice as long.
macro_rules! in_lanes {
    ($width:expr, |$first:ident, $count:ident| $body:expr) => {{
        let (width, lanes) = ($width, $crate::kernels::recurrent::LANES);
        let whole = width - width % lanes;
        for $first in (0..whole).step_by(lanes) {
            let $count = lanes;
            $body;
        }
        if whole < width {
            let ($first, $count) = (whole, width - whole);
            $body;
        }
    }};
}
pub(super) use in_lanes;

/// `xs[j..j + count]`, filled up with zeros.
#[inline(always)]
pub(super) fn load<T: Scalar>(xs: &[T], j: usize, count: usize) -> [T; LANES] {
    let mut lanes = [T::zero(); LANES];
    lanes[..count].copy_from_slice(&xs[j..j + count]);
    lanes
}

/// `xs[j..j + count] ← lanes[..count]`, where nothing was written before.
#[inline(always)]
pub(super) fn store_new<T: Scalar>(xs: &mut [MaybeUninit<T>], j: usize, count: usize, lanes: [T; LANES]) {
    xs[j..j + count].copy_from_slice(as_written(&lanes[..count]));
}

/// `xs[j..j + count] ← lanes[..count]`.
#[inline(always)]
pub(super) fn store<T: Scalar>(xs: &mut [T], j: usize, count: usize, lanes: [T; LANES]) {
    xs[j..j + count].copy_from_slice(&lanes[..count]);
}
