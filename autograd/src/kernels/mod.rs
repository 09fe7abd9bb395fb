//! The speed: plain slices, rayon and SIMD, no tensor in sight. The only home of `unsafe`.
//!
//! Every kernel gives the same bits for any number of threads: work is cut over outputs or into fixed chunks, never by the
//! number of threads over a sum.
#![allow(unsafe_code)] // the one place: each block says why it is sound

mod blocked;
pub mod gemm;
pub mod gru;
pub mod limits;
pub mod lstm;
pub mod math;
mod matvec;
mod micro;
#[cfg(target_arch = "x86_64")]
mod micro_avx512;
mod micro_portable;
mod pack;
#[cfg(target_arch = "x86_64")]
mod pack_x86;
pub mod packed;
pub mod parallel;
pub mod recurrent;
pub mod team;
