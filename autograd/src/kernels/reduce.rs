//! Sums and maxima: of everything, of each row, of each column.
//!
//! Not the place for functions built of them (softmax, layer norm). Every sum has one order, which depends on the shape alone: a
//! fixed number of lanes within a row, fixed chunks above that. So the bits do not depend on threads or instruction set.

use super::gemm::Store;
use super::lanes::{fold, max_lanes, sum_lanes};
use super::math::dispatch::{Pass, dispatch};
use super::parallel::MIN_PARALLEL;
use super::row_tasks::{count_rows, rows_per_task};
use crate::Scalar;
use rayon::prelude::*;

/// Elements of one partial sum of [`sum`] and, roughly, of [`column_sums`].
const REDUCE_CHUNK: usize = 1 << 15;

/// `max x` of one row; NaN if an element is. Adding zero turns −0 into +0: which of the two a maximum is, machines disagree.
#[inline(always)]
fn max_or_nan<T: Scalar>(row: &[T]) -> T {
    let has_nan = row.iter().fold(false, |found, x| found | x.is_nan());
    if has_nan { T::nan() } else { max_lanes(row) + T::zero() }
}

struct Sum<'a, T>(&'a [T]);
impl<T: Scalar> Pass for Sum<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run(self) -> T {
        sum_lanes(self.0)
    }
}

struct SumOfSquares<'a, T>(&'a [T]);
impl<T: Scalar> Pass for SumOfSquares<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let square = |sum: f64, x: T| sum + x.as_f64() * x.as_f64();
        fold(self.0, 0.0, square).combine(|a, b| a + b)
    }
}

/// The partial results of fixed chunks, in order.
fn partials<T: Sync, R: Send>(xs: &[T], f: impl Fn(&[T]) -> R + Sync + Send) -> Vec<R> {
    if xs.len() < MIN_PARALLEL {
        xs.chunks(REDUCE_CHUNK).map(f).collect()
    } else {
        xs.par_chunks(REDUCE_CHUNK).map(f).collect()
    }
}

/// `Σ x`; 0 of none.
pub fn sum<T: Scalar>(xs: &[T]) -> T {
    sum_lanes(&partials(xs, |chunk| dispatch(Sum(chunk))))
}

/// `Σ x²`, added up in double precision: a gradient of millions of `f32` keeps its norm, and nothing overflows.
pub fn sum_of_squares<T: Scalar>(xs: &[T]) -> f64 {
    partials(xs, |chunk| dispatch(SumOfSquares(chunk))).into_iter().sum()
}

/// Reduces each row to one value.
struct EachRow<'a, T, F> {
    cols: usize,
    xs: &'a [T],
    out: &'a mut [T],
    f: F,
}

impl<T: Scalar, F: Fn(&mut T, &[T])> Pass for EachRow<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (out, row) in self.out.iter_mut().zip(self.xs.chunks_exact(self.cols)) {
            (self.f)(out, row);
        }
    }
}

fn each_row<T: Scalar>(
    what: &str,
    xs: &[T],
    cols: usize,
    out: &mut [T],
    f: impl Fn(&mut T, &[T]) + Copy + Sync + Send,
) {
    assert_eq!(count_rows(what, xs, cols), if cols == 0 { 0 } else { out.len() }, "{what}: one value per row");
    if cols == 0 {
        return out.iter_mut().for_each(|out| f(out, &[]));
    }
    if xs.len() < MIN_PARALLEL {
        return dispatch(EachRow { cols, xs, out, f });
    }
    let rows = rows_per_task(cols);
    let tasks = out.par_chunks_mut(rows).zip(xs.par_chunks(rows * cols));
    tasks.for_each(|(out, xs)| dispatch(EachRow { cols, xs, out, f }));
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
        Store::Overwrite => each_row("row_sums", xs, cols, out, |out, row| *out = sum_lanes(row)),
        Store::Accumulate => each_row("row_sums", xs, cols, out, |out, row| *out += sum_lanes(row)),
    }
}

/// `out_r ← max_c x_rc`; NaN if an element of the row is, −∞ of an empty row.
///
/// # Shapes
/// `xs` (R, C) · `out` (R)
///
/// # Panics
/// If the lengths do not fit.
pub fn row_max<T: Scalar>(xs: &[T], cols: usize, out: &mut [T]) {
    each_row("row_max", xs, cols, out, |out, row| *out = max_or_nan(row));
}

/// Adds rows to a row of sums, four at a time so that the sums are read and written a quarter as often.
#[inline(always)]
fn add_rows<T: Scalar>(xs: &[T], sums: &mut [T]) {
    let cols = sums.len();
    let mut groups = xs.chunks_exact(4 * cols);
    for group in &mut groups {
        let (a, rest) = group.split_at(cols);
        let (b, rest) = rest.split_at(cols);
        let (c, d) = rest.split_at(cols);
        for ((((sum, &a), &b), &c), &d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum += (a + b) + (c + d);
        }
    }
    for row in groups.remainder().chunks_exact(cols) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
}

struct AddRows<'a, T>(&'a [T], &'a mut [T]);
impl<T: Scalar> Pass for AddRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        add_rows(self.0, self.1);
    }
}

/// Rows of one task of a sum over rows: about [`REDUCE_CHUNK`] elements, and enough rows that adding up the tasks is little work.
pub(super) fn rows_per_partial(cols: usize) -> usize {
    (REDUCE_CHUNK / cols.max(1)).max(16)
}

/// `out_c ← Σ_r x_rc`, or added to what was there: the gradient of a bias.
///
/// # Shapes
/// `xs` (R, C) · `out` (C)
///
/// # Panics
/// If `xs` is not made of rows of `out.len()`.
pub fn column_sums<T: Scalar>(xs: &[T], store: Store, out: &mut [T]) {
    let cols = out.len();
    let rows = count_rows("column_sums", xs, cols);
    if store == Store::Overwrite {
        out.fill(T::zero());
    }
    match cols {
        0 => {}
        1 => out[0] += sum(xs),
        _ => sum_partials(rows, cols, out, |first, end, sums| dispatch(AddRows(&xs[first * cols..end * cols], sums))),
    }
}

/// `out ← out + Σ over tasks`, where `task(first row, end row, sums)` adds its rows to `sums`, which begins as zeros.
pub(super) fn sum_partials<T: Scalar>(
    rows: usize,
    cols: usize,
    out: &mut [T],
    task: impl Fn(usize, usize, &mut [T]) + Sync,
) {
    let (height, width) = (rows_per_partial(cols), out.len());
    if rows <= height || width == 0 {
        let mut sums = vec![T::zero(); width];
        task(0, rows, &mut sums);
        return out.iter_mut().zip(&sums).for_each(|(out, &sum)| *out += sum);
    }
    let mut partials = vec![T::zero(); rows.div_ceil(height) * width];
    let run = |(i, sums): (usize, &mut [T])| task(i * height, ((i + 1) * height).min(rows), sums);
    if rows * cols < MIN_PARALLEL {
        partials.chunks_mut(width).enumerate().for_each(run);
    } else {
        partials.par_chunks_mut(width).enumerate().for_each(run);
    }
    // Each column adds its partial sums from the first to the last, wherever it runs.
    const BLOCK: usize = 512;
    let combine = |(block, out): (usize, &mut [T])| {
        for sums in partials.chunks_exact(width) {
            let sums = &sums[block * BLOCK..block * BLOCK + out.len()];
            out.iter_mut().zip(sums).for_each(|(out, &sum)| *out += sum);
        }
    };
    if partials.len() < MIN_PARALLEL {
        out.chunks_mut(BLOCK).enumerate().for_each(combine);
    } else {
        out.par_chunks_mut(BLOCK).enumerate().for_each(combine);
    }
}

#[cfg(test)]
mod tests;
