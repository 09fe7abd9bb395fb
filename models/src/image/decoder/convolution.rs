//! One layer of a causal network, computed a pixel at a time.
//!
//! The chain of an output goes through the taps in row-major order, so what lies in the rows above a pixel comes before what lies in its
//! own. When a row of the image begins, the rows above it are there: their part of the chains of all its pixels is one product of many
//! rows ([`CachedConvolution::begin_row`]). A pixel then continues its chain with what lies to its left and with itself
//! ([`CachedConvolution::here`]), so it has the bits it has in the pass over whole images, and no multiply-add is done twice.
//!
//! Groups of output channels, one for each colour, are packed apart. A sub-pixel needs those of its colour, which of their own pixel see
//! the channels of the colours before it: so the sub-pixels of a pixel together cost one pass over the weights.

use super::rows::Extent;
use super::{Memory, State};
use autograd::Scalar;
use autograd::kernels::convolution::Tap;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::packed::{Direction, Packed};
use autograd::nn::{Conv2d, MaskedConv2d};
use std::ops::Range;

/// Where in its row a sub-pixel lies, and which colour it is.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The column.
    pub x: usize,
    /// The colour, which is the group of channels.
    pub colour: usize,
}

/// A convolution as a layer has it: its weight, 0 where it is masked, and what of it is there.
pub struct Kernel<T> {
    /// (O, I, places), 0 where masked.
    weight: Vec<T>,
    bias: Vec<T>,
    /// I.
    inputs: usize,
    /// The number of a place, and what it reads.
    taps: Vec<(usize, Tap)>,
    places: usize,
    /// (O): how many channels of its own pixel an output sees.
    own: Vec<usize>,
}

impl<T: Scalar> Kernel<T> {
    /// Of a masked layer.
    pub fn masked(layer: &MaskedConv2d<T>) -> Self {
        let [outputs, inputs, height, width]: [usize; 4] = layer.weight.shape().try_into().expect("rank 4");
        let sees = |o: usize, i: usize| layer.mask().value()[[o, i, height / 2, width / 2]] != T::zero();
        let own = (0..outputs).map(|o| (0..inputs).take_while(|&i| sees(o, i)).count()).collect();
        Kernel {
            weight: layer.masked().to_vec(),
            bias: layer.bias.values().to_vec(),
            inputs,
            taps: layer.how().taps(&[height, width]).collect(),
            places: height * width,
            own,
        }
    }

    /// Of a layer without a mask.
    pub fn plain(layer: &Conv2d<T>) -> Self {
        let [outputs, inputs, height, width]: [usize; 4] = layer.weight.shape().try_into().expect("rank 4");
        Kernel {
            weight: layer.weight.values().to_vec(),
            bias: layer.bias.as_ref().map_or_else(|| vec![T::zero(); outputs], |bias| bias.values().to_vec()),
            inputs,
            taps: layer.how.taps(&[height, width]).collect(),
            places: height * width,
            own: vec![inputs; outputs],
        }
    }

    /// What its taps read.
    pub fn taps(&self) -> impl Iterator<Item = Tap> {
        self.taps.iter().map(|&(_, tap)| tap)
    }

    /// (steps, outputs): the first steps of the chains over these taps.
    fn packed(&self, taps: &[(usize, Tap)], steps: usize, outputs: &[usize]) -> Packed<T> {
        let mut matrix = vec![T::zero(); steps * outputs.len()];
        for (step, row) in matrix.chunks_exact_mut(outputs.len()).enumerate() {
            let (place, input) = (taps[step / self.inputs].0, step % self.inputs);
            let weight = |&o: &usize| self.weight[(o * self.inputs + input) * self.places + place];
            row.iter_mut().zip(outputs).for_each(|(value, o)| *value = weight(o));
        }
        Packed::new(Matrix::new(&matrix, steps, outputs.len()))
    }
}

/// Taps that lie in one row.
struct Strip<T> {
    /// How far above.
    above: usize,
    /// Where the first of them reads, from the pixel to the right.
    right: isize,
    weight: Packed<T>,
}

/// The own row's taps, for the outputs of one group.
struct Here<T> {
    outputs: Range<usize>,
    right: isize,
    weight: Packed<T>,
}

/// A layer ready to be computed pixel by pixel, or, where it reads rows that are whole, row by row.
pub struct CachedConvolution<T> {
    /// Which rows of the memory it reads.
    input: usize,
    channels: usize,
    width: usize,
    bias: Vec<T>,
    /// From the top.
    strips: Vec<Strip<T>>,
    here: Vec<Here<T>>,
    /// Where its chains lie in the memory between the beginning of a row and a pixel of it, if any tap is above.
    begun: Option<usize>,
}

/// What the layers of a network want remembered of an image.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Rows of inputs.
    pub rows: Vec<Extent>,
    /// Lengths of what is computed when a row begins.
    pub begun: Vec<usize>,
}

impl Plan {
    /// Has rows remembered; says where.
    pub fn rows(&mut self, extent: Extent) -> usize {
        self.rows.push(extent);
        self.rows.len() - 1
    }

    /// Has so many values remembered from the beginning of a row on; says where.
    pub fn begun(&mut self, values: usize) -> usize {
        self.begun.push(values);
        self.begun.len() - 1
    }
}

impl<T: Scalar> CachedConvolution<T> {
    /// A layer that is computed pixel by pixel. `groups` are its output channels, colour by colour, in the order in which they are
    /// wanted; `input` says which rows it reads, of what extent.
    pub fn of_pixels(kernel: &Kernel<T>, groups: &[Vec<usize>], input: usize, width: usize, plan: &mut Plan) -> Self {
        let (above, own): (Vec<_>, Vec<_>) = kernel.taps.iter().copied().partition(|(_, tap)| tap.down < 0);
        let mut first = 0;
        let here = |outputs: &Vec<usize>| {
            let range = first..first + outputs.len();
            first = range.end;
            // The own pixel is the last tap, and of it a beginning of its channels is seen.
            let left = own.iter().filter(|(_, tap)| tap.right < 0).count();
            let steps = left * kernel.inputs + if own.len() > left { kernel.own[outputs[0]] } else { 0 };
            let right = own.first().map_or(0, |(_, tap)| tap.right);
            Here { outputs: range, right, weight: kernel.packed(&own, steps, outputs) }
        };
        let here = groups.iter().map(here).collect();
        let outputs: Vec<usize> = groups.concat();
        let begun = (!above.is_empty()).then(|| plan.begun(width * outputs.len()));
        CachedConvolution { here, begun, ..Self::strips(kernel, &above, &outputs, input, width) }
    }

    /// A layer that is computed row by row, as its own row of the input is whole before any of its outputs is wanted.
    pub fn of_rows(kernel: &Kernel<T>, outputs: &[usize], input: usize, width: usize) -> Self {
        Self::strips(kernel, &kernel.taps, outputs, input, width)
    }

    fn strips(kernel: &Kernel<T>, taps: &[(usize, Tap)], outputs: &[usize], input: usize, width: usize) -> Self {
        let strip = |taps: &[(usize, Tap)]| Strip {
            above: taps[0].1.down.unsigned_abs(),
            right: taps[0].1.right,
            weight: kernel.packed(taps, taps.len() * kernel.inputs, outputs),
        };
        CachedConvolution {
            input,
            channels: kernel.inputs,
            width,
            bias: outputs.iter().map(|&o| kernel.bias[o]).collect(),
            strips: taps.chunk_by(|a, b| a.1.down == b.1.down).map(strip).collect(),
            here: Vec::new(),
            begun: None,
        }
    }

    /// The multiply-adds of one pixel, all its colours together.
    pub fn multiply_adds(&self) -> usize {
        let count = |weight: &Packed<T>| weight.rows() * weight.cols();
        self.strips.iter().map(|strip| count(&strip.weight)).sum::<usize>()
            + self.here.iter().map(|here| count(&here.weight)).sum::<usize>()
    }

    /// Which rows of the memory it reads.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Output channels of a colour.
    pub fn outputs(&self, colour: usize) -> Range<usize> {
        self.here[colour].outputs.clone()
    }

    /// The chains of a whole row, as far as the rows above it take them; to the end, for a layer [`CachedConvolution::of_rows`].
    ///
    /// # Shapes
    /// → `out` (W, O)
    pub fn row(&self, memory: &mut Memory<T>, out: &mut [T]) {
        let Memory { rows, multiply_adds, .. } = memory;
        let rows = &rows[self.input];
        let outputs = self.bias.len();
        out.chunks_exact_mut(outputs).for_each(|out| out.copy_from_slice(&self.bias));
        for strip in &self.strips {
            let from = rows.from(strip.above, strip.right);
            let positions = Matrix::with_strides(from, self.width, strip.weight.rows(), self.channels, 1);
            strip.weight.product(positions, Store::Accumulate, out, outputs);
            *multiply_adds += (self.width * strip.weight.rows() * outputs) as u64;
        }
    }

    /// Begins a row: computes what the rows above say of it. The input has begun the row before.
    pub fn begin_row(&self, memory: &mut Memory<T>) {
        if let Some(begun) = self.begun {
            let mut out = std::mem::take(&mut memory.begun[begun]);
            self.row(memory, &mut out);
            memory.begun[begun] = out;
        }
    }

    /// The outputs of a sub-pixel's colour, of several images side by side.
    ///
    /// # Shapes
    /// → `out` (images, outputs of the colour)
    pub fn here(&self, states: &mut [State<T>], at: At, gathered: &mut Vec<T>, out: &mut Vec<T>) {
        let Here { outputs, right, weight } = &self.here[at.colour];
        let done = (weight.rows() * weight.cols()) as u64;
        out.clear();
        for State { memory, .. } in &mut *states {
            memory.multiply_adds += done;
            out.extend_from_slice(match self.begun {
                Some(begun) => &memory.begun[begun][at.x * self.bias.len()..][outputs.clone()],
                None => &self.bias[outputs.clone()],
            });
        }
        let steps = weight.rows();
        if let [State { memory, .. }] = states {
            let input = memory.rows[self.input].pixel(at.x, *right, steps);
            return weight.row(input, Store::Accumulate, Direction::Forward, out);
        }
        gathered.clear();
        for State { memory, .. } in &*states {
            gathered.extend_from_slice(memory.rows[self.input].pixel(at.x, *right, steps));
        }
        weight.product(Matrix::new(gathered, states.len(), steps), Store::Accumulate, out, outputs.len());
    }
}
