//! What the Rust workers share: the models' sizes, the arguments, the clock, the memory meter, the line they print.
//!
//! Not a worker, and not the driver (`run.py`). The twin of `measuring.py`; the protocol is described in `README.md`.

mod size;

pub use size::{Gpt, Image, Pixels, Size, Text};

use std::time::Instant;

pub const LEARNING_RATE: f64 = 1e-3;
pub const BETA_1: f64 = 0.9;
pub const BETA_2: f64 = 0.999;
pub const EPSILON: f64 = 1e-8;

/// The worker's command line.
#[derive(Clone, Debug)]
pub struct Options {
    pub task: String,
    pub model: String,
    pub seconds: f64,
    pub threads: usize,
    pub size: Size,
}

impl Options {
    /// Reads `--task --model --seconds --threads [--batch --length]`; panics on anything else.
    pub fn from_arguments() -> Options {
        let (mut task, mut model, mut seconds, mut threads) = (String::new(), String::new(), 5.0, 2);
        let (mut batch, mut length) = (None, None);
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{name} wants a value"));
            let number = || value.parse::<usize>().unwrap_or_else(|_| panic!("{name}: {value} is not a number"));
            match name.as_str() {
                "--task" => task = value,
                "--model" => model = value,
                "--seconds" => seconds = value.parse().expect("--seconds wants a number"),
                "--threads" => threads = number(),
                "--batch" => batch = Some(number()),
                "--length" => length = Some(number()),
                _ => panic!("unknown option {name}"),
            }
        }
        let size = Size::of(&model, batch, length);
        Options { task, model, seconds, threads, size }
    }
}

/// A line of `/proc/self/status` in MiB, where there is such a file.
fn resident(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Counts units of work until the time is up, and remembers memory. Made at the start of `main`.
pub struct Meter {
    seconds: f64,
    idle: Option<f64>,
}

/// The timed part: how many units, how many seconds.
pub struct Timed {
    pub steps: usize,
    pub seconds: f64,
}

impl Meter {
    pub fn new(seconds: f64) -> Meter {
        Meter { seconds, idle: resident("VmRSS:") }
    }

    /// Calls `unit` `warm_up` times, then until the time is up.
    pub fn run(&self, mut unit: impl FnMut(), warm_up: usize) -> Timed {
        for _ in 0..warm_up {
            unit();
        }
        // Forget the peak of starting up: what counts is the peak of the work.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let start = Instant::now();
        let mut steps = 0;
        loop {
            unit();
            steps += 1;
            let seconds = start.elapsed().as_secs_f64();
            if seconds >= self.seconds {
                return Timed { steps, seconds };
            }
        }
    }

    fn peak(&self) -> String {
        match (resident("VmHWM:"), self.idle) {
            (Some(highest), Some(idle)) => format!("{:.1}", highest - idle),
            _ => "null".to_string(),
        }
    }
}

fn print(engine: &str, version: &str, options: &Options, meter: &Meter, timed: &Timed, symbols: usize, losses: &str) {
    println!(
        "{{\"engine\": \"{engine}\", \"version\": \"{version}\", \"task\": \"{}\", \"model\": \"{}\", \"threads\": {}, \
         \"symbols_per_second\": {:.1}, \"steps\": {}, \"milliseconds_per_step\": {:.3}, \"peak_mib\": {}, {losses}}}",
        options.task,
        options.model,
        options.threads,
        symbols as f64 / timed.seconds,
        timed.steps,
        timed.seconds / timed.steps as f64 * 1e3,
        meter.peak(),
    );
}

/// Checks that the loss on the repeated batch is finite and fell, then prints the line.
pub fn report_training(
    engine: &str,
    version: &str,
    options: &Options,
    meter: &Meter,
    timed: &Timed,
    first: f32,
    last: f32,
) {
    assert!(first.is_finite() && last.is_finite(), "a loss is not finite: {first}, {last}");
    assert!(last < first, "the loss on a repeated batch did not fall: {first} → {last}");
    let symbols = timed.steps * options.size.symbols_per_step();
    let losses = format!("\"first_loss\": {first}, \"last_loss\": {last}");
    print(engine, version, options, meter, timed, symbols, &losses);
}

/// Checks that every generated symbol is one of the V, and that they are not all the same, then prints the line.
pub fn report_generation(
    engine: &str,
    version: &str,
    options: &Options,
    meter: &Meter,
    timed: &Timed,
    generated: &[u32],
) {
    assert!(
        generated.iter().all(|&symbol| (symbol as usize) < options.size.symbols()),
        "a generated symbol is out of range"
    );
    assert!(generated.iter().any(|symbol| symbol != &generated[0]), "every generated symbol is the same");
    print(engine, version, options, meter, timed, timed.steps, "\"first_loss\": null, \"last_loss\": null");
}

/// A small generator (xorshift64*): the symbols need be random, not good.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Uniform on [0, 1).
    pub fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn symbol(&mut self, below: usize) -> u32 {
        ((self.uniform() * below as f32) as usize).min(below - 1) as u32
    }

    /// The index drawn from softmax(logits): where the running sum of exp passes a uniform part of its total.
    pub fn sample(&mut self, logits: &[f32], weights: &mut Vec<f32>) -> u32 {
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        weights.clear();
        weights.extend(logits.iter().map(|x| (x - highest).exp()));
        let wanted = self.uniform() * weights.iter().sum::<f32>();
        let mut sum = 0.0;
        for (index, weight) in weights.iter().enumerate() {
            sum += weight;
            if sum > wanted {
                return index as u32;
            }
        }
        weights.len() as u32 - 1
    }
}
