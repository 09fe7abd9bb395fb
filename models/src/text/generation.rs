//! Text drawn from a model, symbol by symbol, as bytes.

use super::network::Network;
use super::saved::TextModel;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Kind, Result};
use crate::medium::Sink;
use crate::sampling::{Generator, Options, Sampler};
use autograd::random::{Stream, Streams};

/// What is asked of a model of text.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What the text goes on from; where it is empty, a line break, if the vocabulary has one.
    pub prompt: &'a [u8],
    /// Whether the prompt is written before its continuation.
    pub echo: bool,
    /// How many symbols.
    pub symbols: usize,
    /// How each is chosen.
    pub options: Options,
    /// Of the random stream `sampling`.
    pub seed: u64,
}

/// Writes the symbols one by one to `sink`, exactly their bytes, until there are enough or nobody reads them.
///
/// # Errors
/// [`Kind::Usage`] for options that make no sense; [`Kind::BadInput`] for a prompt that the model has no codes for, and for a model
/// whose logits are not finite; the sink's.
pub fn generate<N: Network>(text: &TextModel<N>, request: &Request, sink: Sink) -> Result<()> {
    let sampler = Sampler::new(request.options.clone())?;
    let vocabulary = &text.vocabulary;
    let prompt = vocabulary.encode(request.prompt).map_err(|error| Error {
        kind: Kind::BadInput,
        what: format!("the model does not know the prompt: {}", error.what),
        ..error
    })?;
    if request.echo && sink(request.prompt)?.is_break() {
        return Ok(());
    }
    let prompt = if prompt.is_empty() { vocabulary.opening() } else { prompt };
    let decoder = text.model.decoder();
    let random = Streams::new(request.seed).stream("sampling");
    for symbol in Generator::new(&decoder, &prompt, sampler, random).checked().take(request.symbols) {
        if sink(vocabulary.symbol_bytes(symbol?))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// What a model writes without a prompt, as it is shown during training.
pub(super) fn opening_sample<N: Network>(
    model: &N,
    vocabulary: &Vocabulary,
    symbols: usize,
    stream: Stream,
) -> Vec<u8> {
    let decoder = model.decoder();
    let sampler = Sampler::new(Options::default()).expect("the default options are right");
    let codes = Generator::new(&decoder, &vocabulary.opening(), sampler, stream).take(symbols);
    codes.flat_map(|code| vocabulary.symbol_bytes(code).to_vec()).collect()
}
