//! How kernels that work row by row cut a matrix into tasks. The cuts depend on the shape alone, never on the number of threads.
//!
//! Not the place for arithmetic: the loops over one row stand in the kernel that needs them.

use super::parallel::{CHUNK, MIN_PARALLEL, for_each};

/// Rows of one task: about [`CHUNK`] elements, at least one row.
pub fn rows_per_task(cols: usize) -> usize {
    (CHUNK / cols.max(1)).max(1)
}

/// The number of rows of a slice of full rows; 0 if a row has no elements.
///
/// # Panics
/// If the slice is not made of full rows.
pub fn count_rows<T>(what: &str, xs: &[T], cols: usize) -> usize {
    if cols == 0 {
        assert!(xs.is_empty(), "{what}: {} elements in rows of none", xs.len());
        return 0;
    }
    assert!(xs.len().is_multiple_of(cols), "{what}: {} elements are not rows of {cols}", xs.len());
    xs.len() / cols
}

/// Calls `f(first row, rows of xs)` for each task, in parallel when there is enough work.
pub fn for_each_row_block<T: Send>(cols: usize, xs: &mut [T], f: impl Fn(usize, &mut [T]) + Sync + Send) {
    let rows = rows_per_task(cols);
    let block = rows * cols.max(1);
    for_each(xs.len() >= MIN_PARALLEL, xs.chunks_mut(block).enumerate(), |(i, xs)| f(i * rows, xs));
}

/// As [`for_each_row_block`], with `per_row` values of a second slice beside each row: `f(first row, rows of xs, values)`.
pub fn for_each_row_block_with<T: Send, U: Send>(
    cols: usize,
    xs: &mut [T],
    per_row: usize,
    values: &mut [U],
    f: impl Fn(usize, &mut [T], &mut [U]) + Sync + Send,
) {
    let rows = rows_per_task(cols);
    let (block, value_block) = (rows * cols.max(1), rows * per_row);
    let parallel = xs.len() >= MIN_PARALLEL;
    let pairs = xs.chunks_mut(block).zip(values.chunks_mut(value_block));
    for_each(parallel, pairs.enumerate(), |(i, (xs, values))| f(i * rows, xs, values));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What `f` returns with 1, 2, 3 and 8 threads.
    pub fn with_threads<R: Send>(f: impl Fn() -> R + Sync) -> Vec<R> {
        let pool =
            |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        [1, 2, 3, 8].map(|threads| pool(threads).install(&f)).into()
    }

    /// `f` gives the same value for every number of threads.
    pub fn assert_thread_independent<R: Send + PartialEq>(f: impl Fn() -> R + Sync) {
        assert!(with_threads(f).windows(2).all(|pair| pair[0] == pair[1]), "the number of threads changes the result");
    }

    /// Numbers of −1 … 1 without a pattern that a reduction would cancel.
    pub fn wave(len: usize, phase: f64) -> Vec<f64> {
        (0..len).map(|i| (i as f64 * 0.7 + phase).sin() * (1.0 + (i as f64 * 0.013).cos()) * 0.5).collect()
    }

    /// [`wave`] in single precision.
    pub fn wave32(len: usize, phase: f64) -> Vec<f32> {
        wave(len, phase).into_iter().map(|x| x as f32).collect()
    }

    #[test]
    fn every_row_is_visited_once_with_its_number() {
        for (rows, cols) in [(0, 3), (1, 1), (70_000, 1), (100, 1000), (3, 50_000)] {
            let mut xs = vec![usize::MAX; rows * cols];
            for_each_row_block(cols, &mut xs, |first, block| {
                block.chunks_mut(cols).enumerate().for_each(|(i, row)| row.fill(first + i));
            });
            assert!(xs.iter().enumerate().all(|(i, &row)| row == i / cols));
        }
    }
}
