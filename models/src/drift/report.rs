//! What the meter found, horizon by horizon: as values, as CSV, as a picture.

use super::Estimate;
use crate::error::Result;
use crate::pages::plot::{Mark, Plot, Svg};
use serde::Serialize;
use std::fmt::Write;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// N, the prefixes that were followed.
    pub prefixes: usize,
    /// Symbols of each.
    pub prefix_length: usize,
    /// D, how often the model ran free after each.
    pub draws: usize,
    /// What the errors are: `disagreement` (of the most likely symbol with the truth) or `root mean square error`.
    pub error: &'static str,
    /// Who judged what was written: `markov_4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    /// h = 1 … H.
    pub horizons: Vec<Row>,
}

/// At one horizon, over all prefixes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// h.
    pub horizon: usize,
    /// `−ln p` of the true symbol h places after the prefix, given all true ones before it, in nats.
    pub teacher_forced: Estimate,
    /// … given the prefix and h − 1 symbols that the model drew.
    pub free_running: Estimate,
    /// Free running less teacher forced, prefix by prefix.
    pub difference: Estimate,
    /// The errors of the predictions, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Errors>,
    /// What the judge says, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
    /// What is expected of a model that is the source of the data, where that has a closed form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_form: Option<ClosedForm>,
}

/// How wrong predictions are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Errors {
    /// Given the true symbols before.
    pub teacher_forced: Estimate,
    /// Given symbols that the model drew.
    pub free_running: Estimate,
}

/// `−ln p` of the symbols at a horizon, given those before them, under the judge, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Of the true ones.
    pub truth: Estimate,
    /// Of those that the model drew.
    pub own: Estimate,
    /// Own less true, prefix by prefix.
    pub difference: Estimate,
}

/// Expected values where the model is the source.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClosedForm {
    /// Of `free_running`.
    pub nats: f64,
    /// Of the error running free.
    pub error: f64,
}

impl Drift {
    /// The horizons that a table shows: 1, 2, 5, 10, 20, 50, … and the last.
    pub fn selected(&self) -> impl Iterator<Item = &Row> {
        let last = self.horizons.len();
        let round = |h: usize| {
            let leading = h / 10_usize.pow(h.ilog10());
            [1, 2, 5].contains(&leading) && h == leading * 10_usize.pow(h.ilog10())
        };
        self.horizons.iter().filter(move |row| row.horizon == last || round(row.horizon))
    }

    /// A line a horizon, with all digits; an empty cell is of what was not measured.
    pub fn csv(&self) -> String {
        let measured = ["teacher_forced", "free_running", "difference", "error_teacher_forced", "error_free_running"];
        let judged = ["judged_truth", "judged_own", "judged_difference"];
        let mut text = "horizon".to_owned();
        for name in measured.iter().chain(&judged) {
            let _ = write!(text, ",{name},{name}_standard_error"); // a string takes everything
        }
        text += ",closed_form_nats,closed_form_error\n";
        for row in &self.horizons {
            let (error, judged) = (row.error, row.judged);
            let estimates = [
                Some(row.teacher_forced),
                Some(row.free_running),
                Some(row.difference),
                error.map(|error| error.teacher_forced),
                error.map(|error| error.free_running),
                judged.map(|judged| judged.truth),
                judged.map(|judged| judged.own),
                judged.map(|judged| judged.difference),
            ];
            let numbers = estimates.iter().flat_map(|x| [x.map(|x| x.mean), x.map(|x| x.standard_error)]);
            let closed = [row.closed_form.map(|closed| closed.nats), row.closed_form.map(|closed| closed.error)];
            let known = numbers.chain(closed).map(|x| x.filter(|x| !x.is_nan()));
            let cells: String = known.map(|x| x.map_or(",".to_owned(), |x| format!(",{x}"))).collect();
            text += &format!("{}{cells}\n", row.horizon);
        }
        text
    }

    /// The nats by horizon: teacher forced, free running, and what the judge says.
    ///
    /// # Errors
    /// [`crate::error::Kind::Failed`] if the drawing library refuses.
    pub fn picture(&self, title: &str) -> Result<Svg> {
        let points = |y: &dyn Fn(&Row) -> Option<f64>| -> Vec<(f64, f64)> {
            self.horizons.iter().filter_map(|row| Some((row.horizon as f64, y(row)?))).collect()
        };
        let mut plot = Plot::new(title, "symbols after the prefix", "nats per symbol")
            .series("free running", Mark::Line, points(&|row| Some(row.free_running.mean)))
            .series("teacher forced", Mark::Line, points(&|row| Some(row.teacher_forced.mean)));
        if let Some(judge) = &self.judge {
            plot = plot
                .series(format!("own, by {judge}"), Mark::Faint, points(&|row| Some(row.judged?.own.mean)))
                .series(format!("true, by {judge}"), Mark::Faint, points(&|row| Some(row.judged?.truth.mean)));
        }
        let closed = points(&|row| Some(row.closed_form?.nats));
        if !closed.is_empty() {
            plot = plot.series("closed form", Mark::Line, closed);
        }
        plot.svg()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(horizon: usize) -> Drift {
        let estimate = |mean| Estimate { mean, standard_error: 0.5 };
        let row = |h| Row {
            horizon: h,
            teacher_forced: estimate(1.0),
            free_running: estimate(h as f64),
            difference: estimate(h as f64 - 1.0),
            error: None,
            judged: Some(Judged { truth: estimate(2.0), own: estimate(3.0), difference: estimate(1.0) }),
            closed_form: None,
        };
        let judge = Some("markov_4".to_owned());
        let horizons = (1..=horizon).map(row).collect();
        Drift { prefixes: 7, prefix_length: 3, draws: 2, error: "disagreement", judge, horizons }
    }

    #[test]
    fn a_table_shows_round_horizons_and_the_last() {
        let selected = |horizon| drift(horizon).selected().map(|row| row.horizon).collect::<Vec<_>>();
        assert_eq!(selected(1), [1]);
        assert_eq!(selected(50), [1, 2, 5, 10, 20, 50]);
        assert_eq!(selected(130), [1, 2, 5, 10, 20, 50, 100, 130]);
    }

    #[test]
    fn every_line_of_csv_has_the_columns_of_the_first() {
        let csv = drift(3).csv();
        let columns: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [19; 4]);
        assert!(csv.lines().nth(2).unwrap().starts_with("2,1,0.5,2,0.5,1,0.5,,,,,2,0.5,3,0.5,1,0.5,,"), "{csv}");
    }

    #[test]
    fn a_picture_names_what_it_draws() {
        let svg = drift(20).picture("drift").unwrap();
        for name in ["free running", "teacher forced", "own, by markov_4", "true, by markov_4"] {
            assert!(svg.as_str().contains(name), "{name}");
        }
        assert!(!svg.as_str().contains("closed form"));
    }
}
