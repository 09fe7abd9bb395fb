//! Where prefixes begin: evenly spaced over all places that have room for a prefix and what comes after it. No chance is in it.

use super::Asked;
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::{counted, grouped};

/// Prefixes that are followed where nobody says how many.
const PREFIXES: usize = 200;

/// Of sequences of these lengths, N places `(sequence, start)` with room for `window` symbols, a start being a multiple of `every`: evenly
/// spaced among all that there are, the first and the last among them. `what` is what the sequences are: `text`.
///
/// # Errors
/// [`Kind::BadInput`] if there is no such place, [`Kind::Usage`] if there are fewer than are asked for.
pub fn places(
    lengths: &[usize],
    window: usize,
    every: usize,
    asked: &Asked,
    what: &str,
) -> Result<Vec<(usize, usize)>> {
    let of = |&length: &usize| length.checked_sub(window).map_or(0, |room| room / every + 1);
    let all: usize = lengths.iter().map(of).sum();
    if all == 0 {
        let longest = lengths.iter().max().copied().unwrap_or(0);
        let horizon = asked.horizon;
        let cause = format!(
            "a prefix of {} and a horizon of {horizon} are {}, and the longest {what} has {}",
            counted((window - horizon) as u64, "symbol"),
            grouped(window as u64),
            grouped(longest as u64)
        );
        return Err(Error::new(Kind::BadInput, "the data have no room for a prefix and its horizon")
            .cause(cause)
            .help("give more data, another --split, a shorter --prefix-length or a nearer --horizon"));
    }
    let wanted = asked.prefixes.unwrap_or(PREFIXES.min(all));
    if wanted > all {
        return Err(Error::new(Kind::Usage, format!("--prefixes {wanted}: there are not so many"))
            .cause(format!("the data have {} with room for {}", counted(all as u64, "place"), grouped(window as u64)))
            .help("ask for fewer, or give more data"));
    }
    // The i-th of N is place ⌊i (all − 1) / (N − 1)⌋; u128: the product may be large.
    let spaced = |i: usize| (i as u128 * (all as u128 - 1) / (wanted as u128 - 1).max(1)) as usize;
    let (mut places, mut sequence, mut before) = (Vec::with_capacity(wanted), 0, 0);
    for place in (0..wanted).map(spaced) {
        while place - before >= of(&lengths[sequence]) {
            before += of(&lengths[sequence]);
            sequence += 1;
        }
        places.push((sequence, (place - before) * every));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(prefixes: Option<usize>) -> Asked {
        Asked { horizon: 4, prefixes, prefix_length: None, draws: 1, seed: 0 }
    }

    #[test]
    fn places_are_evenly_spaced_and_have_room() {
        // Of 10, 3, 7 and 6 symbols in windows of 6: places 0–4 of the first, none, 0–1 of the third, 0 of the last.
        let lengths = [10, 3, 7, 6];
        let all = vec![(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (2, 0), (2, 1), (3, 0)];
        assert_eq!(places(&lengths, 6, 1, &asked(None), "text").unwrap(), all);
        assert_eq!(places(&lengths, 6, 1, &asked(Some(8)), "text").unwrap(), all);
        assert_eq!(places(&lengths, 6, 1, &asked(Some(3)), "text").unwrap(), [(0, 0), (0, 3), (3, 0)]);
        assert_eq!(places(&lengths, 6, 1, &asked(Some(1)), "text").unwrap(), [(0, 0)]);
        assert_eq!(places(&lengths, 6, 2, &asked(None), "text").unwrap(), [(0, 0), (0, 2), (0, 4), (2, 0), (3, 0)]);
        let many = places(&[1_000_000], 6, 1, &asked(None), "text").unwrap();
        assert_eq!((many.len(), many[0], many[199]), (200, (0, 0), (0, 999_994)));
    }

    #[test]
    fn too_many_prefixes_and_data_without_room_are_told_with_both_numbers() {
        let error = places(&[10], 6, 1, &asked(Some(6)), "text").unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.what.contains("--prefixes 6") && error.cause.contains("5 places"), "{error}");
        for lengths in [&[5, 3][..], &[]] {
            let error = places(lengths, 6, 1, &asked(None), "text").unwrap_err();
            assert_eq!(error.kind, Kind::BadInput);
            assert!(error.cause.contains("a prefix of 2 symbols and a horizon of 4 are 6"), "{error}");
        }
    }
}
