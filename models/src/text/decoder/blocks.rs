//! The likelihood of a sequence in blocks of positions: the parallel pass in bounded memory, in the bits of stepping.
//!
//! A step reads every weight for one symbol. But when the symbols are known, only the recurrent products have to wait for each
//! other: what goes into a layer and what comes out of the last one are products of all rows of a block, which read each weight
//! once. So layer after layer runs through the block, and the state after it is carried into the next.

use super::{Decoder, Input, State};
use crate::affine::share;
use crate::distribution::log_probability;
use autograd::Scalar;
use std::sync::{Mutex, PoisonError};

/// Elements of a block's states: 128 KiB of f32, a part of the level-2 cache beside the recurrent weights.
const STATES: usize = 1 << 15;

/// Most positions of a block: beyond, the products gain nothing.
const POSITIONS: usize = 256;

/// Most logits that exist at a time, 16 MiB of f32 (and at least one row for each thread).
const LOGITS: usize = 1 << 22;

/// Memory that blocks use again.
struct Buffers<T> {
    /// The states of a layer before each position of a block, and after the last: (positions + 1, H).
    states: Vec<T>,
    /// What enters a layer's gates at each position: (positions, gates).
    gates: Vec<T>,
    /// Rows of logits, one buffer for each thread.
    logits: Mutex<Vec<Vec<T>>>,
}

impl<T: Scalar> Decoder<T> {
    /// `−ln p` of each symbol of a sequence that begins at `state`, which is left after the last.
    pub(super) fn nats_in_blocks(&self, state: &mut State<T>, sequence: &[u32]) -> Vec<f64> {
        let positions = (STATES / self.hidden()).clamp(1, POSITIONS);
        let mut nats = vec![0.0; sequence.len()];
        let mut buffers = Buffers { states: Vec::new(), gates: Vec::new(), logits: Mutex::default() };
        for (symbols, nats) in sequence.chunks(positions).zip(nats.chunks_mut(positions)) {
            self.advance(state, symbols, &mut buffers);
            self.score(&buffers.states[..symbols.len() * self.hidden()], symbols, nats, &buffers.logits);
        }
        if let (false, Some(last)) = (sequence.is_empty(), state.hidden.last()) {
            self.head.apply(&mut self.team.borrow_mut(), last, &mut state.distribution.logits);
        }
        nats
    }

    /// Takes the recurrent state through a block; leaves the last layer's states in the buffers.
    fn advance(&self, state: &mut State<T>, symbols: &[u32], buffers: &mut Buffers<T>) {
        let (hidden, team) = (self.hidden(), &mut *self.team.borrow_mut());
        let Buffers { states, gates, .. } = buffers;
        states.resize((symbols.len() + 1) * hidden, T::zero());
        let State { cell, next_cell, .. } = state;
        // 1. Over layers: a layer needs the states of the one below at all positions.
        for (k, step) in self.steps.iter().enumerate() {
            match &self.input {
                _ if k > 0 => self.between[k - 1].apply_rows(team, &states[hidden..], gates),
                Input::Projected(project) => project.apply_rows(team, &self.vectors(symbols), gates),
                Input::Table(_) => {}
            }
            states[..hidden].copy_from_slice(&state.hidden[k]);
            // 2. Over positions, in order: each step needs the state before it.
            for (t, &symbol) in symbols.iter().enumerate() {
                let gates_x = match &self.input {
                    Input::Table(table) if k == 0 => &table[symbol as usize * self.gates..][..self.gates],
                    _ => &gates[t * self.gates..][..self.gates],
                };
                let (past, next) = states.split_at_mut((t + 1) * hidden);
                step.step(gates_x, &past[t * hidden..], &mut next[..hidden], &mut cell[k], next_cell, team);
            }
            state.hidden[k].copy_from_slice(&states[symbols.len() * hidden..]);
        }
    }

    /// The embedding of each symbol, one after the other.
    pub(super) fn vectors(&self, symbols: &[u32]) -> Vec<T> {
        let width = self.model.config.embedding;
        let table = self.model.embedding.weight.values();
        symbols.iter().flat_map(|&symbol| &table[symbol as usize * width..][..width]).copied().collect()
    }

    /// `−ln p` of each symbol given the last layer's state before it. Pieces of rows go to whichever thread is free, which turns
    /// them into logits and these into one number each: the logits of a piece never leave that core's reach.
    pub(super) fn score(&self, states: &[T], symbols: &[u32], nats: &mut [f64], spare: &Mutex<Vec<Vec<T>>>) {
        let (hidden, size, head) = (self.hidden(), self.model.config.symbols, self.head.weights());
        let team = &mut *self.team.borrow_mut();
        let most = (LOGITS / team.members() / size).max(1);
        let rows = symbols.len().div_ceil(symbols.len().div_ceil(most).next_multiple_of(team.members()));
        let pieces = states.chunks(rows * hidden).zip(symbols.chunks(rows)).zip(nats.chunks_mut(rows));
        share(team, pieces, |((states, symbols), nats)| {
            let spare = || spare.lock().unwrap_or_else(PoisonError::into_inner);
            let mut logits = spare().pop().unwrap_or_default();
            logits.resize(symbols.len() * size, T::zero());
            head.rows(states, &mut logits);
            for ((logits, &symbol), nats) in logits.chunks_exact(size).zip(symbols).zip(nats) {
                *nats = -log_probability(logits, symbol);
            }
            spare().push(logits);
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::model;
    use super::*;
    use crate::autoregressive::Autoregressive;
    use crate::distribution::Distribution;
    use crate::text::language_model::CellKind;

    /// As the trait says it, one step at a time.
    fn nats_by_steps<T: Scalar>(decoder: &Decoder<T>, state: &mut State<T>, sequence: &[u32]) -> Vec<f64> {
        let one = |&symbol: &u32| {
            let nats = -decoder.next(state).log_probability(symbol);
            decoder.step(state, symbol);
            nats
        };
        sequence.iter().map(one).collect()
    }

    pub(in super::super) fn bits<T: Scalar>(state: &State<T>) -> Vec<u64> {
        let State { hidden, cell, distribution, .. } = state;
        let numbers = hidden.iter().chain(cell).chain([&distribution.logits]).flatten();
        numbers.map(|x| x.as_f64().to_bits()).collect()
    }

    fn check<T: Scalar>() {
        for kind in [CellKind::Gru, CellKind::Lstm] {
            // 300 units are enough for a team of threads; the second limit leaves no room for a table
            for (layers, symbols, hidden, max_table) in [(1, 6, 7, 1 << 25), (3, 50, 300, 1 << 25), (2, 50, 300, 0)] {
                let decoder = Decoder::with_table(&model::<T>(kind, layers, symbols, hidden), max_table);
                let sequence: Vec<u32> = (0..1200).map(|t| (t * t + t / 7) % symbols as u32).collect();
                let (mut blocks, mut steps) = (decoder.start(), decoder.start());
                for length in [0, 1, 2, 255, 256, 257, 429] {
                    let sequence = &sequence[..length];
                    let expected = nats_by_steps(&decoder, &mut steps, sequence);
                    assert_eq!(decoder.nats(&mut blocks, sequence), expected, "{kind:?} × {layers}, length {length}");
                    assert!(bits(&blocks) == bits(&steps), "{kind:?} × {layers}: the state after {length} symbols");
                }
            }
        }
    }

    #[test]
    fn blocks_give_the_likelihood_and_the_state_of_stepping_bit_for_bit() {
        check::<f32>();
        check::<f64>();
    }
}
