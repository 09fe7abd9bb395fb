//! One step of a GRU for one sequence: generation.
//!
//! Not for training. The weight is read once per step and nothing is reused, so the step is as fast as memory: the weight is packed
//! when the step is prepared, and each thread always reads the same part of it, which then stays in that core's reach.

use super::Forward;
use crate::Scalar;
use crate::kernels::compiled::Compiled;
use crate::kernels::gemm::{Matrix, Store};
use crate::kernels::math::dispatch::dispatch;
use crate::kernels::recurrent::step::{Disjoint, Part};
use crate::kernels::team::Team;
use crate::kernels::unwritten::unwritten;

/// A GRU ready to be stepped: the recurrent weight, packed, in fixed parts of the hidden units.
pub struct GruStep<T> {
    hidden: usize,
    parts: Vec<Part<T>>,
}

impl<T: Scalar> GruStep<T> {
    /// Packs the weight for a team of `members` threads.
    ///
    /// # Shapes
    /// `w_hh` (3H, H), `b_hh` (3H)
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn new(w_hh: Matrix<T>, b_hh: &[T], members: usize) -> Self {
        GruStep { hidden: w_hh.cols(), parts: Part::all("gru step", 3, w_hh, b_hh, members) }
    }

    /// `h_out ← GRU(x, h_in)`, bit for bit what [`gru_forward`](super::gru_forward) computes; allocates nothing.
    ///
    /// # Shapes
    /// `gates_x` (3H), which is `W_ih x + b_ih`, often a row of a table · `h_in` (H) · `h_out` (H)
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn step(&self, gates_x: &[T], h_in: &[T], h_out: &mut [T], team: &mut Team) {
        let hidden = self.hidden;
        assert_eq!((gates_x.len(), h_in.len(), h_out.len()), (3 * hidden, hidden, hidden), "gru step: wrong length");
        let members = team.members();
        let outs = Disjoint::new(h_out);
        team.run(|member| {
            for part in self.parts.iter().skip(member).step_by(members) {
                // SAFETY: parts are disjoint ranges of units, and each part is visited by one member.
                Compiled::gru_step(part, hidden, gates_x, h_in, unsafe { outs.range(part.first, part.units) });
            }
        });
    }
}

/// The step of one part's units.
pub(in crate::kernels) fn step_of_part<T: Scalar>(
    part: &Part<T>,
    hidden: usize,
    gates_x: &[T],
    h_in: &[T],
    h_out: &mut [T],
) {
    let (first, units) = (part.first, part.units);
    let scratch = &mut *part.scratch();
    let direction = scratch.turn();
    let (gates, hn) = scratch.values.split_at_mut(3 * units);
    let x = |gate: usize| &gates_x[gate * hidden + first..][..units];
    // One product yields r, z and W_hn h side by side; x_n joins after it, because r comes between them.
    gates[..units].copy_from_slice(x(0));
    gates[units..2 * units].copy_from_slice(x(1));
    gates[2 * units..].fill(T::zero());
    part.w.row(h_in, Store::Accumulate, direction, gates);
    hn.copy_from_slice(&gates[2 * units..]);
    gates[2 * units..].copy_from_slice(x(2));
    let h = &h_in[first..first + units];
    dispatch(Forward { hidden: units, gates, hn, b_hh: &part.b_hh, h, h_next: unwritten(h_out) });
}
