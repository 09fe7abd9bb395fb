//! What a GPT that is stepped remembers: its window, keys and values, and what it guessed ahead.

use super::cache::Cache;
use crate::distribution::Categorical;
use std::collections::VecDeque;

/// What a [`GptDecoder`](super::GptDecoder) has seen.
#[derive(Clone, Debug)]
pub struct GptState<T> {
    /// The symbols of the window, as many as there are positions in the caches.
    pub(super) window: Vec<u32>,
    pub(super) caches: Vec<Cache<T>>,
    pub(super) distribution: Categorical<T>,
    /// What may come after the window, whose keys and values stand in the caches already.
    pub(super) ahead: VecDeque<u32>,
    /// The logits after each of them, one row after the other.
    pub(super) logits_ahead: VecDeque<T>,
}

impl<T> GptState<T> {
    /// The caches are to be written from the end of the window on.
    pub(super) fn forget_ahead(&mut self) {
        self.ahead.clear();
        self.logits_ahead.clear();
    }
}
