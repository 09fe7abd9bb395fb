//! The gate of PixelCNN and WaveNet on plain slices, for networks that are computed a symbol at a time: in the bits of
//! [`Tensor::gated_tanh`](autograd::Tensor::gated_tanh).

use autograd::Scalar;
use autograd::kernels::elementwise;

pub(crate) use autograd::kernels::gate::position as gate;

/// `x ← x + y`.
pub(crate) fn add<T: Scalar>(x: &mut [T], y: &[T]) {
    elementwise::each_pair(|x: T, y| x + y)(x, y);
}
