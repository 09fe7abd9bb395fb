//! Whole images: drawn from nothing, completed from where they begin, or filled where they have holes.

use super::{Decoder, State, Stepper};
use crate::distribution::{Distribution, not_finite};
use crate::error::Result;
use crate::sampling::{Options, Reshape, Sampler};
use autograd::Scalar;
use autograd::random::Stream;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Most images that are drawn side by side: a weight that was read is used so often, and the products of a layer are as fast as they get.
const TOGETHER: usize = 16;

/// Most images of which the past is remembered at a time.
pub const AT_A_TIME: usize = 256;

/// An image to be drawn, and as much of it as is drawn.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Its levels in raster order, colours innermost.
    pub levels: Vec<u32>,
    class: Option<u32>,
    known: Vec<Option<u32>>,
    chance: Stream,
}

impl Drawing {
    /// An image of a class, or of a network without classes. All that is chance in it comes from the stream, whatever is drawn beside it.
    pub fn new(class: Option<u32>, chance: Stream) -> Self {
        Drawing { levels: Vec::new(), class, known: Vec::new(), chance }
    }

    /// With these levels to begin with: the rest is drawn from the model's distribution of what follows them.
    pub fn beginning_with(self, levels: &[u32]) -> Self {
        Drawing { known: levels.iter().copied().map(Some).collect(), ..self }
    }

    /// With these levels where they are given, whatever the model thinks of them there. **Approximate**, where something unknown comes
    /// before something known: what is drawn then fits what comes before it, and knows nothing of what comes after.
    pub fn clamped_to(self, known: Vec<Option<u32>>) -> Self {
        Drawing { known, ..self }
    }

    /// Whether it is drawn from the model's distribution given all that is known: where that is a beginning.
    pub fn is_exact(&self) -> bool {
        first_after_a_hole(&self.known).is_none()
    }

    /// The level of a sub-pixel, where it is drawn or was known from the first.
    pub fn level(&self, at: usize) -> Option<u32> {
        self.levels.get(at).copied().or_else(|| self.known.get(at).copied().flatten())
    }
}

/// The first that is known though one before it is not: without any, what is known is a beginning.
pub fn first_after_a_hole(known: &[Option<u32>]) -> Option<usize> {
    let hole = known.iter().position(Option::is_none)?;
    known[hole..].iter().position(Option::is_some).map(|after| hole + after)
}

impl<T: Scalar> Decoder<T> {
    /// Draws images to their ends. The images of a batch go through the network side by side, batches on all cores; an image has the
    /// same levels whatever it is drawn beside. `row_done` sees all of them whenever another row of some is whole.
    ///
    /// # Errors
    /// If the options make no sense, or the network gives no distribution; those of `row_done`, which so ends it.
    ///
    /// # Panics
    /// If a level or class is none of the model's.
    pub fn draw(
        &self,
        drawings: &mut [Drawing],
        options: &Options,
        row_done: impl FnMut(&[Drawing]) -> Result<()>,
    ) -> Result<()> {
        self.stepper.draw(drawings, options, row_done)
    }
}

impl<T: Scalar> Stepper<T> {
    fn draw(
        &self,
        drawings: &mut [Drawing],
        options: &Options,
        mut row_done: impl FnMut(&[Drawing]) -> Result<()>,
    ) -> Result<()> {
        let sampler = Sampler::new(options.clone())?;
        for first in (0..drawings.len()).step_by(AT_A_TIME) {
            let these = first..drawings.len().min(first + AT_A_TIME);
            let mut states: Vec<State<T>> =
                drawings[these.clone()].iter().map(|drawing| self.start_of(drawing.class)).collect();
            let mut samplers = vec![sampler.clone(); states.len()];
            let batch = states.len().div_ceil(rayon::current_num_threads()).min(TOGETHER);
            for _ in 0..self.config.height {
                // The first sub-pixel of which there is no distribution, of all batches.
                let unsound = AtomicUsize::new(usize::MAX);
                let batches = drawings[these.clone()].par_chunks_mut(batch).zip(states.par_chunks_mut(batch));
                batches.zip(samplers.par_chunks_mut(batch)).for_each(|((drawings, states), samplers)| {
                    if let Err(at) = self.draw_row(drawings, states, samplers) {
                        unsound.fetch_min(at, Relaxed);
                    }
                });
                match unsound.into_inner() {
                    usize::MAX => row_done(drawings)?,
                    at => return Err(not_finite(at + 1)),
                }
            }
        }
        Ok(())
    }

    /// A row of a batch of images; fails with the sub-pixel that has no distribution.
    fn draw_row(
        &self,
        drawings: &mut [Drawing],
        states: &mut [State<T>],
        samplers: &mut [Sampler],
    ) -> std::result::Result<(), usize> {
        let mut levels = Vec::with_capacity(states.len());
        for _ in 0..self.config.width * self.config.colours {
            levels.clear();
            for ((drawing, state), sampler) in drawings.iter_mut().zip(&*states).zip(&mut *samplers) {
                let at = drawing.levels.len();
                let level = match drawing.known.get(at).copied().flatten() {
                    Some(level) => {
                        state.distribution.note(sampler, level);
                        level
                    }
                    None if !state.distribution.is_sound() => return Err(at),
                    None => state.distribution.draw(sampler, &mut drawing.chance),
                };
                drawing.levels.push(level);
                levels.push(level);
            }
            self.step_together(states, &levels);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::each;
    use super::*;
    use crate::autoregressive::{Autoregressive, Conditional};
    use crate::sampling::Generator;
    use autograd::random::Streams;

    fn chance(i: usize) -> Stream {
        Streams::new(3).stream(&format!("image {i}"))
    }

    fn drawings(count: usize, class: Option<u32>) -> Vec<Drawing> {
        (0..count).map(|i| Drawing::new(class, chance(i))).collect()
    }

    fn draw<T: Scalar>(decoder: &Decoder<T>, mut drawings: Vec<Drawing>) -> Vec<Vec<u32>> {
        decoder.draw(&mut drawings, &Options::default(), |_| Ok(())).unwrap();
        drawings.into_iter().map(|drawing| drawing.levels).collect()
    }

    #[test]
    fn an_image_is_the_same_alone_among_others_and_by_the_general_generator() {
        each::<f32>(|decoder, class, _| {
            let together = draw(decoder, drawings(35, class));
            for i in [0, 1, 17, 34] {
                let alone = draw(decoder, vec![Drawing::new(class, chance(i))]);
                assert_eq!(together[i..=i], alone);
                let given = decoder.given(&class);
                let sampler = Sampler::new(Options::default()).unwrap();
                let generated: Vec<u32> = Generator::new(&given, &[], sampler, chance(i)).collect();
                assert_eq!(alone, [generated]);
            }
            assert_eq!(together[0].len(), decoder.given(&class).length().unwrap());
            assert_ne!(together[0], together[1]);
        });
    }

    #[test]
    fn an_image_does_not_depend_on_the_number_of_threads() {
        each::<f32>(|decoder, class, _| {
            let by = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let (stepper, mut images) = (&decoder.stepper, drawings(9, class));
                pool.install(|| stepper.draw(&mut images, &Options::default(), |_| Ok(()))).unwrap();
                images.into_iter().map(|drawing| drawing.levels).collect::<Vec<_>>()
            };
            let one = by(1);
            for threads in [2, 3, 8] {
                assert!(by(threads) == one, "{threads} threads");
            }
        });
    }

    #[test]
    fn what_an_image_begins_with_is_kept_and_the_rest_follows_it() {
        each::<f32>(|decoder, class, image| {
            let known = image.len() / 2;
            let drawing = || Drawing::new(class, chance(0)).beginning_with(&image[..known]);
            assert!(drawing().is_exact());
            let completed = draw(decoder, vec![drawing()]).swap_remove(0);
            assert_eq!(completed[..known], image[..known]);
            let given = decoder.given(&class);
            let sampler = Sampler::new(Options::default()).unwrap();
            let rest: Vec<u32> = Generator::new(&given, &image[..known], sampler, chance(0)).collect();
            assert_eq!(completed[known..], rest);
        });
    }

    #[test]
    fn holes_are_filled_around_what_is_known_and_said_to_be_approximate() {
        each::<f32>(|decoder, class, image| {
            let known: Vec<Option<u32>> = image.iter().enumerate().map(|(i, &x)| (i % 3 == 1).then_some(x)).collect();
            let drawing = Drawing::new(class, chance(0)).clamped_to(known.clone());
            assert!(!drawing.is_exact());
            assert_eq!((drawing.level(0), drawing.level(1)), (None, Some(image[1])));
            let filled = draw(decoder, vec![drawing]).swap_remove(0);
            assert!(filled.iter().zip(&known).all(|(x, known)| known.is_none_or(|known| known == *x)));
        });
    }

    #[test]
    fn what_is_known_after_a_hole_is_found() {
        let known = |word: &str| word.chars().map(|c| (c == 'x').then_some(0)).collect::<Vec<Option<u32>>>();
        for (word, found) in
            [("", None), ("xx", None), ("xx..", None), ("..", None), ("..x", Some(2)), ("x.xx.", Some(2))]
        {
            assert_eq!(first_after_a_hole(&known(word)), found, "{word}");
        }
    }

    #[test]
    fn the_images_are_shown_after_every_row() {
        each::<f64>(|decoder, class, _| {
            let (mut images, mut seen) = (drawings(3, class), Vec::new());
            decoder
                .draw(&mut images, &Options::default(), |images| {
                    seen.push(images[2].levels.len());
                    Ok(())
                })
                .unwrap();
            let row = decoder.stepper.config.width * decoder.stepper.config.colours;
            assert_eq!(seen, (1..=decoder.stepper.config.height).map(|rows| rows * row).collect::<Vec<_>>());
        });
    }
}
