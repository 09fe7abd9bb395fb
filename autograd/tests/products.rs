//! Every matrix product against a plain triple loop, and the law they share: one chain of multiply-adds per output.

use autograd::kernels::gemm::{Batch, Matrix, Store, append_matmul, gemm, gemm_batched, matmul};
use autograd::kernels::packed::{Direction, Packed};
use autograd::kernels::team::Team;

const SIZES: [usize; 9] = [0, 1, 2, 7, 13, 47, 48, 49, 100];

/// Numbers in [−1, 1) from a small generator: the same on every machine.
fn values(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// The law, written out: one chain per output, in the order of k.
fn chains(m: usize, k: usize, n: usize, a: &[f32], b: &[f32], store: Store, c: &mut [f32]) {
    for i in 0..m {
        for j in 0..n {
            let start = if store == Store::Overwrite { 0.0 } else { c[i * n + j] };
            c[i * n + j] = (0..k).fold(start, |sum, p| a[i * k + p].mul_add(b[p * n + j], sum));
        }
    }
}

fn transposed(rows: usize, cols: usize, x: &[f32]) -> Vec<f32> {
    (0..rows * cols).map(|i| x[i % rows * cols + i / rows]).collect()
}

/// The rows with `gap` unused values after each, and the row stride.
fn spread(rows: usize, cols: usize, gap: usize, x: &[f32]) -> Vec<f32> {
    (0..rows).flat_map(|i| x[i * cols..][..cols].iter().copied().chain((0..gap).map(|_| f32::NAN))).collect()
}

/// Calls `f` with views of the row-major matrix `x` in every layout.
fn in_every_layout(rows: usize, cols: usize, x: &[f32], mut f: impl FnMut(&str, Matrix<f32>)) {
    f("row-major", Matrix::new(x, rows, cols));
    f("transposed", Matrix::new(&transposed(rows, cols, x), cols, rows).t());
    f("rows apart", Matrix::with_strides(&spread(rows, cols, 3, x), rows, cols, cols + 3, 1));
    let elements_apart = spread(rows * cols, 1, 1, x);
    f("elements apart", Matrix::with_strides(&elements_apart, rows, cols, cols * 2, 2));
}

fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

#[test]
fn every_output_is_one_chain_of_multiply_adds_for_all_sizes_and_layouts() {
    for m in SIZES {
        for k in SIZES {
            for n in SIZES {
                let (a, b, old) = (values(m * k, 1), values(k * n, 2), values(m * n, 3));
                for store in [Store::Overwrite, Store::Accumulate] {
                    let mut wanted = old.clone();
                    chains(m, k, n, &a, &b, store, &mut wanted);
                    in_every_layout(m, k, &a, |a_layout, a| {
                        in_every_layout(k, n, &b, |b_layout, b| {
                            let mut c = old.clone();
                            gemm(a, b, store, &mut c);
                            assert_eq!(c, wanted, "gemm {m}×{k}×{n} {store:?}, A {a_layout}, B {b_layout}");
                            let mut c = old.clone();
                            Packed::new(b).product(a, store, &mut c, n);
                            assert_eq!(c, wanted, "packed {m}×{k}×{n} {store:?}, A {a_layout}, B {b_layout}");
                        });
                    });
                }
            }
        }
    }
}

#[test]
fn large_products_are_the_same_chains_for_any_number_of_threads() {
    for (m, k, n) in
        [(1, 700, 3000), (320, 1500, 256), (40, 64, 5000), (700, 320, 100), (257, 385, 289), (9, 40_000, 60)]
    {
        let (a, b, old) = (values(m * k, 4), values(k * n, 5), values(m * n, 6));
        let bt = transposed(k, n, &b);
        for store in [Store::Overwrite, Store::Accumulate] {
            let mut wanted = old.clone();
            chains(m, k, n, &a, &b, store, &mut wanted);
            for threads in [1, 2, 3, 8] {
                let (c, d) = with_threads(threads, || {
                    let (mut c, mut d) = (old.clone(), old.clone());
                    gemm(Matrix::new(&a, m, k), Matrix::new(&b, k, n), store, &mut c);
                    gemm(Matrix::new(&a, m, k), Matrix::new(&bt, n, k).t(), store, &mut d);
                    (c, d)
                });
                assert!(c == wanted && d == wanted, "{m}×{k}×{n}, {store:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_product_with_a_bias_is_chains_that_begin_with_it() {
    // the last two are cut into chunks and into panels, by columns and by k
    for (m, k, n) in [(3, 0, 5), (0, 4, 5), (1, 7, 1), (13, 48, 49), (400, 300, 500), (70, 1100, 900)] {
        let (a, b, bias) = (values(m * k, 6), values(k * n, 7), values(n, 8));
        let mut wanted = bias.repeat(m);
        chains(m, k, n, &a, &b, Store::Accumulate, &mut wanted);
        in_every_layout(k, n, &b, |layout, b| {
            for threads in [1, 3] {
                let c = with_threads(threads, || matmul(Matrix::new(&a, m, k), b, Some(&bias)));
                assert_eq!(c, wanted, "{m}×{k}×{n}, B {layout}, {threads} threads");
            }
        });
        let wide: Vec<f64> = [&a[..], &b, &bias].concat().into_iter().map(f64::from).collect();
        let (a, rest) = wide.split_at(m * k);
        let (b, bias) = rest.split_at(k * n);
        let mut c = vec![0.5];
        append_matmul(Matrix::new(a, m, k), Matrix::new(b, k, n), Some(bias), &mut c);
        let close = |(c, wanted): (&f64, &f32)| (c - f64::from(*wanted)).abs() < 1e-3;
        assert!(c.len() == 1 + m * n && c[0] == 0.5 && c[1..].iter().zip(&wanted).all(close), "{m}×{k}×{n} in f64");
    }
}

#[test]
fn the_error_against_double_precision_is_below_the_bound_of_a_chain() {
    let (m, k, n) = (37, 900, 75);
    let (a, b) = (values(m * k, 7), values(k * n, 8));
    let mut c = vec![0.0; m * n];
    gemm(Matrix::new(&a, m, k), Matrix::new(&b, k, n), Store::Overwrite, &mut c);
    for i in 0..m {
        for j in 0..n {
            let terms = (0..k).map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j]));
            let (exact, size) = terms.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
            // Higham, Accuracy and Stability of Numerical Algorithms, (3.5): |error| ≤ k·u / (1 − k·u) · Σ |a||b|.
            let ku = k as f64 * f64::from(f32::EPSILON) / 2.0;
            assert!((f64::from(c[i * n + j]) - exact).abs() <= ku / (1.0 - ku) * size, "output ({i}, {j})");
        }
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_thirty_two() {
    let (k, n) = (513, 1537);
    let (a, b) = (values(32 * k, 9), values(k * n, 10));
    let packed = Packed::new(Matrix::new(&b, k, n));
    let (mut all, mut packed_all) = (vec![0.0; 32 * n], vec![0.0; 32 * n]);
    gemm(Matrix::new(&a, 32, k), Matrix::new(&b, k, n), Store::Overwrite, &mut all);
    packed.product(Matrix::new(&a, 32, k), Store::Overwrite, &mut packed_all, n);
    assert_eq!(all, packed_all);
    for i in 0..32 {
        let mut alone = vec![0.0; n];
        gemm(Matrix::new(&a[i * k..][..k], 1, k), Matrix::new(&b, k, n), Store::Overwrite, &mut alone);
        assert_eq!(alone, all[i * n..][..n], "row {i}");
    }
}

#[test]
fn packed_products_leave_what_lies_between_the_rows_alone() {
    let (m, k, n, stride) = (5, 20, 70, 80);
    let (a, b) = (values(m * k, 11), values(k * n, 12));
    let mut wanted = vec![0.0; m * n];
    chains(m, k, n, &a, &b, Store::Overwrite, &mut wanted);
    let mut c = vec![7.0; (m - 1) * stride + n];
    Packed::new(Matrix::new(&b, k, n)).product(Matrix::new(&a, m, k), Store::Overwrite, &mut c, stride);
    for (i, row) in c.chunks(stride).enumerate() {
        assert_eq!(row[..n], wanted[i * n..][..n]);
        assert!(row[n..].iter().all(|&x| x == 7.0), "row {i}");
    }
}

#[test]
fn panels_together_are_the_whole_product() {
    let (m, k, n) = (11, 300, 2 * 48 + 20);
    let (a, b) = (values(m * k, 13), values(k * n, 14));
    let packed = Packed::new(Matrix::new(&b, k, n));
    let mut wanted = vec![0.0; m * n];
    packed.product(Matrix::new(&a, m, k), Store::Overwrite, &mut wanted, n);
    for panel in 0..packed.panels() {
        let columns = packed.columns_of(panel);
        let mut c = vec![0.0; m * columns.len()];
        packed.product_of_panels(panel..panel + 1, Matrix::new(&a, m, k), Store::Overwrite, &mut c, columns.len());
        for i in 0..m {
            assert_eq!(c[i * columns.len()..][..columns.len()], wanted[i * n..][columns.clone()], "panel {panel}");
        }
    }
}

#[test]
fn repacking_forgets_the_old_matrix() {
    let mut packed = Packed::new(Matrix::new(&values(64 * 100, 15), 64, 100));
    let b = values(30 * 50, 16);
    packed.repack(Matrix::new(&b, 30, 50));
    assert_eq!((packed.rows(), packed.cols()), (30, 50));
    let a = values(3 * 30, 17);
    let (mut c, mut wanted) = (vec![0.0; 150], vec![0.0; 150]);
    packed.product(Matrix::new(&a, 3, 30), Store::Overwrite, &mut c, 50);
    chains(3, 30, 50, &a, &b, Store::Overwrite, &mut wanted);
    assert_eq!(c, wanted);
}

#[test]
fn a_batch_is_its_products_one_by_one_also_when_one_factor_is_shared() {
    let (count, m, k, n) = (6, 10, 33, 50);
    let (a, b) = (values(count * m * k, 18), values(count * k * n, 19));
    for shared in [false, true] {
        let b_stride = if shared { 0 } else { k * n };
        let mut wanted = vec![0.0; count * m * n];
        for i in 0..count {
            chains(m, k, n, &a[i * m * k..], &b[i * b_stride..], Store::Overwrite, &mut wanted[i * m * n..][..m * n]);
        }
        for threads in [1, 2, 3, 8] {
            let mut c = vec![0.0; count * m * n];
            with_threads(threads, || {
                let a = Batch::new(&a, m * k, (m, k), (k, 1));
                let b = Batch::new(&b, b_stride, (k, n), (n, 1));
                gemm_batched(count, a, b, Store::Overwrite, &mut c);
            });
            assert_eq!(c, wanted, "shared: {shared}, {threads} threads");
        }
    }
}

fn double_precision_error(c: &[f64], m: usize, k: usize, n: usize, a: &[f64], b: &[f64]) -> f64 {
    let mut worst = 0.0_f64;
    for i in 0..m {
        for j in 0..n {
            let exact: f64 = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
            worst = worst.max((c[i * n + j] - exact).abs());
        }
    }
    worst
}

#[test]
fn double_precision_products_are_right_and_do_not_depend_on_the_threads() {
    for (m, k, n) in [(1, 1, 1), (7, 13, 49), (300, 100, 97), (129, 257, 48)] {
        let a: Vec<f64> = values(m * k, 20).into_iter().map(f64::from).collect();
        let b: Vec<f64> = values(k * n, 21).into_iter().map(f64::from).collect();
        let run = || {
            let (mut c, mut d) = (vec![0.0; m * n], vec![0.0; m * n]);
            gemm(Matrix::new(&a, m, k), Matrix::new(&b, k, n), Store::Overwrite, &mut c);
            Packed::new(Matrix::new(&b, k, n)).product(Matrix::new(&a, m, k), Store::Overwrite, &mut d, n);
            (c, d)
        };
        let one = with_threads(1, run);
        assert!(double_precision_error(&one.0, m, k, n, &a, &b) < 1e-13 * k as f64);
        assert!(double_precision_error(&one.1, m, k, n, &a, &b) < 1e-13 * k as f64);
        for threads in [2, 3, 8] {
            assert!(with_threads(threads, run) == one, "{m}×{k}×{n}, {threads} threads");
        }
    }
}

#[test]
fn a_row_product_equals_its_row_of_the_whole_for_any_share_and_team() {
    for (k, n) in [(1, 1), (0, 5), (13, 48), (300, 47), (257, 8 * 48 + 17), (512, 10 * 48)] {
        let (x, b, old) = (values(k, 22), values(k * n, 23), values(n, 24));
        let packed = Packed::new(Matrix::new(&b, k, n));
        for store in [Store::Overwrite, Store::Accumulate] {
            let mut wanted = old.clone();
            chains(1, k, n, &x, &b, store, &mut wanted);
            let mut y = old.clone();
            packed.row(&x, store, Direction::Forward, &mut y);
            assert_eq!(y, wanted, "{k}×{n} {store:?}");
            let mut y = old.clone();
            packed.row(&x, store, Direction::Backward, &mut y);
            assert_eq!(y, wanted, "{k}×{n} {store:?}, backward");
            let bias = if store == Store::Overwrite { vec![0.0; n] } else { old.clone() };
            for members in [1, 2, 3, 8] {
                for direction in [Direction::Forward, Direction::Backward] {
                    let mut y = values(n, 25);
                    packed.row_by(&mut Team::new(members), &x, &bias, direction, &mut y);
                    assert_eq!(y, wanted, "{k}×{n} {store:?}, {members} members, {direction:?}");
                }
            }
        }
    }
}

#[test]
fn a_row_product_of_any_number_of_columns_is_their_chains_and_writes_nothing_else() {
    let k = 7;
    for n in 0..=5 * 48 + 1 {
        let (x, b, old) = (values(k, 26), values(k * n, 27), values(n + 64, 28));
        let mut wanted = old.clone();
        chains(1, k, n, &x, &b, Store::Accumulate, &mut wanted[..n]);
        let mut y = old;
        Packed::new(Matrix::new(&b, k, n)).row(&x, Store::Accumulate, Direction::Forward, &mut y[..n]);
        assert_eq!(y, wanted, "{n} columns");
    }
}
