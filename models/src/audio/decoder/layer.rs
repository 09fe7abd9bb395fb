//! A layer prepared for stepping, and what it remembers of a sound.

use super::super::wavenet::{KERNEL, Layer};
use crate::gated::{add, gate};
use autograd::Scalar;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::packed::{Direction, Packed};
use autograd::kernels::team::Team;
use autograd::nn::CausalConv1d;
use std::ops::Range;

/// The place of a kernel that reads a dilation back, and the one that reads the present.
const PAST: usize = 0;
const PRESENT: usize = KERNEL - 1;

/// Some outputs of one place of a convolution.
pub(super) struct Columns<'l, T> {
    layer: &'l CausalConv1d<T>,
    place: usize,
    outputs: Range<usize>,
}

impl<'l, T: Scalar> Columns<'l, T> {
    fn all(layer: &'l CausalConv1d<T>, place: usize) -> Self {
        Columns { layer, place, outputs: 0..layer.weight.shape()[0] }
    }

    /// What a matrix holds in its row of an input.
    fn of_input(&self, input: usize) -> impl Iterator<Item = T> {
        let (inputs, places) = (self.layer.weight.shape()[1], self.layer.weight.shape()[2]);
        let weight = self.layer.weight.values();
        self.outputs.clone().map(move |output| weight[(output * inputs + input) * places + self.place])
    }

    fn bias(&self) -> impl Iterator<Item = T> {
        let bias = self.layer.bias.as_ref().map(|bias| bias.values());
        self.outputs.clone().map(move |output| bias.map_or(T::zero(), |bias| bias[output]))
    }
}

/// `y = b + W·x`, packed.
pub(super) struct Product<T> {
    weight: Packed<T>,
    bias: Vec<T>,
}

impl<T: Scalar> Product<T> {
    /// A convolution of one place.
    pub fn new(layer: &CausalConv1d<T>) -> Self {
        Self::side_by_side(&[Columns::all(layer, 0)], layer.weight.shape()[1])
    }

    /// Products of the same inputs as one, whose outputs lie side by side.
    fn side_by_side(columns: &[Columns<T>], inputs: usize) -> Self {
        let row = |input| columns.iter().flat_map(move |columns| columns.of_input(input));
        let matrix: Vec<T> = (0..inputs).flat_map(row).collect();
        let bias: Vec<T> = columns.iter().flat_map(Columns::bias).collect();
        Product { weight: Packed::new(Matrix::new(&matrix, inputs, bias.len())).compacted(), bias }
    }

    pub fn inputs(&self) -> usize {
        self.weight.rows()
    }

    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    pub fn multiply_adds(&self) -> usize {
        self.inputs() * self.outputs()
    }

    /// # Shapes
    /// `x` (in) → `y` (out)
    pub fn apply(&self, x: &[T], y: &mut [T]) {
        self.apply_onto(x, &self.bias, y);
    }

    /// The chains that go on from a start, which takes the place of the bias.
    ///
    /// # Shapes
    /// `x` (in) · `start` (out) → `y` (out)
    pub fn apply_onto(&self, x: &[T], start: &[T], y: &mut [T]) {
        y.copy_from_slice(start);
        self.weight.row(x, Store::Accumulate, Direction::Forward, y);
    }

    /// [`Product::apply`], the outputs shared out to a team.
    pub fn apply_by(&self, team: &mut Team, x: &[T], y: &mut [T]) {
        self.weight.row_by(team, x, &self.bias, Direction::Forward, y);
    }

    /// Many rows with one read of the weights.
    ///
    /// # Shapes
    /// `x` (N, in) → (N, out)
    pub fn rows(&self, x: &[T]) -> Vec<T> {
        let mut y = self.bias.repeat(x.len() / self.inputs());
        self.rows_onto(x, &mut y);
        y
    }

    /// Many rows, whose chains go on from what `y` holds.
    ///
    /// # Shapes
    /// `x` (N, in) → `y` (N, out)
    pub fn rows_onto(&self, x: &[T], y: &mut [T]) {
        let x = Matrix::new(x, x.len() / self.inputs(), self.inputs());
        self.weight.product(x, Store::Accumulate, y, self.outputs());
    }
}

/// What the features of a position add to the gates of all layers, one after the other: their 1 × 1 as one product.
pub(super) fn local<T: Scalar>(layers: &[Layer<T>]) -> Option<Product<T>> {
    let columns: Option<Vec<_>> =
        layers.iter().map(|layer| layer.local.as_ref().map(|local| Columns::all(local, 0))).collect();
    let inputs = layers[0].local.as_ref()?.weight.shape()[1];
    columns.map(|columns| Product::side_by_side(&columns, inputs))
}

/// How many skips the leader computes, so that both threads read as many weights: of a layer, beside 2R columns for the present and R for
/// the residual, and 2R for the past with the other skips. A whole number of cache lines.
pub(super) fn led(residual: usize, skip: usize) -> usize {
    skip.saturating_sub(residual) / 2 / 16 * 16
}

/// A layer prepared for stepping.
pub(super) struct CachedLayer<T> {
    dilation: usize,
    pub past: Product<T>,
    pub present: Product<T>,
    /// What each class of each kind adds to the gates: rows of 2R.
    pub classes: Vec<Vec<T>>,
    /// What the leader makes of z: what goes back onto x, and the first skips.
    pub led: Product<T>,
    /// How many of these go back: R, none of the last layer.
    pub back: usize,
    /// What the follower makes of z: the other skips.
    pub followed: Product<T>,
}

impl<T: Scalar> CachedLayer<T> {
    /// A layer of whose skips the leader computes the first `led`.
    pub fn new(layer: &Layer<T>, led: usize) -> Self {
        let (r, skips) = (layer.dilated.weight.shape()[1], layer.skip.weight.shape()[0]);
        let skip = |outputs| Columns { layer: &layer.skip, place: 0, outputs };
        let residual = layer.residual.iter().map(|residual| Columns::all(residual, 0));
        let place = |place| Product::side_by_side(&[Columns::all(&layer.dilated, place)], r);
        CachedLayer {
            dilation: layer.dilated.dilation(),
            past: place(PAST),
            present: place(PRESENT),
            classes: layer.global.iter().map(|table| table.weight.values().to_vec()).collect(),
            led: Product::side_by_side(&residual.chain([skip(0..led)]).collect::<Vec<_>>(), r),
            followed: Product::side_by_side(&[skip(led..skips)], r),
            back: if layer.residual.is_some() { r } else { 0 },
        }
    }

    pub fn multiply_adds(&self) -> usize {
        [&self.past, &self.present, &self.led, &self.followed].map(Product::multiply_adds).iter().sum()
    }
}

/// What a layer remembers of a sound.
#[derive(Clone, Debug)]
pub(super) struct LayerMemory<T> {
    /// d inputs, and where the newest of them begins.
    ring: Vec<T>,
    newest: usize,
    /// (2R): the chains of the gates of the next position, as far as they are known: bias and past.
    pub past: Vec<T>,
    /// (2R): what the classes add to the gates; empty for none.
    global: Vec<T>,
    /// (R): the gated features of this position.
    pub z: Vec<T>,
}

impl<T: Scalar> LayerMemory<T> {
    #[track_caller]
    pub fn start(layer: &CachedLayer<T>, classes: &[u32]) -> Self {
        assert_eq!(classes.len(), layer.classes.len(), "WaveNet: one class for each table");
        let (r, wide) = (layer.past.inputs(), layer.past.outputs());
        let mut global: Vec<T> = Vec::new();
        for (table, &class) in layer.classes.iter().zip(classes) {
            let row = &table[class as usize * wide..][..wide];
            if global.is_empty() {
                global.extend_from_slice(row);
            } else {
                add(&mut global, row);
            }
        }
        let ring = vec![T::zero(); layer.dilation * r];
        let mut past = vec![T::zero(); wide];
        layer.past.apply(&ring[..r], &mut past);
        LayerMemory { newest: ring.len() - r, ring, past, global, z: vec![T::zero(); r] }
    }

    /// Takes in the present, in place of what is further back than the dilation.
    pub fn remember(&mut self, x: &[T]) {
        self.newest = (self.newest + x.len()) % self.ring.len();
        self.ring[self.newest..][..x.len()].copy_from_slice(x);
    }

    /// What the next position hears a dilation back.
    pub fn oldest(&self) -> &[T] {
        let r = self.z.len();
        &self.ring[(self.newest + r) % self.ring.len()..][..r]
    }

    /// Begins the gates of the next position.
    pub fn hear_past(&mut self, layer: &CachedLayer<T>) {
        let mut past = std::mem::take(&mut self.past);
        layer.past.apply(self.oldest(), &mut past);
        self.past = past;
    }

    /// z of the gates, to which the classes add theirs.
    pub fn gate(&mut self, gates: &[T]) {
        gate(gates, Some(&self.global[..]).filter(|global| !global.is_empty()), &mut self.z);
    }
}

/// What the features of a position add to the gates. They often stay the same for many positions, and so does this.
#[derive(Clone, Debug)]
pub(super) struct Told<T> {
    features: Vec<T>,
    /// (L, 2R).
    gates: Vec<T>,
    fresh: bool,
}

impl<T: Scalar> Told<T> {
    pub fn nothing(features: usize, gates: usize) -> Self {
        Told { features: vec![T::zero(); features], gates: vec![T::zero(); gates], fresh: false }
    }

    pub fn hear(&mut self, local: &Product<T>, features: &[T], team: &mut Team) {
        if !(self.fresh && self.features == features) {
            self.features.copy_from_slice(features);
            local.apply_by(team, features, &mut self.gates);
            self.fresh = true;
        }
    }

    /// Adds what layer i is told.
    pub fn add_to(&self, layer: usize, gates: &mut [T]) {
        if !self.gates.is_empty() {
            let wide = gates.len();
            add(gates, &self.gates[layer * wide..][..wide]);
        }
    }
}
