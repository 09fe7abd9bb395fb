//! The meter against closed forms: coins whose every number follows from powers of a 2 × 2 matrix, and against the likelihood of a network.

use super::*;
use crate::distribution::{Categorical, Discrete};
use crate::text::decoder::Decoder;
use crate::text::language_model::{CellKind, Config, LanguageModel};
use rand::RngExt;

/// Coins that fall as the one before with probability `stay`, the first like heads (0).
struct Sticky {
    stay: f64,
}

impl Sticky {
    fn after(&self, last: u32) -> Categorical<f64> {
        let mut p = [1.0 - self.stay; 2];
        p[last as usize] = self.stay;
        Categorical { logits: p.map(f64::ln).to_vec() }
    }

    /// Falls, `count` sequences of `length`.
    fn falls(&self, count: usize, length: usize) -> Vec<Vec<u32>> {
        let mut random = Streams::new(3).stream("falls");
        let mut fall = |last: &mut u32| {
            *last = if random.random::<f64>() < self.stay { *last } else { 1 - *last };
            *last
        };
        (0..count).map(|i| (0..length).scan((i % 2) as u32, |last, _| Some(fall(last))).collect()).collect()
    }
}

impl Autoregressive for Sticky {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = Categorical<f64>;

    fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
        (0..x.len()).map(|t| self.after(if t == 0 { 0 } else { x[t - 1] })).collect()
    }
    fn start(&self) -> Categorical<f64> {
        self.after(0)
    }
    fn next<'s>(&self, state: &'s Categorical<f64>) -> &'s Categorical<f64> {
        state
    }
    fn step(&self, state: &mut Categorical<f64>, symbol: u32) {
        *state = self.after(symbol);
    }
}

fn sequences<S>(all: &[Vec<S>], prefix: usize) -> Vec<Sequence<'_, S>> {
    let parted = all.iter().map(|symbols| symbols.split_at(prefix));
    parted.enumerate().map(|(number, (prefix, truth))| Sequence { number, prefix, truth }).collect()
}

fn asked(horizon: usize, draws: usize) -> Asked {
    Asked { horizon, prefixes: None, prefix_length: None, draws, seed: 5 }
}

/// The probability that a coin of this kind is, after so many falls, as it was: an element of the power of its matrix.
fn still(stay: f64, falls: usize) -> f64 {
    let mut p = [1.0, 0.0];
    for _ in 0..falls {
        p = [p[0] * stay + p[1] * (1.0 - stay), p[0] * (1.0 - stay) + p[1] * stay];
    }
    p[0]
}

fn close(estimate: Estimate, expected: f64, what: &str) {
    let Estimate { mean, standard_error } = estimate;
    assert!(
        (mean - expected).abs() <= 5.0 * standard_error + 1e-12,
        "{what}: {mean} ± {standard_error}, not {expected}"
    );
}

#[test]
fn nats_and_errors_of_coins_are_those_that_powers_of_their_matrix_give() {
    let (source, model) = (Sticky { stay: 0.9 }, Sticky { stay: 0.8 });
    let (falls, horizon) = (source.falls(6000, 13), 12);
    let by_source = |prefix: &[u32], falls: &[u32]| {
        let mut last = prefix[prefix.len() - 1];
        let one = |&fall: &u32| -source.after(std::mem::replace(&mut last, fall)).log_probability(fall);
        falls.iter().map(one).collect()
    };
    let mut meter = Meter::new(&asked(horizon, 3), Some(&by_source));
    let predicted = |next: &Categorical<f64>| Some(next.most_likely());
    meter.measure(&model, &sequences(&falls, 1), predicted, &mut |_| Ok(())).unwrap();
    let drift = meter.drift(1, Some("the source".to_owned()));
    let nats = |stay: f64, differs: f64| -(1.0 - differs) * stay.ln() - differs * (1.0 - stay).ln();
    for row in &drift.horizons {
        let h = row.horizon;
        // The coin before, which the model drew itself, is as it was at the prefix, and so is the true one: independently.
        let (own, truth) = (still(0.8, h - 1), still(0.9, h));
        let differs = own * (1.0 - truth) + (1.0 - own) * truth;
        close(row.teacher_forced, nats(0.8, 0.1), &format!("forced at {h}"));
        close(row.free_running, nats(0.8, differs), &format!("free at {h}"));
        let error = row.error.unwrap();
        close(error.teacher_forced, 0.1, &format!("error, forced at {h}"));
        close(error.free_running, differs, &format!("error, free at {h}"));
        // The model changes sides twice as often as its source: that is what the judge sees, at every horizon.
        let judged = row.judged.unwrap();
        close(judged.truth, nats(0.9, 0.1), &format!("judged truth at {h}"));
        close(judged.own, nats(0.9, 0.2), &format!("judged own at {h}"));
    }
    assert_eq!(drift.horizons[0].difference, Estimate { mean: 0.0, standard_error: 0.0 });
}

#[test]
fn a_model_that_is_the_source_does_not_drift_before_the_judge_though_its_nats_rise() {
    let source = Sticky { stay: 0.9 };
    let falls = source.falls(4000, 21);
    let by_source = |prefix: &[u32], falls: &[u32]| {
        let mut last = prefix[prefix.len() - 1];
        let one = |&fall: &u32| -source.after(std::mem::replace(&mut last, fall)).log_probability(fall);
        falls.iter().map(one).collect()
    };
    let mut meter = Meter::new(&asked(20, 2), Some(&by_source));
    meter.measure(&source, &sequences(&falls, 1), |_| None, &mut |_| Ok(())).unwrap();
    let drift = meter.drift(1, Some("the source".to_owned()));
    let last = drift.horizons.last().unwrap();
    close(last.judged.unwrap().difference, 0.0, "own less true");
    assert!(last.difference.mean > 0.5 && last.difference.mean > 20.0 * last.difference.standard_error, "{last:?}");
    assert_eq!(last.error, None, "what predicts nothing has no error");
}

fn network() -> Decoder<f32> {
    let config = Config { model: CellKind::Gru, symbols: 7, embedding: 5, hidden: 9, ..Config::default() };
    Decoder::new(&LanguageModel::new(&config, &mut Streams::new(2).stream("init")))
}

#[test]
fn teacher_forced_is_the_likelihood_and_nothing_depends_on_what_is_followed_together() {
    let decoder = network();
    let all: Vec<Vec<u32>> = (0..37).map(|i| (0..25).map(|t| (t * t + i * 3) % 7).collect()).collect();
    let sequences = sequences(&all, 10);
    let follow = |piece: usize| {
        let mut meter = Meter::new(&asked(15, 4), None);
        let predicted = |next: &Categorical<f32>| Some(next.most_likely());
        for piece in sequences.chunks(piece) {
            meter.measure(&decoder, piece, predicted, &mut |_| Ok(())).unwrap();
        }
        meter.drift(10, None)
    };
    let together = follow(37);
    assert_eq!(together.horizons, follow(1).horizons);
    assert_eq!((together.prefixes, together.draws), (37, 4));
    for row in &together.horizons {
        let at = 10 + row.horizon - 1;
        let nats: Vec<f64> = all.iter().map(|x| decoder.nats(&mut decoder.start(), x)[at]).collect();
        approx::assert_relative_eq!(row.teacher_forced.mean, mean(&nats), max_relative = 1e-12);
    }
}

#[test]
fn weights_that_give_no_distribution_are_told_with_the_symbol_and_a_wish_to_stop_is_heard() {
    let (source, falls) = (Sticky { stay: f64::NAN }, Sticky { stay: 0.9 }.falls(2, 5));
    let mut meter = Meter::new(&asked(3, 1), None);
    let error = meter.measure(&source, &sequences(&falls, 2), |_| None, &mut |_| Ok(())).unwrap_err();
    assert!(error.cause.contains("symbol 3"), "{error}");
    let stopped = || crate::error::Error::new(crate::error::Kind::Interrupted, "stopped");
    let mut meter = Meter::new(&asked(3, 63), None);
    let ended = meter.measure(&Sticky { stay: 0.9 }, &sequences(&falls, 2), |_| None, &mut |done| {
        assert_eq!(done, 1, "nothing is done after it");
        Err(stopped())
    });
    assert_eq!(ended.unwrap_err().kind, crate::error::Kind::Interrupted);
}
