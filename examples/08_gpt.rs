//! A GPT in forty lines, which learns to look something up: the second half of a string repeats the first, whose letters are random.
//!
//! `cargo run --release --example 08_gpt`. No count of short sequences helps: what comes next is known only from where the same letters came
//! before, a whole half earlier. Two blocks of attention find that place, one to know what came before each letter, one to search for it.

use autograd::nn::{Embedding, LayerNorm, Linear, Module, SelfAttention};
use autograd::optim::{Adam, Decay, Optimizer, Update, clip_factor, norm};
use autograd::random::{Stream, Streams};
use autograd::{Heads, Tensor, module};
use rand::RngExt;

const LETTERS: usize = 16;
const HALF: usize = 12;
const WIDTH: usize = 64;
const BATCH: usize = 64;

struct Block<T> {
    ln_1: LayerNorm<T>,
    attention: SelfAttention<T>,
    ln_2: LayerNorm<T>,
    wide: Linear<T>,
    back: Linear<T>,
}

module!(Block { ln_1, attention, ln_2, wide, back });

struct Gpt<T> {
    letters: Embedding<T>,
    positions: Embedding<T>,
    blocks: Vec<Block<T>>,
    ln_f: LayerNorm<T>,
}

module!(Gpt { letters, positions, blocks, ln_f });

impl Gpt<f32> {
    fn new(random: &mut Stream) -> Self {
        let heads = Heads { queries: 4, keys: 4, width: WIDTH / 4 };
        let block = |_| Block {
            ln_1: LayerNorm::new(WIDTH),
            attention: SelfAttention {
                qkv: Linear::normal(WIDTH, heads.packed(), 0.05, true, random),
                proj: Linear::normal(heads.outputs(), WIDTH, 0.05, true, random),
                heads,
                causal: true,
                rotary: None,
            },
            ln_2: LayerNorm::new(WIDTH),
            wide: Linear::normal(WIDTH, 4 * WIDTH, 0.05, true, random),
            back: Linear::normal(4 * WIDTH, WIDTH, 0.05, true, random),
        };
        let blocks = (0..2).map(block).collect();
        let letters = Embedding::normal(LETTERS, WIDTH, 0.1, random);
        Gpt { letters, positions: Embedding::normal(2 * HALF, WIDTH, 0.1, random), blocks, ln_f: LayerNorm::new(WIDTH) }
    }

    /// B strings of T letters → (B, T, V) logits of the letter after each.
    fn forward(&self, letters: &[u32], time: usize) -> Tensor<f32> {
        let mut x =
            &self.letters.forward(letters, &[letters.len() / time, time]) + &self.positions.weight.narrow(0, 0, time);
        for Block { ln_1, attention, ln_2, wide, back } in &self.blocks {
            x = &x + &attention.forward(&ln_1.forward(&x)); // look at the letters before
            x = &x + &back.forward(&wide.forward(&ln_2.forward(&x)).gelu_tanh()); // and think about it
        }
        self.ln_f.forward(&x).linear(&self.letters.weight, None) // the table of letters once more
    }
}

fn main() {
    let streams = Streams::new(1);
    let mut model = Gpt::new(&mut streams.stream("init"));
    println!("{} parameters", model.parameter_count());
    let (mut data, mut adam, time) = (streams.stream("data"), Adam::new(Decay::None), 2 * HALF - 1);
    let mut second = f32::NAN;
    for step in 0..=200 {
        // Letters by lot, twice.
        let halves: Vec<Vec<u32>> =
            (0..BATCH).map(|_| (0..HALF).map(|_| data.random_range(0..LETTERS as u32)).collect()).collect();
        let strings: Vec<Vec<u32>> = halves.iter().map(|half| [&half[..], half].concat()).collect();
        let inputs: Vec<u32> = strings.iter().flat_map(|string| string[..time].to_vec()).collect();
        let logits = model.forward(&inputs, time);
        // Only the second half can be known.
        let targets: Vec<u32> = halves.concat();
        let loss = logits.narrow(1, HALF - 1, HALF).cross_entropy(&targets);
        second = loss.item();
        if step % 50 == 0 {
            println!("step {step:>3}  second half {second:.4} nats a letter; by lot {:.4}", (LETTERS as f64).ln());
        }
        let gradients = loss.backward();
        let factor = clip_factor(norm(&model, &gradients), 1.0);
        adam.update(&mut model, &gradients, Update { learning_rate: 2e-3, gradient_factor: factor });
    }
    assert!(second < 0.1, "the letters of the second half are looked up in the first");
}
