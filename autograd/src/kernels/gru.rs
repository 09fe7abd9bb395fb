//! The GRU over a whole sequence, forward and backward, in PyTorch's form.
//!
//! ```text
//! r = σ(x_r + W_hr h + b_hr)        x_• = W_i• x + b_i•, computed by the caller for all steps at once
//! z = σ(x_z + W_hz h + b_hz)
//! n = tanh(x_n + r ⊙ (W_hn h + b_hn))
//! h' = (1 − z) ⊙ n + z ⊙ h = n + z ⊙ (h − n)
//! ```
//!
//! Not here: the products with the inputs and the weights' gradients, which are plain matrix products over all T·B rows
//! (see [`gru_backward`]), and the single step of generation ([`step`]).
//!
//! Source: Cho et al. 2014, arXiv:1406.1078, with the reset gate after the product as in `torch.nn.GRU`.

pub mod step;
#[cfg(test)]
mod tests;

use super::compiled::Compiled;
use super::gemm::{Matrix, Store};
use super::math::dispatch::{Pass, dispatch};
use super::packed::Packed;
use super::parallel::for_each;
use super::recurrent::{LANES, Sequence, block, cut, cut_rows, in_lanes, load, store, store_new};
use super::unwritten;
use crate::Scalar;
use std::mem::MaybeUninit;

/// Runs the GRU through all steps; gates in the order r, z, n.
///
/// # Shapes
/// - `gates` (T, B, 3H): in, `W_ih x + b_ih`; out, the activations r, z, n
/// - `w_hh` (3H, H), `b_hh` (3H), `first` (B, H) the state before the first step
/// - → `h` (T+1, B, H), `h[t+1]` the state after step t; `hn` (T, B, H), `W_hn h + b_hn`, which the backward pass needs
///
/// # Panics
/// If a shape does not fit.
pub fn gru_forward<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    b_hh: &[T],
    first: &[T],
) -> (Vec<T>, Vec<T>) {
    Compiled::gru_forward(shape, gates, w_hh, b_hh, first, shape.rows_of_a_task())
}

pub(super) fn forward_in_blocks<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    b_hh: &[T],
    first: &[T],
    rows: usize,
) -> (Vec<T>, Vec<T>) {
    let Sequence { time, batch, hidden } = shape;
    shape.check_weight("gru w_hh", w_hh, 3);
    shape.check("gru gates", gates.len(), time, 3 * hidden);
    shape.check("gru first state", first.len(), 1, hidden);
    assert_eq!(b_hh.len(), 3 * hidden, "gru b_hh: wrong length for {shape:?}");

    let w_rz = Packed::on_loan(w_hh.part(0..2 * hidden, 0..hidden).t());
    let w_n = Packed::on_loan(w_hh.part(2 * hidden..3 * hidden, 0..hidden).t());
    let fill = |h: &mut [MaybeUninit<T>], hn: &mut [MaybeUninit<T>]| {
        let tasks = cut(gates, batch, 3 * hidden, rows).into_iter();
        let tasks = tasks.zip(cut(h, batch, hidden, rows)).zip(cut(hn, batch, hidden, rows));
        // 1. Over blocks of rows, in parallel: they never meet.
        for_each(true, tasks.enumerate(), |(task, ((mut gates, mut h), mut hn))| {
            unwritten::copy(block(first, batch, hidden, rows, task, 0), h[0]);
            // 2. Over time, in order: each step needs the state before it.
            for (t, (gates, hn)) in gates.iter_mut().zip(&mut hn).enumerate() {
                let (past, next) = h.split_at_mut(t + 1);
                // SAFETY: the step before wrote it; the first was copied.
                let h = unsafe { unwritten::written(&*past[t]) };
                let state = Matrix::new(h, h.len() / hidden, hidden);
                w_rz.product(state, Store::Accumulate, gates, 3 * hidden);
                let hn = w_n.product_into(state, hn);
                dispatch(Forward { hidden, gates, hn, b_hh, h, h_next: &mut *next[0] });
            }
        });
    };
    // SAFETY: the tasks write the first state and, step by step, all others and all of hn.
    let (h, hn) = unsafe { unwritten::filled_both((time + 1) * shape.state(), time * shape.state(), fill) };
    w_rz.give_back();
    w_n.give_back();
    (h, hn)
}

/// The gates and the new state of one step of one block, once `gates` holds `x + W_h h` (for r and z) and `hn` holds `W_hn h`.
struct Forward<'a, T> {
    hidden: usize,
    gates: &'a mut [T],
    hn: &'a mut [T],
    b_hh: &'a [T],
    h: &'a [T],
    h_next: &'a mut [MaybeUninit<T>],
}

impl<T: Scalar> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.hidden;
        let rows = self.gates.chunks_exact_mut(3 * width).zip(self.hn.chunks_exact_mut(width));
        let states = self.h.chunks_exact(width).zip(self.h_next.chunks_exact_mut(width));
        for ((gates, hn), (h, h_next)) in rows.zip(states) {
            in_lanes!(width, |j, count| units(gates, hn, self.b_hh, h, h_next, j, count));
        }
    }
}

/// The formulas of this page for `count` units from `j` on.
#[inline(always)]
fn units<T: Scalar>(
    gates: &mut [T],
    hn: &mut [T],
    b_hh: &[T],
    h: &[T],
    h_next: &mut [MaybeUninit<T>],
    j: usize,
    count: usize,
) {
    let at = [0, 1, 2].map(|gate| gate * h.len() + j);
    let (b_r, b_z, b_n) = (load(b_hh, at[0], count), load(b_hh, at[1], count), load(b_hh, at[2], count));
    let (mut r, mut z, mut n) = (load(gates, at[0], count), load(gates, at[1], count), load(gates, at[2], count));
    let (mut u, mut state) = (load(hn, j, count), load(h, j, count));
    for l in 0..LANES {
        r[l] = T::sigmoid_lane(r[l] + b_r[l]);
        z[l] = T::sigmoid_lane(z[l] + b_z[l]);
        u[l] += b_n[l];
        n[l] = T::tanh_lane(r[l].mul_add(u[l], n[l]));
        state[l] = z[l].mul_add(state[l] - n[l], n[l]);
    }
    store(gates, at[0], count, r);
    store(gates, at[1], count, z);
    store(gates, at[2], count, n);
    store(hn, j, count, u);
    store_new(h_next, j, count, state);
}

/// Gradients of [`gru_forward`], from the buffers it left and the gradient `dout` of the states `h[1..]`.
///
/// With `ḣ` the whole gradient of h' (upstream plus what flows back from later steps):
/// ```text
/// dn = ḣ (1 − z)(1 − n²)    dz = ḣ (h − n) z (1 − z)    dr = dn · hn · r (1 − r)
/// dh = ḣ z + [dr dz dn·r] W_hh
/// ```
/// The rest is the caller's, as products over all T·B rows: `dW_hh[rz] = gates[:, :2H]ᵀ h[..T]`, `dW_hh[n] = hnᵀ h[..T]`,
/// `dW_ih = gatesᵀ x`, `dx = gates W_ih`; biases by [`column_sums`](super::reduce::column_sums).
///
/// # Shapes
/// - `gates` (T, B, 3H): in, r, z, n; out, the gradients of `W_ih x + b_ih`
/// - `hn` (T, B, H): in, `W_hn h + b_hn`; out, its gradient `dn·r`
/// - `w_hh` (3H, H), `h` (T+1, B, H), `dout` (T, B, H)
/// - `dh0` (B, H), if it is wanted: out, the gradient of `h[0]`
///
/// # Panics
/// If a shape does not fit.
pub fn gru_backward<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    h: &[T],
    hn: &mut [T],
    dout: &[T],
    dh0: Option<&mut [T]>,
) {
    Compiled::gru_backward(shape, gates, w_hh, h, hn, dout, dh0, shape.rows_of_a_task());
}

#[expect(clippy::too_many_arguments, reason = "the arguments of the public function and the rows of a task")]
pub(super) fn backward_in_blocks<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    h: &[T],
    hn: &mut [T],
    dout: &[T],
    dh0: Option<&mut [T]>,
    rows: usize,
) {
    let Sequence { time, batch, hidden } = shape;
    shape.check_weight("gru w_hh", w_hh, 3);
    shape.check("gru gates", gates.len(), time, 3 * hidden);
    shape.check("gru h", h.len(), time + 1, hidden);
    shape.check("gru hn", hn.len(), time, hidden);
    shape.check("gru dout", dout.len(), time, hidden);
    if let Some(dh0) = &dh0 {
        shape.check("gru dh0", dh0.len(), 1, hidden);
    }

    let w_rz = Packed::on_loan(w_hh.part(0..2 * hidden, 0..hidden));
    let w_n = Packed::on_loan(w_hh.part(2 * hidden..3 * hidden, 0..hidden));
    let (gates, hn) = (cut(gates, batch, 3 * hidden, rows), cut(hn, batch, hidden, rows));
    let dh0 = cut_rows(dh0, gates.len(), hidden, rows);
    // 1. Over blocks of rows, in parallel. 2. Over time, backwards; `dh` carries the gradient from step to step.
    let tasks = gates.into_iter().zip(hn).zip(dh0).enumerate();
    for_each(true, tasks, |(task, ((mut gates, mut hn), dh0))| {
        let of_block = |xs, t| block(xs, batch, hidden, rows, task, t);
        let mut dh = vec![T::zero(); of_block(h, 0).len()];
        for (t, (gates, hn)) in gates.iter_mut().zip(&mut hn).enumerate().rev() {
            dispatch(Backward { hidden, gates, hn, h: of_block(h, t), dout: of_block(dout, t), dh: &mut dh });
            if t > 0 || dh0.is_some() {
                let rows = dh.len() / hidden;
                let d_rz = Matrix::with_strides(gates, rows, 2 * hidden, 3 * hidden, 1);
                w_rz.product(d_rz, Store::Accumulate, &mut dh, hidden);
                w_n.product(Matrix::new(hn, rows, hidden), Store::Accumulate, &mut dh, hidden);
            }
        }
        if let Some(dh0) = dh0 {
            dh0.copy_from_slice(&dh);
        }
    });
    w_rz.give_back();
    w_n.give_back();
}

/// The elementwise part of one step of one block, backward.
struct Backward<'a, T> {
    hidden: usize,
    gates: &'a mut [T],
    hn: &'a mut [T],
    h: &'a [T],
    dout: &'a [T],
    dh: &'a mut [T],
}

impl<T: Scalar> Pass for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.hidden;
        let rows = self.gates.chunks_exact_mut(3 * width).zip(self.hn.chunks_exact_mut(width));
        let states = self.h.chunks_exact(width).zip(self.dout.chunks_exact(width)).zip(self.dh.chunks_exact_mut(width));
        for ((gates, hn), ((h, dout), dh)) in rows.zip(states) {
            in_lanes!(width, |j, count| differentiate(gates, hn, h, dout, dh, j, count));
        }
    }
}

/// The formulas of [`gru_backward`] for `count` units from `j` on, in place: r, z, n, hn become their gradients, and `dh` what
/// the state before the step gets without the product.
#[inline(always)]
fn differentiate<T: Scalar>(gates: &mut [T], hn: &mut [T], h: &[T], dout: &[T], dh: &mut [T], j: usize, count: usize) {
    let at = [0, 1, 2].map(|gate| gate * h.len() + j);
    let (mut r, mut z, mut n) = (load(gates, at[0], count), load(gates, at[1], count), load(gates, at[2], count));
    let (h, dout, mut carried, mut u) =
        (load(h, j, count), load(dout, j, count), load(dh, j, count), load(hn, j, count));
    let one = T::one();
    for l in 0..LANES {
        let (dh, keep) = (dout[l] + carried[l], one - z[l]);
        carried[l] = dh * z[l];
        let dn = dh * keep * (one - n[l] * n[l]);
        z[l] = dh * (h[l] - n[l]) * (z[l] * keep);
        n[l] = dn;
        let dr = dn * u[l] * (r[l] * (one - r[l]));
        u[l] = dn * r[l];
        r[l] = dr;
    }
    store(gates, at[0], count, r);
    store(gates, at[1], count, z);
    store(gates, at[2], count, n);
    store(hn, j, count, u);
    store(dh, j, count, carried);
}
