//! The order in which examples are read, pictures or pieces of sound: shuffled epochs, cut into batches. No example stands here, places of
//! examples do.
//!
//! The order of epoch N is a Fisher–Yates shuffle by the stream `order of epoch N`. So all there is to save is how many batches were
//! read, and a resumed run reads on as an uninterrupted one.

use crate::error::{Error, Kind, Result};
use crate::pages::numbers::counted;
use autograd::random::{Stream, Streams};
use rand::Rng;

/// Where the reading of the examples stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    count: usize,
    batch: usize,
    streams: Streams,
    position: u64,
    /// The order of the epoch last read, and which.
    order: (Option<u64>, Vec<usize>),
}

/// What one training step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// The epoch it belongs to, from 0: what is drawn by chance is drawn anew in each.
    pub epoch: u64,
    /// (B) places of examples, none twice in an epoch.
    pub indices: &'a [usize],
}

impl Batches {
    /// The reading of `count` examples in batches of `batch` (B), from the beginning; `what` is one of them in the singular. What does not
    /// fill a batch is left out; as every epoch has an order of its own, these are others each time.
    ///
    /// # Errors
    /// [`Kind::Usage`] if B is 0 or more than there are pictures.
    pub fn new(count: usize, batch: usize, what: &str, streams: Streams) -> Result<Self> {
        if batch == 0 || batch > count {
            let what = format!("`data.batch` is {batch}, and there are {} to train on", counted(count as u64, what));
            return Err(Error::new(Kind::Usage, what).help("give a batch of at least 1 and at most so many"));
        }
        Ok(Batches { count, batch, streams, position: 0, order: (None, Vec::new()) })
    }

    /// How many batches were read so far: all there is to save for a resumed run.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Continues after `position` batches, as if they had just been read.
    pub fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// How many batches an epoch has.
    pub fn per_epoch(&self) -> usize {
        self.count / self.batch
    }

    /// The number of epochs completed, as a fraction: 1.5 is half-way through the second.
    pub fn epochs(&self) -> f64 {
        self.position as f64 / self.per_epoch() as f64
    }

    /// The next batch.
    pub fn read(&mut self) -> Batch<'_> {
        let per_epoch = self.per_epoch() as u64;
        let (epoch, index) = (self.position / per_epoch, (self.position % per_epoch) as usize);
        if self.order.0 != Some(epoch) {
            self.order.1.clear();
            self.order.1.extend(0..self.count);
            shuffle(&mut self.order.1, &mut self.streams.stream(&format!("order of epoch {epoch}")));
            self.order.0 = Some(epoch);
        }
        self.position += 1;
        Batch { epoch, indices: &self.order.1[index * self.batch..][..self.batch] }
    }
}

/// Fisher and Yates: from the last place on, each changes with one at or before it, drawn by one number of 64 bits. Written here, as
/// the order of a run that goes on must not depend on the version of a library.
pub(crate) fn shuffle(places: &mut [usize], stream: &mut Stream) {
    for last in (1..places.len()).rev() {
        let other = ((u128::from(stream.next_u64()) * (last as u128 + 1)) >> 64) as usize;
        places.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_order_of_four_pictures_is_as_likely_as_any_other() {
        let mut found = std::collections::BTreeMap::new();
        let mut stream = Streams::new(5).stream("orders");
        let times = 24_000;
        for _ in 0..times {
            let mut places = [0, 1, 2, 3];
            shuffle(&mut places, &mut stream);
            *found.entry(places).or_insert(0) += 1;
        }
        // Chi-square with 23 degrees of freedom: above 58 once in 10,000 seeds.
        let chi: f64 = found.values().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
        assert!(found.len() == 24 && chi < 58.0, "{chi}: {found:?}");
    }

    #[test]
    fn epochs_have_orders_of_their_own_by_named_streams() {
        let mut batches = Batches::new(10, 10, "picture", Streams::new(3)).unwrap();
        for epoch in 0..3 {
            let mut expected: Vec<usize> = (0..10).collect();
            shuffle(&mut expected, &mut Streams::new(3).stream(&format!("order of epoch {epoch}")));
            assert_eq!(batches.read(), Batch { epoch, indices: &expected });
        }
        assert_eq!((batches.position(), batches.epochs()), (3, 3.0));
    }

    #[test]
    fn a_batch_of_nothing_or_of_more_than_there_is_is_refused_by_key() {
        for batch in [0, 11, usize::MAX] {
            let error = Batches::new(10, batch, "picture", Streams::new(1)).unwrap_err();
            assert!(error.kind == Kind::Usage && error.what.contains("`data.batch`"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn an_epoch_reads_no_picture_twice_and_leaves_out_less_than_a_batch(
            count in 1usize..60, batch in 1usize..20, seed: u64,
        ) {
            prop_assume!(batch <= count);
            let mut batches = Batches::new(count, batch, "picture", Streams::new(seed)).unwrap();
            for epoch in 0..3 {
                let mut seen = vec![false; count];
                for _ in 0..batches.per_epoch() {
                    let read = batches.read();
                    prop_assert_eq!((read.epoch, read.indices.len()), (epoch, batch));
                    for &i in read.indices {
                        prop_assert!(!std::mem::replace(&mut seen[i], true));
                    }
                }
                prop_assert!(seen.iter().filter(|&&seen| !seen).count() < batch);
            }
        }

        #[test]
        fn a_restored_position_reads_on_as_if_never_stopped(
            count in 1usize..60, batch in 1usize..20, before in 0u64..50,
        ) {
            prop_assume!(batch <= count);
            let mut whole = Batches::new(count, batch, "picture", Streams::new(9)).unwrap();
            for _ in 0..before {
                whole.read();
            }
            let mut resumed = Batches::new(count, batch, "picture", Streams::new(9)).unwrap();
            resumed.seek(whole.position());
            for _ in 0..20 {
                prop_assert_eq!(whole.read(), resumed.read());
            }
        }
    }
}
