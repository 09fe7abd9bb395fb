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

pub mod step;
#[cfg(test)]
mod tests;

use super::gemm::{Matrix, Store};
use super::math::dispatch::{Pass, dispatch};
use super::packed::Packed;
use super::recurrent::{Real, Sequence, block, cut, sigmoid_of_sum};
use rayon::prelude::*;

/// Runs the LSTM through all steps; gates in the order i, f, g, o.
///
/// # Shapes
/// - `gates` (T, B, 4H): in, `W_ih x + b_ih`; out, the activations i, f, g, o
/// - `w_hh` (4H, H), `b_hh` (4H)
/// - `h`, `c` (T+1, B, H): in, `h[0]` and `c[0]`; out, `h[t+1]` and `c[t+1]` are the state after step t
///
/// # Panics
/// If a shape does not fit.
pub fn lstm_forward<T: Real>(shape: Sequence, gates: &mut [T], w_hh: Matrix<T>, b_hh: &[T], h: &mut [T], c: &mut [T]) {
    forward_in_blocks(shape, gates, w_hh, b_hh, h, c, shape.rows_of_a_task());
}

fn forward_in_blocks<T: Real>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    b_hh: &[T],
    h: &mut [T],
    c: &mut [T],
    rows: usize,
) {
    let Sequence { time, batch, hidden } = shape;
    shape.check_weight("lstm w_hh", w_hh, 4);
    shape.check("lstm gates", gates.len(), time, 4 * hidden);
    shape.check("lstm h", h.len(), time + 1, hidden);
    shape.check("lstm c", c.len(), time + 1, hidden);
    assert_eq!(b_hh.len(), 4 * hidden, "lstm b_hh: wrong length for {shape:?}");

    let w = Packed::new(w_hh.t());
    let tasks = cut(gates, batch, 4 * hidden, rows).into_par_iter();
    let tasks = tasks.zip(cut(h, batch, hidden, rows)).zip(cut(c, batch, hidden, rows));
    // 1. Over blocks of rows, in parallel: they never meet.
    tasks.for_each(|((mut gates, mut h), mut c)| {
        // 2. Over time, in order: each step needs the state before it.
        for (t, gates) in gates.iter_mut().enumerate() {
            let (h_past, h_next) = h.split_at_mut(t + 1);
            let (c_past, c_next) = c.split_at_mut(t + 1);
            let h = &*h_past[t];
            w.product(Matrix::new(h, h.len() / hidden, hidden), Store::Accumulate, gates, 4 * hidden);
            dispatch(Forward { hidden, gates, b_hh, c: &*c_past[t], c_next: &mut *c_next[0], h_next: &mut *h_next[0] });
        }
    });
}

/// The gates and the new state of one step of one block, once `gates` holds `x + W_hh h`.
struct Forward<'a, T> {
    hidden: usize,
    gates: &'a mut [T],
    b_hh: &'a [T],
    c: &'a [T],
    c_next: &'a mut [T],
    h_next: &'a mut [T],
}

impl<T: Real> Pass for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.hidden;
        let (b_if, b_go) = self.b_hh.split_at(2 * width);
        let (b_g, b_o) = b_go.split_at(width);
        let states = self.c.chunks_exact(width).zip(self.c_next.chunks_exact_mut(width));
        let states = states.zip(self.h_next.chunks_exact_mut(width));
        for (gates, ((c, c_next), h_next)) in self.gates.chunks_exact_mut(4 * width).zip(states) {
            let (i_f, go) = gates.split_at_mut(2 * width);
            let (g, o) = go.split_at_mut(width);
            sigmoid_of_sum(i_f, b_if);
            sigmoid_of_sum(o, b_o);
            let (i, f) = i_f.split_at(width);
            tanh_of_sum(g, b_g);
            new_cell(c_next, f, c, i, g);
            output(h_next, o, c_next);
        }
    }
}

/// `xⱼ ← tanh(xⱼ + bⱼ)`.
#[inline(always)]
fn tanh_of_sum<T: Real>(xs: &mut [T], bias: &[T]) {
    for (x, &b) in xs.iter_mut().zip(bias) {
        *x = T::tanh_lane(*x + b);
    }
}

/// `c' ← f ⊙ c + i ⊙ g`.
#[inline(always)]
fn new_cell<T: Real>(c_next: &mut [T], f: &[T], c: &[T], i: &[T], g: &[T]) {
    for (c_next, ((&f, &c), (&i, &g))) in c_next.iter_mut().zip(f.iter().zip(c).zip(i.iter().zip(g))) {
        *c_next = f.mul_add(c, i * g);
    }
}

/// `h' ← o ⊙ tanh c'`.
#[inline(always)]
fn output<T: Real>(h_next: &mut [T], o: &[T], c_next: &[T]) {
    for ((h_next, &o), &c) in h_next.iter_mut().zip(o).zip(c_next) {
        *h_next = o * T::tanh_lane(c);
    }
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
/// [`column_sums`](super::recurrent::column_sums) of `gates`.
///
/// # Shapes
/// - `gates` (T, B, 4H): in, i, f, g, o; out, the gradients of `W_ih x + b_ih`
/// - `w_hh` (4H, H), `c` (T+1, B, H), `dout` (T, B, H)
/// - `dc` (B, H): in, the gradient of `c[T]` from its own uses (zeros if it has none); out, the gradient of `c[0]`
/// - `dh0` (B, H): out, the gradient of `h[0]`
///
/// # Panics
/// If a shape does not fit.
pub fn lstm_backward<T: Real>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    c: &[T],
    dout: &[T],
    dc: &mut [T],
    dh0: &mut [T],
) {
    backward_in_blocks(shape, gates, w_hh, c, dout, dc, dh0, shape.rows_of_a_task());
}

#[expect(clippy::too_many_arguments, reason = "the arguments of the public function and the rows of a task")]
fn backward_in_blocks<T: Real>(
    shape: Sequence,
    gates: &mut [T],
    w_hh: Matrix<T>,
    c: &[T],
    dout: &[T],
    dc: &mut [T],
    dh0: &mut [T],
    rows: usize,
) {
    let Sequence { time, batch, hidden } = shape;
    shape.check_weight("lstm w_hh", w_hh, 4);
    shape.check("lstm gates", gates.len(), time, 4 * hidden);
    shape.check("lstm c", c.len(), time + 1, hidden);
    shape.check("lstm dout", dout.len(), time, hidden);
    shape.check("lstm dc", dc.len(), 1, hidden);
    shape.check("lstm dh0", dh0.len(), 1, hidden);

    let w = Packed::new(w_hh);
    dh0.fill(T::zero());
    let states = dc.par_chunks_mut((rows * hidden).max(1)).zip(dh0.par_chunks_mut((rows * hidden).max(1)));
    // 1. Over blocks of rows, in parallel. 2. Over time, backwards; `dh` and `dc` carry the gradient from step to step.
    cut(gates, batch, 4 * hidden, rows).into_par_iter().zip(states).enumerate().for_each(
        |(task, (mut gates, (dc, dh)))| {
            for (t, gates) in gates.iter_mut().enumerate().rev() {
                let at = |t| block(c, batch, hidden, rows, task, t);
                let dout = block(dout, batch, hidden, rows, task, t);
                dispatch(Backward { hidden, gates, c: at(t), c_next: at(t + 1), dout, dh, dc });
                let gates = Matrix::new(gates, dh.len() / hidden, 4 * hidden);
                w.product(gates, Store::Overwrite, dh, hidden);
            }
        },
    );
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

impl<T: Real> Pass for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.hidden;
        let cells = self.c.chunks_exact(width).zip(self.c_next.chunks_exact(width));
        let grads = self.dout.chunks_exact(width).zip(self.dh.chunks_exact(width)).zip(self.dc.chunks_exact_mut(width));
        for (gates, ((c, c_next), ((dout, dh), dc))) in self.gates.chunks_exact_mut(4 * width).zip(cells.zip(grads)) {
            let (i_f, go) = gates.split_at_mut(2 * width);
            let (i, f) = i_f.split_at_mut(width);
            let (g, o) = go.split_at_mut(width);
            differentiate_output(o, c_next, dout, dh, dc);
            differentiate_cell(i, f, g, c, dc);
        }
    }
}

/// `o ← do` and `ċ ← ċ + ḣ o (1 − tanh² c')`, with the formulas of [`lstm_backward`].
#[inline(always)]
fn differentiate_output<T: Real>(o: &mut [T], c_next: &[T], dout: &[T], dh: &[T], dc: &mut [T]) {
    for (((o, dc), &c_next), (&dout, &dh)) in o.iter_mut().zip(dc).zip(c_next).zip(dout.iter().zip(dh)) {
        let (g, y) = (dout + dh, T::tanh_lane(c_next));
        *dc += g * *o * (T::one() - y * y);
        *o = g * y * (*o * (T::one() - *o));
    }
}

/// `i, f, g ← di, df, dg` and `ċ ← ċ f`, with the formulas of [`lstm_backward`].
#[inline(always)]
fn differentiate_cell<T: Real>(i: &mut [T], f: &mut [T], g: &mut [T], c: &[T], dc: &mut [T]) {
    let one = T::one();
    for ((((i, f), g), &c), dc) in i.iter_mut().zip(f).zip(g).zip(c).zip(dc) {
        let di = *dc * *g * (*i * (one - *i));
        let df = *dc * c * (*f * (one - *f));
        let dg = *dc * *i * (one - *g * *g);
        *dc *= *f;
        (*i, *f, *g) = (di, df, dg);
    }
}
