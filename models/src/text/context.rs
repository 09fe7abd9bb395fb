//! How far back a symbol is predicted from, of a network whose sight has a limit, and the likelihood of a text in windows that begin as far
//! apart as one likes.

use super::network::Network;
use crate::autoregressive::Autoregressive;
use crate::distribution::{Distribution, log_probability};
use crate::error::{Error, Kind, Result};
use autograd::no_grad;
use serde::Serialize;

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

/// Positions of the windows of one pass.
const POSITIONS: usize = 4096;

/// `−ln p` of each symbol, in windows of the context that begin `stride` apart, of each of which the symbols that none before it has
/// scored are scored. `progress` is told how many are done.
pub(super) fn strided<N: Network>(
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
