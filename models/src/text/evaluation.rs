//! The exact likelihood of a text under a model, beside what counting alone achieves on the same symbols.

use super::context::{Context, strided};
use super::corpus::{Corpus, Split, whole};
use super::floors::Floors;
use super::network::{Configured, Network};
use super::saved::TextModel;
use super::vocabulary::{Vocabulary, VocabularyKind};
use crate::autoregressive::Autoregressive;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::not_finite;
use crate::error::{Error, Kind, Result};
use crate::evaluation::{Floor, Likelihood, as_object};
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
    let (train, scored) = counted_and_scored(text, files, split, part)?;
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
    let lines = lines(vocabulary, &scored, &each);
    let seconds = begin.elapsed().as_secs_f64();
    let floors = match train.is_empty() {
        true => Vec::new(),
        false => Floors::measure(&train, &scored, vocabulary.size())?.list(),
    };
    let likelihood = Likelihood::new(scored.len(), nats / scored.len() as f64);
    Ok(TextEvaluation { likelihood, floors, floors_counted_on: train.len(), seconds, context, lines })
}

/// The nats of symbols, line by line.
pub(super) fn lines(vocabulary: &Vocabulary, symbols: &[u32], each: &[f64]) -> Vec<Line> {
    let (mut lines, mut line) = (Vec::new(), Line::default());
    for (&symbol, nats) in symbols.iter().zip(each) {
        line = Line { symbols: line.symbols + 1, nats: line.nats + nats };
        if vocabulary.symbol_bytes(symbol).ends_with(b"\n") {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.extend((line.symbols > 0).then_some(line));
    lines
}

/// The symbols that floors count, those of the training part, and those of the part that is scored.
///
/// # Errors
/// As [`evaluate`], of the text.
pub(super) fn counted_and_scored<N: Configured>(
    text: &TextModel<N>,
    files: &DataFiles,
    split: &Split,
    part: Part,
) -> Result<(Vec<u32>, Vec<u32>)> {
    let TextModel { vocabulary, .. } = text;
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
    Ok((train, scored))
}
