//! GPT: a pre-norm Transformer with causal attention, and `p(x) = ∏ p(x_t | x_<t)` of symbols within a context.
//!
//! `x += proj(attention(ln_1 x))`, `x += proj(gelu(fc(ln_2 x)))`, L times, then `ln_f` and the table of symbols once more as the output
//! layer. How it goes one symbol at a time is in `gpt/decoder.rs`; what it brings to text, in `gpt/network.rs`.
//!
//! Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019 (GPT-2); Press & Wolf, "Using the Output Embedding
//! to Improve Language Models", 2017; rotary positions and grouped queries as in LLaMA.

mod cache;
mod decoder;
mod network;
mod norm;
mod state;

pub use decoder::GptDecoder;
pub use state::GptState;

use autograd::nn::{Dropout, Embedding, LayerNorm, Linear, SelfAttention};
use autograd::random::Stream;
use autograd::{Heads, Scalar, Tensor, module};
use serde::{Deserialize, Serialize};

/// The kind of model, as configurations write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A Transformer that looks back.
    #[default]
    Gpt,
    /// One that looks at all there is, and fills gaps: [`super::masked`].
    MaskedGpt,
}

/// How a position is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positions {
    /// A learned vector for each position of the context, added to the symbol's.
    #[default]
    Learned,
    /// Queries and keys turned by their positions.
    Rotary,
}

/// What a model is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GptConfig {
    /// `gpt`, or `masked-gpt` for one that fills gaps.
    pub model: Kind,
    /// V, the number of symbols. In a run's configuration 0: taken from the data.
    pub symbols: usize,
    /// L, the blocks.
    pub layers: usize,
    /// N, the heads of queries; divides the width.
    pub heads: usize,
    /// M, the heads of keys and values; divides N.
    pub key_heads: usize,
    /// C, the length of a position's vector.
    pub width: usize,
    /// The most symbols that a prediction looks back at.
    pub context: usize,
    /// How a position is told: `learned` or `rotary`.
    pub positions: Positions,
    /// Whether layers have biases.
    pub bias: bool,
    /// The probability of dropout on the symbols' vectors and on what each half of a block adds, in training.
    pub dropout: f64,
}

impl Default for GptConfig {
    fn default() -> Self {
        GptConfig {
            model: Kind::Gpt,
            symbols: 0,
            layers: 4,
            heads: 4,
            key_heads: 4,
            width: 128,
            context: 128,
            positions: Positions::Learned,
            bias: false,
            dropout: 0.0,
        }
    }
}

impl GptConfig {
    /// How the heads lie.
    pub fn layout(&self) -> Heads {
        Heads { queries: self.heads, keys: self.key_heads, width: self.width / self.heads.max(1) }
    }

    /// The base of rotary positions, where there are any.
    pub fn rotary(&self) -> Option<f64> {
        (self.positions == Positions::Rotary).then_some(10_000.0)
    }
}

/// The two layers of a block that work position by position, with 4C channels between them.
#[derive(Clone, Debug)]
pub struct Mlp<T> {
    /// C → 4C.
    pub fc: Linear<T>,
    /// 4C → C.
    pub proj: Linear<T>,
}

module!(Mlp { fc, proj });

/// Attention, then the two layers, each on its normalized input and added to it.
#[derive(Clone, Debug)]
pub struct Block<T> {
    /// Before attention.
    pub ln_1: LayerNorm<T>,
    /// To the positions before.
    pub attn: SelfAttention<T>,
    /// Before the two layers.
    pub ln_2: LayerNorm<T>,
    /// Position by position.
    pub mlp: Mlp<T>,
}

module!(Block { ln_1, attn, ln_2, mlp });

/// A GPT.
#[derive(Clone, Debug)]
pub struct Gpt<T> {
    /// What it is made of.
    pub config: GptConfig,
    /// (V, C): the vectors of the symbols, and the output layer.
    pub tokens: Embedding<T>,
    /// (context, C), where positions are learned.
    pub positions: Option<Embedding<T>>,
    /// The blocks.
    pub blocks: Vec<Block<T>>,
    /// Before the output layer.
    pub ln_f: LayerNorm<T>,
}

module!(Gpt { tokens, positions, blocks, ln_f });

/// The deviation of initial weights.
const DEVIATION: f64 = 0.02;

impl<T: Scalar> Gpt<T> {
    /// A model with GPT-2's initial distributions: N(0, 0.02²), what is added to the residual stream N(0, 0.02²/2L).
    pub fn new(config: &GptConfig, stream: &mut Stream) -> Self {
        let GptConfig { symbols, layers, width, context, bias, .. } = *config;
        let heads = config.layout();
        let residual = DEVIATION / (2.0 * layers as f64).sqrt();
        let norm = || if bias { LayerNorm::new(width) } else { LayerNorm::new(width).without_bias() };
        let tokens = Embedding::normal(symbols, width, DEVIATION, stream);
        let learned = config.positions == Positions::Learned;
        let positions = learned.then(|| Embedding::normal(context, width, DEVIATION, stream));
        let block = |_| Block {
            ln_1: norm(),
            attn: SelfAttention {
                qkv: Linear::normal(width, heads.packed(), DEVIATION, bias, stream),
                proj: Linear::normal(heads.outputs(), width, residual, bias, stream),
                heads,
                causal: config.model == Kind::Gpt,
                rotary: config.rotary(),
            },
            ln_2: norm(),
            mlp: Mlp {
                fc: Linear::normal(width, 4 * width, DEVIATION, bias, stream),
                proj: Linear::normal(4 * width, width, residual, bias, stream),
            },
        };
        let blocks = (0..layers).map(block).collect();
        Gpt { config: config.clone(), tokens, positions, blocks, ln_f: norm() }
    }

    /// The logits of the symbol after each position of windows that each begin at position 0.
    ///
    /// # Shapes
    /// `symbols` B·T codes in row-major order, B = `batch`, T ≤ context → (B, T, V)
    ///
    /// # Panics
    /// If the number of symbols is not a multiple of the batch, T is above the context, or a symbol is not below V.
    #[track_caller]
    pub fn forward(&self, symbols: &[u32], batch: usize, dropout: Option<&mut Stream>) -> Tensor<T> {
        self.states(symbols, batch, dropout).linear(&self.tokens.weight, None)
    }

    /// What the output layer reads, (B, T, C).
    #[track_caller]
    pub(super) fn states(&self, symbols: &[u32], batch: usize, mut dropout: Option<&mut Stream>) -> Tensor<T> {
        let time = symbols.len() / batch;
        assert_eq!(symbols.len(), batch * time, "forward: symbols for a batch of {batch}");
        assert!(time <= self.config.context, "forward: {time} positions in a context of {}", self.config.context);
        let drop = Dropout { p: self.config.dropout };
        let mut x = self.tokens.forward(symbols, &[batch, time]); // (B, T, C)
        if let Some(positions) = &self.positions {
            x = &x + &positions.weight.narrow(0, 0, time);
        }
        x = drop.forward(&x, dropout.as_deref_mut());
        for Block { ln_1, attn, ln_2, mlp } in &self.blocks {
            x = &x + &drop.forward(&attn.forward(&ln_1.forward(&x)), dropout.as_deref_mut());
            let hidden = mlp.fc.forward(&ln_2.forward(&x)).gelu_tanh(); // (B, T, 4C)
            x = &x + &drop.forward(&mlp.proj.forward(&hidden), dropout.as_deref_mut());
        }
        self.ln_f.forward(&x)
    }
}
