//! Rotary positions of queries and keys.

use crate::gradcheck::{Case, real};
use crate::kernels::rotary::Angles;
use crate::{Scalar, Tensor, shape};
use ndarray::ArrayD;

impl<T: Scalar> Tensor<T> {
    /// Turns channels i and i + D/2 of the first heads at position t by the angle `θ = t·base^(−2i/D)`:
    /// `(z_i, z_{i+D/2}) = (x_i cos θ − x_{i+D/2} sin θ, x_{i+D/2} cos θ + x_i sin θ)`. The other channels stay.
    ///
    /// The product of a query and a key that are turned so depends on the distance of their positions alone.
    ///
    /// # Shapes
    /// `self` (…, T, C) with C ≥ `heads`·`width` → the same; position `first` is the first of axis T.
    ///
    /// # Backward
    /// The gradient is turned back. Saves nothing but the angles.
    ///
    /// # Panics
    /// If the width is odd or 0, the rank below 2, or the heads are wider than the last axis.
    ///
    /// Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021, equation 34; the pairs of LLaMA and
    /// GPT-NeoX.
    #[track_caller]
    pub fn rotary(&self, heads: usize, width: usize, base: f64, first: usize) -> Tensor<T> {
        let s = self.shape().to_vec();
        assert!(width > 0 && width.is_multiple_of(2), "rotary: a head of width {width}; it must be even");
        let fits = s.len() >= 2 && heads.checked_mul(width).is_some_and(|wide| wide <= s[s.len() - 1]);
        assert!(fits, "rotary: {heads} heads of {width} in {s:?}");
        let (positions, cols) = (s[s.len() - 2], s[s.len() - 1]);
        let angles = Angles::new(width, base, first, positions);
        let turned = move |x: crate::tensor::Value<T>, back: bool| {
            let shape = x.shape().to_vec();
            let mut x = shape::into_buffer(x);
            angles.turn(&mut x, cols, heads, back);
            ArrayD::from_shape_vec(shape, x).expect("as many elements")
        };
        let z = turned(self.standard(), false);
        Tensor::from_op("rotary", z, [self], move |g, [dx]| dx.add(|| turned(g.into_shared(), true)))
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |shape: &[usize], heads: usize, width: usize| {
        Case::new("rotary", &[real(shape)], move |x| x[0].rotary(heads, width, 10.0, 2))
    };
    vec![
        case(&[2, 3, 8], 2, 4),
        case(&[3, 5], 1, 4).variant("a channel that stays"),
        case(&[2, 0, 2], 1, 2).variant("no position"),
        Case::new("rotary", &[real(&[4, 3])], |x| x[0].transpose(0, 1).rotary(2, 2, 10.0, 0)).variant("transposed"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_a_query_and_a_key_depends_on_their_distance_alone() {
        let at = |x: [f64; 4], t: usize| Tensor::from_vec(x.to_vec(), &[1, 4]).rotary(1, 4, 10_000.0, t);
        let (q, k) = ([0.3, -1.2, 0.7, 2.0], [1.1, 0.4, -0.6, 0.9]);
        let product = |t: usize, s: usize| (&at(q, t) * &at(k, s)).sum().item();
        for (t, s) in [(5, 3), (9, 7), (102, 100)] {
            assert!((product(t, s) - product(2, 0)).abs() < 1e-12);
        }
        assert!((product(5, 2) - product(2, 0)).abs() > 1e-3);
    }

    #[test]
    fn a_pair_is_turned_by_its_angle() {
        let z = Tensor::from_vec(vec![1.0, 0.0, 0.0, 1.0], &[1, 4]).rotary(1, 4, 100.0, 3).to_vec();
        let (slow, fast) = (0.3_f64, 3.0_f64);
        let exact = [fast.cos(), -slow.sin(), fast.sin(), slow.cos()];
        z.iter().zip(exact).for_each(|(z, exact)| assert!((z - exact).abs() < 1e-15, "{z} {exact}"));
    }

    #[test]
    #[should_panic(expected = "rotary: a head of width 3; it must be even")]
    fn an_odd_width_is_named() {
        _ = Tensor::<f64>::zeros(&[2, 3]).rotary(1, 3, 10.0, 0);
    }

    #[test]
    fn every_row_of_a_sequence_is_turned_as_it_is_alone_at_its_position() {
        // Two sequences, of more elements than one task has.
        let (time, width, first) = (300, 64, 7);
        let x = Tensor::from_vec((0..2 * time * width).map(|i| (i as f64 * 0.7).sin()).collect(), &[2, time, width]);
        let together = x.rotary(8, 8, 10_000.0, first);
        for (b, t) in [(0, 0), (0, 1), (0, 2), (0, 129), (0, 299), (1, 0), (1, 1), (1, 250)] {
            let row = |x: &Tensor<f64>| x.narrow(0, b, 1).narrow(1, t, 1).to_vec();
            let alone = Tensor::from_vec(row(&x), &[1, width]).rotary(8, 8, 10_000.0, first + t);
            assert_eq!(row(&together), alone.to_vec(), "sequence {b}, position {t}");
        }
    }
}
