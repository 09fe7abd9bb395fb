//! GELU in its exact form and in its tanh form. The other functions of one element are in `elementwise.rs`.

use super::elementwise::within;
use crate::gradcheck::{Case, real};
use crate::kernels::elementwise::each;
use crate::kernels::gelu;
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// `z = x·Φ(x)` with Φ the distribution function of the standard normal: GELU in its exact form, `x/2·(1 + erf(x/√2))`.
    /// `∂x = g ⊙ (Φ(x) + x·φ(x))` with `φ(x) = exp(−x²/2)/√(2π)`.
    ///
    /// Computed as `x/2·erfc(−x/√2)` in double precision: an `f32` is within 0.51 ULP of the exact value, in the left tail too, where `1 + erf`
    /// cancels. At ±∞ value and derivative are their limits, where PyTorch's product ∞·0 is NaN.
    ///
    /// Source: Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016; PyTorch's `gelu`.
    #[track_caller]
    pub fn gelu(&self) -> Tensor<T> {
        let distribution = |x: f64| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
        let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        // Beyond ±100 Φ has been 0 or 1 for long: ∞·0 has no part in it.
        let derivative = move |x: T| {
            let x = within(x.as_f64(), -100.0, 100.0);
            T::of(distribution(x) + x * density(x))
        };
        let f = move |x: T| {
            let x = within(x.as_f64(), -100.0, f64::INFINITY);
            T::of(x * distribution(x))
        };
        self.map_from_input("gelu", each(f), derivative)
    }

    /// `z = x/2·(1 + tanh u)` with `u = √(2/π)·(x + 0.044715 x³)`: GELU in its tanh form, an
    /// approximation of [`Tensor::gelu`] to 5·10⁻⁴.
    /// `∂x = g ⊙ (½(1 + tanh u) + x/2·(1 − tanh² u)·u')`.
    ///
    /// What it makes of ±∞ is as for [`Tensor::gelu`].
    ///
    /// Source: Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016; PyTorch's `gelu(approximate="tanh")`.
    #[track_caller]
    pub fn gelu_tanh(&self) -> Tensor<T> {
        self.map_from_input("gelu_tanh", each(gelu::gelu_tanh), gelu::gelu_tanh_derivative)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape in [&[2, 3][..], &[], &[0, 2], &[1]] {
        let named = |case: Case| case.variant(format!("{shape:?}"));
        cases.push(named(Case::new("gelu", &[real(shape)], |x| x[0].gelu())));
        cases.push(named(Case::new("gelu_tanh", &[real(shape)], |x| x[0].gelu_tanh())));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    /// `f` and its derivative at each of the points.
    fn at<const N: usize>(points: [f64; N], f: impl Fn(&Tensor<f64>) -> Tensor<f64>) -> [[f64; N]; 2] {
        let x = Tensor::from_vec(points.to_vec(), &[N]).tracked();
        let z = f(&x);
        let d = z.sum().backward().of(&x).unwrap().iter().copied().collect::<Vec<_>>();
        [z.to_vec().try_into().unwrap(), d.try_into().unwrap()]
    }

    #[test]
    fn gelu_is_x_times_the_integral_of_the_normal_density() {
        // Simpson's rule with steps of 2⁻¹¹: in the tail, where the density falls fastest, its error is (14 h)⁴/180 = 1.2·10⁻¹¹ of the value.
        let (h, density) = (1.0 / 2048.0, |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt());
        let (mut t, mut distribution) = (-20.0, 0.0);
        while t < 9.0 {
            distribution += h / 3.0 * (density(t) + 4.0 * density(t + h) + density(t + 2.0 * h));
            t += 2.0 * h;
            if t > -14.0 {
                let exact = t * distribution;
                let z = Tensor::scalar(t).gelu().item();
                assert!((z - exact).abs() <= 2e-11 * exact.abs(), "{t}: {z:e}, {exact:e}");
                let single = Tensor::scalar(t as f32).gelu().item(); // t is a multiple of 2⁻¹⁰: the same number
                if exact.abs() > f64::from(f32::MIN_POSITIVE) {
                    let ulp = f64::from(single.abs().next_up() - single.abs());
                    assert!((f64::from(single) - exact).abs() <= 0.51 * ulp, "{t}: {single:e}, {exact:e}");
                }
            }
        }
    }

    #[test]
    fn both_gelus_are_near_each_other_and_have_their_limits_at_infinity() {
        for f in [Tensor::gelu, Tensor::gelu_tanh] {
            let [z, d] = at([-INF, -40.0, 0.0, 40.0, INF, NAN], f);
            assert!(z[1].abs() < 1e-300 && z[5].is_nan());
            assert_eq!((z[0], z[2], z[3], z[4]), (0.0, 0.0, 40.0, INF));
            assert_eq!((d[0], d[2], d[3], d[4]), (0.0, 0.5, 1.0, 1.0));
        }
        let x = Tensor::<f64>::arange(-8.0, 8.0, 0.01);
        let apart = (&x.gelu() - &x.gelu_tanh()).abs().max_axis(0).item();
        assert!(apart > 1e-4 && apart < 5e-4, "{apart}");
    }
}
