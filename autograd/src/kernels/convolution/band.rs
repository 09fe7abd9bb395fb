//! What one task of a convolution computes, and the piece of the input that it reads: in place, or copied with what lies around it.

use super::{Operands, Window};
use crate::Scalar;
use crate::kernels::math::dispatch::{Pass, dispatch};
use crate::kernels::pack::{self, Line};
use std::ops::Range;

/// About so many output positions make a band: with 64 to 128 channels, input and output are a part of a level-2 cache of 512 KiB.
const POSITIONS: usize = 192;

/// Fewest channels with which the block product steps through a tap by itself; below, the inputs of all taps of a position are put
/// side by side.
const FEW_CHANNELS: usize = 8;

impl<T> Operands<'_, T> {
    /// Whether the inputs of all taps of a position are copied side by side.
    pub(super) fn side_by_side(&self) -> bool {
        self.channels < FEW_CHANNELS && self.window.taps.len() > 1
    }
}

/// Some rows of the outputs of one image with all their columns, or a stretch of one row.
#[derive(Clone, Debug)]
pub(super) struct Band {
    image: usize,
    rows: Range<usize>,
    cols: Range<usize>,
}

impl Band {
    /// All bands of so many images; every output is in one.
    pub(super) fn all(window: &Window, images: usize) -> Vec<Band> {
        let [height, width] = window.output;
        // Equal parts, so that no task is a small rest.
        let stretches = width.div_ceil(POSITIONS).max(1);
        let tall = (POSITIONS / width.max(1)).clamp(1, height.max(1));
        let parts = height.div_ceil(tall);
        let mut bands = Vec::with_capacity(images * parts * stretches);
        for image in 0..images {
            for part in 0..parts {
                for stretch in 0..stretches {
                    let rows = height * part / parts..height * (part + 1) / parts;
                    let cols = width * stretch / stretches..width * (stretch + 1) / stretches;
                    bands.push(Band { image, rows, cols });
                }
            }
        }
        bands
    }

    /// Its image.
    pub(super) fn image(&self) -> usize {
        self.image
    }

    /// Its rows of outputs.
    pub(super) fn rows(&self) -> &Range<usize> {
        &self.rows
    }

    /// Its columns of outputs.
    pub(super) fn cols(&self) -> &Range<usize> {
        &self.cols
    }

    /// How many positions it has. They follow one another in memory: it has all columns of its rows, or one row.
    pub(super) fn len(&self) -> usize {
        self.rows.len() * self.cols.len()
    }

    /// The number of its first output position, counted over all images.
    pub(super) fn first(&self, window: &Window) -> usize {
        self.image * window.outputs() + self.rows.start * window.output[1] + self.cols.start
    }

    /// Stretches of consecutive positions: where each begins, and its length.
    pub(super) fn stretches(&self, window: &Window) -> impl Iterator<Item = (usize, usize)> {
        let (first, width) = (self.first(window), window.output[1]);
        let whole = self.cols.len() == width;
        let (lines, len) = if whole { (1, self.rows.len() * width) } else { (self.rows.len(), self.cols.len()) };
        (0..lines).map(move |line| (first + line * width, len))
    }

    /// The numbers of its positions.
    pub(super) fn positions(&self, window: &Window) -> impl Iterator<Item = usize> {
        self.stretches(window).flat_map(|(first, len)| first..first + len)
    }
}

/// What a band reads, as the block product steps through it: lines of positions, and for each tap a jump to its inputs.
pub(super) struct Patch<T> {
    from: *const T,
    /// Lines of output positions, each of `len`, the first of which reads from `line` values after that of the line before.
    pub lines: usize,
    pub len: usize,
    line: usize,
    /// Values from a position to the next.
    pub step: usize,
    /// Where each piece of the chain begins, and its steps.
    pub jumps: Vec<isize>,
    pub depth: usize,
    /// The copy, if it is one.
    copy: Vec<Line<T>>,
}

impl<T: Scalar> Patch<T> {
    /// Reads in place where every tap of the band meets an input, and copies where not, or where the input is changed on the way.
    pub(super) fn read(operands: Operands<T>, band: &Band) -> Self {
        let Operands { window, x, channels, relu } = operands;
        let [height, width] = window.input.map(|size| size as isize);
        let x = &x[band.image * window.inputs() * channels..][..window.inputs() * channels];
        // The inputs that the band reads, those outside included.
        let reach = |range: &Range<usize>, at: &dyn Fn(usize) -> isize| {
            let taps = 0..window.taps.len();
            let (low, high) = (taps.clone().map(at).min().unwrap_or(0), taps.map(at).max().unwrap_or(0));
            range.start as isize + low..range.end as isize + high
        };
        let rows = reach(&band.rows, &|t| window.taps[t].down);
        let cols = reach(&band.cols, &|t| window.taps[t].right);
        let inside = rows.start >= 0 && rows.end <= height && cols.start >= 0 && cols.end <= width;
        if operands.side_by_side() {
            return Self::side_by_side(operands, x, band);
        }
        let (lines, len) = (band.rows.len(), band.cols.len());
        let (top, left) = (rows.start, cols.start);
        let jumps = |width: isize| {
            let at = |tap: &super::Tap| {
                let (y, x) = (band.rows.start as isize + tap.down - top, band.cols.start as isize + tap.right - left);
                (y * width + x) * channels as isize
            };
            window.taps.iter().map(at).collect()
        };
        if inside && !relu {
            let from = x[((top * width + left) as usize) * channels..].as_ptr();
            let line = width as usize * channels;
            let patch = Patch {
                from,
                lines,
                len,
                line,
                step: channels,
                jumps: jumps(width),
                depth: channels,
                copy: Vec::new(),
            };
            return patch.joined(window, band);
        }
        let across = cols.len();
        let mut copy = pack::take::<T>(rows.len() * across * channels);
        let out = values_of(&mut copy, rows.len() * across * channels);
        for (y, out) in rows.zip(out.chunks_exact_mut(across * channels)) {
            if y < 0 || y >= height {
                out.fill(T::zero());
                continue;
            }
            let (before, from) = ((-left).clamp(0, across as isize) as usize, left.max(0) as usize);
            let after = (cols.end.min(width) - left).clamp(before as isize, across as isize) as usize;
            out[..before * channels].fill(T::zero());
            out[after * channels..].fill(T::zero());
            if after > before {
                let x = &x[(y as usize * width as usize + from) * channels..][..(after - before) * channels];
                put(x, relu, &mut out[before * channels..after * channels]);
            }
        }
        let from = copy.as_ptr().cast();
        let line = across * channels;
        let patch =
            Patch { from, lines, len, line, step: channels, jumps: jumps(across as isize), depth: channels, copy };
        patch.joined(window, band)
    }

    /// The inputs of all taps of a position one after the other, position after position.
    fn side_by_side(operands: Operands<T>, image: &[T], band: &Band) -> Self {
        let Operands { window, channels, relu, .. } = operands;
        let [height, width] = window.input.map(|size| size as isize);
        let depth = window.taps.len() * channels;
        let len = band.rows.len() * band.cols.len();
        let mut copy = pack::take::<T>(len * depth);
        let mut out = values_of(&mut copy, len * depth).chunks_exact_mut(channels);
        for row in band.rows.clone() {
            for col in band.cols.clone() {
                for (tap, out) in window.taps.iter().zip(&mut out) {
                    let (y, x) = (row as isize + tap.down, col as isize + tap.right);
                    if (0..height).contains(&y) && (0..width).contains(&x) {
                        put(&image[(y * width + x) as usize * channels..][..channels], relu, out);
                    } else {
                        out.fill(T::zero());
                    }
                }
            }
        }
        let (lines, len, line) = (band.rows.len(), band.cols.len(), band.cols.len() * depth);
        let patch = Patch { from: copy.as_ptr().cast(), lines, len, line, step: depth, jumps: vec![0], depth, copy };
        patch.joined(window, band)
    }

    /// Lines that go on where the one before ends, in the inputs and in the outputs, are one line.
    fn joined(self, window: &Window, band: &Band) -> Self {
        let whole = band.cols.len() == window.output[1] && self.line == self.len * self.step;
        if whole { Patch { lines: 1, len: self.lines * self.len, ..self } } else { self }
    }

    /// Where the first tap's piece of a position would begin, were its jump 0.
    pub(super) fn at(&self, line: usize, position: usize) -> *const T {
        self.from.wrapping_add(line * self.line + position * self.step)
    }

    /// Values from a line to the next.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Returns the buffer for the next band of this thread.
    pub(super) fn give_back(self) {
        if !self.copy.is_empty() {
            pack::give_back(self.copy);
        }
    }
}

/// The first values of a buffer.
fn values_of<T>(buffer: &mut [Line<T>], len: usize) -> &mut [T] {
    assert!(len * size_of::<T>() <= size_of_val(buffer), "convolution: buffer too short");
    // SAFETY: lines are arrays of values without gaps, and there are enough of them.
    unsafe { std::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<T>(), len) }
}

/// Copies values, or their ReLU.
fn put<T: Scalar>(x: &[T], relu: bool, out: &mut [T]) {
    if relu { dispatch(Positive { x, out }) } else { out.copy_from_slice(x) }
}

/// `out ← max(x, 0)`.
struct Positive<'a, T> {
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Scalar> Pass for Positive<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let positive = |x: T| if x < T::zero() { T::zero() } else { x };
        self.out.iter_mut().zip(self.x).for_each(|(z, &x)| *z = positive(x));
    }
}
