//! candle on the peers' work. One process, one measurement, one line of JSON (README.md: protocol).
//!
//! The cell is candle-nn's own GRU, step by step. One input product for all steps is left out on purpose: its gradient would
//! pass through `narrow`, which in candle writes a whole sequence of zeros per step.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::rnn::{GRU, GRUConfig, GRUState, RNN, gru};
use candle_nn::{AdamW, Embedding, Init, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use protocol::{Meter, Options, Random, Size};

const VERSION: &str = "0.11.1";

struct LanguageModel {
    embedding: Embedding,
    rnn: GRU,
    head: Linear,
    size: Size,
}

impl LanguageModel {
    fn new(size: Size, vb: VarBuilder) -> Result<Self> {
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
        let Size { symbols: v, batch, length, .. } = self.size;
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

fn train(options: &Options, meter: &Meter) -> Result<()> {
    let (size, device) = (options.size, Device::Cpu);
    let vars = VarMap::new();
    let model = LanguageModel::new(size, VarBuilder::from_varmap(&vars, DType::F32, &device))?;
    // AdamW without decay is Adam.
    let adam = ParamsAdamW {
        lr: protocol::LEARNING_RATE,
        beta1: protocol::BETA_1,
        beta2: protocol::BETA_2,
        eps: protocol::EPSILON,
        weight_decay: 0.0,
    };
    let parameters: Vec<Var> = vars.all_vars();
    let mut optimizer = AdamW::new(parameters, adam)?;

    let mut random = Random::new(0);
    let (b, t) = (size.batch, size.length);
    let symbols: Vec<u32> = (0..(t + 1) * b).map(|_| random.symbol(size.symbols)).collect();
    let inputs = Tensor::from_slice(&symbols[..t * b], (t, b), &device)?;
    let targets = Tensor::from_slice(&symbols[b..], t * b, &device)?;

    let (mut first, mut last) = (None, None);
    let mut step = || -> Result<()> {
        let loss = candle_nn::loss::cross_entropy(&model.forward(&inputs)?, &targets)?;
        optimizer.backward_step(&loss)?;
        let loss = loss.detach();
        first.get_or_insert(loss.clone());
        last = Some(loss);
        Ok(())
    };
    let timed = meter.run(|| step().expect("a training step"), 2);
    let value = |loss: Option<Tensor>| loss.expect("at least one step").to_scalar::<f32>();
    protocol::report_training("candle", VERSION, options, meter, &timed, value(first)?, value(last)?);
    Ok(())
}

fn generate(options: &Options, meter: &Meter) -> Result<()> {
    let (size, device) = (options.size, Device::Cpu);
    let vars = VarMap::new();
    LanguageModel::new(size, VarBuilder::from_varmap(&vars, DType::F32, &device))?; // fills `vars`
    // Out of the `Var`s: what is computed from them would be recorded for a backward pass that never comes.
    let variables = vars.data().lock().expect("the variables");
    let tensors: HashMap<_, _> = variables.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect();
    let model = LanguageModel::new(size, VarBuilder::from_tensors(tensors, DType::F32, &device))?;

    let mut random = Random::new(0);
    let (mut symbol, mut weights) = (0u32, Vec::with_capacity(size.symbols));
    let mut state: GRUState = model.rnn.zero_state(1)?;
    let mut generated = Vec::new();
    let mut step = || -> Result<()> {
        let input = model.embedding.forward(&Tensor::from_slice(&[symbol], 1, &device)?)?;
        state = model.rnn.step(&input, &state)?;
        let logits = model.head.forward(&state.h)?.flatten_all()?.to_vec1::<f32>()?;
        symbol = random.sample(&logits, &mut weights);
        generated.push(symbol);
        Ok(())
    };
    let timed = meter.run(|| step().expect("a step of generation"), 100);
    protocol::report_generation("candle", VERSION, options, meter, &timed, &generated);
    Ok(())
}

fn main() -> Result<()> {
    let options = Options::from_arguments();
    let meter = Meter::new(options.seconds);
    match options.task.as_str() {
        "train" => train(&options, &meter),
        "generate" => generate(&options, &meter),
        other => panic!("--task is train or generate, not {other:?}"),
    }
}
