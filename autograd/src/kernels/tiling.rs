//! How each instruction set wants a product cut: the block that its registers hold, the strips and panels that the block reads,
//! and what stays in which cache meanwhile.
//!
//! No number here changes a bit of a result (the law in `micro`). What is done with them is in `blocked`, `pack` and `matvec`.
//!
//! A block of R rows and V vectors of columns needs R·V accumulators, V registers for B and one for a value of A. It should have
//! more chains than the latency of a multiply-add times the units (4 × 2 on Zen, 4 × 4 on an Apple core), and read less than two
//! vectors for every multiply-add.

use super::isa::Isa;

/// The numbers of one instruction set.
#[derive(Debug)]
pub(super) struct Tiling {
    /// Whose they are.
    pub isa: Isa,
    /// Rows of the largest block, and of a packed strip of A.
    pub rows: usize,
    /// Columns of the largest block, and of a panel of B: a whole number of cache lines.
    pub cols: usize,
    /// Columns that are packed and computed together; the last panel is padded to a multiple of it.
    pub lanes: usize,
    /// Panels of one row computed together: their chains hide the latency of a multiply-add.
    pub together: usize,
    /// Panels packed side by side, so that a row of B is read a few cache lines at a time.
    pub abreast: usize,
    /// Most steps of k of one pass over C. Chains start from C, so each pass reads and writes all of C again; a panel of so many
    /// steps should stay in the level-1 cache, or stream from the level-2 cache fast enough.
    pub steps: usize,
    /// Most rows of A used at a time: with `steps` of k a part of the level-2 cache.
    pub band: usize,
    /// Values of A that stay in a part of the level-2 cache while panels of B pass by.
    pub left: usize,
    /// Most distance of the rows of B that are read in place, where few rows use them: then a panel lies on few pages, and its
    /// rows do not evict each other.
    pub in_place: usize,
}

/// 8 × 3 vectors are 24 accumulators of 32 registers, 11 loads for 24 multiply-adds. A panel of 512 steps, 96 KiB, streams from
/// the level-2 cache: measured 128 to 512 steps, on Zen 5.
pub(super) const AVX512: Tiling = Tiling {
    isa: Isa::Avx512,
    rows: 8,
    cols: 48,
    lanes: 16,
    together: 4,
    abreast: 1,
    steps: 512,
    band: 192,
    left: 96 << 10,
    in_place: 256,
};

/// 6 × 2 vectors are 12 accumulators of 16 registers, 8 loads for 12 multiply-adds. A panel of 256 steps is 16 KiB: beside a strip
/// of A, 6 KiB, it stays in a level-1 cache of 32 KiB, as Zen 2 to 4 and most of Intel's have; 192 rows of A are 192 KiB, which
/// leaves room in a level-2 cache of 512 KiB.
pub(super) const AVX2: Tiling = Tiling {
    isa: Isa::Avx2,
    rows: 6,
    cols: 16,
    lanes: 8,
    together: 6,
    abreast: 4,
    steps: 256,
    band: 192,
    left: 96 << 10,
    in_place: 64,
};

/// 6 × 4 vectors are 24 accumulators of 32 registers. The caches as for AVX2.
pub(super) const NEON: Tiling = Tiling { isa: Isa::Neon, together: 4, ..AVX2 };

/// What the compiler may make of it; the caches as for AVX2.
pub(super) const PORTABLE: Tiling = Tiling { isa: Isa::Portable, rows: 4, together: 1, ..AVX2 };

impl Tiling {
    /// That of an instruction set.
    pub(super) fn of(isa: Isa) -> &'static Self {
        match isa {
            Isa::Avx512 => &AVX512,
            Isa::Avx2 => &AVX2,
            Isa::Neon => &NEON,
            Isa::Portable => &PORTABLE,
        }
    }

    /// That of the instruction set in use.
    pub(super) fn in_use() -> &'static Self {
        Self::of(Isa::in_use())
    }

    /// The padded width of a packed panel of a matrix with so many columns.
    pub(super) fn panel_width(&self, cols: usize, panel: usize) -> usize {
        self.cols.min((cols - panel * self.cols).next_multiple_of(self.lanes))
    }

    /// The number of values in the packed panels of a `depth × cols` matrix.
    pub(super) fn packed_len(&self, depth: usize, cols: usize) -> usize {
        depth * cols.next_multiple_of(self.lanes)
    }
}
