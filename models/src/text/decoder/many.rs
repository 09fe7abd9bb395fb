//! Several sequences side by side: their likelihoods in the parallel pass, and their steps with one read of the weights.

use super::super::language_model::Carry;
use super::{Decoder, Input, State};
use autograd::{Scalar, no_grad};
use std::cmp::Reverse;
use std::sync::Mutex;

/// Sequences that run side by side: the more, the better the recurrent products use a weight; beyond, nothing is gained.
const BATCH: usize = 64;

/// Positions of a block, all sequences together. With 512 units their gates take up to 16 MiB of f32.
const POSITIONS: usize = 2048;

impl<T: Scalar> Decoder<T> {
    /// `−ln p` of each symbol of each sequence from the start. The longest run together, so that the ones still running are always
    /// the first of a batch.
    pub(super) fn nats_side_by_side(&self, sequences: &[&[u32]]) -> Vec<Vec<f64>> {
        let mut nats: Vec<Vec<f64>> = sequences.iter().map(|sequence| Vec::with_capacity(sequence.len())).collect();
        let mut order: Vec<usize> = (0..sequences.len()).collect();
        order.sort_by_key(|&i| Reverse(sequences[i].len()));
        let spare = Mutex::default();
        for batch in order.chunks(BATCH) {
            let (mut carry, mut first): (Option<Carry<T>>, usize) = (None, 0);
            loop {
                let running = batch.iter().take_while(|&&i| sequences[i].len() > first).count();
                if running == 0 {
                    break;
                }
                let batch = &batch[..running];
                let time = (POSITIONS / running).min(sequences[batch[0]].len() - first);
                let symbols = |i: usize| &sequences[i][first..sequences[i].len().min(first + time)];
                let (before, last) = self.states_before(batch.iter().map(|&i| symbols(i)), time, carry);
                let targets: Vec<u32> = batch.iter().flat_map(|&i| symbols(i)).copied().collect();
                let mut scores = vec![0.0; targets.len()];
                self.score(&before, &targets, &mut scores, &spare);
                let mut scores = scores.into_iter();
                batch.iter().for_each(|&i| nats[i].extend(scores.by_ref().take(symbols(i).len())));
                (carry, first) = (Some(last), first + time);
            }
        }
        nats
    }

    /// The states of the last layer before each symbol, sequence after sequence, and the state after `time` positions of all.
    /// A sequence that is shorter goes on with symbol 0, of which nobody asks the outcome.
    fn states_before<'s>(
        &self,
        rows: impl ExactSizeIterator<Item = &'s [u32]> + Clone,
        time: usize,
        carry: Option<Carry<T>>,
    ) -> (Vec<T>, Carry<T>) {
        let (batch, hidden, layers) = (rows.len(), self.hidden(), self.steps.len());
        let carry = carry.map(|carry| carry.of_first(batch));
        let mut symbols = Vec::with_capacity(batch * time);
        for row in rows.clone() {
            symbols.extend(row);
            symbols.resize(symbols.len().next_multiple_of(time), 0);
        }
        let (states, last) = no_grad(|| self.model.states(&symbols, batch, carry.as_ref(), None));
        let states = states.to_vec();
        let first = match &carry {
            Some(carry) => carry.hidden.narrow(0, layers - 1, 1).to_vec(),
            None => vec![T::zero(); batch * hidden],
        };
        let mut before = Vec::with_capacity(rows.clone().map(<[u32]>::len).sum::<usize>() * hidden);
        for (b, row) in rows.enumerate() {
            before.extend(&first[b * hidden..(b + 1) * hidden]);
            before.extend(&states[b * time * hidden..][..(row.len() - 1) * hidden]);
        }
        (before, last)
    }

    /// A step of each state. The recurrent weight of a layer is read for each of them, from a near cache; the other weights, the
    /// most of them by far over a large alphabet, once.
    pub(super) fn step_together(&self, states: &mut [State<T>], symbols: &[u32]) {
        assert_eq!(states.len(), symbols.len(), "step_many: one symbol for each state");
        let team = &mut *self.team.borrow_mut();
        for (k, step) in self.steps.iter().enumerate() {
            match &self.input {
                _ if k > 0 => {
                    let below = side_by_side(states, k - 1);
                    self.between[k - 1].apply_each(team, &below, states.iter_mut().map(|state| &mut state.gates[..]));
                }
                Input::Projected(project) => {
                    let vectors = self.vectors(symbols);
                    project.apply_each(team, &vectors, states.iter_mut().map(|state| &mut state.gates[..]));
                }
                Input::Table(_) => {}
            }
            for (state, &symbol) in states.iter_mut().zip(symbols) {
                let State { hidden, next_hidden, cell, next_cell, gates, .. } = state;
                let gates_x = match &self.input {
                    Input::Table(table) if k == 0 => &table[symbol as usize * self.gates..][..self.gates],
                    _ => &gates[..],
                };
                step.step(gates_x, &hidden[k], next_hidden, &mut cell[k], next_cell, team);
                std::mem::swap(&mut hidden[k], next_hidden);
            }
        }
        let last = side_by_side(states, self.steps.len() - 1);
        self.head.apply_each(team, &last, states.iter_mut().map(|state| &mut state.distribution.logits[..]));
    }
}

/// The hidden states of layer k, one after the other.
fn side_by_side<T: Scalar>(states: &[State<T>], k: usize) -> Vec<T> {
    states.iter().flat_map(|state| &state.hidden[k]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::blocks::tests::bits;
    use super::super::tests::model;
    use super::*;
    use crate::autoregressive::Autoregressive;
    use crate::text::language_model::CellKind;

    #[test]
    fn sequences_of_different_lengths_score_side_by_side_as_one_by_one_bit_for_bit() {
        for kind in [CellKind::Gru, CellKind::Lstm] {
            for (layers, symbols, hidden) in [(1, 6, 7), (2, 50, 300)] {
                let decoder = Decoder::new(&model::<f32>(kind, layers, symbols, hidden));
                let length = |i: usize| if i % 5 == 3 { 0 } else { (i * 37) % 90 };
                // more than a batch, and one longer than a block
                let owned: Vec<Vec<u32>> = (0..70)
                    .map(|i| if i == 20 { 2100 } else { length(i) })
                    .enumerate()
                    .map(|(i, length)| (0..length).map(|t| ((t * t + i) % symbols) as u32).collect())
                    .collect();
                let sequences: Vec<&[u32]> = owned.iter().map(Vec::as_slice).collect();
                let alone: Vec<Vec<f64>> =
                    sequences.iter().map(|sequence| decoder.nats(&mut decoder.start(), sequence)).collect();
                assert!(decoder.nats_of_many(&sequences) == alone, "{kind:?} × {layers}");
            }
        }
    }

    fn check_steps<T: Scalar>() {
        for kind in [CellKind::Gru, CellKind::Lstm] {
            for (layers, symbols, hidden, max_table) in [(1, 6, 7, 1 << 25), (2, 1000, 300, 1 << 25), (2, 50, 40, 0)] {
                let decoder = Decoder::with_table(&model::<T>(kind, layers, symbols, hidden), max_table);
                for count in [0, 1, 3, 9] {
                    let mut together = vec![decoder.start(); count];
                    let mut alone = together.clone();
                    for t in 0..4 {
                        let symbols: Vec<u32> = (0..count).map(|i| ((i * i + 3 * t) % symbols) as u32).collect();
                        decoder.step_many(&mut together, &symbols);
                        alone.iter_mut().zip(&symbols).for_each(|(state, &symbol)| decoder.step(state, symbol));
                    }
                    let same = together.iter().zip(&alone).all(|(a, b)| bits(a) == bits(b));
                    assert!(same, "{kind:?} × {layers}, {count} states");
                }
            }
        }
    }

    #[test]
    fn states_step_together_as_one_by_one_bit_for_bit() {
        check_steps::<f32>();
        check_steps::<f64>();
    }
}
