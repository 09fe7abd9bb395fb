//! GPT on the yardsticks' work: windows of random symbols, and generation from the beginning of a context to its end, again and again.

use super::{Arguments, Model, Task, repeat, train};
use autograd::random::Streams;
use models::autoregressive::Autoregressive;
use models::narrow::round;
use models::sampling::{Generator, Options, Sampler};
use models::text::gpt::{Gpt, GptConfig, GptDecoder};
use rand::RngExt;

impl Model {
    /// The GPT, and the batch of its training step, whose length is its context; none for what is no GPT.
    pub fn gpt(self) -> Option<(GptConfig, usize)> {
        let base = GptConfig { symbols: 65, ..GptConfig::default() };
        match self {
            Model::GptNano => Some((GptConfig { context: 64, ..base }, 12)),
            Model::Gpt6x384 => {
                Some((GptConfig { layers: 6, heads: 6, key_heads: 6, width: 384, context: 256, ..base }, 8))
            }
            _ => None,
        }
    }
}

/// A symbol is one of its vocabulary.
pub fn gpt(arguments: &Arguments, (config, batch): (GptConfig, usize), report: &mut serde_json::Value) {
    let (batch, length) = (arguments.batch.unwrap_or(batch), arguments.length.unwrap_or(config.context));
    let config = GptConfig { context: length, ..config };
    let streams = Streams::new(1);
    let mut model = Gpt::<f32>::new(&config, &mut streams.stream("init"));
    let mut data = streams.stream("data");
    let mut draw = |n: usize| -> Vec<u32> { (0..n).map(|_| data.random_range(0..config.symbols as u32)).collect() };
    match arguments.task {
        Task::Train => {
            let (inputs, targets) = (draw(batch * length), draw(batch * length));
            let loss = |model: &Gpt<f32>| model.forward(&inputs, batch, None).cross_entropy(&targets);
            train(arguments, &mut model, batch * length, loss, report);
        }
        Task::Generate => {
            round(&mut model, arguments.weights);
            let decoder = GptDecoder::for_steps(model);
            let (mut rounds, mut out_of_range) = (0, 0);
            let (contexts, seconds) = repeat(arguments.seconds, 1, || {
                let sampler = Sampler::new(Options::default()).expect("the default options are right");
                let random = streams.stream(&format!("sampling {rounds}"));
                let symbols = Generator::new(&decoder, &[], sampler, random).take(length);
                out_of_range += symbols.filter(|&symbol| symbol as usize >= config.symbols).count();
                rounds += 1;
            });
            assert_eq!(out_of_range, 0, "a generated symbol is out of range");
            report["task"] = "generate".into();
            report["steps"] = (contexts * length).into();
            report["symbols_per_second"] = ((contexts * length) as f64 / seconds).into();
        }
        Task::Score | Task::ScoreBySteps => {
            let decoder = GptDecoder::new(&model);
            let text = draw(1024);
            let mut nats = 0.0;
            let (texts, seconds) = repeat(arguments.seconds, 1, || {
                nats += decoder.nats(&mut decoder.start(), &text).iter().sum::<f64>();
            });
            report["task"] = "score".into();
            report["steps"] = (texts * text.len()).into();
            report["symbols_per_second"] = ((texts * text.len()) as f64 / seconds).into();
            report["nats_per_symbol"] = (nats / ((texts + 1) * text.len()) as f64).into();
        }
    }
}
