//! A model of images through the trait, with the whole network run for every sub-pixel: the usual loop, which every faster way is held
//! against. What is scored or asked for in parallel takes one pass here as there.

use super::head::ImageDistribution;
use super::model::ImageModel;
use crate::autoregressive::{Autoregressive, Conditional};
use autograd::Scalar;

/// A model given the class of an image, or none.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'m, T> {
    model: &'m ImageModel<T>,
    class: Option<u32>,
}

/// The levels so far, and the distribution of the next.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    levels: Vec<u32>,
    next: ImageDistribution<T>,
}

/// Of a model without classes the condition is none.
impl<T: Scalar> Conditional for ImageModel<T> {
    type Condition = Option<u32>;
    type Given<'c> = Plain<'c, T>;

    fn given<'c>(&'c self, class: &'c Option<u32>) -> Plain<'c, T> {
        Plain { model: self, class: *class }
    }
}

impl<T: Scalar> Plain<'_, T> {
    /// That of the sub-pixel after these; after the last one that of the last, which nobody asks for.
    fn after(&self, levels: &[u32]) -> ImageDistribution<T> {
        let at = levels.len().min(self.model.config.values() - 1);
        let with_it: Vec<u32> = levels[..at].iter().copied().chain([0]).collect();
        self.model.distributions(&with_it, self.class).swap_remove(at)
    }
}

impl<T: Scalar> Autoregressive for Plain<'_, T> {
    type Symbol = u32;
    type Distribution = ImageDistribution<T>;
    type State = Seen<T>;

    fn distributions(&self, levels: &[u32]) -> Vec<ImageDistribution<T>> {
        self.model.distributions(levels, self.class)
    }

    fn start(&self) -> Seen<T> {
        Seen { levels: Vec::new(), next: self.after(&[]) }
    }

    fn next<'s>(&self, state: &'s Seen<T>) -> &'s ImageDistribution<T> {
        &state.next
    }

    fn step(&self, state: &mut Seen<T>, level: u32) {
        state.levels.push(level);
        state.next = self.after(&state.levels);
    }

    fn length(&self) -> Option<usize> {
        Some(self.model.config.values())
    }
}
