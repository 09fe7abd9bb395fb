//! The GRU language model in candle.
//!
//! The cell is candle-nn's own GRU, step by step. One input product for all steps is left out on purpose: its gradient would
//! pass through `narrow`, which in candle writes a whole sequence of zeros per step.

use candle_core::{Device, Result, Tensor};
use candle_nn::rnn::{GRU, GRUConfig, GRUState, RNN, gru};
use candle_nn::{Embedding, Init, Linear, Module, VarBuilder};
use protocol::{Random, Text};

struct LanguageModel {
    embedding: Embedding,
    rnn: GRU,
    head: Linear,
    size: Text,
}

impl LanguageModel {
    fn new(size: Text, vb: VarBuilder) -> Result<Self> {
        let bound = (size.hidden as f64).powf(-0.5);
        let init = Init::Uniform { lo: -bound, up: bound };
        let config = GRUConfig { w_ih_init: init, w_hh_init: init, b_ih_init: Some(init), b_hh_init: Some(init) };
        Ok(Self {
            embedding: candle_nn::embedding(size.symbols, size.embedding, vb.pp("embedding"))?,
            rnn: gru(size.embedding, size.hidden, config, vb.pp("rnn"))?,
            head: candle_nn::linear(size.hidden, size.symbols, vb.pp("head"))?,
            size,
        })
    }

    /// `symbols` (T, B) → logits (T·B, V).
    fn forward(&self, symbols: &Tensor) -> Result<Tensor> {
        let Text { symbols: v, batch, length, .. } = self.size;
        // Embedding step by step writes (V, C) of gradient per step, splitting an embedded sequence (T, B, C): take the smaller.
        let whole = if v > batch * length { Some(self.embedding.forward(symbols)?) } else { None };
        let mut state = self.rnn.zero_state(batch)?;
        let mut states = Vec::with_capacity(length);
        for t in 0..length {
            let input = match &whole {
                Some(embedded) => embedded.get(t)?,
                None => self.embedding.forward(&symbols.get(t)?)?,
            };
            state = self.rnn.step(&input, &state)?;
            states.push(state.h.clone());
        }
        self.head.forward(&Tensor::cat(&states, 0)?)
    }
}

/// The loss of one random batch, again and again.
pub fn loss(size: Text, vb: VarBuilder) -> Result<impl Fn() -> Result<Tensor>> {
    let model = LanguageModel::new(size, vb)?;
    let mut random = Random::new(0);
    let (b, t) = (size.batch, size.length);
    let symbols: Vec<u32> = (0..(t + 1) * b).map(|_| random.symbol(size.symbols)).collect();
    let inputs = Tensor::from_slice(&symbols[..t * b], (t, b), &Device::Cpu)?;
    let targets = Tensor::from_slice(&symbols[b..], t * b, &Device::Cpu)?;
    Ok(move || candle_nn::loss::cross_entropy(&model.forward(&inputs)?, &targets))
}

/// One symbol after the other.
pub fn generator(size: Text, vb: VarBuilder) -> Result<impl FnMut() -> Result<u32>> {
    let model = LanguageModel::new(size, vb)?;
    let mut random = Random::new(0);
    let (mut symbol, mut weights) = (0u32, Vec::with_capacity(size.symbols));
    let mut state: GRUState = model.rnn.zero_state(1)?;
    Ok(move || {
        let input = model.embedding.forward(&Tensor::from_slice(&[symbol], 1, &Device::Cpu)?)?;
        state = model.rnn.step(&input, &state)?;
        let logits = model.head.forward(&state.h)?.flatten_all()?.to_vec1::<f32>()?;
        symbol = random.sample(&logits, &mut weights);
        Ok(symbol)
    })
}
