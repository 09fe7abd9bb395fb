//! The LSTM over a whole sequence, forward and backward, in PyTorch's form.
//!
//! ```text
//! i = σ(x_i + W_hi h + b_hi)    f = σ(x_f + W_hf h + b_hf)    x_• = W_i• x + b_i•, computed by the caller for all steps at once
//! g = tanh(x_g + W_hg h + b_hg) o = σ(x_o + W_ho h + b_ho)
//! c' = f ⊙ c + i ⊙ g            h' = o ⊙ tanh c'
//! ```
//!
//! Not here: the products with the inputs and the weights' gradients, which are plain matrix products over all T·B rows
//! (see [`lstm_backward`]), and the single step of generation ([`step`]).
//!
//! Source: Hochreiter and Schmidhuber 1997; with the forget gate of Gers et al. 2000, as in `torch.nn.LSTM`.

pub mod map;
pub mod step;
#[cfg(test)]
mod tests;
pub mod wavefront;

use super::compiled::Compiled;
use super::gemm::{Matrix, Store};
use super::math::dispatch::{Pass, dispatch};
use super::packed::Packed;
use super::parallel::for_each;
use super::recurrent::{LANES, Sequence, block, cut, cut_rows, in_lanes, load, store, store_new};
use super::unwritten;
use crate::Scalar;
use std::mem::MaybeUninit;

/// Runs the LSTM through all steps; gates in the order i, f, g, o.
///
/// # Shapes
/// - `gates` (T, B, 4H): in, `W_ih x + b_ih`; out, the activations i, f, g, o
/// - `w_hh` (4H, H), `b_hh` (4H), `first` the states h and c (B, H) before the first step
/// - → `h`, `c` (T+1, B, H), `h[t+1]` and `c[t+1]` the states after step t
///
/// # Panics
/// If a shape does not fit.
pub fn lstm_forward<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    b_hh: &[T],
    first: [&[T]; 2],
) -> (Vec<T>, Vec<T>) {
    Compiled::lstm_forward(shape, gates, w_hh, b_hh, first, shape.rows_of_a_task())
}

pub(super) fn forward_in_blocks<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    b_hh: &[T],
    [first_h, first_c]: [&[T]; 2],
    rows: usize,
) -> (Vec<T>, Vec<T>) {
    let Sequence { time, batch, hidden } = shape;
    shape.check_weight("lstm w_hh", w_hh, 4);
    shape.check("lstm gates", gates.len(), time, 4 * hidden);
    shape.check("lstm first state", first_h.len(), 1, hidden);
    shape.check("lstm first cell", first_c.len(), 1, hidden);
    assert_eq!(b_hh.len(), 4 * hidden, "lstm b_hh: wrong length for {shape:?}");

    let w = Packed::on_loan(w_hh.t());
    let fill = |h: &mut [MaybeUninit<T>], c: &mut [MaybeUninit<T>]| {
        let tasks = cut(gates, batch, 4 * hidden, rows).into_iter();
        let tasks = tasks.zip(cut(h, batch, hidden, rows)).zip(cut(c, batch, hidden, rows));
        // 1. Over blocks of rows, in parallel: they never meet.
        for_each(true, tasks.enumerate(), |(task, ((mut gates, mut h), mut c))| {
            unwritten::copy(block(first_h, batch, hidden, rows, task, 0), h[0]);
            unwritten::copy(block(first_c, batch, hidden, rows, task, 0), c[0]);
            // 2. Over time, in order: each step needs the state before it.
            for (t, gates) in gates.iter_mut().enumerate() {
                let (h_past, h_next) = h.split_at_mut(t + 1);
                let (c_past, c_next) = c.split_at_mut(t + 1);
                // SAFETY: the step before wrote them; the first were copied.
                let (h, c) = unsafe { (unwritten::written(&*h_past[t]), unwritten::written(&*c_past[t])) };
                w.product(Matrix::new(h, h.len() / hidden, hidden), Store::Accumulate, gates, 4 * hidden);
                dispatch(Forward { hidden, gates, b_hh, c, c_next: &mut *c_next[0], h_next: &mut *h_next[0] });
            }
        });
    };
    let len = (time + 1) * shape.state();
    // SAFETY: the tasks write the first states and, step by step, all others.
    let states = unsafe { unwritten::filled_both(len, len, fill) };
    w.give_back();
    states
}

/// The gates and the new state of one step of one block, once `gates` holds `x + W_hh h`.
struct Forward<'a, T> {
    hidden: usize,
    gates: &'a mut [T],
    b_hh: &'a [T],
    c: &'a [T],
    c_next: &'a mut [MaybeUninit<T>],
    h_next: &'a mut [MaybeUninit<T>],
}

impl<T: Scalar> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.hidden;
        let states = self.c.chunks_exact(width).zip(self.c_next.chunks_exact_mut(width));
        let states = states.zip(self.h_next.chunks_exact_mut(width));
        for (gates, ((c, c_next), h_next)) in self.gates.chunks_exact_mut(4 * width).zip(states) {
            in_lanes!(width, |j, count| units(gates, self.b_hh, c, c_next, h_next, j, count));
        }
    }
}

/// The formulas of this page for `count` units from `j` on.
#[inline(always)]
fn units<T: Scalar>(
    gates: &mut [T],
    b_hh: &[T],
    c: &[T],
    c_next: &mut [MaybeUninit<T>],
    h_next: &mut [MaybeUninit<T>],
    j: usize,
    count: usize,
) {
    let at = [0, 1, 2, 3].map(|gate| gate * c.len() + j);
    let (b_i, b_f) = (load(b_hh, at[0], count), load(b_hh, at[1], count));
    let (b_g, b_o) = (load(b_hh, at[2], count), load(b_hh, at[3], count));
    let (mut i, mut f) = (load(gates, at[0], count), load(gates, at[1], count));
    let (mut g, mut o) = (load(gates, at[2], count), load(gates, at[3], count));
    let (mut c, mut h) = (load(c, j, count), [T::zero(); LANES]);
    for l in 0..LANES {
        i[l] = T::sigmoid_lane(i[l] + b_i[l]);
        f[l] = T::sigmoid_lane(f[l] + b_f[l]);
        g[l] = T::tanh_lane(g[l] + b_g[l]);
        o[l] = T::sigmoid_lane(o[l] + b_o[l]);
        c[l] = f[l].mul_add(c[l], i[l] * g[l]);
        h[l] = o[l] * T::tanh_lane(c[l]);
    }
    store(gates, at[0], count, i);
    store(gates, at[1], count, f);
    store(gates, at[2], count, g);
    store(gates, at[3], count, o);
    store_new(c_next, j, count, c);
    store_new(h_next, j, count, h);
}

/// Gradients of [`lstm_forward`], from the buffers it left and the gradient `dout` of the states `h[1..]`.
///
/// With `ḣ`, `ċ` the whole gradients of h', c' (what comes from upstream plus what flows back from later steps):
/// ```text
/// do = ḣ tanh(c') o (1 − o)    ċ += ḣ o (1 − tanh² c')    di = ċ g i (1 − i)    df = ċ c f (1 − f)    dg = ċ i (1 − g²)
/// dh = [di df dg do] W_hh      dc = ċ f
/// ```
/// `tanh c'` is computed again: cheaper than the memory to keep it. The rest is the caller's, as products over all T·B rows:
/// `dW_hh = gatesᵀ h[..T]`, `dW_ih = gatesᵀ x`, `dx = gates W_ih`; both biases by
/// [`column_sums`](super::reduce::column_sums) of `gates`.
///
/// # Shapes
/// - `gates` (T, B, 4H): in, i, f, g, o; out, the gradients of `W_ih x + b_ih`
/// - `w_hh` (4H, H), `c` (T+1, B, H), `dout` (T, B, H)
/// - `dc` (B, H): in, the gradient of `c[T]` from its own uses (zeros if it has none); out, the gradient of `c[0]`
/// - `dh0` (B, H), if it is wanted: out, the gradient of `h[0]`
///
/// # Panics
/// If a shape does not fit.
pub fn lstm_backward<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    c: &[T],
    dout: &[T],
    dc: &mut [T],
    dh0: Option<&mut [T]>,
) {
    Compiled::lstm_backward(shape, gates, w_hh, c, dout, dc, dh0, shape.rows_of_a_task());
}

#[expect(clippy::too_many_arguments, reason = "the arguments of the public function and the rows of a task")]
pub(super) fn backward_in_blocks<T: Scalar>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    c: &[T],
    dout: &[T],
    dc: &mut [T],
    dh0: Option<&mut [T]>,
    rows: usize,
) {
    let Sequence { time, batch, hidden } = shape;
    shape.check_weight("lstm w_hh", w_hh, 4);
    shape.check("lstm gates", gates.len(), time, 4 * hidden);
    shape.check("lstm c", c.len(), time + 1, hidden);
    shape.check("lstm dout", dout.len(), time, hidden);
    shape.check("lstm dc", dc.len(), 1, hidden);
    if let Some(dh0) = &dh0 {
        shape.check("lstm dh0", dh0.len(), 1, hidden);
    }

    let w = Packed::on_loan(w_hh);
    let gates = cut(gates, batch, 4 * hidden, rows);
    let dh0 = cut_rows(dh0, gates.len(), hidden, rows);
    let dc = dc.chunks_mut((rows * hidden).max(1));
    // 1. Over blocks of rows, in parallel. 2. Over time, backwards; `dh` and `dc` carry the gradient from step to step.
    let tasks = gates.into_iter().zip(dc).zip(dh0).enumerate();
    for_each(true, tasks, |(task, ((mut gates, dc), dh0))| {
        let of_block = |xs, t| block(xs, batch, hidden, rows, task, t);
        let mut dh = vec![T::zero(); dc.len()];
        for (t, gates) in gates.iter_mut().enumerate().rev() {
            let (before, after) = (of_block(c, t), of_block(c, t + 1));
            dispatch(Backward { hidden, gates, c: before, c_next: after, dout: of_block(dout, t), dh: &dh, dc });
            if t > 0 || dh0.is_some() {
                let gates = Matrix::new(gates, dh.len() / hidden, 4 * hidden);
                w.product(gates, Store::Overwrite, &mut dh, hidden);
            }
        }
        if let Some(dh0) = dh0 {
            dh0.copy_from_slice(&dh);
        }
    });
    w.give_back();
}

/// The elementwise part of one step of one block, backward.
struct Backward<'a, T> {
    hidden: usize,
    gates: &'a mut [T],
    c: &'a [T],
    c_next: &'a [T],
    dout: &'a [T],
    dh: &'a [T],
    dc: &'a mut [T],
}

impl<T: Scalar> Pass for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.hidden;
        let cells = self.c.chunks_exact(width).zip(self.c_next.chunks_exact(width));
        let grads = self.dout.chunks_exact(width).zip(self.dh.chunks_exact(width)).zip(self.dc.chunks_exact_mut(width));
        for (gates, (cells, ((dout, dh), dc))) in self.gates.chunks_exact_mut(4 * width).zip(cells.zip(grads)) {
            in_lanes!(width, |j, count| differentiate(gates, cells, dout, dh, dc, j, count));
        }
    }
}

/// The formulas of [`lstm_backward`] for `count` units from `j` on, in place: i, f, g, o become their gradients.
#[inline(always)]
fn differentiate<T: Scalar>(
    gates: &mut [T],
    (c, c_next): (&[T], &[T]),
    dout: &[T],
    dh: &[T],
    dc: &mut [T],
    j: usize,
    count: usize,
) {
    let at = [0, 1, 2, 3].map(|gate| gate * c.len() + j);
    let (mut i, mut f) = (load(gates, at[0], count), load(gates, at[1], count));
    let (mut g, mut o) = (load(gates, at[2], count), load(gates, at[3], count));
    let (c, c_next, mut carried) = (load(c, j, count), load(c_next, j, count), load(dc, j, count));
    let (dout, dh) = (load(dout, j, count), load(dh, j, count));
    let one = T::one();
    for l in 0..LANES {
        let (dh, y) = (dout[l] + dh[l], T::tanh_lane(c_next[l]));
        let dc = carried[l] + dh * o[l] * (one - y * y);
        o[l] = dh * y * (o[l] * (one - o[l]));
        let di = dc * g[l] * (i[l] * (one - i[l]));
        g[l] = dc * i[l] * (one - g[l] * g[l]);
        i[l] = di;
        carried[l] = dc * f[l];
        f[l] = dc * c[l] * (f[l] * (one - f[l]));
    }
    store(gates, at[0], count, i);
    store(gates, at[1], count, f);
    store(gates, at[2], count, g);
    store(gates, at[3], count, o);
    store(dc, j, count, carried);
}
