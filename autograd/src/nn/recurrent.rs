//! The parameters that recurrent layers share: for each layer two weights and two biases under PyTorch's names.

use super::{Dropout, Module, Param, Visit, VisitMut, init, join};
use crate::random::Stream;
use crate::{Scalar, Tensor};

/// One layer's parameters. With G gates: 3 for a GRU, 4 for an LSTM.
#[derive(Clone, Debug)]
pub struct RecurrentLayer<T> {
    /// (G·H, inputs): the gates' weights on the input.
    pub weight_ih: Param<T>,
    /// (G·H, H): the gates' weights on the state.
    pub weight_hh: Param<T>,
    /// (G·H).
    pub bias_ih: Param<T>,
    /// (G·H).
    pub bias_hh: Param<T>,
}

impl<T: Scalar> RecurrentLayer<T> {
    /// All from U(±1/√H), as PyTorch does.
    fn new(gates: usize, inputs: usize, hidden: usize, stream: &mut Stream) -> Self {
        let bound = 1.0 / (hidden as f64).sqrt();
        RecurrentLayer {
            weight_ih: init::uniform(&[gates * hidden, inputs], bound, stream),
            weight_hh: init::uniform(&[gates * hidden, hidden], bound, stream),
            bias_ih: init::uniform(&[gates * hidden], bound, stream),
            bias_hh: init::uniform(&[gates * hidden], bound, stream),
        }
    }

    /// `W_i x + b_i` for every position: the input's part of the gates. (…, inputs) → (…, G·H)
    #[track_caller]
    pub fn project(&self, x: &Tensor<T>) -> Tensor<T> {
        x.linear(&self.weight_ih, Some(&self.bias_ih))
    }
}

/// A stack of layers, each taking the states of the one below. Layer k's parameters are `weight_ih_l{k}`, `weight_hh_l{k}`,
/// `bias_ih_l{k}`, `bias_hh_l{k}`.
#[derive(Clone, Debug)]
pub struct RecurrentLayers<T>(pub Vec<RecurrentLayer<T>>);

impl<T: Scalar> RecurrentLayers<T> {
    pub(super) fn new(gates: usize, inputs: usize, hidden: usize, layers: usize, stream: &mut Stream) -> Self {
        let inputs = |layer| if layer == 0 { inputs } else { hidden };
        RecurrentLayers((0..layers).map(|layer| RecurrentLayer::new(gates, inputs(layer), hidden, stream)).collect())
    }

    /// H.
    pub fn hidden(&self) -> usize {
        self.0.first().map_or(0, |layer| layer.weight_hh.shape()[1])
    }

    /// Runs the stack from the first layer's projected input, (B, T, G·H): all states of the last layer, (B, T, H), and the last of
    /// every layer, (L, B, H).
    ///
    /// `sequence` is one layer: its number, its gates, weight and bias of the recurrence and first state → its states, (B, T, H).
    #[track_caller]
    pub(super) fn run(
        &self,
        mut gates: Tensor<T>,
        state: Option<&Tensor<T>>,
        between: Dropout,
        on_weights: Dropout,
        mut stream: Option<&mut Stream>,
        mut sequence: impl FnMut(usize, Tensor<T>, &Tensor<T>, &Tensor<T>, &Tensor<T>) -> Tensor<T>,
    ) -> (Tensor<T>, Tensor<T>) {
        let (batch, time) = (gates.shape()[0], gates.shape()[1]);
        let mut last = Vec::with_capacity(self.0.len());
        let mut k = 0;
        loop {
            let layer = &self.0[k];
            let weight_hh = on_weights.forward(&layer.weight_hh, stream.as_deref_mut());
            let first = of_layer(state, k, batch, self.hidden());
            let states = sequence(k, gates, &weight_hh, &layer.bias_hh, &first);
            last.push(if time == 0 { first } else { states.narrow(1, time - 1, 1).squeeze(1) });
            k += 1;
            if k == self.0.len() {
                return (states, Tensor::stack(&last.iter().collect::<Vec<_>>(), 0));
            }
            gates = self.0[k].project(&between.forward(&states, stream.as_deref_mut()));
        }
    }
}

/// The state of layer k, (B, H), of those of all layers, (L, B, H): zeros when there are none.
#[track_caller]
pub(super) fn of_layer<T: Scalar>(states: Option<&Tensor<T>>, k: usize, batch: usize, hidden: usize) -> Tensor<T> {
    states.map_or_else(|| Tensor::zeros(&[batch, hidden]), |states| states.narrow(0, k, 1).squeeze(0))
}

impl<T: Scalar> Module<T> for RecurrentLayers<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        for (k, layer) in self.0.iter().enumerate() {
            visit(join(prefix, &format!("weight_ih_l{k}")), &layer.weight_ih);
            visit(join(prefix, &format!("weight_hh_l{k}")), &layer.weight_hh);
            visit(join(prefix, &format!("bias_ih_l{k}")), &layer.bias_ih);
            visit(join(prefix, &format!("bias_hh_l{k}")), &layer.bias_hh);
        }
    }
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        for (k, layer) in self.0.iter_mut().enumerate() {
            visit(join(prefix, &format!("weight_ih_l{k}")), &mut layer.weight_ih);
            visit(join(prefix, &format!("weight_hh_l{k}")), &mut layer.weight_hh);
            visit(join(prefix, &format!("bias_ih_l{k}")), &mut layer.bias_ih);
            visit(join(prefix, &format!("bias_hh_l{k}")), &mut layer.bias_hh);
        }
    }
}
