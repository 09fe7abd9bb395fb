//! WaveNet's rows of the yardstick: training on random codes, generation of one sound, the likelihood of one.

use super::{Arguments, Model, Task, repeat, train};
use autograd::no_grad;
use autograd::random::Streams;
use models::audio::decoder::Decoder;
use models::audio::mu_law::CODES;
use models::audio::wavenet::{Condition, Conditions, Input, Sizes, WaveNet};
use models::distribution::{Categorical, Distribution};
use models::narrow::round;
use rand::RngExt;

/// Samples that are generated between two looks at the clock.
const BLOCK: usize = 256;

impl Model {
    /// The WaveNet, and the batch and length of its training step.
    pub(super) fn audio(self) -> Option<(Sizes, usize, usize)> {
        match self {
            Model::Wavenet => Some((Sizes { residual: 32, skip: 128, layers: 10, stacks: 1 }, 2, 8000)),
            Model::Wavenet3x10 => Some((Sizes { residual: 64, skip: 256, layers: 10, stacks: 3 }, 1, 8000)),
            _ => None,
        }
    }
}

/// A WaveNet of 256 codes, conditioned on nothing; a symbol is a sample. Every position is scored, also where silence precedes it.
pub(super) fn audio(
    arguments: &Arguments,
    (sizes, batch, length): (Sizes, usize, usize),
    report: &mut serde_json::Value,
) {
    let (batch, length) = (arguments.batch.unwrap_or(batch), arguments.length.unwrap_or(length));
    let streams = Streams::new(1);
    let conditions = Conditions::default();
    let mut network = WaveNet::<f32>::new(sizes, Input::Codes(CODES), CODES, &conditions, &mut streams.stream("init"));
    let mut data = streams.stream("data");
    let mut draw = |n: usize| -> Vec<u32> { (0..n).map(|_| data.random_range(0..CODES as u32)).collect() };
    match arguments.task {
        Task::Train => {
            let codes = draw(batch * length);
            let loss = |network: &WaveNet<f32>| {
                let outputs = network.outputs(&network.skips(&codes, batch, Condition::default()));
                outputs.permute(&[0, 2, 1]).cross_entropy(&codes)
            };
            train(arguments, &mut network, batch * length, loss, report);
        }
        Task::Generate => {
            round(&mut network, arguments.weights);
            let decoder = Decoder::new(&network);
            let mut memories = vec![decoder.start(&[]); arguments.batch.unwrap_or(1)];
            let mut random = streams.stream("sampling");
            let mut codes = vec![None; memories.len()];
            let mut distribution = Categorical { logits: vec![0.0; CODES] };
            let mut heard = vec![false; CODES];
            let (blocks, seconds) = repeat(arguments.seconds, 8, || {
                for _ in 0..BLOCK {
                    for (memory, code) in memories.iter_mut().zip(&mut codes) {
                        distribution.logits.copy_from_slice(decoder.step(memory, *code, &[]));
                        let next = distribution.sample(&mut random);
                        heard[next as usize] = true;
                        *code = Some(next);
                    }
                }
            });
            assert!(heard.iter().filter(|&&heard| heard).count() > 1, "all samples are the same");
            let samples = blocks * BLOCK * memories.len();
            report["task"] = "generate".into();
            report["steps"] = samples.into();
            report["symbols_per_second"] = (samples as f64 / seconds).into();
        }
        Task::Score | Task::ScoreBySteps => {
            let codes = draw(length);
            let decoder = Decoder::new(&network);
            let mut distribution = Categorical { logits: vec![0.0; CODES] };
            let mut nats = 0.0;
            let (sounds, seconds) = repeat(arguments.seconds, 1, || {
                nats += match arguments.task {
                    Task::Score => no_grad(|| {
                        let outputs = network.outputs(&network.skips(&codes, 1, Condition::default()));
                        f64::from(outputs.permute(&[0, 2, 1]).cross_entropy(&codes).item()) * codes.len() as f64
                    }),
                    _ => {
                        let (mut memory, mut before) = (decoder.start(&[]), None);
                        let one = |&code: &u32| {
                            distribution.logits.copy_from_slice(decoder.step(&mut memory, before, &[]));
                            before = Some(code);
                            -distribution.log_probability(code)
                        };
                        codes.iter().map(one).sum()
                    }
                };
            });
            report["task"] =
                clap::ValueEnum::to_possible_value(&arguments.task).expect("it is shown").get_name().into();
            report["steps"] = (sounds * length).into();
            report["symbols_per_second"] = ((sounds * length) as f64 / seconds).into();
            report["nats_per_symbol"] = (nats / ((sounds + 1) * length) as f64).into();
        }
    }
}
