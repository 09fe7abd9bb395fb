//! Text drawn from a model, symbol by symbol, as bytes.

use super::network::Network;
use super::saved::TextModel;
use super::vocabulary::{Vocabulary, VocabularyKind};
use crate::data::sniff::without_mark;
use crate::error::{Error, Kind, Result};
use crate::medium::Sink;
use crate::sampling::{Generator, Options, Sampler};
use autograd::random::{Stream, Streams};

/// What is asked of a model of text.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What the text goes on from; where it is empty, nothing: the first symbol is drawn as an evaluation scores a first symbol.
    pub prompt: &'a [u8],
    /// Goes on from a line break, where there is no prompt.
    pub fresh_line: bool,
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
    // What a program put before a text is no symbol of it, in a prompt as in the data.
    let given = match vocabulary.kind() {
        VocabularyKind::Bytes => request.prompt,
        _ => without_mark(request.prompt).0,
    };
    let prompt = vocabulary.encode(given).map_err(|error| Error {
        kind: Kind::BadInput,
        what: format!("the model does not know the prompt: {}", error.what),
        ..error
    })?;
    if request.echo && sink(given)?.is_break() {
        return Ok(());
    }
    let opening = vocabulary.opening();
    if request.fresh_line && opening.is_empty() {
        return Err(Error::new(Kind::Usage, "--fresh-line: the model knows no line break")
            .help("give a --prompt, or begin from nothing"));
    }
    let prompt = if prompt.is_empty() && request.fresh_line { opening } else { prompt };
    let decoder = text.model.decoder();
    let random = Streams::new(request.seed).stream("sampling");
    for symbol in Generator::new(&decoder, &prompt, sampler, random).checked().take(request.symbols) {
        if sink(vocabulary.symbol_bytes(symbol?))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// What a model writes on a fresh line, as it is shown during training.
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
