//! The recurrent kernels and their elementwise functions, with the throughput that the yardsticks ask for: elements are
//! multiply-adds × 2 (so `Gelem/s` reads as GFLOP/s) for the sequences, elements for the functions, bytes of weight for the steps.

use autograd::kernels::gemm::Matrix;
use autograd::kernels::gru::{gru_backward, gru_forward, step::GruStep};
use autograd::kernels::isa::Isa;
use autograd::kernels::lstm::map::{self, Maps};
use autograd::kernels::lstm::wavefront::Wavefront;
use autograd::kernels::lstm::{lstm_backward, lstm_forward, step::LstmStep};
use autograd::kernels::math::Math;
use autograd::kernels::memory::CachingAllocator;
use autograd::kernels::recurrent::Sequence;
use autograd::kernels::team::Team;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

/// As in the program: large buffers are kept, with their pages.
#[global_allocator]
static ALLOCATOR: CachingAllocator = CachingAllocator::new();

/// The hot shapes: character and word models in training, a prompt.
const SHAPES: [Sequence; 3] = [
    Sequence { time: 128, batch: 32, hidden: 512 },
    Sequence { time: 10, batch: 32, hidden: 256 },
    Sequence { time: 128, batch: 1, hidden: 512 },
];

/// Something without a pattern in −scale … scale.
fn noise(count: usize, scale: f32) -> Vec<f32> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state as f32 / u32::MAX as f32 * 2.0 - 1.0) * scale
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Says which instruction set is measured; one that cannot be used ends the bench before it measures another.
fn instruction_set(_: &mut Criterion) {
    Isa::from_environment().unwrap_or_else(|error| panic!("{error}"));
    println!("instruction set: {}", Isa::in_use());
}

fn functions(c: &mut Criterion) {
    let mut group = c.benchmark_group("math");
    let xs = noise(4096, 8.0);
    group.throughput(Throughput::Elements(xs.len() as u64));
    type InPlace = fn(&mut [f32]);
    let functions: [(&str, InPlace); 3] =
        [("exp", f32::exp_slice), ("tanh", f32::tanh_slice), ("sigmoid", f32::sigmoid_slice)];
    for (name, f) in functions {
        let mut ys = xs.clone();
        group.bench_function(name, |b| {
            b.iter(|| {
                ys.copy_from_slice(&xs);
                f(black_box(&mut ys));
            });
        });
    }
}

fn sequences(c: &mut Criterion) {
    let mut group = c.benchmark_group("sequence");
    for shape in SHAPES {
        let Sequence { time, batch, hidden } = shape;
        let name = format!("T{time} B{batch} H{hidden}");
        let (state, steps) = (batch * hidden, time * batch * hidden);
        let (dout, w, bias) = (noise(steps, 1.0), noise(4 * hidden * hidden, 0.04), noise(4 * hidden, 0.04));
        let x = noise(4 * steps, 1.0);
        let (mut gates, h, c, mut hn) =
            (x.clone(), noise(steps + state, 0.5), noise(steps + state, 0.5), noise(steps, 0.5));
        let first = noise(state, 0.5);
        let (mut dh, mut dc) = (vec![0.0; state], vec![0.0; state]);

        group.throughput(Throughput::Elements(2 * 3 * (steps * hidden) as u64));
        let w_gru = Matrix::new(&w[..3 * hidden * hidden], 3 * hidden, hidden);
        let gates_gru = &mut gates[..3 * steps];
        group.bench_function(BenchmarkId::new("gru forward", &name), |b| {
            b.iter(|| {
                gates_gru.copy_from_slice(&x[..3 * steps]);
                gru_forward(shape, gates_gru, w_gru, &bias[..3 * hidden], &first)
            });
        });
        group.bench_function(BenchmarkId::new("gru backward", &name), |b| {
            // Gradients of gradients after the first run: numbers of no meaning, at the same speed.
            b.iter(|| {
                gates_gru.copy_from_slice(&x[..3 * steps]);
                gru_backward(shape, gates_gru, w_gru, &h, &mut hn, &dout, Some(&mut dh));
            });
        });

        group.throughput(Throughput::Elements(2 * 4 * (steps * hidden) as u64));
        let w_lstm = Matrix::new(&w, 4 * hidden, hidden);
        group.bench_function(BenchmarkId::new("lstm forward", &name), |b| {
            b.iter(|| {
                gates.copy_from_slice(&x);
                lstm_forward(shape, &mut gates, w_lstm, &bias, [&first, &first])
            });
        });
        group.bench_function(BenchmarkId::new("lstm backward", &name), |b| {
            b.iter(|| {
                gates.copy_from_slice(&x);
                lstm_backward(shape, &mut gates, w_lstm, &c, &dout, &mut dc, Some(&mut dh));
            });
        });
    }
}

/// The layers of the two PixelRNNs over 16 images of 28 × 28; the products alone are counted.
fn maps(c: &mut Criterion) {
    let mut group = c.benchmark_group("map");
    let diagonals = [16, 32].map(|hidden| (Wavefront::Diagonals, 2, hidden));
    for (wavefront, kernel, hidden) in [(Wavefront::Rows, 3, 64)].into_iter().chain(diagonals) {
        let maps = Maps::new(wavefront, 16, [28; 2], kernel, hidden);
        let name = format!("{wavefront:?} H{hidden}");
        let units = 16 * 28 * 28 * hidden;
        let (x, weight, dout) = (noise(4 * units, 1.0), noise(4 * hidden * hidden * kernel, 0.1), noise(units, 1.0));
        let mut gates = x.clone();
        group.throughput(Throughput::Elements(2 * (4 * units * hidden * kernel) as u64));
        group.bench_function(BenchmarkId::new("forward", &name), |b| {
            b.iter(|| {
                gates.copy_from_slice(&x);
                map::forward(maps, &mut gates, &weight)
            });
        });
        gates.copy_from_slice(&x);
        let (h, cells) = map::forward(maps, &mut gates, &weight);
        let activations = gates.clone();
        group.bench_function(BenchmarkId::new("backward", &name), |b| {
            b.iter(|| {
                gates.copy_from_slice(&activations);
                map::backward(maps, &mut gates, &weight, &cells, &dout);
            });
        });
        group.bench_function(BenchmarkId::new("weight gradient", &name), |b| {
            b.iter(|| map::weight_gradient(maps, &h, &gates));
        });
    }
}

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    let mut team = Team::new(2);
    for hidden in [256, 512] {
        let (w, bias, x) = (noise(4 * hidden * hidden, 0.04), noise(4 * hidden, 0.04), noise(4 * hidden, 1.0));
        let (mut h, mut next, mut cell, mut next_cell) =
            (noise(hidden, 0.5), vec![0.0; hidden], noise(hidden, 0.5), vec![0.0; hidden]);

        group.throughput(Throughput::Bytes((4 * 3 * hidden * hidden) as u64));
        let gru = GruStep::new(
            Matrix::new(&w[..3 * hidden * hidden], 3 * hidden, hidden),
            &bias[..3 * hidden],
            team.members(),
        );
        group.bench_function(BenchmarkId::new("gru", hidden), |b| {
            b.iter(|| {
                gru.step(&x[..3 * hidden], &h, &mut next, &mut team);
                std::mem::swap(&mut h, &mut next);
            });
        });

        group.throughput(Throughput::Bytes((4 * 4 * hidden * hidden) as u64));
        let lstm = LstmStep::new(Matrix::new(&w, 4 * hidden, hidden), &bias, team.members());
        group.bench_function(BenchmarkId::new("lstm", hidden), |b| {
            b.iter(|| {
                lstm.step(&x, [&h, &cell], [&mut next, &mut next_cell], &mut team);
                std::mem::swap(&mut h, &mut next);
                std::mem::swap(&mut cell, &mut next_cell);
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1)).sample_size(10);
    targets = instruction_set, functions, sequences, maps, steps
}
criterion_main!(benches);
