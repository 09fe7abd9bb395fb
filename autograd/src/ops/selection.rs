//! Selection by a mask: one of two tensors, or a number put in its place. A mask is any tensor; what is not 0 in it selects (a NaN too).
//! `comparison.rs` makes masks. Picking by index is in `index.rs`.
//!
//! Values and gradients are selected, not multiplied by 0 and 1: an infinity or a NaN that is not selected leaves no trace, forward or backward.

use super::arithmetic::zip;
use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor, shape};
use ndarray::{ArrayD, Zip};

/// `kept` where the mask selects (or, with `selected` false, where it does not), else 0; the shapes broadcast.
fn keep<T: Scalar>(g: &ArrayD<T>, mask: &crate::Value<T>, selected: bool) -> ArrayD<T> {
    let mut kept = g.clone();
    let mask = mask.broadcast(g.shape()).expect("the mask broadcast in the forward pass");
    Zip::from(&mut kept).and(mask).for_each(|g, &m| {
        if (m != T::zero()) != selected {
            *g = T::zero();
        }
    });
    kept
}

impl<T: Scalar> Tensor<T> {
    /// `z = x` where the mask is not 0, else `y`, the three broadcasting: PyTorch's `x.where(mask, y)`, whose name is a keyword of Rust.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from_vec(vec![-1.0, 4.0], &[2]);
    /// let positive = x.gt(&Tensor::scalar(0.0));
    /// assert_eq!(x.sqrt().where_else(&positive, &Tensor::scalar(0.0)).to_vec(), [0.0, 2.0]);
    /// ```
    ///
    /// # Backward
    /// `∂x = g` where the mask selects x, else 0; `∂y` the other way round. Nothing flows into the mask. Saves the mask (shared).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "where")]
    #[track_caller]
    pub fn where_else(&self, mask: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
        let shape = shape::broadcast("where", self.shape(), y.shape());
        let shape = shape::broadcast("where", mask.shape(), &shape);
        let [x, m, other] = [self, mask, y].map(|x| x.value().broadcast(shape.as_slice()).expect("broadcasts"));
        let z = Zip::from(x).and(m).and(other).map_collect(|&x, &m, &y| if m != T::zero() { x } else { y });
        let mask = mask.value().clone();
        Tensor::from_op("where", z, [self, y], move |g, [dx, dy]| {
            dx.add(|| keep(&g, &mask, true));
            dy.add(|| keep(&g, &mask, false));
        })
    }

    /// `z = x` where the mask is 0, else the number `fill`: an attention's scores with −∞ where nothing may be seen, say.
    ///
    /// # Backward
    /// `∂x = g` where the mask is 0, else 0. Nothing flows into the mask. Saves the mask (shared).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<T>, fill: T) -> Tensor<T> {
        let z = zip("masked_fill", self.value(), mask.value(), |x, m| if m != T::zero() { fill } else { x });
        let mask = mask.value().clone();
        Tensor::from_op("masked_fill", z, [self], move |g, [dx]| dx.add(|| keep(&g, &mask, false)))
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (x, mask, y) in [
        (&[2, 3][..], &[2, 3][..], &[2, 3][..]),
        (&[3], &[2, 1], &[2, 3]),
        (&[2, 1], &[1, 3], &[]),
        (&[], &[2, 2], &[2, 1]),
        (&[0, 2], &[2], &[1, 1]),
    ] {
        let pattern = Tensor::from_vec((0..shape::len(mask)).map(|i| f64::from(u8::from(i % 3 != 1))).collect(), mask);
        let named = |case: Case| case.variant(format!("x {x:?}, mask {mask:?}, y {y:?}"));
        let shared = pattern.clone();
        let select = move |x: &[Tensor<f64>]| x[0].where_else(&shared, &x[1]);
        cases.push(named(Case::new("where", &[real(x), real(y)], select)));
        cases.push(named(Case::new("masked_fill", &[real(x)], move |x| x[0].masked_fill(&pattern, -2.0))));
    }
    let positive = |x: &[Tensor<f64>]| x[0].where_else(&x[1].gt(&Tensor::scalar(5.0)), &x[0].mul_scalar(3.0));
    cases.push(Case::new("where", &[real(&[2, 3]), real(&[2, 3])], positive).variant("the same tensor twice"));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    fn vector(elements: &[f64]) -> Tensor<f64> {
        Tensor::from_vec(elements.to_vec(), &[elements.len()])
    }

    #[test]
    fn what_is_not_selected_leaves_no_trace_whatever_it_is() {
        let (x, y) = (vector(&[NAN, 1.0, INF]).tracked(), vector(&[2.0, NAN, -INF]).tracked());
        let mask = vector(&[0.0, 1.0, 0.0]);
        let z = x.where_else(&mask, &y);
        assert_eq!(z.to_vec(), [2.0, 1.0, -INF]);
        let gradients = z.backward_with(ndarray::arr1(&[NAN, 3.0, INF]).into_dyn());
        assert_eq!(gradients.of(&x).unwrap().as_slice().unwrap(), [0.0, 3.0, 0.0]);
        let dy = gradients.of(&y).unwrap().as_slice().unwrap();
        assert!(dy[0].is_nan() && dy[1] == 0.0 && dy[2] == INF);
    }

    #[test]
    fn everything_but_zero_selects_as_in_pytorch() {
        let mask = vector(&[1.0, -0.0, 0.5, NAN, -INF, 0.0]);
        let z = Tensor::ones(&[6]).where_else(&mask, &Tensor::zeros(&[6]));
        assert_eq!(z.to_vec(), [1.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn scores_filled_with_minus_infinity_get_no_probability_and_no_gradient() {
        let scores = vector(&[0.3, 9.0, -1.0]).tracked();
        let probs = scores.masked_fill(&vector(&[0.0, 1.0, 0.0]), -INF).softmax();
        assert_eq!(probs.to_vec()[1], 0.0);
        let gradients = probs.backward_with(ndarray::arr1(&[1.0, 5.0, 0.0]).into_dyn());
        let d = gradients.of(&scores).unwrap();
        assert!(d[0] > 0.0 && d[1] == 0.0 && d[2] < 0.0);
    }

    #[test]
    fn no_gradient_flows_into_a_mask() {
        let x = vector(&[1.0, 2.0]).tracked();
        assert!(!Tensor::ones(&[2]).where_else(&x, &Tensor::zeros(&[2])).is_tracked());
    }

    #[test]
    #[should_panic(expected = "where: shapes do not broadcast, [3] and [2]")]
    fn a_mask_that_does_not_fit_is_named() {
        vector(&[1.0, 2.0]).where_else(&vector(&[1.0, 0.0, 1.0]), &Tensor::scalar(0.0));
    }
}
