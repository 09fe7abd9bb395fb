//! Which positions of a map an LSTM computes at once, and what each of them reads of those before: the geometry of the two PixelRNNs.
//!
//! A position of a wavefront needs the wavefront before it alone, so all of a wavefront is one product. Positions of consecutive
//! wavefronts that follow one another in time share a lane: a column of the map where wavefronts are rows, a row of the map where they are
//! diagonals. Both are indices into the map as it lies; nothing is skewed or mirrored in memory.
//!
//! ```text
//! Rows                Diagonals           MirroredDiagonals
//! 0 0 0 0             0 1 2 3             3 2 1 0
//! 1 1 1 1             1 2 3 4             4 3 2 1
//! 2 2 2 2             2 3 4 5             5 4 3 2
//! ```
//!
//! Source: van den Oord, Kalchbrenner & Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, sections 3.1 and 3.2 and figure 3.

use crate::kernels::convolution::{Tap, Window};
use std::ops::Range;

/// The order in which an LSTM goes over a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wavefront {
    /// Row by row from the top. A position reads K positions of the row above, centred over it, and remembers the cell above it.
    Rows,
    /// Diagonal by diagonal from the top left: the position in row r and column c is on number r + c. It reads what lies above it and to
    /// the left of it, and remembers the cell to its left.
    Diagonals,
    /// The same on the mirrored map, from the top right: a position reads what lies above it and to the right of it.
    MirroredDiagonals,
}

/// A map of so many rows and columns under an LSTM whose kernel has so many places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    pub wavefront: Wavefront,
    pub height: usize,
    pub width: usize,
    pub kernel: usize,
}

impl Map {
    /// # Panics
    /// If the kernel does not suit the wavefront: diagonals have two places, rows an odd number.
    pub fn new(wavefront: Wavefront, [height, width]: [usize; 2], kernel: usize) -> Self {
        let suits = if wavefront == Wavefront::Rows { kernel % 2 == 1 } else { kernel == 2 };
        assert!(suits, "lstm map: a kernel of {kernel} places over {wavefront:?}");
        Map { wavefront, height, width, kernel }
    }

    pub fn positions(self) -> usize {
        self.height * self.width
    }

    /// The number of wavefronts.
    pub fn steps(self) -> usize {
        match self.wavefront {
            _ if self.positions() == 0 => 0,
            Wavefront::Rows => self.height,
            Wavefront::Diagonals | Wavefront::MirroredDiagonals => self.height + self.width - 1,
        }
    }

    /// The number of lanes.
    pub fn lanes(self) -> usize {
        if self.wavefront == Wavefront::Rows { self.width } else { self.height }
    }

    /// The lanes that have a position on wavefront t.
    pub fn active(self, t: usize) -> Range<usize> {
        match self.wavefront {
            Wavefront::Rows => 0..self.width,
            Wavefront::Diagonals | Wavefront::MirroredDiagonals => {
                (t + 1).saturating_sub(self.width)..self.height.min(t + 1)
            }
        }
    }

    /// The position of a lane that is active on wavefront t.
    pub fn position(self, t: usize, lane: usize) -> usize {
        match self.wavefront {
            Wavefront::Rows => t * self.width + lane,
            Wavefront::Diagonals => lane * self.width + (t - lane),
            Wavefront::MirroredDiagonals => lane * self.width + self.width - 1 - (t - lane),
        }
    }

    /// Place j of the kernel reads lane `lane + j − before()` of the wavefront before.
    pub fn before(self) -> usize {
        if self.wavefront == Wavefront::Rows { self.kernel / 2 } else { 1 }
    }

    /// Lanes after its own that a position reads.
    pub fn after(self) -> usize {
        self.kernel - 1 - self.before()
    }

    /// The places of the kernel as those of a convolution over the map.
    pub fn window(self) -> Window {
        let tap = |place: usize| {
            let lane = place as isize - self.before() as isize;
            match self.wavefront {
                Wavefront::Rows => Tap { down: -1, right: lane },
                Wavefront::Diagonals => Tap { down: lane, right: -1 - lane },
                Wavefront::MirroredDiagonals => Tap { down: lane, right: 1 + lane },
            }
        };
        let size = [self.height, self.width];
        Window::new((0..self.kernel).map(tap).collect(), size, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [[usize; 2]; 6] = [[1, 1], [1, 4], [4, 1], [3, 4], [4, 3], [5, 5]];

    fn maps() -> impl Iterator<Item = Map> {
        let of_size = |size| {
            let rows = [1, 3, 5].map(|kernel| Map::new(Wavefront::Rows, size, kernel));
            let diagonals = [Wavefront::Diagonals, Wavefront::MirroredDiagonals].map(|way| Map::new(way, size, 2));
            rows.into_iter().chain(diagonals)
        };
        SIZES.into_iter().flat_map(of_size)
    }

    #[test]
    fn every_position_is_on_one_wavefront() {
        for map in maps() {
            let mut seen = vec![0; map.positions()];
            for t in 0..map.steps() {
                map.active(t).for_each(|lane| seen[map.position(t, lane)] += 1);
            }
            assert!(seen.iter().all(|&n| n == 1), "{map:?}: {seen:?}");
        }
    }

    #[test]
    fn a_tap_is_its_lane_on_the_wavefront_before() {
        for map in maps() {
            for t in 0..map.steps() {
                for lane in map.active(t) {
                    let position = map.position(t, lane);
                    let (row, col) = ((position / map.width) as isize, (position % map.width) as isize);
                    for (place, tap) in map.window().taps().iter().enumerate() {
                        let other = (lane + place).checked_sub(map.before());
                        let other = other.filter(|lane| t > 0 && map.active(t - 1).contains(lane));
                        let (y, x) = (row + tap.down, col + tap.right);
                        let inside = (0..map.height as isize).contains(&y) && (0..map.width as isize).contains(&x);
                        let read = inside.then(|| y as usize * map.width + x as usize);
                        assert_eq!(other.map(|lane| map.position(t - 1, lane)), read, "{map:?}, ({row}, {col})");
                    }
                }
            }
        }
    }
}
