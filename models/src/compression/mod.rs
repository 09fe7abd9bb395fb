//! A model as a compressor: its likelihood as bytes. Written once against [`crate::autoregressive::Autoregressive`]; a family only says how a
//! file becomes codes and back (`text/compression.rs`, `image/compression.rs`, `audio/compression.rs`).
//!
//! A symbol of probability p costs `−log₂ p` bits, so a file is as long as the model finds it surprising, plus some thirty bytes. Nobody
//! can cheat: what the decoder does not know before a symbol cannot have helped to code it, and a model that sees what it predicts gives a
//! small file from which nothing comes back. The range coder is that of the crate `constriction`.
//!
//! | file | holds |
//! | --- | --- |
//! | [`intervals`] | a distribution as whole numbers, the same on every machine |
//! | [`coder`] | symbols into bits and back, each by its distribution |
//! | [`sequences`] | the order in which symbols are coded, once for both directions |
//! | [`mod@format`] | the file around the bits: whose they are, and checksums |
//! | [`identity`] | how a file knows its model again |
//! | [`rivals`] | what compressors that know no model reach |
//!
//! Encoding steps through the model as decoding must: both see the same bits of the same distributions, on any number of threads and any
//! instruction set (`docs/decisions/0001`, `0025`).

pub mod coder;
pub mod format;
pub mod identity;
pub mod intervals;
pub mod rivals;
pub mod sequences;

use crate::error::{Error, Kind, Result};
use coder::{Decoder, Encoder};
use format::{Form, Header};
use rivals::Rival;
use sequences::{Sequences, Source, run};

/// A compressed file, and what the model says of its length.
#[derive(Clone, Debug)]
pub struct Compressed {
    /// The file.
    pub bytes: Vec<u8>,
    /// The symbols in it.
    pub symbols: usize,
    /// `−Σ log₂ p` of them: the length that no coder can be below on average.
    pub likelihood_bits: f64,
}

/// What is told of a file that was compressed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file, and the model's likelihood.
    pub compressed: Compressed,
    /// The bytes that were given.
    pub given: u64,
    /// What comes back.
    pub kept: Kept,
    /// What other compressors reach on what comes back, the crudest first.
    pub rivals: Vec<Rival>,
}

/// What comes back of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of it, byte for byte.
    Bytes,
    /// What it holds, as a file that is written anew: `every sample`.
    Content(&'static str),
    /// Something else, in a sentence: a model of fewer levels knows no more.
    Changed(String),
}

/// Is told how many symbols are done, of how many; an error stops the work.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize) -> Result<()>;

/// Compresses sequences.
///
/// # Errors
/// [`Kind::BadInput`] where what the model gives is no distribution; those of `progress`.
///
/// # Panics
/// If the sequences are not all of one length, that of the model where it has one; if a symbol or a label is none of the model's.
pub fn compress<S: Source>(
    source: &S,
    identity: u64,
    form: Form,
    sequences: &mut Sequences,
    progress: Progress,
) -> Result<Compressed> {
    let length = sequences.codes.first().map_or(0, Vec::len);
    assert!(sequences.codes.iter().all(|codes| codes.len() == length), "sequences of one length");
    let mut encoder = Encoder::default();
    run(source, &mut encoder, sequences, length, progress)?;
    let likelihood_bits = encoder.likelihood_bits();
    let header = Header {
        form,
        identity,
        sequences: sequences.codes.len() as u64,
        length: length as u64,
        checksum: sequences.checksum(),
    };
    let bytes = format::write(&header, encoder.finish());
    Ok(Compressed { bytes, symbols: sequences.codes.len() * length, likelihood_bits })
}

/// Brings back what [`compress`] was given. `name` is the file's, for messages.
///
/// # Errors
/// [`Kind::BadInput`] where the file was compressed by another model, or what comes out is not what went in; those of `progress`.
pub fn decompress<S: Source>(
    source: &S,
    identity: u64,
    file: &format::File,
    name: &str,
    progress: Progress,
) -> Result<Sequences> {
    let Header { identity: written, sequences, length, checksum, .. } = file.header;
    if written != identity {
        return Err(Error::new(Kind::BadInput, format!("{name} was compressed by another model"))
            .cause(format!("its model has the fingerprint {written:016x}, this one {identity:016x}"))
            .help("name the run or the checkpoint that compressed it; a run that has been trained on since has other weights"));
    }
    let mut decoded = Sequences::empty(sequences as usize);
    let mut decoder = Decoder::new(file.payload);
    run(source, &mut decoder, &mut decoded, length as usize, progress).map_err(|error| match error.what.as_str() {
        sequences::NOT_OF_THIS_LENGTH => Error { what: format!("{name}: {}", error.what), ..error },
        coder::IMPOSSIBLE => not_the_same(name),
        _ => error,
    })?;
    if decoded.checksum() != checksum {
        return Err(not_the_same(name));
    }
    Ok(decoded)
}

/// What came out is not what went in, though file and model are those that were asked for.
fn not_the_same(name: &str) -> Error {
    Error::new(Kind::BadInput, format!("{name} does not come back: other symbols come out than went in"))
        .cause("the file is whole and the model is its own, so the model's probabilities are others now than when it was compressed")
        .help("`autoreg check` tells whether the model sees what it predicts; decompress with the version that compressed it")
}

#[cfg(test)]
#[path = "compression_tests.rs"]
mod tests;
