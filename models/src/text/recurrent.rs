//! The recurrent language model as a [`Network`] of text: the states of its layers are carried from window to window.

use super::decoder::Decoder;
use super::language_model::{Carry as States, CellKind, Config, LanguageModel};
use super::network::{Carry, Configured, MOST_LAYERS, Network};
use autograd::Tensor;
use autograd::random::Stream;

impl Configured for LanguageModel<f32> {
    type Config = Config;

    const KINDS: &'static [&'static str] = &["gru", "lstm"];

    fn new(config: &Config, stream: &mut Stream) -> Self {
        LanguageModel::new(config, stream)
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn kind(config: &Config) -> &'static str {
        config.model.name()
    }

    fn symbols(config: &Config) -> usize {
        config.symbols
    }

    fn with_symbols(config: Config, symbols: usize) -> Config {
        Config { symbols, ..config }
    }

    fn sizes(config: &Config) -> Vec<(&'static str, usize)> {
        vec![("embedding", config.embedding), ("hidden", config.hidden), ("layers", config.layers)]
    }

    fn dropouts(config: &Config) -> Vec<(&'static str, f64)> {
        let Config { dropout, embedding_dropout, weight_dropout, .. } = *config;
        vec![("dropout", dropout), ("embedding_dropout", embedding_dropout), ("weight_dropout", weight_dropout)]
    }

    fn described(config: &Config) -> String {
        format!("{} × {}, {} units", config.model.name().to_uppercase(), config.layers, config.hidden)
    }

    fn parameter_shapes(config: &Config) -> Vec<(String, Vec<usize>)> {
        let Config { model, symbols, embedding, hidden, layers, .. } = *config;
        let gates = hidden.saturating_mul(if model == CellKind::Gru { 3 } else { 4 });
        let mut shapes = vec![("embedding.weight".to_string(), vec![symbols, embedding])];
        // A hostile number of layers must not make a hostile list: one name more than any real model has is enough to differ.
        for k in 0..layers.min(MOST_LAYERS) {
            let inputs = if k == 0 { embedding } else { hidden };
            shapes.push((format!("rnn.weight_ih_l{k}"), vec![gates, inputs]));
            shapes.push((format!("rnn.weight_hh_l{k}"), vec![gates, hidden]));
            shapes.push((format!("rnn.bias_ih_l{k}"), vec![gates]));
            shapes.push((format!("rnn.bias_hh_l{k}"), vec![gates]));
        }
        shapes.push(("head.weight".to_string(), vec![symbols, hidden]));
        shapes.push(("head.bias".to_string(), vec![symbols]));
        shapes
    }

    fn elements_per_position(config: &Config) -> u128 {
        let Config { model, symbols, embedding, hidden, layers, .. } = *config;
        let gates = if model == CellKind::Gru { 3 } else { 4 };
        // Of each layer the gates, the output, and the cell of an LSTM or what the reset gate of a GRU lets through; of the one that
        // the backward pass is in, their gradients too. What dropout leaves of an output is one more. The symbol's vector, and what
        // dropout leaves of it; the logits, whose buffer holds their gradient in the end.
        let dropped = u128::from(config.dropout > 0.0);
        let layer = (gates + 2 + dropped) * hidden as u128;
        layer.saturating_mul(layers as u128 + 1) + 2 * embedding as u128 + symbols as u128
    }

    fn carry_shapes(config: &Config, batch: usize) -> Vec<(&'static str, Vec<usize>)> {
        let names: &[&str] = if config.model == CellKind::Lstm { &["hidden", "cell"] } else { &["hidden"] };
        names.iter().map(|&name| (name, vec![config.layers, batch, config.hidden])).collect()
    }
}

impl Network for LanguageModel<f32> {
    type Decoder = Decoder<f32>;

    fn window(
        &self,
        symbols: &[u32],
        batch: usize,
        carry: Option<&Carry>,
        dropout: Option<&mut Stream>,
    ) -> (Tensor<f32>, Carry) {
        let named = |carry: &Carry, name: &str| carry.iter().find(|(n, _)| *n == name).map(|(_, x)| x.clone());
        let states =
            carry.and_then(|carry| Some(States { hidden: named(carry, "hidden")?, cell: named(carry, "cell") }));
        let (logits, States { hidden, cell }) = self.forward(symbols, batch, states.as_ref(), dropout);
        let cell = cell.map(|cell| ("cell", cell.detach()));
        (logits, std::iter::once(("hidden", hidden.detach())).chain(cell).collect())
    }

    fn decoder(&self) -> Decoder<f32> {
        Decoder::new(self)
    }
}
