//! The recurrent language model one symbol at a time.
//!
//! Everything that generation can do once is done when a decoder is made: the embedding and the first layer's input weight
//! are multiplied into one table, of which a step reads a row; recurrent and output weights are packed, each thread always
//! reading its own part of them. Symbols that are known are scored in blocks (`decoder/blocks.rs`), and several sequences go side by
//! side (`decoder/many.rs`).

mod blocks;
mod many;

use super::language_model::{LanguageModel, Recurrent};
use crate::affine::Affine;
use crate::autoregressive::Autoregressive;
use crate::distribution::Categorical;
use autograd::kernels::gemm::Matrix;
use autograd::kernels::gru::step::GruStep;
use autograd::kernels::lstm::step::LstmStep;
use autograd::kernels::team::Team;
use autograd::{Scalar, no_grad};
use std::cell::RefCell;

/// Largest table of projected symbols, in elements; above it the projection is computed at every step.
const MAX_TABLE: usize = 1 << 25;

/// Weights below which a second thread costs more than it brings: a dispatch takes about a microsecond, in which one thread
/// reads some 64 kB.
pub(super) const MIN_TEAM: usize = 1 << 16;

/// How a symbol enters the first layer.
enum Input<T> {
    /// The row of each symbol of `E·Wᵀ + b`, (V, gates).
    Table(Vec<T>),
    /// The vector of the symbol through the layer.
    Projected(Affine<T>),
}

enum Step<T> {
    Gru(GruStep<T>),
    Lstm(LstmStep<T>),
}

impl<T: Scalar> Step<T> {
    /// The state after a symbol, in `hidden_out` and in the place of the cell.
    fn step(
        &self,
        gates_x: &[T],
        hidden_in: &[T],
        hidden_out: &mut [T],
        cell: &mut Vec<T>,
        next_cell: &mut Vec<T>,
        team: &mut Team,
    ) {
        match self {
            Step::Gru(step) => step.step(gates_x, hidden_in, hidden_out, team),
            Step::Lstm(step) => {
                step.step(gates_x, [hidden_in, cell], [hidden_out, next_cell], team);
                std::mem::swap(cell, next_cell);
            }
        }
    }
}

/// A [`LanguageModel`] ready to be stepped. It owns what it needs: its parameters are the model's until one of the two changes
/// them.
pub struct Decoder<T> {
    model: LanguageModel<T>,
    input: Input<T>,
    /// The input projections of layers 1, 2, ….
    between: Vec<Affine<T>>,
    steps: Vec<Step<T>>,
    head: Affine<T>,
    /// Gates of a layer: 3H or 4H.
    gates: usize,
    team: RefCell<Team>,
}

/// What a [`Decoder`] has seen.
#[derive(Clone, Debug)]
pub struct State<T> {
    /// The hidden state of each layer, and one to write the next to.
    hidden: Vec<Vec<T>>,
    next_hidden: Vec<T>,
    /// The cell state of each layer of an LSTM, and one to write the next to.
    cell: Vec<Vec<T>>,
    next_cell: Vec<T>,
    gates: Vec<T>,
    distribution: Categorical<T>,
}

impl<T: Scalar> Decoder<T> {
    /// Prepares a model; uses as many threads as rayon has.
    pub fn new(model: &LanguageModel<T>) -> Self {
        Self::with_table(model, MAX_TABLE)
    }

    /// [`Decoder::new`] with another limit on the table of projected symbols.
    fn with_table(model: &LanguageModel<T>, max_table: usize) -> Self {
        let layers = match &model.rnn {
            Recurrent::Gru(gru) => &gru.layers.0,
            Recurrent::Lstm(lstm) => &lstm.layers.0,
        };
        let first = &layers[0];
        let weights = layers.iter().map(|layer| layer.weight_hh.values().len()).sum::<usize>();
        let large = weights + model.head.weight.values().len() >= MIN_TEAM;
        let members = if large { rayon::current_num_threads() } else { 1 };
        let gates = first.weight_hh.shape()[0];
        let input = if model.config.symbols.saturating_mul(gates) <= max_table {
            Input::Table(no_grad(|| first.project(&model.embedding.weight)).to_vec())
        } else {
            Input::Projected(Affine::new(&first.weight_ih, Some(&first.bias_ih)))
        };
        let step = |layer: &autograd::nn::RecurrentLayer<T>| {
            let w_hh = Matrix::new(layer.weight_hh.values(), gates, model.config.hidden);
            match model.rnn {
                Recurrent::Gru(_) => Step::Gru(GruStep::new(w_hh, layer.bias_hh.values(), members)),
                Recurrent::Lstm(_) => Step::Lstm(LstmStep::new(w_hh, layer.bias_hh.values(), members)),
            }
        };
        Decoder {
            model: model.clone(),
            input,
            between: layers[1..].iter().map(|layer| Affine::new(&layer.weight_ih, Some(&layer.bias_ih))).collect(),
            steps: layers.iter().map(step).collect(),
            head: Affine::new(&model.head.weight, model.head.bias.as_ref()),
            gates,
            team: RefCell::new(Team::new(members)),
        }
    }

    /// H.
    fn hidden(&self) -> usize {
        self.model.config.hidden
    }
}

impl<T: Scalar> Autoregressive for Decoder<T> {
    type Symbol = u32;
    type Distribution = Categorical<T>;
    type State = State<T>;

    fn distributions(&self, sequence: &[u32]) -> Vec<Categorical<T>> {
        if sequence.is_empty() {
            return Vec::new();
        }
        let logits = no_grad(|| self.model.logits_of_sequence(sequence)).to_vec();
        logits.chunks(self.model.config.symbols).map(|logits| Categorical { logits: logits.to_vec() }).collect()
    }

    fn start(&self) -> State<T> {
        let (layers, hidden) = (self.steps.len(), self.model.config.hidden);
        let zeros = vec![T::zero(); hidden];
        let mut logits = vec![T::zero(); self.model.config.symbols];
        self.head.apply(&mut self.team.borrow_mut(), &zeros, &mut logits);
        State {
            hidden: vec![zeros.clone(); layers],
            cell: vec![zeros.clone(); layers],
            next_hidden: zeros.clone(),
            next_cell: zeros,
            gates: vec![T::zero(); self.gates],
            distribution: Categorical { logits },
        }
    }

    fn next<'s>(&self, state: &'s State<T>) -> &'s Categorical<T> {
        &state.distribution
    }

    fn step(&self, state: &mut State<T>, symbol: u32) {
        let State { hidden, next_hidden, cell, next_cell, gates, distribution } = state;
        let team = &mut *self.team.borrow_mut();
        let symbol = symbol as usize;
        for (k, step) in self.steps.iter().enumerate() {
            let gates_x = match (&self.input, k) {
                (Input::Table(table), 0) => &table[symbol * self.gates..][..self.gates],
                (Input::Projected(project), 0) => {
                    let width = self.model.config.embedding;
                    project.apply(team, &self.model.embedding.weight.values()[symbol * width..][..width], gates);
                    &gates[..]
                }
                _ => {
                    self.between[k - 1].apply(team, &hidden[k - 1], gates);
                    &gates[..]
                }
            };
            step.step(gates_x, &hidden[k], next_hidden, &mut cell[k], next_cell, team);
            std::mem::swap(&mut hidden[k], next_hidden);
        }
        self.head.apply(team, &hidden[hidden.len() - 1], &mut distribution.logits);
    }

    /// In blocks of positions: several times faster than stepping where the output layer is large, in the same bits, and in memory
    /// that does not grow with the sequence.
    fn nats(&self, state: &mut State<T>, sequence: &[u32]) -> Vec<f64> {
        self.nats_in_blocks(state, sequence)
    }

    /// Side by side in the parallel pass, on all cores, in blocks of positions. In f32 the bits of one after the other.
    fn nats_of_many(&self, sequences: &[&[u32]]) -> Vec<Vec<f64>> {
        self.nats_side_by_side(sequences)
    }

    /// Reads the weights between layers and of the output layer once for all states, in the bits of one after the other.
    fn step_many(&self, states: &mut [State<T>], symbols: &[u32]) {
        self.step_together(states, symbols);
    }
}

#[cfg(test)]
mod tests {
    use super::super::language_model::{CellKind, Config};
    use super::*;
    use crate::check;
    use autograd::random::Streams;

    pub(super) fn model<T: Scalar>(model: CellKind, layers: usize, symbols: usize, hidden: usize) -> LanguageModel<T> {
        let (dropout, embedding_dropout, weight_dropout) = (0.3, 0.3, 0.3);
        let config =
            Config { model, symbols, embedding: 5, hidden, layers, dropout, embedding_dropout, weight_dropout };
        LanguageModel::new(&config, &mut Streams::new(11).stream("init"))
    }

    #[test]
    fn every_kind_of_model_is_causal_and_its_steps_equal_the_parallel_pass_bit_for_bit() {
        for kind in [CellKind::Gru, CellKind::Lstm] {
            for layers in [1, 2] {
                // 300 units are enough for a team of threads
                for hidden in [7, 300] {
                    let model = model::<f32>(kind, layers, 6, hidden);
                    let decoder = Decoder::new(&model);
                    let sequence = [3, 1, 4, 1, 5, 0, 2, 2];
                    let outcome = check::causality(&decoder, &sequence, |symbol| (symbol + 1) % 6);
                    assert!(outcome.passed, "{kind:?} × {layers}: {outcome}");
                    let outcome = check::steps_equal_parallel(&decoder, &sequence);
                    assert!(outcome.passed, "{kind:?} × {layers}, {hidden}: {outcome}");
                    let outcome = check::looking_ahead(&decoder, &sequence, |symbol| (symbol + 1) % 6);
                    assert!(outcome.passed, "{kind:?} × {layers}, {hidden}: {outcome}");
                }
            }
        }
    }

    #[test]
    fn all_sequences_of_a_tiny_alphabet_sum_to_one() {
        for kind in [CellKind::Gru, CellKind::Lstm] {
            let model = model::<f64>(kind, 2, 3, 4);
            let outcome = check::sum_to_one(&Decoder::new(&model), 3, 6);
            assert!(outcome.passed, "{outcome}");
        }
    }

    #[test]
    fn training_on_a_window_sees_the_same_logits_as_scoring_it() {
        let model = model::<f32>(CellKind::Gru, 2, 6, 7);
        let sequence = [3, 1, 4, 1, 5, 0, 2, 2];
        let training = model.forward(&sequence, 1, None, None).0.to_vec();
        let scoring = Decoder::new(&model).distributions(&[&sequence[..], &[0]].concat());
        let scoring: Vec<f32> = scoring[1..].iter().flat_map(|d| d.logits.clone()).collect();
        assert_eq!(training, scoring);
    }

    #[test]
    fn every_parameter_gets_a_gradient_that_is_not_zero_with_and_without_dropout() {
        for kind in [CellKind::Gru, CellKind::Lstm] {
            // fewer and more symbols than positions take different paths to the first layer
            for symbols in [4, 40] {
                for dropout in [false, true] {
                    let model = model::<f64>(kind, 2, symbols, 6);
                    let codes: Vec<u32> = (0..20).map(|i| (i * 7 + 3) % symbols as u32).collect();
                    let mut stream = Streams::new(5).stream("dropout");
                    let (logits, _) = model.forward(&codes, 2, None, dropout.then_some(&mut stream));
                    let gradients = logits.cross_entropy(&codes).backward();
                    use autograd::nn::Module;
                    for (name, param) in model.parameters() {
                        let g = gradients.of(param).unwrap_or_else(|| panic!("{kind:?}: no gradient for {name}"));
                        assert!(g.iter().any(|g| *g != 0.0), "{kind:?}: the gradient of {name} is zero");
                    }
                }
            }
        }
    }
}
