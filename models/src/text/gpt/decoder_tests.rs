//! What must hold of a GPT: causal, steps = parallel = blocks beyond its context, summing to one, gradients of differences.

use super::super::{GptConfig, Positions};
use super::*;
use crate::check;
use crate::distribution::Distribution;
use crate::text::network::Configured;
use autograd::Tensor;
use autograd::nn::Module;
use autograd::random::Streams;

fn config(positions: Positions, bias: bool) -> GptConfig {
    let (layers, heads, key_heads, width, context) = (2, 4, 2, 16, 8);
    GptConfig { symbols: 6, layers, heads, key_heads, width, context, positions, bias, ..GptConfig::default() }
}

/// A model whose weights are large enough for attention to matter.
fn model<T: Scalar>(config: &GptConfig) -> Gpt<T> {
    let mut model = Gpt::new(config, &mut Streams::new(11).stream("init"));
    for (name, param) in model.parameters_mut() {
        if name.ends_with("weight") && !name.contains("ln") {
            param.values_mut().iter_mut().for_each(|w| *w *= T::of(12.0));
        }
    }
    model
}

fn configs() -> [GptConfig; 3] {
    let grouped = config(Positions::Rotary, true);
    [config(Positions::Learned, false), grouped.clone(), GptConfig { context: 1, key_heads: 1, ..grouped }]
}

fn sequence(length: usize) -> Vec<u32> {
    (0..length as u32).map(|t| (t * t + t / 3) % 6).collect()
}

#[test]
fn a_gpt_is_causal_and_its_steps_equal_the_parallel_pass_beyond_its_context_bit_for_bit() {
    for config in configs() {
        let decoder = GptDecoder::new(&model::<f32>(&config));
        let sequence = sequence(29); // several windows of 8
        let outcome = check::causality(&decoder, &sequence, |symbol| (symbol + 1) % 6);
        assert!(outcome.passed, "{config:?}: {outcome}");
        let outcome = check::steps_equal_parallel(&decoder, &sequence);
        assert!(outcome.passed, "{config:?}: {outcome}");
    }
}

#[test]
fn blocks_give_the_likelihood_and_the_state_of_stepping_bit_for_bit() {
    let large = GptConfig { width: 200, context: 300, ..config(Positions::Learned, true) }; // enough for a team of threads
    for config in configs().into_iter().chain([large]) {
        let decoder = GptDecoder::new(&model::<f32>(&config));
        let (mut blocks, mut steps) = (decoder.start(), decoder.start());
        for length in [0, 1, 5, 2, 140, 300] {
            let sequence = sequence(length);
            let one = |&symbol: &u32| {
                let nats = -decoder.next(&steps).log_probability(symbol);
                decoder.step(&mut steps, symbol);
                nats
            };
            let expected: Vec<f64> = sequence.iter().map(one).collect();
            assert_eq!(decoder.nats(&mut blocks, &sequence), expected, "{config:?}, length {length}");
            assert_eq!(blocks.distribution.logits, steps.distribution.logits, "{config:?} after {length}");
            assert_eq!(blocks.window, steps.window);
        }
    }
}

#[test]
fn looking_ahead_gives_what_stepping_gives_and_changes_nothing() {
    let large = GptConfig { width: 200, context: 300, ..config(Positions::Learned, true) }; // enough for a team of threads
    for config in configs().into_iter().chain([large]) {
        let decoder = GptDecoder::new(&model::<f32>(&config));
        let outcome = check::looking_ahead(&decoder, &sequence(60), |symbol| (symbol + 1) % 6);
        assert!(outcome.passed, "{config:?}: {outcome}");
    }
}

#[test]
fn all_sequences_of_a_tiny_alphabet_sum_to_one() {
    for config in configs() {
        let config = GptConfig { symbols: 3, context: config.context.min(3), ..config };
        let outcome = check::sum_to_one(&GptDecoder::new(&model::<f64>(&config)), 3, 6);
        assert!(outcome.passed, "{outcome}");
    }
}

#[test]
fn parameters_are_those_that_the_configuration_names_and_nanogpts_in_number() {
    for config in configs() {
        let made: Vec<(String, Vec<usize>)> =
            model::<f32>(&config).parameters().into_iter().map(|(name, p)| (name, p.shape().to_vec())).collect();
        assert_eq!(made, Gpt::<f32>::parameter_shapes(&config), "{config:?}");
    }
    let nano = GptConfig { symbols: 65, context: 64, ..GptConfig::default() };
    let count = Gpt::<f32>::new(&nano, &mut Streams::new(1).stream("init")).parameter_count();
    assert_eq!(count, 804_096);
}

/// The loss as a function of one parameter's element against central differences, at a few elements of each.
#[test]
fn every_parameter_has_the_gradient_of_the_loss() {
    for config in configs() {
        let mut model = model::<f64>(&config);
        let time = config.context.min(5);
        let codes = sequence(2 * time);
        let loss = |model: &Gpt<f64>| -> Tensor<f64> { model.forward(&codes, 2, None).cross_entropy(&codes) };
        let gradients = loss(&model).backward();
        let exact: Vec<(String, Vec<f64>)> = model
            .parameters()
            .into_iter()
            .map(|(name, p)| {
                let g = gradients.of(p).unwrap_or_else(|| panic!("no gradient for {name}"));
                (name, g.iter().copied().collect())
            })
            .collect();
        for (k, (name, exact)) in exact.iter().enumerate() {
            // With one position there is nothing to choose from: queries and keys have no part in the loss.
            let unused = config.context == 1 && name.contains("qkv");
            assert!(unused || exact.iter().any(|g| *g != 0.0), "the gradient of {name} is zero");
            let step = 1e-5;
            for i in (0..exact.len()).step_by(1 + exact.len() / 7) {
                let at = |model: &mut Gpt<f64>, by: f64| {
                    model.parameters_mut()[k].1.values_mut()[i] += by;
                    loss(model).item()
                };
                let difference = (at(&mut model, step) - at(&mut model, -2.0 * step)) / (2.0 * step);
                at(&mut model, step);
                let near = 1e-7 * (1.0 + difference.abs());
                assert!((exact[i] - difference).abs() < near, "{name}[{i}]: {} {difference}", exact[i]);
            }
        }
    }
}

#[test]
fn a_decoder_for_steps_alone_predicts_what_one_with_the_graph_does_bit_for_bit() {
    for config in configs() {
        let model = model::<f32>(&config);
        let sequence = sequence(29);
        let with_graph = GptDecoder::new(&model).distributions(&sequence);
        let for_steps = GptDecoder::for_steps(model).distributions(&sequence);
        assert_eq!(for_steps.len(), sequence.len());
        for (t, (a, b)) in with_graph.iter().zip(&for_steps).enumerate() {
            assert_eq!(a.logits, b.logits, "{config:?}, position {t}");
        }
    }
}
