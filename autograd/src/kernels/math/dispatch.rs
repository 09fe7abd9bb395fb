//! Runs one loop compiled for several instruction sets, and picks the one in use.
//!
//! Not a set of intrinsics: a [`Pass`] is plain Rust, and the compiler vectorises it once for each entry of [`Isa`].

pub use crate::kernels::isa::Isa;

/// A loop to be compiled for each instruction set.
pub trait Pass {
    /// What the loop returns.
    type Output;

    /// The loop. Mark the implementation and all it calls `#[inline(always)]`: code that is not inlined is not vectorised.
    fn run(self) -> Self::Output;
}

/// Runs the pass with the instruction set in use.
#[inline]
pub fn dispatch<P: Pass>(pass: P) -> P::Output {
    run(Isa::in_use(), pass)
}

/// Runs the pass with the given instruction set; one that this machine lacks falls back to the best it has.
#[inline]
pub fn dispatch_to<P: Pass>(isa: Isa, pass: P) -> P::Output {
    run(if isa.is_available() { isa } else { Isa::best() }, pass)
}

/// Runs the pass with an instruction set of this machine.
#[inline(always)]
fn run<P: Pass>(isa: Isa, pass: P) -> P::Output {
    match isa {
        // SAFETY: this machine has the set, as both callers made sure.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { avx512(pass) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { avx2(pass) },
        // NEON needs no more than the target always has.
        _ => portable(pass),
    }
}

/// Not inlined, as those below cannot be: else each caller, of whatever set, would hold a copy of the loop.
#[inline(never)]
fn portable<P: Pass>(pass: P) -> P::Output {
    pass.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn avx512<P: Pass>(pass: P) -> P::Output {
    pass.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<P: Pass>(pass: P) -> P::Output {
    pass.run()
}
