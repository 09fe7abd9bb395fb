//! A series, its forecast and the intervals around it, as one SVG picture.
//!
//! It draws numbers that others computed: no model is fitted here.

use super::forecast::Outlook;
use crate::error::{Error, Kind, Result};
use crate::pages::plot::{Mark, Plot, Svg};

/// What a picture of a forecast shows.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// What the horizontal axis counts: `year`.
    pub x_label: &'a str,
    /// What is measured: `sunspots`.
    pub y_label: &'a str,
    /// The position of the first value of `series` on the horizontal axis: 1700 for the sunspots.
    pub first: usize,
    /// The values known, those after the forecast was made included.
    pub series: &'a [f64],
    /// How many of `series` were known when the forecast was made.
    pub known: usize,
    /// The forecast of the values that follow.
    pub outlooks: &'a [Outlook],
}

/// Values before the forecast shown for each value forecast, at most: a forecast of ten among a million would be a dot.
const PAST_PER_STEP: usize = 5;

impl Picture<'_> {
    /// Draws the end of the series, the mean forecast, and the bands that hold a value with 80 % and 95 %.
    ///
    /// # Errors
    /// If there is no forecast, fewer values than `known`, or a number too large to draw.
    pub fn svg(&self) -> Result<Svg> {
        let refuse = |cause: &str| Error::new(Kind::BadInput, "cannot draw the forecast").cause(cause);
        if self.outlooks.is_empty() || self.known == 0 || self.known > self.series.len() {
            return Err(refuse("there is nothing to draw").help("ask for a horizon of 1 or more"));
        }
        let drawable = |x: f64| x.abs() < f64::MAX / 4.0; // NaN is not; a sum of two still is a number
        let edges = self.outlooks.iter().flat_map(|outlook| [outlook.within_95.0, outlook.within_95.1, outlook.mean]);
        if !edges.into_iter().all(drawable) {
            return Err(refuse("the forecast leaves the range of numbers").help("forecast fewer steps"));
        }
        let axis = |position: usize| (self.first + position) as f64;
        let from = self.known.saturating_sub(PAST_PER_STEP * self.outlooks.len().max(10));
        let to = self.series.len().min(self.known + self.outlooks.len());
        // Forecast and bands start at the last known value, where nothing is uncertain.
        let (x, last) = (axis(self.known - 1), self.series[self.known - 1]);
        let band = |within: fn(&Outlook) -> (f64, f64)| {
            let edges = self.outlooks.iter().map(within).enumerate();
            let edges = edges.map(|(i, (low, high))| (axis(self.known + i), low, high));
            std::iter::once((x, last, last)).chain(edges).collect()
        };
        let means = self.outlooks.iter().enumerate().map(|(i, outlook)| (axis(self.known + i), outlook.mean));
        Plot::new(self.title, self.x_label, self.y_label)
            .size(960, 480)
            .x_from(axis(from))
            .band("95 %", band(|outlook| outlook.within_95))
            .band("80 %", band(|outlook| outlook.within_80))
            .series("observed", Mark::Line, (from..to).map(|t| (axis(t), self.series[t])).collect())
            .series("forecast", Mark::Line, std::iter::once((x, last)).chain(means).collect())
            .svg()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::ar::Ar;
    use crate::series::sunspots::{FIRST_YEAR, YEARLY};

    fn outlooks(model: &Ar, history: &[f64], horizon: usize) -> Vec<Outlook> {
        model.forecast(history, horizon).unwrap().into_iter().map(Outlook::from).collect()
    }

    #[test]
    fn the_picture_of_the_sunspots_has_two_bands_two_lines_and_its_years() {
        let model = Ar::least_squares(&YEARLY[..279], 9).unwrap().model;
        let outlooks = outlooks(&model, &YEARLY[..279], 30);
        let picture = Picture {
            title: "Sunspots",
            x_label: "year",
            y_label: "sunspots",
            first: FIRST_YEAR,
            series: &YEARLY,
            known: 279,
            outlooks: &outlooks,
        };
        let svg = picture.svg().unwrap();
        let svg = svg.as_str();
        for text in ["Sunspots", "year", "1950", "2000", "80 %", "95 %", "observed", "forecast"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert_eq!(svg.matches("<polygon").count(), 2);
    }

    #[test]
    fn a_forecast_that_overflows_is_refused_and_not_drawn() {
        let model = Ar { constant: 0.0, coefficients: vec![10.0], variance: 1.0 };
        let outlooks = outlooks(&model, &[1.0], 400);
        let picture =
            Picture { title: "", x_label: "", y_label: "", first: 0, series: &[1.0], known: 1, outlooks: &outlooks };
        assert!(picture.svg().unwrap_err().to_string().contains("fewer steps"));
    }
}
