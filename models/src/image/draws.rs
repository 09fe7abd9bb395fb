//! Chance that needs no state: the numbers for one picture follow from seed, name and its place, in whatever order pictures are
//! read. So a training that goes on draws what it would have drawn, and its checkpoint holds nothing of it.

use autograd::random::{Stream, Streams};
use rand::Rng;

/// Numbers of 32 bits for each picture, out of one named stream: those of picture `i` stand at words `i · each` and after.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    state: [u64; 6],
    each: usize,
}

impl Draws {
    /// `each` numbers a picture, of the stream `name`.
    pub fn new(streams: Streams, name: &str, each: usize) -> Self {
        Draws { state: streams.stream(name).state(), each }
    }

    /// Those of picture `i`, from the first; more than `each` would be those of the next picture.
    pub fn of(&self, i: usize) -> impl Iterator<Item = u32> {
        let mut state = self.state;
        state[5] = (i * self.each) as u64;
        let mut stream = Stream::from_state(state);
        (0..self.each).map(move |_| stream.next_u32())
    }
}

/// A whole number below `bound` out of 32 bits: `⌊draw · bound / 2³²⌋`. The same on every machine; no value is more likely than
/// another by more than `bound / 2³²` of its probability.
pub(super) fn below(draw: u32, bound: u32) -> u32 {
    ((u64::from(draw) * u64::from(bound)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_picture_are_those_of_reading_all_before_it() {
        let draws = Draws::new(Streams::new(3), "a", 5);
        let mut stream = Streams::new(3).stream("a");
        for i in 0..20 {
            let read: Vec<u32> = (0..5).map(|_| stream.next_u32()).collect();
            assert_eq!(draws.of(i).collect::<Vec<_>>(), read, "picture {i}");
        }
    }

    #[test]
    fn what_is_below_a_bound_reaches_both_ends() {
        assert_eq!([0, u32::MAX / 2, u32::MAX].map(|draw| below(draw, 7)), [0, 3, 6]);
        assert_eq!(below(u32::MAX, 1), 0);
    }
}
