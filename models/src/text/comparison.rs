//! Ways of generating text side by side: continuations of one prompt out of held-out text.

use super::corpus::Corpus;
use super::draft::MarkovDraft;
use super::generation::{Way, draw};
use super::markov::{BEST_ORDER, MarkovChain};
use super::masked::{MaskedGpt, generation::draw as fill};
use super::network::Network;
use super::saved::TextModel;
use crate::autoregressive::Autoregressive;
use crate::decoding::Cost;
use crate::decoding::comparison::{Measured, Outcome, timed};
use crate::decoding::mask_predict::Plan;
use crate::distribution::{Distribution, not_finite};
use crate::error::{Error, Kind, Result};
use crate::narrow::{Weights, round};
use crate::sampling::{Noise, Options};
use crate::text::draft::Draft;
use autograd::random::Streams;

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Symbols of the prompt, where the held-out text has so many to spare.
    pub prompt: usize,
    /// Symbols of a continuation.
    pub symbols: usize,
    /// Of the random stream `sampling`.
    pub seed: u64,
}

/// Guesses of a pass of Jacobi's, and proposals of a draft.
const AHEAD: [usize; 2] = [16, 6];

/// Beams of the search.
const BEAMS: usize = 4;

/// Rounds in which a masked model fills a window; one is independent decoding.
const ROUNDS: [usize; 5] = [1, 4, 8, 16, 64];

/// Measures every way once, on the beginning of the validation part, and those of a masked model beside them, judged by the exact model;
/// `progress` is told which comes next.
///
/// # Errors
/// [`Kind::BadInput`] for held-out text that is too short, and for a model whose logits are not finite.
pub fn compare<N: Network>(
    text: &TextModel<N>,
    masked: Option<&TextModel<MaskedGpt<f32>>>,
    corpus: &Corpus,
    request: Request,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Measured>> {
    let Request { prompt, symbols, seed } = request;
    let held_out = if corpus.validation.is_empty() { &corpus.test } else { &corpus.validation };
    if held_out.len() < symbols {
        return Err(Error::new(Kind::BadInput, "there is too little held-out text to compare with")
            .cause(format!("it has {} symbols, and {symbols} are to be drawn", held_out.len()))
            .help("ask for fewer symbols, -n N, or name a longer text"));
    }
    let prompt = prompt.min(held_out.len() - symbols);
    let needed = prompt + symbols;
    let (prompt, truth) = held_out[..needed].split_at(prompt);
    let size = text.vocabulary.size();
    let chain = MarkovChain::fit(&corpus.train, size, BEST_ORDER);
    let judge = MarkovDraft::new(chain.clone());
    let decoder = text.model.decoder();
    let nats = |model: &dyn Fn(&[u32]) -> Vec<f64>, drawn: &[u32]| {
        let all = model(&[prompt, drawn].concat());
        all[prompt.len()..].iter().sum::<f64>() / drawn.len() as f64
    };
    let own = |sequence: &[u32]| decoder.nats(&mut decoder.start(), sequence);
    let counted = |sequence: &[u32]| judge.nats(&mut judge.start(), sequence);
    let measured = |way: &str, outcome, cost, seconds, drawn: &[u32]| {
        let nats_per_symbol = nats(&own, drawn);
        match nats_per_symbol.is_finite() {
            true => Ok(Measured {
                way: way.to_owned(),
                outcome,
                cost,
                seconds,
                nats_per_symbol,
                chain_nats_per_symbol: Some(nats(&counted, drawn)),
            }),
            false => Err(not_finite(1)),
        }
    };
    let mut all = vec![measured("held-out text", Outcome::Data, Cost::default(), 0.0, truth)?];
    let draft = Draft::Markov(MarkovDraft::new(chain));
    let plain = Options::default();
    let gumbel = Options { noise: Noise::Gumbel, ..Options::default() };
    let [guesses, proposals] = AHEAD;
    let mut samples: Vec<Vec<u32>> = Vec::new();
    for (way, name, options, outcome) in [
        (Way::Sequential, "sequential", &plain, Outcome::Sample),
        (Way::Jacobi { ahead: guesses }, "jacobi", &plain, Outcome::SameSample),
        (Way::Sequential, "sequential, gumbel noise", &gumbel, Outcome::Sample),
        (Way::Jacobi { ahead: guesses }, "jacobi, gumbel noise", &gumbel, Outcome::SameSample),
        (Way::Speculative { draft: &draft, ahead: proposals }, "speculative, markov draft", &plain, Outcome::SameLaw),
        (Way::Beam { beams: BEAMS }, "beam of 4", &plain, Outcome::Likely),
    ] {
        progress(name);
        let mut drawn = Vec::with_capacity(symbols);
        let (cost, seconds) = timed(|| {
            let random = Streams::new(seed).stream("sampling");
            draw(&decoder, prompt, options.clone(), random, symbols, way, &mut |symbol| {
                drawn.push(symbol);
                Ok(false)
            })
        });
        let cost = cost?;
        // What is claimed is looked at.
        let outcome = match outcome {
            Outcome::SameSample if samples.last() != Some(&drawn) => Outcome::Approximate,
            outcome => outcome,
        };
        all.push(measured(name, outcome, cost, seconds, &drawn)?);
        samples.push(drawn);
    }
    for weights in [Weights::Bf16, Weights::Int8] {
        let name = format!("sequential, {} weights", weights.name());
        progress(&name);
        let mut narrow = text.model.clone();
        round(&mut narrow, weights);
        let narrow = narrow.decoder();
        let mut drawn = Vec::with_capacity(symbols);
        let (cost, seconds) = timed(|| {
            let random = Streams::new(seed).stream("sampling");
            draw(&narrow, prompt, plain.clone(), random, symbols, Way::Sequential, &mut |symbol| {
                drawn.push(symbol);
                Ok(false)
            })
        });
        all.push(measured(&name, Outcome::Approximate, cost?, seconds, &drawn)?);
    }
    for (masked, rounds) in masked.iter().flat_map(|masked| ROUNDS.map(|rounds| (masked, rounds))) {
        let name = match rounds {
            1 => "masked, independent".to_owned(),
            _ => format!("masked, {rounds} rounds"),
        };
        progress(&name);
        let mut drawn = Vec::with_capacity(symbols);
        let (cost, seconds) = timed(|| {
            let random = Streams::new(seed).stream("sampling");
            fill(&masked.model, prompt, plain.clone(), random, symbols, Plan::of(rounds), &mut |symbol| {
                drawn.push(symbol);
                Ok(false)
            })
        });
        all.push(measured(&name, Outcome::Approximate, cost?, seconds, &drawn)?);
    }
    let name = "independent, by counts";
    progress(name);
    let unigram = MarkovDraft::new(MarkovChain::fit(&corpus.train, size, 0));
    let (drawn, seconds) = timed(|| {
        let mut random = Streams::new(seed).stream("sampling");
        let distribution = unigram.next(&unigram.start()).clone();
        (0..symbols).map(|_| distribution.sample(&mut random)).collect::<Vec<u32>>()
    });
    let cost = Cost { symbols: symbols as u64, ..Cost::default() };
    all.push(measured(name, Outcome::Approximate, cost, seconds, &drawn)?);
    Ok(all)
}
