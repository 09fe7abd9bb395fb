//! Convolution of stride 1 as a matrix product whose left factor is read through an index: images and sound, forward and backward.
//!
//! Rows of the product are output positions, its inner dimension is taps × input channels, its columns are output channels. A
//! value of the left factor is not copied to where the product wants it: from one tap to the next the block product jumps to where
//! that tap's inputs lie (`jumps` of `micro::Block`). What is not multiplied at all: a tap that a [`Window`] does not list.
//!
//! Channels lie innermost, (images, height, width, channels), so that a step of the product reads neighbours, and a convolution of
//! 1 × 1 is the plain product. Sound is the case of height 1.
//!
//! The law of all products holds (`micro`): an output is one chain of multiply-adds over the taps in the window's order, the
//! channels of each in theirs, that begins with the bias; a tap outside the input multiplies zeros. So a position computed alone,
//! by [`Packed::row`](super::packed::Packed::row) of its taps' inputs one after the other, has the bits of that position among all.
//!
//! The loops, from the outermost: bands of output positions (some rows of an image or a stretch of sound), in parallel, where a band
//! that needs zeros around it or the ReLU of its input copies what it reads, once for all taps, into the level-2 cache (`Patch`);
//! panels of output channels; groups of positions side by side, as many as registers hold; taps; channels.

use super::gemm::Matrix;
use super::math::dispatch::{Pass, dispatch};
use super::micro::Block;
use super::operands::{Right, Start, Target};
use super::packed::Packed;
use super::parallel;
use crate::Scalar;
use ahead::Ahead;
use band::{Band, Patch};

mod ahead;
mod band;
mod weight;

pub(super) use weight::backward_weight_body;
pub use weight::{backward_weight, backward_weight_and_bias};

/// One place of a kernel: what it reads for an output lies so many rows below that output's position and so many columns to its
/// right; negative is above and to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tap {
    /// Rows below.
    pub down: isize,
    /// Columns to the right.
    pub right: isize,
}

/// Which input positions an output position reads. What lies outside the input reads as 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    taps: Vec<Tap>,
    input: [usize; 2],
    output: [usize; 2],
}

impl Window {
    /// Taps in the order in which they are added up, over inputs and outputs of these heights and widths.
    ///
    /// # Panics
    /// If a size or a distance is 2³¹ or more: products of two of them must not wrap around.
    pub fn new(taps: Vec<Tap>, input: [usize; 2], output: [usize; 2]) -> Self {
        let small = |x: usize| x < 1 << 31;
        assert!(input.into_iter().chain(output).all(small), "convolution: sizes {input:?}, {output:?}");
        let near = taps.iter().all(|tap| small(tap.down.unsigned_abs()) && small(tap.right.unsigned_abs()));
        assert!(near, "convolution: a tap further away than 2³¹");
        Window { taps, input, output }
    }

    /// The window of the gradient of the input: every tap seen from what it read.
    pub fn mirrored(&self) -> Self {
        let taps = self.taps.iter().map(|tap| Tap { down: -tap.down, right: -tap.right });
        Window { taps: taps.collect(), input: self.output, output: self.input }
    }

    /// The taps.
    pub fn taps(&self) -> &[Tap] {
        &self.taps
    }

    /// Input positions of one image.
    pub fn inputs(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Output positions of one image.
    pub fn outputs(&self) -> usize {
        self.output[0] * self.output[1]
    }
}

/// What is done to the operands of a convolution on the way, where a pass of its own would go through memory once more.
#[derive(Clone, Copy, Debug)]
pub struct Fused<'a, T> {
    /// The input is replaced by its ReLU.
    pub relu: bool,
    /// (outputs as they lie): where this is not positive, the output becomes 0; the backward pass of `relu`.
    pub gate: Option<&'a [T]>,
    /// (outputs as they lie): added to the output, after the gate.
    pub add: Option<&'a [T]>,
}

impl<T> Default for Fused<'_, T> {
    fn default() -> Self {
        Fused { relu: false, gate: None, add: None }
    }
}

/// Operands that were checked to fit.
#[derive(Clone, Copy)]
struct Operands<'a, T> {
    window: &'a Window,
    x: &'a [T],
    channels: usize,
    relu: bool,
}

impl<'a, T> Operands<'a, T> {
    /// Checks the lengths.
    fn new(window: &'a Window, images: usize, x: &'a [T], channels: usize, relu: bool) -> Self {
        let len = images.checked_mul(window.inputs()).and_then(|len| len.checked_mul(channels));
        assert_eq!(len, Some(x.len()), "convolution: {images} images of {:?} × {channels}", window.input);
        Operands { window, x, channels, relu }
    }
}

/// `z_p = b + Σ_t W_tᵀ·x_(p + t)` for every output position p, with what is [`Fused`].
///
/// # Shapes
/// `x` (images, input height, input width, I) · `weight` (taps · I, O), the channels of a tap side by side · `bias` (O)
/// → (images, output height, output width, O)
///
/// # Panics
/// If lengths do not fit.
pub fn apply<T: Scalar>(
    window: &Window,
    images: usize,
    x: &[T],
    weight: Matrix<T>,
    bias: Option<&[T]>,
    fused: Fused<T>,
) -> Vec<T> {
    T::convolution(window, images, x, weight, bias, fused)
}

pub(super) fn apply_body<T: Scalar>(
    window: &Window,
    images: usize,
    x: &[T],
    weight: Matrix<T>,
    bias: Option<&[T]>,
    fused: Fused<T>,
) -> Vec<T> {
    let outputs = weight.cols();
    let channels = weight.rows().checked_div(window.taps.len()).unwrap_or(0);
    assert_eq!(channels * window.taps.len(), weight.rows(), "convolution: {} taps", window.taps.len());
    let x = if channels == 0 { &x[..0] } else { x };
    let operands = Operands::new(window, images, x, channels, fused.relu);
    let len = images.checked_mul(window.outputs()).and_then(|len| len.checked_mul(outputs));
    let len = len.expect("convolution: more outputs than memory has addresses");
    let fits = |xs: Option<&[T]>, len: usize| xs.is_none_or(|xs| xs.len() == len);
    assert!(fits(bias, outputs) && fits(fused.gate, len) && fits(fused.add, len), "convolution: a length does not fit");
    if len == 0 {
        return Vec::new();
    }
    let packed = Packed::on_loan(weight);
    let bands = Band::all(window, images);
    let mut out: Vec<T> = Vec::with_capacity(len);
    let target = Target { c: out.spare_capacity_mut().as_mut_ptr().cast::<T>(), row: outputs };
    let run = |band: usize| {
        // Neighbours mostly stay on one thread.
        let next = bands.get(band + 1).map_or(&[][..], |next| operands.news(next));
        let band = &bands[band];
        let own = band.first(window) * outputs..(band.first(window) + band.len()) * outputs;
        let fused_in = [fused.gate, fused.add].map(|values| values.map_or(&[][..], |values| &values[own.clone()]));
        let soon = [fused_in[0], fused_in[1], next];
        // SAFETY: bands are disjoint sets of output positions, for each of which `out` has room.
        unsafe {
            products(operands, &packed, bias, band, soon, target);
            finish(window, band, fused, target);
        }
    };
    if len.saturating_mul(weight.rows().max(1)) < parallel::MIN_PARALLEL {
        (0..bands.len()).for_each(run);
    } else {
        parallel::one_by_one(bands.len(), &run);
    }
    packed.give_back();
    // SAFETY: the capacity was reserved, and the bands wrote every position.
    unsafe { out.set_len(len) };
    out
}

/// The products of one band.
///
/// # Safety
/// `target` has room for every output position, and nobody else uses those of this band.
unsafe fn products<T: Scalar>(
    operands: Operands<T>,
    packed: &Packed<T>,
    bias: Option<&[T]>,
    band: &Band,
    soon: [&[T]; 3],
    target: Target<T>,
) {
    let (tiling, right) = (packed.tiling(), packed.right());
    let outputs = packed.cols();
    let start = bias.map_or(Start::Zero, |bias| Start::Values { from: bias.as_ptr(), row: 0 });
    if packed.rows() == 0 {
        for i in band.positions(operands.window) {
            for j in 0..outputs {
                // SAFETY: the caller's promise.
                unsafe { target.at(i, j).write(bias.map_or(T::zero(), |bias| bias[j])) };
            }
        }
        return;
    }
    let patch = Patch::read(operands, band);
    let groups = patch.len.div_ceil(tiling.rows);
    let mut ahead = Ahead::of(soon, packed.panels() * patch.lines * groups);
    for panel in 0..packed.panels() {
        let columns = packed.columns_of(panel);
        let (b, b_step) = Right::panel(&right, panel, 0);
        for line in 0..patch.lines {
            let first = band.first(operands.window) + line * operands.window.output[1];
            for group in 0..groups {
                ahead.turn();
                // Of about one size: a block of few rows is slow.
                let rows = patch.len * group / groups..patch.len * (group + 1) / groups;
                let i = first + rows.start;
                let block = Block {
                    a: patch.at(line, rows.start),
                    a_row: patch.step,
                    a_step: 1,
                    jumps: &patch.jumps,
                    b,
                    b_step,
                    depth: patch.depth,
                    c: target.at(i, columns.start),
                    c_row: outputs,
                    rows: rows.len(),
                    cols: columns.len(),
                    start: start.at(0, columns.start),
                };
                // SAFETY: the patch holds what every tap of these positions reads; outputs are the caller's promise.
                unsafe { T::block(tiling.isa, &block) };
            }
        }
    }
    patch.give_back();
}

/// The gate and what is added, on outputs that are still in a near cache.
///
/// # Safety
/// As [`products`], which wrote them.
unsafe fn finish<T: Scalar>(window: &Window, band: &Band, fused: Fused<T>, target: Target<T>) {
    if fused.gate.is_none() && fused.add.is_none() {
        return;
    }
    for (first, len) in band.stretches(window) {
        let (first, len) = (first * target.row, len * target.row);
        // SAFETY: the band's own outputs, written before.
        let z = unsafe { std::slice::from_raw_parts_mut(target.c.add(first), len) };
        dispatch(Finish {
            z,
            gate: fused.gate.map(|x| &x[first..][..len]),
            add: fused.add.map(|x| &x[first..][..len]),
        });
    }
}

/// `z ← z where the gate is positive, else 0; plus what is added`.
struct Finish<'a, T> {
    z: &'a mut [T],
    gate: Option<&'a [T]>,
    add: Option<&'a [T]>,
}

impl<T: Scalar> Pass for Finish<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let open = |z: T, gate: T| if gate > T::zero() { z } else { T::zero() };
        match (self.gate, self.add) {
            (None, None) => {}
            (Some(gate), None) => self.z.iter_mut().zip(gate).for_each(|(z, &gate)| *z = open(*z, gate)),
            (None, Some(add)) => self.z.iter_mut().zip(add).for_each(|(z, &add)| *z += add),
            (Some(gate), Some(add)) => {
                let others = gate.iter().zip(add);
                self.z.iter_mut().zip(others).for_each(|(z, (&gate, &add))| *z = open(*z, gate) + add);
            }
        }
    }
}

#[cfg(test)]
mod tests;
