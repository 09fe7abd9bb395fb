//! Pictures as a model reads them: whole numbers below the number of levels. Files and classes stand in [`crate::image::images`].

use super::draws::Draws;
use super::images::{Images, Shape};
use autograd::random::Streams;

/// The most levels that a byte distinguishes.
pub const MOST_LEVELS: usize = 256;

/// The level of a byte among `levels`, 2 to 256: `⌊value · levels / 256⌋`. Of two levels, 128 and above is 1.
pub fn level(value: u8, levels: usize) -> u8 {
    (value as usize * levels / 256) as u8
}

/// The byte that shows a level: 0 is black, the highest white, the others evenly between: `⌈255 · level / (levels − 1)⌉`, rounded
/// up so that its [`level`] is the level again.
pub fn shown(level: u8, levels: usize) -> u8 {
    (level as usize * 255).div_ceil(levels - 1) as u8
}

/// Pictures of one size in levels, below `levels` each.
///
/// # Shapes
/// The levels lie as in [`Images`]: (N, H, W, C).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantized {
    shape: Shape,
    levels: usize,
    values: Vec<u8>,
}

impl Quantized {
    /// Levels that are there already.
    ///
    /// # Panics
    /// Unless `levels` is 2 to 256, every value below it, and the values whole pictures.
    #[track_caller]
    pub fn new(shape: Shape, levels: usize, values: Vec<u8>) -> Self {
        assert!((2..=MOST_LEVELS).contains(&levels), "{levels} levels");
        assert!(values.iter().all(|&value| usize::from(value) < levels), "a level is not below {levels}");
        assert!(shape.values() > 0 && values.len().is_multiple_of(shape.values()), "no whole pictures of {shape}");
        Quantized { shape, levels, values }
    }

    /// All pictures at `levels` levels ([`level`]).
    ///
    /// # Panics
    /// Unless `levels` is 2 to 256.
    #[track_caller]
    pub fn of(images: &Images, levels: usize) -> Self {
        Self::new(images.shape(), levels, images.values().iter().map(|&value| level(value, levels)).collect())
    }

    /// All pictures in black and white by chance: a value v is 1 with probability v/255, anew for each picture and place.
    pub fn by_chance(images: &Images, chance: &Binarization) -> Self {
        let values = (0..images.len()).flat_map(|i| chance.apply(images.image(i), i)).collect();
        Self::new(images.shape(), 2, values)
    }

    /// How many pictures.
    pub fn len(&self) -> usize {
        self.values.len() / self.shape.values()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The size of each.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How many levels a value distinguishes.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// (N, H, W, C).
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// (H, W, C) of picture `i`.
    ///
    /// # Panics
    /// If there is no such picture.
    #[track_caller]
    pub fn image(&self, i: usize) -> &[u8] {
        &self.values[i * self.shape.values()..][..self.shape.values()]
    }
}

/// Black and white by chance, out of one named stream: `binarization of epoch N` in training, `binarization of the validation part`
/// and `… test part` where a part is scored.
///
/// Source: Salakhutdinov & Murray 2008, "On the quantitative analysis of deep belief networks"; drawn anew each epoch it is
/// called dynamic binarization.
#[derive(Clone, Copy, Debug)]
pub struct Binarization(Draws);

impl Binarization {
    /// Of epoch N, from 0, for pictures of this size.
    pub fn of_epoch(streams: Streams, epoch: u64, shape: Shape) -> Self {
        Self::named(streams, &format!("binarization of epoch {epoch}"), shape)
    }

    /// Of a stream of any name.
    pub fn named(streams: Streams, name: &str, shape: Shape) -> Self {
        Binarization(Draws::new(streams, name, shape.values()))
    }

    /// The 0 and 1 of a picture; `i` is its place among all pictures. A value of 0 is always 0, one of 255 always 1.
    pub fn apply(&self, image: &[u8], i: usize) -> impl Iterator<Item = u8> {
        // draw / 2³² < value / 255, without a division.
        image.iter().zip(self.0.of(i)).map(|(&value, draw)| u8::from(u64::from(draw) * 255 < u64::from(value) << 32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { height: 4, width: 5, channels: 1 };

    #[test]
    fn levels_divide_the_bytes_evenly_and_show_as_bytes_of_that_level() {
        for levels in 2..=256 {
            let count = |wanted: u8| (0..=255).filter(|&value| level(value, levels) == wanted).count();
            let counts: Vec<usize> = (0..levels).map(|wanted| count(wanted as u8)).collect();
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(*least >= 1 && most - least <= 1, "{levels}: {counts:?}");
            assert!(
                (0..levels).all(|wanted| level(shown(wanted as u8, levels), levels) as usize == wanted),
                "{levels}"
            );
            assert_eq!((shown(0, levels), shown((levels - 1) as u8, levels)), (0, 255));
        }
        assert!((0..=255).all(|value| level(value, 2) == u8::from(value >= 128) && level(value, 256) == value));
    }

    #[test]
    fn chance_follows_the_brightness_and_black_and_white_are_certain() {
        let shape = Shape { height: 100, width: 100, channels: 1 };
        for value in [0u8, 1, 64, 200, 254, 255] {
            let images = Images::new(shape, vec![value; shape.values()]);
            let ones = Quantized::by_chance(&images, &Binarization::of_epoch(Streams::new(1), 0, shape));
            let share = ones.values().iter().map(|&v| f64::from(v)).sum::<f64>() / 1e4;
            let p = f64::from(value) / 255.0;
            assert!((share - p).abs() <= 5.0 * (p * (1.0 - p) / 1e4).sqrt(), "{value}: {share}");
        }
    }

    #[test]
    fn each_epoch_draws_anew_and_a_picture_alone_as_among_all() {
        let images = Images::new(SHAPE, (0..60).map(|i| i as u8 * 4).collect());
        let all = |epoch| {
            let chance = Binarization::of_epoch(Streams::new(7), epoch, SHAPE);
            let whole = Quantized::by_chance(&images, &chance);
            assert!(chance.apply(images.image(2), 2).eq(whole.image(2).iter().copied()));
            whole
        };
        assert_eq!(all(0), all(0));
        assert_ne!(all(0), all(1));
    }

    #[test]
    #[should_panic(expected = "a level is not below 3")]
    fn a_level_beyond_all_levels_is_a_mistake_of_the_caller() {
        Quantized::new(SHAPE, 3, vec![3; 20]);
    }
}
