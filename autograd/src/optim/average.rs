//! Exponential averaging of weights.

use crate::Scalar;
use crate::nn::Module;

/// A running average of every parameter: `a ← d·a + (1 − d)·θ` after each update. Averaged weights often predict better
/// than the last ones.
///
/// The decay grows to its value, `d_t = min(d, (1 + t)/(10 + t))`, so that the beginning is forgotten soon: after t updates the
/// average reaches back over some t/9 of them, or 1/(1 − d) where that is fewer.
///
/// Source: Polyak & Juditsky 1992; the growing decay is TensorFlow's `ExponentialMovingAverage`.
#[derive(Clone, Debug)]
pub struct Average<T> {
    decay: f64,
    updates: u64,
    values: Vec<(String, Vec<T>)>,
}

impl<T: Scalar> Average<T> {
    /// An average that begins at the model's parameters.
    pub fn new(decay: f64, model: &dyn Module<T>) -> Self {
        let mut values = Vec::new();
        model.visit("", &mut |name, param| values.push((name, param.values().to_vec())));
        Average { decay, updates: 0, values }
    }

    /// Takes in the parameters after an update.
    pub fn update(&mut self, model: &dyn Module<T>) {
        let t = self.updates as f64;
        let decay = self.decay.min((1.0 + t) / (10.0 + t));
        self.updates += 1;
        let mut averages = self.values.iter_mut();
        model.visit("", &mut |_, param| {
            let (_, average) = averages.next().expect("the model it was made for");
            crate::kernels::optimizer::moving_average(average, param.values(), decay);
        });
    }

    /// Exchanges the model's parameters and the averages; a second call changes them back.
    pub fn swap(&mut self, model: &mut dyn Module<T>) {
        let mut averages = self.values.iter_mut();
        model.visit_mut("", &mut |_, param| {
            let (_, average) = averages.next().expect("the model it was made for");
            param.values_mut().swap_with_slice(average);
        });
    }

    /// The averages under their parameters' names.
    pub fn values(&self) -> &[(String, Vec<T>)] {
        &self.values
    }

    /// The averages, to be put back from a saved state together with [`Average::set_updates`].
    pub fn values_mut(&mut self) -> &mut [(String, Vec<T>)] {
        &mut self.values
    }

    /// How many updates it has seen.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Says how many updates it has seen, when going on from a saved state.
    pub fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Param;

    #[test]
    fn a_constant_is_its_own_average_and_swapping_twice_changes_nothing() {
        let mut x = Param::new(ndarray::arr1(&[1.0, -2.0]).into_dyn());
        let mut average = Average::new(0.99, &x);
        average.update(&x);
        assert_eq!(average.values()[0].1, [1.0, -2.0]);
        x.values_mut()[0] = 11.0;
        average.update(&x); // decay (1 + 1)/(10 + 1)
        approx::assert_relative_eq!(average.values()[0].1[0], 2.0 / 11.0 + 9.0, epsilon = 1e-12);
        average.swap(&mut x);
        approx::assert_relative_eq!(x.values()[0], 2.0 / 11.0 + 9.0, epsilon = 1e-12);
        average.swap(&mut x);
        assert_eq!(x.values()[0], 11.0);
    }
}
