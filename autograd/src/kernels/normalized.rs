//! Rows that are divided by a scale of their own: what layer normalisation and its root-mean-square form share. How a row's scale comes
//! about, and what its gradient is, stands in `layer_norm.rs` and `rms_norm.rs`.

use super::gemm::Store;
use super::math::dispatch::{Pass, dispatch};
use super::parallel::{MIN_PARALLEL, for_each};
use super::reduce::{add_rows, store_sums, sum_over_rows};
use super::row_tasks::{count_rows, for_each_row_block, rows_per_task};
use crate::Scalar;

/// What a forward pass returns, and keeps for the backward passes.
pub struct Normalized<T> {
    /// `z` (R, C): `x̂` after the learned scale, and shift where there is one.
    pub output: Vec<T>,
    /// `x̂` (R, C): every gradient needs it.
    pub x_hat: Vec<T>,
    /// What each row was multiplied with (R), `1 / √(… + ε)`: the gradient of the input needs it.
    pub inv_scale: Vec<T>,
}

/// Some rows of a forward pass.
pub(super) struct ForwardRows<'a, T> {
    pub(super) x: &'a [T],
    pub(super) output: &'a mut [T],
    pub(super) x_hat: &'a mut [T],
    pub(super) inv_scale: &'a mut [T],
}

/// Some rows of the backward pass to the input.
pub(super) struct BackwardRows<'a, T> {
    pub(super) g: &'a [T],
    pub(super) x_hat: &'a [T],
    pub(super) inv_scale: &'a [T],
    pub(super) dx: &'a mut [T],
}

/// Runs `pass` over all rows of `cols`, on all cores where there are many.
///
/// # Panics
/// If `x` is not made of rows of `cols`; `op` is named.
pub(super) fn forward<T: Scalar>(
    op: &str,
    x: &[T],
    cols: usize,
    pass: impl Fn(ForwardRows<'_, T>) + Sync,
) -> Normalized<T> {
    let rows = count_rows(op, x, cols);
    let new = |len| vec![T::zero(); len];
    let mut kept = Normalized { output: new(x.len()), x_hat: new(x.len()), inv_scale: new(rows) };
    if x.is_empty() {
        return kept;
    }
    let task = |(((x, output), x_hat), inv_scale)| pass(ForwardRows { x, output, x_hat, inv_scale });
    let (height, Normalized { output, x_hat, inv_scale }) = (rows_per_task(cols), &mut kept);
    if x.len() < MIN_PARALLEL {
        task((((x, &mut output[..]), &mut x_hat[..]), &mut inv_scale[..]));
    } else {
        let size = height * cols;
        let outputs = x.chunks(size).zip(output.chunks_mut(size)).zip(x_hat.chunks_mut(size));
        for_each(true, outputs.zip(inv_scale.chunks_mut(height)), task);
    }
    kept
}

/// The gradient of the input: `pass` fills `dx` of its rows.
///
/// # Panics
/// If the lengths do not fit; `op` is named.
pub(super) fn backward_input<T: Scalar>(
    op: &str,
    g: &[T],
    x_hat: &[T],
    inv_scale: &[T],
    cols: usize,
    pass: impl Fn(BackwardRows<'_, T>) + Sync + Send,
) -> Vec<T> {
    assert_eq!(count_rows(op, g, cols), inv_scale.len(), "{op}: one inverse scale per row");
    assert_eq!(g.len(), x_hat.len(), "{op}: lengths of gradient and x̂");
    let mut dx = vec![T::zero(); g.len()];
    for_each_row_block(cols, &mut dx, |first, dx| {
        let (elements, rows) = (first * cols..first * cols + dx.len(), first..first + dx.len() / cols);
        pass(BackwardRows { g: &g[elements.clone()], x_hat: &x_hat[elements], inv_scale: &inv_scale[rows], dx });
    });
    dx
}

/// Adds columns `at..` of the products of rows of `cols` to as many sums.
struct AddProducts<'a, T> {
    g: &'a [T],
    x_hat: &'a [T],
    cols: usize,
    at: usize,
    sums: &'a mut [f64],
}

impl<T: Scalar> Pass for AddProducts<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let AddProducts { g, x_hat, cols, at, sums } = self;
        let width = sums.len();
        let row = |r: usize| (&g[r * cols + at..][..width], &x_hat[r * cols + at..][..width]);
        add_rows(sums, g.len() / cols, row, |(g, x_hat): (&[T], &[T]), c| g[c] * x_hat[c]);
    }
}

/// `∂w = Σ_r g ⊙ x̂`, stored or added. (`∂b = Σ_r g` is [`column_sums`](super::reduce::column_sums).)
///
/// # Shapes
/// `g` (R, C) · `x_hat` (R, C) · `out` (C)
///
/// # Panics
/// If the lengths do not fit.
pub fn backward_weight<T: Scalar>(g: &[T], x_hat: &[T], store: Store, out: &mut [T]) {
    let cols = out.len();
    let rows = count_rows("normalized rows", g, cols);
    assert_eq!(g.len(), x_hat.len(), "normalized rows: lengths of gradient and x̂");
    let mut sums = vec![0.0; cols];
    sum_over_rows(rows, &mut sums, |rows, at, sums| {
        let elements = rows.start * cols..rows.end * cols;
        dispatch(AddProducts { g: &g[elements.clone()], x_hat: &x_hat[elements], cols, at, sums });
    });
    store_sums(&sums, store, out);
}
