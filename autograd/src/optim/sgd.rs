//! Stochastic gradient descent.

use super::{Optimizer, Update, buffer};
use crate::kernels::optimizer;
use crate::nn::Module;
use crate::{Gradients, Scalar};
use std::collections::BTreeMap;

/// `v ← μv + g`, `θ ← θ − ηv`: gradient descent with momentum as PyTorch's `optim.SGD` (no dampening, no Nesterov).
#[derive(Clone, Debug)]
pub struct Sgd<T> {
    /// μ; 0 for plain gradient descent.
    pub momentum: f64,
    velocity: BTreeMap<String, Vec<T>>,
    updates: u64,
}

impl<T: Scalar> Sgd<T> {
    /// With the given momentum.
    pub fn new(momentum: f64) -> Self {
        Sgd { momentum, velocity: BTreeMap::new(), updates: 0 }
    }
}

impl<T: Scalar> Optimizer<T> for Sgd<T> {
    fn update(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>, update: Update) {
        self.updates += 1;
        let step = optimizer::Sgd {
            learning_rate: update.learning_rate,
            momentum: self.momentum,
            nesterov: false,
            weight_decay: 0.0,
            gradient_scale: update.gradient_factor,
        };
        model.visit_mut("", &mut |name, param| {
            let Some(g) = gradients.of(param) else { return };
            let g = g.as_standard_layout();
            let velocity = buffer(&mut self.velocity, &name, g.len());
            optimizer::sgd(&step, param.values_mut(), g.as_slice().expect("row-major"), velocity);
        });
    }

    fn updates(&self) -> u64 {
        self.updates
    }

    fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }

    fn state_names(&self) -> &'static [&'static str] {
        &["velocity"]
    }

    fn state_mut(&mut self, _: &str, parameter: &str, len: usize) -> &mut Vec<T> {
        buffer(&mut self.velocity, parameter, len)
    }
}
