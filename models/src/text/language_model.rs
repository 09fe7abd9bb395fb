//! The recurrent language model: embedding → GRU or LSTM → linear, and `p(x) = ∏ p(x_t | x_<t)` of symbols.
//!
//! How it generates, one symbol at a time, is in `decoder.rs`; where the symbols come from, in `vocabulary.rs` and `corpus.rs`.

use autograd::nn::{Dropout, Embedding, Gru, Linear, Lstm, LstmState, Module, Visit, VisitMut};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, module};
use serde::{Deserialize, Serialize};

/// The recurrent cell: what a layer does at each position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellKind {
    /// Gated recurrent unit.
    Gru,
    /// Long short-term memory.
    Lstm,
}

impl CellKind {
    /// As configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            CellKind::Gru => "gru",
            CellKind::Lstm => "lstm",
        }
    }
}

/// What a model is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The recurrent cell: what a layer does at each position.
    pub model: CellKind,
    /// V, the number of symbols. In a run's configuration 0: taken from the data.
    pub symbols: usize,
    /// The length of a symbol's vector.
    pub embedding: usize,
    /// H, the units of a recurrent layer.
    pub hidden: usize,
    /// L, the recurrent layers.
    pub layers: usize,
    /// The probability of dropout between recurrent layers and before the output layer, in training.
    pub dropout: f64,
    /// The probability of dropout on the symbols' vectors, in training.
    pub embedding_dropout: f64,
    /// The probability of dropout on the recurrent weights, in training: one mask for a whole window.
    pub weight_dropout: f64,
}

impl Default for Config {
    fn default() -> Self {
        let (embedding, hidden, layers) = (128, 512, 1);
        Config {
            model: CellKind::Gru,
            symbols: 0,
            embedding,
            hidden,
            layers,
            dropout: 0.0,
            embedding_dropout: 0.0,
            weight_dropout: 0.0,
        }
    }
}

/// The recurrent layers, of either kind.
#[derive(Clone, Debug)]
pub enum Recurrent<T> {
    /// GRU layers.
    Gru(Gru<T>),
    /// LSTM layers.
    Lstm(Lstm<T>),
}

impl<T: Scalar> Module<T> for Recurrent<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        match self {
            Recurrent::Gru(gru) => gru.visit(prefix, visit),
            Recurrent::Lstm(lstm) => lstm.visit(prefix, visit),
        }
    }
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        match self {
            Recurrent::Gru(gru) => gru.visit_mut(prefix, visit),
            Recurrent::Lstm(lstm) => lstm.visit_mut(prefix, visit),
        }
    }
}

/// What the recurrent layers carry from one window of a text to the next.
#[derive(Clone, Debug)]
pub struct Carry<T> {
    /// (L, B, H).
    pub hidden: Tensor<T>,
    /// (L, B, H), of an LSTM.
    pub cell: Option<Tensor<T>>,
}

impl<T: Scalar> Carry<T> {
    /// The same numbers, cut off from the graph: where truncated backpropagation ends.
    pub fn detach(&self) -> Self {
        Carry { hidden: self.hidden.detach(), cell: self.cell.as_ref().map(Tensor::detach) }
    }

    /// That of the first `batch` sequences: the others have ended.
    pub(super) fn of_first(&self, batch: usize) -> Self {
        let first = |x: &Tensor<T>| x.narrow(1, 0, batch);
        Carry { hidden: first(&self.hidden), cell: self.cell.as_ref().map(first) }
    }
}

/// Embedding → recurrent layers → linear.
#[derive(Clone, Debug)]
pub struct LanguageModel<T> {
    /// What it is made of.
    pub config: Config,
    /// (V, embedding).
    pub embedding: Embedding<T>,
    /// The recurrent layers.
    pub rnn: Recurrent<T>,
    /// H → V.
    pub head: Linear<T>,
}

module!(LanguageModel { embedding, rnn, head });

impl<T: Scalar> LanguageModel<T> {
    /// A model with PyTorch's initial distributions.
    pub fn new(config: &Config, stream: &mut Stream) -> Self {
        let Config { model, symbols, embedding, hidden, layers, dropout, .. } = *config;
        let weight_dropout = Dropout { p: config.weight_dropout };
        LanguageModel {
            config: config.clone(),
            embedding: Embedding::new(symbols, embedding, stream),
            rnn: match model {
                CellKind::Gru => {
                    Recurrent::Gru(Gru { weight_dropout, ..Gru::new(embedding, hidden, layers, dropout, stream) })
                }
                CellKind::Lstm => {
                    Recurrent::Lstm(Lstm { weight_dropout, ..Lstm::new(embedding, hidden, layers, dropout, stream) })
                }
            },
            head: Linear::new(hidden, symbols, stream),
        }
    }

    /// The logits of the symbol after each position, and the state after the last.
    ///
    /// # Shapes
    /// `symbols` B·T codes in row-major order, B = `batch` → (B, T, V)
    ///
    /// # Panics
    /// If the number of symbols is not a multiple of the batch, or a symbol is not below V.
    #[track_caller]
    pub fn forward(
        &self,
        symbols: &[u32],
        batch: usize,
        carry: Option<&Carry<T>>,
        mut dropout: Option<&mut Stream>,
    ) -> (Tensor<T>, Carry<T>) {
        let (states, carry) = self.states(symbols, batch, carry, dropout.as_deref_mut());
        let states = Dropout { p: self.config.dropout }.forward(&states, dropout);
        (self.head.forward(&states), carry)
    }

    /// The states of the last recurrent layer, (B, T, H).
    #[track_caller]
    pub(super) fn states(
        &self,
        symbols: &[u32],
        batch: usize,
        carry: Option<&Carry<T>>,
        mut dropout: Option<&mut Stream>,
    ) -> (Tensor<T>, Carry<T>) {
        let time = symbols.len() / batch;
        assert_eq!(symbols.len(), batch * time, "forward: symbols for a batch of {batch}");
        let time_major: Vec<u32> = (0..time).flat_map(|t| (0..batch).map(move |b| symbols[b * time + t])).collect();
        let first = match &self.rnn {
            Recurrent::Gru(gru) => &gru.layers.0[0],
            Recurrent::Lstm(lstm) => &lstm.layers.0[0],
        };
        // With fewer symbols than positions it is less work to project the table and take rows of the product, forward and
        // backward; with dropout on the vectors, each position has its own.
        let drops = self.config.embedding_dropout > 0.0 && dropout.is_some();
        let gates = if self.config.symbols < symbols.len() && !drops {
            first.project(&self.embedding.weight).embedding(&time_major, &[time, batch])
        } else {
            let vectors = self.embedding.forward(&time_major, &[time, batch]);
            first.project(&Dropout { p: self.config.embedding_dropout }.forward(&vectors, dropout.as_deref_mut()))
        };
        let gates = gates.transpose(0, 1);
        match &self.rnn {
            Recurrent::Gru(gru) => {
                let (states, hidden) = gru.forward_projected(gates, carry.map(|carry| &carry.hidden), dropout);
                (states, Carry { hidden, cell: None })
            }
            Recurrent::Lstm(lstm) => {
                let state = |carry: &Carry<T>| {
                    let cell = carry.cell.clone().expect("the state of an LSTM has a cell");
                    LstmState { hidden: carry.hidden.clone(), cell }
                };
                let (states, last) = lstm.forward_projected(gates, carry.map(state).as_ref(), dropout);
                (states, Carry { hidden: last.hidden, cell: Some(last.cell) })
            }
        }
    }

    /// The distributions of the symbols of one sequence, each from those before it, as logits (T, V): the state begins at
    /// zero, and the first symbol's distribution is what the output layer makes of that.
    pub(super) fn logits_of_sequence(&self, sequence: &[u32]) -> Tensor<T> {
        let zero = Tensor::zeros(&[1, 1, self.config.hidden]);
        let seen = &sequence[..sequence.len().saturating_sub(1)];
        let states = if seen.is_empty() { zero } else { Tensor::cat(&[&zero, &self.states(seen, 1, None, None).0], 1) };
        self.head.forward(&states).squeeze(0)
    }
}
