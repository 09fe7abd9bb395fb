//! The GPT that fills gaps, as a network of text: its configuration, and what it is trained for.

use super::bound::{Windows, draw, hide};
use super::generation::sample_of;
use super::{MaskedGpt, with_mask};
use crate::error::{Error, Kind, Result};
use crate::text::gpt::{Gpt, GptConfig, Kind as Model};
use crate::text::network::{Carry, Configured};
use crate::text::objective::{Objective, Step};
use crate::text::vocabulary::Vocabulary;
use crate::text::windows::Window;
use autograd::Tensor;
use autograd::random::{Stream, Streams};
use ndarray::ArrayD;

impl Configured for MaskedGpt<f32> {
    type Config = GptConfig;

    const KINDS: &'static [&'static str] = &["masked-gpt"];

    fn new(config: &GptConfig, stream: &mut Stream) -> Self {
        MaskedGpt::new(config, stream)
    }

    fn config(&self) -> &GptConfig {
        MaskedGpt::config(self)
    }

    fn kind(_: &GptConfig) -> &'static str {
        "masked-gpt"
    }

    fn symbols(config: &GptConfig) -> usize {
        config.symbols
    }

    fn with_symbols(config: GptConfig, symbols: usize) -> GptConfig {
        GptConfig { symbols, model: Model::MaskedGpt, ..config }
    }

    fn sizes(config: &GptConfig) -> Vec<(&'static str, usize)> {
        Gpt::sizes(config)
    }

    fn dropouts(config: &GptConfig) -> Vec<(&'static str, f64)> {
        Gpt::dropouts(config)
    }

    fn described(config: &GptConfig) -> String {
        format!("masked {}", Gpt::described(config))
    }

    fn parameter_shapes(config: &GptConfig) -> Vec<(String, Vec<usize>)> {
        Gpt::parameter_shapes(&with_mask(config))
    }

    fn elements_per_position(config: &GptConfig) -> u128 {
        // The states are gathered where symbols are hidden, and their logits become logarithms of probabilities.
        Gpt::elements_per_position(config).saturating_add(config.width as u128 + config.symbols as u128)
    }

    fn carry_shapes(_: &GptConfig, _: usize) -> Vec<(&'static str, Vec<usize>)> {
        Vec::new()
    }

    fn check(config: &GptConfig) -> Result<()> {
        Gpt::check(config)
    }

    fn context(config: &GptConfig) -> Option<usize> {
        Some(config.context)
    }

    /// What it fills is as long as what it was trained on.
    fn check_window(config: &GptConfig, window: usize) -> Result<()> {
        let context = config.context;
        if window != context {
            let what = format!("`data.window` is {window}, and `model.context` {context}");
            return Err(Error::new(Kind::Usage, what)
                .cause("a masked model fills windows of its whole context, and learns to on windows as long")
                .help("give both the same length"));
        }
        Ok(())
    }
}

impl Objective for MaskedGpt<f32> {
    fn loss(&self, window: &mut Window, _: Option<Carry>, step: Step) -> (Tensor<f32>, Carry) {
        let Step { number, batch, streams, dropout, .. } = step;
        let time = window.inputs.len() / batch;
        let hidden = hide(&mut streams.stream(&format!("masks of step {number}")), &vec![0..time; batch]);
        let (mut places, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (row, hidden) in hidden.iter().enumerate() {
            for &at in hidden {
                let place = row * time + at;
                places.push(place as u32);
                targets.push(std::mem::replace(&mut window.inputs[place], self.mask()) as usize);
                weights.push(-1.0 / (batch * hidden.len()) as f32);
            }
        }
        let count = places.len();
        let targets = ArrayD::from_shape_vec(vec![count, 1], targets).expect("one for each place");
        let likelihoods = self.logits(&window.inputs, batch, &places, dropout).log_softmax().gather(1, &targets);
        ((&likelihoods * &Tensor::from_vec(weights, &[count, 1])).sum(), Carry::new())
    }

    /// One draw of masks for every window, the same at every validation.
    fn validation(&self, symbols: &[u32], streams: Streams) -> f64 {
        let windows = Windows::of(symbols.len(), self.config().context);
        let nats = draw(self, symbols, &windows, &mut streams.stream("masks of validation"), &mut |_| ());
        nats.iter().sum::<f64>() / symbols.len() as f64
    }

    fn sample(&self, vocabulary: &Vocabulary, symbols: usize, stream: Stream) -> Vec<u8> {
        sample_of(self, vocabulary, symbols, stream)
    }

    fn note() -> Option<&'static str> {
        Some(
            "nats are upper bounds, each estimated by one draw of masks: no likelihoods, and not to be compared with them as such",
        )
    }
}
