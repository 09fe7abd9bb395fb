//! Adam and AdamW: their state by parameter name. The arithmetic of a step is in `kernels/optimizer.rs`.

use super::{Optimizer, Update, buffer};
use crate::kernels::optimizer;
use crate::nn::Module;
use crate::{Gradients, Scalar};
use std::collections::BTreeMap;

/// What weight decay does, and to which parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    /// Nothing: Adam.
    None,
    /// `θ ← θ − ηλθ` before the update, for parameters of rank ≥ 2 (matrices, not biases and scales): AdamW as it is used.
    Matrices(f64),
}

/// Adam: `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `θ ← θ − η·m̂ / (√v̂ + ε)` with `m̂ = m/(1 − β₁ᵗ)`,
/// `v̂ = v/(1 − β₂ᵗ)`. As PyTorch's `optim.Adam` and `optim.AdamW`.
///
/// Source: Kingma & Ba, "Adam", 2015, algorithm 1; Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019,
/// algorithm 2.
#[derive(Clone, Debug)]
pub struct Adam<T> {
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// Weight decay.
    pub decay: Decay,
    first_moment: BTreeMap<String, Vec<T>>,
    second_moment: BTreeMap<String, Vec<T>>,
    updates: u64,
}

impl<T: Scalar> Adam<T> {
    /// With β = (0.9, 0.999) and ε = 10⁻⁸.
    pub fn new(decay: Decay) -> Self {
        let (first_moment, second_moment) = (BTreeMap::new(), BTreeMap::new());
        Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay, first_moment, second_moment, updates: 0 }
    }
}

impl<T: Scalar> Optimizer<T> for Adam<T> {
    fn update(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>, update: Update) {
        self.updates += 1;
        model.visit_mut("", &mut |name, param| {
            let Some(g) = gradients.of(param) else { return };
            let g = g.as_standard_layout();
            let weight_decay = match self.decay {
                Decay::Matrices(rate) if param.rank() >= 2 => rate,
                _ => 0.0,
            };
            let step = optimizer::Adam {
                learning_rate: update.learning_rate,
                betas: (self.beta1, self.beta2),
                epsilon: self.epsilon,
                weight_decay,
                decay: optimizer::Decay::Decoupled,
                step: self.updates,
                gradient_scale: update.gradient_factor,
            };
            let m = buffer(&mut self.first_moment, &name, g.len());
            let v = buffer(&mut self.second_moment, &name, g.len());
            optimizer::adam(&step, param.values_mut(), g.as_slice().expect("row-major"), m, v);
        });
    }

    fn updates(&self) -> u64 {
        self.updates
    }

    fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }

    fn state_names(&self) -> &'static [&'static str] {
        &["first_moment", "second_moment"]
    }

    fn state_mut(&mut self, state: &str, parameter: &str, len: usize) -> &mut Vec<T> {
        let map = if state == "first_moment" { &mut self.first_moment } else { &mut self.second_moment };
        buffer(map, parameter, len)
    }
}
