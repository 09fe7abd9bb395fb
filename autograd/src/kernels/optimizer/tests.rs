//! Optimizer steps against PyTorch's documented algorithms, written out naively in `f64`.

use super::*;
use crate::kernels::row_tasks::tests::{assert_thread_independent, wave, wave32};
use approx::assert_relative_eq;

fn settings(step: u64, decay: Decay) -> Adam {
    Adam {
        learning_rate: 3e-3,
        betas: (0.9, 0.95),
        epsilon: 1e-8,
        weight_decay: 0.1,
        decay,
        step,
        gradient_scale: 0.25,
    }
}

#[test]
fn five_steps_of_adam_and_adamw_equal_the_published_algorithm() {
    for decay in [Decay::InGradient, Decay::Decoupled] {
        let mut w = wave(1000, 0.0);
        let (mut m, mut v) = (vec![0.0; 1000], vec![0.0; 1000]);
        let mut naive: Vec<_> = w.iter().map(|&w| (w, 0.0, 0.0)).collect();
        for step in 1..=5 {
            let g = wave(1000, step as f64);
            adam(&settings(step, decay), &mut w, &g, &mut m, &mut v);
            for ((theta, m, v), &g) in naive.iter_mut().zip(&g) {
                let mut g = 0.25 * g;
                if decay == Decay::Decoupled {
                    *theta -= 3e-3 * 0.1 * *theta;
                } else {
                    g += 0.1 * *theta;
                }
                *m = 0.9 * *m + (1.0 - 0.9) * g;
                *v = 0.95 * *v + (1.0 - 0.95) * g * g;
                let m_hat = *m / (1.0 - 0.9f64.powi(step as i32));
                let v_hat = *v / (1.0 - 0.95f64.powi(step as i32));
                *theta -= 3e-3 * m_hat / (v_hat.sqrt() + 1e-8);
            }
        }
        for (got, (exact, ..)) in w.iter().zip(&naive) {
            assert_relative_eq!(*got, *exact, epsilon = 1e-15);
        }
    }
}

#[test]
fn the_first_step_of_adam_moves_each_weight_by_the_learning_rate_against_its_gradient() {
    let (mut w, mut m, mut v) = ([0.0f64; 3], [0.0; 3], [0.0; 3]);
    let first = Adam { weight_decay: 0.0, gradient_scale: 1.0, ..settings(1, Decay::InGradient) };
    adam(&first, &mut w, &[1e-3, -5.0, 0.0], &mut m, &mut v);
    assert_relative_eq!(w[0], -3e-3, max_relative = 1e-4);
    assert_relative_eq!(w[1], 3e-3, max_relative = 1e-8);
    assert_eq!(w[2], 0.0);
}

#[test]
fn sgd_equals_the_published_algorithm_with_and_without_momentum() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        let step = Sgd { learning_rate: 0.1, momentum, nesterov, weight_decay: 0.01, gradient_scale: 0.5 };
        let (mut w, mut u) = (wave(500, 0.0), vec![0.0; 500]);
        let mut naive: Vec<_> = w.iter().map(|&w| (w, None::<f64>)).collect();
        for t in 0..4 {
            let g = wave(500, t as f64);
            sgd(&step, &mut w, &g, &mut u);
            for ((theta, b), &g) in naive.iter_mut().zip(&g) {
                let mut g = 0.5 * g + 0.01 * *theta;
                if momentum != 0.0 {
                    let velocity = b.map_or(g, |b| momentum * b + g);
                    *b = Some(velocity);
                    g = if nesterov { g + momentum * velocity } else { velocity };
                }
                *theta -= 0.1 * g;
            }
        }
        for (got, (exact, _)) in w.iter().zip(&naive) {
            assert_relative_eq!(*got, *exact, epsilon = 1e-15);
        }
    }
}

#[test]
fn plain_sgd_needs_no_velocity() {
    let step = Sgd { learning_rate: 0.5, momentum: 0.0, nesterov: false, weight_decay: 0.0, gradient_scale: 1.0 };
    let mut w = [1.0f32, 2.0];
    sgd(&step, &mut w, &[1.0, -1.0], &mut []);
    assert_eq!(w, [0.5, 2.5]);
    sgd::<f32>(&step, &mut [], &[], &mut []);
}

#[test]
fn a_moving_average_of_a_constant_approaches_it_geometrically() {
    let mut average = [0.0f64; 2];
    (0..10).for_each(|_| moving_average(&mut average, &[1.0, -2.0], 0.9));
    let expected = 1.0 - 0.9f64.powi(10);
    assert_relative_eq!(average[0], expected, epsilon = 1e-15);
    assert_relative_eq!(average[1], -2.0 * expected, epsilon = 1e-15);
}

#[test]
#[should_panic(expected = "adam: lengths of parameters, gradient and averages")]
fn a_gradient_of_another_length_is_refused() {
    adam(&settings(1, Decay::Decoupled), &mut [0.0; 2], &[0.0; 3], &mut [0.0; 2], &mut [0.0; 2]);
}

#[test]
fn steps_have_the_same_bits_for_any_number_of_threads() {
    let (n, g) = (100_003, wave32(100_003, 1.0));
    assert_thread_independent(|| {
        let (mut w, mut m, mut v, mut u) = (wave32(n, 0.0), vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        adam(&settings(3, Decay::Decoupled), &mut w, &g, &mut m, &mut v);
        let step = Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01, gradient_scale: 0.5 };
        sgd(&step, &mut w, &g, &mut u);
        moving_average(&mut m, &w, 0.99);
        [w, m, v, u]
    });
}
