//! The loss curve of a run: training and validation loss against step and against wall time, with the floors.
//!
//! It draws; what the floors are is measured elsewhere, and given by name and nats.

use super::canvas::draw;
use super::numbers::decimals;
use super::plot::{Mark, Plot, Svg};
use crate::error::Result;
use crate::evaluation::Floor;
use crate::storage::metrics::Record;

/// More points than this along a training curve are averaged in groups: a screen shows no more.
const MAX_POINTS: usize = 600;

/// Draws the loss of a run; `unit` is what one symbol is: `character`, `sub-pixel`.
///
/// # Errors
/// [`crate::error::Kind::Failed`] if the drawing library refuses.
pub fn loss_picture(records: &[Record], floors: &[Floor], unit: &str) -> Result<Svg> {
    let longest = records.last().map_or(0.0, |r| r.seconds);
    let (scale, time) = match longest {
        s if s < 180.0 => (1.0, "seconds"),
        s if s < 3.0 * 3600.0 => (60.0, "minutes"),
        _ => (3600.0, "hours"),
    };
    let range = y_range(records, floors);
    let y_label = format!("nats per {unit}");
    let panel = |title: &str, x_label: &str, x: &dyn Fn(&Record) -> f64| {
        let training = averaged(&records.iter().map(|r| (x(r), r.loss)).collect::<Vec<_>>());
        let validation = records.iter().filter_map(|r| Some((x(r), r.validation?))).collect();
        let mut plot = Plot::new(title, x_label, &y_label)
            .x_from(0.0)
            .series("training", Mark::Faint, training)
            .series("validation", Mark::Dots, validation);
        if let Some((low, high)) = range {
            plot = plot.y_range(low, high);
        }
        floors
            .iter()
            .fold(plot, |plot, floor| plot.level(format!("{} {}", floor.name, decimals(floor.nats, 3)), floor.nats))
    };
    draw((1080, 400), |area| {
        // The right panel is wider by its margin of names, so that both curves have about the same width.
        let (left, right) = area.split_horizontally(456.0 * f64::from(area.dim_in_pixel().0) / 1080.0);
        panel("Loss by step", "step", &|r| r.step as f64).unnamed().draw_on(&left)?;
        panel("Loss by time", time, &|r| r.seconds / scale).draw_on(&right)
    })
}

/// From the lowest value to the highest that matters: the worst two in a hundred training losses (the first steps, a
/// spike) must not press everything else flat.
fn y_range(records: &[Record], floors: &[Floor]) -> Option<(f64, f64)> {
    let mut training: Vec<f64> = records.iter().map(|r| r.loss).filter(|l| l.is_finite()).collect();
    training.sort_by(f64::total_cmp);
    let usual = training.iter().rev().nth(training.len() / 50).copied();
    let others: Vec<f64> = records.iter().filter_map(|r| r.validation).chain(floors.iter().map(|f| f.nats)).collect();
    let values = usual.into_iter().chain(training.first().copied()).chain(others).filter(|v| v.is_finite());
    values.fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((low, high)) => Some((f64::min(low, v), f64::max(high, v))),
    })
}

/// Means of equal groups of neighbours, where there are more points than a screen shows.
fn averaged(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let group = points.len().div_ceil(MAX_POINTS).max(1);
    let mean = |values: &mut dyn Iterator<Item = f64>, n: usize| values.sum::<f64>() / n as f64;
    let groups = points.chunks(group);
    groups.map(|g| (mean(&mut g.iter().map(|p| p.0), g.len()), mean(&mut g.iter().map(|p| p.1), g.len()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(count: u64) -> Vec<Record> {
        let record = |step: u64| Record {
            step,
            loss: 1.4 + 2.8 / (step as f64).sqrt(),
            validation: step.is_multiple_of(100).then_some(1.5),
            seconds: step as f64 * 0.1,
            ..Record::default()
        };
        (1..=count).map(record).collect()
    }

    #[test]
    fn both_panels_both_losses_and_every_floor_are_named() {
        let floors = [Floor { name: "Markov order 4".into(), nats: 1.669 }];
        let svg = loss_picture(&records(1000), &floors, "character").unwrap();
        for text in ["Loss by step", "Loss by time", "seconds", "training", "validation", "Markov order 4 1.669"] {
            assert!(svg.as_str().contains(text), "{text}");
        }
    }

    #[test]
    fn a_run_without_records_gives_a_picture_too() {
        assert!(loss_picture(&[], &[], "symbol").unwrap().as_str().contains("nothing to draw yet"));
    }

    #[test]
    fn averaging_keeps_the_mean_and_the_order() {
        let points: Vec<(f64, f64)> = (0..5000).map(|i| (f64::from(i), f64::from(i % 7))).collect();
        let few = averaged(&points);
        assert!(few.len() <= MAX_POINTS && few.windows(2).all(|p| p[0].0 < p[1].0));
        assert_eq!(averaged(&points[..10]), &points[..10]);
    }

    #[test]
    fn one_spike_does_not_press_the_curve_flat() {
        let mut spiked = records(1000);
        spiked[500].loss = 1e9;
        let (_, high) = y_range(&spiked, &[]).unwrap();
        assert!(high < 3.0, "{high}");
    }

    #[test]
    fn a_diverged_run_is_drawn_as_far_as_it_went() {
        let mut diverged = records(10);
        diverged[9].loss = f64::NAN;
        assert!(!loss_picture(&diverged, &[], "symbol").unwrap().as_str().contains("NaN"));
    }
}
