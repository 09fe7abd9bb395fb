//! The paper a plot is drawn on: an SVG area, its fonts and colours, round numbers for its axes, names that do not overlap.
//!
//! It knows nothing of what is drawn: [`super::plot`] does.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::{Error, Kind, Result};

/// SVG coordinates of plotters are whole numbers: drawn at four times the size, a line is smooth.
pub(super) const SCALE: i32 = 4;

/// Okabe and Ito's colours without yellow, which is too light for a line on white. Source: <https://jfly.uni-koeln.de/color/>.
pub(super) const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
pub(super) const FAINT: RGBColor = RGBColor(110, 110, 110);
pub(super) const GRID: RGBColor = RGBColor(232, 232, 232);

/// A picture, written by this crate: safe to stand in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// The text of the SVG file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name in the margin: the pixel it belongs to, and where it is written.
pub(super) struct MarginLabel {
    pub text: String,
    pub leader: bool,
    pub color: RGBColor,
    pub at: i32,
    pub written: i32,
}

/// A drawing area of plotters on SVG.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// What drawing on it gives.
pub(super) type Drawn = std::result::Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A picture of this size in pixels, on white.
pub(super) fn draw((width, height): (u32, u32), content: impl FnOnce(&Area<'_>) -> Drawn) -> Result<Svg> {
    let scaled = (width * SCALE as u32, height * SCALE as u32);
    let mut text = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut text, scaled).into_drawing_area();
        area.fill(&WHITE).and_then(|()| content(&area)).and_then(|()| area.present())
    };
    drawn.map_err(|e| Error::new(Kind::Failed, "cannot draw a picture").cause(e))?;
    // Shown at its own size, from the finer grid.
    let fine = format!("width=\"{}\" height=\"{}\"", scaled.0, scaled.1);
    Ok(Svg(text.replacen(&fine, &format!("width=\"{width}\" height=\"{height}\""), 1)))
}

pub(super) fn px(pixels: i32) -> i32 {
    pixels * SCALE
}

pub(super) fn left_of(area: &Area<'_>) -> i32 {
    area.get_pixel_range().0.start
}

pub(super) fn top_of(area: &Area<'_>) -> i32 {
    area.get_pixel_range().1.start
}

pub(super) struct Font(TextStyle<'static>);

pub(super) fn font(size: i32, color: RGBColor) -> Font {
    // plotters writes font-size = size / 1.24.
    Font(("sans-serif", f64::from(px(size)) * 1.24).into_font().color(&color))
}

impl Font {
    pub(super) fn at(self, h: HPos, v: VPos) -> TextStyle<'static> {
        self.0.pos(Pos::new(h, v))
    }

    pub(super) fn into_bold(self, h: HPos, v: VPos) -> TextStyle<'static> {
        let mut style = self.at(h, v);
        style.font = style.font.style(FontStyle::Bold);
        style
    }
}

/// Smallest and largest finite value.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |e, v| match e {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// Round values of a range, about `count` of them: multiples of 1, 2 or 5 times a power of ten.
pub(super) fn nice_ticks(range: &Range<f64>, count: usize) -> Vec<f64> {
    let step = nice_step(range, count);
    let first = (range.start / step).ceil() as i64;
    let last = (range.end / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

pub(super) fn nice_step(range: &Range<f64>, count: usize) -> f64 {
    let rough = (range.end - range.start) / count as f64;
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= rough).unwrap_or(10.0 * power)
}

/// Digits after the point that tell neighbouring ticks apart.
pub(super) fn digits(range: &Range<f64>) -> usize {
    (-nice_step(range, 6).log10().floor()).clamp(0.0, 9.0) as usize
}

/// A tick's number: `12k` for thousands, where all of them are.
pub(super) fn tick(value: f64, digits: usize) -> String {
    if value.abs() >= 10_000.0 && value % 1000.0 == 0.0 {
        format!("{}k", value / 1000.0)
    } else {
        format!("{value:.digits$}")
    }
}

/// Moves labels apart until neighbours are `gap` from each other, within `top..bottom` where there is room.
pub(super) fn spread(labels: &mut [MarginLabel], gap: i32, top: i32, bottom: i32) {
    labels.sort_by_key(|l| l.at);
    let mut free = top;
    for label in labels.iter_mut() {
        label.written = label.at.max(free);
        free = label.written + gap;
    }
    let mut free = bottom;
    for label in labels.iter_mut().rev() {
        label.written = label.written.min(free);
        free = label.written - gap;
    }
}
