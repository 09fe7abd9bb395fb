//! The GRU language model in burn.
//!
//! The cell is burn's own GRU, called once per step: over a whole sequence it copies every state so far at each step.

use crate::integers;
use burn::module::{Initializer, Module};
use burn::nn::{Embedding, EmbeddingConfig, Gru, GruConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};
use protocol::{Random, Text};

#[derive(Module, Debug)]
pub struct LanguageModel {
    embedding: Embedding,
    rnn: Gru,
    head: Linear,
}

impl LanguageModel {
    pub fn new(size: Text, device: &Device) -> Self {
        let bound = (size.hidden as f64).powf(-0.5);
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        Self {
            embedding: EmbeddingConfig::new(size.symbols, size.embedding).init(device),
            rnn: GruConfig::new(size.embedding, size.hidden, true).with_initializer(uniform.clone()).init(device),
            head: LinearConfig::new(size.hidden, size.symbols).with_initializer(uniform).init(device),
        }
    }

    /// One step of the recurrence: `symbols` (B, 1), `state` (B, H) → the next state (B, H).
    fn step(&self, symbols: Tensor<2, Int>, state: Tensor<2>) -> Tensor<2> {
        self.rnn.forward(self.embedding.forward(symbols), Some(state)).squeeze_dim(1)
    }

    /// `symbols`: T tensors (B, 1) → logits (T·B, V).
    fn forward(&self, symbols: &[Tensor<2, Int>], mut state: Tensor<2>) -> Tensor<2> {
        let mut states = Vec::with_capacity(symbols.len());
        for at_step in symbols {
            state = self.step(at_step.clone(), state);
            states.push(state.clone());
        }
        self.head.forward(Tensor::cat(states, 0))
    }
}

/// The targets (T·B) of one random batch, and what gives its logits (T·B, V).
pub fn batch(size: Text, device: &Device) -> (Tensor<1, Int>, impl Fn(&LanguageModel) -> Tensor<2>) {
    let (b, t) = (size.batch, size.length);
    let mut random = Random::new(0);
    let symbols: Vec<u32> = (0..(t + 1) * b).map(|_| random.symbol(size.symbols)).collect();
    let inputs: Vec<_> = symbols[..t * b].chunks(b).map(|column| integers(column, [b, 1], device)).collect();
    let state = Tensor::zeros([b, size.hidden], device);
    (integers(&symbols[b..], [t * b], device), move |model| model.forward(&inputs, state.clone()))
}

/// One symbol after the other.
pub fn generator(size: Text, device: &Device) -> impl FnMut() -> u32 {
    let model = LanguageModel::new(size, device);
    let mut random = Random::new(0);
    let (mut symbol, mut weights) = (0u32, Vec::with_capacity(size.symbols));
    let mut state = Tensor::zeros([1, size.hidden], device);
    let device = device.clone();
    move || {
        state = model.step(integers(&[symbol], [1, 1], &device), state.clone());
        let logits = model.head.forward(state.clone()).into_data();
        symbol = random.sample(logits.as_slice::<f32>().expect("f32 logits"), &mut weights);
        symbol
    }
}
