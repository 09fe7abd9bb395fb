//! A linear layer prepared for one row at a time: its weight packed once, for generation.

use autograd::Scalar;
use autograd::kernels::gemm::Matrix;
use autograd::kernels::packed::{Direction, Packed};
use autograd::kernels::team::Team;
use autograd::nn::Param;
use std::cell::Cell;

/// `y = x·wᵀ + b` for one row, in the same bits as the layer on many rows.
pub(crate) struct Affine<T> {
    weight: Packed<T>,
    bias: Vec<T>,
    /// Of the next pass.
    direction: Cell<Direction>,
}

impl<T: Scalar> Affine<T> {
    pub(crate) fn new(weight: &Param<T>, bias: Option<&Param<T>>) -> Self {
        let (outputs, inputs) = (weight.shape()[0], weight.shape()[1]);
        let bias = bias.map_or_else(|| vec![T::zero(); outputs], |bias| bias.values().to_vec());
        Affine {
            weight: Packed::new(Matrix::new(weight.values(), outputs, inputs).t()),
            bias,
            direction: Cell::default(),
        }
    }

    /// # Shapes
    /// `x` (in) → `y` (out)
    pub(crate) fn apply(&self, team: &mut Team, x: &[T], y: &mut [T]) {
        let direction = self.direction.get();
        self.direction.set(direction.reversed());
        self.weight.row_by(team, x, &self.bias, direction, y);
    }
}
