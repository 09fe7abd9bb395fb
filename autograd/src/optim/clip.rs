//! Clipping of gradients by their norm over all parameters.

use crate::nn::Module;
use crate::{Gradients, Scalar};

/// `√Σ g²` over the gradients of all parameters of a model, summed in f64 in the order of the parameters.
pub fn norm<T: Scalar>(model: &dyn Module<T>, gradients: &Gradients<T>) -> f64 {
    let mut total = 0.0_f64;
    model.visit("", &mut |_, param| {
        if let Some(g) = gradients.of(param) {
            let g = g.as_standard_layout();
            total += crate::kernels::reduce::sum_of_squares(g.as_slice().expect("row-major"));
        }
    });
    total.sqrt()
}

/// What gradients of this norm are multiplied with so that it is at most `largest`: `min(1, largest / (norm + 10⁻⁶))`, as
/// PyTorch's `clip_grad_norm_`.
pub fn clip_factor(norm: f64, largest: f64) -> f64 {
    (largest / (norm + 1e-6)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Param;

    #[test]
    fn the_norm_is_over_all_parameters_and_clipping_brings_it_down() {
        let x = Param::new(ndarray::arr1(&[3.0, 0.0]).into_dyn());
        let gradients = (&*x * &*x).sum().backward(); // 2x
        let norm = norm(&x, &gradients);
        assert_eq!(norm, 6.0);
        approx::assert_relative_eq!(norm * clip_factor(norm, 1.0), 1.0, epsilon = 1e-6);
        assert_eq!(clip_factor(norm, 10.0), 1.0);
    }
}
