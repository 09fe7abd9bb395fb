//! The gate of PixelCNN and WaveNet on plain slices, for networks that are computed a symbol at a time: in the bits of
//! [`Tensor::gated_tanh`](autograd::Tensor::gated_tanh).

use autograd::Scalar;
use autograd::kernels::elementwise;

/// `x ← x + y`.
pub(crate) fn add<T: Scalar>(x: &mut [T], y: &[T]) {
    elementwise::each_pair(|x: T, y| x + y)(x, y);
}

/// `z ← tanh(a + a_s) ⊙ σ(b + b_s)`, a and b the halves of x, which is written over.
pub(crate) fn gate<T: Scalar>(x: &mut [T], condition: Option<&[T]>, z: &mut [T]) {
    if let Some(condition) = condition {
        add(x, condition);
    }
    let (a, b) = x.split_at_mut(z.len());
    T::tanh_slice(a);
    T::sigmoid_slice(b);
    z.copy_from_slice(a);
    elementwise::each_pair(|t: T, s| t * s)(z, b);
}
