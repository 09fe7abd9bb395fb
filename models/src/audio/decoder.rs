//! WaveNet a sample at a time: each layer remembers as many of its inputs as its dilation reaches back, so a sample costs one pass over
//! the layers, however far they hear.
//!
//! What a layer reads at position t are its inputs at t and at t − d, d its dilation: a *ring* of d vectors holds those between, and its oldest
//! is where the newest goes. All rings begin as zeros, which is what lies before a sound in the parallel pass. Each output is the same chain
//! of multiply-adds as there (bias, the place further back, the present), so a step has the bits of the parallel pass.
//!
//! Nothing is allocated for a step.

use super::wavenet::{Conditions, Input, KERNEL, WaveNet};
use crate::gated::{add, gate};
use autograd::Scalar;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::packed::{Direction, Packed};
use autograd::nn::{CausalConv1d, Embedding};

/// A convolution whose inputs of all places lie side by side: `y = b + W·[x_(t − d), x_t]`.
struct Product<T> {
    weight: Packed<T>,
    bias: Vec<T>,
}

impl<T: Scalar> Product<T> {
    fn new(layer: &CausalConv1d<T>) -> Self {
        let [outputs, inputs, places]: [usize; 3] = layer.weight.shape().try_into().expect("rank 3");
        let weight = layer.weight.values();
        // Rows in the order of the chain: place after place, in each the channels.
        let mut matrix = Vec::with_capacity(weight.len());
        for row in 0..places * inputs {
            let (place, input) = (row / inputs, row % inputs);
            matrix.extend((0..outputs).map(|output| weight[(output * inputs + input) * places + place]));
        }
        let bias = layer.bias.as_ref().map_or_else(|| vec![T::zero(); outputs], |bias| bias.values().to_vec());
        Product { weight: Packed::new(Matrix::new(&matrix, places * inputs, outputs)), bias }
    }

    /// # Shapes
    /// `x` (places · inputs) → `y` (outputs)
    fn apply(&self, x: &[T], y: &mut [T]) {
        y.copy_from_slice(&self.bias);
        self.weight.row(x, Store::Accumulate, Direction::Forward, y);
    }

    fn multiply_adds(&self) -> usize {
        self.weight.rows() * self.weight.cols()
    }
}

/// A layer prepared for stepping.
struct CachedLayer<T> {
    dilation: usize,
    dilated: Product<T>,
    global: Vec<Embedding<T>>,
    local: Option<Product<T>>,
    residual: Option<Product<T>>,
    skip: Product<T>,
}

/// What a symbol is read as.
enum Symbols<T> {
    /// Rows of R.
    Table(Vec<T>),
    /// `b + w·x` of the level as a number.
    Levels { input: Input, weight: Vec<T>, bias: Vec<T> },
}

impl<T: Scalar> Symbols<T> {
    fn new(network: &WaveNet<T>) -> Self {
        match (&network.embedding, &network.first) {
            (Some(table), _) => Symbols::Table(table.weight.values().to_vec()),
            (None, Some(first)) => Symbols::Levels {
                input: network.input(),
                weight: first.weight.values().to_vec(),
                bias: first.bias.as_ref().map_or_else(Vec::new, |bias| bias.values().to_vec()),
            },
            (None, None) => unreachable!("a network has one of the two"),
        }
    }

    /// # Shapes
    /// → `x` (R)
    fn read(&self, symbol: u32, x: &mut [T]) {
        match self {
            Symbols::Table(rows) => x.copy_from_slice(&rows[symbol as usize * x.len()..][..x.len()]),
            Symbols::Levels { input, weight, bias } => {
                let level: T = input.scaled(symbol);
                x.iter_mut().zip(weight).zip(bias).for_each(|((x, &w), &b)| *x = level.mul_add(w, b));
            }
        }
    }

    fn multiply_adds(&self) -> usize {
        match self {
            Symbols::Table(_) => 0,
            Symbols::Levels { weight, .. } => weight.len(),
        }
    }
}

/// A network prepared for stepping. It owns what it needs.
pub struct Decoder<T> {
    /// What a symbol is read as: a row of R of each, or the levels that there are and the 1 × 1 of one.
    input: Symbols<T>,
    layers: Vec<CachedLayer<T>>,
    head: Product<T>,
    output: Product<T>,
    residual: usize,
    skip: usize,
    features: usize,
}

/// What the layers remember of a sound.
#[derive(Clone, Debug)]
pub struct Memory<T> {
    /// Of each layer d vectors of R, and where the oldest of them begins.
    rings: Vec<(Vec<T>, usize)>,
    /// What the classes add to the gates of each layer: 2R; empty for none.
    global: Vec<Vec<T>>,
    work: Work<T>,
}

/// Values on their way, kept for their memory alone.
#[derive(Clone, Debug)]
struct Work<T> {
    /// (2R): the input a dilation ago, and now.
    pair: Vec<T>,
    gates: Vec<T>,
    told: Vec<T>,
    z: Vec<T>,
    back: Vec<T>,
    skips: Vec<T>,
    added: Vec<T>,
    out: Vec<T>,
}

/// `x ← max(x, 0)`.
fn relu<T: Scalar>(x: &mut [T]) {
    x.iter_mut().for_each(|x| *x = if *x < T::zero() { T::zero() } else { *x });
}

impl<T: Scalar> Decoder<T> {
    /// Prepares a network.
    pub fn new(network: &WaveNet<T>) -> Self {
        let layer = |layer: &super::wavenet::Layer<T>| CachedLayer {
            dilation: layer.dilated.dilation(),
            dilated: Product::new(&layer.dilated),
            global: layer.global.clone(),
            local: layer.local.as_ref().map(Product::new),
            residual: layer.residual.as_ref().map(Product::new),
            skip: Product::new(&layer.skip),
        };
        let first = &network.layers[0];
        Decoder {
            input: Symbols::new(network),
            layers: network.layers.iter().map(layer).collect(),
            head: Product::new(&network.head),
            output: Product::new(&network.output),
            residual: first.dilated.weight.shape()[1],
            skip: first.skip.weight.shape()[0],
            features: first.local.as_ref().map_or(0, |local| local.weight.shape()[1]),
        }
    }

    /// What the network can be conditioned on.
    pub fn conditions(&self) -> Conditions {
        let classes = self.layers[0].global.iter().map(|table| table.weight.shape()[0]).collect();
        Conditions { classes, features: self.features }
    }

    /// Multiply-adds of a sample: the same for each.
    pub fn multiply_adds(&self) -> usize {
        let layers = self
            .layers
            .iter()
            .flat_map(|layer| [&layer.dilated, &layer.skip].into_iter().chain(&layer.local).chain(&layer.residual));
        layers.chain([&self.head, &self.output]).map(Product::multiply_adds).sum::<usize>() + self.input.multiply_adds()
    }

    /// What is remembered before a sound of these classes.
    ///
    /// # Panics
    /// If there is not one class for each table, or a class is none.
    #[track_caller]
    pub fn start(&self, classes: &[u32]) -> Memory<T> {
        let (r, wide) = (self.residual, 2 * self.residual);
        let global = |layer: &CachedLayer<T>| {
            assert_eq!(classes.len(), layer.global.len(), "WaveNet: one class for each table");
            let mut sum = Vec::new();
            for (table, &class) in layer.global.iter().zip(classes) {
                let row = &table.weight.values()[class as usize * wide..][..wide];
                if sum.is_empty() {
                    sum.extend_from_slice(row);
                } else {
                    add(&mut sum, row);
                }
            }
            sum
        };
        let zeros = |len: usize| vec![T::zero(); len];
        Memory {
            rings: self.layers.iter().map(|layer| (zeros(layer.dilation * r), 0)).collect(),
            global: self.layers.iter().map(global).collect(),
            work: Work {
                pair: zeros(KERNEL * r),
                gates: zeros(wide),
                told: zeros(wide),
                z: zeros(r),
                back: zeros(r),
                skips: zeros(self.skip),
                added: zeros(self.skip),
                out: zeros(self.output.bias.len()),
            },
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
        assert_eq!(features.len(), self.features, "WaveNet: features of a position");
        let r = self.residual;
        let Memory { rings, global, work } = memory;
        let Work { pair, gates, told, z, back, skips, added, out } = work;
        match code {
            None => pair[r..].fill(T::zero()),
            Some(code) => self.input.read(code, &mut pair[r..]),
        }
        for (i, (layer, (ring, oldest))) in self.layers.iter().zip(rings).enumerate() {
            let place = &mut ring[*oldest..][..r];
            let (before, now) = pair.split_at_mut(r);
            before.copy_from_slice(place);
            place.copy_from_slice(now);
            *oldest = (*oldest + r) % (layer.dilation * r);
            layer.dilated.apply(pair, gates);
            if let Some(local) = &layer.local {
                local.apply(features, told);
                add(gates, told);
            }
            gate(gates, Some(&global[i][..]).filter(|global| !global.is_empty()), z);
            if i == 0 {
                layer.skip.apply(z, skips);
            } else {
                layer.skip.apply(z, added);
                add(skips, added);
            }
            if let Some(residual) = &layer.residual {
                residual.apply(z, back);
                add(&mut pair[r..], back);
            }
        }
        relu(skips);
        self.head.apply(skips, added);
        relu(added);
        self.output.apply(added, out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::wavenet::{Condition, Sizes};
    use super::*;
    use autograd::random::Streams;
    use autograd::{Tensor, no_grad};

    const SIZES: Sizes = Sizes { residual: 6, skip: 20, layers: 4, stacks: 2 };

    fn steps_have_the_bits_of_the_parallel_pass<T: Scalar>() {
        for conditions in [
            Conditions::default(),
            Conditions { classes: vec![3], features: 0 },
            Conditions { classes: vec![2, 4], features: 3 },
        ] {
            for input in [Input::Codes(9), Input::Levels(9)] {
                let network = WaveNet::<T>::new(SIZES, input, 9, &conditions, &mut Streams::new(4).stream("init"));
                let (time, f) = (70, conditions.features);
                let codes: Vec<u32> = (0..time).map(|i| (i * i % 11 % 9) as u32).collect();
                let features: Vec<T> = (0..time * f).map(|i| T::of((i as f64 * 0.7).sin())).collect();
                let classes: Vec<u32> = conditions.classes.iter().map(|&classes| classes as u32 - 1).collect();
                let global: Vec<&[u32]> = classes.iter().map(std::slice::from_ref).collect();
                let local = (f > 0).then(|| Tensor::from_vec(features.clone(), &[1, time, f]).permute(&[0, 2, 1]));
                let parallel = no_grad(|| {
                    let condition = Condition { global: &global, local: local.as_ref() };
                    network.outputs(&network.skips(&codes, 1, condition)).permute(&[0, 2, 1]).to_vec()
                });
                let decoder = Decoder::new(&network);
                assert_eq!(decoder.conditions(), conditions);
                let mut memory = decoder.start(&classes);
                for t in 0..time {
                    let before = t.checked_sub(1).map(|before| codes[before]);
                    let stepped = decoder.step(&mut memory, before, &features[t * f..][..f]);
                    assert_eq!(stepped, &parallel[t * 9..][..9], "position {t}, {conditions:?}, {input:?}");
                }
            }
        }
    }

    #[test]
    fn steps_have_the_bits_of_the_parallel_pass_in_both_types() {
        steps_have_the_bits_of_the_parallel_pass::<f32>();
        steps_have_the_bits_of_the_parallel_pass::<f64>();
    }

    #[test]
    fn a_sample_costs_one_pass_over_the_layers() {
        let sizes = Sizes { residual: 32, skip: 128, layers: 10, stacks: 1 };
        let network = WaveNet::<f32>::new(
            sizes,
            Input::Codes(256),
            256,
            &Conditions::default(),
            &mut Streams::new(1).stream("init"),
        );
        // 10 layers of 2·32·64 + 32·32 + 32·128, the last without its residual; 128·128 + 128·256.
        assert_eq!(Decoder::new(&network).multiply_adds(), 10 * (4096 + 1024 + 4096) - 1024 + 16_384 + 32_768);
    }
}
