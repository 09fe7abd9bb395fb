//! WaveNet: its size, what it hears, its gradients.

use super::*;
use autograd::nn::Module;
use autograd::random::Streams;

const TINY: Sizes = Sizes { residual: 3, skip: 16, layers: 2, stacks: 2 };

fn tiny(conditions: &Conditions) -> WaveNet<f64> {
    WaveNet::new(TINY, Input::Codes(5), 5, conditions, &mut Streams::new(2).stream("init"))
}

#[test]
fn the_yardsticks_have_the_multiply_adds_that_they_are_known_by() {
    let count = |residual, skip, layers, stacks| {
        let sizes = Sizes { residual, skip, layers, stacks };
        let network = WaveNet::<f32>::new(
            sizes,
            Input::Codes(256),
            256,
            &Conditions::default(),
            &mut Streams::new(1).stream("init"),
        );
        // Weights of layers, with the last residual that is not there; no biases, no table.
        let weights = network.parameters().into_iter().filter(|(name, _)| name.ends_with("weight"));
        let all: usize = weights.map(|(_, weight)| weight.values().len()).sum();
        all - 256 * residual + residual * residual
    };
    assert_eq!(count(32, 128, 10, 1), 141_312);
    assert_eq!(count(64, 256, 10, 3), 1_236_992);
}

#[test]
fn a_position_hears_as_far_back_as_its_dilations_say_and_no_further() {
    assert_eq!(Sizes { layers: 10, stacks: 1, ..TINY }.receptive_field(), 1024);
    assert_eq!(Sizes { layers: 10, stacks: 3, ..TINY }.receptive_field(), 3070);
    let network = tiny(&Conditions::default());
    let codes: Vec<u32> = (0..20).map(|i| (i * i % 7 % 5) as u32).collect();
    let last = |codes: &[u32]| network.outputs(&network.skips(codes, 1, Condition::default())).to_vec();
    let (n, field) = (codes.len(), TINY.receptive_field());
    assert_eq!(field, 7);
    let at = |z: &[f64], t: usize| -> Vec<f64> { (0..5).map(|p| z[p * n + t]).collect() };
    let honest = last(&codes);
    for changed in 0..n {
        let mut other = codes.clone();
        other[changed] = (other[changed] + 1) % 5;
        let other = last(&other);
        for t in 0..n {
            let hears = changed < t && t - changed <= field;
            assert_eq!(at(&honest, t) != at(&other, t), hears, "position {t}, code {changed}");
        }
    }
}

#[test]
fn gradients_of_all_parameters_are_those_of_differences() {
    let mut network = tiny(&Conditions { classes: vec![2, 3], features: 2 });
    let codes = [0, 3, 1, 4, 2, 2, 0, 1, 3, 4];
    let features = Tensor::from_vec((0..20).map(|i| f64::from(i).sin()).collect(), &[2, 2, 5]);
    let loss = |network: &WaveNet<f64>| {
        let condition = Condition { global: &[&[1, 0], &[2, 1]], local: Some(&features) };
        let outputs = network.outputs(&network.skips(&codes, 2, condition));
        outputs.permute(&[0, 2, 1]).cross_entropy(&codes)
    };
    let gradients = loss(&network).backward();
    let parameters = network.parameters().into_iter();
    let found: Vec<(String, Vec<f64>)> = parameters
        .map(|(name, param)| {
            let gradient = gradients.of(param).unwrap_or_else(|| panic!("{name} gets none"));
            (name, gradient.iter().copied().collect())
        })
        .collect();
    const STEP: f64 = 1e-5;
    for (which, (name, gradient)) in found.iter().enumerate() {
        for (i, &expected) in gradient.iter().enumerate() {
            let mut moved = |by: f64| {
                network.parameters_mut()[which].1.values_mut()[i] += by;
                let moved = loss(&network).item();
                network.parameters_mut()[which].1.values_mut()[i] -= by;
                moved
            };
            let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            assert!(
                (difference - expected).abs() < 1e-8 + 1e-6 * expected.abs(),
                "{name} {i}: {difference} {expected}"
            );
        }
        assert!(gradient.iter().any(|&g| g != 0.0), "{name} gets zeros");
    }
}
