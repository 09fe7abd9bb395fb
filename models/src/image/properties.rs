//! What must hold of every model of images, checked on an image by chance: causality, sum to one, steps equal to the parallel pass. And the
//! loss that a training step records.

use super::decoder::Decoder;
use super::model::{ImageModel, ModelConfig};
use crate::autoregressive::Conditional;
use crate::check::{Outcome, causality_at, each_sums_to_one, steps_equal_parallel, sum_to_one};
use autograd::Tensor;
use autograd::random::Streams;
use rand::RngExt;

/// The most images that are enumerated for the sum to one.
const MOST_IMAGES: u128 = 1024;

impl ImageModel<f32> {
    /// Checks the model on an image whose levels are drawn evenly from the stream `check` of the seed, told the first class; causality
    /// by changes of so many sub-pixels, evenly spread, the first and the last among them.
    pub fn check(&self, positions: usize, seed: u64) -> Vec<Outcome> {
        let ModelConfig { levels, .. } = self.config;
        let values = self.config.values();
        let mut random = Streams::new(seed).stream("check");
        let image: Vec<u32> = (0..values).map(|_| random.random_range(0..levels as u32)).collect();
        let class = (!self.config.classes.is_empty()).then_some(0);
        let decoder = Decoder::new(self);
        let given = decoder.given(&class);
        let spread = |i: usize| if positions < 2 { 0 } else { i * (values - 1) / (positions - 1) };
        let inputs: Vec<usize> = match positions >= values {
            true => (0..values).collect(),
            false => (0..positions).map(spread).collect(),
        };
        let mut outcomes = vec![
            causality_at(&given, &image, &inputs, |level| (level + 1) % levels as u32),
            steps_equal_parallel(&given, &image),
            each_sums_to_one(&given, &image, levels as u32),
        ];
        // A convolution has no size: the same weights, over the largest images that can all be gone through.
        if let Some(small) = self.over_few_pixels() {
            let length = small.config.values();
            outcomes.push(sum_to_one(&small.given(&class), levels as u32, length));
        }
        outcomes
    }

    /// The model of images of 3 × 3 pixels, or of fewer, so that there are not more than [`MOST_IMAGES`] of them.
    fn over_few_pixels(&self) -> Option<Self> {
        let few = [(3, 3), (2, 3), (2, 2), (1, 2), (1, 1)];
        let count = |(height, width): (usize, usize)| {
            let values = u32::try_from(height * width * self.config.colours).ok()?;
            (self.config.levels as u128).checked_pow(values)
        };
        let (height, width) = few.into_iter().find(|&size| count(size).is_some_and(|count| count <= MOST_IMAGES))?;
        let config = ModelConfig { height, width, ..self.config.clone() };
        Some(ImageModel { config, network: self.network.clone() })
    }

    /// The loss of so many images of the lowest level, recorded.
    pub fn recorded_loss(&self, images: usize) -> Tensor<f32> {
        let classes = (!self.config.classes.is_empty()).then(|| vec![0; images]);
        self.loss(&vec![0; images * self.config.values()], classes.as_deref())
    }
}
