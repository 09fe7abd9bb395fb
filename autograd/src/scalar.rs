//! The element types of tensors: `f32` to train, `f64` to check. The same code runs in both.

use crate::kernels::{compiled::Compiled, gemm::Gemm, math::Math};
use ndarray::NdFloat;

/// A floating-point element type with the kernels it needs.
pub trait Scalar: NdFloat + Gemm + Math + Compiled + Default + std::iter::Sum {
    /// The name of the type in a safetensors file: `"F32"` or `"F64"`.
    const DTYPE: &'static str;

    /// The nearest value of this type.
    fn of(x: f64) -> Self;

    /// This value in double precision, exactly.
    fn as_f64(self) -> f64;
}

impl Scalar for f32 {
    const DTYPE: &'static str = "F32";
    fn of(x: f64) -> Self {
        x as f32
    }
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    const DTYPE: &'static str = "F64";
    fn of(x: f64) -> Self {
        x
    }
    fn as_f64(self) -> f64 {
        self
    }
}
