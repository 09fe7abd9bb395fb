//! The gated recurrent unit.

use super::recurrent::RecurrentLayers;
use super::{Dropout, Module, Visit, VisitMut};
use crate::random::Stream;
use crate::{Scalar, Tensor};

/// A stack of GRU layers with dropout between them. PyTorch's `nn.GRU` with `batch_first=True`; gates in the order r, z, n.
///
/// ```
/// use autograd::{Tensor, nn::Gru, random::Streams};
/// let gru = Gru::<f32>::new(128, 256, 1, 0.0, &mut Streams::new(1).stream("init"));
/// let (output, state) = gru.forward(&Tensor::zeros(&[32, 10, 128]), None, None);
/// assert_eq!((output.shape(), state.shape()), (&[32, 10, 256][..], &[1, 32, 256][..]));
/// ```
#[derive(Clone, Debug)]
pub struct Gru<T> {
    /// The parameters, layer by layer.
    pub layers: RecurrentLayers<T>,
    /// Between layers, in training.
    pub dropout: Dropout,
    /// On the recurrent weights, in training: one mask for all steps of a sequence (DropConnect).
    ///
    /// Source: Merity, Keskar & Socher, "Regularizing and Optimizing LSTM Language Models", 2018, section 2.
    pub weight_dropout: Dropout,
}

impl<T: Scalar> Gru<T> {
    /// `layers` layers of `hidden` units on inputs of `inputs` channels.
    pub fn new(inputs: usize, hidden: usize, layers: usize, dropout: f64, stream: &mut Stream) -> Self {
        Gru {
            layers: RecurrentLayers::new(3, inputs, hidden, layers, stream),
            dropout: Dropout { p: dropout },
            weight_dropout: Dropout { p: 0.0 },
        }
    }

    /// All states of the last layer, and the last state of every layer.
    ///
    /// # Shapes
    /// `x` (B, T, C) · `state` (L, B, H), zeros when none is given → (B, T, H), (L, B, H)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(
        &self,
        x: &Tensor<T>,
        state: Option<&Tensor<T>>,
        dropout: Option<&mut Stream>,
    ) -> (Tensor<T>, Tensor<T>) {
        self.forward_projected(self.layers.0[0].project(x), state, dropout)
    }

    /// [`Gru::forward`] when the first layer's `W_i x + b_i` is at hand: (B, T, 3H).
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward_projected(
        &self,
        gates: Tensor<T>,
        state: Option<&Tensor<T>>,
        dropout: Option<&mut Stream>,
    ) -> (Tensor<T>, Tensor<T>) {
        self.layers.run(gates, state, self.dropout, self.weight_dropout, dropout, |_, gates, weight, bias, first| {
            gates.gru_sequence(weight, bias, first)
        })
    }
}

impl<T: Scalar> Module<T> for Gru<T> {
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

    /// PyTorch's formula, from elementary ops, one step at a time.
    fn composed(gru: &Gru<f64>, x: &Tensor<f64>, state: &Tensor<f64>) -> Tensor<f64> {
        let layer = &gru.layers.0[0];
        let hidden = gru.layers.hidden();
        let mut h = state.narrow(0, 0, 1).squeeze(0);
        let mut all = Vec::new();
        for t in 0..x.shape()[1] {
            let from_input = layer.project(&x.narrow(1, t, 1).squeeze(1));
            let from_state = h.linear(&layer.weight_hh, Some(&layer.bias_hh));
            let gate = |of: &Tensor<f64>, i: usize| of.narrow(1, i * hidden, hidden);
            let r = (gate(&from_input, 0) + gate(&from_state, 0)).sigmoid();
            let z = (gate(&from_input, 1) + gate(&from_state, 1)).sigmoid();
            let n = (gate(&from_input, 2) + &r * &gate(&from_state, 2)).tanh();
            h = &n + &(&z * &(&h - &n));
            all.push(h.clone());
        }
        Tensor::stack(&all.iter().collect::<Vec<_>>(), 1)
    }

    #[test]
    fn the_fused_sequence_equals_the_composed_form_in_value_and_every_gradient() {
        let mut stream = Streams::new(7).stream("test");
        let gru = Gru::<f64>::new(3, 5, 1, 0.0, &mut stream);
        let mut draw = |shape: &[usize]| super::super::init::normal::<f64>(shape, 1.0, &mut stream);
        let (x, state, seed) = (draw(&[2, 4, 3]), draw(&[1, 2, 5]), draw(&[2, 4, 5]));
        let fused = gru.forward(&x, Some(&state), None).0;
        let reference = composed(&gru, &x, &state);
        let close = |a: &ArrayD<f64>, b: &ArrayD<f64>| {
            a.iter()
                .zip(b)
                .for_each(|(a, b)| approx::assert_relative_eq!(*a, *b, epsilon = 1e-13, max_relative = 1e-12));
        };
        use ndarray::ArrayD;
        close(&fused.value().to_owned(), &reference.value().to_owned());
        let (a, b) = (fused.backward_with(seed.value().to_owned()), reference.backward_with(seed.value().to_owned()));
        for (_, param) in gru.parameters() {
            close(a.of(param).unwrap(), b.of(param).unwrap());
        }
        close(a.of(&x).unwrap(), b.of(&x).unwrap());
        close(a.of(&state).unwrap(), b.of(&state).unwrap());
    }
}
