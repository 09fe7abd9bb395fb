//! Sums and maxima against naive loops in `f64`, at the edges, and across numbers of threads.

use super::*;
use crate::kernels::row_tasks::tests::{assert_thread_independent, wave, wave32};
use approx::assert_relative_eq;
use proptest::prelude::*;

#[test]
fn sums_of_none_are_zero_and_the_maximum_of_none_is_minus_infinity() {
    assert_eq!((sum::<f32>(&[]), sum_of_squares::<f32>(&[])), (0.0, 0.0));
    let (mut sums, mut max) = ([7.0f32; 3], [7.0f32; 3]);
    row_sums(&[], 0, Store::Overwrite, &mut sums);
    row_max(&[], 0, &mut max);
    assert_eq!((sums, max), ([0.0; 3], [f32::NEG_INFINITY; 3]));
    column_sums(&[], Store::Overwrite, &mut sums);
    assert_eq!(sums, [0.0; 3]);
}

#[test]
fn a_sum_of_squares_of_single_precision_neither_overflows_nor_loses_small_parts() {
    let xs = vec![1e30f32; 4];
    assert_relative_eq!(sum_of_squares(&xs), 4.0 * f64::from(1e30f32).powi(2), max_relative = 1e-15);
    let ones = vec![1.0f32; 50_000_001 / 2];
    assert_eq!(sum_of_squares(&ones), ones.len() as f64, "an f32 would stop at 2²⁴");
}

#[test]
fn a_nan_anywhere_in_a_row_is_its_maximum() {
    for at in 0..70 {
        let mut xs = wave32(70, 0.0);
        xs[at] = f32::NAN;
        let mut max = [0.0];
        row_max(&xs, 70, &mut max);
        assert!(max[0].is_nan(), "NaN at {at} is lost");
    }
}

#[test]
fn storing_adds_or_replaces() {
    let xs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let (mut rows, mut cols) = ([100.0; 2], [100.0; 3]);
    row_sums(&xs, 3, Store::Accumulate, &mut rows);
    column_sums(&xs, Store::Accumulate, &mut cols);
    assert_eq!((rows, cols), ([106.0, 115.0], [105.0, 107.0, 109.0]));
    row_sums(&xs, 3, Store::Overwrite, &mut rows);
    column_sums(&xs, Store::Overwrite, &mut cols);
    assert_eq!((rows, cols), ([6.0, 15.0], [5.0, 7.0, 9.0]));
}

#[test]
fn sums_have_the_same_bits_for_any_number_of_threads() {
    let xs = wave32(300_007, 0.3);
    assert_thread_independent(|| (sum(&xs).to_bits(), sum_of_squares(&xs).to_bits()));
    for cols in [1, 3, 65, 1536, 10_000] {
        let xs = &xs[..xs.len() / cols * cols];
        assert_thread_independent(|| {
            let (mut rows, mut max) = (vec![0.0; xs.len() / cols], vec![0.0; xs.len() / cols]);
            let mut columns = vec![0.0; cols];
            row_sums(xs, cols, Store::Overwrite, &mut rows);
            row_max(xs, cols, &mut max);
            column_sums(xs, Store::Overwrite, &mut columns);
            [rows, max, columns]
        });
    }
}

#[test]
#[should_panic(expected = "column_sums: 7 elements are not rows of 3")]
fn a_part_of_a_row_is_refused() {
    column_sums(&[0.0; 7], Store::Overwrite, &mut [0.0; 3]);
}

/// `Σ x` and `Σ |x|` in double precision, in the plain order.
fn exact(xs: &[f32]) -> (f64, f64) {
    xs.iter().fold((0.0, 0.0), |(sum, size), &x| (sum + f64::from(x), size + f64::from(x.abs())))
}

/// Half a unit of the last place of the sum and what double precision loses on the way, and some roundings of `Σ|x|`.
fn assert_close(what: &str, got: f32, xs: &[f32], roundings: f64) {
    let (sum, size) = exact(xs);
    let error = (f64::from(got) - sum).abs();
    let bound = 0.5f64.powi(24) * (sum.abs() + roundings * size) * 1.01 + 0.5f64.powi(40) * size;
    assert!(error <= bound, "{what} of {}: {got}, off by {error:e}", xs.len());
}

#[test]
fn long_sums_are_right_to_a_few_units_in_the_last_place() {
    let ones = vec![1.0f32; 20_000_000];
    let tenths = vec![0.1f32; 1_000_000];
    let waves = wave32(3_000_000, 0.3);
    for xs in [&ones, &tenths, &waves] {
        assert_close("sum", sum(xs), xs, 0.0);
        let mut row = [0.0];
        row_sums(xs, xs.len(), Store::Overwrite, &mut row);
        assert_eq!(row[0], sum(xs), "a row and everything");
        for cols in [1, 2, 5, 40] {
            let (mut sums, mut rows) = (vec![0.0; cols], vec![0.0; cols]);
            column_sums(xs, Store::Overwrite, &mut sums);
            let axis = axis_sums(xs, cols, xs.len() / cols / 2, 2);
            row_sums(xs, xs.len() / cols, Store::Overwrite, &mut rows);
            for c in 0..cols {
                let column: Vec<f32> = xs.iter().skip(c).step_by(cols).copied().collect();
                assert_close("column_sums", sums[c], &column, if cols == 1 { 0.0 } else { 3.0 });
                let part = &xs[xs.len() / cols * c..][..xs.len() / cols];
                assert_close("row_sums", rows[c], part, 0.0);
                let odd: Vec<f32> = part.iter().skip(1).step_by(2).copied().collect();
                assert_close("axis_sums", axis[2 * c + 1] as f32, &odd, 3.0);
            }
        }
    }
}

#[test]
fn zeros_after_a_long_row_change_nothing() {
    let xs = wave32(70_000, 0.3);
    for len in [1, 33, 32_767, 32_768, 32_769, 65_536, 69_999] {
        let padded = [&xs[..len], &vec![-0.0; 40_000]].concat();
        assert_eq!(sum(&xs[..len]).to_bits(), sum(&padded).to_bits(), "{len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_reduction_equals_the_naive_loop(rows in 0usize..90, cols in 1usize..600, phase in 0.0..6.0) {
        let xs = wave(rows * cols, phase);
        let single: Vec<f32> = xs.iter().map(|&x| x as f32).collect();
        let (mut sums, mut max, mut columns) = (vec![0.0; rows], vec![0.0; rows], vec![0.0; cols]);
        let mut columns32 = vec![0.0f32; cols];
        row_sums(&xs, cols, Store::Overwrite, &mut sums);
        row_max(&xs, cols, &mut max);
        column_sums(&xs, Store::Overwrite, &mut columns);
        column_sums(&single, Store::Overwrite, &mut columns32);
        for (r, row) in xs.chunks(cols).enumerate() {
            prop_assert!((sums[r] - row.iter().sum::<f64>()).abs() < 1e-11);
            prop_assert_eq!(max[r], row.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
        for c in 0..cols {
            let naive: f64 = (0..rows).map(|r| xs[r * cols + c]).sum();
            prop_assert!((columns[c] - naive).abs() < 1e-11);
            prop_assert!((f64::from(columns32[c]) - naive).abs() < 1e-4);
        }
        for outer in 1..=rows {
            let n = rows / outer;
            let axis = axis_sums(&xs[..outer * n * cols], outer, n, cols);
            for (i, got) in axis.iter().enumerate() {
                let (o, c) = (i / cols, i % cols);
                let naive: f64 = (0..n).map(|r| xs[(o * n + r) * cols + c]).sum();
                prop_assert!((got - naive).abs() < 1e-11);
            }
        }
        prop_assert!((sum(&xs) - xs.iter().sum::<f64>()).abs() < 1e-10);
        prop_assert!((sum_of_squares(&xs) - xs.iter().map(|x| x * x).sum::<f64>()).abs() < 1e-8);
    }
}
