//! A series, its forecast and the intervals around it, as one SVG picture.
//!
//! It draws numbers that others computed: no model is fitted here.

use std::ops::Range;

use plotters::prelude::*;

use super::forecast::Forecast;
use crate::error::{Error, Kind, Result};

/// What a picture of a forecast shows.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// The position of the first value of `series` on the horizontal axis: 1700 for the sunspots.
    pub first: usize,
    /// The values known, those after the forecast was made included.
    pub series: &'a [f64],
    /// How many of `series` were known when the forecast was made.
    pub known: usize,
    /// The forecast of the values that follow.
    pub forecasts: &'a [Forecast],
}

/// Values before the forecast shown for each value forecast, at most: a forecast of ten among a million would be a dot.
const PAST_PER_STEP: usize = 5;

impl Picture<'_> {
    /// Draws the end of the series, the mean forecast, and the bands that hold a value with 80 % and 95 %.
    ///
    /// # Errors
    /// If there is no forecast, fewer values than `known`, or a number too large to draw.
    pub fn svg(&self) -> Result<String> {
        let refuse = |cause: String| Error::new(Kind::BadInput, "cannot draw the forecast").cause(cause);
        if self.forecasts.is_empty() || self.known == 0 || self.known > self.series.len() {
            return Err(refuse("there is nothing to draw".into()).help("ask for a horizon of 1 or more"));
        }
        let from = self.known.saturating_sub(PAST_PER_STEP * self.forecasts.len().max(10));
        let to = self.series.len().min(self.known + self.forecasts.len());
        let shown = &self.series[from..to];
        let bounds = self.forecasts.iter().flat_map(|forecast| <[f64; 2]>::from(forecast.interval(0.95)));
        let (low, high) = shown
            .iter()
            .copied()
            .chain(bounds)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let margin = 0.05 * (high - low).max(f64::MIN_POSITIVE);
        if !(margin.is_finite() && self.forecasts.iter().all(|f| f.mean.is_finite() && f.standard_error.is_finite())) {
            return Err(refuse("the forecast leaves the range of numbers".into()).help("forecast fewer steps"));
        }
        let axis = |position: usize| (self.first + position) as f64;
        let horizontal = axis(from)..axis(self.known + self.forecasts.len() - 1);
        let mut svg = String::new();
        self.draw(&mut svg, from, horizontal, low - margin..high + margin)
            .map_err(|error| refuse(error.to_string()))?;
        Ok(svg)
    }

    fn draw(
        &self,
        svg: &mut String,
        from: usize,
        horizontal: Range<f64>,
        vertical: Range<f64>,
    ) -> std::result::Result<(), Box<dyn std::error::Error + '_>> {
        let axis = |position: usize| (self.first + position) as f64;
        let root = SVGBackend::with_string(svg, (960, 480)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(32)
            .y_label_area_size(56)
            .build_cartesian_2d(horizontal, vertical)?;
        chart.configure_mesh().x_label_formatter(&|x| format!("{x:.0}")).light_line_style(WHITE).draw()?;
        // The bands start at the last known value, where nothing is uncertain.
        let last = self.series[self.known - 1];
        let start = (axis(self.known - 1), last);
        for (level, opacity) in [(0.95, 0.15), (0.8, 0.25)] {
            let interval = |(i, forecast): (usize, &Forecast)| (axis(self.known + i), forecast.interval(level));
            let bounds: Vec<_> = self.forecasts.iter().enumerate().map(interval).collect();
            let upper = bounds.iter().map(|(x, (_, high))| (*x, *high));
            let lower = bounds.iter().rev().map(|(x, (low, _))| (*x, *low));
            let outline: Vec<(f64, f64)> = std::iter::once(start).chain(upper).chain(lower).collect();
            chart.draw_series(std::iter::once(Polygon::new(outline, BLUE.mix(opacity))))?;
        }
        let means = self.forecasts.iter().enumerate().map(|(i, forecast)| (axis(self.known + i), forecast.mean));
        chart.draw_series(LineSeries::new(std::iter::once(start).chain(means), BLUE.stroke_width(2)))?;
        let until = self.series.len().min(self.known + self.forecasts.len());
        let values = (from..until).map(|t| (axis(t), self.series[t]));
        chart.draw_series(LineSeries::new(values, BLACK.stroke_width(1)))?;
        root.present()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::ar::Ar;
    use crate::series::sunspots::{FIRST_YEAR, YEARLY};

    #[test]
    fn the_picture_of_the_sunspots_has_two_bands_two_lines_and_its_years() {
        let model = Ar::least_squares(&YEARLY[..279], 9).unwrap().model;
        let forecasts = model.forecast(&YEARLY[..279], 30).unwrap();
        let picture =
            Picture { title: "Sunspots", first: FIRST_YEAR, series: &YEARLY, known: 279, forecasts: &forecasts };
        let svg = picture.svg().unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("<polygon").count(), 2);
        for text in ["Sunspots", "1980", "2000"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        let points =
            |line: &str| line.split("points=\"").nth(1).unwrap().split('"').next().unwrap().trim().split(' ').count();
        let lines: Vec<usize> =
            svg.lines().filter(|l| l.starts_with("<polyline") && l.contains("points")).map(points).collect();
        assert!(
            lines.contains(&31) && lines.contains(&180),
            "forecast of 30 from one value, 150 values before it: {lines:?}"
        );
    }

    #[test]
    fn a_forecast_that_overflows_is_refused_and_not_drawn() {
        let model = Ar { constant: 0.0, coefficients: vec![10.0], variance: 1.0 };
        let forecasts = model.forecast(&[1.0], 400).unwrap();
        let picture = Picture { title: "", first: 0, series: &[1.0], known: 1, forecasts: &forecasts };
        assert!(picture.svg().unwrap_err().to_string().contains("fewer steps"));
    }
}
