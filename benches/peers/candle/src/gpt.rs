//! GPT in candle.
//!
//! Queries, keys and values are three products in training: the gradient of one would pass through `narrow`, which in candle writes
//! zeros around each part. Layer norm and softmax are written out in training, as their single operations have no gradients.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::attention::{AttnMask, flash_attn};
use candle_nn::kv_cache::KvCache;
use candle_nn::{Embedding, Init, LayerNorm, LayerNormConfig, Linear, Module, VarBuilder};
use protocol::{Gpt, Random};

/// The norm's denominator.
const EPSILON: f64 = 1e-5;

fn linear(inputs: usize, outputs: usize, stdev: f64, vb: VarBuilder) -> Result<Linear> {
    Ok(Linear::new(vb.get_with_hints((outputs, inputs), "weight", Init::Randn { mean: 0.0, stdev })?, None))
}

fn layer_norm(width: usize, vb: VarBuilder) -> Result<LayerNorm> {
    candle_nn::layer_norm(width, LayerNormConfig { eps: EPSILON, remove_mean: true, affine: false }, vb)
}

/// The same norm with a shift of zeros: candle has that one as a single operation.
fn settled(norm: &LayerNorm) -> Result<LayerNorm> {
    Ok(LayerNorm::new(norm.weight().clone(), norm.weight().zeros_like()?, EPSILON))
}

struct Block {
    ln_1: LayerNorm,
    /// Queries, keys and values; or, settled, one product.
    qkv: Vec<Linear>,
    proj: Linear,
    ln_2: LayerNorm,
    fc: Linear,
    out: Linear,
}

impl Block {
    fn new(size: Gpt, vb: VarBuilder) -> Result<Self> {
        let (c, residual) = (size.width, size.residual_deviation());
        let wide = |name: &str, outputs| linear(c, outputs, Gpt::DEVIATION, vb.pp(name));
        Ok(Self {
            ln_1: layer_norm(c, vb.pp("ln_1"))?,
            qkv: ["q", "k", "v"].iter().map(|name| wide(name, c)).collect::<Result<_>>()?,
            proj: linear(c, c, residual, vb.pp("proj"))?,
            ln_2: layer_norm(c, vb.pp("ln_2"))?,
            fc: wide("fc", 4 * c)?,
            out: linear(4 * c, c, residual, vb.pp("out"))?,
        })
    }

    fn settle(&mut self) -> Result<()> {
        (self.ln_1, self.ln_2) = (settled(&self.ln_1)?, settled(&self.ln_2)?);
        let weights: Vec<&Tensor> = self.qkv.iter().map(Linear::weight).collect();
        self.qkv = vec![Linear::new(Tensor::cat(&weights, 0)?, None)];
        Ok(())
    }

    /// What follows attention's `z`, on rows of C.
    fn rest(&self, x: &Tensor, z: &Tensor) -> Result<Tensor> {
        let x = (x + self.proj.forward(z)?)?;
        &x + self.out.forward(&self.fc.forward(&self.ln_2.forward(&x)?)?.gelu()?)?
    }

    /// `x` (B·T, C) → (B·T, C); `mask` (T, T) is added to the scores.
    fn forward(&self, x: &Tensor, mask: &Tensor, size: Gpt) -> Result<Tensor> {
        let Gpt { batch, length, heads, width, .. } = size;
        let normed = self.ln_1.forward(x)?;
        let part = |linear: &Linear| -> Result<Tensor> {
            linear.forward(&normed)?.reshape((batch, length, heads, width / heads))?.transpose(1, 2)?.contiguous()
        };
        let (q, k, v) = (part(&self.qkv[0])?, part(&self.qkv[1])?, part(&self.qkv[2])?);
        let scores = (q.matmul(&k.t()?)? * ((width / heads) as f64).powf(-0.5))?.broadcast_add(mask)?;
        let z = candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&v)?;
        self.rest(x, &z.transpose(1, 2)?.reshape((batch * length, width))?)
    }

    /// `x` (1, C) at the position after those in `cache`.
    fn step(&self, x: &Tensor, cache: &mut KvCache, heads: usize) -> Result<Tensor> {
        let width = x.dim(1)? / heads;
        let qkv = self.qkv[0].forward(&self.ln_1.forward(x)?)?.reshape((1, 3, heads, width))?;
        let (k, v) = cache.append(&qkv.narrow(1, 1, 1)?, &qkv.narrow(1, 2, 1)?)?; // (1, t, N, C/N)
        let scale = (width as f32).powf(-0.5);
        let mask = AttnMask::causal_with_offset(k.dim(1)? - 1);
        let z = flash_attn::<f32>(&qkv.narrow(1, 0, 1)?, &k, &v, scale, mask, None, None)?;
        self.rest(x, &z.reshape((1, ()))?)
    }
}

struct Network {
    tokens: Embedding,
    positions: Tensor,
    blocks: Vec<Block>,
    ln_f: LayerNorm,
    size: Gpt,
}

impl Network {
    fn new(size: Gpt, vb: VarBuilder) -> Result<Self> {
        let init = Init::Randn { mean: 0.0, stdev: Gpt::DEVIATION };
        let table = |rows, name| vb.get_with_hints((rows, size.width), name, init);
        Ok(Self {
            tokens: Embedding::new(table(size.symbols, "tokens")?, size.width),
            positions: table(size.length, "positions")?,
            blocks: (0..size.layers).map(|i| Block::new(size, vb.pp(format!("blocks.{i}")))).collect::<Result<_>>()?,
            ln_f: layer_norm(size.width, vb.pp("ln_f"))?,
            size,
        })
    }

    fn settle(&mut self) -> Result<()> {
        self.ln_f = settled(&self.ln_f)?;
        self.blocks.iter_mut().try_for_each(Block::settle)
    }

    /// The table of symbols once more.
    fn head(&self, x: &Tensor) -> Result<Tensor> {
        self.ln_f.forward(x)?.matmul(&self.tokens.embeddings().t()?)
    }

    /// `symbols` (B, T) → logits (B·T, V).
    fn forward(&self, symbols: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let embedded = self.tokens.forward(symbols)?.broadcast_add(&self.positions)?;
        let mut x = embedded.reshape(((), self.size.width))?;
        for block in &self.blocks {
            x = block.forward(&x, mask, self.size)?;
        }
        self.head(&x)
    }
}

/// The loss of one random batch, again and again.
pub fn loss(size: Gpt, vb: VarBuilder) -> Result<impl Fn() -> Result<Tensor>> {
    let model = Network::new(size, vb)?;
    let (b, t) = (size.batch, size.length);
    let (inputs, targets) = size.random_batch();
    let inputs = Tensor::from_vec(inputs, (b, t), &Device::Cpu)?;
    let targets = Tensor::from_vec(targets, b * t, &Device::Cpu)?;
    let mask = (0..t * t).map(|i| if i % t > i / t { f32::NEG_INFINITY } else { 0.0 }).collect();
    let mask = Tensor::from_vec(mask, (t, t), &Device::Cpu)?;
    Ok(move || candle_nn::loss::cross_entropy(&model.forward(&inputs, &mask)?, &targets))
}

/// One symbol after the other, from an empty context again when it is full.
pub fn generator(size: Gpt, vb: VarBuilder) -> Result<impl FnMut() -> Result<u32>> {
    let mut model = Network::new(size, vb)?;
    model.settle()?;
    let empty = move || -> Vec<KvCache> { (0..size.layers).map(|_| KvCache::new(1, size.length)).collect() };
    let mut caches = empty();
    let mut random = Random::new(0);
    let (mut symbol, mut t, mut weights) = (0u32, 0, Vec::with_capacity(size.symbols));
    Ok(move || {
        if t == size.length {
            (t, caches) = (0, empty());
        }
        let input = model.tokens.forward(&Tensor::from_slice(&[symbol], 1, &Device::Cpu)?)?;
        let mut x = (input + model.positions.narrow(0, t, 1)?)?;
        for (block, cache) in model.blocks.iter().zip(&mut caches) {
            x = block.step(&x, cache, size.heads)?;
        }
        let logits = model.head(&x)?.flatten_all()?.to_vec1::<f32>()?;
        symbol = random.sample(&logits, &mut weights);
        t += 1;
        Ok(symbol)
    })
}
