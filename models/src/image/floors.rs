//! Classical floors of pictures: what counting achieves before any network is trained. A model that is worse has learned nothing.
//!
//! Each floor is a table of counts n(c, s): how often symbol s stood where the context was c, in the training part. A symbol then
//! has the probability
//!
//! `p(s | c) = (n(c, s) + α) / (n(c) + α V)`, V the number of levels.
//!
//! | floor | of | context | symbol | α |
//! | --- | --- | --- | --- | --- |
//! | `uniform` | all | none | the level; every one is 1/V | |
//! | `pixel` | two levels, grey | the place (y, x) | the level | ½ |
//! | `context_16` | two levels, grey | 16 pixels before: see below | the level | ½ |
//! | `context_8_and_place` | two levels, grey | 8 pixels before, and the place | the level | ½ |
//! | `histogram` | all other | the channel | the level | 1 |
//! | `left` | all other | the channel, and its level in the neighbour | the level | 1 |
//! | `left_residual` | all other | the channel | level − level of the neighbour, modulo V | 1 |
//! | `left_residual_of_differences` | all other, RGB | the channel | as before, of R, G − R and B − G, modulo V | 1 |
//!
//! The neighbour is the pixel to the left; in the first column the one above; of the first pixel 0. The pixels before `·`, with 0 for
//! those outside the picture:
//!
//! ```text
//! context_16          x            context_8_and_place
//!               x x x x x                    x
//!             x x x x x x x              x x x x x
//!             x x x ·                    x x ·
//! ```
//!
//! ½ is the estimate of Krichevsky and Trofimov. What a residual is of stands before its pixel, so each floor is a distribution over
//! pictures and comparable with a model's likelihood.
//!
//! Source: Krichevsky & Trofimov 1981, "The performance of universal encoding".

use super::images::Shape;
use super::quantized::Quantized;
use crate::error::{Error, Kind, Result};
use crate::evaluation::Floor;
use std::f64::consts::LN_2;

/// Context and symbol of the value at a place of a picture.
type Context<'a> = &'a dyn Fn(&[u8], usize) -> (usize, usize);

/// Pixels before the one that is predicted, as rows up and columns to the right.
type Before = [(usize, isize)];

const BEFORE_16: [(usize, isize); 16] = [
    (3, 0),
    (2, -2),
    (2, -1),
    (2, 0),
    (2, 1),
    (2, 2),
    (1, -3),
    (1, -2),
    (1, -1),
    (1, 0),
    (1, 1),
    (1, 2),
    (1, 3),
    (0, -3),
    (0, -2),
    (0, -1),
];

const BEFORE_8: [(usize, isize); 8] = [(2, 0), (1, -2), (1, -1), (1, 0), (1, 1), (1, 2), (0, -2), (0, -1)];

/// The largest table that is counted; a floor that needs a larger one is left out, as its counts would be few.
const MOST_COUNTS: usize = 1 << 26;

/// The mean negative log-likelihood of pictures under models that only count.
#[derive(Clone, Debug, PartialEq)]
pub struct Floors {
    shape: Shape,
    nats: Vec<(&'static str, f64)>,
}

impl Floors {
    /// Counts the pictures of `train` and scores those of `scored`.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if either is empty: there is nothing to count, or nothing to score.
    ///
    /// # Panics
    /// If they differ in shape or levels.
    #[track_caller]
    pub fn measure(train: &Quantized, scored: &Quantized) -> Result<Self> {
        assert_eq!((train.shape(), train.levels()), (scored.shape(), scored.levels()), "pictures of one kind");
        if train.is_empty() || scored.is_empty() {
            let part = if train.is_empty() { "training" } else { "evaluated" };
            return Err(Error::new(Kind::BadInput, "cannot compute the classical floors")
                .cause(format!("the {part} part of the pictures is empty"))
                .help("give more pictures, or another split"));
        }
        let (shape, levels) = (train.shape(), train.levels());
        let Shape { height, width, channels } = shape;
        let mut nats = vec![("uniform", shape.values() as f64 * (levels as f64).ln())];
        let mut floor = |name, table: Table, context: Context| {
            if table.fits() {
                nats.push((name, table.nats_per_image(train, scored, context)));
            }
        };
        if levels == 2 && channels == 1 {
            let places = height * width;
            let kt = |contexts| Table { contexts, symbols: 2, alpha: 0.5 };
            let bits = |before: &Before, image: &[u8], at: usize| {
                before.iter().fold(0, |bits, &place| bits << 1 | pixel_before(image, at, width, place))
            };
            floor("pixel", kt(places), &|image, at| (at, image[at].into()));
            floor("context_16", kt(1 << 16), &|image, at| (bits(&BEFORE_16, image, at), image[at].into()));
            floor("context_8_and_place", kt(places.saturating_mul(1 << 8)), &|image, at| {
                (at << 8 | bits(&BEFORE_8, image, at), image[at].into())
            });
        } else {
            let plus_one = |contexts| Table { contexts, symbols: levels, alpha: 1.0 };
            let minus = |x: usize, y: usize| (x + levels - y) % levels;
            // Of a channel its difference to the one before.
            let difference = |image: &[u8], at: usize| {
                let before = if at.is_multiple_of(channels) { 0 } else { image[at - 1].into() };
                minus(image[at].into(), before)
            };
            let neighbour = |at: usize| neighbour(at, width, channels);
            let left = |image: &[u8], at: usize| neighbour(at).map_or(0, |left| usize::from(image[left]));
            floor("histogram", plus_one(channels), &|image, at| (at % channels, image[at].into()));
            floor("left", plus_one(channels * levels), &|image, at| {
                (at % channels * levels + left(image, at), image[at].into())
            });
            floor("left_residual", plus_one(channels), &|image, at| {
                (at % channels, minus(image[at].into(), left(image, at)))
            });
            if channels == 3 {
                floor("left_residual_of_differences", plus_one(channels), &|image, at| {
                    let left = neighbour(at).map_or(0, |left| difference(image, left));
                    (at % channels, minus(difference(image, at), left))
                });
            }
        }
        Ok(Floors { shape, nats })
    }

    /// Name and nats per picture of each floor, from the crudest.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.nats.iter().copied()
    }

    /// Name and bits per dimension of each: nats per picture over `H · W · C · ln 2`.
    pub fn bits_per_dimension(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.iter().map(|(name, nats)| (name, nats / (self.shape.values() as f64 * LN_2)))
    }

    /// The floors in nats per symbol, a value of a channel of a pixel, as every family lists them.
    pub fn list(&self) -> Vec<Floor> {
        let values = self.shape.values() as f64;
        self.iter().map(|(name, nats)| Floor { name: name.to_owned(), nats: nats / values }).collect()
    }

    /// The lowest floor in nats per picture: the one a model has to beat.
    pub fn best(&self) -> (&'static str, f64) {
        let lower = |best: (&'static str, f64), floor: (&'static str, f64)| if floor.1 < best.1 { floor } else { best };
        self.iter().reduce(lower).unwrap_or(("uniform", f64::INFINITY))
    }
}

/// The level of a grey picture `(up, right)` from pixel `at`, 0 outside.
fn pixel_before(image: &[u8], at: usize, width: usize, (up, right): (usize, isize)) -> usize {
    let column = (at % width).checked_add_signed(right).filter(|&column| column < width);
    let row = (at / width).checked_sub(up);
    column.zip(row).map_or(0, |(column, row)| image[row * width + column].into())
}

/// Where the same channel of the neighbour stands; the first pixel has none.
fn neighbour(at: usize, width: usize, channels: usize) -> Option<usize> {
    let first_column = (at / channels).is_multiple_of(width);
    at.checked_sub(if first_column { width * channels } else { channels })
}

/// Counts of symbols in contexts.
struct Table {
    contexts: usize,
    symbols: usize,
    alpha: f64,
}

impl Table {
    fn fits(&self) -> bool {
        self.contexts.checked_mul(self.symbols).is_some_and(|counts| counts <= MOST_COUNTS)
    }

    /// `−1/N Σ ln p(s | c)` over all values of the N scored pictures.
    fn nats_per_image(&self, train: &Quantized, scored: &Quantized, context: Context) -> f64 {
        let count = |images: &Quantized| {
            let mut counts = vec![0u64; self.contexts * self.symbols];
            for image in (0..images.len()).map(|i| images.image(i)) {
                for at in 0..image.len() {
                    let (context, symbol) = context(image, at);
                    counts[context * self.symbols + symbol] += 1;
                }
            }
            counts
        };
        // What is scored is counted as well: equal terms of the sum are taken together.
        let (seen, scored_counts) = (count(train), count(scored));
        let rows = seen.chunks_exact(self.symbols).zip(scored_counts.chunks_exact(self.symbols));
        let nats = rows.map(|(seen, scored)| {
            let total = seen.iter().sum::<u64>() as f64 + self.alpha * self.symbols as f64;
            let one = |(&n, &times): (&u64, &u64)| match times {
                0 => 0.0,
                times => times as f64 * (total / (n as f64 + self.alpha)).ln(),
            };
            seen.iter().zip(scored).map(one).sum::<f64>()
        });
        nats.sum::<f64>() / scored.len() as f64
    }
}

#[cfg(test)]
#[path = "floors_tests.rs"]
mod tests;
