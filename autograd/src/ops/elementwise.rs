//! Functions of one element at a time. GELU is in `gelu.rs`.
//!
//! A rule saves the output where the derivative is simplest in it (`tanh`, `sigmoid`, `exp`), else the input.
//!
//! At the edges of the format every function and every derivative is its limit, rounded: no ∞·0 or ∞ − ∞ in between. NaN gives NaN,
//! and a derivative of NaN but where a condition that NaN fails makes it 0 (`relu`, `clamp`).
//!
//! | | f(−∞), f' | f(+∞), f' | else |
//! | --- | --- | --- | --- |
//! | `exp` | 0, 0 | ∞, ∞ | ∞ from the rounded result on |
//! | `tanh`, `sigmoid` | −1 or 0, 0 | 1, 0 | |
//! | `relu` | 0, 0 | ∞, 1 | f'(0) = 0 |
//! | `softplus`, `silu`, both GELUs | 0, 0 (all but `softplus`: −0) | ∞, 1 | exact for huge x |
//! | `ln` | NaN | ∞, 0 | f(±0) = −∞, f'(±0) = ±∞; NaN left of 0 |
//! | `sqrt` | NaN | ∞, 0 | f'(0) = ∞; f(−0) = −0; NaN left of 0 |
//! | `log1mexp` | NaN | 0 (−0), 0 | f(±0) = −∞, f'(±0) = ±∞; NaN left of 0 |
//! | `abs` | ∞, −1 | ∞, 1 | f'(±0) = 0 |
//! | `powi` | as p is odd or even | ∞, 1 or 0 | p = 0: 1 and 0, also of NaN; p < 0: ±∞ at ±0 |
//! | `sin`, `cos` | NaN | NaN | of huge x exact, as the standard library's |
//! | `clamp` | low, 0 | high, 0 | f' = 1 at the bounds |
//!
//! In a chain, a gradient of 0 times a derivative of ∞ is NaN, as in PyTorch.

use crate::gradcheck::{Case, away_from_zero, positive, real};
use crate::kernels::elementwise::{each, each_pair};
use crate::{Scalar, Tensor, passes};

impl<T: Scalar> Tensor<T> {
    /// `z = f(x)` elementwise, with `∂x = g ⊙ f'(x)`. Saves x (shared, not copied).
    #[track_caller]
    pub(super) fn map_from_input(
        &self,
        op: &'static str,
        f: impl Fn(&mut [T]) + Sync,
        derivative: impl Fn(T) -> T + Copy + Sync + Send + 'static,
    ) -> Tensor<T> {
        let x = self.value().clone();
        Tensor::from_op(op, passes::map_chunks(&x, &f), [self], move |g, [dx]| {
            dx.add(|| passes::update_chunks_with(g, &x.view(), &times(derivative)));
        })
    }

    /// `z = f(x)` elementwise, with the derivative a function of the output: `∂x = g ⊙ derivative(z)`. Saves z (shared).
    #[track_caller]
    fn map_from_output(
        &self,
        op: &'static str,
        f: impl Fn(&mut [T]) + Sync,
        derivative: impl Fn(T) -> T + Copy + Sync + Send + 'static,
    ) -> Tensor<T> {
        let z = passes::map_chunks(self.value(), &f).into_shared();
        let saved = z.clone();
        Tensor::from_op(op, z, [self], move |g, [dx]| {
            dx.add(|| passes::update_chunks_with(g, &saved.view(), &times(derivative)));
        })
    }

    /// `z = exp x`. `∂x = g ⊙ z`.
    #[track_caller]
    pub fn exp(&self) -> Tensor<T> {
        self.map_from_output("exp", T::exp_slice, |z| z)
    }

    /// `z = tanh x`. `∂x = g ⊙ (1 − z²)`.
    #[track_caller]
    pub fn tanh(&self) -> Tensor<T> {
        self.map_from_output("tanh", T::tanh_slice, |z| T::one() - z * z)
    }

    /// `z = σ(x) = 1 / (1 + exp(−x))`. `∂x = g ⊙ z(1 − z)`.
    #[track_caller]
    pub fn sigmoid(&self) -> Tensor<T> {
        self.map_from_output("sigmoid", T::sigmoid_slice, |z| z * (T::one() - z))
    }

    /// `z = max(x, 0)`. `∂x = g` where `x > 0`, else 0.
    #[track_caller]
    pub fn relu(&self) -> Tensor<T> {
        let step = |z: T| if z > T::zero() { T::one() } else { T::zero() };
        self.map_from_output("relu", each(|x: T| if x < T::zero() { T::zero() } else { x }), step)
    }

    /// `z = ln x`. `∂x = g / x`.
    #[track_caller]
    pub fn ln(&self) -> Tensor<T> {
        self.map_from_input("ln", each(|x: T| x.ln()), |x| x.recip())
    }

    /// `z = √x`. `∂x = g / 2z`.
    #[track_caller]
    pub fn sqrt(&self) -> Tensor<T> {
        self.map_from_output("sqrt", each(|x: T| x.sqrt()), |z| (z + z).recip())
    }

    /// `z = |x|`. `∂x = g·sign x`, 0 at 0.
    #[track_caller]
    pub fn abs(&self) -> Tensor<T> {
        self.map_from_input("abs", each(|x: T| x.abs()), |x| if x == T::zero() { x } else { x.signum() })
    }

    /// `z = xᵖ` for a fixed integer p. `∂x = g·p·xᵖ⁻¹`.
    #[track_caller]
    pub fn powi(&self, p: i32) -> Tensor<T> {
        let factor = T::of(f64::from(p));
        let derivative = move |x: T| match p {
            0 => T::zero(),
            i32::MIN => factor * (x.powi(p) / x), // p − 1 is no i32
            _ => factor * x.powi(p - 1),
        };
        self.map_from_input("powi", each(move |x: T| x.powi(p)), derivative)
    }

    /// `z = sin x`. `∂x = g ⊙ cos x`.
    #[track_caller]
    pub fn sin(&self) -> Tensor<T> {
        self.map_from_input("sin", each(|x: T| x.sin()), |x| x.cos())
    }

    /// `z = cos x`. `∂x = −g ⊙ sin x`.
    #[track_caller]
    pub fn cos(&self) -> Tensor<T> {
        self.map_from_input("cos", each(|x: T| x.cos()), |x| -x.sin())
    }

    /// `z = ln(1 + exp x)`, without overflow: `max(x, 0) + ln(1 + exp(−|x|))`. `∂x = g ⊙ σ(x)`.
    #[track_caller]
    pub fn softplus(&self) -> Tensor<T> {
        let f = |x: T| x.max(T::zero()) + (-x.abs()).exp().ln_1p();
        self.map_from_input("softplus", each(f), T::sigmoid_lane)
    }

    /// `z = x·σ(x)`, also called swish. `∂x = g ⊙ (σ + x·σ(1 − σ))`. −∞ gives −0 with derivative 0, ∞ itself with derivative 1.
    #[track_caller]
    pub fn silu(&self) -> Tensor<T> {
        // ±∞ as the largest numbers: σ is 0 or 1 there, and ∞·0 would not be the limit. 1 − σ(x) = σ(−x), without cancellation.
        let finite = |x: T| within(x, T::min_value(), T::max_value());
        let derivative = move |x: T| {
            let x = finite(x);
            T::sigmoid_lane(x) * (T::one() + x * T::sigmoid_lane(-x))
        };
        let f = move |x: T| if x < T::zero() { finite(x) * T::sigmoid_lane(x) } else { x * T::sigmoid_lane(x) };
        self.map_from_input("silu", each(f), derivative)
    }

    /// `z = ln σ(x) = min(x, 0) − ln(1 + exp(−|x|))`, without overflow or cancellation. `∂x = g ⊙ σ(−x)`.
    ///
    /// `z(−∞) = −∞` with derivative 1, `z(∞) = 0` with derivative 0.
    #[track_caller]
    pub fn log_sigmoid(&self) -> Tensor<T> {
        let f = |x: T| if x.is_nan() { x } else { x.min(T::zero()) - (-x.abs()).exp().ln_1p() };
        self.map_from_input("log_sigmoid", each(f), |x| (T::one() + x.exp()).recip())
    }

    /// `z = ln(1 − exp(−x))`, for x > 0, without cancellation: by `expm1` below ln 2, by `ln_1p` above. `∂x = g / (exp x − 1)`.
    ///
    /// The logarithm of the probability of an interval: `ln(σ(a) − σ(b)) = ln σ(a) + ln σ(−b) + ln(1 − exp(−(a − b)))` for a > b.
    ///
    /// Source: Mächler, "Accurately computing log(1 − exp(−|a|))", 2012.
    #[track_caller]
    pub fn log1mexp(&self) -> Tensor<T> {
        let half = T::of(std::f64::consts::LN_2);
        let f = move |x: T| if x < half { (-(-x).exp_m1()).ln() } else { (-(-x).exp()).ln_1p() };
        self.map_from_input("log1mexp", each(f), |x| x.exp_m1().recip())
    }

    /// `z = min(max(x, low), high)`. `∂x = g` where `low ≤ x ≤ high`, else 0, as PyTorch does.
    ///
    /// # Panics
    /// If a bound is NaN or `low > high`.
    #[track_caller]
    pub fn clamp(&self, low: T, high: T) -> Tensor<T> {
        assert!(low <= high, "clamp: bounds {low} and {high} of a tensor of shape {:?}", self.shape());
        let inside = move |x: T| if x >= low && x <= high { T::one() } else { T::zero() };
        self.map_from_input("clamp", each(move |x: T| within(x, low, high)), inside)
    }
}

/// `min(max(x, low), high)`; NaN stays NaN.
pub(super) fn within<T: Scalar>(x: T, low: T, high: T) -> T {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// `g ← g ⊙ derivative(x)`, of slices.
fn times<T: Scalar>(derivative: impl Fn(T) -> T + Copy + Sync) -> impl Fn(&mut [T], &[T]) + Sync {
    each_pair(move |g, x| g * derivative(x))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape in [&[2, 3][..], &[], &[0, 2], &[1]] {
        let named = |case: Case| case.variant(format!("{shape:?}"));
        let (real, positive, away) = ([real(shape)], [positive(shape)], [away_from_zero(shape)]);
        cases.push(named(Case::new("exp", &real, |x| x[0].exp())));
        cases.push(named(Case::new("tanh", &real, |x| x[0].tanh())));
        cases.push(named(Case::new("sigmoid", &real, |x| x[0].sigmoid())));
        cases.push(named(Case::new("relu", &away, |x| x[0].relu())));
        cases.push(named(Case::new("ln", &positive, |x| x[0].ln())));
        cases.push(named(Case::new("sqrt", &positive, |x| x[0].sqrt())));
        cases.push(named(Case::new("abs", &away, |x| x[0].abs())));
        cases.push(named(Case::new("powi", &away, |x| x[0].powi(3))));
        cases.push(named(Case::new("powi", &away, |x| x[0].powi(-2))).variant(format!("p = −2, {shape:?}")));
        cases.push(named(Case::new("sin", &real, |x| x[0].sin())));
        cases.push(named(Case::new("cos", &real, |x| x[0].cos())));
        cases.push(named(Case::new("softplus", &real, |x| x[0].softplus())));
        cases.push(named(Case::new("silu", &real, |x| x[0].silu())));
        cases.push(named(Case::new("log_sigmoid", &real, |x| x[0].log_sigmoid())));
        cases.push(named(Case::new("log1mexp", &positive, |x| x[0].log1mexp())));
        cases.push(named(Case::new("clamp", &away, |x| x[0].clamp(-0.1, 10.0))));
    }
    cases
}

#[cfg(test)]
mod tests;
