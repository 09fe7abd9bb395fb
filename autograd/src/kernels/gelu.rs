//! GELU in its tanh form and its derivative, of one element: for the op, and for a step of generation in the same bits.

use crate::Scalar;

/// Beyond this the tanh has been ±1 for long, and the value is −0 or x: x³, x² and ∞·0 have no part in it.
const FAR: f64 = 100.0;

/// `tanh u` with `u = √(2/π)·(x + 0.044715 x³)`.
#[inline(always)]
fn tanh_u<T: Scalar>(x: T) -> T {
    T::tanh_lane(T::of((2.0 / std::f64::consts::PI).sqrt()) * (x + T::of(0.044715) * x * x * x))
}

/// x within ±[`FAR`]; NaN goes on.
#[inline(always)]
fn near<T: Scalar>(x: T) -> T {
    let x = if x > T::of(FAR) { T::of(FAR) } else { x };
    if x < T::of(-FAR) { T::of(-FAR) } else { x }
}

/// `x/2·(1 + tanh u)`.
#[inline(always)]
pub fn gelu_tanh<T: Scalar>(x: T) -> T {
    let low = if x < T::of(-FAR) { T::of(-FAR) } else { x };
    T::of(0.5) * low * (T::one() + tanh_u(near(x)))
}

/// `½(1 + tanh u) + x/2·(1 − tanh² u)·u'`.
#[inline(always)]
pub(crate) fn gelu_tanh_derivative<T: Scalar>(x: T) -> T {
    let (half, one) = (T::of(0.5), T::one());
    let x = near(x);
    let (t, scale) = (tanh_u(x), T::of((2.0 / std::f64::consts::PI).sqrt()));
    let du = scale * (one + T::of(3.0) * T::of(0.044715) * x * x);
    half * (one + t) + half * x * (one - t * t) * du
}
