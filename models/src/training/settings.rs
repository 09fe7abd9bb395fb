//! How a model is trained: what a user can set, with defaults and checks. What is trained on is the family's own.

use crate::error::{Error, Kind, Result};
use crate::memory::Needs;
use crate::pages::numbers::given;
use autograd::optim::{Adam, Decay, Optimizer, Schedule, Sgd};
use serde::{Deserialize, Serialize};

/// How often what happens, and how parameters are moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What every random stream of the run begins from.
    pub seed: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Steps between two lines of `metrics.jsonl`.
    pub log_every: u64,
    /// Steps between two validations, each with a sample; 0 for one at the end alone.
    pub eval_every: u64,
    /// Steps between two checkpoints; 0 for one at each validation alone.
    pub save_every: u64,
    /// How many of the newest checkpoints are kept, beside the best; 0 for all.
    pub keep: usize,
    /// How parameters are moved.
    pub optimizer: OptimizerSettings,
}

impl Default for Settings {
    fn default() -> Self {
        let optimizer = OptimizerSettings::default();
        Settings { seed: 1, steps: 2000, log_every: 10, eval_every: 500, save_every: 500, keep: 3, optimizer }
    }
}

/// The rule that moves parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Adam, without weight decay.
    Adam,
    /// Adam with decoupled weight decay of matrices.
    AdamW,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// How the learning rate changes over the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// It does not, after the warm-up.
    Constant,
    /// Half a cosine down to `final_fraction`.
    Cosine,
    /// It is multiplied by `step_factor` after every `step_every` of the run.
    Step,
}

/// The optimizer, its learning rate, and what is done to gradients and weights around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSettings {
    /// The rule.
    pub rule: Rule,
    /// η, the highest learning rate.
    pub learning_rate: f64,
    /// How it changes.
    pub schedule: Shape,
    /// Steps over which it rises to η.
    pub warmup: u64,
    /// For `cosine`: the rate at the end, as a fraction of η.
    pub final_fraction: f64,
    /// For `step`: the fraction of the run between two changes.
    pub step_every: f64,
    /// For `step`: what the rate is multiplied with.
    pub step_factor: f64,
    /// For `sgd`: μ.
    pub momentum: f64,
    /// For Adam: β₁.
    pub beta1: f64,
    /// For Adam: β₂.
    pub beta2: f64,
    /// For Adam: ε.
    pub epsilon: f64,
    /// For `adamw`: λ, on parameters of rank 2 and more.
    pub weight_decay: f64,
    /// Largest norm of all gradients together; 0 for no clipping.
    pub clip: f64,
    /// Decay of the running average of weights that validation, checkpoints' users and samples see; 0 for none.
    pub average: f64,
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        OptimizerSettings {
            rule: Rule::AdamW,
            learning_rate: 2e-3,
            schedule: Shape::Cosine,
            warmup: 0,
            final_fraction: 0.0,
            step_every: 0.25,
            step_factor: 0.5,
            momentum: 0.9,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip: 1.0,
            average: 0.0,
        }
    }
}

/// Bytes that any training takes.
const PROGRAM: u128 = 23 << 20;

impl Settings {
    /// Checks every number.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key and what it may be.
    pub fn check(&self) -> Result<()> {
        let o = &self.optimizer;
        let fraction = |x: f64| (0.0..1.0).contains(&x);
        let within = |x: f64, most: f64| x > 0.0 && x <= most;
        let from_0 = |x: f64, most: f64| (0.0..=most).contains(&x);
        if self.log_every == 0 {
            return Err(Error::new(Kind::Usage, "`training.log_every` is 0; it must be at least 1"));
        }
        // What training holds in f32 must not overflow there: no bound is above 1e38.
        let rules = [
            (within(o.learning_rate, 1e30), "learning_rate", o.learning_rate, "above 0 and at most 1e30"),
            (from_0(o.final_fraction, 1.0), "final_fraction", o.final_fraction, "from 0 to 1"),
            (within(o.step_every, 1.0), "step_every", o.step_every, "above 0 and at most 1"),
            (within(o.step_factor, 1e6), "step_factor", o.step_factor, "above 0 and at most 1e6"),
            (fraction(o.momentum), "momentum", o.momentum, "at least 0 and below 1"),
            (fraction(o.beta1), "beta1", o.beta1, "at least 0 and below 1"),
            (fraction(o.beta2), "beta2", o.beta2, "at least 0 and below 1"),
            (within(o.epsilon, 1.0), "epsilon", o.epsilon, "above 0 and at most 1"),
            (from_0(o.weight_decay, 1e6), "weight_decay", o.weight_decay, "from 0 to 1e6"),
            (from_0(o.clip, 1e30), "clip", o.clip, "from 0 to 1e30; 0 does not clip"),
            (fraction(o.average), "average", o.average, "at least 0 and below 1; 0 keeps no average"),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            None => Ok(()),
            Some((_, key, value, range)) => {
                let what = format!("`training.optimizer.{key}` is {}; it must be {range}", given(value));
                Err(Error::new(Kind::Usage, what))
            }
        }
    }

    /// What a training of so many f32 parameters needs: weights, the optimizer's moments and the running average at all times; in a
    /// step the gradients and what the step itself keeps, at a checkpoint the copy that it is written from and what was
    /// `prepared` to score and sample (the allocator keeps its blocks), whichever is more. `keys` are the settings that decide the
    /// number of parameters.
    pub fn needs(&self, parameters: u128, keys: &'static str, step: Needs, prepared: Needs) -> Needs {
        let o = &self.optimizer;
        let moments = match o.rule {
            Rule::Adam | Rule::AdamW => 2,
            Rule::Sgd => u128::from(o.momentum > 0.0),
        };
        let beside = moments + u128::from(o.average > 0.0);
        let step = step.and("gradients", parameters, 4, keys);
        let copies = parameters.saturating_mul(1 + beside);
        let copy = prepared.and("the copy that a checkpoint is written from", copies, 4, keys);
        let more = if copy.bytes() > step.bytes() { copy } else { step };
        // Code, threads, plots and pages: what a training was seen to hold beside its tensors.
        let more = more.and("the program itself", PROGRAM, 1, keys);
        more.and("weights", parameters, 4, keys).and("moments and average", parameters.saturating_mul(beside), 4, keys)
    }

    /// The learning rate of a step, counted from 0.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let o = &self.optimizer;
        let steps = self.steps.max(1) as f64;
        let schedule = match o.schedule {
            Shape::Constant => Schedule::Constant,
            Shape::Cosine => {
                let warmup = (o.warmup as f64 / steps).min(1.0 - f64::EPSILON);
                Schedule::WarmupCosine { warmup, final_fraction: o.final_fraction }
            }
            Shape::Step => Schedule::Step { every: o.step_every, factor: o.step_factor },
        };
        // The first step of a warm-up counts as one done: a rate of 0 would waste it.
        if step < o.warmup {
            return o.learning_rate * (step + 1) as f64 / o.warmup as f64;
        }
        o.learning_rate * schedule.factor(step as f64 / steps)
    }

    /// The optimizer.
    pub fn optimizer(&self) -> Box<dyn Optimizer<f32>> {
        let o = &self.optimizer;
        let decay = match o.rule {
            Rule::Sgd => return Box::new(Sgd::new(o.momentum)),
            Rule::Adam => Decay::None,
            Rule::AdamW => Decay::Matrices(o.weight_decay),
        };
        let mut adam = Adam::new(decay);
        (adam.beta1, adam.beta2, adam.epsilon) = (o.beta1, o.beta2, o.epsilon);
        Box::new(adam)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_rises_to_its_highest_and_falls_to_its_final_fraction() {
        let mut settings = Settings { steps: 100, ..Settings::default() };
        settings.optimizer =
            OptimizerSettings { learning_rate: 1.0, warmup: 10, final_fraction: 0.1, ..Default::default() };
        assert_eq!(settings.learning_rate(0), 0.1);
        assert_eq!(settings.learning_rate(9), 1.0);
        assert_eq!(settings.learning_rate(10), 1.0);
        approx::assert_relative_eq!(settings.learning_rate(55), 0.55, epsilon = 1e-12);
        approx::assert_relative_eq!(settings.learning_rate(100), 0.1, epsilon = 1e-12);
    }

    #[test]
    fn every_part_of_the_parameters_is_counted_by_the_optimizer_that_is_used() {
        let needs = |step: &dyn Fn() -> Needs, rule, momentum, average| {
            let mut settings = Settings::default();
            (settings.optimizer.rule, settings.optimizer.momentum, settings.optimizer.average) =
                (rule, momentum, average);
            settings.needs(1000, "", step(), Needs::default()).bytes() - PROGRAM
        };
        // Weights and what is kept beside them; then all of that once more for a checkpoint, which is more than gradients.
        let small = &|| Needs::default();
        assert_eq!(needs(small, Rule::Sgd, 0.0, 0.0), 4000 * (1 + 1));
        assert_eq!(needs(small, Rule::Sgd, 0.9, 0.0), 4000 * (2 + 2));
        assert_eq!(needs(small, Rule::AdamW, 0.9, 0.0), 4000 * (3 + 3));
        assert_eq!(needs(small, Rule::Adam, 0.9, 0.99), 4000 * (4 + 4));
        // A step that keeps more than a checkpoint copies.
        let large = &|| Needs::default().and("activations", 100_000, 1, "");
        assert_eq!(needs(large, Rule::Adam, 0.9, 0.99), 4000 * (4 + 1) + 100_000);
    }

    #[test]
    fn a_number_that_makes_no_sense_is_named() {
        let mut settings = Settings::default();
        settings.optimizer.beta2 = 1.0;
        let error = settings.check().unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        assert_eq!(error.what, "`training.optimizer.beta2` is 1; it must be at least 0 and below 1");
        settings = Settings::default();
        settings.optimizer.learning_rate = f64::INFINITY;
        let error = settings.check().unwrap_err();
        assert_eq!(error.what, "`training.optimizer.learning_rate` is inf; it must be above 0 and at most 1e30");
    }
}
