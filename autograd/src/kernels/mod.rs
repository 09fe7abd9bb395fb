//! The speed: plain slices, rayon and SIMD, no tensor in sight. The only home of `unsafe`.
//!
//! Every kernel gives the same bits for any number of threads: work is cut over outputs or into fixed chunks, never by the
//! number of threads over a sum.
#![allow(unsafe_code)] // the one place: each block says why it is sound

pub mod dropout;
pub mod elementwise;
pub mod gemm;
mod lanes;
pub mod layer_norm;
pub mod math;
pub mod memory;
pub mod optimizer;
pub mod parallel;
pub mod reduce;
mod row_tasks;
pub mod rows;
pub mod softmax;
