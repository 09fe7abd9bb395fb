//! Rotary positions: pairs of channels turned by an angle that grows with the position, so that the product of a query and a key depends
//! on their distance.
//!
//! Source: Su et al., "RoFormer", 2021, equation 34; channel i is paired with i + D/2, as in LLaMA and GPT-NeoX.

use super::row_tasks::{count_rows, for_each_row_block};
use crate::Scalar;

/// Cosines and sines of the angles `t·base^(−2i/D)` of positions from one on, computed in double precision.
#[derive(Clone, Debug)]
pub struct Angles<T> {
    /// D/2.
    pairs: usize,
    /// (positions, D/2) pairs of cosine and sine.
    turns: Vec<(T, T)>,
}

impl<T: Scalar> Angles<T> {
    /// Those of `positions` positions from `first` on, for heads of an even width.
    ///
    /// # Panics
    /// If the width is odd.
    pub fn new(width: usize, base: f64, first: usize, positions: usize) -> Self {
        assert!(width.is_multiple_of(2), "rotary: a head of odd width {width}");
        let pairs = width / 2;
        let turn = |t: usize, i: usize| {
            let angle = t as f64 * base.powf(-2.0 * i as f64 / width as f64);
            (T::of(libm::cos(angle)), T::of(libm::sin(angle)))
        };
        let turns = (first..first + positions).flat_map(|t| (0..pairs).map(move |i| turn(t, i))).collect();
        Angles { pairs, turns }
    }

    /// Turns the first `heads` heads of each row, row r of position r modulo the number of positions; back, if so wanted.
    ///
    /// # Shapes
    /// `x` (R, C), C ≥ `heads`·D
    ///
    /// # Panics
    /// If `x` is not made of rows of `cols`, or a row is shorter than the heads.
    pub fn turn(&self, x: &mut [T], cols: usize, heads: usize, back: bool) {
        let (pairs, width) = (self.pairs, 2 * self.pairs);
        assert!(heads * width <= cols, "rotary: {heads} heads of {width} in rows of {cols}");
        if count_rows("rotary", x, cols) == 0 || self.turns.is_empty() {
            return;
        }
        let positions = self.turns.len() / pairs;
        for_each_row_block(cols, x, |first, x| {
            for (r, row) in x.chunks_exact_mut(cols).enumerate() {
                let turns = &self.turns[(first + r) % positions * pairs..][..pairs];
                for head in row[..heads * width].chunks_exact_mut(width) {
                    let (a, b) = head.split_at_mut(pairs);
                    for ((a, b), &(cos, sin)) in a.iter_mut().zip(b).zip(turns) {
                        let sin = if back { -sin } else { sin };
                        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                    }
                }
            }
        });
    }
}
