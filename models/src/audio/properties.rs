//! What must hold of every model of sounds, checked on a sound by chance: causality, sum to one, steps equal to the parallel pass. And the loss
//! that a training step records.

use super::condition::Frames;
use super::given::Prepared;
use super::model::{AudioModel, Told};
use super::model_config::ModelConfig;
use crate::autoregressive::Conditional;
use crate::check::{Outcome, causality, each_sums_to_one, steps_equal_parallel, sum_to_one};
use autograd::Tensor;
use autograd::random::Streams;
use rand::RngExt;

/// The most sounds that are enumerated for the sum to one.
const MOST_SOUNDS: u128 = 1 << 17;

impl AudioModel<f32> {
    /// Checks the model on a sound of so many samples whose codes are drawn evenly from the stream `check` of the seed, told the first of all
    /// labels, and features by chance.
    pub fn check(&self, length: usize, seed: u64) -> Vec<Outcome> {
        let symbols = self.config.symbols() as u32;
        let mut random = Streams::new(seed).stream("check");
        let sound: Vec<u32> = (0..length.max(1)).map(|_| random.random_range(0..symbols)).collect();
        let told = self.told_by_chance(sound.len(), &mut random);
        let prepared = Prepared::new(self);
        let given = prepared.given(&told).of_length(sound.len());
        let enumerated =
            (1..).take_while(|&n| u128::from(symbols).saturating_pow(n) <= MOST_SOUNDS).last().unwrap_or(1);
        vec![
            causality(&given, &sound, |code| (code + 1) % symbols),
            steps_equal_parallel(&given, &sound),
            each_sums_to_one(&given, &sound, symbols),
            sum_to_one(&given, symbols, (enumerated as usize).min(sound.len())),
        ]
    }

    fn told_by_chance(&self, samples: usize, random: &mut impl RngExt) -> Told {
        let ModelConfig { ref labels, ref local, .. } = self.config;
        let bands = local.bands();
        let frames = (bands > 0).then(|| {
            let count = 1 + samples / local.hop();
            Frames { bands, values: (0..count * bands).map(|_| random.random_range(-1.0..1.0)).collect() }
        });
        Told { labels: vec![0; labels.len()], frames }
    }

    /// The loss of so many sounds of so many samples of silence, recorded.
    pub fn recorded_loss(&self, sounds: usize, samples: usize) -> Tensor<f32> {
        let codes = self.codes(&vec![0; samples]);
        let told = self.told_by_chance(samples, &mut Streams::new(0).stream("features"));
        self.loss((0..sounds).map(|_| (codes.as_slice(), 0..samples, &told)))
    }
}
