//! How far back a sample of a WaveNet hears, as a picture: which places of each layer it depends on.

use super::wavenet::{KERNEL, Sizes};
use crate::error::{Error, Kind, Result};
use crate::pages::spectrogram::{MOST_COLUMNS, encode};

/// The most layers of a stack: dilations double, and 2²⁴ samples are minutes.
pub const MOST_LAYERS: usize = 24;

/// The places of every layer's input that the last output depends on, as distances back from the newest; the codes first, the input of the last
/// layer last.
pub fn places(sizes: Sizes) -> Vec<Vec<usize>> {
    let dilations: Vec<usize> = sizes.dilations().collect();
    let mut layers = vec![vec![0]];
    for dilation in dilations.into_iter().rev() {
        let above = &layers[layers.len() - 1];
        let mut below: Vec<usize> =
            above.iter().flat_map(|&back| (0..KERNEL).map(move |place| back + place * dilation)).collect();
        below.sort_unstable();
        below.dedup();
        layers.push(below);
    }
    layers.reverse();
    layers
}

/// The most places that are drawn.
const MOST_PLACES: usize = 1 << 20;

/// Rows of pixels of a layer, and of the gap below it.
const ROWS: [usize; 2] = [10, 4];

/// The picture, as PNG: the output at the top right, below it the input of every layer, at the bottom the codes; what it depends on is blue, what
/// it does not grey. Where there are more places than columns, a column is blue if any of its places is.
///
/// # Errors
/// [`Kind::Usage`] for more than 2²⁰ samples.
pub fn picture(sizes: Sizes) -> Result<Vec<u8>> {
    let field = sizes.receptive_field();
    if field > MOST_PLACES {
        return Err(Error::new(Kind::Usage, format!("a picture of {field} samples"))
            .cause(format!("it shows {MOST_PLACES} at most"))
            .help("the numbers are told without -o"));
    }
    let side = (MOST_COLUMNS / field).clamp(1, 16);
    let columns = (field * side).min(MOST_COLUMNS);
    let layers = places(sizes);
    let (height, width) = ((layers.len() + 1) * (ROWS[0] + ROWS[1]), columns);
    let mut pixels = vec![[255_u8; 3]; height * width];
    const GREY: [u8; 3] = [221; 3];
    const BLUE: [u8; 3] = [0, 114, 178];
    // The output itself is one place; the codes are one step further back than the places that read them.
    let rows = std::iter::once(&layers[layers.len() - 1]).chain(layers.iter().rev());
    for (i, places) in rows.enumerate() {
        let top = i * (ROWS[0] + ROWS[1]);
        for row in top..top + ROWS[0] {
            pixels[row * width..][..width].fill(GREY);
        }
        for &back in places {
            let end = width - (back as u128 * width as u128 / field as u128) as usize;
            let begin = width - ((back + 1) as u128 * width as u128).div_ceil(field as u128) as usize;
            // A place of several columns is parted from the next.
            let begin = if end - begin > 2 { begin + 1 } else { begin };
            for row in top..top + ROWS[0] {
                pixels[row * width..][begin..end].fill(BLUE);
            }
        }
    }
    encode(pixels.as_flattened(), width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_of_the_field_is_reached_by_exactly_doubling_dilations() {
        for (layers, stacks) in [(1, 1), (4, 1), (3, 2), (10, 1)] {
            let sizes = Sizes { residual: 1, skip: 1, layers, stacks };
            let places = places(sizes);
            assert_eq!(places.len(), layers * stacks + 1);
            // The input of the first layer at distance d reads the code d + 1 before.
            assert_eq!(places[0], (0..sizes.receptive_field()).collect::<Vec<_>>());
            assert_eq!(places[places.len() - 1], [0]);
        }
    }

    #[test]
    fn the_picture_of_four_layers_shows_a_tree() {
        let sizes = Sizes { residual: 1, skip: 1, layers: 4, stacks: 1 };
        let (shape, values) = crate::image::png::parse(&picture(sizes).unwrap(), "tree.png").unwrap();
        assert_eq!((shape.height, shape.width), (6 * 14, 16 * 16));
        let blue = |row: usize| {
            let row = &values[(row * 14 + 5) * shape.width * 3..][..shape.width * 3];
            row.chunks_exact(3).filter(|pixel| pixel[0] < 100).count() / 15
        };
        assert_eq!([0, 1, 2, 3, 4, 5].map(blue), [1, 1, 2, 4, 8, 16]);
    }
}
