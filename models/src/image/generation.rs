//! What is asked of a model of images, drawn; and what is drawn as one picture. How images are drawn stands in [`super::decoder`].

use super::decoder::{Decoder, Drawing, first_after_a_hole};
use super::images::Shape;
use super::model::ImageModel;
use super::png;
use super::quantized::{level, shown};
use crate::autoregressive::Conditional;
use crate::decoding::Cost;
use crate::decoding::jacobi::Jacobi;
use crate::error::{Error, Kind, Result};
use crate::memory::Needs;
use crate::sampling::{Generator, Options, Sampler};
use autograd::random::Streams;

/// What is asked of a model of images.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// How many images.
    pub images: usize,
    /// The class of each; where none is asked for, image after image the next class of those that the model is told.
    pub class: Option<u32>,
    /// The levels that every image keeps, where they are known; the rest is drawn. What lies beyond the last is not known.
    pub known: &'a [Option<u32>],
    /// How each sub-pixel is chosen.
    pub options: Options,
    /// Of the random streams `image N`.
    pub seed: u64,
}

impl Request<'_> {
    /// The first sub-pixel that is kept though one before it is drawn, which then knows nothing of it: such images are drawn
    /// approximately. Without any, they are drawn exactly from the model's distribution given what is kept.
    pub fn first_after_a_hole(&self) -> Option<usize> {
        first_after_a_hole(self.known)
    }
}

/// Draws images: the levels of each, in raster order. Image i depends on the seed and on i, and on none of the others. `row_done` sees all
/// of them whenever another row is whole, and may end it.
///
/// # Errors
/// [`Kind::Usage`] for options that make no sense, or a class that the model does not have; [`Kind::BadInput`] for a model that gives no
/// distribution; those of `row_done`.
///
/// # Panics
/// If a level that is kept is none.
pub fn draw(
    model: &ImageModel<f32>,
    request: &Request,
    row_done: &mut dyn FnMut(&[Drawing]) -> Result<()>,
) -> Result<Vec<Vec<u32>>> {
    let class = classes_in_turn(model, request)?;
    let streams = Streams::new(request.seed);
    let drawing = |image: usize| Drawing::new(class(image), streams.stream(&format!("image {image}")));
    let mut drawings: Vec<Drawing> =
        (0..request.images).map(|image| drawing(image).clamped_to(request.known.to_vec())).collect();
    Decoder::new(model).draw(&mut drawings, &request.options, row_done)?;
    Ok(drawings.into_iter().map(|drawing| drawing.levels).collect())
}

/// Draws the images that [`draw`] draws, each by improving guesses for up to `ahead` of its sub-pixels side by side (all of them, where none
/// is given), a pass over the whole image a round; and what it cost. `done` is told how many sub-pixels there are, and may end it.
///
/// # Errors
/// As [`draw`].
///
/// # Panics
/// If a part of the images is known.
pub fn draw_by_jacobi(
    model: &ImageModel<f32>,
    request: &Request,
    ahead: Option<usize>,
    done: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<(Vec<Vec<u32>>, Cost)> {
    assert!(request.known.is_empty(), "jacobi: of an image of which a part is known");
    let class = classes_in_turn(model, request)?;
    let (streams, mut cost) = (Streams::new(request.seed), Cost::default());
    let mut images = Vec::with_capacity(request.images);
    for image in 0..request.images {
        let class = class(image);
        let (given, sampler) = (model.given(&class), Sampler::new(request.options.clone())?);
        let generator = Generator::new(&given, &[], sampler, streams.stream(&format!("image {image}")));
        let mut jacobi = Jacobi::new(generator, ahead.unwrap_or(model.config.values()));
        let mut levels = Vec::with_capacity(model.config.values());
        while let Some(level) = jacobi.draw()? {
            levels.push(level);
            done(images.len() * model.config.values() + levels.len())?;
        }
        images.push(levels);
        cost = cost + jacobi.cost();
    }
    Ok((images, cost))
}

/// The class of each image.
fn classes_in_turn(model: &ImageModel<f32>, request: &Request) -> Result<impl Fn(usize) -> Option<u32> + use<>> {
    let classes = model.config.classes.len() as u32;
    let asked = request.class;
    match asked.filter(|&class| class >= classes) {
        Some(class) => Err(Error::new(Kind::Usage, format!("there is no class {class}"))
            .cause(format!("the model knows {classes} classes, numbered from 0"))),
        None => Ok(move |image: usize| (classes > 0).then(|| asked.unwrap_or(image as u32 % classes))),
    }
}

/// Refuses more images than memory or a PNG holds, before any is drawn: all are drawn, then written as one picture by [`grid`].
///
/// # Errors
/// [`Kind::Usage`] with what is needed and what there is.
///
/// # Panics
/// If `columns` or `scale` is 0.
pub fn check_size(images: usize, shape: Shape, columns: usize, scale: usize) -> Result<()> {
    let count = images as u128;
    // A level as it is drawn, one that is kept, and a byte of the grid's; each of the three in a vector of its own.
    let of_one = shape.values() as u128 * (size_of::<u32>() + size_of::<Option<u32>>() + 1) as u128;
    let held = of_one + (size_of::<Drawing>() + 2 * size_of::<Vec<u8>>()) as u128;
    Needs::default().and("the pictures", count.saturating_mul(held), 1, "-n").check()?;
    png::grid_size(images, shape, columns, scale, scale).map(|_| ())
}

/// What is kept of a picture of bytes where its first rows are given.
pub fn first_rows(values: &[u8], shape: Shape, levels: usize, rows: usize) -> Vec<Option<u32>> {
    let given = values.iter().take(rows * shape.width * shape.channels);
    given.map(|&value| Some(level(value, levels).into())).collect()
}

/// What is kept of a picture of bytes under a mask of as many pixels: black is kept; white, above 127 in any channel, is drawn.
///
/// # Panics
/// Unless picture and mask have the same pixels.
#[track_caller]
pub fn outside_of(mask: &[u8], mask_channels: usize, values: &[u8], shape: Shape, levels: usize) -> Vec<Option<u32>> {
    assert_eq!(mask.len() / mask_channels, values.len() / shape.channels, "a mask has the pixels of its picture");
    let drawn = mask.chunks_exact(mask_channels).map(|pixel| pixel.iter().any(|&value| value > 127));
    let of_pixel = |(pixel, drawn): (&[u8], bool)| {
        pixel.iter().map(|&value| (!drawn).then(|| level(value, levels).into())).collect::<Vec<Option<u32>>>()
    };
    values.chunks_exact(shape.channels).zip(drawn).flat_map(of_pixel).collect()
}

/// Images as one picture: a grid of so many columns, a pixel a square of `scale`, as wide a gap between images.
///
/// # Errors
/// [`Kind::Usage`] if the grid is larger than a PNG or than memory.
///
/// # Panics
/// If `columns` or `scale` is 0, or an image is not of this shape and these levels.
pub fn grid(images: &[Vec<u32>], shape: Shape, levels: usize, columns: usize, scale: usize) -> Result<Vec<u8>> {
    let bytes = |image: &Vec<u32>| image.iter().map(|&level| shown(level as u8, levels)).collect();
    grid_of_bytes(images.iter().map(bytes).collect(), shape, columns, scale)
}

fn grid_of_bytes(images: Vec<Vec<u8>>, shape: Shape, columns: usize, scale: usize) -> Result<Vec<u8>> {
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    png::write_grid(&images, shape, columns, scale, scale)
}

/// Images that are being drawn as one picture, as [`grid`] makes one of them when they are: what is not known yet is grey.
///
/// # Errors
/// As [`grid`].
///
/// # Panics
/// As [`grid`].
pub fn unfinished(drawings: &[Drawing], shape: Shape, levels: usize, columns: usize, scale: usize) -> Result<Vec<u8>> {
    /// Neither black nor white.
    const UNKNOWN: u8 = 128;
    let byte = |level: Option<u32>| level.map_or(UNKNOWN, |level| shown(level as u8, levels));
    let bytes = |drawing: &Drawing| (0..shape.values()).map(|at| byte(drawing.level(at))).collect();
    grid_of_bytes(drawings.iter().map(bytes).collect(), shape, columns, scale)
}

/// The columns of a grid of so many images: one for each class, where that is not too wide; else as nearly a square as can be.
pub fn columns(images: usize, classes: usize) -> usize {
    let by_class = (2..=32).contains(&classes) && images > classes;
    if by_class { classes } else { (images as f64).sqrt().ceil().max(1.0) as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RGB: Shape = Shape { height: 2, width: 2, channels: 3 };

    #[test]
    fn a_mask_draws_what_is_white_in_any_channel_in_all_colours_and_keeps_the_rest() {
        let values: Vec<u8> = (0..12).map(|i| i * 20).collect();
        let levels = |kept: [bool; 4]| -> Vec<Option<u32>> {
            values.iter().enumerate().map(|(i, &value)| kept[i / 3].then(|| u32::from(value) * 16 / 256)).collect()
        };
        let grey = outside_of(&[0, 255, 127, 128], 1, &values, RGB, 16);
        assert_eq!(grey, levels([true, false, true, false]));
        let rgb = outside_of(&[0, 0, 0, 0, 200, 0, 127, 127, 127, 0, 0, 255], 3, &values, RGB, 16);
        assert_eq!(rgb, grey);
        assert_eq!(first_rows(&values, RGB, 16, 1), levels([true, true, false, false])[..6]);
    }

    #[test]
    fn what_is_not_known_yet_is_grey_in_an_unfinished_grid_and_what_is_kept_is_shown() {
        let shape = Shape { height: 2, width: 2, channels: 1 };
        let drawing = || Drawing::new(None, Streams::new(0).stream("image 0"));
        let mut begun = drawing().clamped_to(vec![None, None, None, Some(1)]);
        begun.levels = vec![1, 0];
        let (read, values) = png::parse(&unfinished(&[begun, drawing()], shape, 2, 2, 1).unwrap(), "grid").unwrap();
        assert_eq!((read.height, read.width), (2, 5));
        assert_eq!(values, [255, 0, 128, 128, 128, 128, 255, 128, 128, 128]);
        let whole = vec![vec![1, 0, 1, 1]; 3];
        let mut drawn = vec![drawing(); whole.len()];
        drawn.iter_mut().zip(&whole).for_each(|(drawing, levels)| drawing.levels = levels.clone());
        assert_eq!(unfinished(&drawn, shape, 2, 2, 3).unwrap(), grid(&whole, shape, 2, 2, 3).unwrap());
    }
}
