//! Glyphs: small black and white pictures of ten classes, drawn by a rule, for a tour or a test without files. No network here.
//!
//! A glyph is lines between points; a pixel is white where its middle is no further from a line than half the pen. Height, width, pen
//! and place vary, each choice that stays within the frame as likely as any other. So the distribution of the pictures is known, and
//! with it their entropy, below which no model's nats can be.
//!
//! Only sums, products and comparisons decide about a pixel, which are exactly rounded: the pictures are the same on every machine.

use super::draws::below;
use super::images::{Images, Shape};
use autograd::random::Stream;
use rand::Rng;
use std::collections::BTreeMap;

/// The size of every picture.
pub const SHAPE: Shape = Shape { height: SIDE, width: SIDE, channels: 1 };

const SIDE: usize = 16;

/// Half the height or width of a glyph, in pixels.
const REACHES: [f64; 3] = [4.5, 5.25, 6.0];

/// Half the width of the pen, in pixels.
const PENS: [f64; 2] = [0.55, 0.85];

/// A point (x, y), from −1 to 1, y downwards.
type Point = (f64, f64);

/// The points of a line that goes from each to the next; two equal ones are a dot.
type Line = &'static [Point];

/// A class: its name and its lines.
#[derive(Clone, Copy, Debug)]
pub struct Glyph {
    /// What it shows.
    pub name: &'static str,
    lines: &'static [Line],
}

#[rustfmt::skip] // a point beside the next, as a line goes
const ROUND: Line = &[
    (0.0, -1.0), (0.5, -0.87), (0.87, -0.5), (1.0, 0.0), (0.87, 0.5), (0.5, 0.87), (0.0, 1.0),
    (-0.5, 0.87), (-0.87, 0.5), (-1.0, 0.0), (-0.87, -0.5), (-0.5, -0.87), (0.0, -1.0),
];

/// The classes, by their number.
#[rustfmt::skip] // as above
pub const GLYPHS: [Glyph; 10] = [
    Glyph { name: "circle", lines: &[ROUND] },
    Glyph { name: "square", lines: &[&[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85), (-0.85, -0.85)]] },
    Glyph { name: "triangle", lines: &[&[(0.0, -1.0), (1.0, 0.8), (-1.0, 0.8), (0.0, -1.0)]] },
    Glyph { name: "diamond", lines: &[&[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)]] },
    Glyph { name: "plus", lines: &[&[(0.0, -1.0), (0.0, 1.0)], &[(-1.0, 0.0), (1.0, 0.0)]] },
    Glyph { name: "cross", lines: &[&[(-0.9, -0.9), (0.9, 0.9)], &[(-0.9, 0.9), (0.9, -0.9)]] },
    Glyph { name: "arrow", lines: &[&[(-1.0, 0.0), (1.0, 0.0)], &[(0.1, -0.9), (1.0, 0.0), (0.1, 0.9)]] },
    Glyph { name: "house", lines: &[
        &[(-1.0, 0.0), (0.0, -1.0), (1.0, 0.0)], &[(-0.8, -0.2), (-0.8, 0.9), (0.8, 0.9), (0.8, -0.2)],
    ] },
    Glyph { name: "heart", lines: &[&[
        (0.0, 0.95), (-0.95, -0.05), (-0.95, -0.5), (-0.55, -0.85), (-0.2, -0.8), (0.0, -0.4),
        (0.2, -0.8), (0.55, -0.85), (0.95, -0.5), (0.95, -0.05), (0.0, 0.95),
    ]] },
    Glyph { name: "face", lines: &[
        ROUND, &[(-0.35, -0.3), (-0.35, -0.3)], &[(0.35, -0.3), (0.35, -0.3)], &[(-0.45, 0.3), (0.0, 0.5), (0.45, 0.3)],
    ] },
];

/// How a glyph is drawn.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// The pixel of its middle, x and y.
    middle: Point,
    /// Half its width and half its height.
    reach: Point,
    pen: f64,
}

/// All manners in which nothing leaves the frame.
fn manners() -> Vec<Manner> {
    let middles = |reach: f64, pen: f64| {
        (0..SIDE).map(|at| at as f64).filter(move |at| at - reach - pen > -1.0 && at + reach + pen < SIDE as f64)
    };
    let mut manners = Vec::new();
    for (width, height, pen) in
        REACHES.iter().flat_map(|&w| REACHES.iter().flat_map(move |&h| PENS.iter().map(move |&pen| (w, h, pen))))
    {
        let places = middles(height, pen).flat_map(|y| middles(width, pen).map(move |x| (x, y)));
        manners.extend(places.map(|middle| Manner { middle, reach: (width, height), pen }));
    }
    manners
}

impl Glyph {
    /// (H, W) of 0 and 255.
    fn drawn(&self, manner: &Manner) -> Vec<u8> {
        let Manner { middle, reach, pen } = *manner;
        let placed = |&(x, y): &Point| (middle.0 + x * reach.0, middle.1 + y * reach.1);
        let pieces: Vec<(Point, Point)> = self
            .lines
            .iter()
            .flat_map(|line| line.windows(2).map(|ends| (placed(&ends[0]), placed(&ends[1]))))
            .collect();
        let white = |at: usize| {
            let pixel = ((at % SIDE) as f64, (at / SIDE) as f64);
            pieces.iter().any(|&(from, to)| square_of_distance(pixel, from, to) <= pen * pen)
        };
        (0..SIDE * SIDE).map(|at| if white(at) { 255 } else { 0 }).collect()
    }
}

/// `min_t |p − (a + t (b − a))|²`, t in [0, 1].
fn square_of_distance(p: Point, a: Point, b: Point) -> f64 {
    let minus = |p: Point, q: Point| (p.0 - q.0, p.1 - q.1);
    let dot = |p: Point, q: Point| p.0 * q.0 + p.1 * q.1;
    let (along, from) = (minus(b, a), minus(p, a));
    let length = dot(along, along);
    let t = if length > 0.0 { (dot(from, along) / length).clamp(0.0, 1.0) } else { 0.0 };
    let rest = minus(from, (t * along.0, t * along.1));
    dot(rest, rest)
}

/// So many glyphs with their classes, class after class in turn.
pub fn glyphs(count: usize, stream: &mut Stream) -> Images {
    let manners = manners();
    let (mut values, mut labels) = (Vec::with_capacity(count * SHAPE.values()), Vec::with_capacity(count));
    for class in (0..GLYPHS.len()).cycle().take(count) {
        let manner = &manners[below(stream.next_u32(), manners.len() as u32) as usize];
        values.extend(GLYPHS[class].drawn(manner));
        labels.push(class as u32);
    }
    Images::new(SHAPE, values).with_labels(labels)
}

/// Every picture of a class that can be drawn, with its probability: two manners that give the same picture are one.
///
/// # Panics
/// If there is no such class.
pub fn pictures(class: usize) -> BTreeMap<Vec<u8>, f64> {
    let manners = manners();
    let mut pictures = BTreeMap::new();
    for manner in &manners {
        *pictures.entry(GLYPHS[class].drawn(manner)).or_default() += 1.0 / manners.len() as f64;
    }
    pictures
}

/// The entropy of a picture whose class is known, each as likely as the others: `−1/10 Σ_c Σ_x p(x | c) ln p(x | c)`, in nats.
pub fn entropy() -> f64 {
    let of_class = |class: usize| pictures(class).values().map(|p| -p * p.ln()).sum::<f64>();
    (0..GLYPHS.len()).map(of_class).sum::<f64>() / GLYPHS.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::random::Streams;
    use std::collections::BTreeSet;

    fn all() -> Vec<BTreeSet<Vec<u8>>> {
        (0..GLYPHS.len()).map(|class| pictures(class).into_keys().collect()).collect()
    }

    #[test]
    fn no_picture_is_of_two_classes() {
        let sets = all();
        for (i, set) in sets.iter().enumerate() {
            assert!(set.len() >= 100, "{} has {} pictures", GLYPHS[i].name, set.len());
            assert!(sets[..i].iter().all(|other| other.is_disjoint(set)), "{}", GLYPHS[i].name);
        }
    }

    #[test]
    fn moved_by_a_pixel_a_glyph_is_the_same_and_whole() {
        for glyph in &GLYPHS {
            for manner in manners() {
                let moved = Manner { middle: (manner.middle.0 + 1.0, manner.middle.1 + 1.0), ..manner };
                let (here, there) = (glyph.drawn(&manner), glyph.drawn(&moved));
                // Where the frame would cut it off, the neighbour is none of the manners.
                let cut = |at: usize| at / SIDE + 1 == SIDE || at % SIDE + 1 == SIDE;
                let same = |at: usize| cut(at) || here[at] == there[at + SIDE + 1];
                assert!((0..SIDE * SIDE).all(same), "{} {manner:?}", glyph.name);
            }
        }
    }

    #[test]
    fn every_glyph_is_as_wide_and_high_as_it_was_asked_for() {
        for glyph in &GLYPHS {
            for manner in manners() {
                let picture = glyph.drawn(&manner);
                let white = |inside: &dyn Fn(usize) -> usize| {
                    let at: Vec<usize> = (0..SIDE * SIDE).filter(|&at| picture[at] > 0).map(inside).collect();
                    (at.iter().min().copied().unwrap_or(0), at.iter().max().copied().unwrap_or(0))
                };
                for ((from, to), middle, reach) in [
                    (white(&|at| at % SIDE), manner.middle.0, manner.reach.0),
                    (white(&|at| at / SIDE), manner.middle.1, manner.reach.1),
                ] {
                    // The nearest point of a glyph to the edge of its box is 0.2 of it away, and a pixel may be missed.
                    let (low, high) = (0.8 * reach - 1.0, reach + manner.pen);
                    for reached in [middle - from as f64, to as f64 - middle] {
                        assert!((low..=high).contains(&reached), "{} {manner:?}: {reached}", glyph.name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_plus_is_counted_by_hand() {
        // A line through the middles of pixels is one wide, and its end reaches ⌊4.5 + 0.55⌋ or ⌊6 + 0.55⌋ of them.
        let manner = Manner { middle: (7.0, 7.0), reach: (4.5, 6.0), pen: 0.55 };
        let picture = GLYPHS[4].drawn(&manner);
        let white: BTreeSet<usize> = (0..SIDE * SIDE).filter(|&at| picture[at] > 0).collect();
        let across = (2..=12).map(|x| 7 * SIDE + x);
        let down = (1..=13).map(|y| y * SIDE + 7);
        assert_eq!(white, across.chain(down).collect());
    }

    #[test]
    fn pictures_follow_from_the_stream_and_classes_take_turns() {
        let drawn = |name: &str, count| glyphs(count, &mut Streams::new(1).stream(name));
        let many = drawn("glyphs", 200);
        assert_eq!(many, drawn("glyphs", 200));
        assert_ne!(many.values(), drawn("others", 200).values());
        let (labels, sets) = (many.labels().unwrap(), all());
        assert!((0..200).all(|i| labels[i] as usize == i % GLYPHS.len()));
        assert!((0..200).all(|i| sets[labels[i] as usize].contains(many.image(i))));
    }

    #[test]
    fn probabilities_of_a_class_sum_to_one_and_the_entropy_is_at_most_that_of_all_manners() {
        for (class, glyph) in GLYPHS.iter().enumerate() {
            assert!((pictures(class).values().sum::<f64>() - 1.0).abs() < 1e-12, "{}", glyph.name);
        }
        // A circle differs in every manner; a plus is drawn alike by both pens wherever they reach the same pixels.
        let (circles, pluses) = (pictures(0).len(), pictures(4).len());
        assert_eq!(circles, manners().len());
        assert!(pluses < circles && entropy() < (circles as f64).ln());
    }
}
