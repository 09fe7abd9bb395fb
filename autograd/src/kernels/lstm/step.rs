//! One step of an LSTM for one sequence, or for a position of a map: generation.
//!
//! Not for training. As in [`gru::step`](super::super::gru::step), the weight is packed once and each thread always reads the same
//! part of it, because the step is as fast as the weight can be read.

use super::Forward;
use crate::Scalar;
use crate::kernels::compiled::Compiled;
use crate::kernels::gemm::{Matrix, Store};
use crate::kernels::math::dispatch::dispatch;
use crate::kernels::recurrent::step::{Disjoint, Part};
use crate::kernels::team::Team;
use crate::kernels::unwritten::unwritten;

/// An LSTM ready to be stepped: the recurrent weight, packed, in fixed parts of the hidden units.
pub struct LstmStep<T> {
    hidden: usize,
    parts: Vec<Part<T>>,
}

impl<T: Scalar> LstmStep<T> {
    /// Packs the weight for a team of `members` threads.
    ///
    /// # Shapes
    /// `w_hh` (4H, H), `b_hh` (4H)
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn new(w_hh: Matrix<T>, b_hh: &[T], members: usize) -> Self {
        LstmStep { hidden: w_hh.cols(), parts: Part::all("lstm step", 4, w_hh, b_hh, members) }
    }

    /// `(h_out, c) ← LSTM(x, h_in, c)`, bit for bit what [`lstm_forward`](super::lstm_forward) computes; allocates nothing.
    ///
    /// # Shapes
    /// `gates_x` (4H), which is `W_ih x + b_ih`, often a row of a table · `h_in`, `h_out` (H) · `c_in`, `c_out` (H)
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn step(&self, gates_x: &[T], [h_in, c_in]: [&[T]; 2], [h_out, c_out]: [&mut [T]; 2], team: &mut Team) {
        let hidden = self.hidden;
        assert_eq!((gates_x.len(), h_in.len(), c_in.len()), (4 * hidden, hidden, hidden), "lstm step: wrong length");
        assert_eq!((h_out.len(), c_out.len()), (hidden, hidden), "lstm step: wrong length");
        let members = team.members();
        let (h_out, c_out) = (Disjoint::new(h_out), Disjoint::new(c_out));
        team.run(|member| {
            for part in self.parts.iter().skip(member).step_by(members) {
                // SAFETY: parts are disjoint ranges of units, and each part is visited by one member.
                let h_out = unsafe { h_out.range(part.first, part.units) };
                // SAFETY: as above.
                let c_out = unsafe { c_out.range(part.first, part.units) };
                Compiled::lstm_step(part, hidden, gates_x, [h_in, c_in], [h_out, c_out]);
            }
        });
    }
}

/// The step of one part's units: `states` is (h_in, c_in), `outs` (h_out, c_out).
pub(in crate::kernels) fn step_of_part<T: Scalar>(
    part: &Part<T>,
    hidden: usize,
    gates_x: &[T],
    states: [&[T]; 2],
    outs: [&mut [T]; 2],
) {
    let (first, units) = (part.first, part.units);
    let ([h_in, c_in], [h_next, c_next]) = (states, outs);
    let scratch = &mut *part.scratch();
    let direction = scratch.turn();
    let gates = &mut scratch.values[..];
    for gate in 0..4 {
        gates[gate * units..][..units].copy_from_slice(&gates_x[gate * hidden + first..][..units]);
    }
    part.w.row(h_in, Store::Accumulate, direction, gates);
    let c = &c_in[first..first + units];
    let (c_next, h_next) = (unwritten(c_next), unwritten(h_next));
    dispatch(Forward { hidden: units, gates, b_hh: &part.b_hh, c, c_next, h_next });
}

/// The new cell and state of one position, or of some of its units: those that
/// [`map::forward`](super::map::forward) gives it, bit for bit.
///
/// # Shapes
/// - `gates` (4 · units): in, the input's part; out, the activations
/// - `sums` (4 · units): `Σ_j W_j h_j`, each a chain of its own · `cell`, `cell_next`, `state` (units)
///
/// # Panics
/// If a length does not fit.
pub fn position<T: Scalar>(gates: &mut [T], sums: &[T], cell: &[T], cell_next: &mut [T], state: &mut [T]) {
    Compiled::lstm_position(gates, sums, cell, cell_next, state);
}

pub(in crate::kernels) fn position_body<T: Scalar>(
    gates: &mut [T],
    sums: &[T],
    cell: &[T],
    cell_next: &mut [T],
    state: &mut [T],
) {
    let units = cell.len();
    assert_eq!([gates.len(), sums.len(), cell_next.len(), state.len()], [4 * units, 4 * units, units, units]);
    let (c_next, h_next) = (unwritten(cell_next), unwritten(state));
    dispatch(Forward { hidden: units, gates, b_hh: sums, c: cell, c_next, h_next });
}
