//! How likely data is under a model, of any family, and the floors that stand beside it. A family adds what else it measures.

use serde::{Serialize, Serializer};
use std::f64::consts::LN_2;

/// The negative log-likelihood of so many symbols.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Likelihood {
    /// Symbols scored.
    pub symbols: usize,
    /// Their mean `−ln p`.
    pub nats_per_symbol: f64,
    /// The same in bits.
    pub bits_per_symbol: f64,
    /// `exp` of the nats: as uncertain as a choice among so many equally likely symbols.
    pub perplexity: f64,
}

impl Likelihood {
    /// Of symbols with this mean `−ln p`.
    pub fn new(symbols: usize, nats_per_symbol: f64) -> Self {
        Likelihood {
            symbols,
            nats_per_symbol,
            bits_per_symbol: nats_per_symbol / LN_2,
            perplexity: nats_per_symbol.exp(),
        }
    }
}

/// What a simple rival reaches on the same data: a model that is worse has learned nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    /// The rival: `markov_4`.
    pub name: String,
    /// Its nats per symbol.
    pub nats: f64,
}

/// The floors as one JSON object, name → nats per symbol, crudest first.
///
/// # Errors
/// The serializer's.
pub fn as_object<S: Serializer>(floors: &[Floor], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(floors.iter().map(|Floor { name, nats }| (name, nats)))
}
