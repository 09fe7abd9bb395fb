//! Self-attention: one projection to queries, keys and values, the heads, one projection back.

use super::Linear;
use crate::ops::Heads;
use crate::{Scalar, Tensor, module};

/// `proj(attention(qkv(x)))`, each position looking back at those before it and at itself, or at all.
#[derive(Clone, Debug)]
pub struct SelfAttention<T> {
    /// C → (N + 2M)·D: queries, keys and values, head by head.
    pub qkv: Linear<T>,
    /// N·D → C.
    pub proj: Linear<T>,
    /// How many heads there are, and how wide.
    pub heads: Heads,
    /// Whether a position sees those before it and itself alone, or all.
    pub causal: bool,
    /// The base of rotary positions, where queries and keys are turned by theirs.
    pub rotary: Option<f64>,
}

module!(SelfAttention { qkv, proj });

impl<T: Scalar> SelfAttention<T> {
    /// # Shapes
    /// (B, T, C) → (B, T, C)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let qkv = self.qkv.forward(x);
        let Heads { queries, keys, width } = self.heads;
        let qkv = match self.rotary {
            Some(base) => qkv.rotary(queries + keys, width, base, 0),
            None => qkv,
        };
        let attended = if self.causal { qkv.causal_attention(self.heads) } else { qkv.attention(self.heads) };
        self.proj.forward(&attended)
    }
}
