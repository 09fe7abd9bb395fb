//! burn (flex backend) on the peers' work. One process, one measurement, one line of JSON (README.md: protocol).

mod gpt;
mod gru;
mod pixelcnn;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{Meter, Options, Size};

const VERSION: &str = "0.22.1";

fn integers<const D: usize>(values: &[u32], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    let values: Vec<i32> = values.iter().map(|&value| value as i32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Trains `model` on one batch, of which `logits` gives (N, V) and `targets` are (N).
fn train<M: Module>(
    options: &Options,
    meter: &Meter,
    device: &Device,
    model: M,
    (targets, logits): (Tensor<1, Int>, impl Fn(&M) -> Tensor<2>),
) {
    // burn's default ε is 1e-5: set to PyTorch's, as are the rest.
    let adam = AdamConfig::new()
        .with_beta_1(protocol::BETA_1 as f32)
        .with_beta_2(protocol::BETA_2 as f32)
        .with_epsilon(protocol::EPSILON as f32);
    let mut optimizer = adam.init();
    let cross_entropy = CrossEntropyLossConfig::new().init(device);
    let mut model = Some(model);

    let (mut first, mut last) = (None, None);
    let step = || {
        let before = model.take().expect("the model");
        let loss = cross_entropy.forward(logits(&before), targets.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &before);
        model = Some(optimizer.step(protocol::LEARNING_RATE, before, gradients));
        let loss: f32 = loss.into_scalar();
        first.get_or_insert(loss);
        last = Some(loss);
    };
    let timed = meter.run(step, 2);
    let value = |loss: Option<f32>| loss.expect("at least one step");
    protocol::report_training("burn", VERSION, options, meter, &timed, value(first), value(last));
}

fn generate(options: &Options, meter: &Meter, mut next: impl FnMut() -> u32) {
    let mut generated = Vec::new();
    let timed = meter.run(|| generated.push(next()), options.size.warm_up());
    protocol::report_generation("burn", VERSION, options, meter, &timed, &generated);
}

fn main() {
    let options = Options::from_arguments();
    let meter = Meter::new(options.seconds);
    let (plain, autodiff) = (Device::flex(), Device::flex().autodiff());
    match (options.task.as_str(), options.size) {
        ("train", Size::Text(size)) => {
            let model = gru::LanguageModel::new(size, &autodiff);
            train(&options, &meter, &autodiff, model, gru::batch(size, &autodiff));
        }
        ("train", Size::Gpt(size)) => {
            let model = gpt::Network::new(size, &autodiff);
            train(&options, &meter, &autodiff, model, gpt::batch(size, &autodiff));
        }
        ("train", Size::Image(size)) => {
            let model = pixelcnn::PixelCnn::new(size, &autodiff);
            train(&options, &meter, &autodiff, model, pixelcnn::batch(size, &autodiff));
        }
        ("generate", Size::Text(size)) => generate(&options, &meter, gru::generator(size, &plain)),
        ("generate", Size::Gpt(size)) => generate(&options, &meter, gpt::generator(size, &plain)),
        ("generate", Size::Image(size)) => generate(&options, &meter, pixelcnn::generator(size, &plain)),
        (other, _) => panic!("--task is train or generate, not {other:?}"),
    }
}
