//! Attention as one op, causal or to all positions: composed of a product, a mask, a softmax and a product it would hold T × T weights for
//! every head. The kernels, and the law that makes a step equal to its row, are in `kernels/attention.rs`.

use crate::gradcheck::{Case, real};
use crate::kernels::attention::{self, Heads, Sight};
use crate::tensor::Value;
use crate::{Scalar, Tensor, passes};

impl<T: Scalar> Tensor<T> {
    /// Every position looks back at those before it and at itself: `z_t = Σ_{j ≤ t} p_tj v_j` with `p_t = softmax_{j ≤ t}(q_t·k_j / √D)`, for
    /// each head.
    ///
    /// With fewer heads of keys than of queries, query head n reads head ⌊n·M/N⌋ (grouped queries; M = 1 is multi-query attention).
    ///
    /// # Shapes
    /// `self` (B, T, (N + 2M)·D): queries, keys and values side by side, head by head → (B, T, N·D)
    ///
    /// # Backward
    /// `∂v_j = Σ_t p_tj g_t`, `∂s_tj = p_tj (g_t·v_j − g_t·z_t)/√D`, `∂q_t = Σ_j ∂s_tj k_j`, `∂k_j = Σ_t ∂s_tj q_t`. Saves the input
    /// and the output (shared) and one logarithm for each head and position; the weights are computed again, tile by tile.
    ///
    /// # Panics
    /// If the rank is not 3, the last axis is not that of the heads, or M does not divide N.
    ///
    /// Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.2; Ainslie et al., "GQA", 2023; Dao et al.,
    /// "FlashAttention", 2022.
    #[track_caller]
    pub fn causal_attention(&self, heads: Heads) -> Tensor<T> {
        self.attend("causal_attention", heads, Sight::Before)
    }

    /// Every position looks at all positions of its sequence: `z_t = Σ_j p_tj v_j` with `p_t = softmax_j(q_t·k_j / √D)`, for each head.
    /// [`Tensor::causal_attention`] without its mask.
    ///
    /// # Shapes
    /// `self` (B, T, (N + 2M)·D): queries, keys and values side by side, head by head → (B, T, N·D)
    ///
    /// # Backward
    /// As [`Tensor::causal_attention`], with sums over all t and j.
    ///
    /// # Panics
    /// As [`Tensor::causal_attention`].
    ///
    /// Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.2.1.
    #[track_caller]
    pub fn attention(&self, heads: Heads) -> Tensor<T> {
        self.attend("attention", heads, Sight::All)
    }

    #[track_caller]
    fn attend(&self, op: &'static str, heads: Heads, sight: Sight) -> Tensor<T> {
        let s = self.shape();
        let divides = heads.keys > 0 && heads.queries.is_multiple_of(heads.keys) && heads.width > 0;
        assert!(divides, "{op}: {heads:?}");
        assert!(s.len() == 3 && s[2] == heads.packed(), "{op}: input {s:?}, {heads:?}");
        let (batch, time) = (s[0], s[1]);
        let x = passes::standard(self.value());
        let (z, logarithms) = attention::forward(slice(&x), time, heads, sight);
        let z = ndarray::ArrayD::from_shape_vec(vec![batch, time, heads.outputs()], z).expect("B·T·N·D outputs");
        let z = z.into_shared();
        let kept = z.clone();
        Tensor::from_op(op, z, [self], move |g, [dx]| {
            let g = passes::standard(&g.into_shared());
            dx.add(|| {
                let dx = attention::backward(slice(&x), slice(&kept), slice(&g), &logarithms, time, heads, sight);
                ndarray::ArrayD::from_shape_vec(x.shape(), dx).expect("as many gradients as inputs")
            });
        })
    }
}

fn slice<T: Scalar>(x: &Value<T>) -> &[T] {
    x.as_slice().expect("row-major")
}

pub(crate) fn cases() -> Vec<Case> {
    [("causal_attention", Sight::Before), ("attention", Sight::All)]
        .into_iter()
        .flat_map(|(op, sight)| cases_of(op, sight))
        .collect()
}

fn cases_of(op: &'static str, sight: Sight) -> Vec<Case> {
    let case = |batch: usize, time: usize, queries: usize, keys: usize, width: usize| {
        let heads = Heads { queries, keys, width };
        Case::new(op, &[real(&[batch, time, heads.packed()])], move |x| x[0].attend(op, heads, sight))
    };
    vec![
        case(2, 5, 2, 2, 3),
        case(1, 4, 4, 2, 2).variant("grouped queries"),
        case(1, 3, 3, 1, 1).variant("one head of keys, of width 1"),
        case(1, 1, 1, 1, 2).variant("one position"),
        case(1, 0, 1, 1, 2).variant("no position"),
        case(0, 2, 1, 1, 2).variant("no sequence"),
        case(1, 67, 1, 1, 1).variant("two tiles of keys"),
        Case::new(op, &[real(&[3, 2, 6])], move |x| {
            x[0].transpose(0, 1).attend(op, Heads { queries: 1, keys: 1, width: 2 }, sight)
        })
        .variant("transposed"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook's form: all scores, the mask, where there is one, as −∞, a softmax over each row.
    fn composed(x: &Tensor<f64>, heads: Heads, sight: Sight) -> Tensor<f64> {
        let (time, width) = (x.shape()[1], heads.width);
        let head = |at: usize| x.narrow(2, at * width, width);
        let hides = |i: usize| sight == Sight::Before && i % time > i / time;
        let hidden: Vec<f64> = (0..time * time).map(|i| if hides(i) { f64::NEG_INFINITY } else { 0.0 }).collect();
        let mask = Tensor::from_vec(hidden, &[time, time]);
        let outputs: Vec<Tensor<f64>> = (0..heads.queries)
            .map(|n| {
                let m = n / heads.group();
                let (q, k, v) = (head(n), head(heads.queries + m), head(heads.queries + heads.keys + m));
                let scores = &(&q.matmul(&k.transpose(1, 2)) / (width as f64).sqrt()) + &mask;
                scores.softmax().matmul(&v)
            })
            .collect();
        Tensor::cat(&outputs.iter().collect::<Vec<_>>(), 2)
    }

    #[test]
    fn tiles_equal_the_composed_form_in_value_and_gradient() {
        let shapes = [
            (2, 7, Heads { queries: 2, keys: 2, width: 3 }),
            (1, 150, Heads { queries: 4, keys: 2, width: 5 }),
            (2, 65, Heads { queries: 3, keys: 1, width: 8 }),
        ];
        let both = [("causal_attention", Sight::Before), ("attention", Sight::All)];
        for ((batch, time, heads), (op, sight)) in shapes.into_iter().flat_map(|shape| both.map(|of| (shape, of))) {
            let len = batch * time * heads.packed();
            let x = (0..len).map(|i| ((i * i % 1009) as f64 * 0.37).sin() * 3.0).collect();
            let x = Tensor::from_vec(x, &[batch, time, heads.packed()]).tracked();
            let (fused, composed) = (x.attend(op, heads, sight), composed(&x, heads, sight));
            let seed = fused.value().mapv(|z| (z * 5.0).cos());
            let (d_fused, d_composed) = (fused.backward_with(seed.to_owned()), composed.backward_with(seed.to_owned()));
            for (what, a, b) in [
                ("value", fused.to_vec(), composed.to_vec()),
                ("gradient", flat(d_fused.of(&x)), flat(d_composed.of(&x))),
            ] {
                for (i, (a, b)) in a.iter().zip(&b).enumerate() {
                    assert!((a - b).abs() < 1e-12, "{op}, {heads:?}, {what} {i}: {a} {b}");
                }
            }
        }
    }

    fn flat(x: Option<&ndarray::ArrayD<f64>>) -> Vec<f64> {
        x.expect("a gradient").iter().copied().collect()
    }

    #[test]
    #[should_panic(expected = "causal_attention: input [1, 2, 7]")]
    fn a_row_that_is_not_made_of_heads_is_named() {
        _ = Tensor::<f64>::zeros(&[1, 2, 7]).causal_attention(Heads { queries: 2, keys: 1, width: 2 });
    }
}
