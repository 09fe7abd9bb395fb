//! Convolutions and networks of images against the numbers that PyTorch gives (`tests/fixtures/write_images.py`), where masks, shifts
//! and gates are written otherwise. Tolerances are those of all references.

use super::fixture::{Comparison, Fixture, Precision};
use autograd::nn::Module;
use autograd::random::Streams;
use autograd::{Convolution, Tensor};

use models::image::network::{Architecture, Network, Sizes};

/// An op as a function of its differentiable arguments, in the fixture's order.
type Op<T> = Box<dyn Fn(&[Tensor<T>]) -> Tensor<T>>;

fn ops<T: Precision>() -> Vec<(&'static str, Vec<&'static str>, Op<T>)> {
    let how = Convolution::default;
    let layer = |how: Convolution| -> Op<T> { Box::new(move |x| x[0].conv2d(&x[1], x.get(2), &how)) };
    let all = vec!["input", "weight", "bias"];
    let same = how().padded([1, 1], [1, 1]);
    let onto = same.clone().of_relu();
    let causal = how().padded([0, 0], [8, 0]).dilated([1, 4]);
    vec![
        ("conv2d", all.clone(), layer(how())),
        ("conv2d_dilated", all.clone(), layer(how().padded([2, 4], [3, 1]).dilated([2, 3]))),
        ("conv2d_masked", all.clone(), layer(same.only(&[3, 3], |at| at[0] * 3 + at[1] < 5))),
        ("conv2d_above", vec!["input", "weight"], layer(how().padded([3, -1], [3, 3]))),
        (
            "conv2d_of_relu_onto",
            vec!["input", "weight", "bias", "onto"],
            Box::new(move |x| x[0].conv2d_onto(&x[1], Some(&x[2]), &onto, &x[3])),
        ),
        ("conv1d_causal", all, Box::new(move |x| x[0].conv1d(&x[1], Some(&x[2]), &causal))),
        ("gate", vec!["input", "condition"], Box::new(|x| x[0].clone().gated_tanh(Some(&x[1])))),
    ]
}

fn convolutions<T: Precision>() {
    let fixture = Fixture::of::<T>("convolutions");
    let mut compare = Comparison::default();
    for (op, arguments, apply) in ops() {
        let theirs = |name: &str| fixture.array::<T>(&format!("{op}.{name}"));
        let leaves: Vec<Tensor<T>> = arguments.iter().map(|name| Tensor::new(theirs(name)).tracked()).collect();
        let output = apply(&leaves);
        compare.close(op, &output.value().to_owned(), &theirs("output"));
        let gradients = output.backward_with(theirs("upstream"));
        for (name, leaf) in arguments.iter().zip(&leaves) {
            let theirs = theirs(&format!("grad.{name}"));
            match gradients.of(leaf) {
                Some(ours) => compare.close(&format!("∂{op}/∂{name}"), ours, &theirs),
                None => panic!("{op}: no gradient of {name}"),
            }
        }
    }
    compare.finish(T::NAME);
}

#[test]
fn convolutions_and_the_gate_give_pytorchs_outputs_and_gradients() {
    convolutions::<f64>();
    convolutions::<f32>();
}

const COLOURS: usize = 3;
const LEVELS: usize = 4;
const CLASSES: usize = 5;

/// A network that is told one of so many classes; 0: none.
fn network<T: Precision>(file: &str, architecture: Architecture, classes: usize) {
    let fixture = Fixture::of::<T>(file);
    let sizes = Sizes { hidden: 6, layers: 2, head: 9 };
    let mut stream = Streams::new(0).stream("init");
    let mut network = Network::<T>::new(architecture, sizes, COLOURS, LEVELS, classes, &mut stream);
    fixture.load("", &mut network);
    let ((levels, shape), (told, _)) = (fixture.symbols("input.levels"), fixture.symbols("input.classes"));
    let scaled = levels.iter().map(|&level| T::of(f64::from(level) * 2.0 / (LEVELS - 1) as f64 - 1.0)).collect();
    let x = Tensor::from_vec(scaled, shape).tracked();
    let parameters = network.forward(&x, (classes > 0).then_some(&told));
    let [b, _, h, w]: [usize; 4] = shape.try_into().expect("rank 4");
    // The targets in the order of the logits' rows: (B, H, W, colour).
    let levels = Tensor::from_vec(levels.iter().map(|&level| f64::from(level)).collect(), shape);
    let targets: Vec<u32> = levels.permute(&[0, 2, 3, 1]).to_vec().into_iter().map(|level| level as u32).collect();
    let loss = parameters.permute(&[0, 2, 3, 1]).reshape(&[b * h * w * COLOURS, LEVELS]).cross_entropy(&targets);
    let gradients = loss.backward();
    let mut compare = Comparison::default();
    let mut value = |name: &str, ours: &Tensor<T>| compare.close(name, &ours.value().to_owned(), &fixture.array(name));
    value("output.parameters", &parameters);
    value("output.loss", &loss);
    let mut gradient = |name: String, leaf: &Tensor<T>| match gradients.of(leaf) {
        Some(ours) => compare.close(&name, ours, &fixture.array(&name)),
        None => panic!("no {name}"),
    };
    gradient("grad.input".to_string(), &x);
    network.parameters().into_iter().for_each(|(name, param)| gradient(format!("grad.{name}"), param));
    compare.finish(&format!("{file}, {}", T::NAME));
}

#[test]
fn a_pixelcnn_gives_pytorchs_parameters_loss_and_every_gradient() {
    network::<f64>("pixelcnn", Architecture::PixelCnn, 0);
    network::<f32>("pixelcnn", Architecture::PixelCnn, 0);
}

#[test]
fn a_gated_pixelcnn_gives_pytorchs_parameters_loss_and_every_gradient() {
    network::<f64>("gated_pixelcnn", Architecture::GatedPixelCnn, CLASSES);
    network::<f32>("gated_pixelcnn", Architecture::GatedPixelCnn, CLASSES);
}
