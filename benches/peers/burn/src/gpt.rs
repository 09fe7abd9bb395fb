//! GPT in burn: the training step, and generation with keys and values kept. Not the other models, which have files of their own.

use crate::integers;
use burn::module::{Initializer, Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::gelu_approximate;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Int, Tensor};
use protocol::{Gpt, Random};

fn normal(std: f64) -> Initializer {
    Initializer::Normal { mean: 0.0, std }
}

fn linear(inputs: usize, outputs: usize, std: f64, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs).with_bias(false).with_initializer(normal(std)).init(device)
}

fn layer_norm(width: usize, device: &Device) -> LayerNorm {
    LayerNormConfig::new(width).with_bias(false).init(device)
}

/// What is known of a context's positions so far: keys and values (1, N, T, C/N).
type Cache = [Tensor<4>; 2];

#[derive(Module, Debug)]
pub struct Block {
    ln_1: LayerNorm,
    qkv: Linear,
    proj: Linear,
    ln_2: LayerNorm,
    fc: Linear,
    out: Linear,
    heads: usize,
}

impl Block {
    fn new(size: Gpt, device: &Device) -> Self {
        let (c, residual) = (size.width, size.residual_deviation());
        Self {
            ln_1: layer_norm(c, device),
            qkv: linear(c, 3 * c, Gpt::DEVIATION, device),
            proj: linear(c, c, residual, device),
            ln_2: layer_norm(c, device),
            fc: linear(c, 4 * c, Gpt::DEVIATION, device),
            out: linear(4 * c, c, residual, device),
            heads: size.heads,
        }
    }

    /// Queries, keys and values (B, N, T, C/N) of `x` (B, T, C).
    fn parts(&self, x: Tensor<3>) -> [Tensor<4>; 3] {
        let [b, t, c] = x.dims();
        let qkv = self.qkv.forward(self.ln_1.forward(x));
        [0, 1, 2].map(|i| qkv.clone().narrow(2, i * c, c).reshape([b, t, self.heads, c / self.heads]).swap_dims(1, 2))
    }

    /// What follows attention's `z` (B, N, T, C/N).
    fn rest(&self, x: Tensor<3>, z: Tensor<4>) -> Tensor<3> {
        let x = x.clone() + self.proj.forward(z.swap_dims(1, 2).reshape(x.dims()));
        x.clone() + self.out.forward(gelu_approximate(self.fc.forward(self.ln_2.forward(x))))
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [q, k, v] = self.parts(x.clone());
        let causal = AttentionModuleOptions { is_causal: true, ..Default::default() };
        self.rest(x, attention(q, k, v, None, None, causal))
    }

    /// `x` (1, 1, C) at position `t`, after those in `cache`.
    fn step(&self, x: Tensor<3>, t: usize, cache: Cache) -> (Tensor<3>, Cache) {
        let [q, k, v] = self.parts(x.clone());
        let [_, heads, _, width] = q.dims();
        let [keys, values] = cache;
        // Consumed and given back, so that it is written in place.
        let place = [0..1, 0..heads, t..t + 1, 0..width];
        let (keys, values) = (keys.slice_assign(place.clone(), k), values.slice_assign(place, v));
        let seen = |of: &Tensor<4>| of.clone().narrow(2, 0, t + 1);
        let z = attention(q, seen(&keys), seen(&values), None, None, AttentionModuleOptions::default());
        (self.rest(x, z), [keys, values])
    }
}

#[derive(Module, Debug)]
pub struct Network {
    tokens: Embedding,
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    ln_f: LayerNorm,
}

impl Network {
    pub fn new(size: Gpt, device: &Device) -> Self {
        let table = EmbeddingConfig::new(size.symbols, size.width).with_initializer(normal(Gpt::DEVIATION));
        Self {
            tokens: table.init(device),
            positions: normal(Gpt::DEVIATION).init([size.length, size.width], device),
            blocks: (0..size.layers).map(|_| Block::new(size, device)).collect(),
            ln_f: layer_norm(size.width, device),
        }
    }

    /// The table of symbols once more: `x` (B, T, C) → (B·T, V).
    fn head(&self, x: Tensor<3>) -> Tensor<2> {
        self.ln_f.forward(x).flatten(0, 1).matmul(self.tokens.weight.val().transpose())
    }

    /// `symbols` (B, T) → logits (B·T, V).
    fn forward(&self, symbols: Tensor<2, Int>) -> Tensor<2> {
        let mut x = self.tokens.forward(symbols) + self.positions.val().unsqueeze();
        for block in &self.blocks {
            x = block.forward(x);
        }
        self.head(x)
    }
}

/// The targets (B·T) of one random batch, and what gives its logits (B·T, V).
pub fn batch(size: Gpt, device: &Device) -> (Tensor<1, Int>, impl Fn(&Network) -> Tensor<2>) {
    let (inputs, targets) = size.random_batch();
    let inputs = integers(&inputs, [size.batch, size.length], device);
    (integers(&targets, [size.batch * size.length], device), move |model| model.forward(inputs.clone()))
}

/// One symbol after the other, from an empty context again when it is full.
pub fn generator(size: Gpt, device: &Device) -> impl FnMut() -> u32 {
    let model = Network::new(size, device);
    let mut random = Random::new(0);
    let (mut symbol, mut t, mut weights) = (0u32, 0, Vec::with_capacity(size.symbols));
    let empty = || Tensor::zeros([1, size.heads, size.length, size.width / size.heads], device);
    let mut caches: Vec<Option<Cache>> = (0..size.layers).map(|_| Some([empty(), empty()])).collect();
    let device = device.clone();
    move || {
        let position = model.positions.val().narrow(0, t, 1).unsqueeze();
        let mut x = model.tokens.forward(integers(&[symbol], [1, 1], &device)) + position;
        for (block, cache) in model.blocks.iter().zip(&mut caches) {
            let (after, kept) = block.step(x, t, cache.take().expect("a cache"));
            (x, *cache) = (after, Some(kept));
        }
        let logits = model.head(x).into_data();
        symbol = random.sample(logits.as_slice::<f32>().expect("f32 logits"), &mut weights);
        t = (t + 1) % size.length; // what is left in the caches is written over before it is read
        symbol
    }
}
