//! A linear layer whose weight is packed once: for one row at a time in generation, for blocks of rows in scoring.

use autograd::Scalar;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::packed::{Direction, Packed};
use autograd::kernels::team::Team;
use autograd::nn::Param;
use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// `y = x·wᵀ + b`, in the same bits for one row, for many, and from the layer itself.
pub(crate) struct Affine<T> {
    weights: Weights<T>,
    /// Of the next pass.
    direction: Cell<Direction>,
}

/// What does not change from pass to pass, so that threads can share it.
pub(crate) struct Weights<T> {
    weight: Packed<T>,
    bias: Vec<T>,
}

impl<T: Scalar> Affine<T> {
    pub(crate) fn new(weight: &Param<T>, bias: Option<&Param<T>>) -> Self {
        let (outputs, inputs) = (weight.shape()[0], weight.shape()[1]);
        let bias = bias.map_or_else(|| vec![T::zero(); outputs], |bias| bias.values().to_vec());
        let weight = Packed::new(Matrix::new(weight.values(), outputs, inputs).t());
        Affine { weights: Weights { weight, bias }, direction: Cell::default() }
    }

    /// # Shapes
    /// `x` (in) → `y` (out)
    pub(crate) fn apply(&self, team: &mut Team, x: &[T], y: &mut [T]) {
        let direction = self.direction.get();
        self.direction.set(direction.reversed());
        self.weights.weight.row_by(team, x, &self.weights.bias, direction, y);
    }

    /// Many rows, in pieces shared out to a team.
    ///
    /// # Shapes
    /// `x` (R, in) → `y` (R, out)
    pub(crate) fn apply_rows(&self, team: &mut Team, x: &[T], y: &mut Vec<T>) {
        /// Fewest rows of a piece: a part of the weight must be used a few times while it is near.
        const FEWEST: usize = 16;
        let weights = &self.weights;
        let (inputs, outputs) = (weights.weight.rows(), weights.weight.cols());
        let rows = (x.len() / inputs).div_ceil(team.members()).max(FEWEST);
        y.resize(x.len() / inputs * outputs, T::zero());
        share(team, x.chunks(rows * inputs).zip(y.chunks_mut(rows * outputs)), |(x, y)| weights.rows(x, y));
    }

    pub(crate) fn weights(&self) -> &Weights<T> {
        &self.weights
    }
}

impl<T: Scalar> Weights<T> {
    /// Many rows on the calling thread.
    ///
    /// # Shapes
    /// `x` (R, in) → `y` (R, out)
    pub(crate) fn rows(&self, x: &[T], y: &mut [T]) {
        let (inputs, outputs) = (self.weight.rows(), self.weight.cols());
        y.chunks_exact_mut(outputs).for_each(|y| y.copy_from_slice(&self.bias));
        self.weight.product(Matrix::new(x, x.len() / inputs, inputs), Store::Accumulate, y, outputs);
    }
}

/// Every piece once, by whichever member of the team is free for it.
pub(crate) fn share<I: Iterator + Send>(team: &mut Team, pieces: I, work: impl Fn(I::Item) + Sync) {
    let pieces = Mutex::new(pieces);
    let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
    team.run(|_| {
        while let Some(piece) = next() {
            work(piece);
        }
    });
}
