//! Exposure bias of a model of text: prefixes out of a part of it, each from the empty state, and a Markov chain counted on the training part that
//! judges what the model writes.

use super::corpus::Split;
use super::evaluation::counted_and_scored;
use super::markov::{BEST_ORDER, MarkovChain};
use super::network::Network;
use super::saved::TextModel;
use crate::autoregressive::Autoregressive;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::Discrete;
use crate::drift::{Asked, Drift, Judge, Meter, Progress, Sequence, places};
use crate::error::Result;

/// Symbols of a prefix where nobody says how many.
const PREFIX: usize = 100;

/// Follows prefixes of a part of the text in `files`, by `split` where files are no parts.
///
/// # Errors
/// As [`evaluate`](super::evaluation::evaluate), and those of [`places`]; those of `progress`.
pub fn drift<N: Network>(
    text: &TextModel<N>,
    files: &DataFiles,
    split: &Split,
    part: Part,
    asked: &Asked,
    progress: Progress,
) -> Result<Drift> {
    let (counted, symbols) = counted_and_scored(text, files, split, part)?;
    let length = asked.prefix_length.unwrap_or(PREFIX);
    let window = length.saturating_add(asked.horizon);
    let places = places(&[symbols.len()], window, 1, asked, "text")?;
    let sequence = |(number, &(_, start)): (usize, &(usize, usize))| {
        let (prefix, truth) = symbols[start..start + window].split_at(length);
        Sequence { number, prefix, truth }
    };
    let sequences: Vec<Sequence<u32>> = places.iter().enumerate().map(sequence).collect();
    let chain = (!counted.is_empty()).then(|| MarkovChain::fit(&counted, text.vocabulary.size(), BEST_ORDER));
    let judge = chain.as_ref().map(|chain| move |prefix: &[u32], own: &[u32]| nats_after(chain, prefix, own));
    let mut meter = Meter::new(asked, judge.as_ref().map(|judge| judge as Judge<u32>));
    let decoder = text.model.decoder();
    type Next<N> = <<N as Network>::Decoder as Autoregressive>::Distribution;
    let predicted = |distribution: &Next<N>| Some(distribution.most_likely());
    meter.measure(&decoder, &sequences, predicted, &mut |done| progress(done, places.len()))?;
    Ok(meter.drift(length, chain.as_ref().map(|_| format!("markov_{BEST_ORDER}"))))
}

/// `−ln p` of symbols that follow others, under the longest chain.
fn nats_after(chain: &MarkovChain, prefix: &[u32], symbols: &[u32]) -> Vec<f64> {
    let mut context = chain.start();
    prefix[prefix.len().saturating_sub(chain.order())..].iter().for_each(|&known| chain.advance(&mut context, known));
    let mut probabilities = vec![0.0; chain.order() + 1];
    let one = |&symbol: &u32| {
        chain.probability_by_order(&context, symbol, &mut probabilities);
        chain.advance(&mut context, symbol);
        -probabilities[chain.order()].ln()
    };
    symbols.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judge_reads_what_came_before_as_it_reads_a_whole_text() {
        let text: Vec<u32> = (0..400u32).map(|t| t * t / 7 % 5).collect();
        let chain = MarkovChain::fit(&text, 5, 2);
        let scored = &text[..60];
        let whole = nats_after(&chain, &[], scored);
        let mean = whole.iter().sum::<f64>() / 60.0;
        approx::assert_relative_eq!(mean, chain.nats_per_symbol(scored)[2], max_relative = 1e-12);
        assert_eq!(nats_after(&chain, &scored[..20], &scored[20..]), whole[20..]);
    }
}
