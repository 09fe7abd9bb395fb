//! What changes parameters: optimizers, clipping, schedules, averaging; from the simple to the involved.
//!
//! An optimizer keeps its state by parameter name, so that a checkpoint can hold it under names a person understands.

mod adam;
mod average;
mod clip;
mod schedule;
mod sgd;

use crate::nn::Module;
use crate::{Gradients, Scalar};

pub use adam::{Adam, Decay};
pub use average::Average;
pub use clip::{clip_factor, norm};
pub use schedule::Schedule;
pub use sgd::Sgd;

/// What changes from one update to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// η.
    pub learning_rate: f64,
    /// What gradients are multiplied with first: [`clip_factor`], or 1.
    pub gradient_factor: f64,
}

/// Something that moves parameters against their gradients.
pub trait Optimizer<T: Scalar> {
    /// One update of every parameter that has a gradient.
    fn update(&mut self, model: &mut dyn Module<T>, gradients: &Gradients<T>, update: Update);

    /// How many updates were made.
    fn updates(&self) -> u64;

    /// Says how many updates were made, when going on from a saved state.
    fn set_updates(&mut self, updates: u64);

    /// The names of the numbers it keeps for each element of a parameter: `first_moment`, `velocity`.
    fn state_names(&self) -> &'static [&'static str];

    /// The numbers of that name for a parameter; zeros before its first update.
    fn state_mut(&mut self, state: &str, parameter: &str, len: usize) -> &mut Vec<T>;
}

/// The buffer of a parameter in a map by name, of zeros when it is new.
fn buffer<'m, T: Scalar>(
    map: &'m mut std::collections::BTreeMap<String, Vec<T>>,
    name: &str,
    len: usize,
) -> &'m mut Vec<T> {
    if !map.contains_key(name) {
        map.insert(name.to_string(), vec![T::zero(); len]);
    }
    map.get_mut(name).expect("it was just put in")
}
