//! Recordings in pieces, as training reads them: no longer than a window, and each begins with its true past.
//!
//! A recording of n samples is cut into ⌈n / window⌉ pieces of nearly equal length; an epoch reads every piece once, and so every sample. What
//! a network computes for a piece, it computes from the codes of the recording before it, as far back as it hears, and from none
//! where the recording begins: each sample is trained exactly as it is scored and drawn. Where the cuts fall makes no difference.

use std::ops::Range;

/// A part of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which recording.
    pub recording: usize,
    /// Which of its samples.
    pub samples: Range<usize>,
}

/// The pieces of recordings of these lengths.
///
/// # Panics
/// If the window has no sample.
pub fn pieces(lengths: impl IntoIterator<Item = usize>, window: usize) -> Vec<Piece> {
    assert!(window > 0, "pieces of no sample");
    let of_one = |(recording, length): (usize, usize)| {
        let count = length.div_ceil(window);
        // Cuts at i · n / count: lengths differ by one sample at most.
        let cut = move |i: usize| (i as u128 * length as u128 / count as u128) as usize;
        (0..count).map(move |i| Piece { recording, samples: cut(i)..cut(i + 1) })
    };
    lengths.into_iter().enumerate().flat_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_sample_is_in_one_piece_and_no_piece_is_longer_than_the_window(
            lengths in prop::collection::vec(0usize..50, 0..6), window in 1usize..20,
        ) {
            let pieces = pieces(lengths.iter().copied(), window);
            let mut at = (0, 0);
            for Piece { recording, samples } in &pieces {
                while at.0 < *recording {
                    prop_assert_eq!(at.1, lengths[at.0]);
                    at = (at.0 + 1, 0);
                }
                prop_assert_eq!(samples.start, at.1);
                prop_assert!(!samples.is_empty() && samples.len() <= window);
                at.1 = samples.end;
            }
            prop_assert_eq!(pieces.iter().map(|piece| piece.samples.len()).sum::<usize>(), lengths.iter().sum::<usize>());
        }
    }

    #[test]
    fn the_pieces_of_a_recording_are_of_nearly_equal_length() {
        let found = pieces([10, 3], 4);
        let lengths: Vec<(usize, usize)> = found.iter().map(|piece| (piece.recording, piece.samples.len())).collect();
        assert_eq!(lengths, [(0, 3), (0, 3), (0, 4), (1, 3)]);
    }
}
