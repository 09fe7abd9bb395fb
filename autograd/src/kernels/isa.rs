//! Which instruction set the kernels use: the best of this machine, or one that was asked for.
//!
//! Every choice at run time in this crate asks [`Isa::in_use`], so forcing one set is enough to test and to measure on this
//! machine what another one would do. No choice changes a bit of a result. Not the place for code in any of the sets: that is in
//! `micro_*`, and in [`Pass`](super::math::dispatch::Pass) for what the compiler vectorises.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};
use thiserror::Error;

/// An instruction set that has code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// x86-64 with AVX-512 F, BW, DQ and VL: 16 `f32` at a time, 32 registers.
    Avx512,
    /// x86-64 with AVX2 and fused multiply-add: 8 `f32` at a time, 16 registers.
    Avx2,
    /// aarch64: 4 `f32` at a time, 32 registers.
    Neon,
    /// Whatever the target always has. On an x86-64 that is SSE2, and a fused multiply-add a slow, correct function.
    Portable,
}

/// Why an instruction set cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum IsaError {
    /// There is no set of this name.
    #[error("there is no instruction set `{0}`; this machine has {list}", list = available_names())]
    Unknown(String),
    /// There is one, but not on this machine.
    #[error("this machine has no {0}; it has {list}", list = available_names())]
    Missing(Isa),
}

fn available_names() -> String {
    Isa::available().map(Isa::name).collect::<Vec<_>>().join(", ")
}

/// The environment variable that names the set to begin with.
pub const VARIABLE: &str = "AUTOREG_ISA";

/// The place in [`Isa::ALL`] of the set in use, plus 1; 0 before the first question.
static IN_USE: AtomicU8 = AtomicU8::new(0);

impl Isa {
    /// All there are, best first.
    pub const ALL: [Isa; 4] = [Isa::Avx512, Isa::Avx2, Isa::Neon, Isa::Portable];

    /// The name by which people ask for it.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Neon => "neon",
            Isa::Portable => "portable",
        }
    }

    /// Whether this machine can run it. Cheap: the standard library remembers what the processor said.
    #[inline]
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let (avx512, avx2) = {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma");
            (avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl"), avx2)
        };
        #[cfg(not(target_arch = "x86_64"))]
        let (avx512, avx2) = (false, false);
        match self {
            Isa::Avx512 => avx512,
            Isa::Avx2 => avx2,
            Isa::Neon => cfg!(all(target_arch = "aarch64", target_feature = "neon")),
            Isa::Portable => true,
        }
    }

    /// All that this machine can run, best first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The best one of this machine.
    pub fn best() -> Self {
        Self::available().next().unwrap_or(Isa::Portable)
    }

    /// The one that the kernels use: what was forced last, or else what [`VARIABLE`] names, or else the best.
    ///
    /// A variable that names nothing usable counts as unset here, because a kernel has nobody to tell: who starts a process (a
    /// program, a bench, a test) asks [`Isa::from_environment`] first.
    #[inline]
    pub fn in_use() -> Self {
        match IN_USE.load(Ordering::Relaxed) {
            0 => Self::first_choice(),
            place => Self::ALL[usize::from(place) - 1],
        }
    }

    #[cold]
    fn first_choice() -> Self {
        let isa = Self::from_environment().ok().flatten().unwrap_or_else(Self::best);
        // Another thread may have forced one meanwhile: that one counts.
        match IN_USE.compare_exchange(0, isa.place(), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => isa,
            Err(place) => Self::ALL[usize::from(place) - 1],
        }
    }

    fn place(self) -> u8 {
        1 + Self::ALL.iter().position(|&isa| isa == self).unwrap_or_default() as u8
    }

    /// Makes all kernels of this process use it from now on. What was packed before stays usable: it remembers its own set.
    ///
    /// # Errors
    /// If this machine lacks it; then nothing changes.
    pub fn force(self) -> Result<(), IsaError> {
        if !self.is_available() {
            return Err(IsaError::Missing(self));
        }
        IN_USE.store(self.place(), Ordering::Relaxed);
        Ok(())
    }

    /// What [`VARIABLE`] asks for; none if it is unset or empty.
    ///
    /// # Errors
    /// If there is no such set, or this machine lacks it.
    pub fn from_environment() -> Result<Option<Self>, IsaError> {
        let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else { return Ok(None) };
        let isa: Self = name.to_string_lossy().parse()?;
        if isa.is_available() { Ok(Some(isa)) } else { Err(IsaError::Missing(isa)) }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = IsaError;
    fn from_str(name: &str) -> Result<Self, IsaError> {
        let found = Self::ALL.into_iter().find(|isa| isa.name() == name);
        found.ok_or_else(|| IsaError::Unknown(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_a_set_of_this_machine_and_it_is_in_use() {
        // Fails where the variable is wrong, so that no run of the tests silently uses another set than it was asked for.
        let asked = Isa::from_environment().unwrap_or_else(|error| panic!("{VARIABLE}: {error}"));
        assert_eq!(Isa::in_use(), asked.unwrap_or_else(Isa::best));
    }

    #[test]
    fn every_name_is_read_back_and_others_are_refused_with_the_choice() {
        for isa in Isa::ALL {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
        let error = "AVX2".parse::<Isa>().unwrap_err();
        assert!(error.to_string().starts_with("there is no instruction set `AVX2`; this machine has "), "{error}");
        assert!(error.to_string().ends_with("portable"), "{error}");
    }

    #[test]
    fn a_set_that_the_machine_lacks_cannot_be_forced() {
        let before = Isa::in_use();
        let lacking = Isa::ALL.into_iter().filter(|isa| !isa.is_available());
        for isa in lacking {
            let error = isa.force().unwrap_err();
            assert_eq!(error, IsaError::Missing(isa));
            assert!(error.to_string().starts_with(&format!("this machine has no {isa}; it has ")), "{error}");
        }
        assert_eq!(Isa::in_use(), before);
    }
}
