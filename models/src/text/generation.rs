//! Text drawn from a model, symbol by symbol or in one of the ways around the loop, as bytes.

use super::draft::Draft;
use super::network::Network;
use super::saved::TextModel;
use super::vocabulary::{Vocabulary, VocabularyKind};
use crate::autoregressive::Autoregressive;
use crate::data::sniff::without_mark;
use crate::decoding::Cost;
use crate::decoding::beam::search;
use crate::decoding::jacobi::Jacobi;
use crate::decoding::speculative::Speculative;
use crate::distribution::Discrete;
use crate::error::{Error, Kind, Result};
use crate::medium::Sink;
use crate::sampling::{Generator, Options, Sampler, Weigh};
use autograd::random::{Stream, Streams};

/// How the symbols come about.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    /// One after the other.
    Sequential,
    /// The same symbols, by improving so many guesses side by side.
    Jacobi {
        /// Guesses of a pass.
        ahead: usize,
    },
    /// Other symbols of the same law: a draft proposes, the model judges.
    Speculative {
        /// Who proposes.
        draft: &'a Draft,
        /// Proposals of a pass.
        ahead: usize,
    },
    /// A likely continuation, which is no sample.
    Beam {
        /// Continuations that are gone on with.
        beams: usize,
    },
}

/// What a text goes on from.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What the text goes on from; where it is empty, nothing: the first symbol is drawn as an evaluation scores a first symbol.
    pub prompt: &'a [u8],
    /// Goes on from a line break, where there is no prompt.
    pub fresh_line: bool,
    /// Whether the prompt is written before its continuation.
    pub echo: bool,
}

/// What is asked of a model of text.
#[derive(Clone)]
pub struct Request<'a> {
    /// What the text goes on from.
    pub asked: Asked<'a>,
    /// How many symbols.
    pub symbols: usize,
    /// How each is chosen.
    pub options: Options,
    /// Of the random stream `sampling`.
    pub seed: u64,
    /// How they come about.
    pub way: Way<'a>,
}

/// Writes the symbols one by one to `sink`, exactly their bytes, until there are enough or nobody reads them; tells what they cost.
///
/// # Errors
/// [`Kind::Usage`] for options that make no sense; [`Kind::BadInput`] for a prompt that the model has no codes for, and for a model
/// whose logits are not finite; the sink's.
pub fn generate<N: Network>(text: TextModel<N>, request: &Request, sink: Sink) -> Result<Cost> {
    request.options.check()?;
    let TextModel { model, vocabulary } = text;
    let Some(prompt) = prompt(&vocabulary, &request.asked, sink)? else { return Ok(Cost::default()) };
    let decoder = model.into_decoder();
    let random = Streams::new(request.seed).stream("sampling");
    let mut write = |symbol: u32| sink(vocabulary.symbol_bytes(symbol)).map(|flow| flow.is_break());
    draw(&decoder, &prompt, request.options.clone(), random, request.symbols, request.way, &mut write)
}

/// The codes that a text goes on from, written to `sink` where that is asked for; none where nobody reads it.
///
/// # Errors
/// As [`generate`], of the prompt.
pub(super) fn prompt(vocabulary: &Vocabulary, asked: &Asked, sink: Sink) -> Result<Option<Vec<u32>>> {
    let &Asked { prompt, fresh_line, echo } = asked;
    // What a program put before a text is no symbol of it, in a prompt as in the data.
    let given = match vocabulary.kind() {
        VocabularyKind::Bytes => prompt,
        _ => without_mark(prompt).0,
    };
    let prompt = vocabulary.encode(given).map_err(|error| Error {
        kind: Kind::BadInput,
        what: format!("the model does not know the prompt: {}", error.what),
        ..error
    })?;
    if echo && sink(given)?.is_break() {
        return Ok(None);
    }
    let opening = vocabulary.opening();
    if fresh_line && opening.is_empty() {
        return Err(Error::new(Kind::Usage, "--fresh-line: the model knows no line break")
            .help("give a --prompt, or begin from nothing"));
    }
    Ok(Some(if prompt.is_empty() && fresh_line { opening } else { prompt }))
}

/// Draws so many symbols after a prompt; `write` has each, and says whether that was enough.
pub(super) fn draw<M>(
    decoder: &M,
    prompt: &[u32],
    options: Options,
    random: Stream,
    count: usize,
    way: Way,
    write: &mut dyn FnMut(u32) -> Result<bool>,
) -> Result<Cost>
where
    M: Autoregressive<Symbol = u32, Distribution: Weigh + Discrete>,
{
    let generator = || Ok(Generator::new(decoder, prompt, Sampler::new(options)?, random));
    match way {
        Way::Sequential => {
            let mut symbols = generator()?.checked();
            let mut cost = Cost::default();
            let draw = || {
                // The first symbol's distribution is there before any pass.
                (cost.symbols, cost.passes) = (cost.symbols + 1, cost.symbols);
                symbols.next().transpose()
            };
            hand_out(count, draw, write)?;
            Ok(cost)
        }
        Way::Jacobi { ahead } => {
            let mut jacobi = Jacobi::new(generator()?, ahead);
            hand_out(count, || jacobi.draw(), write)?;
            Ok(jacobi.cost())
        }
        Way::Speculative { draft, ahead } => match draft {
            Draft::Markov(draft) => speculate(generator()?, draft, prompt, ahead, count, write),
            Draft::Recurrent(draft) => speculate(generator()?, &**draft, prompt, ahead, count, write),
            Draft::Gpt(draft) => speculate(generator()?, &**draft, prompt, ahead, count, write),
        },
        Way::Beam { beams } => {
            let (found, cost) = search(decoder, prompt, beams, count)?;
            let mut symbols = found[0].symbols.iter();
            hand_out(count, || Ok(symbols.next().copied()), write)?;
            Ok(cost)
        }
    }
}

/// Symbols as they are drawn, until there are enough or nobody reads them.
fn hand_out(
    count: usize,
    mut draw: impl FnMut() -> Result<Option<u32>>,
    write: &mut dyn FnMut(u32) -> Result<bool>,
) -> Result<()> {
    for _ in 0..count {
        let Some(symbol) = draw()? else { break };
        if write(symbol)? {
            break;
        }
    }
    Ok(())
}

fn speculate<M, D>(
    generator: Generator<M, Stream>,
    draft: &D,
    prompt: &[u32],
    ahead: usize,
    count: usize,
    write: &mut dyn FnMut(u32) -> Result<bool>,
) -> Result<Cost>
where
    M: Autoregressive<Symbol = u32, Distribution: Weigh>,
    D: Autoregressive<Symbol = u32, Distribution: Weigh>,
{
    let mut speculative = Speculative::new(generator, draft, prompt, ahead);
    hand_out(count, || speculative.draw(), write)?;
    Ok(speculative.cost())
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
