//! Whole GRU and LSTM sequences as one op each: the composed form would record a dozen nodes a step and read the recurrent
//! weight from memory for each. The kernels are in `kernels/gru.rs` and `kernels/lstm.rs`; here is how gradients connect.
//!
//! The input's part of the gates, `W_i x + b_i`, comes in already computed: one [`Tensor::linear`] over all positions, or rows
//! of a table when the input is a symbol.

use crate::gradcheck::{Case, real};
use crate::kernels::gemm::{Matrix, Store, append_matmul, gemm};
use crate::kernels::recurrent::Sequence;
use crate::kernels::reduce::column_sums;
use crate::kernels::{gru, lstm};
use crate::tensor::Value;
use crate::{Scalar, Tensor, shape};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use std::cell::RefCell;
use std::rc::Rc;

/// What an LSTM sequence gives.
pub struct LstmOutput<T> {
    /// The hidden state after every step, (B, T, H).
    pub hidden: Tensor<T>,
    /// The cell state after the last step, (B, H).
    pub cell: Tensor<T>,
}

/// (B, T, C) as a time-major buffer (T, B, C), the tensor's own when nothing else holds it and it already is time-major.
fn into_time_major<T: Scalar>(x: Value<T>) -> Vec<T> {
    shape::into_buffer(x.permuted_axes(IxDyn(&[1, 0, 2])))
}

/// A time-major buffer (T, B, C) seen as (B, T, C).
fn from_time_major<T: Scalar>(x: Vec<T>, time: usize, batch: usize, channels: usize) -> ArrayD<T> {
    let x = ArrayD::from_shape_vec(vec![time, batch, channels], x).expect("T·B·C elements");
    x.permuted_axes(IxDyn(&[1, 0, 2]))
}

/// States 1..=T of a buffer that holds states 0..=T, (T + 1, B, H), seen as (B, T, H).
fn after_each_step<T: Scalar>(states: &Value<T>) -> Value<T> {
    let mut states = states.clone();
    states.slice_axis_inplace(Axis(0), Slice::from(1..));
    states.permuted_axes(IxDyn(&[1, 0, 2]))
}

/// Checks the shapes of a recurrent op with `gates` gates; gives (B, T, H).
#[track_caller]
fn sizes<T: Scalar>(
    op: &str,
    gates: usize,
    x: &Tensor<T>,
    w: &Tensor<T>,
    b: &Tensor<T>,
    states: &[&Tensor<T>],
) -> (usize, usize, usize) {
    let (sx, sw) = (x.shape(), w.shape());
    let h = sw.last().copied().unwrap_or(0);
    let fits = sx.len() == 3 && sw == [gates * h, h] && sx[2] == gates * h && b.shape() == [gates * h];
    assert!(fits, "{op}: projected input {sx:?}, weight {sw:?}, bias {:?}", b.shape());
    for state in states {
        assert_eq!(state.shape(), [sx[0], h], "{op}: state for projected input {sx:?}");
    }
    (sx[0], sx[1], h)
}

/// The first columns of the gradients of a step's products, one row for each position: (elements, row length, columns).
type GateGradients<'a, T> = (&'a [T], usize, usize);

/// `sum + ∂W`, where `∂W = dᵀ·h` one below the other for the gate gradients d (T·B, columns) and the states h (T·B, H) before
/// each step.
fn weight_gradient<T: Scalar>(gates: &[GateGradients<T>], h: &[T], hidden: usize, sum: Option<Vec<T>>) -> Vec<T> {
    let factors = gates.iter().map(|&(d, width, columns)| {
        let rows = d.len().checked_div(width).unwrap_or(0);
        (Matrix::with_strides(d, rows, columns, width, 1).t(), Matrix::new(&h[..rows * hidden], rows, hidden))
    });
    let Some(mut sum) = sum else {
        let mut dw = Vec::with_capacity(gates.iter().map(|gates| gates.2 * hidden).sum());
        factors.for_each(|(d, h)| append_matmul(d, h, None, &mut dw));
        return dw;
    };
    let mut rest = &mut sum[..];
    for (d, h) in factors {
        let (part, below) = rest.split_at_mut(d.rows() * hidden);
        gemm(d, h, Store::Accumulate, part);
        rest = below;
    }
    sum
}

impl<T: Scalar> Tensor<T> {
    /// A GRU over whole sequences, from its projected input `x = W_i· input + b_i`:
    /// `r = σ(x_r + W_hr h + b_hr)`, `z = σ(x_z + W_hz h + b_hz)`, `n = tanh(x_n + r ⊙ (W_hn h + b_hn))`,
    /// `h' = (1 − z) ⊙ n + z ⊙ h`.
    ///
    /// # Shapes
    /// `self` (B, T, 3H), gates in the order r, z, n · `weight` (3H, H) · `bias` (3H) · `state` (B, H) → (B, T, H), the state
    /// after every step; it lies time-major in memory.
    ///
    /// # Backward
    /// From the last step to the first, with `dh` the gradient of the state: `dn̂ = dh ⊙ (1 − z)(1 − n²)`,
    /// `dẑ = dh ⊙ (h − n) z(1 − z)`, `dr̂ = dn̂ ⊙ (W_hn h + b_hn) r(1 − r)`, and on to the step before
    /// `dh ⊙ z + W_hᵀ·[dr̂, dẑ, dn̂ ⊙ r]`. Saves r, z, n (in the buffer of the projected input when nothing else holds it),
    /// `W_hn h + b_hn` and the states; all weight gradients are products over the T·B positions at the end.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// Source: Cho et al. 2014; the variant with the reset gate after the product, as in cuDNN and PyTorch's `nn.GRU`.
    #[track_caller]
    pub fn gru_sequence(self, weight: &Tensor<T>, bias: &Tensor<T>, state: &Tensor<T>) -> Tensor<T> {
        let (batch, time, hidden) = sizes("gru", 3, &self, weight, bias, &[state]);
        let sequence = Sequence { time, batch, hidden };
        let (x, input) = self.into_parts();
        let mut gates = into_time_major(x);
        let (w, b, first) = (weight.standard(), bias.standard(), state.standard());
        let (states, mut n_hidden) = gru::gru_forward(sequence, &mut gates, row_major(&w), slice(&b), slice(&first));
        let states = ArrayD::from_shape_vec(vec![time + 1, batch, hidden], states).expect("T + 1 states").into_shared();
        let z = after_each_step(&states);
        Tensor::from_op("gru", z, [&input, weight, bias, state], move |g, [dx, dw, db, dstate]| {
            let states = states.as_slice().expect("row-major");
            let g = into_time_major(g.into_shared());
            let mut dh0 = dstate.is_wanted().then(|| vec![T::zero(); batch * hidden]);
            gru::gru_backward(sequence, &mut gates, row_major(&w), states, &mut n_hidden, &g, dh0.as_deref_mut());
            let split = 2 * hidden; // rows r, z of the weight; the reset gate sits between rows n and their gradient
            let d = [(&gates[..], 3 * hidden, split), (&n_hidden[..], hidden, hidden)];
            dw.fold(|dw| weight_gradient(&d, states, hidden, dw));
            db.add(|| {
                let mut sums = vec![T::zero(); 3 * hidden];
                column_sums(&gates, Store::Overwrite, &mut sums);
                column_sums(&n_hidden, Store::Overwrite, &mut sums[split..]);
                ArrayD::from_shape_vec(vec![3 * hidden], sums).expect("3H sums")
            });
            dx.add(|| from_time_major(gates, time, batch, 3 * hidden));
            if let Some(dh0) = dh0 {
                dstate.add(|| ArrayD::from_shape_vec(vec![batch, hidden], dh0).expect("B·H elements"));
            }
        })
    }

    /// An LSTM over whole sequences, from its projected input `x = W_i· input + b_i`: with the gates
    /// `i, f, o = σ(x + W_h h + b_h)` and `g = tanh(x_g + W_hg h + b_hg)`, `c' = f ⊙ c + i ⊙ g`, `h' = o ⊙ tanh c'`.
    ///
    /// # Shapes
    /// `self` (B, T, 4H), gates in the order i, f, g, o · `weight` (4H, H) · `bias` (4H) · `state`, `cell` (B, H)
    /// → hidden (B, T, H) after every step, time-major in memory, and the last cell state (B, H).
    ///
    /// # Backward
    /// From the last step to the first: `do = dh ⊙ tanh c'`, `dc += dh ⊙ o(1 − tanh² c')`, `di = dc ⊙ g`, `dg = dc ⊙ i`,
    /// `df = dc ⊙ c`, on to the step before `dc ⊙ f` and `W_hᵀ·d[i, f, g, o]`. Saves the gates (in the buffer of the
    /// projected input when nothing else holds it) and both states.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// Source: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; PyTorch's `nn.LSTM`.
    #[track_caller]
    pub fn lstm_sequence(
        self,
        weight: &Tensor<T>,
        bias: &Tensor<T>,
        state: &Tensor<T>,
        cell: &Tensor<T>,
    ) -> LstmOutput<T> {
        let (batch, time, hidden) = sizes("lstm", 4, &self, weight, bias, &[state, cell]);
        let sequence = Sequence { time, batch, hidden };
        let (x, input) = self.into_parts();
        let mut gates = into_time_major(x);
        let (w, b, first, first_cell) = (weight.standard(), bias.standard(), state.standard(), cell.standard());
        let first = [slice(&first), slice(&first_cell)];
        let (states, cells) = lstm::lstm_forward(sequence, &mut gates, row_major(&w), slice(&b), first);
        let last_cell = cells[time * batch * hidden..].to_vec();
        let states = ArrayD::from_shape_vec(vec![time + 1, batch, hidden], states).expect("T + 1 states").into_shared();
        let z = after_each_step(&states);
        // The gradient of the last cell state reaches the rule of the sequence through this cell: it is swept just before.
        let last_cell_gradient: Rc<RefCell<Option<ArrayD<T>>>> = Rc::default();
        let handed_over = last_cell_gradient.clone();
        let inputs = [&input, weight, bias, state, cell];
        let hidden_states = Tensor::from_op("lstm", z, inputs, move |g, [dx, dw, db, dstate, dcell]| {
            let states = states.as_slice().expect("row-major");
            let g = into_time_major(g.into_shared());
            let dc_last = handed_over.take();
            let mut dc: Vec<T> =
                dc_last.map_or_else(|| vec![T::zero(); batch * hidden], |dc| dc.iter().copied().collect());
            let mut dh0 = dstate.is_wanted().then(|| vec![T::zero(); batch * hidden]);
            lstm::lstm_backward(sequence, &mut gates, row_major(&w), &cells, &g, &mut dc, dh0.as_deref_mut());
            dw.fold(|dw| weight_gradient(&[(&gates, 4 * hidden, 4 * hidden)], states, hidden, dw));
            db.write(|db, store| column_sums(&gates, store, db));
            dx.add(|| from_time_major(gates, time, batch, 4 * hidden));
            if let Some(dh0) = dh0 {
                dstate.add(|| ArrayD::from_shape_vec(vec![batch, hidden], dh0).expect("B·H elements"));
            }
            dcell.add(|| ArrayD::from_shape_vec(vec![batch, hidden], dc).expect("B·H elements"));
        });
        let last_cell = ArrayD::from_shape_vec(vec![batch, hidden], last_cell).expect("B·H elements");
        let cell = Tensor::from_op("lstm_cell", last_cell, [&hidden_states], move |g, [dhidden]| {
            *last_cell_gradient.borrow_mut() = Some(g);
            dhidden.update(|_| {}); // a gradient of zero, so that the rule of the sequence is reached
        });
        LstmOutput { hidden: hidden_states, cell }
    }
}

fn slice<T: Scalar>(x: &Value<T>) -> &[T] {
    x.as_slice().expect("row-major")
}

fn row_major<T: Scalar>(w: &Value<T>) -> Matrix<'_, T> {
    Matrix::new(slice(w), w.shape()[0], w.shape()[1])
}

pub(crate) fn cases() -> Vec<Case> {
    let gru = |x: &[Tensor<f64>]| x[0].clone().gru_sequence(&x[1], &x[2], &x[3]);
    let gru_inputs =
        |b: usize, t: usize, h: usize| [real(&[b, t, 3 * h]), real(&[3 * h, h]), real(&[3 * h]), real(&[b, h])];
    let lstm = |x: &[Tensor<f64>]| {
        let output = x[0].clone().lstm_sequence(&x[1], &x[2], &x[3], &x[4]);
        Tensor::cat(&[&output.hidden, &output.cell.unsqueeze(1)], 1)
    };
    let lstm_cell = |x: &[Tensor<f64>]| x[0].clone().lstm_sequence(&x[1], &x[2], &x[3], &x[4]).cell;
    let lstm_inputs = |b: usize, t: usize, h: usize| {
        [real(&[b, t, 4 * h]), real(&[4 * h, h]), real(&[4 * h]), real(&[b, h]), real(&[b, h])]
    };
    vec![
        Case::new("gru", &gru_inputs(2, 3, 2), gru),
        Case::new("gru", &gru_inputs(1, 1, 1), gru).variant("one of everything"),
        Case::new("gru", &gru_inputs(2, 0, 2), gru).variant("no step"),
        Case::new("gru", &[real(&[1, 2, 3]), real(&[3, 1]), real(&[3])], |x| {
            x[0].clone().gru_sequence(&x[1], &x[2], &x[0].narrow(1, 0, 1).narrow(2, 0, 1).reshape(&[1, 1]))
        })
        .variant("the same tensor twice"),
        Case::new("gru", &gru_inputs(2, 2, 2), |x| {
            let once = x[0].clone().gru_sequence(&x[1], &x[2], &x[3]);
            Tensor::cat(&[&once, &once, &once], 2).gru_sequence(&x[1], &x[2], &x[3])
        })
        .variant("a weight used twice"),
        Case::new("lstm", &lstm_inputs(2, 3, 2), lstm),
        Case::new("lstm", &lstm_inputs(1, 1, 1), lstm).variant("one of everything"),
        Case::new("lstm_cell", &lstm_inputs(2, 2, 2), lstm_cell),
    ]
}
