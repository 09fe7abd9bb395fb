//! Schedules against the paper's formulas; mixed windows against symbols drawn one at a time by the decoder.

use super::super::config::TextConfig;
use super::super::language_model::{CellKind, Config, LanguageModel};
use super::super::network::Network;
use super::super::training::TextTask;
use super::*;
use crate::autoregressive::Autoregressive;
use crate::data::files::DataFiles;
use crate::training::task::Task;
use approx::assert_relative_eq;
use autograd::random::Streams;

#[test]
fn schedules_are_the_papers() {
    use ScheduledSampling::{Exponential, InverseSigmoid, Linear, None};
    assert_eq!([0, 1, u64::MAX].map(|i| None.epsilon(i)), [1.0; 3]);
    // max(ε_min, k − c·i), and no probability above 1.
    let linear = Linear { k: 1.25, c: 0.001, epsilon_min: 0.3 };
    assert_eq!([0, 200].map(|i| linear.epsilon(i)), [1.0, 1.0]);
    assert_relative_eq!(linear.epsilon(500), 0.75, epsilon = 1e-12);
    assert_eq!([950, 5000, u64::MAX].map(|i| linear.epsilon(i)), [0.3; 3]);
    // kⁱ
    let exponential = Exponential { k: 0.5 };
    assert_eq!([0, 1, 10, 5000].map(|i| exponential.epsilon(i)), [1.0, 0.5, 2f64.powi(-10), 0.0]);
    assert_eq!([0, 1].map(|i| Exponential { k: 0.0 }.epsilon(i)), [1.0, 0.0]);
    // k/(k + exp(i/k)): k/(k + 1) at first, a half where exp(i/k) = k.
    let sigmoid = InverseSigmoid { k: 10.0 };
    assert_relative_eq!(sigmoid.epsilon(0), 10.0 / 11.0, epsilon = 1e-15);
    assert_relative_eq!(sigmoid.epsilon(30), 10.0 / (10.0 + 3f64.exp()), epsilon = 1e-15);
    assert!(sigmoid.epsilon(23) > 0.5 && sigmoid.epsilon(24) < 0.5, "10 ln 10 is 23.03");
    assert_eq!(sigmoid.epsilon(u64::MAX), 0.0);
}

#[test]
fn numbers_beyond_their_bounds_are_told_by_key() {
    use ScheduledSampling::{Exponential, InverseSigmoid, Linear};
    let linear = |k, c, epsilon_min| Linear { k, c, epsilon_min };
    for (schedule, says) in [
        (linear(-0.1, 0.0, 0.0), "`data.scheduled_sampling.linear.k` is -0.1; it must be from 0 to 1e6"),
        (linear(1.0, f64::INFINITY, 0.0), "linear.c` is inf"),
        (linear(1.0, 0.1, 1.1), "linear.epsilon_min` is 1.1; it must be from 0 to 1"),
        (Exponential { k: 1.0 }, "exponential.k` is 1; it must be at least 0 and below 1"),
        (InverseSigmoid { k: 0.9 }, "inverse_sigmoid.k` is 0.9; it must be from 1 to 1e9"),
        (InverseSigmoid { k: f64::NAN }, "inverse_sigmoid.k` is NaN"),
    ] {
        let error = schedule.check().unwrap_err();
        assert!(error.kind == Kind::Usage && error.what.contains(says), "{error}");
    }
    assert!(linear(0.0, 0.0, 0.0).check().is_ok() && InverseSigmoid { k: 1.0 }.check().is_ok());
}

fn network(model: CellKind) -> LanguageModel<f32> {
    // Dropout, which no draw sees.
    let config = Config { model, symbols: 11, embedding: 5, hidden: 8, layers: 2, dropout: 0.5, ..Config::default() };
    LanguageModel::new(&config, &mut Streams::new(7).stream("init"))
}

const BATCH: usize = 3;
const TIME: usize = 20;

fn window(first: u32) -> Vec<u32> {
    (0..(BATCH * TIME) as u32).map(|i| (i * i / 3 + first) % 11).collect()
}

/// One symbol at a time by the decoder, each true or drawn by the same coins: what the method says, word for word.
fn by_steps(network: &LanguageModel<f32>, before: &[u32], inputs: &mut [u32], epsilon: f64, random: &mut Stream) {
    let decoder = network.decoder();
    let mut states = vec![decoder.start(); BATCH];
    for (state, symbols) in states.iter_mut().zip(before.chunks(TIME)) {
        symbols.iter().for_each(|&symbol| decoder.step(state, symbol));
    }
    let coins: Vec<bool> = (0..inputs.len()).map(|i| i % TIME > 0 && random.random::<f64>() >= epsilon).collect();
    for t in 1..TIME {
        for (b, state) in states.iter_mut().enumerate() {
            decoder.step(state, inputs[b * TIME + t - 1]);
            if coins[b * TIME + t] {
                inputs[b * TIME + t] = decoder.next(state).sample(random);
            }
        }
    }
}

#[test]
fn mixed_inputs_are_those_of_drawing_one_symbol_at_a_time_bit_for_bit() {
    for kind in [CellKind::Gru, CellKind::Lstm] {
        let network = network(kind);
        let first = window(1);
        let (_, carry) = network.window(&first, BATCH, None, None);
        for (before, carry) in [(&[][..], None), (&first, Some(&carry))] {
            for epsilon in [0.0, 0.25, 0.9, 0.95] {
                let stream = || Streams::new(1).stream(&format!("{epsilon}"));
                let (mut mixed, mut stepped) = (window(2), window(2));
                mix(&network, &mut mixed, BATCH, carry, epsilon, &mut stream());
                by_steps(&network, before, &mut stepped, epsilon, &mut stream());
                assert_eq!(mixed, stepped, "{kind:?}, ε = {epsilon}");
                let firsts = |inputs: &[u32]| inputs.iter().step_by(TIME).copied().collect::<Vec<_>>();
                assert_eq!(firsts(&mixed), firsts(&window(2)), "a window begins with the truth");
                assert_ne!(mixed, window(2));
            }
        }
    }
}

#[test]
fn with_epsilon_0_only_own_symbols_are_read_and_with_1_only_true_ones() {
    let network = network(CellKind::Gru);
    let mixed = |inputs: Vec<u32>, epsilon| {
        let mut inputs = inputs;
        mix(&network, &mut inputs, BATCH, None, epsilon, &mut Streams::new(4).stream("test"));
        inputs
    };
    // What comes after the first symbol does not matter: none of it is read.
    let mut others = window(2);
    others.iter_mut().enumerate().filter(|(i, _)| i % TIME > 0).for_each(|(_, symbol)| *symbol = (*symbol + 5) % 11);
    assert_eq!(mixed(window(2), 0.0), mixed(others, 0.0));
    assert_eq!(mixed(window(2), 1.0), window(2));
}

#[test]
fn as_many_inputs_are_drawn_as_epsilon_says() {
    let network = network(CellKind::Gru);
    let (batch, time, epsilon) = (64, 65, 0.75);
    // A symbol that the network has no reason to draw more often than the other ten.
    let mut inputs = vec![3; batch * time];
    mix(&network, &mut inputs, batch, None, epsilon, &mut Streams::new(4).stream("test"));
    let other = inputs.iter().filter(|&&symbol| symbol != 3).count() as f64;
    let places = (batch * (time - 1)) as f64;
    let share = other / places / (1.0 - epsilon); // of what is drawn, what is not 3: about 10/11
    assert!((0.8..0.98).contains(&share), "{share}");
}

/// The losses of eight steps, with no update between them.
fn losses(scheduled_sampling: ScheduledSampling, from: usize) -> Vec<f32> {
    let mut config = TextConfig::<Config>::default();
    (config.model.hidden, config.model.embedding, config.data.batch, config.data.window) = (6, 4, 2, 8);
    config.data.scheduled_sampling = scheduled_sampling;
    let files = DataFiles::in_memory("text.txt", "the cat sat on the mat\n".repeat(30));
    let (mut task, network) = TextTask::<LanguageModel<f32>>::new(config, &files).unwrap();
    if from > 0 {
        let (mut before, _) = TextTask::<LanguageModel<f32>>::new(task.config().clone(), &files).unwrap();
        (0..from).for_each(|_| _ = before.loss(&network));
        let checkpoint = before.checkpoint(&network).unwrap();
        task.restore(&checkpoint).unwrap();
    }
    (from..8).map(|_| task.loss(&network).item()).collect()
}

#[test]
fn a_schedule_that_stays_at_1_trains_as_none_does_and_one_that_falls_does_not() {
    let plain = losses(ScheduledSampling::None, 0);
    assert_eq!(losses(ScheduledSampling::Linear { k: 1.0, c: 0.0, epsilon_min: 0.0 }, 0), plain);
    let falling = losses(ScheduledSampling::Linear { k: 1.0, c: 0.25, epsilon_min: 0.0 }, 0);
    assert_eq!(falling[0], plain[0], "the first step reads the truth");
    assert!((1..8).all(|i| falling[i] != plain[i]), "{falling:?} {plain:?}");
}

#[test]
fn a_training_that_goes_on_draws_what_one_that_never_stopped_draws() {
    let schedule = ScheduledSampling::InverseSigmoid { k: 3.0 };
    assert_eq!(losses(schedule, 5), losses(schedule, 0)[5..]);
}
