//! Comparisons of two tensors: masks, tensors of 1 where the comparison holds and of 0 where it does not.
//!
//! A mask has the element type of what was compared, and no type of its own: so it is counted by `sum`, averaged by `mean`, combined by `mul` (and),
//! `maximum` (or) and `1.0 - &mask` (not), shaped and broadcast by the ops that everything else is, and a reader has no second algebra to
//! learn. What it selects is in `selection.rs`. It costs the bytes of a number where one bit would do.
//!
//! A comparison has derivative 0 wherever it has one: it records nothing, and no gradient flows through it. With NaN only `ne` holds, as
//! IEEE 754 says; ±∞ compare as numbers.

use super::arithmetic::zip;
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// 1 where `x = y`, else 0, broadcasting; records nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn eq(&self, rhs: &Tensor<T>) -> Tensor<T> {
        self.compare("eq", rhs, |x, y| x == y)
    }

    /// 1 where `x ≠ y`, else 0, broadcasting; records nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn ne(&self, rhs: &Tensor<T>) -> Tensor<T> {
        self.compare("ne", rhs, |x, y| x != y)
    }

    /// 1 where `x < y`, else 0, broadcasting; records nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn lt(&self, rhs: &Tensor<T>) -> Tensor<T> {
        self.compare("lt", rhs, |x, y| x < y)
    }

    /// 1 where `x ≤ y`, else 0, broadcasting; records nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn le(&self, rhs: &Tensor<T>) -> Tensor<T> {
        self.compare("le", rhs, |x, y| x <= y)
    }

    /// 1 where `x > y`, else 0, broadcasting; records nothing.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from_vec(vec![-1.0, 0.5, 2.0], &[3]);
    /// let mask = x.gt(&Tensor::scalar(0.0));
    /// assert_eq!(mask.to_vec(), [0.0, 1.0, 1.0]);
    /// assert_eq!(mask.sum().item(), 2.0); // how many are positive
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn gt(&self, rhs: &Tensor<T>) -> Tensor<T> {
        self.compare("gt", rhs, |x, y| x > y)
    }

    /// 1 where `x ≥ y`, else 0, broadcasting; records nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn ge(&self, rhs: &Tensor<T>) -> Tensor<T> {
        self.compare("ge", rhs, |x, y| x >= y)
    }

    #[track_caller]
    fn compare(&self, what: &str, rhs: &Tensor<T>, holds: impl Fn(T, T) -> bool + Copy + Send + Sync) -> Tensor<T> {
        let mask = move |x, y| if holds(x, y) { T::one() } else { T::zero() };
        Tensor::new(zip(what, self.value(), rhs.value(), mask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    #[test]
    fn every_comparison_is_that_of_the_numbers_infinities_and_nan_included() {
        let numbers = [-INF, -1.0, -0.0, 0.0, 2.5, INF, NAN];
        let x = Tensor::from_vec(numbers.to_vec(), &[7, 1]);
        let y = Tensor::from_vec(numbers.to_vec(), &[1, 7]);
        let check = |mask: Tensor<f64>, holds: fn(f64, f64) -> bool| {
            let wanted: Vec<f64> =
                numbers.iter().flat_map(|&x| numbers.map(|y| f64::from(u8::from(holds(x, y))))).collect();
            assert_eq!(mask.to_vec(), wanted);
        };
        check(x.eq(&y), |x, y| x == y);
        check(x.ne(&y), |x, y| x != y);
        check(x.lt(&y), |x, y| x < y);
        check(x.le(&y), |x, y| x <= y);
        check(x.gt(&y), |x, y| x > y);
        check(x.ge(&y), |x, y| x >= y);
    }

    #[test]
    fn a_comparison_records_nothing() {
        let x = Tensor::<f64>::zeros(&[2]).tracked();
        assert!(!x.eq(&x).is_tracked() && !x.lt(&x).is_tracked());
    }

    #[test]
    #[should_panic(expected = "ge: shapes do not broadcast, [2] and [3]")]
    fn a_shape_mistake_names_the_comparison_and_both_shapes() {
        let _ = Tensor::<f32>::zeros(&[2]).ge(&Tensor::zeros(&[3]));
    }
}
