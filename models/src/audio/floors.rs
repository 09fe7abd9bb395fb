//! Classical floors of sounds: what counting achieves before any network is trained. A model that is worse has learned nothing.
//!
//! Each floor is a table of counts n(c, s): how often symbol s stood where the context was c, in the training part. A symbol then has the
//! probability `p(s | c) = (n(c, s) + 1) / (n(c) + V)`, V the number of symbols.
//!
//! | floor | of | context | symbol |
//! | --- | --- | --- | --- |
//! | `uniform` | all | none | the code; every one is 1/V |
//! | `marginal` | all | none | the code |
//! | `markov_1` | 256 codes | the code before; of a recording's first one, that there is none | the code |
//! | `difference` | 65,536 levels | none | level − level before, modulo V; before a recording's first one is silence |

use crate::evaluation::Floor;

/// The mean negative log-likelihood of a sample under models that only count, in nats, crudest first; none where there is nothing to count or
/// to score.
///
/// # Shapes
/// `train`, `scored` recordings of codes below `symbols` (V)
///
/// # Panics
/// If a code is not below V.
pub fn floors(train: &[&[u32]], scored: &[&[u32]], symbols: usize) -> Vec<Floor> {
    let empty = |recordings: &[&[u32]]| recordings.iter().all(|codes| codes.is_empty());
    if empty(train) || empty(scored) {
        return Vec::new();
    }
    let floor = |name: &str, contexts: usize, context: &dyn Fn(Option<u32>, u32) -> (usize, usize)| {
        let count = |recordings: &[&[u32]]| {
            let mut counts = vec![0_u64; contexts * symbols];
            for codes in recordings {
                for (i, &code) in codes.iter().enumerate() {
                    let (context, symbol) = context(i.checked_sub(1).map(|before| codes[before]), code);
                    counts[context * symbols + symbol] += 1;
                }
            }
            counts
        };
        // What is scored is counted as well: equal terms of the sum are taken together.
        let (seen, times) = (count(train), count(scored));
        let of_context = |(seen, times): (&[u64], &[u64])| {
            let total = seen.iter().sum::<u64>() as f64 + symbols as f64;
            let terms = seen.iter().zip(times).filter(|(_, times)| **times > 0);
            terms.map(|(&n, &times)| times as f64 * (total / (n as f64 + 1.0)).ln()).sum::<f64>()
        };
        let nats: f64 = seen.chunks_exact(symbols).zip(times.chunks_exact(symbols)).map(of_context).sum();
        Floor { name: name.to_owned(), nats: nats / times.iter().sum::<u64>() as f64 }
    };
    let uniform = Floor { name: "uniform".to_owned(), nats: (symbols as f64).ln() };
    let marginal = floor("marginal", 1, &|_, code| (0, code as usize));
    let last = if symbols <= 256 {
        floor("markov_1", symbols + 1, &|before, code| {
            (before.map_or(symbols, |before| before as usize), code as usize)
        })
    } else {
        let silence = symbols / 2;
        floor("difference", 1, &|before, code| {
            (0, (code as usize + symbols - before.map_or(silence, |before| before as usize)) % symbols)
        })
    };
    vec![uniform, marginal, last]
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn nats(train: &[&[u32]], scored: &[&[u32]], symbols: usize) -> Vec<f64> {
        floors(train, scored, symbols).into_iter().map(|floor| floor.nats).collect()
    }

    #[test]
    fn the_floors_of_a_few_codes_equal_their_formulas() {
        // Counted: 0 twice, 1 three times, 2 never; after nothing 0 and 1, after 0 twice 1, after 1 once 0.
        let found = nats(&[&[0, 1, 0, 1], &[1]], &[&[1, 0], &[2]], 3);
        let ln = |p: f64| -p.ln();
        assert_relative_eq!(found[0], ln(1.0 / 3.0));
        assert_relative_eq!(found[1], (ln(4.0 / 8.0) + ln(3.0 / 8.0) + ln(1.0 / 8.0)) / 3.0, epsilon = 1e-12);
        assert_relative_eq!(found[2], (ln(2.0 / 5.0) + ln(2.0 / 4.0) + ln(1.0 / 5.0)) / 3.0, epsilon = 1e-12);
    }

    #[test]
    fn levels_are_counted_by_their_differences_around_the_circle() {
        let v = 1 << 16;
        let middle = v as u32 / 2;
        // Differences: +1, +1, then −65,535, which is +1 around the circle.
        let found = nats(&[&[middle + 1, middle + 2]], &[&[middle + 1], &[middle + 1, middle + 2]], v);
        assert_relative_eq!(found[2], -(3.0 / (2.0 + v as f64)).ln(), epsilon = 1e-12);
        let around = nats(&[&[middle + 1]], &[&[middle + 1]], v)[2];
        assert_relative_eq!(around, -(2.0 / (1.0 + v as f64)).ln(), epsilon = 1e-12);
    }

    #[test]
    fn where_nothing_is_counted_or_scored_there_are_none() {
        assert!(nats(&[&[]], &[&[1]], 3).is_empty() && nats(&[&[1]], &[], 3).is_empty());
    }
}
