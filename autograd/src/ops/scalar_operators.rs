//! The operators of a tensor and a number, on either side: `&x * 2.0`, `1.0 - &x`. Those of two tensors are in `arithmetic.rs`.

use crate::gradcheck::{Case, away_from_zero, real};
use crate::{Scalar, Tensor};
use std::ops::{Add, Div, Mul, Sub};

impl<T: Scalar> Tensor<T> {
    /// `z = x / c`, rounded as a division (not as a product with 1/c). `∂x = g / c`.
    #[track_caller]
    pub fn div_scalar(&self, c: T) -> Tensor<T> {
        Tensor::from_op("div_scalar", self.value().mapv(|x| x / c), [self], move |g, [dx]| dx.add(|| g / c))
    }
}

/// An operator with a number on the right, for tensors by reference and by value.
macro_rules! number_right {
    ($trait:ident, $method:ident, |$x:ident, $c:ident| $z:expr) => {
        number_right!($trait, $method, &Tensor<T>, |$x, $c| $z);
        number_right!($trait, $method, Tensor<T>, |$x, $c| $z);
    };
    ($trait:ident, $method:ident, $tensor:ty, |$x:ident, $c:ident| $z:expr) => {
        impl<T: Scalar> $trait<T> for $tensor {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, $c: T) -> Tensor<T> {
                let $x = &self;
                $z
            }
        }
    };
}
number_right!(Add, add, |x, c| x.add_scalar(c));
number_right!(Sub, sub, |x, c| x.add_scalar(-c));
number_right!(Mul, mul, |x, c| x.mul_scalar(c));
number_right!(Div, div, |x, c| x.div_scalar(c));

/// An operator with a number on the left. The number's type is named: Rust allows no operator of a foreign type that is a parameter.
macro_rules! number_left {
    ($trait:ident, $method:ident, |$c:ident, $x:ident| $z:expr) => {
        number_left!($trait, $method, f32, &Tensor<f32>, |$c, $x| $z);
        number_left!($trait, $method, f32, Tensor<f32>, |$c, $x| $z);
        number_left!($trait, $method, f64, &Tensor<f64>, |$c, $x| $z);
        number_left!($trait, $method, f64, Tensor<f64>, |$c, $x| $z);
    };
    ($trait:ident, $method:ident, $number:ty, $tensor:ty, |$c:ident, $x:ident| $z:expr) => {
        impl $trait<$tensor> for $number {
            type Output = Tensor<$number>;
            #[track_caller]
            fn $method(self, x: $tensor) -> Tensor<$number> {
                let ($c, $x) = (self, &x);
                $z
            }
        }
    };
}
number_left!(Add, add, |c, x| x.add_scalar(c));
number_left!(Sub, sub, |c, x| Tensor::neg(x).add_scalar(c));
number_left!(Mul, mul, |c, x| x.mul_scalar(c));
number_left!(Div, div, |c, x| Tensor::div(&Tensor::scalar(c), x));

pub(crate) fn cases() -> Vec<Case> {
    let named = |op, f: fn(&Tensor<f64>) -> Tensor<f64>, variant: &str| {
        Case::new(op, &[away_from_zero(&[2, 3])], move |x| f(&x[0])).variant(variant)
    };
    vec![
        Case::new("div_scalar", &[real(&[2, 3])], |x| &x[0] / -1.7),
        Case::new("div_scalar", &[real(&[])], |x| &x[0] / 3.0).variant("rank 0"),
        Case::new("div_scalar", &[real(&[0, 2])], |x| &x[0] / 3.0).variant("empty"),
        named("add_scalar", |x| x + 0.7, "x + c"),
        named("add_scalar", |x| 0.7 + x, "c + x"),
        named("add_scalar", |x| x - 0.7, "x − c"),
        named("neg", |x| 0.7 - x, "c − x"),
        named("mul_scalar", |x| x * -1.3, "x · c"),
        named("mul_scalar", |x| -1.3 * x, "c · x"),
        named("div", |x| 0.7 / x, "c / x"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_either_side_of_references_and_values() {
        let x = || Tensor::from_vec(vec![1.0f32, -2.0, 4.0], &[3]);
        let check = |z: [Tensor<f32>; 2], f: fn(f32) -> f32| {
            z.iter().for_each(|z| assert_eq!(z.to_vec(), [f(1.0), f(-2.0), f(4.0)]));
        };
        check([&x() + 0.3, x() + 0.3], |x| x + 0.3);
        check([&x() - 0.3, x() - 0.3], |x| x - 0.3);
        check([&x() * 0.3, x() * 0.3], |x| x * 0.3);
        check([&x() / 0.3, x() / 0.3], |x| x / 0.3);
        check([0.3 + &x(), 0.3 + x()], |x| 0.3 + x);
        check([0.3 - &x(), 0.3 - x()], |x| 0.3 - x);
        check([0.3 * &x(), 0.3 * x()], |x| 0.3 * x);
        check([0.3 / &x(), 0.3 / x()], |x| 0.3 / x);
    }

    #[test]
    fn numbers_that_are_not_finite_follow_ieee_754() {
        let x = Tensor::from_vec(vec![0.0, 1.0, f64::INFINITY, f64::NAN], &[4]);
        let by_zero = (&x / 0.0).to_vec();
        assert!(
            by_zero[0].is_nan() && by_zero[1] == f64::INFINITY && by_zero[2] == f64::INFINITY && by_zero[3].is_nan()
        );
        assert_eq!((1.0 / &x).to_vec()[..3], [f64::INFINITY, 1.0, 0.0]);
    }
}
