//! Learning rates as functions of the progress of training. No state: what is needed is the step.

/// How the learning rate changes from step to step, relative to its base value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Always the base rate.
    Constant,
    /// Rises linearly over the first `warmup` of the run, then falls as half a cosine to `final_fraction` of the base rate at
    /// the end: `f + (1 − f)·(1 + cos πp)/2`, with p the progress after the warm-up.
    ///
    /// Source: Loshchilov & Hutter, "SGDR", 2017, equation 5 (one cycle).
    WarmupCosine {
        /// Fraction of the run spent rising, in [0, 1).
        warmup: f64,
        /// Rate at the end as a fraction of the base rate.
        final_fraction: f64,
    },
    /// Multiplied by `factor` after every `every` of the run.
    Step {
        /// Fraction of the run between two changes, above 0.
        every: f64,
        /// What the rate is multiplied with.
        factor: f64,
    },
}

impl Schedule {
    /// The learning rate as a fraction of its base value, at `progress` ∈ [0, 1] of the run (steps done over steps in all).
    pub fn factor(&self, progress: f64) -> f64 {
        let progress = progress.clamp(0.0, 1.0);
        match *self {
            Schedule::Constant => 1.0,
            Schedule::WarmupCosine { warmup, .. } if progress < warmup => progress / warmup,
            Schedule::WarmupCosine { warmup, final_fraction } => {
                let p = (progress - warmup) / (1.0 - warmup);
                final_fraction + (1.0 - final_fraction) * 0.5 * (1.0 + (std::f64::consts::PI * p).cos())
            }
            Schedule::Step { every, factor } => factor.powi((progress / every).floor() as i32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_up_and_cosine_meet_at_the_base_rate_and_end_at_the_final_fraction() {
        let schedule = Schedule::WarmupCosine { warmup: 0.1, final_fraction: 0.2 };
        for (progress, factor) in [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.55, 0.6), (1.0, 0.2), (2.0, 0.2)] {
            approx::assert_relative_eq!(schedule.factor(progress), factor, epsilon = 1e-12);
        }
    }

    #[test]
    fn steps_multiply_at_each_boundary() {
        let schedule = Schedule::Step { every: 0.25, factor: 0.5 };
        assert_eq!([0.0, 0.2, 0.25, 0.6, 1.0].map(|p| schedule.factor(p)), [1.0, 1.0, 0.5, 0.25, 0.0625]);
    }
}
