//! A table of vectors, one for each symbol.

use super::{Param, init};
use crate::random::Stream;
use crate::{Scalar, Tensor, module};

/// One row for each symbol. PyTorch's `nn.Embedding`: weight (V, C), drawn from N(0, 1).
#[derive(Clone, Debug)]
pub struct Embedding<T> {
    /// (V, C).
    pub weight: Param<T>,
}

module!(Embedding { weight });

impl<T: Scalar> Embedding<T> {
    /// A table of `symbols` rows of length `channels`.
    pub fn new(symbols: usize, channels: usize, stream: &mut Stream) -> Self {
        Self::normal(symbols, channels, 1.0, stream)
    }

    /// A table drawn from N(0, deviation²).
    pub fn normal(symbols: usize, channels: usize, deviation: f64, stream: &mut Stream) -> Self {
        Embedding { weight: init::normal(&[symbols, channels], deviation, stream) }
    }

    /// The rows of the given symbols.
    ///
    /// # Shapes
    /// `symbols` one for each position of `leading`, in row-major order → (leading…, C)
    ///
    /// # Panics
    /// If a symbol is not below V, or the number of symbols is not that of positions.
    #[track_caller]
    pub fn forward(&self, symbols: &[u32], leading: &[usize]) -> Tensor<T> {
        self.weight.embedding(symbols, leading)
    }
}
