//! How parameters begin.

use super::Param;
use crate::Scalar;
use crate::random::Stream;
use ndarray::ArrayD;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

/// A parameter drawn from U(−bound, bound): drawn in f64, then rounded, so that f32 and f64 models begin alike.
pub(crate) fn uniform<T: Scalar>(shape: &[usize], bound: f64, stream: &mut Stream) -> Param<T> {
    Param::new(ArrayD::from_shape_simple_fn(shape, || T::of(bound * (2.0 * stream.random::<f64>() - 1.0))))
}

/// A parameter drawn from N(0, std²): drawn in f64, then rounded.
pub(crate) fn normal<T: Scalar>(shape: &[usize], std: f64, stream: &mut Stream) -> Param<T> {
    let mut draw = || -> f64 { StandardNormal.sample(stream) };
    Param::new(ArrayD::from_shape_simple_fn(shape, || T::of(std * draw())))
}
