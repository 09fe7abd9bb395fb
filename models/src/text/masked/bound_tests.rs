//! Masks against their law, the loss against its formula, the bound against the likelihood that it bounds.

use super::*;
use crate::decoding::mask_predict::FillsGaps;
use crate::distribution::Distribution;
use crate::text::gpt::GptConfig;
use crate::text::network::Configured;
use crate::text::objective::{Objective, Step};
use crate::text::windows::Window;
use autograd::nn::Module;
use autograd::random::Streams;

fn model(symbols: usize, context: usize) -> MaskedGpt<f32> {
    let config = GptConfig { symbols, layers: 2, heads: 2, key_heads: 1, width: 8, context, ..GptConfig::default() };
    let mut model = <MaskedGpt<f32> as Configured>::new(&config, &mut Streams::new(3).stream("init"));
    // Far from where it begins, where all symbols are as likely.
    for (i, (name, param)) in model.parameters_mut().into_iter().enumerate() {
        if !name.contains("ln_") {
            param.values_mut().iter_mut().enumerate().for_each(|(j, w)| *w = ((i * 31 + j * j) as f32).sin() * 0.6);
        }
    }
    model
}

#[test]
fn every_number_of_symbols_is_hidden_as_often_and_each_of_them_as_often() {
    let (m, rows, steps) = (6, 3, 6000);
    let (mut numbers, mut places) = (vec![0u32; m + 1], vec![0u32; m]);
    for step in 0..steps {
        let hidden = hide(&mut Streams::new(1).stream(&format!("masks of step {step}")), &vec![2..2 + m; rows]);
        for row in &hidden {
            assert!(row.is_sorted() && row.iter().all(|at| (2..2 + m).contains(at)));
            numbers[row.len()] += 1;
            row.iter().for_each(|at| places[at - 2] += 1);
        }
        // The numbers of a batch lie evenly: of six, in each third.
        let mut thirds: Vec<usize> = hidden.iter().map(|row| (row.len() - 1) / 2).collect();
        thirds.sort_unstable();
        assert_eq!(thirds, [0, 1, 2]);
    }
    assert_eq!(numbers[0], 0, "some symbol is always hidden");
    let chi_square = |counts: &[u32]| {
        let mean = counts.iter().sum::<u32>() as f64 / counts.len() as f64;
        counts.iter().map(|&count| (f64::from(count) - mean).powi(2) / mean).sum::<f64>()
    };
    assert!(chi_square(&numbers[1..]) < 20.5 && chi_square(&places) < 20.5, "{numbers:?} {places:?}"); // 1 in 1000 seeds, one seed
}

#[test]
fn windows_score_every_symbol_once_and_the_last_knows_what_came_before() {
    for (symbols, time) in [(0, 4), (1, 4), (3, 4), (4, 4), (5, 4), (8, 4), (11, 4), (7, 1)] {
        let windows = Windows::of(symbols, time);
        let scored: Vec<usize> =
            windows.all.iter().flat_map(|(begin, range)| range.clone().map(move |at| begin + at)).collect();
        assert_eq!(scored, (0..symbols).collect::<Vec<_>>(), "{symbols} symbols by {time}");
        for (begin, range) in &windows.all {
            assert!(range.end == time || symbols < time, "whole windows");
            assert!(begin + range.end <= symbols);
        }
    }
    assert_eq!(Windows::of(11, 4).all[2], (7, 1..4));
}

/// The mean over the hidden symbols of a window, averaged over the windows, by the distributions of the gaps.
#[test]
fn the_loss_is_the_mean_over_hidden_symbols_alone_and_sees_both_sides() {
    let (time, batch) = (6, 2);
    let model = model(3, time);
    let inputs: Vec<u32> = (0..batch * time).map(|i| (i * i % 3) as u32).collect();
    let step = || Step { number: 7, batch, streams: Streams::new(2), epsilon: 1.0, dropout: None };
    let mut window = Window { inputs: inputs.clone(), targets: vec![9; batch * time], resets_state: true };
    let loss = model.loss(&mut window, None, step()).0.to_vec()[0];
    let hidden = hide(&mut Streams::new(2).stream("masks of step 7"), &vec![0..time; batch]);
    let expected: f64 = inputs
        .chunks(time)
        .zip(&hidden)
        .map(|(row, hidden)| {
            let known: Vec<Option<u32>> = (0..time).map(|at| (!hidden.contains(&at)).then_some(row[at])).collect();
            let gaps = model.gaps(&known, hidden);
            let nats = gaps.iter().zip(hidden).map(|(gap, &at)| -gap.log_probability(row[at]));
            nats.sum::<f64>() / hidden.len() as f64 / batch as f64
        })
        .sum();
    approx::assert_relative_eq!(f64::from(loss), expected, max_relative = 1e-5);

    // A known symbol is no target; changed, it changes what is said of gaps before it and after it.
    let gap = |known: [u32; 5]| {
        let window: Vec<Option<u32>> =
            known[..3].iter().map(|&s| Some(s)).chain([None]).chain(known[3..].iter().map(|&s| Some(s))).collect();
        model.gaps(&window, &[3])[0].parameters()
    };
    let own = gap([0, 1, 2, 0, 1]);
    for at in 0..5 {
        let mut other = [0, 1, 2, 0, 1];
        other[at] = (other[at] + 1) % 3;
        assert_ne!(gap(other), own, "position {at}");
    }
}

#[test]
fn every_parameter_gets_a_gradient_the_mask_among_them() {
    let model = model(3, 6);
    let mut window =
        Window { inputs: vec![0, 1, 2, 0, 1, 1, 2, 2, 0, 1, 0, 2], targets: vec![0; 12], resets_state: true };
    let step = Step { number: 1, batch: 2, streams: Streams::new(2), epsilon: 1.0, dropout: None };
    let (loss, carry) = model.loss(&mut window, None, step);
    assert!(carry.is_empty());
    let grads = loss.backward();
    for (name, param) in model.parameters() {
        let gradient = grads.of(param).unwrap_or_else(|| panic!("{name} has no gradient"));
        assert!(gradient.iter().any(|&g| g != 0.0), "{name}");
        if name == "tokens.weight" {
            assert!(gradient.outer_iter().all(|row| row.iter().any(|&g| g != 0.0)), "the row of the mask as well");
        }
    }
}

/// All orders in which a window can be written.
fn orders(places: &[usize]) -> Vec<Vec<usize>> {
    if places.is_empty() {
        return vec![Vec::new()];
    }
    let first = |&at: &usize| {
        let rest: Vec<usize> = places.iter().copied().filter(|&other| other != at).collect();
        orders(&rest).into_iter().map(move |order| [vec![at], order].concat())
    };
    places.iter().flat_map(first).collect()
}

#[test]
fn the_estimate_is_the_mean_over_all_orders_and_bounds_the_likelihood_of_their_mixture() {
    let (time, text) = (3, [1u32, 0, 2]);
    let model = model(3, time);
    let ln_p = |order: &[usize], text: &[u32]| {
        let mut known = vec![None; time];
        let mut sum = 0.0;
        for &at in order {
            sum += model.gaps(&known, &[at])[0].log_probability(text[at]);
            known[at] = Some(text[at]);
        }
        sum
    };
    let orders = orders(&[0, 1, 2]);
    let mean =
        |of: &dyn Fn(f64) -> f64, text: &[u32]| orders.iter().map(|order| of(ln_p(order, text))).sum::<f64>() / 6.0;
    let bound = mean(&|ln_p| -ln_p, &text);
    let exact = -mean(&f64::exp, &text).ln();
    assert!(bound > exact + 1e-3, "Jensen: {bound} {exact}");
    let (draws, windows) = (6000, Windows::of(3, time));
    let mut random = Streams::new(4).stream("masks");
    let estimates: Vec<f64> =
        (0..draws).map(|_| draw(&model, &text, &windows, &mut random, &mut |_| ()).iter().sum()).collect();
    let estimate = estimates.iter().sum::<f64>() / f64::from(draws);
    let variance = estimates.iter().map(|x| (x - estimate).powi(2)).sum::<f64>() / f64::from(draws).powi(2);
    assert!((estimate - bound).abs() < 4.0 * variance.sqrt(), "{estimate} ± {}, {bound}", variance.sqrt());
    // The mixture is a law: over all texts of three symbols of three it sums to one.
    let all = (0..27u32).map(|code| [code % 3, code / 3 % 3, code / 9]);
    approx::assert_relative_eq!(all.map(|text| mean(&f64::exp, &text)).sum::<f64>(), 1.0, epsilon = 1e-9);
}
