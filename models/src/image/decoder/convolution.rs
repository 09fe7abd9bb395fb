//! One layer of a causal network, computed a pixel at a time.
//!
//! The chain of an output goes through the taps in row-major order, so what lies in the rows above a pixel comes before what lies in its
//! own. When a row of the image begins, the rows above it are there: their part of the chains of all its pixels is one product of many
//! rows ([`CachedConvolution::begin_row`]). A pixel then continues its chain with what lies to its left and with itself
//! ([`CachedConvolution::here`]), so it has the bits it has in the pass over whole images, and no multiply-add is done twice.
//!
//! Of its own pixel a colour sees the channels of the colours before it. So when a sub-pixel is known, the channels that became known with
//! it continue the chains of its colour, which end, and of the colours after it, which are kept: the sub-pixels of a pixel together cost
//! one pass over the weights, and each adds a third of the steps to chains of all channels rather than all steps to a third of them.

use super::kernel::Kernel;
use super::rows::{Extent, Plan};
use super::{Memory, State};
use autograd::Scalar;
use autograd::kernels::convolution::Tap;
use autograd::kernels::elementwise;
use autograd::kernels::gemm::{Matrix, Store};
use autograd::kernels::packed::{Direction, Packed};
use std::ops::Range;

/// Where in its row a sub-pixel lies, and which colour it is.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The column.
    pub x: usize,
    /// The colour, which is the group of channels.
    pub colour: usize,
}

/// Taps that lie in one row.
struct Strip<T> {
    /// How far above.
    above: usize,
    /// Where the first of them reads, from the pixel to the right.
    right: isize,
    weight: Packed<T>,
}

/// What a sub-pixel adds to the chains of its colour and of those after it: the channels of the own row that are there now, and were not
/// before.
struct Here<T> {
    /// Of its colour.
    outputs: Range<usize>,
    /// Where the first of them is, from the pixel to the right, and its channel.
    right: isize,
    channel: usize,
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
    /// Where its chains are kept between the beginning of a row and a pixel of it, or from colour to colour, and of how many columns; if
    /// they are.
    begun: Option<(usize, usize)>,
    /// Whether its input is needed at once and never again, so that nothing is remembered of it.
    passing: bool,
    /// Whether its input is a ReLU, which is what is remembered of it.
    relu: bool,
}

impl<T: Scalar> CachedConvolution<T> {
    /// A layer that is computed pixel by pixel. `groups` are its output channels, colour by colour, in the order in which they are
    /// wanted; `input` says which rows it reads.
    ///
    /// # Panics
    /// If its mask is not that of so many colours.
    pub fn of_pixels(kernel: &Kernel<T>, groups: &[Vec<usize>], input: usize, width: usize, plan: &mut Plan) -> Self {
        let (above, own): (Vec<_>, Vec<_>) = kernel.taps.iter().copied().partition(|(_, tap)| tap.down < 0);
        let (left, centre): (Vec<_>, Vec<_>) = own.into_iter().partition(|(_, tap)| tap.right < 0);
        let (outputs, each) = (groups.concat(), kernel.inputs / groups.len());
        // Of the own pixel a colour sees the colours before it, under mask B itself as well.
        let itself = kernel.own[groups[0][0]] / each;
        let seen = |colour: usize| (colour + itself) * each;
        let all_seen = |(colour, group): (usize, &Vec<usize>)| group.iter().all(|&o| kernel.own[o] == seen(colour));
        assert!(groups.iter().enumerate().all(all_seen), "decoder: a mask that is not of {} colours", groups.len());
        let mut first = 0;
        let here = |(colour, group): (usize, &Vec<usize>)| {
            let range = first..first + group.len();
            first = range.end;
            let before = if colour == 0 { 0 } else { seen(colour - 1) };
            let to_the_left = left.iter().filter(|_| colour == 0);
            let mut steps: Vec<_> =
                to_the_left.flat_map(|&(place, _)| (0..kernel.inputs).map(move |i| (place, i))).collect();
            steps.extend(centre.iter().flat_map(|&(place, _)| (before..seen(colour)).map(move |i| (place, i))));
            let right = left.first().filter(|_| colour == 0).map_or(0, |(_, tap)| tap.right);
            Here { right, channel: before, weight: kernel.packed(&steps, &outputs[range.start..]), outputs: range }
        };
        let here: Vec<_> = groups.iter().enumerate().map(here).collect();
        let columns = if above.is_empty() { 1 } else { width };
        let kept = !above.is_empty() || groups.len() > 1;
        let begun = kept.then(|| (plan.begun(columns * outputs.len()), columns));
        let passing = groups.len() == 1 && plan.rows[input] == Extent::pixel(kernel.inputs);
        CachedConvolution { here, begun, passing, ..Self::strips(kernel, &above, &outputs, input, width) }
    }

    /// A layer that is computed row by row, as its own row of the input is whole before any of its outputs is wanted.
    pub fn of_rows(kernel: &Kernel<T>, outputs: &[usize], input: usize, width: usize) -> Self {
        Self::strips(kernel, &kernel.taps, outputs, input, width)
    }

    fn strips(kernel: &Kernel<T>, taps: &[(usize, Tap)], outputs: &[usize], input: usize, width: usize) -> Self {
        let strip = |taps: &[(usize, Tap)]| Strip {
            above: taps[0].1.down.unsigned_abs(),
            right: taps[0].1.right,
            weight: {
                let steps = taps.iter().flat_map(|&(place, _)| (0..kernel.inputs).map(move |i| (place, i)));
                kernel.packed(&steps.collect::<Vec<_>>(), outputs)
            },
        };
        CachedConvolution {
            input,
            channels: kernel.inputs,
            width,
            bias: outputs.iter().map(|&o| kernel.bias[o]).collect(),
            strips: taps.chunk_by(|a, b| a.1.down == b.1.down).map(strip).collect(),
            here: Vec::new(),
            begun: None,
            passing: false,
            relu: kernel.relu,
        }
    }

    /// The multiply-adds of one pixel, all its colours together.
    pub fn multiply_adds(&self) -> usize {
        let count = |weight: &Packed<T>| weight.rows() * weight.cols();
        self.strips.iter().map(|strip| count(&strip.weight)).sum::<usize>()
            + self.here.iter().map(|here| count(&here.weight)).sum::<usize>()
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
        if let Some((begun, _)) = self.begun.filter(|_| !self.strips.is_empty()) {
            let mut out = std::mem::take(&mut memory.begun[begun]);
            self.row(memory, &mut out);
            memory.begun[begun] = out;
        }
    }

    /// Room for a colour's channels of the input of an image, the `image`-th of those side by side.
    pub fn input<'m>(
        &self,
        image: usize,
        memory: &'m mut Memory<T>,
        at: At,
        channels: usize,
        passed: &'m mut Vec<T>,
    ) -> &'m mut [T] {
        if !self.passing {
            return memory.rows[self.input].at(at.x, at.colour * channels, channels);
        }
        passed.resize(passed.len().max((image + 1) * channels), T::zero());
        &mut passed[image * channels..][..channels]
    }

    /// Gives it a colour's channels of several images side by side as its input.
    ///
    /// # Shapes
    /// `values` (images, channels of the colour)
    pub fn put(&self, states: &mut [State<T>], at: At, values: &[T], passed: &mut Vec<T>) {
        let channels = values.len() / states.len();
        let positive = elementwise::each_pair(|_, x: T| if x < T::zero() { T::zero() } else { x });
        for (image, (state, values)) in states.iter_mut().zip(values.chunks_exact(channels)).enumerate() {
            let input = self.input(image, &mut state.memory, at, channels, passed);
            if self.relu { positive(input, values) } else { input.copy_from_slice(values) }
        }
    }

    /// The outputs of a sub-pixel's colour, of several images side by side. What was `passed` is the input, or room to gather it.
    ///
    /// # Shapes
    /// → `out` (images, outputs of the colour)
    pub fn here(&self, states: &mut [State<T>], at: At, passed: &mut Vec<T>, out: &mut Vec<T>) {
        let Here { outputs, right, channel, weight } = &self.here[at.colour];
        let (steps, columns, all) = (weight.rows(), weight.cols(), self.bias.len());
        let chains = |columns: usize| at.x.min(columns - 1) * all;
        out.clear();
        for State { memory, .. } in &mut *states {
            memory.multiply_adds += (steps * columns) as u64;
            out.extend_from_slice(match self.begun {
                Some((begun, columns)) if at.colour > 0 || !self.strips.is_empty() => {
                    &memory.begun[begun][chains(columns)..][outputs.start..all]
                }
                _ => &self.bias[outputs.start..],
            });
        }
        match states {
            [_] if self.passing => weight.row(&passed[..steps], Store::Accumulate, Direction::Forward, out),
            [State { memory, .. }] => {
                let input = memory.rows[self.input].pixel(at.x, *right, *channel, steps);
                weight.row(input, Store::Accumulate, Direction::Forward, out);
            }
            _ => {
                if !self.passing {
                    passed.clear();
                    for State { memory, .. } in &*states {
                        passed.extend_from_slice(memory.rows[self.input].pixel(at.x, *right, *channel, steps));
                    }
                }
                weight.product(Matrix::new(passed, states.len(), steps), Store::Accumulate, out, columns);
            }
        }
        // The chains of later colours have gone on.
        if let (Some((begun, kept)), true) = (self.begun, columns > outputs.len()) {
            for (i, State { memory, .. }) in states.iter_mut().enumerate() {
                let later = &out[i * columns..][outputs.len()..columns];
                memory.begun[begun][chains(kept)..][outputs.end..all].copy_from_slice(later);
                out.copy_within(i * columns..i * columns + outputs.len(), i * outputs.len());
            }
            out.truncate(states.len() * outputs.len());
        }
    }
}
