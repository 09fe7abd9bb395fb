//! What the class of an image adds to the features of its pixels, in the networks that are told it once, behind their first layer.

use super::State;
use crate::gated::add;
use autograd::Scalar;
use autograd::nn::Embedding;
use std::ops::Range;

/// A row for each class; none in a network that is told no class.
pub struct ClassRows<T> {
    rows: Vec<T>,
    channels: usize,
}

impl<T: Scalar> ClassRows<T> {
    pub fn new(table: Option<&Embedding<T>>) -> Self {
        match table {
            Some(table) => ClassRows { rows: table.weight.values().to_vec(), channels: table.weight.shape()[1] },
            None => ClassRows { rows: Vec::new(), channels: 0 },
        }
    }

    /// Adds to features what the classes of their images say of these channels.
    ///
    /// # Shapes
    /// `features` (images, those channels)
    pub fn add_to(&self, features: &mut [T], channels: Range<usize>, states: &[State<T>]) {
        if self.rows.is_empty() {
            return;
        }
        for (features, State { memory, .. }) in features.chunks_exact_mut(channels.len()).zip(states) {
            if let Some(class) = memory.class {
                add(features, &self.rows[class as usize * self.channels..][channels.clone()]);
            }
        }
    }
}
