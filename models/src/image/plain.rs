//! A model of images through the trait, with the whole network run for every sub-pixel: the usual loop, which every faster way is held
//! against. What is scored or asked for in parallel takes one pass here as there.

use super::model::ImageModel;
use crate::autoregressive::{Autoregressive, Conditional};
use crate::levels::head::LevelDistribution;
use autograd::Scalar;
use std::collections::VecDeque;

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
    next: LevelDistribution<T>,
    /// Levels that may come, and the distribution after each.
    ahead: VecDeque<(u32, LevelDistribution<T>)>,
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
    /// That of the sub-pixel after these of every image, as many of each; after the last one that of the last, which nobody asks for.
    fn after(&self, images: &[&[u32]]) -> Vec<LevelDistribution<T>> {
        let at = images[0].len().min(self.model.config.values() - 1);
        self.model.distributions_at(images, at, self.class)
    }
}

impl<T: Scalar> Autoregressive for Plain<'_, T> {
    type Symbol = u32;
    type Distribution = LevelDistribution<T>;
    type State = Seen<T>;

    fn distributions(&self, levels: &[u32]) -> Vec<LevelDistribution<T>> {
        self.model.distributions(levels, self.class)
    }

    fn start(&self) -> Seen<T> {
        Seen { levels: Vec::new(), next: self.after(&[&[]]).swap_remove(0), ahead: VecDeque::new() }
    }

    fn next<'s>(&self, state: &'s Seen<T>) -> &'s LevelDistribution<T> {
        &state.next
    }

    fn step(&self, state: &mut Seen<T>, level: u32) {
        let known = state.ahead.front().is_some_and(|&(guess, _)| guess == level);
        if let Some((_, next)) = known.then(|| state.ahead.pop_front()).flatten() {
            state.levels.push(level);
            state.next = next;
            return;
        }
        self.step_many(std::slice::from_mut(state), &[level]);
    }

    /// In one pass over the image.
    fn look_ahead(&self, state: &mut Seen<T>, levels: &[u32]) -> Vec<LevelDistribution<T>> {
        let (seen, values) = (state.levels.len(), self.model.config.values());
        let levels = &levels[..levels.len().min(values - seen)];
        if levels.is_empty() {
            return Vec::new();
        }
        // The distribution at a place is that after what comes before it; for that after the last of an image nobody asks.
        let whole = [&state.levels, levels, &[0]].concat();
        let mut after = self.distributions(&whole[..whole.len().min(values)]).split_off(seen + 1);
        let last = after.last().unwrap_or(&state.next).clone();
        after.resize(levels.len(), last);
        state.ahead = levels.iter().copied().zip(after.iter().cloned()).collect();
        after
    }

    /// One pass over all images that have as many sub-pixels so far.
    fn step_many(&self, states: &mut [Seen<T>], levels: &[u32]) {
        assert_eq!(states.len(), levels.len(), "step_many: one symbol for each state");
        for (state, &level) in states.iter_mut().zip(levels) {
            state.levels.push(level);
            state.ahead.clear();
        }
        for states in states.chunk_by_mut(|a, b| a.levels.len() == b.levels.len()) {
            let images: Vec<&[u32]> = states.iter().map(|state| &state.levels[..]).collect();
            let next = self.after(&images);
            states.iter_mut().zip(next).for_each(|(state, next)| state.next = next);
        }
    }

    fn length(&self) -> Option<usize> {
        Some(self.model.config.values())
    }
}
