//! The order in which a text is read: B windows of T symbols a step, in streams that go on ([`Order::Contiguous`], for truncated
//! back-propagation through time) or each from a place of its own ([`Order::Random`]). No data stands here.
//!
//! A text of n symbols has n − 1 places to predict. Each of the B streams reads W windows, one after the other, so that the
//! state of window i is what window i + 1 begins with. The streams begin evenly spaced: stream 0 at the first symbol, the last
//! where its W windows end with the last symbol. W is the least that covers the text, so where B·T does not divide n − 1
//! neighbouring streams overlap by a few symbols (fewer than B·T in all) and no symbol is left out. (One stream alone cannot
//! overlap: it leaves out fewer than T symbols, at the end in even passes and at the start in odd ones.)
//! After W windows a new pass begins at the same places, and the states must be reset.
//!
//! Windows at random begin at each of the n − T places with the same probability, drawn anew for each; those of a step depend on the seed
//! and the number of the step alone, so that a resumed run goes on from its counter. Their states begin empty.

use crate::error::{Error, Kind, Result};
use autograd::random::Streams;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Where windows begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Where the one before in the stream ended.
    #[default]
    Contiguous,
    /// Anywhere.
    Random,
}

/// Where the reading of a text stands: geometry and a counter, to be used with the symbols themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    length: usize,
    batch: usize,
    window: usize,
    windows_per_pass: usize,
    position: u64,
    /// Where places are drawn from, of windows at random.
    places: Option<Streams>,
}

/// What one training step reads: `inputs` and `targets`, each (B, T) row by row; a target is the symbol after its input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// (B, T) symbols.
    pub inputs: Vec<u32>,
    /// (B, T) symbols, those one place later in the text.
    pub targets: Vec<u32>,
    /// Whether the states carried so far belong elsewhere in the text and must be reset: a new pass begins, or windows are at random.
    pub resets_state: bool,
}

impl Windows {
    /// The reading of `length` symbols by `batch` (B) streams in windows of `window` (T), from the beginning.
    ///
    /// # Errors
    /// [`Kind::Usage`] if B or T is 0, [`Kind::BadInput`] if the text is shorter than one window: T + 1 symbols.
    pub fn new(length: usize, batch: usize, window: usize) -> Result<Self> {
        if batch == 0 || window == 0 {
            return Err(Error::new(Kind::Usage, "cannot read text in empty windows")
                .cause(format!("the batch is {batch} streams and the window {window} symbols"))
                .help("both must be at least 1"));
        }
        if length <= window {
            return Err(Error::new(Kind::BadInput, "the text is shorter than one window")
                .cause(format!(
                    "the training part has {length} symbols, a window of {window} needs {}",
                    window as u128 + 1
                ))
                .help(match length {
                    0 | 1 => "give a longer text".to_owned(),
                    _ => format!("give a longer text, or a window of at most {}: --set data.window=N", length - 1),
                }));
        }
        let places = length - 1;
        // The least that covers the text, unless (one stream) it does not fit into it.
        let windows_per_pass = places.div_ceil(batch.saturating_mul(window)).min(places / window);
        Ok(Windows { length, batch, window, windows_per_pass, position: 0, places: None })
    }

    /// The same in another order; places at random are drawn from `streams`.
    pub fn ordered(self, order: Order, streams: Streams) -> Self {
        Windows { places: (order == Order::Random).then_some(streams), ..self }
    }

    /// How many windows were read so far: all there is to save for a resumed run.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Continues after `position` windows, as if they had just been read.
    pub fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// W, the number of windows before the text begins again.
    pub fn windows_per_pass(&self) -> usize {
        self.windows_per_pass
    }

    /// The number of passes completed, as a fraction: 1.5 is half-way through the second.
    pub fn passes(&self) -> f64 {
        self.position as f64 / self.windows_per_pass as f64
    }

    /// Whether the next window begins elsewhere than where the one before ended.
    pub fn next_resets_state(&self) -> bool {
        self.places.is_some() || self.position.is_multiple_of(self.windows_per_pass as u64)
    }

    /// Reads the next window of `symbols` into `window`, whose buffers are reused.
    ///
    /// # Panics
    /// If `symbols` has not the length these streams were made for.
    pub fn read(&mut self, symbols: &[u32], window: &mut Window) {
        assert_eq!(symbols.len(), self.length, "the streams were made for a text of another length");
        window.resets_state = self.next_resets_state();
        window.inputs.clear();
        window.targets.clear();
        let mut random = self.places.map(|streams| streams.stream(&format!("windows of step {}", self.position)));
        for stream in 0..self.batch {
            let start = match &mut random {
                Some(random) => random.random_range(0..(self.length - self.window) as u64) as usize,
                None => self.start(stream),
            };
            window.inputs.extend_from_slice(&symbols[start..start + self.window]);
            window.targets.extend_from_slice(&symbols[start + 1..start + 1 + self.window]);
        }
        self.position += 1;
    }

    /// Where in the text the next window of a stream begins.
    fn start(&self, stream: usize) -> usize {
        let (pass, index) =
            (self.position / self.windows_per_pass as u64, self.position % self.windows_per_pass as u64);
        let slack = self.length - 1 - self.windows_per_pass * self.window;
        let origin = match self.batch {
            1 => slack * (pass % 2) as usize,
            batch => (slack as u128 * stream as u128 / (batch as u128 - 1)) as usize, // u128: the product may be large
        };
        origin + index as usize * self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text whose symbols are their own positions.
    fn positions(length: usize) -> Vec<u32> {
        (0..length as u32).collect()
    }

    #[test]
    fn windows_that_divide_the_text_read_each_symbol_once_in_contiguous_streams() {
        let symbols = positions(13);
        let mut streams = Windows::new(13, 2, 3).unwrap();
        let mut window = Window::default();
        let mut read = Vec::new();
        for _ in 0..3 {
            streams.read(&symbols, &mut window);
            read.push((window.inputs.clone(), window.resets_state));
        }
        assert_eq!(read[0], (vec![0, 1, 2, 6, 7, 8], true));
        assert_eq!(read[1], (vec![3, 4, 5, 9, 10, 11], false));
        assert_eq!(read[2], read[0], "a new pass, and it says so");
        assert_eq!(streams.passes(), 1.5);
    }

    #[test]
    fn one_stream_reaches_the_end_of_the_text_in_its_second_pass() {
        let symbols = positions(12);
        let mut streams = Windows::new(12, 1, 4).unwrap();
        let mut window = Window::default();
        let firsts: Vec<u32> = (0..4)
            .map(|_| {
                streams.read(&symbols, &mut window);
                window.inputs[0]
            })
            .collect();
        assert_eq!(firsts, [0, 4, 3, 7]);
        assert_eq!(window.targets, [8, 9, 10, 11]);
    }

    #[test]
    fn windows_at_random_begin_everywhere_equally_often_with_empty_states() {
        let (length, batch, time) = (30, 8, 10);
        let streams = Windows::new(length, batch, time).unwrap();
        let mut streams = streams.ordered(Order::Random, Streams::new(7));
        let (mut window, mut counts) = (Window::default(), vec![0u32; length - time]);
        let steps = 2500;
        for _ in 0..steps {
            streams.read(&positions(length), &mut window);
            assert!(window.resets_state);
            for (inputs, targets) in window.inputs.chunks(time).zip(window.targets.chunks(time)) {
                counts[inputs[0] as usize] += 1;
                assert!(
                    inputs.iter().zip(targets).enumerate().all(|(t, (&i, &n))| i == inputs[0] + t as u32 && n == i + 1)
                );
            }
        }
        let expected = f64::from(steps) * batch as f64 / counts.len() as f64;
        let chi_square: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        assert!(chi_square < 43.8, "{chi_square}: 19 degrees of freedom exceed this once in a thousand seeds"); // one seed: no chance here
    }

    #[test]
    fn a_text_shorter_than_a_window_and_an_empty_window_are_errors() {
        let error = Windows::new(8, 2, 8).unwrap_err();
        assert_eq!((error.kind, error.what.as_str()), (Kind::BadInput, "the text is shorter than one window"));
        assert!(error.cause.contains("needs 9"), "{error}");
        assert!(Windows::new(9, 2, 8).is_ok());
        assert_eq!(Windows::new(9, 0, 8).unwrap_err().kind, Kind::Usage);
        assert_eq!(Windows::new(9, 2, 0).unwrap_err().kind, Kind::Usage);
        assert_eq!(Windows::new(9, usize::MAX, usize::MAX).unwrap_err().kind, Kind::BadInput);
    }

    proptest! {
        #[test]
        fn every_window_continues_the_one_before_and_two_passes_read_every_place(
            length in 2usize..200, batch in 1usize..9, window_length in 1usize..40,
        ) {
            prop_assume!(window_length < length);
            let symbols = positions(length);
            let mut streams = Windows::new(length, batch, window_length).unwrap();
            let mut window = Window::default();
            let mut seen = vec![false; length - 1];
            let mut expected: Vec<u32> = Vec::new();
            let per_pass = streams.windows_per_pass();
            for i in 0..2 * per_pass {
                streams.read(&symbols, &mut window);
                prop_assert_eq!(window.inputs.len(), batch * window_length);
                prop_assert_eq!(window.resets_state, i % per_pass == 0);
                let firsts: Vec<u32> = window.inputs.iter().copied().step_by(window_length).collect();
                if !window.resets_state {
                    prop_assert_eq!(&firsts, &expected);
                }
                expected = firsts.iter().map(|first| first + window_length as u32).collect();
                for (&input, &target) in window.inputs.iter().zip(&window.targets) {
                    prop_assert_eq!(target, input + 1);
                    seen[input as usize] = true;
                }
                if batch > 1 && i + 1 == per_pass {
                    prop_assert!(seen.iter().all(|&seen| seen), "several streams need one pass only");
                }
            }
            prop_assert!(window_length * 2 > length || batch > 1 || seen.iter().all(|&seen| seen));
            if batch > 1 {
                let overlap = per_pass * batch * window_length - (length - 1);
                prop_assert!(overlap < batch * window_length);
            }
        }

        #[test]
        fn a_restored_position_reads_on_as_if_never_stopped(
            length in 2usize..200, batch in 1usize..9, window_length in 1usize..40, before in 0u64..50, random: bool,
        ) {
            prop_assume!(window_length < length);
            let symbols = positions(length);
            let order = if random { Order::Random } else { Order::Contiguous };
            let new = || Windows::new(length, batch, window_length).unwrap().ordered(order, Streams::new(1));
            let mut whole = new();
            let (mut one, mut other) = (Window::default(), Window::default());
            for _ in 0..before {
                whole.read(&symbols, &mut one);
            }
            let mut resumed = new();
            resumed.seek(whole.position());
            for _ in 0..20 {
                whole.read(&symbols, &mut one);
                resumed.read(&symbols, &mut other);
                prop_assert_eq!(&one, &other);
            }
        }
    }
}
