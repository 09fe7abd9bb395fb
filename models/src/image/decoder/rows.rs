//! What a layer remembers of its input while an image is drawn: the last rows, with the zeros around them.

use autograd::Scalar;

/// What rows are remembered of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Channels of a position.
    pub channels: usize,
    /// W; 1 where only the pixel itself is read.
    pub width: usize,
    /// Zeros to the left and to the right.
    pub around: [usize; 2],
    /// Rows above the newest.
    pub above: usize,
}

impl Extent {
    /// Only the pixel that is being computed.
    pub fn pixel(channels: usize) -> Self {
        Extent { channels, width: 1, around: [0; 2], above: 0 }
    }
}

/// What the layers of a network want remembered of an image.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Rows of inputs.
    pub rows: Vec<Extent>,
    /// Lengths of what chains are kept in that are begun and not yet ended.
    pub begun: Vec<usize>,
}

impl Plan {
    /// Has rows remembered; says where.
    pub fn rows(&mut self, extent: Extent) -> usize {
        self.rows.push(extent);
        self.rows.len() - 1
    }

    /// Has so many chains kept; says where.
    pub fn begun(&mut self, values: usize) -> usize {
        self.begun.push(values);
        self.begun.len() - 1
    }
}

/// The last rows of an input, as a ring. All begin as zeros: what lies above an image.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    extent: Extent,
    values: Vec<T>,
    /// Where in the ring the newest row is.
    newest: usize,
}

impl<T: Scalar> Rows<T> {
    /// Rows of zeros.
    pub fn new(extent: Extent) -> Self {
        let values = vec![T::zero(); (extent.above + 1) * Self::len_of(&extent)];
        Rows { extent, values, newest: 0 }
    }

    /// Values of a row, the zeros around it included.
    fn len_of(extent: &Extent) -> usize {
        (extent.around[0] + extent.width + extent.around[1]) * extent.channels
    }

    /// The oldest row becomes the newest. What it held is read by nobody before it is written: of the own row a pixel reads what is
    /// to its left, and whoever reads whole rows writes them whole.
    pub fn begin(&mut self) {
        self.newest = (self.newest + 1) % (self.extent.above + 1);
    }

    /// The values from a position of a row on, so many rows above the newest; the position may be one of the zeros.
    pub fn from(&self, above: usize, position: isize) -> &[T] {
        let start = self.place(above, position, 0);
        let end = start - start % Self::len_of(&self.extent) + Self::len_of(&self.extent);
        &self.values[start..end]
    }

    /// So many values of the newest row, the first of them a channel of the position so far to the right of column x. Of rows that hold
    /// one pixel each column is that one.
    pub fn pixel(&self, x: usize, right: isize, channel: usize, values: usize) -> &[T] {
        let start = self.place(0, x.min(self.extent.width - 1) as isize + right, channel);
        &self.values[start..start + values]
    }

    /// Some channels of column x of the newest row, to be written.
    pub fn at(&mut self, x: usize, first: usize, channels: usize) -> &mut [T] {
        let start = self.place(0, x.min(self.extent.width - 1) as isize, first);
        &mut self.values[start..start + channels]
    }

    /// The newest row without the zeros around it, to be written.
    pub fn whole(&mut self) -> &mut [T] {
        self.at(0, 0, self.extent.width * self.extent.channels)
    }

    fn place(&self, above: usize, position: isize, channel: usize) -> usize {
        let Extent { channels, around, above: most, .. } = self.extent;
        let row = (self.newest + most + 1 - above) % (most + 1);
        let position = position.checked_add_unsigned(around[0]).expect("near the image") as usize;
        row * Self::len_of(&self.extent) + position * channels + channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_holds_the_last_rows_between_zeros() {
        let mut rows = Rows::<f64>::new(Extent { channels: 2, width: 3, around: [1, 1], above: 1 });
        for y in 0..4 {
            rows.begin();
            (0..3).for_each(|x| rows.at(x, 0, 2).fill((10 * y + x + 1) as f64));
            let row = |y: usize| (0..3).flat_map(|x| [(10 * y + x + 1) as f64; 2]).collect::<Vec<_>>();
            assert_eq!(rows.from(0, 0)[..6], row(y));
            assert_eq!(rows.from(0, 0)[6..], [0.0; 2]);
            assert_eq!(rows.from(0, -1)[..2], [0.0; 2]);
            assert_eq!(rows.from(1, 0)[..6], y.checked_sub(1).map_or(vec![0.0; 6], row));
        }
    }
}
