//! Throughput of the kernels that work row by row or element by element, at the sizes of the reference models.
//!
//! `cargo bench -p autoreg-autograd --bench rows`; throughput counts each byte of memory that a pass must read or write once. The
//! first entry, `copy`, is what the machine can do.

use autograd::kernels::gemm::Store;
use autograd::kernels::isa::Isa;
use autograd::kernels::optimizer::{Adam, Decay, adam};
use autograd::kernels::{dropout, elementwise, layer_norm, reduce, rows, softmax};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

fn wave(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i as f32 * 0.7).sin()).collect()
}

fn symbols(len: usize, count: u32) -> Vec<u32> {
    (0..len as u32).map(|i| i.wrapping_mul(2_654_435_761) % count).collect()
}

/// Says which instruction set is measured; one that cannot be used ends the bench before it measures another.
fn instruction_set(_: &mut Criterion) {
    Isa::from_environment().unwrap_or_else(|error| panic!("{error}"));
    println!("instruction set: {}", Isa::in_use());
}

fn elementwise_passes(c: &mut Criterion) {
    let mut group = c.benchmark_group("elementwise");
    for len in [1 << 18, 1 << 22] {
        let (x, mut y) = (wave(len), wave(len));
        group.throughput(Throughput::Bytes(8 * len as u64));
        group.bench_function(BenchmarkId::new("copy", len), |b| b.iter(|| elementwise::map(&x, &mut y, |x| x)));
        group.throughput(Throughput::Bytes(12 * len as u64));
        group.bench_function(BenchmarkId::new("accumulate", len), |b| b.iter(|| elementwise::accumulate(&mut y, &x)));
    }
    let len = 1 << 22;
    let (mut w, g, mut m, mut v) = (wave(len), wave(len), wave(len), vec![1.0; len]);
    let step = Adam {
        learning_rate: 1e-3,
        betas: (0.9, 0.999),
        epsilon: 1e-8,
        weight_decay: 0.01,
        decay: Decay::Decoupled,
        step: 10,
        gradient_scale: 0.5,
    };
    group.throughput(Throughput::Bytes(28 * len as u64));
    group.bench_function("adamw/4194304", |b| b.iter(|| adam(&step, &mut w, &g, &mut m, &mut v)));
    group.throughput(Throughput::Bytes(4 * len as u64));
    group.bench_function("sum_of_squares/4194304", |b| b.iter(|| reduce::sum_of_squares(black_box(&g))));
    let len = 2_000_000;
    group.throughput(Throughput::Elements(len as u64));
    group.bench_function("dropout_mask/2000000", |b| b.iter(|| dropout::mask([1; 32], len, 0.75)));
    group.finish();
}

fn row_passes(c: &mut Criterion) {
    let mut group = c.benchmark_group("rows");
    for (n, v) in [(4096, 65), (320, 10_000)] {
        let id = |name: &str| BenchmarkId::new(name, format!("{n}x{v}"));
        let (logits, targets) = (wave(n * v), symbols(n, v as u32));
        let mut x = logits.clone();
        group.throughput(Throughput::Bytes(8 * (n * v) as u64));
        // What it leaves are logits as good as any, so no copy spoils the measurement.
        group.bench_function(id("cross_entropy"), |b| b.iter(|| softmax::cross_entropy(&mut x, v, &targets)));
        group.bench_function(id("cross_entropy_backward"), |b| {
            b.iter(|| softmax::cross_entropy_backward(&mut x, v, &targets, 1.0))
        });
        x.copy_from_slice(&logits);
        group.bench_function(id("softmax"), |b| b.iter(|| softmax::softmax(&mut x, v)));
        x.copy_from_slice(&logits);
        group.bench_function(id("log_softmax"), |b| b.iter(|| softmax::log_softmax(&mut x, v)));
    }
    for (n, cols) in [(4096, 1536), (320, 10_000), (4096, 65), (4096, 512)] {
        let (x, mut sums) = (wave(n * cols), vec![0.0; cols]);
        group.throughput(Throughput::Bytes(4 * (n * cols) as u64));
        group.bench_function(BenchmarkId::new("column_sums", format!("{n}x{cols}")), |b| {
            b.iter(|| reduce::column_sums(&x, Store::Overwrite, &mut sums));
        });
    }
    let (n, cols) = (2048, 384);
    let (x, w) = (wave(n * cols), wave(cols));
    group.throughput(Throughput::Bytes(12 * (n * cols) as u64));
    group.bench_function("layer_norm/2048x384", |b| b.iter(|| layer_norm::forward(&x, &w, &w, 1e-5)));
    let kept = layer_norm::forward(&x, &w, &w, 1e-5);
    group.bench_function("layer_norm_backward_input/2048x384", |b| {
        b.iter(|| layer_norm::backward_input(&x, &kept.x_hat, &kept.inv_scale, &w));
    });
    for (n, v, cols) in [(4096, 65, 1536), (320, 10_000, 128)] {
        let (mut table, mut g, indices) = (wave(v * cols), wave(n * cols), symbols(n, v as u32));
        group.throughput(Throughput::Bytes(4 * (n * cols) as u64));
        let id = |name: &str| BenchmarkId::new(name, format!("{n}of{v}x{cols}"));
        group.bench_function(id("gather"), |b| b.iter(|| rows::gather_rows(&table, cols, &indices, &mut g)));
        group.bench_function(id("scatter_add"), |b| b.iter(|| rows::scatter_add_rows(&g, cols, &indices, &mut table)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500)).sample_size(20);
    targets = instruction_set, elementwise_passes, row_passes
}
criterion_main!(benches);
