//! burn (flex backend) on the peers' work. One process, one measurement, one line of JSON (README.md: protocol).
//!
//! The cell is burn's own GRU, called once per step: over a whole sequence it copies every state so far at each step.

use burn::module::{Initializer, Module};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Embedding, EmbeddingConfig, Gru, GruConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{Meter, Options, Random, Size};

const VERSION: &str = "0.22.1";

#[derive(Module, Debug)]
struct LanguageModel {
    embedding: Embedding,
    rnn: Gru,
    head: Linear,
}

impl LanguageModel {
    fn new(size: Size, device: &Device) -> Self {
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

fn integers<const D: usize>(values: &[u32], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    let values: Vec<i32> = values.iter().map(|&value| value as i32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn train(options: &Options, meter: &Meter) {
    let (size, device) = (options.size, Device::flex().autodiff());
    let (b, t) = (size.batch, size.length);
    let mut random = Random::new(0);
    let symbols: Vec<u32> = (0..(t + 1) * b).map(|_| random.symbol(size.symbols)).collect();
    let inputs: Vec<_> = symbols[..t * b].chunks(b).map(|column| integers(column, [b, 1], &device)).collect();
    let targets: Tensor<1, Int> = integers(&symbols[b..], [t * b], &device);

    // burn's default ε is 1e-5: set to PyTorch's, as are the rest.
    let adam = AdamConfig::new()
        .with_beta_1(protocol::BETA_1 as f32)
        .with_beta_2(protocol::BETA_2 as f32)
        .with_epsilon(protocol::EPSILON as f32);
    let mut optimizer = adam.init();
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    let mut model = Some(LanguageModel::new(size, &device));

    let (mut first, mut last) = (None, None);
    let step = || {
        let before = model.take().expect("the model");
        let logits = before.forward(&inputs, Tensor::zeros([b, size.hidden], &device));
        let loss = cross_entropy.forward(logits, targets.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &before);
        model = Some(optimizer.step(protocol::LEARNING_RATE, before, gradients));
        let loss: f32 = loss.into_scalar();
        first.get_or_insert(loss);
        last = Some(loss);
    };
    let timed = meter.run(step, 2);
    let value = |loss: Option<f32>| loss.expect("at least one step");
    protocol::report_training("burn", VERSION, options, meter, &timed, value(first), value(last));
}

fn generate(options: &Options, meter: &Meter) {
    let (size, device) = (options.size, Device::flex());
    let model = LanguageModel::new(size, &device);
    let mut random = Random::new(0);
    let (mut symbol, mut weights) = (0u32, Vec::with_capacity(size.symbols));
    let mut state = Tensor::zeros([1, size.hidden], &device);
    let mut generated = Vec::new();
    let step = || {
        state = model.step(integers(&[symbol], [1, 1], &device), state.clone());
        let logits = model.head.forward(state.clone()).into_data();
        symbol = random.sample(logits.as_slice::<f32>().expect("f32 logits"), &mut weights);
        generated.push(symbol);
    };
    let timed = meter.run(step, 100);
    protocol::report_generation("burn", VERSION, options, meter, &timed, &generated);
}

fn main() {
    let options = Options::from_arguments();
    let meter = Meter::new(options.seconds);
    match options.task.as_str() {
        "train" => train(&options, &meter),
        "generate" => generate(&options, &meter),
        other => panic!("--task is train or generate, not {other:?}"),
    }
}
