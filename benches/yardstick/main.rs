//! The work that engines are compared on, done by autoreg: one process, one measurement, one line of JSON.
//!
//! Not a criterion bench: `benches/peers/run` starts it in turn with the same work in other engines. By hand:
//! `cargo bench --bench yardstick -- --task train --model gru-char --seconds 5 --threads 2`.

mod audio;
mod gpt;

use autograd::Tensor;
use autograd::kernels::isa::Isa;
use autograd::kernels::memory::CachingAllocator;
use autograd::nn::Module;
use autograd::optim::{Adam, Decay, Optimizer, Update};
use autograd::random::Streams;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use models::autoregressive::{Autoregressive, Conditional};
use models::distribution::Distribution;
use models::image::decoder::{Decoder as ImageDecoder, Drawing};
use models::image::model::{ImageModel, ModelConfig};
use models::image::network::Architecture;
use models::narrow::{Weights, round};
use models::sampling::{Generator, Options, Sampler};
use models::text::decoder::Decoder;
use models::text::language_model::{Config, LanguageModel};
use rand::RngExt;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: CachingAllocator = CachingAllocator::new();

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Task {
    Train,
    Generate,
    /// The likelihood of a text, in blocks of positions.
    Score,
    /// The same numbers one step at a time.
    ScoreBySteps,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Model {
    GruSeed,
    GruChar,
    GptNano,
    #[value(name = "gpt-6x384")]
    Gpt6x384,
    Pixelcnn,
    Wavenet,
    #[value(name = "wavenet-3x10")]
    Wavenet3x10,
}

impl Model {
    /// The model of text, and the batch and length of its training step; none for what is no text.
    fn text(self) -> Option<(Config, usize, usize)> {
        match self {
            Model::GruSeed => {
                Some((Config { symbols: 10_000, embedding: 128, hidden: 256, ..Config::default() }, 32, 10))
            }
            Model::GruChar => Some((Config { symbols: 65, embedding: 128, hidden: 512, ..Config::default() }, 32, 128)),
            _ => None,
        }
    }
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    task: Task,
    #[arg(long)]
    model: Model,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// B in place of the model's own.
    #[arg(long)]
    batch: Option<usize>,
    /// T in place of the model's own.
    #[arg(long)]
    length: Option<usize>,
    /// The instruction set: avx512, avx2, neon or portable; without it what AUTOREG_ISA names, or the best of this machine.
    #[arg(long)]
    isa: Option<Isa>,
    /// The format that the weights of a generating model are rounded to: f32, bf16 or int8.
    #[arg(long, default_value = "f32", value_parser = weights)]
    weights: Weights,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn weights(name: &str) -> Result<Weights, String> {
    Weights::ALL.into_iter().find(|weights| weights.name() == name).ok_or("it is f32, bf16 or int8".to_owned())
}

/// A line of `/proc/self/status` in MiB; none where there is no such file.
fn memory(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// Calls `unit` until the time is up, after a warm-up; gives the number of calls and the seconds.
fn repeat(seconds: f64, warm_up: usize, mut unit: impl FnMut()) -> (usize, f64) {
    (0..warm_up).for_each(|_| unit());
    let _ = std::fs::write("/proc/self/clear_refs", "5"); // forget the peak so far, where that can be done
    let (mut calls, start) = (0, Instant::now());
    loop {
        unit();
        calls += 1;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= seconds {
            return (calls, elapsed);
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let asked = arguments.isa.map_or_else(Isa::from_environment, |isa| Ok(Some(isa)));
    if let Err(error) = asked.and_then(|isa| isa.unwrap_or_else(Isa::best).force()) {
        Arguments::command().error(ErrorKind::InvalidValue, error).exit();
    }
    let idle = memory("VmRSS");
    rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads)
        .use_current_thread()
        .build_global()
        .expect("the first pool of the process");
    let mut report = serde_json::json!({
        "engine": "autoreg",
        "threads": arguments.threads,
        "isa": Isa::in_use().name(),
        "weights": arguments.weights.name(),
    });
    match (arguments.model.text(), arguments.model.gpt(), arguments.model.audio()) {
        (Some(sizes), ..) => text(&arguments, sizes, &mut report),
        (_, Some(sizes), _) => gpt::gpt(&arguments, sizes, &mut report),
        (.., Some(sizes)) => audio::audio(&arguments, sizes, &mut report),
        _ => image(&arguments, &mut report),
    }
    report["model"] = arguments.model.to_possible_value().expect("it is not skipped").get_name().into();
    report["peak_mib"] = memory("VmHWM").zip(idle).map(|(peak, idle)| peak - idle).into();
    println!("{report}");
}

/// Steps of Adam on one batch again and again, of so many symbols, whose loss `loss` gives.
fn train<M: Module<f32>>(
    arguments: &Arguments,
    model: &mut M,
    symbols: usize,
    loss: impl Fn(&M) -> Tensor<f32>,
    report: &mut serde_json::Value,
) {
    let mut adam = Adam::new(Decay::None);
    let mut losses = Vec::new();
    let (steps, seconds) = repeat(arguments.seconds, 3, || {
        let loss = loss(model);
        losses.push(loss.item());
        let gradients = loss.backward();
        adam.update(model, &gradients, Update { learning_rate: 1e-3, gradient_factor: 1.0 });
    });
    report["task"] = "train".into();
    report["steps"] = steps.into();
    report["symbols_per_second"] = ((steps * symbols) as f64 / seconds).into();
    report["first_loss"] = losses[0].into();
    report["last_loss"] = losses[losses.len() - 1].into();
}

/// A PixelCNN on binary images of 28 × 28. A symbol is an image where whole ones are trained on or scored, and a pixel where they are
/// drawn, one image after the other or a batch of them side by side.
fn image(arguments: &Arguments, report: &mut serde_json::Value) {
    let streams = Streams::new(1);
    let (side, batch) = (28, arguments.batch);
    let config = ModelConfig { model: Architecture::PixelCnn, hidden: 64, layers: 7, head: 128, ..Default::default() };
    let config = ModelConfig { colours: 1, height: side, width: side, levels: 2, ..config };
    let mut model = ImageModel::<f32>::new(&config, &mut streams.stream("init"));
    let mut data = streams.stream("data");
    let levels: Vec<u32> = (0..batch.unwrap_or(16) * config.values()).map(|_| data.random_range(0..2)).collect();
    report["task"] = arguments.task.to_possible_value().expect("it is not skipped").get_name().into();
    match arguments.task {
        Task::Train => {
            let x = model.input(&levels);
            let loss = |model: &ImageModel<f32>| {
                let logits = model.network.forward(&x, None).permute(&[0, 2, 3, 1]);
                logits.cross_entropy(&levels)
            };
            train(arguments, &mut model, levels.len() / config.values(), loss, report);
        }
        Task::Generate => {
            round(&mut model, arguments.weights);
            let (decoder, count) = (ImageDecoder::new(&model), batch.unwrap_or(1));
            let (mut drawn, mut white) = (0, 0);
            let (rounds, seconds) = repeat(arguments.seconds, 1, || {
                let drawing = |i: usize| Drawing::new(None, streams.stream(&format!("image {}", drawn + i)));
                let mut drawings: Vec<Drawing> = (0..count).map(drawing).collect();
                decoder.draw(&mut drawings, &Options::default(), |_| Ok(())).expect("finite weights");
                drawn += count;
                white += drawings.iter().flat_map(|drawing| &drawing.levels).filter(|&&level| level == 1).count();
            });
            let images = (rounds * count) as f64;
            report["steps"] = (rounds * count * config.values()).into();
            report["symbols_per_second"] = (images * config.values() as f64 / seconds).into();
            report["images_per_second"] = (images / seconds).into();
            report["ms_per_image"] = (1e3 * seconds / images).into();
            report["white"] = (white as f64 / (drawn * config.values()) as f64).into();
        }
        Task::Score | Task::ScoreBySteps => {
            let bytes: Vec<u8> = levels.iter().map(|&level| level as u8).collect();
            let images: Vec<&[u32]> = levels.chunks_exact(config.values()).collect();
            let decoder = ImageDecoder::new(&model);
            let given = decoder.given(&None);
            let mut nats = 0.0;
            let (rounds, seconds) = repeat(arguments.seconds, 1, || {
                nats += match arguments.task {
                    Task::Score => model.nats(&bytes, None, &mut |_| ()).iter().sum::<f64>(),
                    _ => images.iter().flat_map(|image| given.nats(&mut given.start(), image)).sum(),
                };
            });
            report["steps"] = (rounds * images.len()).into();
            report["symbols_per_second"] = ((rounds * images.len()) as f64 / seconds).into();
            report["nats_per_symbol"] = (nats / ((rounds + 1) * images.len()) as f64).into();
        }
    }
}

/// A recurrent model of text; a symbol is one of its vocabulary.
fn text(arguments: &Arguments, (config, batch, length): (Config, usize, usize), report: &mut serde_json::Value) {
    let (batch, length) = (arguments.batch.unwrap_or(batch), arguments.length.unwrap_or(length));
    let streams = Streams::new(1);
    let mut model = LanguageModel::<f32>::new(&config, &mut streams.stream("init"));
    match arguments.task {
        Task::Train => {
            let mut data = streams.stream("data");
            let mut draw =
                |n: usize| -> Vec<u32> { (0..n).map(|_| data.random_range(0..config.symbols as u32)).collect() };
            let (inputs, targets) = (draw(batch * length), draw(batch * length));
            let loss = |model: &LanguageModel<f32>| model.forward(&inputs, batch, None, None).0.cross_entropy(&targets);
            train(arguments, &mut model, batch * length, loss, report);
        }
        Task::Generate => {
            round(&mut model, arguments.weights);
            let decoder = Decoder::new(&model);
            let sampler = Sampler::new(Options::default()).expect("the default options are right");
            let mut symbols = Generator::new(&decoder, &[0], sampler, streams.stream("sampling"));
            let block = 64;
            let mut out_of_range = 0;
            let (blocks, seconds) = repeat(arguments.seconds, 8, || {
                let count = |&symbol: &u32| symbol as usize >= config.symbols;
                out_of_range += symbols.by_ref().take(block).filter(count).count();
            });
            assert_eq!(out_of_range, 0, "a generated symbol is out of range");
            report["task"] = "generate".into();
            report["steps"] = (blocks * block).into();
            report["symbols_per_second"] = ((blocks * block) as f64 / seconds).into();
        }
        Task::Score | Task::ScoreBySteps => {
            let decoder = Decoder::new(&model);
            let mut data = streams.stream("data");
            let text: Vec<u32> = (0..1024).map(|_| data.random_range(0..config.symbols as u32)).collect();
            let mut state = decoder.start();
            let mut one = |&symbol: &u32| {
                let nats = -decoder.next(&state).log_probability(symbol);
                decoder.step(&mut state, symbol);
                nats
            };
            let mut carried = decoder.start();
            let mut nats = 0.0;
            let (texts, seconds) = repeat(arguments.seconds, 1, || {
                nats += match arguments.task {
                    Task::Score => decoder.nats(&mut carried, &text).iter().sum::<f64>(),
                    _ => text.iter().map(&mut one).sum(),
                };
            });
            report["task"] = arguments.task.to_possible_value().expect("it is not skipped").get_name().into();
            report["steps"] = (texts * text.len()).into();
            report["symbols_per_second"] = ((texts * text.len()) as f64 / seconds).into();
            report["nats_per_symbol"] = (nats / ((texts + 1) * text.len()) as f64).into();
        }
    }
}
