//! Symbols into bits and back, each by its distribution: a range coder, which gives symbols back in the order in which they went in, as a
//! model that steps needs them. (Asymmetric numeral systems give them back in reverse: the distributions of a whole sequence would have to
//! be kept.)
//!
//! The state has 128 bits, of which at least 96 are in use; a probability has 32. So what the coder itself loses is below 2⁻⁶⁴ of a
//! symbol's interval, and two words of 32 bits at the end.
//!
//! Source: Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979; Bamler, "Understanding entropy
//! coding with asymmetric numeral systems: a statistician's perspective", 2022, for the crate `constriction`.

use super::intervals::{Coded, Intervals, PRECISION};
use crate::error::{Error, Kind, Result};
use constriction::backends::Cursor;
use constriction::stream::queue::{RangeDecoder, RangeEncoder};
use constriction::stream::{Decode, Encode};
use std::f64::consts::LN_2;

/// What an error says of bits that no encoder wrote.
pub(super) const IMPOSSIBLE: &str = "the bits are those of no symbol";

/// One of the two directions. What decides about the order of symbols is written once, for both.
pub trait Coder {
    /// Codes the symbol of a sequence at a place, or the one after its last: encoding reads it there, decoding puts it there.
    ///
    /// # Errors
    /// [`Kind::BadInput`] for bits that no encoder wrote.
    fn code<D: Coded>(&mut self, distribution: &D, sequence: &mut Vec<u32>, place: usize) -> Result<u32>;
}

/// Symbols into bits.
#[derive(Default)]
pub struct Encoder {
    coder: RangeEncoder<u32, u128>,
    memory: Vec<f64>,
    nats: f64,
}

impl Encoder {
    /// `−Σ log₂ p` of the symbols so far, by their distributions and not by the coder.
    pub fn likelihood_bits(&self) -> f64 {
        self.nats / LN_2
    }

    /// The bits, in whole words of 32, the most significant byte first.
    pub fn finish(self) -> Vec<u8> {
        let Ok(words) = self.coder.into_compressed();
        words.into_iter().flat_map(u32::to_be_bytes).collect()
    }
}

impl Coder for Encoder {
    fn code<D: Coded>(&mut self, distribution: &D, sequence: &mut Vec<u32>, place: usize) -> Result<u32> {
        let symbol = sequence[place];
        if distribution.symbols() > 1 {
            self.nats -= distribution.log_probability(symbol);
            let intervals = Intervals::new(distribution, &mut self.memory);
            let coded: std::result::Result<(), _> =
                Encode::<PRECISION>::encode_symbol(&mut self.coder, symbol, intervals);
            coded.expect("every symbol has an interval, and a vector takes every word");
        }
        Ok(symbol)
    }
}

/// Bits into symbols.
pub struct Decoder {
    coder: RangeDecoder<u32, u128, Cursor<u32, Vec<u32>>>,
    memory: Vec<f64>,
}

impl Decoder {
    /// Of what [`Encoder::finish`] gave; what lies behind it counts as zeros.
    pub fn new(bytes: &[u8]) -> Self {
        let word = |bytes: &[u8]| {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            u32::from_be_bytes(word)
        };
        let words: Vec<u32> = bytes.chunks(4).map(word).collect();
        let Ok(coder) = RangeDecoder::from_compressed(words);
        Decoder { coder, memory: Vec::new() }
    }
}

impl Coder for Decoder {
    fn code<D: Coded>(&mut self, distribution: &D, sequence: &mut Vec<u32>, _: usize) -> Result<u32> {
        let symbol = if distribution.symbols() > 1 {
            let intervals = Intervals::new(distribution, &mut self.memory);
            let decoded: std::result::Result<u32, _> = Decode::<PRECISION>::decode_symbol(&mut self.coder, intervals);
            decoded.map_err(|_| Error::new(Kind::BadInput, IMPOSSIBLE))?
        } else {
            0
        };
        sequence.push(symbol);
        Ok(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::{Categorical, Distribution};
    use autograd::random::Streams;
    use rand::RngExt;

    #[test]
    fn symbols_come_back_in_their_order_and_cost_what_they_are_unlikely() {
        let mut random = Streams::new(8).stream("symbols");
        for steepness in [0.0, 0.01, 1.0, 8.0, 200.0] {
            for symbols in [2, 3, 256, 10_000] {
                let logits = |i: u32| (0..symbols).map(|s| steepness * f64::from((s * 7 + i) % 11) / 10.0).collect();
                let all: Vec<Categorical<f64>> = (0..600).map(|i| Categorical { logits: logits(i) }).collect();
                let mut sequence: Vec<u32> = all.iter().map(|d| d.sample(&mut random)).collect();
                // Some that the model finds all but impossible.
                sequence[random.random_range(0..600)] = 0;
                let mut encoder = Encoder::default();
                for (t, d) in all.iter().enumerate() {
                    encoder.code(d, &mut sequence, t).unwrap();
                }
                let least = encoder.likelihood_bits();
                let bytes = encoder.finish();
                let bits = 8.0 * bytes.len() as f64;
                assert!(bits < least * 1.001 + 64.0, "{bits} of {least} bits");
                // What is less likely than a unit of the whole is given its two units nevertheless.
                let units = 4.0 / f64::from(u32::MAX);
                let each = all.iter().zip(&sequence).map(|(d, &s)| -(d.log_probability(s).exp() + units).log2());
                assert!(bits > each.sum::<f64>() * 0.999, "{bits} of {least} bits");
                let (mut decoder, mut decoded) = (Decoder::new(&bytes), Vec::new());
                for (t, d) in all.iter().enumerate() {
                    decoder.code(d, &mut decoded, t).unwrap();
                }
                assert_eq!(decoded, sequence);
            }
        }
    }

    #[test]
    fn what_can_only_be_one_thing_costs_nothing() {
        let only = Categorical { logits: vec![1.0_f32] };
        let mut encoder = Encoder::default();
        (0..100).for_each(|t| _ = encoder.code(&only, &mut vec![0; 100], t).unwrap());
        assert!(encoder.finish().is_empty());
        let (mut decoder, mut decoded) = (Decoder::new(&[]), Vec::new());
        (0..100).for_each(|t| _ = decoder.code(&only, &mut decoded, t).unwrap());
        assert_eq!(decoded, [0; 100]);
    }
}
