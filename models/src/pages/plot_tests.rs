//! Tests of the plot: geometry and text of the SVG; how it looks was judged by eye.

use super::*;

fn forecast() -> Plot {
    let sine = |t: f64| (t / 5.0).sin();
    let past = (0..60).map(|t| (f64::from(t), sine(f64::from(t)))).collect();
    let ahead: Vec<f64> = (60..90).map(f64::from).collect();
    let band = |width: f64| -> Vec<_> {
        ahead.iter().map(|&t| (t, sine(t) - width * (t - 59.0).sqrt(), sine(t) + width * (t - 59.0).sqrt())).collect()
    };
    Plot::new("Sunspots", "year", "count")
        .band("95 %", band(0.39))
        .band("80 %", band(0.256))
        .series("measured", Mark::Line, past)
        .series("forecast", Mark::Dots, ahead.iter().map(|&t| (t, sine(t))).collect())
}

#[test]
fn a_plot_names_every_series_band_level_and_axis() {
    let svg = forecast().level("mean", 0.0).svg().unwrap();
    for text in ["Sunspots", "year", "count", "95 %", "80 %", "measured", "forecast", "mean"] {
        assert!(svg.as_str().contains(&format!("{text}\n</text>")), "{text}");
    }
    assert!(svg.as_str().starts_with("<svg width=\"760\" height=\"380\" viewBox=\"0 0 3040 1520\""));
}

#[test]
fn names_are_escaped() {
    let svg = Plot::new("<script>alert(1)</script>", "", "").series("a&b", Mark::Line, vec![(0.0, 1.0)]).svg().unwrap();
    assert!(!svg.as_str().contains("<script") && svg.as_str().contains("a&amp;b"));
}

#[test]
fn a_plot_without_a_finite_point_says_so() {
    for points in [vec![], vec![(0.0, f64::NAN), (1.0, f64::INFINITY)]] {
        let svg = Plot::new("t", "x", "y").series("s", Mark::Line, points).svg().unwrap();
        assert!(svg.as_str().contains("nothing to draw yet"));
    }
}

#[test]
fn a_single_point_a_constant_and_a_huge_value_are_drawn() {
    for points in [vec![(3.0, 2.0)], vec![(0.0, 2.0), (1.0, 2.0)], vec![(0.0, 1e300), (1e15, -1e300)]] {
        let svg = Plot::new("t", "x", "y").series("s", Mark::Line, points).svg().unwrap();
        assert!(!svg.as_str().contains("nothing to draw yet") && !svg.as_str().contains("NaN"));
    }
}

#[test]
fn ticks_are_round_numbers_inside_the_range() {
    assert_eq!(nice_ticks(&(0.0..10.0), 6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    assert_eq!(nice_ticks(&(1.3..1.5), 4).len(), 5);
    assert_eq!(tick(20_000.0, 0), "20k");
    assert_eq!(tick(0.25, digits(&(0.0..1.4))), "0.2", "a step of 0.5 needs one digit");
}

#[test]
fn labels_are_moved_apart_and_stay_inside() {
    let mut labels: Vec<MarginLabel> = [100, 98, 99, 0, 100]
        .map(|at| MarginLabel { text: String::new(), leader: true, color: INK, at, written: at })
        .into();
    spread(&mut labels, 10, 0, 110);
    for pair in labels.windows(2) {
        assert!(pair[1].written - pair[0].written >= 10);
    }
    assert!(labels.iter().all(|l| (0..=110).contains(&l.written)));
}
