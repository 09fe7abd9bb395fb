//! What a sub-pixel sees, as a picture: every sub-pixel a square in the colour of what it is to the one that looks, thin lines between.
//!
//! A picture of three colours becomes three of them side by side, what is seen of red, of green and of blue: as sets they differ.

use super::ReceptiveField;
use crate::error::Result;
use crate::image::images::Shape;
use crate::image::png::write_grid;
use crate::memory::Needs;

/// What a square is to the sub-pixel that looks. The colours are told apart by who sees few of them, and in print.
///
/// Source of the colours: Okabe & Ito 2008, "Color universal design".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Square {
    /// It comes before, and is seen.
    Seen,
    /// It comes before, and is not seen.
    Unseen,
    /// It comes after, and must not be seen.
    After,
    /// It comes after, and is seen: the network is not causal.
    Leaked,
    /// It is the one that looks.
    Itself,
}

impl Square {
    /// Red, green and blue.
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Square::Seen => [0, 114, 178],
            Square::Unseen => [230, 159, 0],
            Square::After => [221, 221, 221],
            Square::Leaked => [204, 121, 167],
            Square::Itself => [0, 0, 0],
        }
    }

    /// The colour in a word.
    pub fn colour(self) -> &'static str {
        match self {
            Square::Seen => "blue",
            Square::Unseen => "orange",
            Square::After => "grey",
            Square::Leaked => "pink",
            Square::Itself => "black",
        }
    }

    fn of(field: &ReceptiveField, at: usize) -> Square {
        match (field.seen[at], at.cmp(&field.before())) {
            (_, std::cmp::Ordering::Equal) => Square::Itself,
            (true, std::cmp::Ordering::Less) => Square::Seen,
            (false, std::cmp::Ordering::Less) => Square::Unseen,
            (true, std::cmp::Ordering::Greater) => Square::Leaked,
            (false, std::cmp::Ordering::Greater) => Square::After,
        }
    }
}

/// The lines between squares.
const LINE: [u8; 3] = [255; 3];

/// The longest side of a square.
pub const MOST_SCALE: usize = 64;

/// The side of a square with which the picture is about 500 pixels wide, or high where it is higher than wide.
pub fn scale(shape: Shape) -> usize {
    let squares = (shape.width * shape.channels).max(shape.height).max(1);
    // Each has a line beside it; to the nearest whole number.
    ((500 + squares / 2) / squares).saturating_sub(1).clamp(1, MOST_SCALE)
}

/// Height and width of what is drawn for one colour.
fn panel(shape: Shape, scale: usize) -> Shape {
    let side = |squares: usize| squares * (scale + 1) + 1;
    Shape { height: side(shape.height), width: side(shape.width), channels: LINE.len() }
}

/// The memory that [`picture`] takes, at most, beside what is needed otherwise.
pub fn needs(needs: Needs, shape: Shape, scale: usize) -> Needs {
    // The panels, all of them in one, and the file.
    let values = 3 * panel(shape, scale).values() * shape.channels;
    needs.and("the picture", values as u128, 1, "`--scale`")
}

/// The bytes of a PNG: each sub-pixel a square of `scale` pixels.
///
/// # Errors
/// As [`write_grid`].
///
/// # Panics
/// If `scale` is 0 or above [`MOST_SCALE`].
#[track_caller]
pub fn picture(field: &ReceptiveField, scale: usize) -> Result<Vec<u8>> {
    assert!((1..=MOST_SCALE).contains(&scale), "squares of {scale} pixels");
    let Shape { width, channels, .. } = field.shape;
    let size = panel(field.shape, scale);
    let draw = |colour: usize| {
        let mut values = LINE.repeat(size.height * size.width);
        for at in (colour..field.seen.len()).step_by(channels) {
            let (row, column) = (at / channels / width, at / channels % width);
            let square = Square::of(field, at).rgb().repeat(scale);
            for line in 0..scale {
                let (y, x) = (row * (scale + 1) + 1 + line, column * (scale + 1) + 1);
                values[(y * size.width + x) * LINE.len()..][..square.len()].copy_from_slice(&square);
            }
        }
        values
    };
    let panels: Vec<Vec<u8>> = (0..channels).map(draw).collect();
    let panels: Vec<&[u8]> = panels.iter().map(Vec::as_slice).collect();
    write_grid(&panels, size, channels, scale, 1)
}

#[cfg(test)]
mod tests {
    use super::super::receptive_field;
    use super::*;
    use crate::image::network::Architecture;
    use crate::image::png::parse;

    /// The square of every sub-pixel, read from the middle of it in the picture.
    fn squares(field: &ReceptiveField, scale: usize) -> Vec<[u8; 3]> {
        let (size, values) = parse(&picture(field, scale).unwrap(), "picture").unwrap();
        let Shape { height, width, channels } = field.shape;
        let panel = panel(field.shape, scale);
        assert_eq!((size.height, size.width), (panel.height, panel.width * channels + scale * (channels - 1)));
        let middle = |at: usize, step: usize| at * step + 1 + (step - 1) / 2;
        let at = |row, column, colour| {
            let (y, x) = (middle(row, scale + 1), middle(column, scale + 1) + colour * (panel.width + scale));
            let pixel: [u8; 3] = values[(y * size.width + x) * 3..][..3].try_into().unwrap();
            pixel
        };
        (0..height * width * channels).map(|i| at(i / channels / width, i / channels % width, i % channels)).collect()
    }

    #[test]
    fn every_sub_pixel_is_a_square_in_the_colour_of_what_it_is() {
        for (channels, scale) in [(1, 1), (1, 5), (3, 4)] {
            let shape = Shape { height: 9, width: 10, channels };
            let field = receptive_field(Architecture::PixelCnn, 1, shape, [7, 1, channels / 2]);
            assert!(field.unseen() > 0 && field.count() > 0);
            let squares = squares(&field, scale);
            let count = |square: Square| squares.iter().filter(|&&found| found == square.rgb()).count();
            let kinds = [Square::Seen, Square::Unseen, Square::Itself, Square::After, Square::Leaked];
            let after = shape.values() - field.before() - 1;
            assert_eq!(kinds.map(count), [field.count(), field.unseen(), 1, after, 0]);
            assert!(squares.iter().zip(&field.seen).all(|(found, seen)| (*found == Square::Seen.rgb()) == *seen));
        }
    }

    #[test]
    fn what_follows_and_is_seen_has_a_colour_of_its_own() {
        let shape = Shape { height: 2, width: 2, channels: 1 };
        let leaky = ReceptiveField { shape, of: [0, 1, 0], seen: vec![true, false, true, false] };
        let expected = [Square::Seen, Square::Itself, Square::Leaked, Square::After];
        assert_eq!(squares(&leaky, 3), expected.map(Square::rgb));
    }

    #[test]
    fn a_picture_of_any_size_is_about_as_wide_as_a_page_by_default() {
        let shape = |height, width, channels| Shape { height, width, channels };
        for shape in [shape(28, 28, 1), shape(32, 32, 3), shape(128, 128, 1), shape(16, 9, 1), shape(64, 64, 3)] {
            let size = panel(shape, scale(shape));
            let longest = (size.width * shape.channels).max(size.height);
            assert!((400..=600).contains(&longest), "{shape}: {longest}");
        }
    }
}
