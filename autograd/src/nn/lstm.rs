//! The long short-term memory.

use super::recurrent::{RecurrentLayers, of_layer};
use super::{Dropout, Module, Visit, VisitMut};
use crate::random::Stream;
use crate::{Scalar, Tensor};

/// A stack of LSTM layers with dropout between them. PyTorch's `nn.LSTM` with `batch_first=True`; gates in the order i, f, g, o.
#[derive(Clone, Debug)]
pub struct Lstm<T> {
    /// The parameters, layer by layer.
    pub layers: RecurrentLayers<T>,
    /// Between layers, in training.
    pub dropout: Dropout,
    /// On the recurrent weights, in training: one mask for all steps of a sequence (DropConnect).
    ///
    /// Source: Merity, Keskar & Socher, "Regularizing and Optimizing LSTM Language Models", 2018, section 2.
    pub weight_dropout: Dropout,
}

/// The state between two steps, of every layer.
#[derive(Clone, Debug)]
pub struct LstmState<T> {
    /// (L, B, H): what the layers say.
    pub hidden: Tensor<T>,
    /// (L, B, H): what they remember.
    pub cell: Tensor<T>,
}

impl<T: Scalar> Lstm<T> {
    /// `layers` layers of `hidden` units on inputs of `inputs` channels.
    pub fn new(inputs: usize, hidden: usize, layers: usize, dropout: f64, stream: &mut Stream) -> Self {
        Lstm {
            layers: RecurrentLayers::new(4, inputs, hidden, layers, stream),
            dropout: Dropout { p: dropout },
            weight_dropout: Dropout { p: 0.0 },
        }
    }

    /// All hidden states of the last layer, and the last state of every layer.
    ///
    /// # Shapes
    /// `x` (B, T, C) · `state` twice (L, B, H), zeros when none is given → (B, T, H), twice (L, B, H)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(
        &self,
        x: &Tensor<T>,
        state: Option<&LstmState<T>>,
        dropout: Option<&mut Stream>,
    ) -> (Tensor<T>, LstmState<T>) {
        self.forward_projected(self.layers.0[0].project(x), state, dropout)
    }

    /// [`Lstm::forward`] when the first layer's `W_i x + b_i` is at hand: (B, T, 4H).
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward_projected(
        &self,
        gates: Tensor<T>,
        state: Option<&LstmState<T>>,
        dropout: Option<&mut Stream>,
    ) -> (Tensor<T>, LstmState<T>) {
        let (batch, hidden) = (gates.shape()[0], self.layers.hidden());
        let (first_states, first_cells) = (state.map(|state| &state.hidden), state.map(|state| &state.cell));
        let mut cells = Vec::with_capacity(self.layers.0.len());
        let layer = |k, gates: Tensor<T>, weight: &Tensor<T>, bias: &Tensor<T>, first: &Tensor<T>| {
            let output = gates.lstm_sequence(weight, bias, first, &of_layer(first_cells, k, batch, hidden));
            cells.push(output.cell);
            output.hidden
        };
        let (states, hidden) = self.layers.run(gates, first_states, self.dropout, self.weight_dropout, dropout, layer);
        (states, LstmState { hidden, cell: Tensor::stack(&cells.iter().collect::<Vec<_>>(), 0) })
    }
}

impl<T: Scalar> Module<T> for Lstm<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        self.layers.visit(prefix, visit);
    }
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        self.layers.visit_mut(prefix, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;
    use ndarray::ArrayD;

    /// PyTorch's formula, from elementary ops, one step at a time: hidden states and the last cell state.
    fn composed(lstm: &Lstm<f64>, x: &Tensor<f64>, state: &LstmState<f64>) -> (Tensor<f64>, Tensor<f64>) {
        let layer = &lstm.layers.0[0];
        let size = lstm.layers.hidden();
        let (mut h, mut c) = (state.hidden.narrow(0, 0, 1).squeeze(0), state.cell.narrow(0, 0, 1).squeeze(0));
        let mut all = Vec::new();
        for t in 0..x.shape()[1] {
            let gates = layer.project(&x.narrow(1, t, 1).squeeze(1)) + h.linear(&layer.weight_hh, Some(&layer.bias_hh));
            let gate = |i: usize| gates.narrow(1, i * size, size);
            c = &gate(1).sigmoid() * &c + &gate(0).sigmoid() * &gate(2).tanh();
            h = &gate(3).sigmoid() * &c.tanh();
            all.push(h.clone());
        }
        (Tensor::stack(&all.iter().collect::<Vec<_>>(), 1), c)
    }

    #[test]
    fn the_fused_sequence_equals_the_composed_form_in_value_and_every_gradient() {
        let mut stream = Streams::new(7).stream("test");
        let lstm = Lstm::<f64>::new(3, 5, 1, 0.0, &mut stream);
        let mut draw = |shape: &[usize]| super::super::init::normal::<f64>(shape, 1.0, &mut stream);
        let (x, h0, c0) = (draw(&[2, 4, 3]), draw(&[1, 2, 5]), draw(&[1, 2, 5]));
        let (seed, seed_cell) = (draw(&[2, 4, 5]), draw(&[2, 5]));
        let state = LstmState { hidden: (*h0).clone(), cell: (*c0).clone() };
        let (fused, last) = lstm.forward(&x, Some(&state), None);
        let (reference, reference_cell) = composed(&lstm, &x, &state);
        let loss = |hidden: &Tensor<f64>, cell: &Tensor<f64>| (hidden * &*seed).sum() + (cell * &*seed_cell).sum();
        let (a, b) = (loss(&fused, &last.cell.squeeze(0)), loss(&reference, &reference_cell));
        approx::assert_relative_eq!(a.item(), b.item(), max_relative = 1e-12);
        let (a, b) = (a.backward(), b.backward());
        let close = |a: &ArrayD<f64>, b: &ArrayD<f64>| {
            a.iter()
                .zip(b)
                .for_each(|(a, b)| approx::assert_relative_eq!(*a, *b, epsilon = 1e-13, max_relative = 1e-11));
        };
        for (_, param) in lstm.parameters() {
            close(a.of(param).unwrap(), b.of(param).unwrap());
        }
        for leaf in [&x, &h0, &c0] {
            close(a.of(leaf).unwrap(), b.of(leaf).unwrap());
        }
    }
}
