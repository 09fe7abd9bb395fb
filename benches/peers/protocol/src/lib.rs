//! What the Rust workers share: the models' sizes, the arguments, the clock, the memory meter, the line they print.
//!
//! Not a worker, and not the driver (`run.py`). The twin of `measuring.py`; the protocol is described in `README.md`.
//! A little longer than one sitting: it is all that two workers share.

use std::time::Instant;

pub const LEARNING_RATE: f64 = 1e-3;
pub const BETA_1: f64 = 0.9;
pub const BETA_2: f64 = 0.999;
pub const EPSILON: f64 = 1e-8;

/// V symbols, embedding C, hidden H, training batch B × T.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub symbols: usize,
    pub embedding: usize,
    pub hidden: usize,
    pub batch: usize,
    pub length: usize,
}

/// Pixels of V levels, channels C between the blocks and H inside them, training batch B.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    pub levels: usize,
    pub wide: usize,
    pub hidden: usize,
    pub blocks: usize,
    pub head: usize,
    pub side: usize,
    pub batch: usize,
}

/// A model of the comparison, by its kind.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    Text(Text),
    Image(Image),
}

impl Size {
    fn of(model: &str, batch: Option<usize>, length: Option<usize>) -> Size {
        let text = |symbols, hidden, own: [usize; 2]| {
            let (batch, length) = (batch.unwrap_or(own[0]), length.unwrap_or(own[1]));
            Size::Text(Text { symbols, embedding: 128, hidden, batch, length })
        };
        match model {
            "gru-seed" => text(10_000, 256, [32, 10]),
            "gru-char" => text(65, 512, [32, 128]),
            "pixelcnn" => {
                assert!(length.is_none(), "--length: {model} has none");
                let batch = batch.unwrap_or(16);
                Size::Image(Image { levels: 2, wide: 128, hidden: 64, blocks: 7, head: 128, side: 28, batch })
            }
            _ => panic!("--model is gru-seed, gru-char or pixelcnn, not {model:?}"),
        }
    }

    /// V: a generated symbol is below it.
    fn symbols(&self) -> usize {
        match self {
            Size::Text(text) => text.symbols,
            Size::Image(image) => image.levels,
        }
    }

    /// What a training step counts: the symbols of its texts, or its images.
    fn symbols_per_step(&self) -> usize {
        match self {
            Size::Text(text) => text.batch * text.length,
            Size::Image(image) => image.batch,
        }
    }

    /// Steps before the clock runs, of generation.
    pub fn warm_up(&self) -> usize {
        match self {
            Size::Text(_) => 100,
            Size::Image(_) => 20,
        }
    }
}

impl Image {
    pub fn pixels(&self) -> usize {
        self.side * self.side
    }

    /// A level scaled to −1 … 1.
    pub fn scaled(&self, level: u32) -> f32 {
        level as f32 * (2.0 / (self.levels - 1) as f32) - 1.0
    }

    /// A random batch: its levels, and these scaled.
    pub fn random_batch(&self) -> (Vec<u32>, Vec<f32>) {
        let mut random = Random::new(0);
        let levels: Vec<u32> = (0..self.batch * self.pixels()).map(|_| random.symbol(self.levels)).collect();
        let scaled = levels.iter().map(|&level| self.scaled(level)).collect();
        (levels, scaled)
    }

    /// The mask of a kernel: 1 in the rows above its centre and left of it, and `with_centre` (mask B) at the centre.
    pub fn mask(kernel: usize, with_centre: bool) -> Vec<f32> {
        let seen = kernel * kernel / 2 + usize::from(with_centre);
        (0..kernel * kernel).map(|place| f32::from(u8::from(place < seen))).collect()
    }
}

/// Images pixel by pixel, one after the other.
pub struct Pixels {
    size: Image,
    random: Random,
    weights: Vec<f32>,
    values: Vec<f32>,
    place: usize,
}

impl Pixels {
    pub fn new(size: Image) -> Pixels {
        Pixels { size, random: Random::new(0), weights: Vec::new(), values: vec![0.0; size.pixels()], place: 0 }
    }

    /// The next pixel; `logits` gives those of all pixels, (V, side · side), from the image so far.
    pub fn next<E>(&mut self, logits: impl FnOnce(&[f32]) -> Result<Vec<f32>, E>) -> Result<u32, E> {
        if self.place == self.values.len() {
            self.values.fill(0.0);
            self.place = 0;
        }
        let of_all = logits(&self.values)?;
        let of_pixel: Vec<f32> = of_all.iter().skip(self.place).step_by(self.values.len()).copied().collect();
        let level = self.random.sample(&of_pixel, &mut self.weights);
        self.values[self.place] = self.size.scaled(level);
        self.place += 1;
        Ok(level)
    }
}

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
