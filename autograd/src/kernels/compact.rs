//! Packed weights in fewer bits, where they need no more: bf16, or whole numbers of 8 bits with a scale for each column.
//!
//! Nothing is rounded here. A weight that lies on the grid of a narrow format (because somebody rounded it to that) is stored in it and
//! widened in the register that multiplies it, so that a product has the bits of the product in f32, and half or a quarter of the bytes to
//! read. A scale is a power of two: `Σ x·(q·2^e) = 2^e · Σ x·q` in every rounding on the way, unless a sum leaves the range of f32.

use super::isa::Isa;
use super::tiling::Tiling;
use std::ops::Range;

/// A cache line of stored weights.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// The largest whole number that is stored.
const LARGEST: f32 = 127.0;

/// The panels of a packed matrix, each weight where it was.
#[derive(Clone, Debug)]
pub(super) struct Compact {
    lines: Vec<Line>,
    format: Format,
    /// Of every column, those that pad the last panel among them; 1 in bf16.
    scales: Vec<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Bf16,
    Int8,
}

/// One row times some panels, as in [`super::micro::Row`].
pub(super) struct CompactRow {
    pub x: *const f32,
    pub depth: usize,
    pub panels: Range<usize>,
    /// The columns of the matrix.
    pub cols: usize,
    /// For the first column of the panels.
    pub start: *const f32,
    pub y: *mut f32,
    pub backward: bool,
}

impl Compact {
    /// The weights of packed panels in the narrowest format that loses nothing; none if there is none.
    pub(super) fn of(values: &[f32], tiling: &Tiling, depth: usize, cols: usize) -> Option<Self> {
        let padded = cols.next_multiple_of(tiling.lanes);
        let column = |j: usize| {
            let panel = j / tiling.cols;
            let first = panel * tiling.cols * depth + j % tiling.cols;
            (0..depth).map(move |k| values[first + k * tiling.panel_width(cols, panel)])
        };
        let scales: Option<Vec<f32>> = (0..cols).map(|j| scale_of(column(j))).collect();
        let (format, scales) = match scales {
            Some(mut scales) => {
                scales.resize(padded, 1.0);
                (Format::Int8, scales)
            }
            None if (0..cols).all(|j| column(j).all(|w| w.to_bits() & 0xffff == 0)) => {
                (Format::Bf16, vec![1.0; padded])
            }
            None => return None,
        };
        let bytes = format.bytes() * depth * padded;
        let mut compact = Compact { lines: vec![Line([0; 64]); bytes.div_ceil(64)], format, scales };
        for j in 0..cols {
            let panel = j / tiling.cols;
            let first = panel * tiling.cols * depth + j % tiling.cols;
            for (k, w) in column(j).enumerate() {
                let at = first + k * tiling.panel_width(cols, panel);
                let scale = compact.scales[j];
                let all: *mut u8 = compact.lines.as_mut_ptr().cast();
                // SAFETY: `at` is below depth · padded, for which there are bytes.
                unsafe {
                    match format {
                        Format::Bf16 => all.cast::<u16>().add(at).write((w.to_bits() >> 16) as u16),
                        Format::Int8 => all.cast::<i8>().add(at).write((w / scale) as i8),
                    }
                }
            }
        }
        Some(compact)
    }

    /// Bytes that are held.
    pub(super) fn bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>() + size_of_val(&self.scales[..])
    }

    /// Where the weights from an element on lie.
    fn at(&self, element: usize) -> *const u8 {
        self.lines.as_ptr().cast::<u8>().wrapping_add(element * self.format.bytes())
    }

    /// The weights of some panels as f32, where a packed matrix has them from the first of these panels on.
    pub(super) fn widen(&self, tiling: &Tiling, depth: usize, cols: usize, panels: Range<usize>, out: &mut [f32]) {
        let begin = panels.start * tiling.cols * depth;
        for panel in panels {
            let width = tiling.panel_width(cols, panel);
            let first = panel * tiling.cols * depth;
            let scales = &self.scales[panel * tiling.cols..][..width];
            let panel = &mut out[first - begin..][..depth * width];
            for (k, row) in panel.chunks_exact_mut(width).enumerate() {
                let stored = self.at(first + k * width);
                // SAFETY: a step of a panel has `width` weights.
                unsafe {
                    match self.format {
                        Format::Bf16 => {
                            let stored = std::slice::from_raw_parts(stored.cast::<u16>(), width);
                            row.iter_mut().zip(stored).for_each(|(w, &bits)| *w = bf16(bits));
                        }
                        Format::Int8 => {
                            let stored = std::slice::from_raw_parts(stored.cast::<i8>(), width);
                            let scaled = row.iter_mut().zip(stored).zip(scales);
                            scaled.for_each(|((w, &q), scale)| *w = f32::from(q) * scale);
                        }
                    }
                }
            }
        }
    }

    /// Computes one row: the chains of the product in f32.
    ///
    /// # Safety
    /// The panels exist; x has `depth` values; start and y are valid for the columns of the panels; the tiling's instruction set runs here.
    pub(super) unsafe fn row(&self, tiling: &Tiling, row: &CompactRow) {
        // SAFETY: the caller's promise; the formats have 2 bytes and 1.
        unsafe {
            match (tiling.isa, self.format) {
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx512, Format::Bf16) => super::compact_x86::row_avx512::<2>(self, row),
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx512, Format::Int8) => super::compact_x86::row_avx512::<1>(self, row),
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx2, Format::Bf16) => super::compact_x86::row_avx2::<2>(self, row),
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx2, Format::Int8) => super::compact_x86::row_avx2::<1>(self, row),
                (_, Format::Bf16) => self.row_of(tiling, row, |bytes, i| bf16(bytes.cast::<u16>().add(i).read())),
                (_, Format::Int8) => self.row_of(tiling, row, |bytes, i| f32::from(bytes.cast::<i8>().add(i).read())),
            }
        }
    }

    /// The row in whatever the target has; `widen` gives the weight of a step's lane.
    ///
    /// # Safety
    /// As [`Compact::row`].
    #[inline(always)]
    unsafe fn row_of(&self, tiling: &Tiling, row: &CompactRow, widen: impl Fn(*const u8, usize) -> f32) {
        for panel in row.panels.clone() {
            let first = (panel - row.panels.start) * tiling.cols;
            let (width, lanes) = (tiling.panel_width(row.cols, panel), tiling.cols.min(row.cols - panel * tiling.cols));
            let scales = &self.scales[panel * tiling.cols..][..lanes];
            for (j, scale) in scales.iter().enumerate() {
                // SAFETY: column j of the panel, which exists, and all its steps.
                unsafe {
                    let mut sum = row.start.add(first + j).read() / scale;
                    for k in 0..row.depth {
                        let stored = self.at(panel * tiling.cols * row.depth + k * width);
                        sum = row.x.add(k).read().mul_add(widen(stored, j), sum);
                    }
                    row.y.add(first + j).write(sum * scale);
                }
            }
        }
    }

    /// Where a panel begins, and the scales of its columns.
    pub(super) fn panel(&self, panel: usize, cols: usize, depth: usize) -> (*const u8, &[f32]) {
        (self.at(panel * cols * depth), &self.scales[panel * cols..])
    }
}

impl Format {
    fn bytes(self) -> usize {
        match self {
            Format::Bf16 => 2,
            Format::Int8 => 1,
        }
    }
}

/// The number whose upper half these bits are.
#[inline(always)]
fn bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The largest power of two of which all values are multiples, by at most [`LARGEST`]; 1 for zeros. None if there is none.
fn scale_of(values: impl Iterator<Item = f32> + Clone) -> Option<f32> {
    let mut lowest = i32::MAX;
    let mut largest = 0.0_f32;
    for w in values.filter(|&w| w != 0.0) {
        let bits = w.to_bits();
        let (exponent, mantissa) = ((bits >> 23 & 0xff) as i32, bits & 0x7f_ffff);
        if exponent == 0 || exponent == 0xff {
            return None; // so small that scales would be no normal numbers, or not finite
        }
        let zeros = (mantissa | 0x80_0000).trailing_zeros() as i32;
        lowest = lowest.min(exponent - 127 - 23 + zeros);
        largest = largest.max(w.abs());
        // At most 7 bits: most weights of f32 say at once that they are none of these.
        if 23 - zeros > 6 {
            return None;
        }
    }
    if lowest == i32::MAX {
        return Some(1.0);
    }
    // Scales of which the inverse is a normal number too.
    let scale = (-126..=126).contains(&lowest).then(|| f32::from_bits(((lowest + 127) as u32) << 23))?;
    (largest / scale <= LARGEST).then_some(scale)
}

#[cfg(test)]
#[path = "compact_tests.rs"]
mod tests;
