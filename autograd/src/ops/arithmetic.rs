//! Arithmetic of two tensors with broadcasting, and of a tensor and a number; the operators `+ − × ÷` of two tensors.
//! Those of a tensor and a number are in `scalar_operators.rs`.

use crate::gradcheck::{Case, away_from_zero, distinct, positive, real};
use crate::tensor::Value;
use crate::{Scalar, Tensor, passes, shape};
use ndarray::ArrayD;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `f(x, y)` elementwise with broadcasting.
#[track_caller]
pub(super) fn zip<T: Scalar>(
    op: &str,
    x: &Value<T>,
    y: &Value<T>,
    f: impl Fn(T, T) -> T + Copy + Send + Sync,
) -> ArrayD<T> {
    let shape = shape::broadcast(op, x.shape(), y.shape());
    let (x, y) = (x.broadcast(shape.as_slice()), y.broadcast(shape.as_slice()));
    passes::zip_map(&x.expect("x broadcasts to the shape"), &y.expect("y broadcasts to the shape"), f)
}

/// `g ← f(g, x)` elementwise, where x broadcasts to the shape of g; in g's buffer where the two are laid out alike.
fn with<T: Scalar>(g: ArrayD<T>, x: &Value<T>, f: impl Fn(T, T) -> T + Copy + Send + Sync) -> ArrayD<T> {
    let shape = g.raw_dim();
    passes::update_with(g, &x.broadcast(shape).expect("x broadcasts to the shape"), f)
}

impl<T: Scalar> Tensor<T> {
    /// `z = x + y`, broadcasting. `∂x = g`, `∂y = g`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn add(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let z = zip("add", self.value(), rhs.value(), |x, y| x + y);
        Tensor::from_op("add", z, [self, rhs], |g, [dx, dy]| {
            dx.add(|| passes::copy(&g.view()));
            dy.add(|| g);
        })
    }

    /// `z = x − y`, broadcasting. `∂x = g`, `∂y = −g`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn sub(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let z = zip("sub", self.value(), rhs.value(), |x, y| x - y);
        Tensor::from_op("sub", z, [self, rhs], |g, [dx, dy]| {
            dx.add(|| passes::copy(&g.view()));
            dy.add(|| passes::update(g, |g| -g));
        })
    }

    /// `z = x ⊙ y`, broadcasting. `∂x = g ⊙ y`, `∂y = g ⊙ x`. Saves both (shared, not copied).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn mul(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let (x, y) = (self.value().clone(), rhs.value().clone());
        Tensor::from_op("mul", zip("mul", &x, &y, |x, y| x * y), [self, rhs], move |g, [dx, dy]| {
            let product = |g: T, x: T| g * x;
            dx.add(|| passes::zip_map(&g.view(), &y.broadcast(g.raw_dim()).expect("y broadcasts"), product));
            dy.add(|| with(g, &x, product)); // last use: reuse g's buffer
        })
    }

    /// `z = x / y`, broadcasting. `∂x = g / y`, `∂y = −g ⊙ x / y²`, divided twice so that y² need be no number. Saves both (shared, not
    /// copied). Division by 0 gives ±∞ or NaN, as in IEEE 754.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn div(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let (x, y) = (self.value().clone(), rhs.value().clone());
        Tensor::from_op("div", zip("div", &x, &y, |x, y| x / y), [self, rhs], move |g, [dx, dy]| {
            let quotient = |g: T, y: T| g / y;
            dx.add(|| passes::zip_map(&g.view(), &y.broadcast(g.raw_dim()).expect("y broadcasts"), quotient));
            dy.add(|| with(with(with(g, &x, |g, x| -g * x), &y, quotient), &y, quotient));
        })
    }

    /// `z = max(x, y)`, broadcasting; where they are equal the gradient is shared in halves, as PyTorch does. Where one is NaN, so is
    /// z, and neither gets a gradient.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, rhs: &Tensor<T>) -> Tensor<T> {
        let (x, y) = (self.value().clone(), rhs.value().clone());
        let half = T::of(0.5);
        let share = move |a: T, b: T| {
            if a > b {
                T::one()
            } else if a == b {
                half
            } else {
                T::zero()
            }
        };
        let z = zip("maximum", &x, &y, |x, y| if x.is_nan() || x > y { x } else { y });
        Tensor::from_op("maximum", z, [self, rhs], move |g, [dx, dy]| {
            let shared = |x: &Value<T>, y: &Value<T>| zip("maximum", x, y, share).into_shared();
            dx.add(|| passes::zip_map(&g.view(), &shared(&x, &y).view(), |g, share| g * share));
            dy.add(|| with(g, &shared(&y, &x), |g, share| g * share));
        })
    }

    /// `z = x + c`. `∂x = g`.
    #[track_caller]
    pub fn add_scalar(&self, c: T) -> Tensor<T> {
        Tensor::from_op("add_scalar", passes::map(self.value(), move |x| x + c), [self], |g, [dx]| dx.add(|| g))
    }

    /// `z = c·x`. `∂x = c·g`.
    #[track_caller]
    pub fn mul_scalar(&self, c: T) -> Tensor<T> {
        Tensor::from_op("mul_scalar", passes::map(self.value(), move |x| x * c), [self], move |g, [dx]| {
            dx.add(|| passes::update(g, move |g| g * c));
        })
    }

    /// `z = −x`. `∂x = −g`.
    #[track_caller]
    pub fn neg(&self) -> Tensor<T> {
        Tensor::from_op("neg", passes::map(self.value(), |x| -x), [self], |g, [dx]| {
            dx.add(|| passes::update(g, |g| -g))
        })
    }
}

/// The operator of two tensors, by reference or by value, from the method of the same name.
macro_rules! operator {
    ($trait:ident, $method:ident) => {
        operator!($trait, $method, &Tensor<T>, &Tensor<T>);
        operator!($trait, $method, &Tensor<T>, Tensor<T>);
        operator!($trait, $method, Tensor<T>, &Tensor<T>);
        operator!($trait, $method, Tensor<T>, Tensor<T>);
    };
    ($trait:ident, $method:ident, $x:ty, $y:ty) => {
        impl<T: Scalar> $trait<$y> for $x {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, rhs: $y) -> Tensor<T> {
                Tensor::$method(&self, &rhs)
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<T: Scalar> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        Tensor::neg(self)
    }
}

impl<T: Scalar> Neg for Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        Tensor::neg(&self)
    }
}

/// Pairs of shapes that broadcast: equal, aligned at the end, both ways, rank 0, empty, size 1.
const PAIRS: [(&[usize], &[usize]); 7] = [
    (&[2, 3], &[2, 3]),
    (&[2, 3], &[3]),
    (&[2, 1], &[1, 3]),
    (&[1, 2], &[4, 1, 2]),
    (&[], &[2]),
    (&[0, 3], &[3]),
    (&[1, 1], &[1]),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (x, y) in PAIRS {
        let both = [real(x), real(y)];
        let named = |case: Case| case.variant(format!("{x:?} and {y:?}"));
        cases.push(named(Case::new("add", &both, |x| &x[0] + &x[1])));
        cases.push(named(Case::new("sub", &both, |x| &x[0] - &x[1])));
        cases.push(named(Case::new("mul", &both, |x| &x[0] * &x[1])));
        cases.push(named(Case::new("div", &[real(x), away_from_zero(y)], |x| &x[0] / &x[1])));
    }
    cases.push(Case::new("maximum", &[distinct(&[2, 3]), positive(&[3])], |x| x[0].mul_scalar(9.0).maximum(&x[1])));
    cases.push(Case::new("add", &[real(&[3])], |x| &x[0] + &x[0]).variant("the same tensor twice"));
    cases.push(Case::new("mul", &[real(&[2, 2])], |x| &x[0] * &x[0]).variant("the same tensor twice"));
    cases.push(Case::new("div", &[positive(&[2])], |x| &x[0] / &(&x[0] * &x[0])).variant("the same tensor twice"));
    cases.push(Case::new("add_scalar", &[real(&[2, 3])], |x| x[0].add_scalar(0.3)));
    cases.push(Case::new("mul_scalar", &[real(&[2, 3])], |x| x[0].mul_scalar(-1.3)));
    cases.push(Case::new("neg", &[real(&[2, 3])], |x| -&x[0]));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "mul: shapes do not broadcast, [2] and [3]")]
    fn a_shape_mistake_names_the_op_and_both_shapes() {
        let _ = Tensor::<f32>::zeros(&[2]) * Tensor::zeros(&[3]);
    }

    /// Values and gradients of `x ⊙ y` and `x / y`, and where the result lies, against ndarray.
    #[test]
    fn large_tensors_of_any_layout_give_what_ndarray_gives() {
        let wave = |shape: &[usize], phase: f64| {
            let len = shape::len(shape) as u32;
            Tensor::from_vec((0..len).map(|i| (f64::from(i) * 0.7 + phase).sin() + 1.5).collect(), shape)
        };
        let same = || {
            [
                wave(&[300, 40, 30], 0.0),
                wave(&[40, 300, 30], 0.0).transpose(0, 1),
                wave(&[30, 40, 300], 0.0).transpose(0, 2),
            ]
        };
        let others = || [wave(&[30], 1.0), wave(&[40, 1], 1.0), wave(&[300, 1, 1], 1.0), wave(&[], 1.0)];
        for (x, y) in same().into_iter().flat_map(|x| same().into_iter().chain(others()).map(move |y| (x.clone(), y))) {
            let (x, y) = (x.tracked(), y.tracked());
            let z = &x * &y;
            assert_eq!(z.value(), &(&x.view() * &y.view()).into_shared());
            assert_eq!(z.view().strides(), x.view().strides(), "the layout of x is kept");
            let g = wave(&[300, 40, 30], 2.0);
            let gradients = (&x / &y).backward_with(g.value().to_owned());
            let dx = &g.view() / &y.view();
            let dy = -(g.value().to_owned() * &x.view() / &y.view() / &y.view());
            assert_eq!(gradients.of(&x).unwrap(), &dx);
            let repeated = y.value().len() < dy.len();
            let dy = if repeated { shape::sum_to(dy, y.shape()) } else { dy };
            assert_eq!(gradients.of(&y).unwrap(), &dy);
        }
    }

    #[test]
    fn a_maximum_with_nan_is_nan_and_huge_divisors_have_finite_gradients() {
        for (x, y) in [(f64::NAN, 1.0), (1.0, f64::NAN)] {
            let (x, y) = (Tensor::scalar(x).tracked(), Tensor::scalar(y).tracked());
            let z = x.maximum(&y);
            assert!(z.item().is_nan());
            let gradients = z.backward();
            assert_eq!((gradients.of(&x).unwrap().sum(), gradients.of(&y).unwrap().sum()), (0.0, 0.0));
        }
        let (x, y) = (Tensor::scalar(1e30f32).tracked(), Tensor::scalar(1e30f32).tracked());
        assert_eq!((&x / &y).backward().of(&y).unwrap().sum(), -1.0 / 1e30);
    }

    #[test]
    fn an_equal_maximum_shares_its_gradient() {
        let x = Tensor::scalar(1.0).tracked();
        let y = Tensor::scalar(1.0).tracked();
        let gradients = x.maximum(&y).backward();
        assert_eq!((gradients.of(&x).unwrap().sum(), gradients.of(&y).unwrap().sum()), (0.5, 0.5));
    }
}
