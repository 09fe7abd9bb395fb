//! Memory that is read soon, asked for while products run: a band's products take long enough to fetch what comes after them.

use super::Operands;
use super::band::Band;
use crate::kernels::pack::prefetch_near;
use std::ops::Range;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Stretches of memory, asked for a few cache lines at a time. How much it asks for is no part of a result.
pub(super) struct Ahead {
    /// What is still to be asked for, as addresses.
    stretches: [Range<*const u8>; 3],
    /// Cache lines of each turn.
    lines: usize,
}

impl Ahead {
    /// To be asked for within so many turns.
    pub(super) fn of<T>(stretches: [&[T]; 3], turns: usize) -> Self {
        let lines = stretches.iter().map(|values| size_of_val(*values).div_ceil(LINE)).sum::<usize>();
        let addresses = |values: &[T]| {
            let Range { start, end } = values.as_ptr_range();
            start.cast()..end.cast()
        };
        Ahead { stretches: stretches.map(addresses), lines: lines.div_ceil(turns.max(1)) }
    }

    /// One turn.
    #[inline]
    pub(super) fn turn(&mut self) {
        let mut left = self.lines;
        for stretch in &mut self.stretches {
            while left > 0 && stretch.start < stretch.end {
                prefetch_near(stretch.start);
                stretch.start = stretch.start.wrapping_add(LINE);
                left -= 1;
            }
        }
    }
}

impl<'a, T> Operands<'a, T> {
    /// What a band reads of the input that the band before it did not: its positions, as the furthest tap sees them.
    pub(super) fn news(&self, band: &Band) -> &'a [T] {
        let [height, width] = self.window.input;
        let furthest = |at: fn(&super::Tap) -> isize| self.window.taps.iter().map(at).max().unwrap_or(0);
        let moved = |range: &Range<usize>, by: isize, size: usize| {
            let end = |at: usize| at.saturating_add_signed(by).min(size);
            end(range.start)..end(range.end)
        };
        let rows = moved(band.rows(), furthest(|tap| tap.down), height);
        let cols = moved(band.cols(), furthest(|tap| tap.right), width);
        let at = |row: usize, col: usize| (band.image() * height * width + row * width + col) * self.channels;
        match (rows.len(), cols.len()) {
            (0, _) | (_, 0) => &[],
            _ => &self.x[at(rows.start, cols.start)..at(rows.end - 1, cols.end)],
        }
    }
}
