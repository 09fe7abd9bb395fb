//! Reshaped distributions against their formulas, samples against reshaped distributions, and where a sequence ends.

use super::*;
use crate::autoregressive::Autoregressive;
use autograd::random::Streams;

/// Probabilities 0.4, 0.3, 0.2, 0.1.
fn four() -> Categorical<f64> {
    Categorical { logits: [0.4_f64, 0.3, 0.2, 0.1].map(f64::ln).to_vec() }
}

/// The probabilities after reshaping.
fn reshaped(options: Options) -> Vec<f64> {
    let mut sampler = Sampler::new(options).unwrap();
    let total = sampler.reshape(&four());
    sampler.weights.iter().map(|w| w / total).collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    found.iter().zip(expected).for_each(|(a, b)| approx::assert_relative_eq!(*a, *b, epsilon = 1e-12));
}

#[test]
fn top_k_keeps_exactly_the_k_most_likely() {
    assert_close(&reshaped(Options { top_k: Some(2), ..Options::default() }), &[4.0 / 7.0, 3.0 / 7.0, 0.0, 0.0]);
}

#[test]
fn top_p_keeps_the_fewest_that_reach_p() {
    let kept = |p| reshaped(Options { top_p: Some(p), ..Options::default() }).iter().filter(|&&p| p > 0.0).count();
    assert_eq!([0.1, 0.39, 0.41, 0.69, 0.71, 0.95, 1.0].map(kept), [1, 1, 2, 2, 3, 4, 4]);
}

#[test]
fn min_p_keeps_those_at_least_p_times_as_likely_as_the_most_likely() {
    assert_close(&reshaped(Options { min_p: Some(0.6), ..Options::default() }), &[4.0 / 7.0, 3.0 / 7.0, 0.0, 0.0]);
}

#[test]
fn temperature_takes_probabilities_to_a_power() {
    let p = reshaped(Options { temperature: 0.5, ..Options::default() });
    assert_close(&p, &[0.16 / 0.3, 0.09 / 0.3, 0.04 / 0.3, 0.01 / 0.3]);
    assert_eq!(reshaped(Options { temperature: 0.0, ..Options::default() }), [1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn the_repetition_penalty_takes_away_from_what_was_seen() {
    let mut sampler = Sampler::new(Options { repetition_penalty: 2.0, ..Options::default() }).unwrap();
    four().note(&mut sampler, 0);
    let total = sampler.reshape(&four());
    assert_close(&[sampler.weights[0] / total], &[0.16 / 0.76]); // ln 0.4 is doubled
}

#[test]
fn reshaped_samples_follow_the_reshaped_distribution_by_chi_square() {
    let options = Options { temperature: 1.3, top_k: Some(3), ..Options::default() };
    let expected = reshaped(options.clone());
    let mut sampler = Sampler::new(options).unwrap();
    let mut random = Streams::new(5).stream("test");
    let n = 100_000;
    let mut counts = [0.0; 4];
    (0..n).for_each(|_| counts[four().draw(&mut sampler, &mut random) as usize] += 1.0);
    assert_eq!(counts[3], 0.0);
    let cell = |(c, p): (&f64, &f64)| (c - p * f64::from(n)).powi(2) / (p * f64::from(n));
    let chi_square: f64 = counts[..3].iter().zip(&expected).map(cell).sum();
    assert!(chi_square < 13.82, "χ² with 2 degrees of freedom is below 13.82 in 999 cases of 1000: {chi_square}");
}

/// Uniform over four symbols.
struct Uniform {
    length: Option<usize>,
}

impl Autoregressive for Uniform {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = Categorical<f64>;

    fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
        vec![self.start(); x.len()]
    }
    fn start(&self) -> Categorical<f64> {
        Categorical { logits: vec![0.0; 4] }
    }
    fn next<'s>(&self, state: &'s Categorical<f64>) -> &'s Categorical<f64> {
        state
    }
    fn step(&self, _: &mut Categorical<f64>, _: u32) {}
    fn length(&self) -> Option<usize> {
        self.length
    }
}

#[test]
fn a_sequence_ends_at_its_length_prompt_included_and_without_one_goes_on() {
    let drawn = |length, prompt: &[u32]| {
        let sampler = Sampler::new(Options::default()).unwrap();
        let model = Uniform { length };
        Generator::new(&model, prompt, sampler, Streams::new(1).stream("test")).take(1000).count()
    };
    assert_eq!(drawn(Some(7), &[]), 7);
    assert_eq!(drawn(Some(7), &[1, 2]), 5);
    assert_eq!(drawn(Some(2), &[1, 2]), 0);
    assert_eq!(drawn(None, &[1, 2]), 1000);
}

#[test]
fn options_outside_their_range_are_usage_errors_that_name_them() {
    let wrong = [
        (Options { temperature: -1.0, ..Options::default() }, "temperature"),
        (Options { temperature: f64::NAN, ..Options::default() }, "temperature"),
        (Options { top_k: Some(0), ..Options::default() }, "top-k"),
        (Options { top_p: Some(0.0), ..Options::default() }, "top-p"),
        (Options { top_p: Some(1.5), ..Options::default() }, "top-p"),
        (Options { min_p: Some(-0.1), ..Options::default() }, "min-p"),
        (Options { repetition_penalty: 0.0, ..Options::default() }, "repetition-penalty"),
    ];
    for (options, name) in wrong {
        let error = options.check().unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.what.starts_with(name), "{error}");
    }
}
