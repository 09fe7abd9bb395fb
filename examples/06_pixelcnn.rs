//! A PixelCNN that learns to draw boxes, in forty lines: masked convolutions, a loss in nats per pixel, and pictures drawn pixel by pixel.
//!
//! `cargo run --release --example 06_pixelcnn`; the text beside it is `docs/book/10-masks-and-the-blind-spot.md`.

use autograd::nn::{Mask, MaskedConv2d};
use autograd::optim::{Adam, Decay, Optimizer, Update};
use autograd::random::{Stream, Streams};
use autograd::{Tensor, module, no_grad};
use rand::RngExt;

const SIDE: usize = 10;
const BATCH: usize = 32;

struct PixelCnn<T> {
    first: MaskedConv2d<T>,
    layers: Vec<MaskedConv2d<T>>,
    output: MaskedConv2d<T>,
}
module!(PixelCnn { first, layers, output });

impl PixelCnn<f32> {
    /// (B, 1, H, W) of 0 and 1 → the logits of both at every pixel, (B, H, W, 2).
    fn forward(&self, x: &Tensor<f32>) -> Tensor<f32> {
        let x = self.layers.iter().fold(self.first.forward(x), |x, layer| layer.forward_onto(&x, &x));
        self.output.forward(&x).permute(&[0, 2, 3, 1])
    }
}

/// The outline of a box somewhere.
fn boxed(random: &mut Stream) -> Vec<u32> {
    let [top, left] = [(); 2].map(|()| random.random_range(0..SIDE - 4));
    let [bottom, right] = [top, left].map(|from| random.random_range(from + 3..SIDE));
    let edge = |y: usize, x: usize| {
        let inside = (top..=bottom).contains(&y) && (left..=right).contains(&x);
        inside && (y == top || y == bottom || x == left || x == right)
    };
    (0..SIDE * SIDE).map(|i| u32::from(edge(i / SIDE, i % SIDE))).collect()
}

fn images(pixels: &[u32]) -> Tensor<f32> {
    Tensor::from_vec(pixels.iter().map(|&pixel| pixel as f32).collect(), &[pixels.len() / SIDE / SIDE, 1, SIDE, SIDE])
}

fn main() {
    let streams = Streams::new(1);
    let mut init = streams.stream("init");
    let mut layer = |mask, channels, size| MaskedConv2d::new(mask, channels, [size; 2], 1, &mut init);
    let mut model = PixelCnn {
        first: layer(Mask::A, [1, 32], 7),
        layers: (0..5).map(|_| layer(Mask::B, [32, 32], 3).of_relu()).collect(),
        output: layer(Mask::B, [32, 2], 1).of_relu(),
    };
    let (mut data, mut adam, mut last) = (streams.stream("data"), Adam::new(Decay::None), f32::NAN);
    for step in 0..=600 {
        let pixels: Vec<u32> = (0..BATCH).flat_map(|_| boxed(&mut data)).collect();
        let loss = model.forward(&images(&pixels)).cross_entropy(&pixels);
        last = loss.item() * (SIDE * SIDE) as f32;
        if step % 100 == 0 {
            println!("step {step:>3}  {last:.2} nats per picture");
        }
        adam.update(&mut model, &loss.backward(), Update { learning_rate: 2e-3, gradient_factor: 1.0 });
    }
    // Which box it is: 6 · 6 corners, and on average some choices of the opposite one.
    println!("no model can do better than the entropy of the boxes, {:.2} nats", entropy());

    let (mut sampling, mut drawn) = (streams.stream("sampling"), vec![0; 4 * SIDE * SIDE]);
    for at in 0..SIDE * SIDE {
        let logits = no_grad(|| model.forward(&images(&drawn)));
        for picture in 0..4 {
            let logit = |level: usize| logits.view()[[picture, at / SIDE, at % SIDE, level]];
            let one = 1.0 / (1.0 + (logit(0) - logit(1)).exp());
            drawn[picture * SIDE * SIDE + at] = u32::from(sampling.random::<f32>() < one);
        }
    }
    for row in 0..SIDE {
        let line = |picture: usize| {
            let row = &drawn[(picture * SIDE + row) * SIDE..][..SIDE];
            row.iter().map(|&pixel| if pixel == 1 { "# " } else { ". " }).collect::<String>()
        };
        println!("{}", (0..4).map(line).collect::<Vec<_>>().join("  "));
    }
    assert!(last < 20.0, "it began at 69 nats, ln 2 for each of 100 pixels");
}

/// Of the box: top and left are uniform, then bottom and right given them.
fn entropy() -> f64 {
    let of_a_side = (0..SIDE - 4).map(|from| ((SIDE - from - 3) as f64).ln()).sum::<f64>() / (SIDE - 4) as f64;
    2.0 * (((SIDE - 4) as f64).ln() + of_a_side)
}
