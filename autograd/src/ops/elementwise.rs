//! Functions of one element at a time. GELU is in `gelu.rs`.
//!
//! A rule saves the output where the derivative is simplest in it (`tanh`, `sigmoid`, `exp`), else the input.

use crate::gradcheck::{Case, away_from_zero, positive, real};
use crate::kernels::parallel::for_each_chunk;
use crate::tensor::Value;
use crate::{Scalar, Tensor};
use ndarray::{ArrayD, Zip};

/// `x` with `f` applied to its elements, chunk by chunk and in parallel, in the memory order of `x` where it has one.
fn map_chunks<T: Scalar>(x: &Value<T>, f: impl Fn(&mut [T]) + Sync + Send) -> ArrayD<T> {
    let mut z = x.to_owned();
    for_each_chunk(z.as_slice_memory_order_mut().expect("an owned copy is contiguous"), |_, chunk| f(chunk));
    z
}

/// `g ⊙ derivative(saved)`, in g's buffer.
fn chain<T: Scalar>(mut g: ArrayD<T>, saved: &Value<T>, derivative: impl Fn(T) -> T + Sync + Send) -> ArrayD<T> {
    match (g.is_standard_layout() && saved.is_standard_layout(), saved.as_slice()) {
        (true, Some(saved)) => for_each_chunk(g.as_slice_mut().expect("row-major"), |offset, chunk| {
            let saved = &saved[offset..offset + chunk.len()];
            chunk.iter_mut().zip(saved).for_each(|(g, &s)| *g *= derivative(s));
        }),
        _ => Zip::from(&mut g).and(saved).for_each(|g, &s| *g *= derivative(s)),
    }
    g
}

impl<T: Scalar> Tensor<T> {
    /// `z = f(x)` elementwise, with `∂x = g ⊙ f'(x)`. Saves x (shared, not copied).
    #[track_caller]
    pub(super) fn map_from_input(
        &self,
        op: &'static str,
        f: impl Fn(&mut [T]) + Sync + Send,
        derivative: impl Fn(T) -> T + Sync + Send + 'static,
    ) -> Tensor<T> {
        let x = self.value().clone();
        Tensor::from_op(op, map_chunks(&x, f), [self], move |g, [dx]| dx.add(|| chain(g, &x, derivative)))
    }

    /// `z = f(x)` elementwise, with the derivative a function of the output: `∂x = g ⊙ derivative(z)`. Saves z (shared).
    #[track_caller]
    fn map_from_output(
        &self,
        op: &'static str,
        f: impl Fn(&mut [T]) + Sync + Send,
        derivative: impl Fn(T) -> T + Sync + Send + 'static,
    ) -> Tensor<T> {
        let z = map_chunks(self.value(), f).into_shared();
        let saved = z.clone();
        Tensor::from_op(op, z, [self], move |g, [dx]| dx.add(|| chain(g, &saved, derivative)))
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
        let derivative = move |x: T| if p == 0 { T::zero() } else { factor * x.powi(p - 1) };
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
        self.map_from_input("softplus", each(f), |x| (T::one() + (-x).exp()).recip())
    }

    /// `z = x·σ(x)`, also called swish. `∂x = g ⊙ (σ + x·σ(1 − σ))`.
    #[track_caller]
    pub fn silu(&self) -> Tensor<T> {
        let sigmoid = |x: T| (T::one() + (-x).exp()).recip();
        let derivative = move |x: T| sigmoid(x) * (T::one() + x * (T::one() - sigmoid(x)));
        self.map_from_input("silu", each(move |x: T| x * sigmoid(x)), derivative)
    }

    /// `z = ln σ(x) = min(x, 0) − ln(1 + exp(−|x|))`, without overflow or cancellation. `∂x = g ⊙ σ(−x)`.
    ///
    /// `z(−∞) = −∞` with derivative 1, `z(∞) = 0` with derivative 0.
    #[track_caller]
    pub fn log_sigmoid(&self) -> Tensor<T> {
        let f = |x: T| if x.is_nan() { x } else { x.min(T::zero()) - (-x.abs()).exp().ln_1p() };
        self.map_from_input("log_sigmoid", each(f), |x| (T::one() + x.exp()).recip())
    }

    /// `z = min(max(x, low), high)`. `∂x = g` where `low ≤ x ≤ high`, else 0, as PyTorch does.
    #[track_caller]
    pub fn clamp(&self, low: T, high: T) -> Tensor<T> {
        let inside = move |x: T| if x >= low && x <= high { T::one() } else { T::zero() };
        self.map_from_input(
            "clamp",
            each(move |x: T| {
                if x < low {
                    low
                } else if x > high {
                    high
                } else {
                    x
                }
            }),
            inside,
        )
    }
}

/// A function of one element as a function of a slice, in place.
pub(super) fn each<T: Scalar>(f: impl Fn(T) -> T + Sync + Send) -> impl Fn(&mut [T]) + Sync + Send {
    move |xs| xs.iter_mut().for_each(|x| *x = f(*x))
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
        cases.push(named(Case::new("clamp", &away, |x| x[0].clamp(-0.1, 10.0))));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    #[test]
    fn softplus_does_not_overflow() {
        let z = Tensor::from_vec(vec![-1e4_f32, 0.0, 1e4], &[3]).softplus().to_vec();
        assert_eq!(z, [0.0, std::f32::consts::LN_2, 1e4]);
    }

    #[test]
    fn relu_and_clamp_keep_nan() {
        let x = Tensor::scalar(f64::NAN);
        assert!(x.relu().item().is_nan() && x.clamp(0.0, 1.0).item().is_nan());
    }

    /// `f` and its derivative at each of the points.
    fn at<const N: usize>(points: [f64; N], f: impl Fn(&Tensor<f64>) -> Tensor<f64>) -> [[f64; N]; 2] {
        let x = Tensor::from_vec(points.to_vec(), &[N]).tracked();
        let z = f(&x);
        let d = z.sum().backward().of(&x).unwrap().iter().copied().collect::<Vec<_>>();
        [z.to_vec().try_into().unwrap(), d.try_into().unwrap()]
    }

    #[test]
    fn log_sigmoid_neither_overflows_nor_cancels() {
        let [z, d] = at([-INF, -1000.0, -40.0, 0.0, 40.0, 1000.0, INF, NAN], |x| x.log_sigmoid());
        assert_eq!(z[..4], [-INF, -1000.0, -40.0, -std::f64::consts::LN_2]);
        approx::assert_relative_eq!(z[4], -(-40.0f64).exp(), max_relative = 1e-15);
        assert!(z[5] == 0.0 && z[6] == 0.0 && z[7].is_nan());
        assert_eq!([d[0], d[1], d[3], d[5], d[6]], [1.0, 1.0, 0.5, 0.0, 0.0]);
        assert!(d[7].is_nan());
    }
}
