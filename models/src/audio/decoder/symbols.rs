//! What a symbol enters the first layer as.

use super::super::wavenet::{Input, WaveNet};
use autograd::Scalar;

/// What a symbol is read as.
pub enum Symbols<T> {
    /// As its row of R.
    Table(Vec<T>),
    /// As a level, a number: `b + w·x`.
    Levels {
        /// Which number each is.
        input: Input,
        /// (R).
        weight: Vec<T>,
        /// (R).
        bias: Vec<T>,
    },
}

impl<T: Scalar> Symbols<T> {
    pub fn new(network: &WaveNet<T>) -> Self {
        match (&network.embedding, &network.first) {
            (Some(table), _) => Symbols::Table(table.weight.values().to_vec()),
            (None, Some(first)) => Symbols::Levels {
                input: network.input(),
                weight: first.weight.values().to_vec(),
                bias: first.bias.as_ref().map_or_else(Vec::new, |bias| bias.values().to_vec()),
            },
            (None, None) => unreachable!("a network has one of the two"),
        }
    }

    /// The vector that a position reads: that of the symbol before it, zeros before the first.
    ///
    /// # Shapes
    /// → `x` (R)
    ///
    /// # Panics
    /// If the symbol is none.
    #[track_caller]
    pub fn read(&self, symbol: Option<u32>, x: &mut [T]) {
        let Some(symbol) = symbol else { return x.fill(T::zero()) };
        match self {
            Symbols::Table(rows) => x.copy_from_slice(&rows[symbol as usize * x.len()..][..x.len()]),
            Symbols::Levels { input, weight, bias } => {
                let level: T = input.scaled(symbol);
                x.iter_mut().zip(weight).zip(bias).for_each(|((x, &w), &b)| *x = level.mul_add(w, b));
            }
        }
    }

    /// Those of reading one.
    pub fn multiply_adds(&self) -> usize {
        match self {
            Symbols::Table(_) => 0,
            Symbols::Levels { weight, .. } => weight.len(),
        }
    }
}
