//! Attention alone and whole GPTs against the numbers that PyTorch gives (`tests/fixtures/write_gpts.py`), where attention is all scores,
//! a mask and a softmax, and a rotation is a product of complex numbers. Tolerances are those of all references.

use super::fixture::{Comparison, Fixture, Precision};
use super::{Op, Ops, single_ops};
use autograd::nn::{LayerNorm, Module};
use autograd::optim::{Adam, Decay, Optimizer, Update, clip_factor, norm};
use autograd::random::Streams;
use autograd::{Heads, Tensor};
use models::text::gpt::{Gpt, GptConfig, Positions};
use ndarray::ArrayD;

fn attention_ops<T: Precision>(_: &Fixture) -> Ops<T> {
    let attention =
        |queries, keys, width| -> Op<T> { Box::new(move |x| x[0].causal_attention(Heads { queries, keys, width })) };
    let all = |queries, keys, width| -> Op<T> { Box::new(move |x| x[0].attention(Heads { queries, keys, width })) };
    let rotary = |first| -> Op<T> { Box::new(move |x| x[0].rotary(2, 6, 100.0, first)) };
    let without_bias = |x: &[Tensor<T>]| {
        let layer = LayerNorm::new(13).without_bias();
        assert!(layer.bias.is_none());
        x[0].layer_norm(&x[1], &Tensor::zeros(&[13]), layer.epsilon)
    };
    vec![
        ("attention", vec!["input"], attention(2, 2, 3)),
        ("attention_grouped", vec!["input"], attention(4, 2, 4)),
        ("attention_one_key_head", vec!["input"], attention(3, 1, 2)),
        ("attention_two_tiles", vec!["input"], attention(1, 1, 2)),
        ("rotary", vec!["input"], rotary(0)),
        ("rotary_later", vec!["input"], rotary(1000)),
        ("layer_norm_without_bias", vec!["input", "weight"], Box::new(without_bias)),
        ("attention_to_all", vec!["input"], all(4, 2, 3)),
        ("attention_to_all_two_tiles", vec!["input"], all(1, 1, 2)),
    ]
}

#[test]
fn attention_in_every_layout_of_heads_and_rotary_positions_give_pytorchs_outputs_and_gradients() {
    single_ops::<f64>("attention", attention_ops);
    single_ops::<f32>("attention", attention_ops);
}

/// The configurations of the fixtures, by the end of their names.
fn configurations() -> [(&'static str, GptConfig); 3] {
    let common = GptConfig { symbols: 11, context: 8, ..GptConfig::default() };
    let learned = GptConfig { layers: 2, heads: 2, key_heads: 2, width: 8, ..common.clone() };
    let rotary =
        GptConfig { layers: 1, heads: 4, key_heads: 2, width: 16, positions: Positions::Rotary, ..common.clone() };
    let biased = GptConfig { bias: true, ..learned.clone() };
    [("learned", learned), ("rotary", rotary), ("biased", biased)]
}

struct Case<T> {
    fixture: Fixture,
    model: Gpt<T>,
    symbols: Vec<u32>,
    targets: Vec<u32>,
    batch: usize,
}

impl<T: Precision> Case<T> {
    fn read(name: &str, config: &GptConfig) -> Self {
        let fixture = Fixture::of::<T>(&format!("gpt_{name}"));
        let mut model = Gpt::new(config, &mut Streams::new(0).stream("init"));
        fixture.load("", &mut model);
        let ((symbols, shape), (targets, _)) = (fixture.symbols("input.symbols"), fixture.symbols("input.targets"));
        let batch = shape[0];
        Case { model, symbols, targets, batch, fixture }
    }

    fn logits(&self) -> Tensor<T> {
        self.model.forward(&self.symbols, self.batch, None)
    }
}

fn gpts<T: Precision>() {
    for (name, config) in configurations() {
        let case = Case::<T>::read(name, &config);
        let logits = case.logits();
        let loss = logits.clone().cross_entropy(&case.targets);
        let gradients = loss.backward();
        let mut compare = Comparison::default();
        let theirs = |name: &str| case.fixture.array::<T>(name);
        compare.close("output.logits", &logits.value().to_owned(), &theirs("output.logits"));
        compare.close("output.loss", &loss.value().to_owned(), &theirs("output.loss"));
        for (parameter, param) in case.model.parameters() {
            let name = format!("grad.{parameter}");
            let ours = gradients.of(param).unwrap_or_else(|| panic!("no {name}"));
            compare.close(&name, ours, &theirs(&name));
        }
        compare.finish(&format!("gpt_{name}, {}", T::NAME));
    }
}

fn steps<T: Precision>() {
    for (name, config) in configurations() {
        let mut case = Case::<T>::read(name, &config);
        let mut optimizer = Adam::new(Decay::Matrices(0.1));
        optimizer.epsilon = 1e-4;
        let (mut losses, mut norms) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let loss = case.logits().cross_entropy(&case.targets);
            let gradients = loss.backward();
            let norm = norm(&case.model, &gradients);
            let update = Update { learning_rate: 1e-2, gradient_factor: clip_factor(norm, 1.0) };
            optimizer.update(&mut case.model, &gradients, update);
            losses.push(loss.item());
            norms.push(T::of(norm));
        }
        let mut compare = Comparison::default();
        for (parameter, param) in case.model.parameters() {
            let name = format!("adamw.5.{parameter}");
            compare.close(&name, &param.value().to_owned(), &case.fixture.array(&name));
        }
        for (of, ours) in [("losses", losses), ("norms", norms)] {
            let name = format!("adamw.{of}");
            compare.close(&name, &ArrayD::from_shape_vec(vec![5], ours).expect("five"), &case.fixture.array(&name));
        }
        compare.finish(&format!("steps of gpt_{name}, {}", T::NAME));
    }
}

#[test]
fn a_gpt_with_learned_or_rotary_positions_grouped_keys_or_biases_gives_pytorchs_logits_loss_and_every_gradient() {
    gpts::<f64>();
    gpts::<f32>();
}

#[test]
fn five_steps_of_clipped_adamw_with_decay_on_matrices_alone_move_a_gpt_as_pytorch_does() {
    steps::<f64>();
    steps::<f32>();
}
