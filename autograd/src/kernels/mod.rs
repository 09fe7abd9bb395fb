//! The speed: plain slices, rayon and SIMD, no tensor in sight. The only home of `unsafe`.
//!
//! Every kernel gives the same bits for any number of threads: work is cut over outputs or into fixed chunks, never by the
//! number of threads over a sum.
#![allow(unsafe_code)] // the one place: each block says why it is sound

pub mod attention;
mod blocked;
mod compact;
#[cfg(target_arch = "x86_64")]
mod compact_x86;
pub(crate) mod compiled;
pub mod convolution;
mod double;
pub mod dropout;
pub mod elementwise;
pub mod gate;
pub mod gelu;
pub mod gemm;
pub mod gru;
pub mod isa;
mod lanes;
pub mod layer_norm;
pub mod limits;
pub mod log_sum_exp;
pub mod lstm;
pub mod math;
mod matvec;
pub mod memory;
mod micro;
#[cfg(target_arch = "x86_64")]
mod micro_avx2;
#[cfg(target_arch = "x86_64")]
mod micro_avx512;
#[cfg(target_arch = "aarch64")]
mod micro_neon;
mod micro_portable;
mod normalized;
mod operands;
pub mod optimizer;
mod pack;
#[cfg(target_arch = "x86_64")]
mod pack_x86;
pub mod packed;
pub mod parallel;
pub mod recurrent;
pub mod reduce;
pub mod rms_norm;
pub mod rotary;
mod row_tasks;
pub mod rows;
pub mod softmax;
pub mod strided;
pub mod team;
mod tiling;
mod unwritten;
