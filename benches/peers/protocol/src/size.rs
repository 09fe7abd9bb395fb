//! The models' sizes, and what the Rust workers know of their data.

use crate::Random;

/// V symbols, embedding C, hidden H, training batch B × T.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub symbols: usize,
    pub embedding: usize,
    pub hidden: usize,
    pub batch: usize,
    pub length: usize,
}

/// V symbols, L blocks of C channels and N heads, training batch B × T, where T is the context.
#[derive(Clone, Copy, Debug)]
pub struct Gpt {
    pub symbols: usize,
    pub width: usize,
    pub heads: usize,
    pub layers: usize,
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
    Gpt(Gpt),
    Image(Image),
}

impl Size {
    pub(crate) fn of(model: &str, batch: Option<usize>, length: Option<usize>) -> Size {
        let text = |symbols, hidden, own: [usize; 2]| {
            let (batch, length) = (batch.unwrap_or(own[0]), length.unwrap_or(own[1]));
            Size::Text(Text { symbols, embedding: 128, hidden, batch, length })
        };
        let gpt = |width, heads, layers, own: [usize; 2]| {
            let (batch, length) = (batch.unwrap_or(own[0]), length.unwrap_or(own[1]));
            Size::Gpt(Gpt { symbols: 65, width, heads, layers, batch, length })
        };
        match model {
            "gru-seed" => text(10_000, 256, [32, 10]),
            "gru-char" => text(65, 512, [32, 128]),
            "gpt-nano" => gpt(128, 4, 4, [12, 64]),
            "gpt-6x384" => gpt(384, 6, 6, [8, 256]),
            "pixelcnn" => {
                assert!(length.is_none(), "--length: {model} has none");
                let batch = batch.unwrap_or(16);
                Size::Image(Image { levels: 2, wide: 128, hidden: 64, blocks: 7, head: 128, side: 28, batch })
            }
            _ => panic!("--model is gru-seed, gru-char, gpt-nano, gpt-6x384 or pixelcnn, not {model:?}"),
        }
    }

    /// V: a generated symbol is below it.
    pub(crate) fn symbols(&self) -> usize {
        match self {
            Size::Text(text) => text.symbols,
            Size::Gpt(gpt) => gpt.symbols,
            Size::Image(image) => image.levels,
        }
    }

    /// What a training step counts: the symbols of its texts, or its images.
    pub(crate) fn symbols_per_step(&self) -> usize {
        match self {
            Size::Text(text) => text.batch * text.length,
            Size::Gpt(gpt) => gpt.batch * gpt.length,
            Size::Image(image) => image.batch,
        }
    }

    /// Steps before the clock runs, of generation.
    pub fn warm_up(&self) -> usize {
        match self {
            Size::Text(_) | Size::Gpt(_) => 100,
            Size::Image(_) => 20,
        }
    }
}

impl Gpt {
    /// The deviation of initial weights, N(0, 0.02²).
    pub const DEVIATION: f64 = 0.02;

    /// That of the weights of what is added to the residual stream.
    pub fn residual_deviation(&self) -> f64 {
        Self::DEVIATION / (2.0 * self.layers as f64).sqrt()
    }

    /// Inputs and targets (B, T) of a random batch.
    pub fn random_batch(&self) -> (Vec<u32>, Vec<u32>) {
        let mut random = Random::new(0);
        let mut row = || -> Vec<u32> { (0..self.length + 1).map(|_| random.symbol(self.symbols)).collect() };
        let rows: Vec<Vec<u32>> = (0..self.batch).map(|_| row()).collect();
        let part = |from: usize| rows.iter().flat_map(|row| &row[from..][..self.length]).copied().collect();
        (part(0), part(1))
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
