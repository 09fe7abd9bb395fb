//! WaveNet a sample at a time: each layer remembers as many of its inputs as its dilation reaches back, so a sample costs one pass over
//! the layers, however far they hear.
//!
//! What a layer reads at position t are its inputs at t and at t − d, d its dilation: a *ring* of d vectors holds those between. All rings
//! begin as zeros, which is what lies before a sound in the parallel pass. Each output is the same chain of multiply-adds as there (bias,
//! the place further back, the present), so a step has the bits of the parallel pass.
//!
//! A layer waits for the one before it; not everything waits. Ahead of its position is known what a layer hears of the past, and after a
//! layer nobody waits for its skips before the last. So of each layer one thread, the *leader*, computes what the next layer needs: the
//! present on top of the past, the gate, the residual. Another *follows* it and computes the past of the next position and the skips:
//!
//! ```text
//! leader     x ─ present ─ gate ─ z ─ residual ─ x' ─ …
//! follower                         └─ skips; the past of the next position
//! ```
//!
//! The follower's share is larger, so the leader takes some of the skips, in the product that makes the residual. With one thread it takes
//! all of them. Nothing is allocated for a step.

mod layer;
mod many;
mod symbols;

use super::wavenet::{Conditions, WaveNet};
use crate::gated::add;
use autograd::Scalar;
use autograd::kernels::team::Team;
use autograd::nn::Module;
use layer::{CachedLayer, LayerMemory, Product, Told};
use std::cell::RefCell;
use symbols::Symbols;

/// Weights from which a second thread brings more than its three dispatches a sample cost, about a microsecond.
const MIN_TEAM: usize = 1 << 16;

/// A network prepared for stepping. It owns what it needs.
pub struct Decoder<T> {
    network: Shared<T>,
    team: RefCell<Team>,
}

/// What threads share of it.
struct Shared<T> {
    symbols: Symbols<T>,
    layers: Vec<CachedLayer<T>>,
    /// What the features of a position add to the gates of all layers.
    local: Option<Product<T>>,
    head: Product<T>,
    output: Product<T>,
    /// R.
    residual: usize,
    /// How many of the skips the leader computes, the first of them.
    led: usize,
    features: usize,
}

/// What the layers remember of a sound.
#[derive(Clone, Debug)]
pub struct Memory<T> {
    layers: Vec<LayerMemory<T>>,
    told: Told<T>,
    work: Work<T>,
    /// The parameters of the distribution of the position that was stepped to.
    out: Vec<T>,
}

/// Values on their way, kept for their memory alone.
#[derive(Clone, Debug)]
struct Work<T> {
    /// The input of a layer.
    x: Vec<T>,
    gates: Vec<T>,
    /// Residual and skips of a layer as the leader computes them, and its skips as the follower does.
    led: Vec<T>,
    followed: Vec<T>,
    skips: Vec<T>,
    hidden: Vec<T>,
}

/// `x ← max(x, 0)`.
fn relu<T: Scalar>(x: &mut [T]) {
    x.iter_mut().for_each(|x| *x = if *x < T::zero() { T::zero() } else { *x });
}

impl<T: Scalar> Decoder<T> {
    /// Prepares a network; uses a second thread where rayon has one and the network is large enough for it.
    pub fn new(network: &WaveNet<T>) -> Self {
        let weights = network.parameters().into_iter().filter(|(name, _)| name.ends_with("weight"));
        let large = weights.map(|(_, weight)| weight.values().len()).sum::<usize>() >= MIN_TEAM;
        Self::with_threads(network, if large { rayon::current_num_threads() } else { 1 })
    }

    /// [`Decoder::new`] with at most so many threads.
    fn with_threads(network: &WaveNet<T>, threads: usize) -> Self {
        let (residual, skip) = (network.layers[0].dilated.weight.shape()[1], network.head.weight.shape()[1]);
        let members = threads.min(2);
        let led = if members == 1 { skip } else { layer::led(residual, skip) };
        let first = &network.layers[0];
        let layers: Vec<_> = network.layers.iter().map(|layer| CachedLayer::new(layer, led)).collect();
        let network = Shared {
            symbols: Symbols::new(network),
            local: layer::local(&network.layers),
            head: Product::new(&network.head),
            output: Product::new(&network.output),
            residual,
            led,
            features: first.local.as_ref().map_or(0, |local| local.weight.shape()[1]),
            layers,
        };
        Decoder { network, team: RefCell::new(Team::new(members)) }
    }

    /// What the network can be conditioned on.
    pub fn conditions(&self) -> Conditions {
        let Shared { layers, residual, .. } = &self.network;
        let classes = layers[0].classes.iter().map(|table| table.len() / (2 * residual)).collect();
        Conditions { classes, features: self.network.features }
    }

    /// Multiply-adds of a sample: the same for each.
    pub fn multiply_adds(&self) -> usize {
        let Shared { symbols, layers, local, head, output, .. } = &self.network;
        let around = [head, output].into_iter().chain(local).map(Product::multiply_adds);
        layers.iter().map(CachedLayer::multiply_adds).chain(around).sum::<usize>() + symbols.multiply_adds()
    }

    /// What is remembered before a sound of these classes.
    ///
    /// # Panics
    /// If there is not one class for each table, or a class is none.
    #[track_caller]
    pub fn start(&self, classes: &[u32]) -> Memory<T> {
        let zeros = |len: usize| vec![T::zero(); len];
        let Shared { layers, local, head, output, residual: r, led, features, .. } = &self.network;
        let (r, skip) = (*r, head.inputs());
        Memory {
            layers: layers.iter().map(|layer| LayerMemory::start(layer, classes)).collect(),
            told: Told::nothing(*features, local.as_ref().map_or(0, Product::outputs)),
            work: Work {
                x: zeros(r),
                gates: zeros(2 * r),
                led: zeros(r + led),
                followed: zeros(skip - led),
                skips: zeros(skip),
                hidden: zeros(skip),
            },
            out: zeros(output.outputs()),
        }
    }

    /// Takes in the code before a position, none before the first, and what is known of the position; gives the parameters of its
    /// distribution.
    ///
    /// # Shapes
    /// `features` (F) → (P)
    ///
    /// # Panics
    /// If the code is none, or the features are not as many as the network has.
    #[track_caller]
    pub fn step<'m>(&self, memory: &'m mut Memory<T>, code: Option<u32>, features: &[T]) -> &'m [T] {
        let Shared { layers, local, head, output, led: share, .. } = &self.network;
        assert_eq!(features.len(), self.network.features, "WaveNet: features of a position");
        let team = &mut *self.team.borrow_mut();
        let Memory { layers: memories, told, work: Work { x, gates, led, followed, skips, hidden }, out } = memory;
        self.network.symbols.read(code, x);
        if let Some(local) = local {
            told.hear(local, features, team);
        }
        let (led_skips, followed_skips) = skips.split_at_mut(*share);
        let lead = |i: usize, memory: &mut LayerMemory<T>| {
            let layer = &layers[i];
            memory.remember(x);
            layer.present.apply_onto(x, &memory.past, gates);
            told.add_to(i, gates);
            memory.gate(gates);
            let led = &mut led[..layer.led.outputs()];
            layer.led.apply(&memory.z, led);
            let (back, skips) = led.split_at(layer.back);
            add(&mut x[..layer.back], back);
            sum(i, led_skips, skips);
        };
        let follow = |i: usize, memory: &mut LayerMemory<T>| {
            let layer = &layers[i];
            layer.followed.apply(&memory.z, followed);
            sum(i, followed_skips, followed);
            memory.hear_past(layer);
        };
        team.relay(memories, lead, follow);
        relu(skips);
        head.apply_by(team, skips, hidden);
        relu(hidden);
        output.apply_by(team, hidden, out);
        out
    }
}

impl<T> Memory<T> {
    /// The parameters of the distribution of the position that was stepped to last: (P); zeros before the first.
    pub fn parameters(&self) -> &[T] {
        &self.out
    }
}

/// Adds a layer's skips to those before it; the first layer's are the first.
fn sum<T: Scalar>(layer: usize, skips: &mut [T], more: &[T]) {
    if layer == 0 { skips.copy_from_slice(more) } else { add(skips, more) }
}

#[cfg(test)]
mod tests;
