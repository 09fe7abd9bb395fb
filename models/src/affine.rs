//! A linear layer whose weight is packed once: for one row at a time in generation, for blocks of rows in scoring.

use autograd::Scalar;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::packed::{Direction, Packed};
use autograd::kernels::team::Team;
use autograd::nn::Param;
use std::cell::Cell;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Panels of the weight that are used one after the other: few enough that their part of a block of outputs stays in the level-2
/// cache.
const TOGETHER: usize = 8;

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
        let weight = Packed::new(Matrix::new(weight.values(), outputs, inputs).t()).compacted();
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

    /// A few rows, fewer than are worth being cut into pieces, with one read of the weight: its columns are shared out to a team.
    ///
    /// # Shapes
    /// `x` (R, in) → `y` (R, out)
    pub(crate) fn apply_few(&self, team: &mut Team, x: &[T], y: &mut Vec<T>) {
        let weights = &self.weights;
        let Weights { weight, bias } = weights;
        let rows = x.len() / weight.rows();
        y.resize(rows * bias.len(), T::zero());
        let together = weight.panels().div_ceil(team.members()).max(1);
        let first_of = |member: usize| (member * together).min(weight.panels());
        let mut parts: Vec<Vec<&mut [T]>> = Vec::new();
        parts.resize_with(team.members(), Vec::new);
        for y in y.chunks_exact_mut(bias.len()) {
            let mut rest = y;
            for (member, part) in parts.iter_mut().enumerate() {
                let width = weights.columns_from(first_of(member), first_of(member + 1)).len();
                let (head, tail) = rest.split_at_mut(width);
                part.push(head);
                rest = tail;
            }
        }
        share(team, parts.into_iter().enumerate(), |(member, ys)| {
            let panels = first_of(member)..first_of(member + 1);
            let columns = weights.columns_from(panels.start, panels.end);
            if columns.is_empty() {
                return;
            }
            let mut z = Vec::with_capacity(rows * columns.len());
            ys.iter().for_each(|_| z.extend_from_slice(&bias[columns.clone()]));
            weight.product_of_panels(
                panels,
                Matrix::new(x, rows, weight.rows()),
                Store::Accumulate,
                &mut z,
                columns.len(),
            );
            ys.into_iter().zip(z.chunks_exact(columns.len())).for_each(|(y, z)| y.copy_from_slice(z));
        });
    }

    /// A few rows whose outputs lie apart, with one read of the weight: its columns are shared out to a team.
    ///
    /// # Shapes
    /// `x` (R, in) → R times `y` (out)
    pub(crate) fn apply_each<'y>(&self, team: &mut Team, x: &[T], ys: impl Iterator<Item = &'y mut [T]>)
    where
        T: 'y,
    {
        let weights = &self.weights;
        let mut pieces: Vec<Vec<&mut [T]>> = Vec::new();
        for y in ys {
            let parts = y.chunks_mut(weights.together());
            pieces.resize_with(parts.len(), Vec::new);
            pieces.iter_mut().zip(parts).for_each(|(piece, part)| piece.push(part));
        }
        share(team, pieces.into_iter().enumerate(), |(i, ys)| {
            let columns = weights.columns(i * TOGETHER);
            let mut rows = vec![T::zero(); ys.len() * columns.len()];
            weights.panels(i * TOGETHER, x, &mut rows, columns.len());
            ys.into_iter().zip(rows.chunks_exact(columns.len())).for_each(|(y, row)| y.copy_from_slice(row));
        });
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
        for first in (0..self.weight.panels()).step_by(TOGETHER) {
            self.panels(first, x, &mut y[self.columns(first).start..], self.bias.len());
        }
    }

    /// The columns of [`TOGETHER`] panels; a panel is as wide as the instruction set wants it.
    fn together(&self) -> usize {
        TOGETHER * self.weight.columns_of(0).len().max(1)
    }

    /// The columns of up to [`TOGETHER`] panels from the first on.
    fn columns(&self, first: usize) -> Range<usize> {
        self.columns_from(first, self.weight.panels().min(first + TOGETHER))
    }

    /// The columns of the panels from one to before another.
    fn columns_from(&self, first: usize, end: usize) -> Range<usize> {
        match first < end {
            true => self.weight.columns_of(first).start..self.weight.columns_of(end - 1).end,
            false => 0..0,
        }
    }

    /// The columns of up to [`TOGETHER`] panels, row i beginning at `y[i·stride]`. The bias is written where the product begins, and
    /// is still in a near cache then.
    fn panels(&self, first: usize, x: &[T], y: &mut [T], stride: usize) {
        let panels = first..self.weight.panels().min(first + TOGETHER);
        let bias = &self.bias[self.columns(first)];
        y.chunks_mut(stride).for_each(|y| y[..bias.len()].copy_from_slice(bias));
        let x = Matrix::new(x, x.len() / self.weight.rows(), self.weight.rows());
        self.weight.product_of_panels(panels, x, Store::Accumulate, y, stride);
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
