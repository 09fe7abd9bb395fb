//! An upper bound of what a text costs under a model that fills gaps, beside what counting alone achieves on the same symbols.

use super::MaskedGpt;
use super::bound::{Windows, draw};
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::not_finite;
use crate::error::{Error, Kind, Result};
use crate::evaluation::{Floor, as_object};
use crate::text::corpus::Split;
use crate::text::evaluation::{Line, counted_and_scored, lines};
use crate::text::floors::Floors;
use crate::text::saved::TextModel;
use autograd::random::Streams;
use serde::Serialize;
use std::f64::consts::LN_2;
use std::time::Instant;

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct BoundEvaluation {
    /// Symbols scored.
    pub symbols: usize,
    /// An estimate of an upper bound of their mean `−ln p`: no likelihood, and not to be compared with one as if it were.
    pub nats_per_symbol_at_most: f64,
    /// The same in bits.
    pub bits_per_symbol_at_most: f64,
    /// Of the estimate, over the draws; none of one draw.
    pub standard_error: Option<f64>,
    /// Draws of masks for each window.
    pub draws: usize,
    /// Of the random streams `masks of draw 1`, `masks of draw 2`, ….
    pub seed: u64,
    /// Symbols of a window.
    pub window: usize,
    /// Of Markov chains counted on the training part, crudest first; none where the text is too short for one. These are exact.
    #[serde(serialize_with = "as_object")]
    pub floors: Vec<Floor>,
    /// How many symbols the floors counted.
    pub floors_counted_on: usize,
    /// Wall time of scoring, without the floors.
    pub seconds: f64,
    /// Line by line; a line ends with its line break.
    #[serde(skip)]
    pub lines: Vec<Line>,
}

/// Estimates the bound of a part of the text in `files`, by `split` where files are no parts, from so many draws of masks. `progress` is
/// told how many symbols are done, of how many, all draws together.
///
/// # Errors
/// [`Kind::Usage`] for no draws; [`Kind::BadInput`] as
/// [`evaluate`](crate::text::evaluation::evaluate).
pub fn bound(
    text: &TextModel<MaskedGpt<f32>>,
    (files, split): (&DataFiles, &Split),
    part: Part,
    draws: usize,
    seed: u64,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<BoundEvaluation> {
    if draws == 0 {
        return Err(Error::new(Kind::Usage, "--draws 0: nothing is estimated from no draws").help("ask for at least 1"));
    }
    let TextModel { model, vocabulary } = text;
    let (train, scored) = counted_and_scored(text, files, split, part)?;
    let (symbols, begin) = (scored.len(), Instant::now());
    let windows = Windows::of(symbols, model.config().context);
    let (mut each, mut means) = (vec![0.0; symbols], Vec::with_capacity(draws));
    progress(0, draws * symbols);
    for i in 0..draws {
        let mut random = Streams::new(seed).stream(&format!("masks of draw {}", i + 1));
        let nats = draw(model, &scored, &windows, &mut random, &mut |done| {
            progress(i * symbols + done, draws * symbols);
        });
        if let Some(place) = nats.iter().position(|nats| !nats.is_finite()) {
            return Err(not_finite(place + 1));
        }
        means.push(nats.iter().sum::<f64>() / symbols as f64);
        each.iter_mut().zip(nats).for_each(|(sum, nats)| *sum += nats / draws as f64);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let mean = means.iter().sum::<f64>() / draws as f64;
    let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (draws.max(2) - 1) as f64;
    let floors = match train.is_empty() {
        true => Vec::new(),
        false => Floors::measure(&train, &scored, vocabulary.size())?.list(),
    };
    Ok(BoundEvaluation {
        symbols,
        nats_per_symbol_at_most: mean,
        bits_per_symbol_at_most: mean / LN_2,
        standard_error: (draws > 1).then(|| (variance / draws as f64).sqrt()),
        draws,
        seed,
        window: windows.time,
        floors,
        floors_counted_on: train.len(),
        seconds,
        lines: lines(vocabulary, &scored, &each),
    })
}
