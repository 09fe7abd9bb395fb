//! Steps against the parallel pass, alone and side by side, with one thread and with two.

use super::super::wavenet::{Condition, Conditions, Input, Sizes, WaveNet};
use super::*;
use autograd::random::Streams;
use autograd::{Tensor, no_grad};

const SIZES: Sizes = Sizes { residual: 6, skip: 44, layers: 4, stacks: 2 };

/// A network, and what some sounds of it hear: classes of each, features at all positions.
struct Heard<T> {
    network: WaveNet<T>,
    classes: Vec<u32>,
    features: Vec<T>,
    codes: Vec<u32>,
}

const TIME: usize = 70;
const CODES: usize = 9;

fn heard<T: Scalar>(conditions: &Conditions) -> Heard<T> {
    let f = conditions.features;
    // Symbols as rows of a table, and as numbers.
    let input = if conditions.classes.len() == 1 { Input::Levels(CODES) } else { Input::Codes(CODES) };
    Heard {
        network: WaveNet::new(SIZES, input, CODES, conditions, &mut Streams::new(4).stream("init")),
        classes: conditions.classes.iter().map(|&classes| classes as u32 - 1).collect(),
        // Those of two positions in three are those of the position before.
        features: (0..TIME * f).map(|i| T::of(((i / f / 3 * f + i % f) as f64 * 0.7).sin())).collect(),
        codes: (0..TIME).map(|i| (i * i % 11 % CODES) as u32).collect(),
    }
}

fn conditions() -> [Conditions; 3] {
    [
        Conditions::default(),
        Conditions { classes: vec![3], features: 0 },
        Conditions { classes: vec![2, 4], features: 3 },
    ]
}

fn steps_have_the_bits_of_the_parallel_pass<T: Scalar>() {
    for conditions in conditions() {
        let f = conditions.features;
        let Heard { network, classes, features, codes } = heard::<T>(&conditions);
        let global: Vec<&[u32]> = classes.iter().map(std::slice::from_ref).collect();
        let local = (f > 0).then(|| Tensor::from_vec(features.clone(), &[1, TIME, f]).permute(&[0, 2, 1]));
        let parallel = no_grad(|| {
            let condition = Condition { global: &global, local: local.as_ref() };
            network.outputs(&network.skips(&codes, 1, condition)).permute(&[0, 2, 1]).to_vec()
        });
        for threads in [1, 2, 3] {
            let decoder = Decoder::with_threads(&network, threads);
            assert_eq!(decoder.conditions(), conditions);
            let mut memory = decoder.start(&classes);
            for t in 0..TIME {
                let before = t.checked_sub(1).map(|before| codes[before]);
                let stepped = decoder.step(&mut memory, before, &features[t * f..][..f]);
                assert_eq!(stepped, &parallel[t * CODES..][..CODES], "{t}, {conditions:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn steps_have_the_bits_of_the_parallel_pass_in_both_types_for_any_number_of_threads() {
    steps_have_the_bits_of_the_parallel_pass::<f32>();
    steps_have_the_bits_of_the_parallel_pass::<f64>();
}

fn sounds_step_together_as_one_by_one<T: Scalar>() {
    for conditions in conditions() {
        let f = conditions.features;
        let Heard { network, classes, features, codes } = heard::<T>(&conditions);
        for (threads, sounds) in [(1, 1), (1, 5), (2, 5), (2, 40), (1, 0)] {
            let decoder = Decoder::with_threads(&network, threads);
            let mut together = vec![decoder.start(&classes); sounds];
            let mut alone = together.clone();
            for t in 0..20 {
                // Each sound has codes of its own, and one begins later.
                let code = |i: usize| (t + i != 3).then(|| codes[(t * (i + 1)) % TIME]);
                let codes: Vec<Option<u32>> = (0..sounds).map(code).collect();
                let features: Vec<T> =
                    (0..sounds).flat_map(|i| &features[(t + i) % TIME * f..][..f]).copied().collect();
                decoder.step_many(&mut together, &codes, &features);
                for (i, memory) in alone.iter_mut().enumerate() {
                    decoder.step(memory, codes[i], &features[i * f..][..f]);
                    assert_eq!(together[i].parameters(), memory.parameters(), "sound {i} of {sounds}, {t}");
                }
            }
        }
    }
}

#[test]
fn sounds_step_together_as_one_by_one_bit_for_bit() {
    sounds_step_together_as_one_by_one::<f32>();
    sounds_step_together_as_one_by_one::<f64>();
}

#[test]
fn a_sample_costs_one_pass_over_the_layers() {
    let sizes = Sizes { residual: 32, skip: 128, layers: 10, stacks: 1 };
    let network =
        WaveNet::<f32>::new(sizes, Input::Codes(256), 256, &Conditions::default(), &mut Streams::new(1).stream("init"));
    // 10 layers of 2·32·64 + 32·32 + 32·128, the last without its residual; 128·128 + 128·256.
    let expected = 10 * (4096 + 1024 + 4096) - 1024 + 16_384 + 32_768;
    for threads in [1, 2] {
        assert_eq!(Decoder::with_threads(&network, threads).multiply_adds(), expected);
    }
}
