//! WaveNet: gated causal convolutions whose dilation doubles from layer to layer, so that few layers hear far back.
//!
//! A layer, with x its input, c what the sound is conditioned on: `z = tanh(W_f ∗ x + V_f c) ⊙ σ(W_g ∗ x + V_g c)`; `x' = x + 1×1(z)`;
//! a second 1 × 1 of z, the *skip*, is added to those of all layers. The output reads that sum: ReLU, 1 × 1, ReLU, 1 × 1.
//!
//! What the network reads at a position is the code *before* it: the shift of one that makes it causal stands here, once, and no layer has
//! a mask. Before the beginning every layer's input is 0.
//!
//! Source: van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, sections 2.1 to 2.5, figure 4. Two choices are ours: the
//! first convolution is a table of codes, which is a convolution of one place on one-hot codes; the last layer has no residual, which nobody
//! would read.

use autograd::nn::{CausalConv1d, Embedding};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, module};

/// The numbers of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// R, channels from layer to layer, and of each half of a gate.
    pub residual: usize,
    /// S, channels of the skips.
    pub skip: usize,
    /// Layers of a stack, of dilation 1, 2, 4, …
    pub layers: usize,
    /// How many times the dilations begin again.
    pub stacks: usize,
}

/// Places of the kernel of every dilated layer.
pub const KERNEL: usize = 2;

impl Sizes {
    /// The dilation of every layer.
    pub fn dilations(&self) -> impl Iterator<Item = usize> {
        let layers = self.layers;
        (0..self.stacks).flat_map(move |_| (0..layers).map(|layer| 1 << layer))
    }

    /// How many codes before a position its distribution can depend on: `1 + (k − 1) Σ dilation`.
    pub fn receptive_field(&self) -> usize {
        1 + (KERNEL - 1) * self.dilations().sum::<usize>()
    }
}

/// One layer.
#[derive(Clone, Debug)]
pub struct Layer<T> {
    /// W: R → 2R, two places so many steps apart.
    pub dilated: CausalConv1d<T>,
    /// V of what is the same at all positions, a table for each kind of class: rows of 2R.
    pub global: Vec<Embedding<T>>,
    /// V of what changes with time: 1 × 1 to 2R, without a bias.
    pub local: Option<CausalConv1d<T>>,
    /// 1 × 1 back onto the input, which the last layer ends.
    pub residual: Option<CausalConv1d<T>>,
    /// 1 × 1 to the skips.
    pub skip: CausalConv1d<T>,
}

module!(Layer { dilated, global, local, residual, skip });

/// What a sound is conditioned on.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'c, T> {
    /// For each table of classes the class of every sound of the batch: K × (B).
    pub global: &'c [&'c [u32]],
    /// (B, F, T): what is known at every position.
    pub local: Option<&'c Tensor<T>>,
}

impl<T> Default for Condition<'_, T> {
    fn default() -> Self {
        Condition { global: &[], local: None }
    }
}

impl<T: Scalar> Layer<T> {
    fn new(sizes: Sizes, dilation: usize, last: bool, conditions: &Conditions, stream: &mut Stream) -> Self {
        let Sizes { residual: r, skip, .. } = sizes;
        let one = |inputs, outputs, stream: &mut Stream| CausalConv1d::new(inputs, outputs, 1, 1, stream);
        Layer {
            dilated: CausalConv1d::new(r, 2 * r, KERNEL, dilation, stream),
            global: conditions.classes.iter().map(|&classes| Embedding::new(classes, 2 * r, stream)).collect(),
            local: (conditions.features > 0).then(|| one(conditions.features, 2 * r, stream).without_bias()),
            residual: (!last).then(|| one(r, r, stream)),
            skip: one(r, skip, stream),
        }
    }

    /// The gated features.
    ///
    /// # Shapes
    /// `x` (B, R, T) → (B, R, T)
    fn gated(&self, x: &Tensor<T>, condition: Condition<T>) -> Tensor<T> {
        let gates = match (&self.local, condition.local) {
            (Some(local), Some(features)) => self.dilated.forward_onto(x, &local.forward(features)),
            _ => self.dilated.forward(x),
        };
        let tables = self.global.iter().zip(condition.global);
        let global = tables.map(|(table, classes)| table.forward(classes, &[classes.len()]));
        gates.gated_tanh(global.reduce(|sum, one| sum + one).as_ref())
    }
}

/// What a network can be conditioned on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Classes of each kind: digits, speakers.
    pub classes: Vec<usize>,
    /// F, features of a position; 0 for none.
    pub features: usize,
}

/// What a network reads a symbol as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// As a row of a table, of so many.
    Codes(usize),
    /// As a number: level l of V as `2l/(V − 1) − 1`, from −1 to 1.
    Levels(usize),
}

impl Input {
    /// Every symbol of [`Input::Levels`] as it is read.
    pub(super) fn scaled<T: Scalar>(self, symbol: u32) -> T {
        match self {
            Input::Codes(_) => T::of(symbol.into()),
            Input::Levels(levels) => T::of(f64::from(symbol) * (2.0 / (levels - 1) as f64) - 1.0),
        }
    }
}

/// A WaveNet up to the parameters of its distributions.
#[derive(Clone, Debug)]
pub struct WaveNet<T> {
    input: Input,
    /// A row of R for each code.
    pub embedding: Option<Embedding<T>>,
    /// 1 × 1, of a level, where there is no table.
    pub first: Option<CausalConv1d<T>>,
    /// The layers, from the input on.
    pub layers: Vec<Layer<T>>,
    /// 1 × 1, of the ReLU of the skips.
    pub head: CausalConv1d<T>,
    /// 1 × 1, to the parameters of the distribution.
    pub output: CausalConv1d<T>,
}

module!(WaveNet { embedding, first, layers, head, output });

impl<T: Scalar> WaveNet<T> {
    /// A network of sounds whose symbols are read so, with `parameters` numbers for the distribution of each.
    ///
    /// # Panics
    /// If there is no layer.
    pub fn new(sizes: Sizes, input: Input, parameters: usize, conditions: &Conditions, stream: &mut Stream) -> Self {
        let dilations: Vec<usize> = sizes.dilations().collect();
        assert!(!dilations.is_empty(), "WaveNet: no layer");
        let (embedding, first) = match input {
            Input::Codes(codes) => (Some(Embedding::new(codes, sizes.residual, stream)), None),
            Input::Levels(_) => (None, Some(CausalConv1d::new(1, sizes.residual, 1, 1, stream))),
        };
        let layer =
            |(i, &dilation): (usize, &usize)| Layer::new(sizes, dilation, i + 1 == dilations.len(), conditions, stream);
        let layers = dilations.iter().enumerate().map(layer).collect();
        let head = CausalConv1d::new(sizes.skip, sizes.skip, 1, 1, stream).of_relu();
        let output = CausalConv1d::new(sizes.skip, parameters, 1, 1, stream).of_relu();
        WaveNet { input, embedding, first, layers, head, output }
    }

    /// What a symbol is read as.
    pub fn input(&self) -> Input {
        self.input
    }

    /// The sum of the skips at every position, from the codes before it. What comes before the first code is silence of the features:
    /// zeros.
    ///
    /// # Shapes
    /// `codes` (B, T) → (B, S, T), channels innermost in memory
    ///
    /// # Panics
    /// If the codes are no whole batch, a code or class is none, or the condition is not of these sizes.
    #[track_caller]
    pub fn skips(&self, codes: &[u32], batch: usize, condition: Condition<T>) -> Tensor<T> {
        let time = codes.len() / batch.max(1);
        assert_eq!(codes.len(), batch * time, "WaveNet: {} codes in {batch} sounds", codes.len());
        // (B, T, R), moved by one: a position reads the code before it.
        let before = match (&self.embedding, &self.first) {
            (Some(table), _) => table.forward(codes, &[batch, time]),
            (None, Some(first)) => {
                let levels = codes.iter().map(|&code| self.input.scaled(code)).collect();
                first.forward(&Tensor::from_vec(levels, &[batch, 1, time])).permute(&[0, 2, 1])
            }
            (None, None) => unreachable!("one of the two was made"),
        };
        let before = before.narrow(1, 0, time.saturating_sub(1)).pad(1, time.min(1), 0, T::zero());
        let mut x = before.permute(&[0, 2, 1]);
        let mut skips: Option<Tensor<T>> = None;
        for layer in &self.layers {
            let z = layer.gated(&x, condition);
            skips = Some(match &skips {
                None => layer.skip.forward(&z),
                Some(skips) => layer.skip.forward_onto(&z, skips),
            });
            if let Some(residual) = &layer.residual {
                x = residual.forward_onto(&z, &x);
            }
        }
        skips.expect("at least one layer")
    }

    /// The parameters of the distribution of some positions, by the sums of their skips.
    ///
    /// # Shapes
    /// (B, S, N) → (B, P, N), channels innermost in memory
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn outputs(&self, skips: &Tensor<T>) -> Tensor<T> {
        self.output.forward(&self.head.forward(skips))
    }
}

#[cfg(test)]
#[path = "wavenet_tests.rs"]
mod tests;
