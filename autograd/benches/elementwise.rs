//! Throughput of ops on whole tensors whose time is that of memory: arithmetic with and without broadcasting, copies, sums; and of
//! a batch of products against one product of as many multiply-adds.
//!
//! `cargo bench -p autoreg-autograd --bench elementwise`; throughput counts each byte that an op must read or write once. The first
//! entries, `copy`, are what the machine can do: one buffer written over another by all threads, of as many bytes as an op on one
//! tensor or on two. The allocator is the one that the
//! program installs, so results are written to memory whose pages are there.

use autograd::Tensor;
use autograd::kernels::gemm::{Matrix, Store, gemm};
use autograd::kernels::memory::CachingAllocator;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::prelude::*;
use std::hint::black_box;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: CachingAllocator = CachingAllocator::new();

fn wave(shape: &[usize]) -> Tensor<f32> {
    let len = shape.iter().product::<usize>();
    Tensor::from_vec((0..len).map(|i| (i as f32 * 0.7).sin()).collect(), shape)
}

fn whole_tensors(c: &mut Criterion) {
    let mut group = c.benchmark_group("2048x2048");
    let (rows, cols) = (2048, 2048);
    let len = rows * cols;
    let (x, y) = (wave(&[rows, cols]), wave(&[rows, cols]));
    let (row, column) = (wave(&[cols]), wave(&[rows, 1]));
    for (bytes, name) in [(8, "copy, 2 tensors in all"), (12, "copy, 3 tensors in all")] {
        let len = len * bytes / 8;
        let (from, mut to) = (vec![1.0f32; len], vec![0.0f32; len]);
        group.throughput(Throughput::Bytes(8 * len as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                let chunks = to.par_chunks_mut(1 << 15).zip(black_box(&from).par_chunks(1 << 15));
                chunks.for_each(|(to, from)| to.copy_from_slice(from));
            });
        });
    }
    group.throughput(Throughput::Bytes(12 * len as u64));
    group.bench_function("add", |b| b.iter(|| &x + &y));
    group.bench_function("mul transposed", |b| b.iter(|| &x * &y.transpose(0, 1)));
    group.throughput(Throughput::Bytes(8 * len as u64));
    group.bench_function("add a row", |b| b.iter(|| &x + &row));
    group.bench_function("add a column", |b| b.iter(|| &x + &column));
    group.bench_function("mul_scalar", |b| b.iter(|| x.mul_scalar(0.5)));
    group.bench_function("exp", |b| b.iter(|| x.exp()));
    group.bench_function("gelu", |b| b.iter(|| x.gelu()));
    group.bench_function("copy transposed", |b| b.iter(|| x.transpose(0, 1).standard()));
    let heads = x.reshape(&[16, 256, 16, 64]);
    group.bench_function("copy heads", |b| b.iter(|| heads.transpose(1, 2).standard()));
    group.throughput(Throughput::Bytes(4 * len as u64));
    group.bench_function("sum", |b| b.iter(|| x.sum()));
    group.bench_function("sum over rows", |b| b.iter(|| x.sum_axes(&[0])));
    group.bench_function("sum over columns", |b| b.iter(|| x.sum_axes(&[1])));
    group.finish();
}

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("64 products 256x64x256");
    let (count, m, k, n) = (64, 256, 64, 256);
    group.throughput(Throughput::Elements((count * m * k * n) as u64));
    let (a, b) = (wave(&[count, m, k]), wave(&[count, k, n]));
    let (tall, one) = (wave(&[count * m, k]), wave(&[k, n]));
    let (tall, one) = (tall.to_vec(), one.to_vec());
    let mut c = vec![0.0; count * m * n];
    group.bench_function("as one", |bench| {
        bench.iter(|| gemm(Matrix::new(&tall, count * m, k), Matrix::new(&one, k, n), Store::Overwrite, &mut c));
    });
    group.bench_function("batched", |bench| bench.iter(|| a.matmul(&b)));
    let transposed = wave(&[count, n, k]);
    group.bench_function("batched, transposed", |bench| bench.iter(|| a.matmul(&transposed.transpose(1, 2))));
    let heads = wave(&[4, m, 16, k]);
    group.bench_function("batched, heads", |bench| {
        bench.iter(|| heads.transpose(1, 2).matmul(&heads.transpose(1, 2).transpose(2, 3)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500)).sample_size(20);
    targets = whole_tensors, products
}
criterion_main!(benches);
