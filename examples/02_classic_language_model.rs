//! The classic recurrent language model, built from layers and trained: embedding → GRU → linear. No data set, no run folder.
//!
//! `cargo run --release --example 02_classic_language_model`; it learns one batch by heart, so that seconds are enough.

use autograd::module;
use autograd::nn::{Embedding, Gru, Linear, Module};
use autograd::optim::{Adam, Decay, Optimizer, Update, clip_factor, norm};
use autograd::random::Streams;
use rand::RngExt;

const SYMBOLS: usize = 10_000;
const BATCH: usize = 32;
const TIME: usize = 10;

struct Classic<T> {
    embedding: Embedding<T>,
    rnn: Gru<T>,
    head: Linear<T>,
}

module!(Classic { embedding, rnn, head });

fn main() {
    let streams = Streams::new(1);
    let mut init = streams.stream("init");
    let mut model = Classic::<f32> {
        embedding: Embedding::new(SYMBOLS, 128, &mut init),
        rnn: Gru::new(128, 256, 1, 0.0, &mut init),
        head: Linear::new(256, SYMBOLS, &mut init),
    };
    println!("{} parameters:", model.parameter_count());
    model.parameters().iter().for_each(|(name, param)| println!("  {name:<18} {:?}", param.shape()));

    let mut data = streams.stream("data");
    let text: Vec<u32> = (0..BATCH * (TIME + 1)).map(|_| data.random_range(0..SYMBOLS as u32)).collect();
    let rows = || text.chunks(TIME + 1);
    let inputs: Vec<u32> = rows().flat_map(|row| row[..TIME].to_vec()).collect();
    let targets: Vec<u32> = rows().flat_map(|row| row[1..].to_vec()).collect();

    let mut adam = Adam::new(Decay::None);
    let (mut first, mut last) = (f32::NAN, f32::NAN);
    for step in 0..=40 {
        let vectors = model.embedding.forward(&inputs, &[BATCH, TIME]);
        let (states, hidden) = model.rnn.forward(&vectors, None, None);
        let logits = model.head.forward(&states);
        assert_eq!(logits.shape(), [BATCH, TIME, SYMBOLS]);
        assert_eq!(hidden.shape(), [1, BATCH, 256]);
        let loss = logits.cross_entropy(&targets);
        last = loss.item();
        first = if step == 0 { last } else { first };
        let gradients = loss.backward();
        let norm = norm(&model, &gradients);
        if step % 10 == 0 {
            println!("step {step:>3}  {last:.4} nats per symbol  gradient norm {norm:.4}");
        }
        adam.update(&mut model, &gradients, Update { learning_rate: 3e-3, gradient_factor: clip_factor(norm, 1.0) });
    }
    println!("it began at {first:.4}, near ln {SYMBOLS} = {:.4}: every symbol equally likely", (SYMBOLS as f64).ln());
    assert!(last < 0.5 * first, "forty steps on one batch learn it by heart");
}
