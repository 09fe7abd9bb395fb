//! A WaveNet with classes and features against the numbers that PyTorch gives (`tests/fixtures/write_sounds.py`), where the shift, the
//! conditions and the sum of the skips are written otherwise. Tolerances are those of all references.

use super::fixture::{Comparison, Fixture, Precision};
use autograd::Tensor;
use autograd::nn::Module;
use autograd::random::Streams;
use models::audio::wavenet::{Condition, Conditions, Input, Sizes, WaveNet};

const SIZES: Sizes = Sizes { residual: 6, skip: 20, layers: 3, stacks: 2 };
const CODES: usize = 7;

fn network<T: Precision>() {
    let fixture = Fixture::of::<T>("wavenet");
    let conditions = Conditions { classes: vec![3, 2], features: 4 };
    let mut network =
        WaveNet::<T>::new(SIZES, Input::Codes(CODES), CODES, &conditions, &mut Streams::new(0).stream("init"));
    fixture.load("", &mut network);
    let (codes, shape) = fixture.symbols("input.codes");
    let classes = [0, 1].map(|kind| fixture.symbols(&format!("input.classes.{kind}")).0);
    let features = Tensor::new(fixture.array::<T>("input.features")).tracked();
    let condition = Condition { global: &classes.each_ref().map(Vec::as_slice), local: Some(&features) };
    let logits = network.outputs(&network.skips(&codes, shape[0], condition));
    let loss = logits.permute(&[0, 2, 1]).cross_entropy(&codes);
    let gradients = loss.backward();
    let mut compare = Comparison::default();
    let mut value = |name: &str, ours: &Tensor<T>| compare.close(name, &ours.value().to_owned(), &fixture.array(name));
    value("output.logits", &logits);
    value("output.loss", &loss);
    let mut gradient = |name: String, leaf: &Tensor<T>| match gradients.of(leaf) {
        Some(ours) => compare.close(&name, ours, &fixture.array(&name)),
        None => panic!("no {name}"),
    };
    gradient("grad.input.features".to_string(), &features);
    network.parameters().into_iter().for_each(|(name, param)| gradient(format!("grad.{name}"), param));
    compare.finish(&format!("wavenet, {}", T::NAME));
}

#[test]
fn a_wavenet_with_classes_and_features_gives_pytorchs_logits_loss_and_every_gradient() {
    network::<f64>();
    network::<f32>();
}
