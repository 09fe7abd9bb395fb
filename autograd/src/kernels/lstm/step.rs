//! One step of an LSTM for one sequence: generation.
//!
//! Not for training. As in [`gru::step`](super::super::gru::step), the weight is packed once and each thread always reads the same
//! part of it, because the step is as fast as the weight can be read.

use super::Forward;
use crate::Scalar;
use crate::kernels::gemm::{Matrix, Store};
use crate::kernels::math::dispatch::dispatch;
use crate::kernels::packed::{Direction, Packed};
use crate::kernels::recurrent::{Disjoint, Sequence, rows_of_units, units_of};
use crate::kernels::team::Team;
use std::sync::{Mutex, PoisonError};

/// An LSTM ready to be stepped: the recurrent weight, packed, in fixed parts of the hidden units.
pub struct LstmStep<T> {
    hidden: usize,
    parts: Vec<Part<T>>,
}

/// Some hidden units with all four gates of each.
struct Part<T> {
    first: usize,
    units: usize,
    w: Packed<T>,
    b_hh: Vec<T>,
    /// The gates of this part's units, and how the weight is read next; a lock that nobody ever waits for, since a part
    /// belongs to one thread.
    scratch: Mutex<(Vec<T>, Direction)>,
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
        let hidden = w_hh.cols();
        Sequence { time: 1, batch: 1, hidden }.check_weight("lstm w_hh", w_hh, 4);
        assert_eq!(b_hh.len(), 4 * hidden, "lstm b_hh: wrong length");
        let parts = units_of(hidden, members).map(|(first, units)| {
            let rows = rows_of_units(w_hh, 0..4, first, units);
            Part {
                first,
                units,
                w: Packed::new(Matrix::new(&rows, 4 * units, hidden).t()),
                b_hh: (0..4).flat_map(|gate| &b_hh[gate * hidden + first..][..units]).copied().collect(),
                scratch: Mutex::new((vec![T::zero(); 4 * units], Direction::Forward)),
            }
        });
        LstmStep { hidden, parts: parts.collect() }
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
                part.step(hidden, gates_x, h_in, c_in, h_out, c_out);
            }
        });
    }
}

impl<T: Scalar> Part<T> {
    fn step(&self, hidden: usize, gates_x: &[T], h_in: &[T], c_in: &[T], h_out: &mut [T], c_out: &mut [T]) {
        let (first, units) = (self.first, self.units);
        let (gates, direction) = &mut *self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        for gate in 0..4 {
            gates[gate * units..][..units].copy_from_slice(&gates_x[gate * hidden + first..][..units]);
        }
        self.w.row(h_in, Store::Accumulate, *direction, gates);
        *direction = direction.reversed();
        let c = &c_in[first..first + units];
        dispatch(Forward { hidden: units, gates, b_hh: &self.b_hh, c, c_next: c_out, h_next: h_out });
    }
}
