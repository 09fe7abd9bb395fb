//! What is asked of a model of images, drawn; and what is drawn as one picture. How images are drawn stands in [`super::decoder`].

use super::decoder::{Decoder, Drawing};
use super::images::Shape;
use super::model::ImageModel;
use super::png;
use super::quantized::shown;
use crate::error::{Error, Kind, Result};
use crate::sampling::Options;
use autograd::random::Streams;

/// What is asked of a model of images.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// How many images.
    pub images: usize,
    /// The class of each; where none is asked for, image after image the next class of those that the model is told.
    pub class: Option<u32>,
    /// The levels that every image begins with; the rest is drawn.
    pub given: &'a [u32],
    /// How each sub-pixel is chosen.
    pub options: Options,
    /// Of the random streams `image N`.
    pub seed: u64,
}

/// Draws images: the levels of each, in raster order. Image i depends on the seed and on i, and on none of the others. `row_done` is told,
/// whenever another row is whole, how many sub-pixels are done, of how many, and may end it.
///
/// # Errors
/// [`Kind::Usage`] for options that make no sense, or a class that the model does not have; [`Kind::BadInput`] for a model that gives no
/// distribution; those of `row_done`.
///
/// # Panics
/// If more is given than an image has, or a level is none.
pub fn draw(
    model: &ImageModel<f32>,
    request: &Request,
    row_done: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<Vec<Vec<u32>>> {
    let classes = model.config.classes.len() as u32;
    if let Some(class) = request.class.filter(|&class| class >= classes) {
        return Err(Error::new(Kind::Usage, format!("there is no class {class}"))
            .cause(format!("the model knows {classes} classes, numbered from 0")));
    }
    let class = |image: usize| (classes > 0).then(|| request.class.unwrap_or(image as u32 % classes));
    let streams = Streams::new(request.seed);
    let drawing = |image: usize| Drawing::new(class(image), streams.stream(&format!("image {image}")));
    let mut drawings: Vec<Drawing> =
        (0..request.images).map(|image| drawing(image).beginning_with(request.given)).collect();
    let of = model.config.values() * request.images;
    let done = |drawings: &[Drawing]| drawings.iter().map(|drawing| drawing.levels.len()).sum();
    Decoder::new(model).draw(&mut drawings, &request.options, |drawings| row_done(done(drawings), of))?;
    Ok(drawings.into_iter().map(|drawing| drawing.levels).collect())
}

/// Images as one picture: a grid of so many columns, a pixel a square of `scale`, as wide a gap between images.
///
/// # Errors
/// [`Kind::Usage`] if the grid is larger than a PNG or than memory.
///
/// # Panics
/// If `columns` or `scale` is 0, or an image is not of this shape and these levels.
pub fn grid(images: &[Vec<u32>], shape: Shape, levels: usize, columns: usize, scale: usize) -> Result<Vec<u8>> {
    let bytes = |image: &Vec<u32>| image.iter().map(|&level| shown(level as u8, levels)).collect::<Vec<u8>>();
    let images: Vec<Vec<u8>> = images.iter().map(bytes).collect();
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    png::write_grid(&images, shape, columns, scale, scale)
}

/// The columns of a grid of so many images: one for each class, where that is not too wide; else as nearly a square as can be.
pub fn columns(images: usize, classes: usize) -> usize {
    let by_class = (2..=32).contains(&classes) && images > classes;
    if by_class { classes } else { (images as f64).sqrt().ceil().max(1.0) as usize }
}
