//! The exact likelihood of a text under a model, beside what counting alone achieves on the same symbols.

use super::corpus::{Corpus, Split, whole};
use super::floors::Floors;
use super::network::Network;
use super::saved::TextModel;
use super::vocabulary::VocabularyKind;
use crate::autoregressive::Autoregressive;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::{Distribution, log_probability, not_finite};
use crate::error::{Error, Kind, Result};
use crate::evaluation::{Floor, Likelihood, as_object};
use autograd::no_grad;
use serde::Serialize;
use std::time::Instant;

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct TextEvaluation {
    /// Of the model. Every symbol counts: the first is predicted from the empty state.
    #[serde(flatten)]
    pub likelihood: Likelihood,
    /// Of Markov chains counted on the training part, crudest first; none where the text is too short for one.
    #[serde(serialize_with = "as_object")]
    pub floors: Vec<Floor>,
    /// How many symbols the floors counted.
    pub floors_counted_on: usize,
    /// Wall time of scoring, without the floors.
    pub seconds: f64,
    /// How far back each symbol is predicted from, of a network whose sight has a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// Line by line; a line ends with its line break.
    #[serde(skip)]
    pub lines: Vec<Line>,
}

/// How many symbols before it a symbol is predicted from, once so many have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Context {
    /// Symbols between the beginnings of two windows.
    pub stride: usize,
    /// The fewest.
    pub least: usize,
    /// The most: the network's context.
    pub most: usize,
}

impl Context {
    /// Of a network with a limited context, in windows that begin so far apart; where nobody says, as it generates.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a stride that is 0 or beyond the context, or for a network that sees all there is.
    pub fn of<N: Network>(config: &N::Config, stride: Option<usize>) -> Result<Option<Self>> {
        let wrong = |stride: usize, cause: String| {
            Error::new(Kind::Usage, format!("--stride {stride}: no windows can begin so far apart")).cause(cause)
        };
        let Some(most) = N::context(config) else {
            return stride.map_or(Ok(None), |stride| {
                Err(wrong(
                    stride,
                    "the state of a recurrent model is carried on: each symbol is predicted from all before it"
                        .to_owned(),
                ))
            });
        };
        let stride = stride.unwrap_or(most.div_ceil(2));
        if !(1..=most).contains(&stride) {
            return Err(wrong(stride, format!("the model's context is {most} symbols"))
                .help("give a stride from 1, which predicts each symbol from the whole context, to that"));
        }
        Ok(Some(Context { stride, least: most - stride + 1, most }))
    }
}

/// A line of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// Its symbols.
    pub symbols: usize,
    /// Their `−ln p` together.
    pub nats: f64,
}

/// Symbols scored between two calls of `progress`.
const PIECE: usize = 4096;

/// Positions of the windows of one pass.
const POSITIONS: usize = 4096;

/// `−ln p` of each symbol, in windows of the context that begin `stride` apart, of each of which the symbols that none before it has
/// scored are scored. `progress` is told how many are done.
fn strided<N: Network>(
    model: &N,
    symbols: &[u32],
    Context { stride, most, .. }: Context,
    progress: &mut dyn FnMut(usize),
) -> Vec<f64> {
    let decoder = model.decoder();
    let Some(&first) = symbols.first() else { return Vec::new() };
    let mut nats = vec![-decoder.next(&decoder.start()).log_probability(first)];
    let size = N::symbols(model.config());
    let mut begin = 0;
    while nats.len() < symbols.len() {
        let left = symbols.len() - begin;
        // Whole windows side by side; one that the text ends in, alone.
        let whole = (left.saturating_sub(most) / stride + usize::from(left >= most)).min((POSITIONS / most).max(1));
        let (batch, length) = if whole > 0 { (whole, most) } else { (1, left) };
        let windows: Vec<u32> = (0..batch).flat_map(|i| &symbols[begin + i * stride..][..length]).copied().collect();
        let logits = no_grad(|| model.window(&windows, batch, None, None).0).to_vec();
        for (i, logits) in logits.chunks_exact(length * size).enumerate() {
            let begin = begin + i * stride;
            let known = nats.len() - begin - 1;
            let targets = &symbols[nats.len()..symbols.len().min(begin + length + 1)];
            let rows = logits.chunks_exact(size).skip(known).zip(targets);
            nats.extend(rows.map(|(logits, &symbol)| -log_probability(logits, symbol)));
        }
        begin += batch * stride;
        progress(nats.len());
    }
    nats
}

/// Scores a part of the text in `files`, by `split` where files are no parts; a network with a limited context in windows that begin
/// `stride` apart. `progress` is told how many symbols are done, of how many.
///
/// # Errors
/// Those of [`Context::of`];
/// [`Kind::BadInput`] if the text has a character that the model does not know, or the part is empty; or
/// if the model's logits are not finite.
pub fn evaluate<N: Network>(
    text: &TextModel<N>,
    files: &DataFiles,
    split: &Split,
    part: Part,
    stride: Option<usize>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<TextEvaluation> {
    let TextModel { model, vocabulary } = text;
    let context = Context::of::<N>(model.config(), stride)?;
    let named = |mut error: Error| {
        if !error.what.contains(&files.path) {
            error.what = format!("{}: {}", files.path, error.what);
        }
        error
    };
    // The whole text first: an unknown character is named with its place in the file.
    let all = vocabulary.encode(whole(files, vocabulary.kind() == VocabularyKind::Bytes)?).map_err(named)?;
    let parts = Corpus::encode_files(files, vocabulary, split).map_err(named);
    let (train, scored) = match (part, parts) {
        (Part::All, Ok(parts)) => (parts.train, all),
        (Part::All, Err(_)) => (Vec::new(), all), // too short to split is not too short to score
        (Part::Train, parts) => parts.map(|parts| (parts.train.clone(), parts.train))?,
        (Part::Validation, parts) => parts.map(|parts| (parts.train, parts.validation))?,
        (Part::Test, parts) => parts.map(|parts| (parts.train, parts.test))?,
    };
    if scored.is_empty() {
        let what = format!("{}: the {} part is empty", files.path, part.name());
        let cause = if files.have_parts() {
            "no file is for it".to_owned()
        } else {
            format!("the run's split gives {} to train and {} to validate", split.train, split.validation)
        };
        return Err(Error::new(Kind::BadInput, what)
            .cause(cause)
            .help("choose another --split; without it all of the text is scored"));
    }
    progress(0, scored.len());
    let begin = Instant::now();
    let each = match (stride, context) {
        (Some(_), Some(context)) => strided(model, &scored, context, &mut |done| progress(done, scored.len())),
        _ => {
            let decoder = model.decoder();
            let (mut state, mut each) = (decoder.start(), Vec::with_capacity(scored.len()));
            for piece in scored.chunks(PIECE) {
                each.extend(decoder.nats(&mut state, piece));
                progress(each.len(), scored.len());
            }
            each
        }
    };
    if let Some(place) = each.iter().position(|nats| !nats.is_finite()) {
        return Err(not_finite(place + 1));
    }
    let nats: f64 = each.iter().sum();
    let (mut lines, mut line) = (Vec::new(), Line::default());
    for (&symbol, nats) in scored.iter().zip(&each) {
        line = Line { symbols: line.symbols + 1, nats: line.nats + nats };
        if vocabulary.symbol_bytes(symbol).ends_with(b"\n") {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.extend((line.symbols > 0).then_some(line));
    let seconds = begin.elapsed().as_secs_f64();
    let floors = match train.is_empty() {
        true => Vec::new(),
        false => Floors::measure(&train, &scored, vocabulary.size())?.list(),
    };
    let likelihood = Likelihood::new(scored.len(), nats / scored.len() as f64);
    Ok(TextEvaluation { likelihood, floors, floors_counted_on: train.len(), seconds, context, lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::gpt::{Gpt, GptConfig};
    use crate::text::language_model::{Config, LanguageModel};
    use autograd::random::Streams;

    #[test]
    fn windows_half_a_context_apart_score_as_the_model_generates_and_others_as_each_window_alone() {
        let (symbols, context) = (7, 6);
        let config =
            GptConfig { symbols, layers: 1, heads: 2, key_heads: 1, width: 8, context, ..GptConfig::default() };
        let model = Gpt::<f32>::new(&config, &mut Streams::new(1).stream("init"));
        for length in [0, 1, 5, 6, 7, 8, 29, 1000] {
            let text: Vec<u32> = (0..length).map(|t| (t * t / 3 + t) % symbols as u32).collect();
            let of = |stride| {
                let context = Context::of::<Gpt<f32>>(&config, Some(stride)).unwrap().unwrap();
                assert_eq!((context.least, context.most), (7 - stride, 6));
                strided(&model, &text, context, &mut |_| ())
            };
            let decoder = model.decoder();
            assert_eq!(of(3), decoder.nats(&mut decoder.start(), &text), "{length} symbols");
            for (stride, nats) in [1, 2, 5, 6].map(|stride| (stride, of(stride))) {
                assert_eq!(nats.len(), text.len());
                for (t, &nats) in nats.iter().enumerate() {
                    // In the first of the windows that hold it, as far back as that goes.
                    let begin = if t <= context { 0 } else { (t - context).div_ceil(stride) * stride };
                    let mut state = decoder.start();
                    text[begin..t].iter().for_each(|&symbol| decoder.step(&mut state, symbol));
                    assert_eq!(nats, -decoder.next(&state).log_probability(text[t]), "stride {stride}, symbol {t}");
                }
            }
        }
    }

    #[test]
    fn a_stride_beyond_the_context_and_one_of_a_model_without_are_refused() {
        let gpt = GptConfig { context: 6, ..GptConfig::default() };
        for stride in [0, 7] {
            let error = Context::of::<Gpt<f32>>(&gpt, Some(stride)).unwrap_err();
            assert!(error.kind == Kind::Usage && error.cause.contains("context is 6"), "{error}");
        }
        assert_eq!(Context::of::<Gpt<f32>>(&gpt, None).unwrap(), Some(Context { stride: 3, least: 4, most: 6 }));
        let recurrent = Config::default();
        assert_eq!(Context::of::<LanguageModel<f32>>(&recurrent, None).unwrap(), None);
        assert!(Context::of::<LanguageModel<f32>>(&recurrent, Some(3)).unwrap_err().cause.contains("carried on"));
    }
}
