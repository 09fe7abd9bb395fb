//! Classical floors of a text: what counting achieves before any network is trained. A model that is worse has learned nothing.
//!
//! The counting itself is in [`crate::text::markov`]; here its likelihoods are named and put beside a model's.

use crate::error::{Error, Kind, Result};
use crate::evaluation::Floor;
use crate::text::markov::MarkovChain;

/// The highest order of Markov chain among the floors.
pub const MAX_ORDER: usize = 6;

/// The mean negative log-likelihood of a text under models that only count, in nats per symbol.
#[derive(Clone, Debug, PartialEq)]
pub struct Floors {
    /// Every symbol equally likely: `ln V`.
    pub uniform: f64,
    /// Interpolated Witten-Bell chains ([`MarkovChain`]) of order 0 (the unigram), 1, 2, … [`MAX_ORDER`].
    pub markov: Vec<f64>,
}

impl Floors {
    /// Counts the training part `train` and scores every symbol of `scored`, both codes below `size` (V).
    ///
    /// `scored` starts without context: its first symbol is predicted by the unigram, its second by the chain of order at
    /// most 1, and so on, as a network that starts from an empty state sees it.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if either part is empty: there is nothing to count, or nothing to score.
    ///
    /// # Panics
    /// If a code is not below `size`.
    pub fn measure(train: &[u32], scored: &[u32], size: usize) -> Result<Self> {
        if train.is_empty() || scored.is_empty() {
            let part = if train.is_empty() { "training" } else { "evaluated" };
            return Err(Error::new(Kind::BadInput, "cannot compute the classical floors")
                .cause(format!("the {part} part of the text is empty"))
                .help("give a longer text, or another split"));
        }
        let markov = MarkovChain::fit(train, size, MAX_ORDER).nats_per_symbol(scored);
        Ok(Floors { uniform: (size as f64).ln(), markov })
    }

    /// Name and nats per symbol of each floor, from the crudest: `uniform`, `unigram`, `markov_1`, `markov_2`, …
    pub fn iter(&self) -> impl Iterator<Item = (String, f64)> {
        let name = |order| if order == 0 { "unigram".to_string() } else { format!("markov_{order}") };
        let chains = self.markov.iter().enumerate().map(move |(order, &nats)| (name(order), nats));
        std::iter::once(("uniform".to_string(), self.uniform)).chain(chains)
    }

    /// The floors of [`Floors::iter`], as every family lists them.
    pub fn list(&self) -> Vec<Floor> {
        self.iter().map(|(name, nats)| Floor { name, nats }).collect()
    }

    /// The lowest floor: the one a model has to beat.
    pub fn best(&self) -> (String, f64) {
        let crudest = ("uniform".to_string(), self.uniform);
        self.iter().fold(crudest, |best, floor| if floor.1 < best.1 { floor } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn a_text_of_one_repeated_symbol_costs_nothing_once_counted_out_of_one() {
        let floors = Floors::measure(&[0; 50], &[0; 20], 1).unwrap();
        assert!(floors.iter().all(|(_, nats)| nats == 0.0), "{floors:?}");
    }

    #[test]
    fn the_floors_of_a_tiny_text_equal_their_formulas() {
        // Training "abab" over {a, b, c}: unigram P(a) = (2 + 2/3)/(4 + 2), P(c) = (0 + 2/3)/6.
        // After "a": one follower, b, twice: P(b|a) = (2 + 1·P(b))/(2 + 1).
        let floors = Floors::measure(&[0, 1, 0, 1], &[0, 1, 2], 3).unwrap();
        let (a, c) = ((2.0 + 2.0 / 3.0) / 6.0, (2.0 / 3.0) / 6.0);
        let b_after_a: f64 = (2.0 + a) / 3.0;
        let c_after_b: f64 = (0.0 + c) / 2.0; // b was followed once, by a
        let c_after_ab: f64 = c_after_b / 2.0; // ab was followed once, by a
        assert_relative_eq!(floors.uniform, 3f64.ln());
        assert_relative_eq!(floors.markov[0], -(a * a * c).ln() / 3.0, epsilon = 1e-12);
        assert_relative_eq!(floors.markov[1], -(a * b_after_a * c_after_b).ln() / 3.0, epsilon = 1e-12);
        assert_relative_eq!(floors.markov[2], -(a * b_after_a * c_after_ab).ln() / 3.0, epsilon = 1e-12);
        assert_relative_eq!(floors.markov[6], floors.markov[2], epsilon = 1e-12);
    }

    #[test]
    fn the_floors_are_named_in_order_and_the_best_is_the_lowest() {
        let train: Vec<u32> = (0..400).map(|i| [0, 1, 2, 1][i % 4]).collect();
        let floors = Floors::measure(&train, &train[..100], 3).unwrap();
        let names: Vec<String> = floors.iter().map(|floor| floor.0).collect();
        assert_eq!(
            names,
            ["uniform", "unigram", "markov_1", "markov_2", "markov_3", "markov_4", "markov_5", "markov_6"]
        );
        let lowest = floors.iter().map(|floor| floor.1).fold(f64::INFINITY, f64::min);
        assert_eq!(floors.best().1, lowest);
        assert!(lowest < 0.1, "the cycle is certain once two symbols are known: {lowest}");
    }

    #[test]
    fn an_empty_part_is_an_error_that_names_it() {
        assert!(Floors::measure(&[], &[0], 1).unwrap_err().cause.contains("training"));
        assert!(Floors::measure(&[0], &[], 1).unwrap_err().cause.contains("evaluated"));
    }
}
