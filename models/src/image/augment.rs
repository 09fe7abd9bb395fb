//! Pictures of the training part turned and moved by chance, so that a small set teaches more. What is scored is never changed.

use super::draws::{Draws, below};
use super::images::Shape;
use autograd::random::Streams;
use std::borrow::Cow;

/// What may be done to a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augment {
    /// Left and right are exchanged for half of the pictures.
    pub flip: bool,
    /// The picture moves by −shift to shift pixels down and, by itself, to the right; what comes in is 0.
    pub shift: usize,
}

impl Augment {
    /// Whether pictures stay as they are.
    pub fn is_none(self) -> bool {
        self == Augment::default()
    }
}

/// The chance of one epoch, out of the stream `augmentation of epoch N`: three numbers a picture, for the flip, down and right.
#[derive(Clone, Copy, Debug)]
pub struct Augmentation {
    augment: Augment,
    draws: Draws,
}

impl Augmentation {
    /// Of epoch N, from 0.
    pub fn of_epoch(augment: Augment, streams: Streams, epoch: u64) -> Self {
        Augmentation { augment, draws: Draws::new(streams, &format!("augmentation of epoch {epoch}"), 3) }
    }

    /// Picture `image` (H, W, C) as this epoch shows it; `i` is its place among all pictures.
    pub fn apply<'a>(&self, image: &'a [u8], shape: Shape, i: usize) -> Cow<'a, [u8]> {
        if self.augment.is_none() {
            return Cow::Borrowed(image);
        }
        let mut draws = self.draws.of(i);
        let mut next = |bound: usize| below(draws.next().unwrap_or(0), u32::try_from(bound).unwrap_or(u32::MAX));
        let flipped = next(2) == 1 && self.augment.flip;
        // A picture that moves by its whole side is gone already.
        let most = |side: usize| self.augment.shift.min(side);
        let mut moved = |side: usize| next(2 * most(side) + 1) as isize - most(side) as isize;
        let (down, right) = (moved(shape.height), moved(shape.width));
        let mut out = vec![0; image.len()];
        let Shape { height, width, channels } = shape;
        for (at, pixel) in out.chunks_exact_mut(channels).enumerate() {
            let (y, x) = ((at / width).checked_add_signed(-down), (at % width).checked_add_signed(-right));
            let (Some(y), Some(x)) = (y.filter(|&y| y < height), x.filter(|&x| x < width)) else { continue };
            let x = if flipped { width - 1 - x } else { x };
            pixel.copy_from_slice(&image[(y * width + x) * channels..][..channels]);
        }
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const SHAPE: Shape = Shape { height: 3, width: 4, channels: 3 };

    fn image() -> Vec<u8> {
        (1..=SHAPE.values() as u8).collect()
    }

    /// The picture moved, with zeros, by plain loops; `flip` first.
    fn expected(flip: bool, down: isize, right: isize) -> Vec<u8> {
        let image = image();
        let mut out = Vec::new();
        for y in 0..3isize {
            for x in 0..4isize {
                for c in 0..3 {
                    let (y, x) = (y - down, x - right);
                    let inside = (0..3).contains(&y) && (0..4).contains(&x);
                    let x = if flip { 3 - x } else { x };
                    out.push(if inside { image[((y * 4 + x) * 3 + c) as usize] } else { 0 });
                }
            }
        }
        out
    }

    #[test]
    fn every_flip_and_shift_comes_about_as_often_and_nothing_else() {
        let augmentation = Augmentation::of_epoch(Augment { flip: true, shift: 1 }, Streams::new(2), 0);
        let mut found: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        for i in 0..18_000 {
            *found.entry(augmentation.apply(&image(), SHAPE, i).into_owned()).or_default() += 1;
        }
        assert_eq!(found.len(), 2 * 3 * 3);
        for (flip, down, right) in (0..18).map(|i| (i % 2 == 0, i / 2 % 3 - 1, i / 6 - 1)) {
            let times = found[&expected(flip, down, right)];
            assert!((850..1150).contains(&times), "{flip} {down} {right}: {times} of 1000");
        }
    }

    #[test]
    fn a_flip_alone_does_not_move_and_a_shift_alone_does_not_turn() {
        let all = |augment: Augment| {
            let augmentation = Augmentation::of_epoch(augment, Streams::new(2), 0);
            let mut found: Vec<_> = (0..500).map(|i| augmentation.apply(&image(), SHAPE, i).into_owned()).collect();
            found.sort();
            found.dedup();
            found
        };
        let mut flips = vec![expected(false, 0, 0), expected(true, 0, 0)];
        flips.sort();
        assert_eq!(all(Augment { flip: true, shift: 0 }), flips);
        assert_eq!(all(Augment { flip: false, shift: 2 }).len(), 25);
        assert_eq!(all(Augment::default()), [image()]);
    }

    #[test]
    fn an_epoch_shows_a_picture_alike_whenever_it_is_asked_and_the_next_epoch_anew() {
        let augment = Augment { flip: true, shift: 3 };
        let shown = |epoch| -> Vec<Vec<u8>> {
            let augmentation = Augmentation::of_epoch(augment, Streams::new(4), epoch);
            (0..50).rev().map(|i| augmentation.apply(&image(), SHAPE, i).into_owned()).collect()
        };
        assert_eq!(shown(0), shown(0));
        assert_ne!(shown(0), shown(1));
    }

    #[test]
    fn a_shift_beyond_the_picture_or_beyond_all_measure_shows_it_or_nothing() {
        for shift in [4, 100, usize::MAX] {
            let augmentation = Augmentation::of_epoch(Augment { flip: false, shift }, Streams::new(4), 0);
            let blank = (0..200).filter(|&i| augmentation.apply(&image(), SHAPE, i).iter().all(|&v| v == 0)).count();
            assert!((1..200).contains(&blank), "{blank}");
        }
    }
}
