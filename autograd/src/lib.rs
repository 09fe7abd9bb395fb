//! A tensor and reverse-mode automatic-differentiation engine, written from scratch.
//!
//! This file is the map of the crate; it holds no code of its own.

pub mod kernels;
pub mod random;
mod scalar;

pub use scalar::Scalar;
