//! What is derived from the five methods of a model, and models under a condition.

use super::*;
use crate::check;
use crate::distribution::Categorical;

/// Which of two symbols comes: that of the frame at this position, or that of the frame before if the last symbol was 1.
struct Followed;

/// Frames and the model: how audio is conditioned.
struct Following<'c> {
    frames: &'c [f64],
}

impl Conditional for Followed {
    type Condition = [f64];
    type Given<'c> = Following<'c>;

    fn given<'c>(&'c self, frames: &'c [f64]) -> Following<'c> {
        Following { frames }
    }
}

#[derive(Clone)]
struct Position {
    next: Categorical<f64>,
    at: usize,
}

impl Following<'_> {
    fn at(&self, t: usize, last: u32) -> Categorical<f64> {
        let frame = if last == 1 { self.frames[t - 1] } else { self.frames[t] };
        Categorical { logits: vec![0.0, frame] }
    }
}

impl Autoregressive for Following<'_> {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = Position;

    fn distributions(&self, x: &[u32]) -> Vec<Categorical<f64>> {
        (0..x.len()).map(|t| self.at(t, if t == 0 { 0 } else { x[t - 1] })).collect()
    }
    fn start(&self) -> Position {
        Position { next: self.at(0, 0), at: 0 }
    }
    fn next<'s>(&self, state: &'s Position) -> &'s Categorical<f64> {
        &state.next
    }
    fn step(&self, state: &mut Position, symbol: u32) {
        state.at += 1;
        if state.at < self.frames.len() {
            state.next = self.at(state.at, symbol);
        }
    }
    fn length(&self) -> Option<usize> {
        Some(self.frames.len())
    }
}

const FRAMES: [f64; 5] = [0.3, -1.0, 2.0, 0.0, 1.5];

#[test]
fn a_model_and_its_condition_pass_every_check_and_end_with_the_condition() {
    let model = Followed.given(&FRAMES);
    let longer = [1, 0, 1, 1, 0, 1, 1];
    for outcome in [
        check::causality(&model, &longer, |x| 1 - x),
        check::steps_equal_parallel(&model, &longer),
        check::sum_to_one(&model, 2, longer.len()),
        check::each_sums_to_one(&model, &longer, 2),
    ] {
        assert!(outcome.passed, "{outcome}");
    }
    let enumerated = check::sum_to_one(&model, 2, longer.len()).detail;
    assert!(enumerated.starts_with("32 sequences of length 5"), "{enumerated}");
}

#[test]
fn another_condition_is_another_distribution() {
    let nats = |frames: &[f64]| {
        let model = Followed.given(frames);
        model.nats(&mut model.start(), &[1, 0, 1])
    };
    assert_eq!(nats(&FRAMES)[0], (1.0 + (-0.3_f64).exp()).ln());
    assert_eq!(nats(&FRAMES)[..2], nats(&FRAMES[..3])[..2]);
    assert_ne!(nats(&FRAMES)[2], nats(&[0.3, -1.0, 0.0])[2]);
}

#[test]
fn many_sequences_score_as_each_alone() {
    let model = Followed.given(&FRAMES);
    let sequences: [&[u32]; 4] = [&[1, 1, 0], &[], &[0, 1, 0, 1, 1], &[1]];
    let alone: Vec<Vec<f64>> = sequences.iter().map(|x| model.nats(&mut model.start(), x)).collect();
    assert_eq!(model.nats_of_many(&sequences), alone);
    assert_eq!(alone.iter().map(Vec::len).collect::<Vec<_>>(), [3, 0, 5, 1]);
}

#[test]
fn many_states_step_as_each_alone() {
    let model = Followed.given(&FRAMES);
    let mut states = vec![model.start(); 3];
    for symbols in [[0, 1, 1], [1, 0, 1]] {
        let mut alone = states.clone();
        alone.iter_mut().zip(symbols).for_each(|(state, symbol)| model.step(state, symbol));
        model.step_many(&mut states, &symbols);
        assert!(states.iter().zip(&alone).all(|(a, b)| a.next == b.next));
    }
    assert_ne!(states[0].next, states[1].next);
}

#[test]
#[should_panic(expected = "one symbol for each state")]
fn a_state_without_a_symbol_is_a_mistake() {
    let model = Followed.given(&FRAMES);
    model.step_many(&mut [model.start()], &[]);
}
