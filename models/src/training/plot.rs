//! A small line plot as SVG: lines, dots, bands around a line, horizontal levels. Each is named where it ends, not in a
//! legend, and in colours that colour-blind readers can tell apart.
//!
//! It knows no metrics and no forecasts: [`super::loss_picture`] draws the loss of a run with it. Text is left to the
//! viewer's fonts; none is read here.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::{Error, Kind, Result};

/// SVG coordinates of plotters are whole numbers: drawn at four times the size, a line is smooth.
const SCALE: i32 = 4;

/// Okabe and Ito's colours without yellow, which is too light for a line on white. Source: <https://jfly.uni-koeln.de/color/>.
const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];
const INK: RGBColor = RGBColor(34, 34, 34);
const FAINT: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(232, 232, 232);

/// A picture, written by this crate: safe to stand in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svg(pub(super) String);

impl Svg {
    /// The text of the SVG file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Line,
    /// A thin, pale line: for what is noisy.
    Faint,
    /// A line with a dot at each point: for what is measured now and then.
    Dots,
}

#[derive(Clone, Debug)]
struct Series {
    label: String,
    mark: Mark,
    points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug)]
struct Band {
    label: String,
    edges: Vec<(f64, f64, f64)>,
}

#[derive(Clone, Debug)]
struct Level {
    label: String,
    y: f64,
}

/// A plot being put together; bands are drawn first, then levels, then series.
#[derive(Clone, Debug)]
pub struct Plot {
    title: String,
    x_label: String,
    y_label: String,
    size: (u32, u32),
    y_range: Option<(f64, f64)>,
    x_from: Option<f64>,
    label_width: Option<u32>,
    bands: Vec<Band>,
    levels: Vec<Level>,
    series: Vec<Series>,
}

/// A name in the margin: the pixel it belongs to, and where it is written.
struct MarginLabel {
    text: String,
    leader: bool,
    color: RGBColor,
    at: i32,
    written: i32,
}

impl Plot {
    /// An empty plot; the labels say what is measured, in which unit.
    pub fn new(title: impl Into<String>, x_label: impl Into<String>, y_label: impl Into<String>) -> Self {
        Plot {
            title: title.into(),
            x_label: x_label.into(),
            y_label: y_label.into(),
            size: (760, 380),
            y_range: None,
            x_from: None,
            label_width: None,
            bands: Vec::new(),
            levels: Vec::new(),
            series: Vec::new(),
        }
    }

    /// Sets the size, in pixels.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }

    /// Sets what the y axis shows; what lies outside is drawn at the edge. Without it, everything is shown.
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        self.y_range = Some((low, high));
        self
    }

    /// Lets the x axis begin here, or earlier where there are earlier points.
    pub fn x_from(mut self, start: f64) -> Self {
        self.x_from = Some(start);
        self
    }

    /// Leaves the names in the margin out: a plot beside this one has them.
    pub fn unnamed(mut self) -> Self {
        self.label_width = Some(16);
        self
    }

    /// Adds a series of (x, y); it is interrupted where y is not finite.
    pub fn series(mut self, label: impl Into<String>, mark: Mark, points: Vec<(f64, f64)>) -> Self {
        self.series.push(Series { label: label.into(), mark, points });
        self
    }

    /// Adds a band of (x, low, high): an interval around a forecast. The widest is added first.
    pub fn band(mut self, label: impl Into<String>, edges: Vec<(f64, f64, f64)>) -> Self {
        self.bands.push(Band { label: label.into(), edges });
        self
    }

    /// Adds a horizontal line: a floor.
    pub fn level(mut self, label: impl Into<String>, y: f64) -> Self {
        self.levels.push(Level { label: label.into(), y });
        self
    }

    /// Draws it.
    ///
    /// # Errors
    /// [`Kind::Failed`] if the drawing library refuses.
    pub fn svg(&self) -> Result<Svg> {
        draw(self.size, |area| self.draw_on(area))
    }

    /// Draws it on a part of a larger picture.
    pub(super) fn draw_on(&self, area: &Area<'_>) -> Drawn {
        let (width, height) = area.dim_in_pixel();
        let (top, bottom, left) = (px(58), px(50), px(62));
        let right = px(self.label_width.unwrap_or_else(|| self.margin_for_labels()) as i32);
        area.draw(&Text::new(self.title.clone(), (px(16), px(10)), font(16, INK).into_bold(HPos::Left, VPos::Top)))?;
        area.draw(&Text::new(self.y_label.clone(), (px(16), px(34)), font(12, FAINT).at(HPos::Left, VPos::Top)))?;
        let middle = left + (width as i32 - left - right) / 2;
        let below = (middle, height as i32 - px(8));
        area.draw(&Text::new(self.x_label.clone(), below, font(12, FAINT).at(HPos::Center, VPos::Bottom)))?;
        let (Some(x), Some(y)) = (self.x_extent(), self.y_extent()) else {
            let center = (middle, height as i32 / 2);
            return area.draw(&Text::new(
                "nothing to draw yet",
                center,
                font(14, FAINT).at(HPos::Center, VPos::Center),
            ));
        };

        let inner = area.margin(top, bottom, left, right);
        let chart = ChartBuilder::on(&inner)
            .set_label_area_size(LabelAreaPosition::Left, 0)
            .build_cartesian_2d(x.clone(), y.clone())?;
        let (x_digits, y_digits) = (digits(&x), digits(&y));
        let ticks = chart.plotting_area().clone();
        // Own grid and numbers: plotters' mesh writes its numbers over each other when they are long.
        for value in nice_ticks(&y, 6) {
            ticks.draw(&PathElement::new([(x.start, value), (x.end, value)], GRID.stroke_width(SCALE as u32)))?;
            let (_, at) = chart.backend_coord(&(x.start, value));
            let text = tick(value, y_digits);
            area.draw(&Text::new(
                text,
                (left - px(8), at - top_of(area)),
                font(12, FAINT).at(HPos::Right, VPos::Center),
            ))?;
        }
        for value in nice_ticks(&x, 6) {
            let (at, _) = chart.backend_coord(&(value, y.start));
            let place = (at - left_of(area), height as i32 - bottom + px(6));
            area.draw(&Text::new(tick(value, x_digits), place, font(12, FAINT).at(HPos::Center, VPos::Top)))?;
        }
        ticks.draw(&PathElement::new([(x.start, y.start), (x.end, y.start)], FAINT.stroke_width(SCALE as u32)))?;

        let clamp = |v: f64| v.clamp(y.start, y.end);
        let mut labels = Vec::new();
        let mut name = |text: &str, color: RGBColor, (end, value): (f64, f64)| {
            let at = chart.backend_coord(&(x.end, clamp(value))).1 - top_of(area);
            // What ends before the margin is not pointed at from there: its colour has to do.
            labels.push(MarginLabel { text: text.to_owned(), leader: end >= x.end, color, at, written: at });
        };
        for (i, band) in self.bands.iter().enumerate() {
            let inside: Vec<_> = band.edges.iter().filter(|e| e.1.is_finite() && e.2.is_finite()).collect();
            let upper = inside.iter().map(|e| (e.0, clamp(e.2)));
            let outline: Vec<_> = upper.chain(inside.iter().rev().map(|e| (e.0, clamp(e.1)))).collect();
            // Bands lie on each other, so the same transparency makes the inner ones darker.
            ticks.draw(&Polygon::new(outline, COLORS[0].mix(0.18)))?;
            if let Some(last) = inside.last() {
                // Upper and lower edge in turn keep the names of nested bands apart.
                name(&band.label, COLORS[0], (last.0, if i % 2 == 0 { last.2 } else { last.1 }));
            }
        }
        for level in self.levels.iter().filter(|l| l.y.is_finite()) {
            let line = [(x.start, clamp(level.y)), (x.end, clamp(level.y))];
            ticks.draw(&DashedPathElement::new(line, px(5), px(4), FAINT.stroke_width(SCALE as u32)))?;
            name(&level.label, FAINT, (x.end, level.y));
        }
        for (i, series) in self.series.iter().enumerate() {
            let color = COLORS[i % COLORS.len()];
            let (strength, thickness) = match series.mark {
                Mark::Faint => (0.75, SCALE + SCALE / 4),
                Mark::Line | Mark::Dots => (1.0, 2 * SCALE),
            };
            let style = color.mix(strength).stroke_width(thickness as u32);
            for run in series.points.split(|p| !p.1.is_finite()) {
                ticks.draw(&PathElement::new(run.iter().map(|p| (p.0, clamp(p.1))).collect::<Vec<_>>(), style))?;
                // A run of one point has no line; it must be seen all the same.
                if series.mark == Mark::Dots || run.len() == 1 {
                    for p in run {
                        ticks.draw(&Circle::new((p.0, clamp(p.1)), px(3), color.filled()))?;
                    }
                }
            }
            if let Some(last) = series.points.iter().rev().find(|p| p.1.is_finite()) {
                name(&series.label, color, *last);
            }
        }
        if self.label_width.is_none() {
            spread(&mut labels, px(15), px(50), height as i32 - bottom);
            let edge = width as i32 - right;
            for label in labels {
                if label.leader {
                    let line = [(edge + px(2), label.at), (edge + px(12), label.written)];
                    area.draw(&PathElement::new(line, label.color.stroke_width(SCALE as u32)))?;
                }
                let place = (edge + px(15), label.written);
                area.draw(&Text::new(label.text, place, font(12, label.color).at(HPos::Left, VPos::Center)))?;
            }
        }
        Ok(())
    }

    /// Room for the longest name. Fonts are the viewer's, so 7.5 pixels a character at size 12 is on the safe side.
    fn margin_for_labels(&self) -> u32 {
        let labels = self.bands.iter().map(|b| &b.label).chain(self.levels.iter().map(|l| &l.label));
        let longest = labels.chain(self.series.iter().map(|s| &s.label)).map(|l| l.chars().count()).max();
        24 + (15 * longest.unwrap_or(0) as u32).div_ceil(2)
    }

    fn x_extent(&self) -> Option<Range<f64>> {
        let bands = self.bands.iter().flat_map(|b| b.edges.iter().map(|e| e.0));
        let points = self.series.iter().flat_map(|s| s.points.iter().map(|p| p.0));
        let (low, high) = extent(bands.chain(points))?;
        let low = self.x_from.map_or(low, |from| low.min(from));
        Some(if low < high { low..high } else { low - 0.5..high + 0.5 })
    }

    fn y_extent(&self) -> Option<Range<f64>> {
        let levels = self.levels.iter().map(|l| l.y);
        let bands = self.bands.iter().flat_map(|b| b.edges.iter().flat_map(|e| [e.1, e.2]));
        let points = self.series.iter().flat_map(|s| s.points.iter().map(|p| p.1));
        let (low, high) = self.y_range.or_else(|| extent(levels.chain(bands).chain(points)))?;
        let margin = if low < high { (high - low) * 0.05 } else { 0.5 };
        Some(low - margin..high + margin)
    }
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

fn px(pixels: i32) -> i32 {
    pixels * SCALE
}

fn left_of(area: &Area<'_>) -> i32 {
    area.get_pixel_range().0.start
}

fn top_of(area: &Area<'_>) -> i32 {
    area.get_pixel_range().1.start
}

struct Font(TextStyle<'static>);

fn font(size: i32, color: RGBColor) -> Font {
    // plotters writes font-size = size / 1.24.
    Font(("sans-serif", f64::from(px(size)) * 1.24).into_font().color(&color))
}

impl Font {
    fn at(self, h: HPos, v: VPos) -> TextStyle<'static> {
        self.0.pos(Pos::new(h, v))
    }

    fn into_bold(self, h: HPos, v: VPos) -> TextStyle<'static> {
        let mut style = self.at(h, v);
        style.font = style.font.style(FontStyle::Bold);
        style
    }
}

/// Smallest and largest finite value.
fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |e, v| match e {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// Round values of a range, about `count` of them: multiples of 1, 2 or 5 times a power of ten.
fn nice_ticks(range: &Range<f64>, count: usize) -> Vec<f64> {
    let step = nice_step(range, count);
    let first = (range.start / step).ceil() as i64;
    let last = (range.end / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

fn nice_step(range: &Range<f64>, count: usize) -> f64 {
    let rough = (range.end - range.start) / count as f64;
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= rough).unwrap_or(10.0 * power)
}

/// Digits after the point that tell neighbouring ticks apart.
fn digits(range: &Range<f64>) -> usize {
    (-nice_step(range, 6).log10().floor()).clamp(0.0, 9.0) as usize
}

/// A tick's number: `12k` for thousands, where all of them are.
fn tick(value: f64, digits: usize) -> String {
    if value.abs() >= 10_000.0 && value % 1000.0 == 0.0 {
        format!("{}k", value / 1000.0)
    } else {
        format!("{value:.digits$}")
    }
}

/// Moves labels apart until neighbours are `gap` from each other, within `top..bottom` where there is room.
fn spread(labels: &mut [MarginLabel], gap: i32, top: i32, bottom: i32) {
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

#[cfg(test)]
#[path = "plot_tests.rs"]
mod tests;
