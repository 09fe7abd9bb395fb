//! A small line plot as SVG: lines, dots, bands around a line, horizontal levels. Each is named where it ends, not in a
//! legend, and in colours that colour-blind readers can tell apart.
//!
//! It knows no metrics and no forecasts: [`super::loss_picture`] draws the loss of a run with it. Text is left to the
//! viewer's fonts; none is read here.

use std::ops::Range;

use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

pub use super::canvas::Svg;
use super::canvas::{
    Area, COLORS, Drawn, FAINT, GRID, INK, MarginLabel, SCALE, digits, draw, extent, font, left_of, nice_ticks, px,
    spread, tick, top_of,
};
use crate::error::Result;

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
    /// [`crate::error::Kind::Failed`] if the drawing library refuses.
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
            labels.push(MarginLabel {
                text: text.to_owned(),
                leader: end >= x.end - (x.end - x.start) / 100.0,
                color,
                at,
                written: at,
            });
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

#[cfg(test)]
#[path = "plot_tests.rs"]
mod tests;
