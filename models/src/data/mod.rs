//! The data of a training as files: which ones a path means, which of them serve what, and how a run knows them again.
//!
//! What is in them (symbols, values, pixels, samples) is a family's. This file is the map of the folder, and holds [`Part`].
//!
//! | file | holds |
//! | --- | --- |
//! | [`files`] | the files that a path means, read whole, in one order |
//! | [`parts`] | which of them are trained on, validated on, tested on |
//! | `shared` | that none of them serves two parts |
//! | `reading` | the bytes of one of them, within the memory that is free |
//! | [`sniff`] | what a file is that is no plain text |
//! | `table` | what holds of every CSV file |
//! | [`batches`] | the order in which examples are read: shuffled epochs |
//! | [`fingerprint`] | length and hash, by which a resumed run knows its data again |

pub mod batches;
pub mod files;
pub mod fingerprint;
pub mod parts;
mod reading;
mod shared;
pub mod sniff;
pub(crate) mod table;

use serde::Serialize;

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All of it.
    All,
    /// What is trained on.
    Train,
    /// What training is watched on, and choices are made on.
    Validation,
    /// What training never sees.
    Test,
}

impl Part {
    /// As the command line and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Part::All => "all",
            Part::Train => "train",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }
}
