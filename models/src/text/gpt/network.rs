//! GPT as a [`Network`] of text: windows stand alone.

use super::{Gpt, GptConfig, GptDecoder, Positions};
use crate::error::{Error, Kind, Result};
use crate::text::network::{Carry, Configured, Network, sizes_and_dropouts};
use autograd::Tensor;
use autograd::random::Stream;

impl Configured for Gpt<f32> {
    type Config = GptConfig;

    const KINDS: &'static [&'static str] = &["gpt"];

    fn new(config: &GptConfig, stream: &mut Stream) -> Self {
        Gpt::new(config, stream)
    }

    fn config(&self) -> &GptConfig {
        &self.config
    }

    fn kind(_: &GptConfig) -> &'static str {
        "gpt"
    }

    fn symbols(config: &GptConfig) -> usize {
        config.symbols
    }

    fn with_symbols(config: GptConfig, symbols: usize) -> GptConfig {
        GptConfig { symbols, ..config }
    }

    fn sizes(config: &GptConfig) -> Vec<(&'static str, usize)> {
        let GptConfig { layers, heads, key_heads, width, context, .. } = *config;
        vec![("layers", layers), ("heads", heads), ("key_heads", key_heads), ("width", width), ("context", context)]
    }

    fn dropouts(config: &GptConfig) -> Vec<(&'static str, f64)> {
        vec![("dropout", config.dropout)]
    }

    fn described(config: &GptConfig) -> String {
        let GptConfig { layers, width, heads, context, .. } = *config;
        format!("GPT, {layers} blocks of {width}, {heads} heads, context {context}")
    }

    fn parameter_shapes(config: &GptConfig) -> Vec<(String, Vec<usize>)> {
        let GptConfig { symbols, layers, width, context, bias, .. } = *config;
        let heads = config.layout();
        let packed = heads.width.saturating_mul(heads.queries.saturating_add(heads.keys.saturating_mul(2)));
        let outputs = heads.width.saturating_mul(heads.queries);
        let wide = width.saturating_mul(4);
        let mut shapes = vec![("tokens.weight".to_owned(), vec![symbols, width])];
        if config.positions == Positions::Learned {
            shapes.push(("positions.weight".to_owned(), vec![context, width]));
        }
        let mut layer = |name: String, shape: Vec<usize>| {
            let outputs = shape[0];
            shapes.push((format!("{name}.weight"), shape));
            if bias {
                shapes.push((format!("{name}.bias"), vec![outputs]));
            }
        };
        // A hostile number of layers must not make a hostile list: one name more than any real model has is enough to differ.
        for k in 0..layers.min(crate::text::network::MOST_LAYERS) {
            layer(format!("blocks.{k}.ln_1"), vec![width]);
            layer(format!("blocks.{k}.attn.qkv"), vec![packed, width]);
            layer(format!("blocks.{k}.attn.proj"), vec![width, outputs]);
            layer(format!("blocks.{k}.ln_2"), vec![width]);
            layer(format!("blocks.{k}.mlp.fc"), vec![wide, width]);
            layer(format!("blocks.{k}.mlp.proj"), vec![width, wide]);
        }
        layer("ln_f".to_owned(), vec![width]);
        shapes
    }

    fn elements_per_position(config: &GptConfig) -> u128 {
        let GptConfig { symbols, layers, width, heads, .. } = *config;
        // Of each block two residual sums, two normalized inputs with what they keep, queries, keys and values, what attention gives and
        // its logarithms, its projection, four times the width before and after the GELU, and the second projection; of the block that the
        // backward pass is in, their gradients too.
        let dropped = 2 * u128::from(config.dropout > 0.0);
        let block = (2 + 4 + 3 + 1 + 1 + 8 + 1 + dropped) * width as u128 + heads as u128;
        block.saturating_mul(layers as u128 + 1) + 4 * width as u128 + symbols as u128
    }

    fn carry_shapes(_: &GptConfig, _: usize) -> Vec<(&'static str, Vec<usize>)> {
        Vec::new()
    }

    fn context(config: &GptConfig) -> Option<usize> {
        Some(config.context)
    }

    fn check(config: &GptConfig) -> Result<()> {
        sizes_and_dropouts::<Self>(config)?;
        let wrong = |what: String| Err(Error::new(Kind::Usage, what));
        let GptConfig { heads, key_heads, width, .. } = *config;
        if !width.is_multiple_of(heads) {
            return wrong(format!("`model.heads` is {heads}; it must divide `model.width`, {width}"));
        }
        if !heads.is_multiple_of(key_heads) {
            return wrong(format!("`model.key_heads` is {key_heads}; it must divide `model.heads`, {heads}"));
        }
        if config.positions == Positions::Rotary && !(width / heads).is_multiple_of(2) {
            let each = width / heads;
            return wrong(format!("`model.positions` is rotary, and a head is {each} wide: it must be even"));
        }
        Ok(())
    }
}

impl Network for Gpt<f32> {
    type Decoder = GptDecoder<f32>;

    fn window(
        &self,
        symbols: &[u32],
        batch: usize,
        _: Option<&Carry>,
        dropout: Option<&mut Stream>,
    ) -> (Tensor<f32>, Carry) {
        (self.forward(symbols, batch, dropout), Vec::new())
    }

    fn decoder(&self) -> GptDecoder<f32> {
        GptDecoder::new(self)
    }

    fn into_decoder(self) -> GptDecoder<f32> {
        GptDecoder::for_steps(self)
    }
}
