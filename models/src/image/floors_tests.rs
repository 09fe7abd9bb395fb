//! The floors by hand on pictures of a few pixels, and as distributions: over all pictures there are they sum to one.

use super::*;
use approx::assert_relative_eq;
use autograd::random::Streams;
use rand::RngExt;

fn shape(height: usize, width: usize, channels: usize) -> Shape {
    Shape { height, width, channels }
}

fn random(shape: Shape, levels: usize, count: usize) -> Quantized {
    let mut stream = Streams::new(1).stream("pictures");
    let values = (0..count * shape.values()).map(|_| stream.random_range(0..levels) as u8).collect();
    Quantized::new(shape, levels, values)
}

#[test]
fn every_floor_is_a_distribution_over_all_pictures() {
    for (shape, levels) in [(shape(3, 4, 1), 2), (shape(2, 2, 1), 5), (shape(1, 2, 3), 3), (shape(2, 1, 3), 2)] {
        let train = random(shape, levels, 9);
        let mut sums = std::collections::BTreeMap::new();
        for code in 0..levels.pow(shape.values() as u32) {
            let values = (0..shape.values() as u32).map(|i| (code / levels.pow(i) % levels) as u8).collect();
            let floors = Floors::measure(&train, &Quantized::new(shape, levels, values)).unwrap();
            floors.iter().for_each(|(name, nats)| *sums.entry(name).or_insert(0.0) += (-nats).exp());
        }
        assert!(sums.len() >= 4, "{sums:?}");
        for (name, sum) in sums {
            assert_relative_eq!(sum, 1.0, epsilon = 1e-9);
            assert!(!name.is_empty());
        }
    }
}

#[test]
fn the_floors_of_two_levels_equal_their_formulas() {
    // Two pictures of 1 × 2 pixels: 1 1 and 1 0. Scored: 0 1.
    let train = Quantized::new(shape(1, 2, 1), 2, vec![1, 1, 1, 0]);
    let scored = Quantized::new(shape(1, 2, 1), 2, vec![0, 1]);
    let floors: Vec<_> = Floors::measure(&train, &scored).unwrap().iter().collect();
    let names = ["uniform", "pixel", "context_16", "context_8_and_place"];
    assert!(floors.iter().map(|floor| floor.0).eq(names));
    // By place: p(0) = (0 + ½)/(2 + 1), p(1) = (1 + ½)/(2 + 1).
    let pixel = -(0.5 / 3.0 * 0.5f64).ln();
    // Nothing before: twice 1, so p(0) = ½/3. What is before the second is 0 as well: one context, p(1) = (2 + ½)/(2 + 1).
    let context = -(0.5 / 3.0 * 2.5 / 3.0_f64).ln();
    // With the place the second has a context of its own, never seen: ½.
    let with_place = -(0.5 / 3.0 * 0.5f64).ln();
    for ((name, nats), expected) in floors.into_iter().zip([2.0 * 2f64.ln(), pixel, context, with_place]) {
        assert_relative_eq!(nats, expected, epsilon = 1e-12);
        assert!(!name.is_empty());
    }
}

#[test]
fn the_floors_of_colours_equal_their_formulas() {
    // One picture of 1 × 2 RGB pixels at 8 levels: (1 2 4) (3 5 0). Scored: itself.
    let picture = Quantized::new(shape(1, 2, 3), 8, vec![1, 2, 4, 3, 5, 0]);
    let floors = Floors::measure(&picture, &picture).unwrap();
    // Two different symbols a channel, each seen once of two: (1 + 1)/(2 + 8); in contexts of their own (1 + 1)/(1 + 8).
    let once_of_two: f64 = 2.0 / 10.0;
    let once_of_one: f64 = 2.0 / 9.0;
    // Residuals: 1 2 4, then 2 3 4: that of B is seen twice, (2 + 1)/(2 + 8).
    // Differences: (1 1 2) and (3 2 3); residuals 1 1 2, then 2 1 1: that of G is seen twice.
    let residual = -(4.0 * once_of_two.ln() + 2.0 * (3.0f64 / 10.0).ln());
    let expected = [
        ("uniform", 6.0 * 8f64.ln()),
        ("histogram", -6.0 * once_of_two.ln()),
        ("left", -6.0 * once_of_one.ln()),
        ("left_residual", residual),
        ("left_residual_of_differences", residual),
    ];
    for ((name, nats), (expected_name, expected)) in floors.iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert_relative_eq!(nats, expected, epsilon = 1e-12);
    }
    let bits: Vec<f64> = floors.bits_per_dimension().map(|(_, bits)| bits).collect();
    assert_relative_eq!(bits[0], 3.0, epsilon = 1e-12);
    assert_relative_eq!(floors.list()[0].nats, 8f64.ln(), epsilon = 1e-12);
    assert_eq!(floors.best().0, "left_residual", "the first of two that are equal");
}

#[test]
fn a_context_sees_what_is_drawn_and_nothing_at_or_after_its_pixel() {
    let width = 9;
    for (before, picture) in [
        (&BEFORE_16[..], ["    x    ", "  xxxxx  ", " xxxxxxx ", " xxx.    "]),
        (&BEFORE_8[..], ["         ", "    x    ", "  xxxxx  ", "  xx.    "]),
    ] {
        let at = 3 * width + 4;
        for (place, drawn) in picture.concat().bytes().enumerate() {
            let mut image = vec![0; 4 * width];
            image[place] = 1;
            let seen = before.iter().any(|&offset| pixel_before(&image, at, width, offset) == 1);
            assert_eq!(seen, drawn == b'x', "{place}");
        }
    }
}

#[test]
fn a_table_beyond_all_measure_is_left_out_and_an_empty_part_is_named() {
    let wide = Quantized::new(shape(1, 1 << 18, 1), 2, vec![0; 1 << 18]);
    let names: Vec<_> = Floors::measure(&wide, &wide).unwrap().iter().map(|floor| floor.0).collect();
    assert_eq!(names, ["uniform", "pixel", "context_16"]);
    let (one, none) = (random(shape(2, 2, 1), 4, 1), random(shape(2, 2, 1), 4, 0));
    assert!(Floors::measure(&none, &one).unwrap_err().cause.contains("training"));
    assert!(Floors::measure(&one, &none).unwrap_err().cause.contains("evaluated"));
}
