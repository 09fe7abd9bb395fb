//! Runs one loop compiled for several instruction sets, and picks the best that the machine has.
//!
//! Not a set of intrinsics: a [`Pass`] is plain Rust, and the compiler vectorises it once for each entry of [`Isa`].

/// An instruction set that a [`Pass`] is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// 16 `f32` at a time.
    Avx512,
    /// 8 `f32` at a time, with fused multiply-add.
    Avx2,
    /// Whatever the target guarantees: SSE2 on x86-64 (fused multiply-add is then a function call), NEON on aarch64.
    Portable,
}

impl Isa {
    /// The best set of this machine. Cheap: the standard library remembers what the processor said.
    #[inline]
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("fma") && has!("avx2") {
                let wide = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
                return if wide { Isa::Avx512 } else { Isa::Avx2 };
            }
        }
        Isa::Portable
    }

    /// All sets of this machine, best first.
    pub fn available() -> impl Iterator<Item = Self> {
        let all = [Isa::Avx512, Isa::Avx2, Isa::Portable];
        let best = all.iter().position(|&isa| isa == Self::best()).unwrap_or(all.len() - 1);
        all.into_iter().skip(best)
    }
}

/// A loop to be compiled for each instruction set.
pub trait Pass {
    /// What the loop returns.
    type Output;

    /// The loop. Mark the implementation and all it calls `#[inline(always)]`: code that is not inlined is not vectorised.
    fn run(self) -> Self::Output;
}

/// Runs the pass with the best instruction set of this machine.
#[inline]
pub fn dispatch<P: Pass>(pass: P) -> P::Output {
    dispatch_to(Isa::best(), pass)
}

/// Runs the pass with the given instruction set; one that this machine lacks falls back to the best it has.
#[inline]
pub fn dispatch_to<P: Pass>(isa: Isa, pass: P) -> P::Output {
    #[cfg(target_arch = "x86_64")]
    match (isa, Isa::best()) {
        // SAFETY: `best` has just found these features on this machine.
        (Isa::Avx512, Isa::Avx512) => return unsafe { avx512(pass) },
        // SAFETY: as above; every machine with `Avx512` has what `Avx2` asks for.
        (Isa::Avx512 | Isa::Avx2, Isa::Avx512 | Isa::Avx2) => return unsafe { avx2(pass) },
        _ => {}
    }
    let _ = isa;
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
