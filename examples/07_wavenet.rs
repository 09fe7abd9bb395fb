//! A WaveNet that learns to whistle, in forty lines: dilated causal convolutions, a loss in nats per sample, and a sound drawn sample by sample.
//!
//! `cargo run --release --example 07_wavenet`; the text beside it is `docs/book/13-dilation-and-queues.md`.

use autograd::optim::{Adam, Decay, Optimizer, Update};
use autograd::random::Streams;
use models::audio::decoder::Decoder;
use models::audio::mu_law::{CODES, code, sample};
use models::audio::wav::{Sound, encode};
use models::audio::wavenet::{Condition, Conditions, Input, Sizes, WaveNet};
use models::distribution::{Categorical, Distribution};

const RATE: u32 = 8000;
const BATCH: usize = 4;
const TIME: usize = 2000;

/// Codes of a whistle that goes up and down by a third, from somewhere in its course.
fn whistle(from: usize) -> Vec<u32> {
    let at = |n: usize| {
        let time = (from + n) as f64 / f64::from(RATE);
        let phase = 700.0 * time - 12.0 * (time * 10.0).cos();
        (9000.0 * (std::f64::consts::TAU * phase).sin()) as i16
    };
    (0..TIME).map(|n| code(at(n)).into()).collect()
}

fn main() {
    let streams = Streams::new(1);
    let sizes = Sizes { residual: 16, skip: 32, layers: 8, stacks: 1 };
    let mut network =
        WaveNet::<f32>::new(sizes, Input::Codes(CODES), CODES, &Conditions::default(), &mut streams.stream("init"));
    let (mut adam, mut last) = (Adam::new(Decay::None), f32::NAN);
    for step in 0..=200 {
        let codes: Vec<u32> = (0..BATCH).flat_map(|i| whistle((step * BATCH + i) * 773)).collect();
        let logits = network.outputs(&network.skips(&codes, BATCH, Condition::default()));
        let loss = logits.permute(&[0, 2, 1]).cross_entropy(&codes);
        last = loss.item();
        if step % 50 == 0 {
            println!("step {step:>3}  {last:.3} nats per sample");
        }
        adam.update(&mut network, &loss.backward(), Update { learning_rate: 5e-3, gradient_factor: 1.0 });
    }
    assert!(last < 2.5, "of 5.5 nats of no idea: {last}");

    let (decoder, mut random) = (Decoder::new(&network), streams.stream("sampling"));
    let (mut memory, mut before, mut samples) = (decoder.start(&[]), None, Vec::new());
    for _ in 0..2 * RATE {
        let logits = decoder.step(&mut memory, before, &[]).to_vec();
        let next = Categorical { logits }.sample(&mut random);
        samples.push(sample(next as u8));
        before = Some(next);
    }
    let path = std::env::temp_dir().join("whistle.wav");
    std::fs::write(&path, encode(&Sound { rate: RATE, samples })).expect("a file");
    println!("two seconds of it: {}", path.display());
}
