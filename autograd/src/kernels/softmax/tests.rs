//! Softmax, log-softmax and cross-entropy against naive `f64`, central differences, the edges, and across numbers of threads.

use super::*;
use crate::kernels::math::dispatch::{Isa, dispatch_to};
use crate::kernels::row_tasks::tests::{assert_thread_independent, wave, wave32};
use approx::assert_relative_eq;
use proptest::prelude::*;

const INF: f64 = f64::INFINITY;

fn applied<T: Clone>(f: fn(&mut [T], usize), xs: &[T], cols: usize) -> Vec<T> {
    let mut xs = xs.to_vec();
    f(&mut xs, cols);
    xs
}

fn naive_softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(-INF, f64::max);
    let sum: f64 = row.iter().map(|x| (x - max).exp()).sum();
    row.iter().map(|x| (x - max).exp() / sum).collect()
}

#[test]
fn minus_infinity_gets_nothing_and_a_row_of_it_is_nan() {
    assert_eq!(applied(softmax, &[-INF, 0.0, -INF, 0.0], 4), [0.0, 0.5, 0.0, 0.5]);
    assert_eq!(applied(log_softmax, &[-INF, 3.0], 2), [-INF, 0.0]);
    for f in [softmax::<f64>, log_softmax::<f64>] {
        assert!(applied(f, &[-INF; 3], 3).iter().all(|x| x.is_nan()));
        assert!(applied(f, &[0.0, f64::NAN, 1.0], 3).iter().all(|x| x.is_nan()));
        assert!(applied(f, &[], 3).is_empty() && applied(f, &[], 0).is_empty());
    }
}

#[test]
fn huge_logits_neither_overflow_nor_vanish() {
    for offset in [-1e30f32, -1e4, 0.0, 1e4, 3e38] {
        assert_eq!(applied(softmax, &[offset; 4], 4), [0.25; 4]);
        assert_eq!(applied(log_softmax, &[offset; 2], 2), [-(2f32.ln()); 2]);
        assert_eq!(negative_log_likelihoods(&[offset; 2], 2, &[1]), [2f32.ln()]);
    }
    assert_eq!(applied(log_softmax, &[0.0f32, -1e5], 2), [0.0, -1e5], "no logarithm of an underflow");
}

#[test]
fn one_symbol_is_certain() {
    assert_eq!(applied(softmax, &[7.0f32, -1e9], 1), [1.0, 1.0]);
    let mut logits = [3.0f32, -2.0];
    assert_eq!(cross_entropy(&mut logits, 1, &[0, 0]), 0.0);
    cross_entropy_backward(&mut logits, 1, &[0, 0], 1.0);
    assert_eq!(logits, [0.0, 0.0]);
}

/// What each function makes of one row, on every instruction set of this machine, which must agree: softmax, log-softmax, both backward
/// passes with the gradient g, the likelihood of target 0. In double precision, which holds every f32.
fn on_every_instruction_set<T: Scalar>(x: &[T], g: &[T]) -> [Vec<u64>; 5] {
    let on = |isa| {
        let cols = x.len();
        let (mut probs, mut logs, mut dx, mut dy, mut nll) =
            (x.to_vec(), x.to_vec(), g.to_vec(), g.to_vec(), [T::zero()]);
        dispatch_to(isa, Softmax(&mut probs, cols));
        dispatch_to(isa, LogSoftmax(&mut logs, cols));
        dispatch_to(isa, SoftmaxBackward(&probs, &mut dx, cols));
        dispatch_to(isa, LogSoftmaxBackward(&logs, &mut dy, cols));
        dispatch_to(isa, cross_entropy::Score { logits: x, cols, targets: &[0], nll: &mut nll });
        let mut of_loss = x.to_vec();
        let nll_of_loss = &mut [T::zero()];
        dispatch_to(isa, cross_entropy::Forward { logits: &mut of_loss, cols, targets: &[0], nll: nll_of_loss });
        assert!(*nll_of_loss == nll, "{isa:?}: the likelihood of the loss");
        assert!(of_loss == probs, "{isa:?}: the probabilities of the loss are those of softmax");
        [probs, logs, dx, dy, nll.to_vec()].map(|xs| xs.into_iter().map(|x| x.as_f64().to_bits()).collect())
    };
    let portable: [Vec<u64>; 5] = on(Isa::Portable);
    assert!(Isa::available().all(|isa| on(isa) == portable), "length {}", x.len());
    portable
}

fn assert_masks_change_nothing<T: Scalar>(x: &[T], g: &[T]) {
    for len in 1..x.len() {
        let bare = on_every_instruction_set(&x[..len], &g[..len]);
        for padding in [1, 7, 31, 32, 133] {
            let masked = [&x[..len], &vec![T::neg_infinity(); padding]].concat();
            let g = [&g[..len], &vec![T::zero(); padding]].concat();
            let padded = on_every_instruction_set(&masked, &g);
            for (function, (padded, bare)) in padded.iter().zip(&bare).enumerate() {
                let part = &padded[..bare.len()];
                assert!(part == bare, "function {function}: {len} elements, alone and before {padding} of −∞");
            }
            assert!(padded[0][len..].iter().all(|&p| p == 0), "a masked element has probability +0");
        }
    }
}

#[test]
fn a_masked_row_has_the_bits_of_its_bare_beginning() {
    let (x, g) = (wave(200, 0.4), wave(200, 2.0));
    let large: Vec<f64> = x.iter().map(|x| 4.0 * x).collect();
    assert_masks_change_nothing(&large, &g);
    let single = |xs: &[f64]| xs.iter().map(|&x| x as f32).collect::<Vec<_>>();
    assert_masks_change_nothing(&single(&large), &single(&g));
    let zeros: Vec<f32> = (0..200).map(|i| if i % 3 == 0 { 0.0 } else { -0.0 }).collect();
    assert_masks_change_nothing(&zeros, &zeros);
}

#[test]
fn the_probabilities_of_single_precision_are_right_to_six_digits() {
    for cols in [2, 65, 10_000] {
        let xs: Vec<f32> = wave32(3 * cols, 0.4).iter().map(|x| 4.0 * x).collect();
        let ys = applied(softmax, &xs, cols);
        for (x, y) in xs.chunks(cols).zip(ys.chunks(cols)) {
            let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
            for (&y, exact) in y.iter().zip(naive_softmax(&x)) {
                assert_relative_eq!(f64::from(y), exact, max_relative = 1e-6, epsilon = 1e-30);
            }
        }
    }
}

#[test]
fn backward_passes_are_the_central_differences_of_the_forward_passes() {
    let (cols, h) = (37, 1e-5);
    let (x, g) = (wave(2 * cols, 0.0), wave(2 * cols, 2.0));
    type Forward = fn(&mut [f64], usize);
    type Backward = fn(&[f64], &mut [f64], usize);
    let pairs: [(Forward, Backward); 2] = [(softmax, softmax_backward), (log_softmax, log_softmax_backward)];
    for (forward, backward) in pairs {
        let mut dx = g.clone();
        backward(&applied(forward, &x, cols), &mut dx, cols);
        for i in 0..x.len() {
            let weighted = |step: f64| {
                let mut x = x.clone();
                x[i] += step;
                applied(forward, &x, cols).iter().zip(&g).map(|(z, g)| z * g).sum::<f64>()
            };
            assert_relative_eq!(dx[i], (weighted(h) - weighted(-h)) / (2.0 * h), epsilon = 1e-8);
        }
    }
}

#[test]
fn the_gradient_of_cross_entropy_is_its_central_difference() {
    let (cols, targets, h) = (5, [4, 0, 2], 1e-5);
    let x = wave(3 * cols, 1.0);
    let mut dx = x.clone();
    cross_entropy(&mut dx, cols, &targets);
    cross_entropy_backward(&mut dx, cols, &targets, 0.7);
    for i in 0..x.len() {
        let loss = |step: f64| {
            let mut x = x.clone();
            x[i] += step;
            0.7 * cross_entropy(&mut x, cols, &targets)
        };
        assert_relative_eq!(dx[i], (loss(h) - loss(-h)) / (2.0 * h), epsilon = 1e-9);
    }
}

#[test]
fn a_target_that_cannot_happen_costs_infinitely_much() {
    let mut logits = [0.0, -INF];
    assert_eq!(cross_entropy(&mut logits, 2, &[1]), INF);
    assert_eq!(logits, [1.0, 0.0]);
}

#[test]
fn the_loss_leaves_softmax_and_is_the_mean_of_the_single_likelihoods() {
    let (rows, cols) = (700, 65);
    let logits = wave32(rows * cols, 0.9);
    let targets: Vec<u32> = (0..rows as u32).map(|i| i * 7 % 65).collect();
    let mut probs = logits.clone();
    let loss = cross_entropy(&mut probs, cols, &targets);
    assert_eq!(probs, applied(softmax, &logits, cols));
    let each = negative_log_likelihoods(&logits, cols, &targets);
    assert_eq!(loss, mean(&each));
    let log_probs = applied(log_softmax, &logits, cols);
    for (i, &nll) in each.iter().enumerate() {
        assert_relative_eq!(nll, -log_probs[i * cols + targets[i] as usize], max_relative = 1e-6);
    }
}

#[test]
#[should_panic(expected = "cross_entropy: target 3 among 3 symbols")]
fn a_target_outside_the_alphabet_is_named() {
    cross_entropy(&mut [0.0f32; 6], 3, &[2, 3]);
}

#[test]
#[should_panic(expected = "cross_entropy: one target per row")]
fn a_missing_target_is_refused() {
    cross_entropy(&mut [0.0f32; 6], 3, &[2]);
}

#[test]
fn softmax_has_the_same_bits_for_any_number_of_threads() {
    for cols in [65, 10_000] {
        let xs = wave32(130_000, 0.2);
        let xs = &xs[..xs.len() / cols * cols];
        let targets: Vec<u32> = (0..(xs.len() / cols) as u32).map(|i| i * 31 % cols as u32).collect();
        assert_thread_independent(|| {
            let mut probs = xs.to_vec();
            let loss = cross_entropy(&mut probs, cols, &targets);
            let mut dx = xs.to_vec();
            softmax_backward(&probs, &mut dx, cols);
            let mut log_probs = xs.to_vec();
            log_softmax(&mut log_probs, cols);
            let mut dy = xs.to_vec();
            log_softmax_backward(&log_probs, &mut dy, cols);
            cross_entropy_backward(&mut probs, cols, &targets, 1.0);
            [vec![loss], probs, log_probs, dx, dy, negative_log_likelihoods(xs, cols, &targets)]
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn softmax_equals_the_naive_formula_in_double_precision(
        rows in 0usize..5, cols in 1usize..200, phase in 0.0..6.0, size in 0.0..300.0,
    ) {
        let xs: Vec<f64> = wave(rows * cols, phase).iter().map(|x| x * size).collect();
        let (ys, logs) = (applied(softmax, &xs, cols), applied(log_softmax, &xs, cols));
        for ((x, y), log) in xs.chunks(cols).zip(ys.chunks(cols)).zip(logs.chunks(cols)) {
            for ((&y, &log), exact) in y.iter().zip(log).zip(naive_softmax(x)) {
                prop_assert!((y - exact).abs() <= 1e-14 * exact.max(1e-300));
                prop_assert!((log - exact.ln()).abs() <= 1e-12 * (1.0 + log.abs()));
            }
        }
    }
}
