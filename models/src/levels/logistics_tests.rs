//! Mixtures of discretized logistics: against differences of σ, at the edges of the line, and by samples.

use super::*;
use autograd::random::Streams;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Numbers of a network for K components: logits, means on the line, logarithms of scales.
fn row(components: usize, seed: u64) -> Vec<f64> {
    let x = Tensor::<f64>::randn(&[3 * components], &mut Streams::new(seed).stream("row")).to_vec();
    x.into_iter().enumerate().map(|(i, x)| if i < 2 * components { x } else { x - 1.5 }).collect()
}

#[test]
fn probabilities_are_the_differences_of_sigma() {
    for levels in [2, 3, 16, 256, 1 << 12] {
        for seed in 0..20 {
            let row = row(3, seed);
            let total: f64 = row[..3].iter().map(|logit| logit.exp()).sum();
            let distribution = Logistics::new(levels, &row);
            for level in 0..levels {
                let difference = |i: usize| {
                    let at = |edge: f64| sigmoid((edge - row[3 + i]) / row[6 + i].exp());
                    let (half, centre) = (1.0 / (levels - 1) as f64, 2.0 * level as f64 / (levels - 1) as f64 - 1.0);
                    let above = if level + 1 == levels { 1.0 } else { at(centre + half) };
                    let below = if level == 0 { 0.0 } else { at(centre - half) };
                    row[i].exp() / total * (above - below)
                };
                let expected: f64 = (0..3).map(difference).sum();
                let found = distribution.log_probability(level as u32).exp();
                assert!((found - expected).abs() < 1e-13, "{levels} {level}: {found} {expected}");
            }
        }
    }
}

#[test]
fn bells_of_any_place_and_width_give_probabilities_that_sum_to_one_and_are_finite() {
    for levels in [2, 5, 256] {
        for mean in [-1e4, -3.0, -1.0, 0.3, 1.0, 1e4] {
            for ln_scale in [-1e3, -7.0, -3.0, 0.0, 5.0, 1e3] {
                let distribution = Logistics::new(levels, &[0.0, mean, ln_scale]);
                let ln_p = distribution.categorical().logits;
                assert!(ln_p.iter().all(|ln_p| ln_p.is_finite() && *ln_p <= 1e-15), "{mean} {ln_scale}: {ln_p:?}");
                let sum: f64 = ln_p.iter().map(|ln_p| ln_p.exp()).sum();
                assert!((sum - 1.0).abs() < 1e-12, "{levels} {mean} {ln_scale}: {sum}");
            }
        }
    }
}

#[test]
fn a_scale_beyond_the_bound_counts_as_the_bound_and_gets_no_gradient() {
    let narrow = Logistics::new(8, &[0.0, 0.1, -bound(8) - 5.0]);
    let least = Logistics::new(8, &[0.0, 0.1, -bound(8)]);
    assert_eq!(narrow.log_probability(4), least.log_probability(4));
    let row = Tensor::from_vec(vec![0.0, 0.1, -bound(8) - 5.0], &[1, 3]).tracked();
    let gradients = loss(8, &row, &[3]).backward();
    assert_eq!(gradients.of(&row).unwrap()[[0, 2]], 0.0);
    assert!(gradients.of(&row).unwrap()[[0, 1]] != 0.0);
}

#[test]
fn training_in_single_precision_sees_the_likelihood_far_from_every_bell() {
    // Two hundred scales away differences of σ are 0 in single precision; their logarithm is not.
    let row = [0.0, -0.9, -4.0];
    let tensor = Tensor::from_vec(row.map(|x| x as f32).to_vec(), &[1, 3]);
    let exact = -Logistics::new(256, &row).log_probability(250);
    assert!(exact > 90.0);
    approx::assert_relative_eq!(f64::from(loss(256, &tensor, &[250]).item()), exact, max_relative = 1e-5);
}

#[test]
fn samples_follow_the_probabilities_by_chi_square() {
    let distribution = Logistics::new(8, &row(2, 3));
    let mut random = Streams::new(6).stream("samples");
    let n = 40_000;
    let mut counts = [0.0; 8];
    (0..n).for_each(|_| counts[distribution.sample(&mut random) as usize] += 1.0);
    let expected = distribution.categorical().logits.into_iter().map(|ln_p| ln_p.exp() * f64::from(n));
    let chi_square: f64 = counts.iter().zip(expected).map(|(c, e)| (c - e).powi(2) / e).sum();
    assert!(chi_square < 24.3, "χ² with 7 degrees of freedom is below 24.3 in 999 cases of 1000: {chi_square}");
}
