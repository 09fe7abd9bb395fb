//! Maxima and minima of a tensor, and where they stand.
//!
//! Ties and NaN are PyTorch's. Over one axis (`max_axis`, `min_axis`) the gradient goes to the first of equals, as in `x.max(dim).values`; over
//! all elements (`max`, `min`) equals share it evenly, as in `x.max()`. A NaN is larger and smaller than every number, and is then what the gradient
//! goes to; ±∞ are ordinary numbers. The larger of two tensors is `maximum`, in `arithmetic.rs`.

use super::reduce::without;
use crate::gradcheck::{Case, distinct};
use crate::{Scalar, Tensor, shape};
use ndarray::{ArrayD, ArrayView1, Axis, Zip};

/// Whether an element comes before another.
type Before<T> = fn(T, T) -> bool;

fn larger<T: Scalar>(x: T, y: T) -> bool {
    x > y
}

fn smaller<T: Scalar>(x: T, y: T) -> bool {
    x < y
}

/// Where the first of the best elements of a lane stands; the first NaN if there is one.
fn first_best<T: Scalar>(lane: ArrayView1<T>, before: Before<T>) -> usize {
    let mut best = 0;
    for (i, &x) in lane.iter().enumerate() {
        if before(x, lane[best]) || x.is_nan() && !lane[best].is_nan() {
            best = i;
        }
    }
    best
}

impl<T: Scalar> Tensor<T> {
    /// `z = max x` over one axis, which is removed. The gradient goes to the first of equal maxima. Saves their positions.
    ///
    /// # Panics
    /// If the axis does not exist or has no elements.
    #[track_caller]
    pub fn max_axis(&self, axis: isize) -> Tensor<T> {
        self.best_of_axis("max", axis, larger)
    }

    /// `z = min x` over one axis, which is removed. The gradient goes to the first of equal minima. Saves their positions.
    ///
    /// # Panics
    /// If the axis does not exist or has no elements.
    #[track_caller]
    pub fn min_axis(&self, axis: isize) -> Tensor<T> {
        self.best_of_axis("min", axis, smaller)
    }

    /// `z = max x` over all elements, of rank 0. k equal maxima get `g / k` each. Saves x (shared).
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn max(&self) -> Tensor<T> {
        self.best_of_all("max", larger)
    }

    /// `z = min x` over all elements, of rank 0. k equal minima get `g / k` each. Saves x (shared).
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn min(&self) -> Tensor<T> {
        self.best_of_all("min", smaller)
    }

    /// Where the maximum of each lane along an axis stands: the first of equals, a NaN before any number. Indices, so nothing is recorded
    /// and no gradient flows.
    ///
    /// # Shapes
    /// (…, n, …) → (…, …), the axis removed.
    ///
    /// # Panics
    /// If the axis does not exist or has no elements.
    #[track_caller]
    pub fn argmax(&self, axis: isize) -> ArrayD<usize> {
        self.positions("argmax", axis, larger)
    }

    /// Where the minimum of each lane along an axis stands: the first of equals, a NaN before any number. Indices, so nothing is recorded
    /// and no gradient flows.
    ///
    /// # Shapes
    /// (…, n, …) → (…, …), the axis removed.
    ///
    /// # Panics
    /// If the axis does not exist or has no elements.
    #[track_caller]
    pub fn argmin(&self, axis: isize) -> ArrayD<usize> {
        self.positions("argmin", axis, smaller)
    }

    #[track_caller]
    fn positions(&self, what: &str, axis: isize, before: Before<T>) -> ArrayD<usize> {
        let axis = Axis(shape::axis(what, axis, self.rank()));
        assert!(self.value().len_of(axis) > 0, "{what}: axis {} of {:?} has no elements", axis.0, self.shape());
        self.value().map_axis(axis, |lane| first_best(lane, before))
    }

    #[track_caller]
    fn best_of_axis(&self, op: &'static str, axis: isize, before: Before<T>) -> Tensor<T> {
        let position = self.positions(op, axis, before);
        let axis = Axis(shape::axis(op, axis, self.rank()));
        let mut z = ArrayD::zeros(without(self.shape(), &[axis.index()]));
        Zip::from(&mut z).and(&position).and(self.value().lanes(axis)).for_each(|z, &i, lane| *z = lane[i]);
        Tensor::from_op(op, z, [self], move |g, [dx]| {
            dx.update(|mut dx| {
                Zip::from(dx.lanes_mut(axis)).and(&position).and(&g).for_each(|mut lane, &i, &g| lane[i] += g);
            });
        })
    }

    #[track_caller]
    fn best_of_all(&self, op: &'static str, before: Before<T>) -> Tensor<T> {
        let mut elements = self.value().iter().copied();
        let first = elements.next().unwrap_or_else(|| panic!("{op}: {:?} has no elements", self.shape()));
        let better = |z: T, x: T| if before(x, z) || x.is_nan() { x } else { z };
        let z = elements.fold(first, better);
        let x = self.value().clone();
        Tensor::from_op(op, ArrayD::from_elem(vec![], z), [self], move |g, [dx]| {
            dx.add(|| {
                let is_best = |x: T| x == z || x.is_nan() && z.is_nan();
                let count = x.iter().filter(|&&x| is_best(x)).count();
                let share = g.sum() / T::of(count as f64);
                x.mapv(|x| if is_best(x) { share } else { T::zero() })
            });
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, axis) in [(&[3, 4][..], 1), (&[3, 2, 2], -3), (&[2, 1], 1), (&[0, 3], 1)] {
        let named = |case: Case| case.variant(format!("axis {axis} of {shape:?}"));
        cases.push(named(Case::new("max", &[distinct(shape)], move |x| x[0].max_axis(axis))));
        cases.push(named(Case::new("min", &[distinct(shape)], move |x| x[0].min_axis(axis))));
    }
    for shape in [&[2, 3][..], &[], &[1, 2, 2]] {
        let named = |case: Case| case.variant(format!("all of {shape:?}"));
        cases.push(named(Case::new("max", &[distinct(shape)], |x| x[0].max())));
        cases.push(named(Case::new("min", &[distinct(shape)], |x| x[0].min())));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    fn vector(elements: &[f64]) -> Tensor<f64> {
        Tensor::from_vec(elements.to_vec(), &[elements.len()]).tracked()
    }

    fn gradient(f: impl Fn(&Tensor<f64>) -> Tensor<f64>, elements: &[f64]) -> Vec<f64> {
        let x = vector(elements);
        f(&x).backward().of(&x).unwrap().iter().copied().collect()
    }

    #[test]
    fn along_an_axis_the_first_of_equals_gets_the_gradient_and_over_all_they_share_it() {
        assert_eq!(gradient(|x| x.max_axis(0), &[1.0, 3.0, 3.0]), [0.0, 1.0, 0.0]);
        assert_eq!(gradient(|x| x.min_axis(0), &[1.0, 1.0, 3.0]), [1.0, 0.0, 0.0]);
        assert_eq!(gradient(|x| x.max(), &[1.0, 3.0, 3.0]), [0.0, 0.5, 0.5]);
        assert_eq!(gradient(|x| x.min(), &[1.0, 1.0, 3.0]), [0.5, 0.5, 0.0]);
    }

    #[test]
    fn nan_is_the_extremum_and_gets_the_gradient() {
        let x = [1.0, NAN, -INF, NAN];
        for z in [vector(&x).max(), vector(&x).min(), vector(&x).max_axis(0), vector(&x).min_axis(0)] {
            assert!(z.item().is_nan());
        }
        assert_eq!(gradient(|x| x.max(), &x), [0.0, 0.5, 0.0, 0.5]);
        assert_eq!(gradient(|x| x.min_axis(0), &x), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn infinities_are_ordinary_numbers() {
        let x = [-INF, 2.0, INF];
        assert_eq!((vector(&x).max().item(), vector(&x).min().item()), (INF, -INF));
        assert_eq!(vector(&[-INF, -INF]).max().item(), -INF);
    }

    #[test]
    fn positions_are_those_of_the_first_of_equals_and_record_nothing() {
        let x = Tensor::from_vec(vec![1.0, 3.0, 3.0, 0.0, NAN, 0.0], &[2, 3]);
        assert_eq!(x.argmax(1), ndarray::arr1(&[1, 1]).into_dyn());
        assert_eq!(x.argmin(-1), ndarray::arr1(&[0, 1]).into_dyn());
        assert_eq!(x.argmin(0), ndarray::arr1(&[1, 1, 1]).into_dyn());
    }

    #[test]
    #[should_panic(expected = "argmax: axis 1 of [2, 0] has no elements")]
    fn an_axis_without_elements_has_no_maximum() {
        Tensor::<f64>::zeros(&[2, 0]).argmax(1);
    }

    #[test]
    #[should_panic(expected = "min: [0] has no elements")]
    fn nothing_has_no_minimum() {
        Tensor::<f64>::zeros(&[0]).min();
    }
}
