//! Products of the sizes that training and generation spend their time on.
//!
//! Throughput is in elements of multiply-adds: twice the figure is FLOP/s. For rows it is in bytes of weights.
//! The instruction set is what `AUTOREG_ISA` names, or the best of this machine.
#![allow(missing_docs)] // criterion's macros write an undocumented function

use autograd::kernels::gemm::{Matrix, Store, gemm};
use autograd::kernels::isa::Isa;
use autograd::kernels::packed::{Direction, Packed};
use autograd::kernels::team::Team;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 13) as f32 / 13.0 - 0.5).collect()
}

/// Says which instruction set is measured; one that cannot be used ends the bench before it measures another.
fn instruction_set(_: &mut Criterion) {
    Isa::from_environment().unwrap_or_else(|error| panic!("{error}"));
    println!("instruction set: {}", Isa::in_use());
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gemm");
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
    for (name, m, k, n, a_transposed, b_transposed) in [
        ("512 cubed", 512, 512, 512, false, false),
        ("4096x512x1536, weights", 4096, 512, 1536, false, true),
        ("1536x4096x512, weight gradient", 1536, 4096, 512, true, false),
        ("320x256x10000, logits", 320, 256, 10_000, false, true),
        ("320x10000x256, gradient of logits' input", 320, 10_000, 256, false, false),
        ("10000x320x256, gradient of logits' weights", 10_000, 320, 256, true, false),
        ("64x32x64, attention", 64, 32, 64, false, true),
        ("16x16x16", 16, 16, 16, false, false),
    ] {
        let (a, b, mut c) = (values(m * k), values(k * n), vec![0.0; m * n]);
        let a = if a_transposed { Matrix::new(&a, k, m).t() } else { Matrix::new(&a, m, k) };
        let b = if b_transposed { Matrix::new(&b, n, k).t() } else { Matrix::new(&b, k, n) };
        group.throughput(Throughput::Elements((m * n * k) as u64));
        for threads in [1, rayon::current_num_threads()] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            group.bench_function(format!("{name}, {threads} threads"), |bencher| {
                pool.install(|| bencher.iter(|| gemm(a, b, Store::Overwrite, &mut c)));
            });
        }
    }
    group.finish();
}

fn packed_products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packed");
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
    for (m, k, n) in [(16, 512, 1536), (16, 1536, 512), (32, 512, 1536), (4, 512, 1536), (16, 256, 768)] {
        let (a, b, mut c) = (values(m * k), values(k * n), vec![0.0; m * n]);
        let packed = Packed::new(Matrix::new(&b, k, n));
        group.throughput(Throughput::Elements((m * n * k) as u64));
        group.bench_function(format!("{m}x{k}x{n}"), |bencher| {
            bencher.iter(|| packed.product(Matrix::new(&a, m, k), Store::Overwrite, &mut c, n));
        });
    }
    group.finish();
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("row");
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
    for (k, n) in [(512, 1536), (256, 10_000), (256, 768)] {
        let (x, b, bias, mut y) = (values(k), values(k * n), values(n), vec![0.0; n]);
        let packed = Packed::new(Matrix::new(&b, k, n));
        group.throughput(Throughput::Bytes((k * n * size_of::<f32>()) as u64));
        for members in [1, rayon::current_num_threads()] {
            let mut team = Team::new(members);
            group.bench_function(format!("{k}x{n}, {members} members"), |bencher| {
                let mut direction = Direction::Forward;
                bencher.iter(|| {
                    packed.row_by(&mut team, &x, &bias, direction, &mut y);
                    direction = direction.reversed();
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, instruction_set, products, packed_products, rows);
criterion_main!(benches);
