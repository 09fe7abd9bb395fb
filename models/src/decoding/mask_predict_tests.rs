//! Filling in rounds against laws that are added up over everything that can be drawn.

use super::*;
use crate::distribution::Categorical;
use crate::sampling::Options;
use autograd::random::{Stream, Streams};
use std::collections::BTreeMap;

/// Symbols of the alphabet, and gaps of the window.
const V: usize = 2;
const N: usize = 3;

/// A law over all windows of N symbols of V, and its conditionals: what a perfect model of gaps says.
struct Joint([f64; V.pow(N as u32)]);

impl Joint {
    fn example() -> Self {
        Joint([0.30, 0.02, 0.05, 0.13, 0.01, 0.19, 0.22, 0.08])
    }

    fn windows() -> impl Iterator<Item = (usize, [u32; N])> {
        (0..V.pow(N as u32)).map(|code| (code, std::array::from_fn(|i| (code / V.pow(i as u32) % V) as u32)))
    }

    /// `p(symbol at place | known)`.
    fn conditional(&self, window: &[Option<u32>], place: usize) -> [f64; V] {
        let mut sums = [0.0; V];
        for (code, symbols) in Self::windows() {
            if window.iter().zip(symbols).all(|(known, symbol)| known.is_none_or(|known| known == symbol)) {
                sums[symbols[place] as usize] += self.0[code];
            }
        }
        let total: f64 = sums.iter().sum();
        sums.map(|sum| sum / total)
    }
}

impl FillsGaps for Joint {
    type Distribution = Categorical<f64>;

    fn gaps(&self, window: &[Option<u32>], places: &[usize]) -> Vec<Categorical<f64>> {
        let one = |&place: &usize| Categorical { logits: self.conditional(window, place).map(f64::ln).to_vec() };
        places.iter().map(one).collect()
    }
}

/// The law of what one gap a round draws: of all draws of all gaps, that stays whose confidence is largest, with the probability that Gumbel
/// noise gives it.
fn one_by_one(joint: &Joint, window: [Option<u32>; N], round: usize, temperature: f64) -> BTreeMap<[u32; N], f64> {
    let gaps: Vec<usize> = (0..N).filter(|&i| window[i].is_none()).collect();
    if gaps.is_empty() {
        return BTreeMap::from([(window.map(|symbol| symbol.expect("known")), 1.0)]);
    }
    let noise = temperature * (1.0 - round as f64 / N as f64);
    let p: Vec<[f64; V]> = gaps.iter().map(|&place| joint.conditional(&window, place)).collect();
    let mut law = BTreeMap::new();
    for code in 0..V.pow(gaps.len() as u32) {
        let drawn: Vec<usize> = (0..gaps.len()).map(|i| code / V.pow(i as u32) % V).collect();
        let each: Vec<f64> = drawn.iter().zip(&p).map(|(&symbol, p)| p[symbol]).collect();
        let together: f64 = each.iter().product();
        let stays: Vec<f64> = match noise > 0.0 {
            // argmax ln p + noise · G: softmax of ln p / noise.
            true => {
                let weights: Vec<f64> = each.iter().map(|p| p.powf(1.0 / noise)).collect();
                let total: f64 = weights.iter().sum();
                weights.iter().map(|weight| weight / total).collect()
            }
            false => {
                let best = (0..each.len()).rev().max_by(|&a, &b| each[a].total_cmp(&each[b])).expect("a gap");
                (0..each.len()).map(|i| f64::from(i == best)).collect()
            }
        };
        for (i, stays) in stays.iter().enumerate().filter(|(_, stays)| **stays > 0.0) {
            let mut next = window;
            next[gaps[i]] = Some(drawn[i] as u32);
            for (symbols, p) in one_by_one(joint, next, round + 1, temperature) {
                *law.entry(symbols).or_insert(0.0) += together * stays * p;
            }
        }
    }
    law
}

fn filled(joint: &Joint, plan: Plan, random: &mut Stream) -> ([u32; N], u64) {
    let mut window = [None; N];
    let mut sampler = Sampler::new(Options::default()).unwrap();
    let passes = fill(joint, &mut window, 0..N, plan, &mut sampler, random).unwrap();
    (window.map(|symbol| symbol.expect("filled")), passes)
}

/// χ² of samples against a law, and its bound: four deviations.
#[track_caller]
fn follows(joint: &Joint, plan: Plan, law: &BTreeMap<[u32; N], f64>) {
    approx::assert_relative_eq!(law.values().sum::<f64>(), 1.0, epsilon = 1e-12);
    let (samples, mut random) = (40_000, Streams::new(5).stream("sampling"));
    let mut counts = BTreeMap::new();
    for _ in 0..samples {
        *counts.entry(filled(joint, plan, &mut random).0).or_insert(0u32) += 1;
    }
    let chi_square: f64 = law
        .iter()
        .map(|(symbols, p)| {
            let expected = p * f64::from(samples);
            (f64::from(counts.get(symbols).copied().unwrap_or(0)) - expected).powi(2) / expected
        })
        .sum();
    let freedom = (law.len() - 1) as f64;
    assert!(chi_square < freedom + 4.0 * (2.0 * freedom).sqrt(), "{plan:?}: χ² {chi_square} of {freedom}: {counts:?}");
}

#[test]
fn one_round_draws_from_the_product_of_the_marginals() {
    let joint = Joint::example();
    let marginals: Vec<[f64; V]> = (0..N).map(|place| joint.conditional(&[None; N], place)).collect();
    let product = |symbols: [u32; N]| (0..N).map(|i| marginals[i][symbols[i] as usize]).product::<f64>();
    let law: BTreeMap<_, _> = Joint::windows().map(|(_, symbols)| (symbols, product(symbols))).collect();
    for choice_temperature in [0.0, 4.5] {
        follows(&joint, Plan { rounds: 1, choice_temperature }, &law);
    }
    // It is another law than the joint one.
    assert!(Joint::windows().any(|(code, symbols)| (law[&symbols] - joint.0[code]).abs() > 0.1));
}

#[test]
fn as_many_rounds_as_gaps_draw_from_the_chain_of_conditionals_in_the_order_of_confidence() {
    let joint = Joint::example();
    for choice_temperature in [0.0, 1.0, 4.5] {
        let law = one_by_one(&joint, [None; N], 1, choice_temperature);
        follows(&joint, Plan { rounds: N, choice_temperature }, &law);
        follows(&joint, Plan { rounds: 100, choice_temperature }, &law);
    }
}

#[test]
fn a_random_order_draws_from_the_model_s_own_law() {
    let joint = Joint::example();
    let own: BTreeMap<_, _> = Joint::windows().map(|(code, symbols)| (symbols, joint.0[code])).collect();
    // The last round has no choice, so noise does not fade before the order is random.
    follows(&joint, Plan { rounds: N, choice_temperature: 1e6 }, &own);
    // By confidence alone it is another.
    let sure = one_by_one(&joint, [None; N], 1, 0.0);
    assert!(own.iter().any(|(symbols, p)| (sure[symbols] - p).abs() > 0.02), "{sure:?}");
}

#[test]
fn gaps_are_left_by_the_cosine_at_least_one_is_filled_a_round_and_none_is_left() {
    assert_eq!((1..=8).map(|r| left(256, r, 8)).collect::<Vec<_>>(), [251, 236, 212, 181, 142, 97, 49, 0]);
    for n in 1..200 {
        for rounds in 1..=n {
            let mut gaps = n;
            for r in 1..=rounds {
                let next = left(n, r, rounds).min(gaps - 1);
                assert!(next > 0 || r == rounds, "{n} gaps, round {r} of {rounds}");
                assert!(rounds < n || next == n - r, "one a round: {n}, {r}");
                gaps = next;
            }
            assert_eq!(gaps, 0);
        }
    }
}

#[test]
fn what_is_known_stays_and_gaps_that_are_not_asked_for_stay_gaps() {
    let joint = Joint::example();
    let mut window = [Some(1), None, None];
    let (mut sampler, mut random) = (Sampler::new(Options::default()).unwrap(), Streams::new(1).stream("sampling"));
    let passes = fill(&joint, &mut window, 1..2, Plan::of(16), &mut sampler, &mut random).unwrap();
    assert!(window[0] == Some(1) && window[1].is_some() && window[2].is_none(), "{window:?}");
    assert_eq!(passes, 1);
    assert_eq!(filled(&joint, Plan::of(2), &mut random).1, 2);
    assert_eq!(fill(&joint, &mut window, 1..1, Plan::of(16), &mut sampler, &mut random).unwrap(), 0);
}

#[test]
fn a_gap_without_a_distribution_is_told_and_wrong_plans_are_refused() {
    struct Broken;
    impl FillsGaps for Broken {
        type Distribution = Categorical<f64>;
        fn gaps(&self, _: &[Option<u32>], places: &[usize]) -> Vec<Categorical<f64>> {
            places.iter().map(|_| Categorical { logits: vec![f64::NAN; V] }).collect()
        }
    }
    let (mut sampler, mut random) = (Sampler::new(Options::default()).unwrap(), Streams::new(1).stream("sampling"));
    let error = fill(&Broken, &mut [None; N], 0..N, Plan::of(2), &mut sampler, &mut random).unwrap_err();
    assert_eq!(error.what, crate::distribution::NOT_FINITE);
    assert!(Plan::of(0).check().is_err());
    for choice_temperature in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(Plan { rounds: 1, choice_temperature }.check().unwrap_err().what.contains("choice-temperature"));
    }
}
