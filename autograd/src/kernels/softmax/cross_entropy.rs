//! Softmax cross-entropy of integer targets, fused: the loss and the probabilities in one pass over the logits.
//!
//! Not a loss for soft targets or class weights.

use super::{Buffer, max_and_sum, normalize, scale};
use crate::Scalar;
use crate::kernels::compiled::Compiled;
use crate::kernels::lanes::BLOCK;
use crate::kernels::math::dispatch::{Pass, dispatch};
use crate::kernels::parallel::MIN_PARALLEL;
use crate::kernels::parallel::for_each;
use crate::kernels::row_tasks::{count_rows, for_each_row_block, for_each_row_block_with, rows_per_task};

/// `−log p(y) = ln Σ exp(x − max x) − (x_y − max x)`.
#[inline(always)]
fn nats<T: Scalar>(target_logit: T, max: T, sum: f64) -> T {
    T::of(sum.ln() - (target_logit - max).as_f64())
}

pub(super) struct Forward<'a, T> {
    pub(super) logits: &'a mut [T],
    pub(super) cols: usize,
    pub(super) targets: &'a [u32],
    pub(super) nll: &'a mut [T],
}

impl<T: Scalar> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.logits.chunks_exact_mut(self.cols);
        for ((row, &y), nll) in rows.zip(self.targets).zip(self.nll) {
            let target_logit = row[y as usize];
            let (max, sum) = normalize(row);
            *nll = nats(target_logit, max, sum);
        }
    }
}

pub(super) struct Score<'a, T> {
    pub(super) logits: &'a [T],
    pub(super) cols: usize,
    pub(super) targets: &'a [u32],
    pub(super) nll: &'a mut [T],
}

impl<T: Scalar> Pass for Score<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let mut buffer = Buffer([T::zero(); BLOCK]);
        for ((row, &y), nll) in self.logits.chunks_exact(self.cols).zip(self.targets).zip(self.nll) {
            let (max, sum) = max_and_sum(row, &mut buffer);
            *nll = nats(row[y as usize], max, sum);
        }
    }
}

struct Backward<'a, T> {
    probs: &'a mut [T],
    cols: usize,
    targets: &'a [u32],
    factor: T,
}

impl<T: Scalar> Pass for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (row, &y) in self.probs.chunks_exact_mut(self.cols).zip(self.targets) {
            row[y as usize] -= T::one();
            scale(row, self.factor);
        }
    }
}

/// One target below V for each row.
fn check<T>(what: &str, rows: &[T], cols: usize, targets: &[u32]) {
    assert_eq!(count_rows(what, rows, cols), targets.len(), "{what}: one target per row");
    if let Some(target) = targets.iter().find(|&&target| target as usize >= cols) {
        panic!("{what}: target {target} among {cols} symbols");
    }
}

/// The mean, added up in double precision and in order; 0/0 of none, as PyTorch.
pub fn mean<T: Scalar>(nll: &[T]) -> T {
    T::of(nll.iter().map(|&x| x.as_f64()).sum::<f64>() / nll.len() as f64)
}

/// `ℓ = −1/N Σ log softmax(x)_{n, y_n}`, in nats. Leaves the probabilities in the place of the logits, for
/// [`cross_entropy_backward`].
///
/// # Shapes
/// `logits` (N, V) · `targets` (N)
///
/// # Panics
/// If a target is ≥ V, or the lengths do not fit.
pub fn cross_entropy<T: Scalar>(logits: &mut [T], cols: usize, targets: &[u32]) -> T {
    Compiled::cross_entropy(logits, cols, targets)
}

/// [`cross_entropy`], compiled for each type.
pub(in crate::kernels) fn cross_entropy_body<T: Scalar>(logits: &mut [T], cols: usize, targets: &[u32]) -> T {
    check("cross_entropy", logits, cols, targets);
    let mut nll = vec![T::zero(); targets.len()];
    for_each_row_block_with(cols, logits, 1, &mut nll, |first, logits, nll| {
        dispatch(Forward { logits, cols, targets: &targets[first..first + nll.len()], nll });
    });
    mean(&nll)
}

/// `∂x = (p − onehot(y)) · g / N`, in the place of the probabilities p that [`cross_entropy`] left.
///
/// # Shapes
/// `probs` (N, V) · `targets` (N)
///
/// # Panics
/// If a target is ≥ V, or the lengths do not fit.
pub fn cross_entropy_backward<T: Scalar>(probs: &mut [T], cols: usize, targets: &[u32], g: T) {
    Compiled::cross_entropy_backward(probs, cols, targets, g)
}

/// [`cross_entropy_backward`], compiled for each type.
pub(in crate::kernels) fn cross_entropy_backward_body<T: Scalar>(probs: &mut [T], cols: usize, targets: &[u32], g: T) {
    check("cross_entropy_backward", probs, cols, targets);
    let factor = g / T::of(targets.len() as f64);
    for_each_row_block(cols, probs, |first, probs| {
        let targets = &targets[first..first + probs.len() / cols];
        dispatch(Backward { probs, cols, targets, factor });
    });
}

/// `−log softmax(x)_{n, y_n}` of each row, in nats; the same bits whose mean is [`cross_entropy`]. For exact likelihoods, whose
/// sums belong in double precision.
///
/// # Shapes
/// `logits` (N, V) · `targets` (N) → (N)
///
/// # Panics
/// If a target is ≥ V, or the lengths do not fit.
pub fn negative_log_likelihoods<T: Scalar>(logits: &[T], cols: usize, targets: &[u32]) -> Vec<T> {
    Compiled::negative_log_likelihoods(logits, cols, targets)
}

/// [`negative_log_likelihoods`], compiled for each type.
pub(in crate::kernels) fn negative_log_likelihoods_body<T: Scalar>(
    logits: &[T],
    cols: usize,
    targets: &[u32],
) -> Vec<T> {
    check("negative_log_likelihoods", logits, cols, targets);
    let mut nll = vec![T::zero(); targets.len()];
    let rows = rows_per_task(cols);
    let score = |((logits, targets), nll)| dispatch(Score { logits, cols, targets, nll });
    if logits.len() < MIN_PARALLEL {
        score(((logits, targets), &mut nll));
    } else {
        for_each(true, logits.chunks(rows * cols).zip(targets.chunks(rows)).zip(nll.chunks_mut(rows)), score);
    }
    nll
}
