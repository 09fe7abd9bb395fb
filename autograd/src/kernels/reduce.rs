//! Sums and maxima: of everything, of each row, of each column, over an axis between others.
//!
//! Not the place for functions built of them (softmax, layer norm). Every sum has one order, which depends on the shape alone: the
//! 32 lanes of `lanes.rs` within 2¹⁵ elements of a row, fixed chunks above that. So the bits do not depend on threads
//! or instruction set.
//!
//! A row and everything are added up in double precision and rounded once: of n `f32` up to 2²⁸ the error is below
//! `1.01·2⁻²⁴·|Σ x| + 2⁻³⁹·Σ|x|`, where one chain in `f32` has `n·2⁻²⁴·Σ|x|`. Of n `f64` it is below `(2200 + n/2¹⁰)·2⁻⁵³·Σ|x|`.
//! Columns, whose rows come eight at a time, have 3 roundings more: `4.01·2⁻²⁴·Σ|x|` of `f32`.

use super::compiled::Compiled;
use super::elementwise::accumulate;
use super::gemm::Store;
use super::lanes::{fold, max_lanes, wide_sum};
use super::math::dispatch::{Pass, dispatch};
use super::parallel::{MIN_PARALLEL, for_each};
use super::row_tasks::{count_rows, rows_per_task};
use crate::Scalar;
use std::ops::Range;

/// Elements of one partial sum of [`sum`] and, at least, of [`column_sums`].
const REDUCE_CHUNK: usize = 1 << 15;

/// `max x` of one row; NaN if an element is. Adding zero turns −0 into +0: which of the two a maximum is, machines disagree.
#[inline(always)]
fn max_or_nan<T: Scalar>(row: &[T]) -> T {
    let has_nan = row.iter().fold(false, |found, x| found | x.is_nan());
    if has_nan { T::nan() } else { max_lanes(row) + T::zero() }
}

struct Sum<'a, T>(&'a [T]);
impl<T: Scalar> Pass for Sum<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        wide_sum(self.0)
    }
}

struct SumOfSquares<'a, T>(&'a [T]);
impl<T: Scalar> Pass for SumOfSquares<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        fold(self.0, 0.0, |x| x.as_f64() * x.as_f64(), |a, b| a + b)
    }
}

/// The results of fixed chunks, added up in order.
fn sum_chunks<T: Sync>(xs: &[T], f: impl Fn(&[T]) -> f64 + Sync + Send) -> f64 {
    if xs.len() <= REDUCE_CHUNK {
        return f(xs);
    }
    let mut partials = vec![0.0; xs.len().div_ceil(REDUCE_CHUNK)];
    for_each(true, partials.iter_mut().zip(xs.chunks(REDUCE_CHUNK)), |(partial, xs)| *partial = f(xs));
    partials.into_iter().fold(0.0, |sum, partial| sum + partial)
}

/// `Σ x`, not rounded to the type of x.
fn sum_in_chunks<T: Scalar>(xs: &[T]) -> f64 {
    Compiled::sum_in_chunks(xs)
}

/// [`sum_in_chunks`], compiled for each type.
pub(in crate::kernels) fn sum_in_chunks_body<T: Scalar>(xs: &[T]) -> f64 {
    sum_chunks(xs, |chunk| dispatch(Sum(chunk)))
}

/// `Σ x`; 0 of none.
pub fn sum<T: Scalar>(xs: &[T]) -> T {
    T::of(sum_in_chunks(xs))
}

/// `Σ x²`, added up in double precision: a gradient of millions of `f32` keeps its norm, and nothing overflows.
pub fn sum_of_squares<T: Scalar>(xs: &[T]) -> f64 {
    sum_chunks(xs, |chunk| dispatch(SumOfSquares(chunk)))
}

/// Reduces each row to one value.
struct EachRow<'a, T, S, F> {
    cols: usize,
    xs: &'a [T],
    out: &'a mut [S],
    f: F,
}

impl<T: Scalar, S, F: Fn(&mut S, &[T])> Pass for EachRow<'_, T, S, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (out, row) in self.out.iter_mut().zip(self.xs.chunks_exact(self.cols)) {
            (self.f)(out, row);
        }
    }
}

fn each_row<T: Scalar, S: Send>(
    what: &str,
    xs: &[T],
    cols: usize,
    out: &mut [S],
    f: impl Fn(&mut S, &[T]) + Copy + Sync + Send,
) {
    assert_eq!(count_rows(what, xs, cols), if cols == 0 { 0 } else { out.len() }, "{what}: one value per row");
    if cols == 0 {
        return out.iter_mut().for_each(|out| f(out, &[]));
    }
    let rows = rows_per_task(cols);
    let tasks = out.chunks_mut(rows).zip(xs.chunks(rows * cols));
    for_each(xs.len() >= MIN_PARALLEL, tasks, |(out, xs)| dispatch(EachRow { cols, xs, out, f }));
}

/// `out_r ← Σ_c x_rc`, or added to what was there.
///
/// # Shapes
/// `xs` (R, C) · `out` (R)
///
/// # Panics
/// If the lengths do not fit.
pub fn row_sums<T: Scalar>(xs: &[T], cols: usize, store: Store, out: &mut [T]) {
    match store {
        Store::Overwrite => each_row_sum("row_sums", xs, cols, out, |out, sum| *out = T::of(sum)),
        Store::Accumulate => each_row_sum("row_sums", xs, cols, out, |out, sum| *out += T::of(sum)),
    }
}

/// `put(out_r, Σ_c x_rc)`; a long row has the order of [`sum`], which on a short one is that of the lanes.
fn each_row_sum<T: Scalar, S: Send>(
    what: &str,
    xs: &[T],
    cols: usize,
    out: &mut [S],
    put: impl Fn(&mut S, f64) + Copy + Sync + Send,
) {
    if cols <= REDUCE_CHUNK {
        return each_row(what, xs, cols, out, |out, row| put(out, wide_sum(row)));
    }
    assert_eq!(count_rows(what, xs, cols), out.len(), "{what}: one value per row");
    out.iter_mut().zip(xs.chunks_exact(cols)).for_each(|(out, row)| put(out, sum_in_chunks(row)));
}

/// `out_r ← max_c x_rc`; NaN if an element of the row is, −∞ of an empty row.
///
/// # Shapes
/// `xs` (R, C) · `out` (R)
///
/// # Panics
/// If the lengths do not fit.
pub fn row_max<T: Scalar>(xs: &[T], cols: usize, out: &mut [T]) {
    Compiled::row_max(xs, cols, out)
}

/// [`row_max`], compiled for each type.
pub(in crate::kernels) fn row_max_body<T: Scalar>(xs: &[T], cols: usize, out: &mut [T]) {
    each_row("row_max", xs, cols, out, |out, row| *out = max_or_nan(row));
}

/// `sum_c ← sum_c + Σ_r term(row(r), c)`, eight rows at a time: a tree of them in their own precision, added in double.
#[inline(always)]
pub(super) fn add_rows<T: Scalar, R: Copy>(
    sums: &mut [f64],
    rows: usize,
    row: impl Fn(usize) -> R,
    term: impl Fn(R, usize) -> T,
) {
    let full = rows / 8 * 8;
    for r in (0..full).step_by(8) {
        let (a, b, c, d) = (row(r), row(r + 1), row(r + 2), row(r + 3));
        let (x, y, z, w) = (row(r + 4), row(r + 5), row(r + 6), row(r + 7));
        for (i, sum) in sums.iter_mut().enumerate() {
            let first = (term(a, i) + term(b, i)) + (term(c, i) + term(d, i));
            let second = (term(x, i) + term(y, i)) + (term(z, i) + term(w, i));
            *sum += (first + second).as_f64();
        }
    }
    for r in full..rows {
        let a = row(r);
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += term(a, i).as_f64();
        }
    }
}

/// Adds columns `at..` of rows of `cols` to as many sums.
pub(super) struct AddRows<'a, T> {
    pub xs: &'a [T],
    pub cols: usize,
    pub at: usize,
    pub sums: &'a mut [f64],
}

impl<T: Scalar> Pass for AddRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let AddRows { xs, cols, at, sums } = self;
        let width = sums.len();
        add_rows(sums, xs.len() / cols, |r| &xs[r * cols + at..][..width], |row, c| row[c]);
    }
}

/// `out_c ← Σ_r x_rc`, or added to what was there: the gradient of a bias.
///
/// # Shapes
/// `xs` (R, C) · `out` (C)
///
/// # Panics
/// If `xs` is not made of rows of `out.len()`.
pub fn column_sums<T: Scalar>(xs: &[T], store: Store, out: &mut [T]) {
    Compiled::column_sums(xs, store, out)
}

/// [`column_sums`], compiled for each type.
pub(in crate::kernels) fn column_sums_body<T: Scalar>(xs: &[T], store: Store, out: &mut [T]) {
    count_rows("column_sums", xs, out.len());
    let mut sums = vec![0.0; out.len()];
    add_columns(xs, &mut sums);
    store_sums(&sums, store, out);
}

/// `sum_c ← Σ_r x_rc`, where the sums are zeros before.
fn add_columns<T: Scalar>(xs: &[T], sums: &mut [f64]) {
    match sums.len() {
        0 => {}
        1 => sums[0] = sum_in_chunks(xs),
        cols => sum_over_rows(xs.len() / cols, sums, |rows, at, sums| {
            dispatch(AddRows { xs: &xs[rows.start * cols..rows.end * cols], cols, at, sums });
        }),
    }
}

/// Sums, rounded once, stored or added.
pub fn store_sums<T: Scalar>(sums: &[f64], store: Store, out: &mut [T]) {
    let pairs = out.iter_mut().zip(sums);
    match store {
        Store::Overwrite => pairs.for_each(|(out, &sum)| *out = T::of(sum)),
        Store::Accumulate => pairs.for_each(|(out, &sum)| *out += T::of(sum)),
    }
}

/// Rows and columns of one task of a sum over rows: sums of so many columns stay in the level-1 cache, and adding up the tasks is
/// little work. The rows depend on the shape alone, as the order of the sum does; the columns do not matter to it.
const TASK_ROWS: usize = 256;
const TASK_COLUMNS: usize = 512;

/// Sums over rows, one for each column: `task(rows, at, sums)` adds columns `at..` of its rows to `sums`, which are zeros before.
pub(super) fn sum_over_rows(rows: usize, sums: &mut [f64], task: impl Fn(Range<usize>, usize, &mut [f64]) + Sync) {
    let cols = sums.len();
    if cols == 0 {
        return;
    }
    let height = (REDUCE_CHUNK / cols).max(TASK_ROWS).max(rows / 128).next_multiple_of(8);
    let mut partials = vec![0.0; rows.div_ceil(height).saturating_sub(1) * cols];
    let bands = std::iter::once(&mut *sums).chain(partials.chunks_mut(cols)).enumerate();
    let tasks = bands.flat_map(|(i, band)| {
        let blocks = band.chunks_mut(TASK_COLUMNS).enumerate();
        blocks.map(move |(j, sums)| (i * height..((i + 1) * height).min(rows), j * TASK_COLUMNS, sums))
    });
    for_each(rows * cols >= MIN_PARALLEL, tasks, |(rows, at, sums)| task(rows, at, sums));
    // Each column adds its partial sums from the first to the last.
    for partial in partials.chunks_exact(cols) {
        accumulate(sums, partial);
    }
}

/// `Σ_n x_onι` for an axis of size `n` between `outer` and `inner` elements of others, in double precision.
///
/// # Shapes
/// `xs` (outer, n, inner) → (outer, inner)
///
/// # Panics
/// If the lengths do not fit.
pub fn axis_sums<T: Scalar>(xs: &[T], outer: usize, n: usize, inner: usize) -> Vec<f64> {
    Compiled::axis_sums(xs, outer, n, inner)
}

/// [`axis_sums`], compiled for each type.
pub(in crate::kernels) fn axis_sums_body<T: Scalar>(xs: &[T], outer: usize, n: usize, inner: usize) -> Vec<f64> {
    assert_eq!(Some(xs.len()), outer.checked_mul(n).and_then(|len| len.checked_mul(inner)), "axis_sums: lengths");
    let mut sums = vec![0.0; outer * inner];
    if xs.is_empty() {
        return sums;
    }
    if inner == 1 {
        each_row_sum("axis_sums", xs, n, &mut sums, |out, sum| *out = sum);
        return sums;
    }
    // Large parts spread themselves as well: a task of rayon may have tasks of its own.
    let (size, parts) = (n * inner, rows_per_task(n * inner));
    let tasks = sums.chunks_mut(parts * inner).zip(xs.chunks(parts * size));
    for_each(xs.len() >= MIN_PARALLEL, tasks, |(sums, xs)| {
        sums.chunks_exact_mut(inner).zip(xs.chunks_exact(size)).for_each(|(sums, xs)| add_columns(xs, sums));
    });
    sums
}

#[cfg(test)]
mod tests;
