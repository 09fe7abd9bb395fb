//! The decoder against the parallel pass of the model it decodes, and against itself, symbol by symbol.

use super::super::language_model::{Config, Kind};
use super::*;
use crate::check;
use autograd::random::Streams;

fn model<T: Scalar>(model: Kind, layers: usize, symbols: usize, hidden: usize) -> LanguageModel<T> {
    let (dropout, embedding_dropout, weight_dropout) = (0.3, 0.3, 0.3);
    let config = Config { model, symbols, embedding: 5, hidden, layers, dropout, embedding_dropout, weight_dropout };
    LanguageModel::new(&config, &mut Streams::new(11).stream("init"))
}

#[test]
fn every_kind_of_model_is_causal_and_its_steps_equal_the_parallel_pass_bit_for_bit() {
    for kind in [Kind::Gru, Kind::Lstm] {
        for layers in [1, 2] {
            // 300 units are enough for a team of threads
            for hidden in [7, 300] {
                let model = model::<f32>(kind, layers, 6, hidden);
                let decoder = Decoder::new(&model);
                let sequence = [3, 1, 4, 1, 5, 0, 2, 2];
                let outcome = check::causality(&decoder, &sequence, |symbol| (symbol + 1) % 6);
                assert!(outcome.passed, "{kind:?} × {layers}: {outcome}");
                let outcome = check::steps_equal_parallel(&decoder, &sequence);
                assert!(outcome.passed, "{kind:?} × {layers}, {hidden}: {outcome}");
            }
        }
    }
}

#[test]
fn all_sequences_of_a_tiny_alphabet_sum_to_one() {
    for kind in [Kind::Gru, Kind::Lstm] {
        let model = model::<f64>(kind, 2, 3, 4);
        let outcome = check::sum_to_one(&Decoder::new(&model), 3, 6);
        assert!(outcome.passed, "{outcome}");
    }
}

#[test]
fn training_on_a_window_sees_the_same_logits_as_scoring_it() {
    let model = model::<f32>(Kind::Gru, 2, 6, 7);
    let sequence = [3, 1, 4, 1, 5, 0, 2, 2];
    let training = model.forward(&sequence, 1, None, None).0.to_vec();
    let scoring = Decoder::new(&model).distributions(&[&sequence[..], &[0]].concat());
    let scoring: Vec<f32> = scoring[1..].iter().flat_map(|d| d.logits.clone()).collect();
    assert_eq!(training, scoring);
}

#[test]
fn every_parameter_gets_a_gradient_that_is_not_zero_with_and_without_dropout() {
    for kind in [Kind::Gru, Kind::Lstm] {
        // fewer and more symbols than positions take different paths to the first layer
        for symbols in [4, 40] {
            for dropout in [false, true] {
                let model = model::<f64>(kind, 2, symbols, 6);
                let codes: Vec<u32> = (0..20).map(|i| (i * 7 + 3) % symbols as u32).collect();
                let mut stream = Streams::new(5).stream("dropout");
                let (logits, _) = model.forward(&codes, 2, None, dropout.then_some(&mut stream));
                let gradients = logits.cross_entropy(&codes).backward();
                use autograd::nn::Module;
                for (name, param) in model.parameters() {
                    let g = gradients.of(param).unwrap_or_else(|| panic!("{kind:?}: no gradient for {name}"));
                    assert!(g.iter().any(|g| *g != 0.0), "{kind:?}: the gradient of {name} is zero");
                }
            }
        }
    }
}
