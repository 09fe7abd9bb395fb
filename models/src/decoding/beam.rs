//! A likely continuation: of all that were begun, the few likeliest are gone on with.
//!
//! Not a sample: among continuations of a model of text the likeliest are dull, and repeat themselves. The search is greedy beyond its
//! width: the likeliest of all continuations may begin unlikely. With a width of 1 it is greedy sampling.
//!
//! Source: Graves, "Sequence Transduction with Recurrent Neural Networks", 2012.

use super::Cost;
use crate::autoregressive::Autoregressive;
use crate::distribution::{Discrete, Distribution, not_finite};
use crate::error::Result;

/// A continuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// Its symbols.
    pub symbols: Vec<u32>,
    /// `−ln p` of them all.
    pub nats: f64,
}

/// The continuations of `prompt` by so many symbols that a search of so many beams ends with, the likeliest first; of equally likely ones
/// that of the earlier beam and the lower code.
///
/// # Errors
/// If the model gives no distribution: see [`not_finite`].
///
/// # Panics
/// If `beams` is 0.
pub fn search<M>(model: &M, prompt: &[u32], beams: usize, symbols: usize) -> Result<(Vec<Hypothesis>, Cost)>
where
    M: Autoregressive<Symbol = u32, Distribution: Discrete>,
{
    assert!(beams > 0, "beam: no beams");
    let mut start = model.start();
    prompt.iter().for_each(|&symbol| model.step(&mut start, symbol));
    let mut states = vec![start];
    let mut found = vec![Hypothesis { symbols: Vec::new(), nats: 0.0 }];
    let mut cost = Cost::default();
    let symbols = model.length().map_or(symbols, |length| symbols.min(length.saturating_sub(prompt.len())));
    for t in 0..symbols {
        let mut next: Vec<(f64, usize, u32)> = Vec::new();
        for (beam, (state, Hypothesis { nats, .. })) in states.iter().zip(&found).enumerate() {
            let distribution = model.next(state);
            if !distribution.is_sound() {
                return Err(not_finite(t + 1));
            }
            let after = |symbol: u32| (nats - distribution.log_probability(symbol), beam, symbol);
            next.extend((0..distribution.symbols() as u32).map(after).filter(|(nats, ..)| *nats < f64::INFINITY));
        }
        next.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        next.truncate(beams);
        states = next.iter().map(|&(_, beam, _)| states[beam].clone()).collect();
        found = next
            .iter()
            .map(|&(nats, beam, symbol)| Hypothesis { symbols: [&found[beam].symbols[..], &[symbol]].concat(), nats })
            .collect();
        // The last distributions nobody asks for.
        if t + 1 < symbols {
            let chosen: Vec<u32> = next.iter().map(|&(.., symbol)| symbol).collect();
            model.step_many(&mut states, &chosen);
            cost.passes += 1;
        }
        cost.symbols += 1;
    }
    Ok((found, cost))
}

#[cfg(test)]
mod tests {
    use super::super::toys::chain;
    use super::*;
    use crate::sampling::{Generator, Options, Sampler};
    use autograd::random::Streams;

    #[test]
    fn beams_enough_for_all_continuations_find_the_likeliest_of_all_and_one_is_greedy() {
        let model = chain();
        let nats = |sequence: &[u32]| {
            let mut state = model.start();
            model.step(&mut state, 2);
            model.nats(&mut state, sequence).iter().sum::<f64>()
        };
        let all = (0..4u32.pow(5)).map(|i| (0..5).map(|k| i / 4u32.pow(k) % 4).collect::<Vec<u32>>());
        let best = all.min_by(|a, b| nats(a).total_cmp(&nats(b))).unwrap();
        let (found, cost) = search(&model, &[2], 1024, 5).unwrap();
        assert_eq!(found[0].symbols, best);
        approx::assert_relative_eq!(found[0].nats, nats(&best), epsilon = 1e-12);
        assert_eq!((found.len(), cost.symbols, cost.passes), (1024, 5, 4));
        assert!(found.windows(2).all(|pair| pair[0].nats <= pair[1].nats));

        let (one, _) = search(&model, &[2], 1, 30).unwrap();
        let greedy = Sampler::new(Options { temperature: 0.0, ..Options::default() }).unwrap();
        let greedy: Vec<u32> =
            Generator::new(&model, &[2], greedy, Streams::new(0).stream("sampling")).take(30).collect();
        assert_eq!(one[0].symbols, greedy);
        let more = search(&model, &[2], 8, 30).unwrap().0;
        assert!(more[0].nats <= one[0].nats && more.len() == 8);
    }
}
