//! Rows of a table picked by index (an embedding), and their gradients added back.
//!
//! Not the place for reductions over rows: those stand in `reduce`.

use super::compiled::Compiled;
use super::math::dispatch::{Pass, dispatch};
use super::parallel::{MIN_PARALLEL, for_each};
use super::reduce::add_rows;
use super::row_tasks::for_each_row_block;
use crate::Scalar;

/// Columns of one task when rows are added up: sums of this length stay in the level-1 cache.
const BLOCK: usize = 512;

fn check<T>(what: &str, table: &[T], cols: usize, indices: &[u32], rows: &[T]) {
    assert_eq!(indices.len().checked_mul(cols), Some(rows.len()), "{what}: one row of {cols} for each index");
    let symbols = table.len().checked_div(cols).unwrap_or(usize::MAX);
    assert_eq!(table.len(), if cols == 0 { 0 } else { symbols * cols }, "{what}: the table is not made of full rows");
    if let Some(index) = indices.iter().find(|&&index| index as usize >= symbols) {
        panic!("{what}: index {index} into a table of {symbols} rows");
    }
}

/// `out_i ← table[indices_i]`.
///
/// # Shapes
/// `table` (V, C) · `indices` (N) · `out` (N, C)
///
/// # Panics
/// If an index is ≥ V, or the lengths do not fit.
pub fn gather_rows<T: Scalar>(table: &[T], cols: usize, indices: &[u32], out: &mut [T]) {
    Compiled::gather_rows(table, cols, indices, out)
}

/// [`gather_rows`], compiled for each type.
pub(in crate::kernels) fn gather_rows_body<T: Scalar>(table: &[T], cols: usize, indices: &[u32], out: &mut [T]) {
    check("gather_rows", table, cols, indices, out);
    if cols == 0 {
        return;
    }
    for_each_row_block(cols, out, |first, out| {
        for (row, &index) in out.chunks_exact_mut(cols).zip(&indices[first..]) {
            row.copy_from_slice(&table[index as usize * cols..][..cols]);
        }
    });
}

/// Adds columns `at..` of the given rows of `g`, at most [`BLOCK`], to `sums`: first up in double precision, then rounded once.
struct AddRowsAt<'a, T> {
    g: &'a [T],
    cols: usize,
    at: usize,
    positions: &'a [u32],
    sums: &'a mut [T],
}

impl<T: Scalar> Pass for AddRowsAt<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.sums.len();
        let row = |i: usize| &self.g[self.positions[i] as usize * self.cols + self.at..][..width];
        if self.positions.len() == 1 {
            return self.sums.iter_mut().zip(row(0)).for_each(|(sum, &g)| *sum += g);
        }
        let mut wide = [0.0; BLOCK];
        let wide = &mut wide[..width];
        add_rows(wide, self.positions.len(), row, |row, c| row[c]);
        self.sums.iter_mut().zip(wide).for_each(|(sum, wide)| *sum += T::of(*wide));
    }
}

/// `d_table[v] ← d_table[v] + Σ g_i` over the i with `indices_i = v`: the gradient of [`gather_rows`]. The sum is added up
/// in the order of i, in double precision, and rounded once.
///
/// The positions are sorted by index first, so each row of the table belongs to one task (or, block of columns by block, to a
/// few) and is added up in one order, whatever the number of threads.
///
/// # Shapes
/// `g` (N, C) · `indices` (N) · `d_table` (V, C)
///
/// # Panics
/// If an index is ≥ V, or the lengths do not fit.
pub fn scatter_add_rows<T: Scalar>(g: &[T], cols: usize, indices: &[u32], d_table: &mut [T]) {
    Compiled::scatter_add_rows(g, cols, indices, d_table)
}

/// [`scatter_add_rows`], compiled for each type.
pub(in crate::kernels) fn scatter_add_rows_body<T: Scalar>(g: &[T], cols: usize, indices: &[u32], d_table: &mut [T]) {
    check("scatter_add_rows", d_table, cols, indices, g);
    if cols == 0 || indices.is_empty() {
        return;
    }
    let (starts, positions) = sorted_positions(indices, d_table.len() / cols);
    let add = |v: usize, block: usize, sums: &mut [T]| {
        let positions = &positions[starts[v] as usize..starts[v + 1] as usize];
        dispatch(AddRowsAt { g, cols, at: block * BLOCK, positions, sums });
    };
    let wanted = |v: &usize| starts[*v] < starts[*v + 1];
    let rows = d_table.chunks_exact_mut(cols).enumerate().filter(|(v, _)| wanted(v));
    let tasks = rows.flat_map(|(v, row)| row.chunks_mut(BLOCK).enumerate().map(move |task| (v, task)));
    for_each(g.len() >= MIN_PARALLEL, tasks, |(v, (block, sums))| add(v, block, sums));
}

/// A stable counting sort: the positions of index v are `positions[starts[v]..starts[v + 1]]`, ascending.
fn sorted_positions(indices: &[u32], symbols: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; symbols + 1];
    indices.iter().for_each(|&v| starts[v as usize + 1] += 1);
    (0..symbols).for_each(|v| starts[v + 1] += starts[v]);
    let (mut next, mut positions) = (starts.clone(), vec![0; indices.len()]);
    for (i, &v) in indices.iter().enumerate() {
        positions[next[v as usize] as usize] = i as u32;
        next[v as usize] += 1;
    }
    (starts, positions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::row_tasks::tests::{assert_thread_independent, wave, wave32};
    use proptest::prelude::*;

    fn scattered(len: usize, symbols: u32) -> Vec<u32> {
        (0..len as u32).map(|i| i.wrapping_mul(2_654_435_761) % symbols).collect()
    }

    #[test]
    fn nothing_is_gathered_from_an_empty_table() {
        gather_rows::<f32>(&[], 3, &[], &mut []);
        gather_rows::<f32>(&[], 0, &[5, 6], &mut []);
        scatter_add_rows::<f32>(&[], 3, &[], &mut [1.0; 6]);
    }

    #[test]
    #[should_panic(expected = "gather_rows: index 2 into a table of 2 rows")]
    fn an_index_outside_the_table_is_named() {
        gather_rows(&[0.0f32; 6], 3, &[0, 2], &mut [0.0; 6]);
    }

    #[test]
    fn rows_are_added_with_the_same_bits_for_any_number_of_threads() {
        for (n, symbols, cols) in [(400, 65, 1536), (3000, 10_000, 40), (200, 1, 700)] {
            let (g, indices) = (wave32(n * cols, 0.1), scattered(n, symbols));
            assert_thread_independent(|| {
                let mut d = wave32(symbols as usize * cols, 0.5);
                scatter_add_rows(&g, cols, &indices, &mut d);
                d
            });
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn gathering_and_scattering_equal_the_naive_loops(
            n in 0usize..60, symbols in 1u32..20, cols in 1usize..1200, phase in 0.0..6.0,
        ) {
            let (table, g) = (wave(symbols as usize * cols, phase), wave(n * cols, -phase));
            let indices = scattered(n, symbols);
            let mut rows = vec![0.0; n * cols];
            gather_rows(&table, cols, &indices, &mut rows);
            let (mut d, mut naive) = (table.clone(), table.clone());
            scatter_add_rows(&g, cols, &indices, &mut d);
            for (i, &v) in indices.iter().enumerate() {
                let v = v as usize;
                prop_assert_eq!(&rows[i * cols..][..cols], &table[v * cols..][..cols]);
                (0..cols).for_each(|c| naive[v * cols + c] += g[i * cols + c]);
            }
            prop_assert!(d.iter().zip(&naive).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }
}
