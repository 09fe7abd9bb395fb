//! What share of this machine's limit each kernel reaches, on one thread and on all: the table of decision 0015.
//!
//! `AUTOREG_ISA=avx2 cargo bench -p autoreg-autograd --bench shares [WORD…]`, where words choose the lines that contain one. Not a
//! criterion bench: limits and kernels are measured in turn, round after round, so that what else the machine does meets all
//! alike; the best round of each counts, and shares are of the multiply-add peak (or of what reading level-2 cache reaches) found
//! in the same minute.

use autograd::kernels::gemm::{Matrix, Store, gemm};
use autograd::kernels::gru::{gru_backward, gru_forward};
use autograd::kernels::isa::Isa;
use autograd::kernels::limits;
use autograd::kernels::lstm::{lstm_backward, lstm_forward};
use autograd::kernels::math::Math;
use autograd::kernels::memory::CachingAllocator;
use autograd::kernels::packed::{Direction, Packed};
use autograd::kernels::recurrent::Sequence;
use autograd::kernels::team::Team;
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// As in the program: large buffers are kept, with their pages.
#[global_allocator]
static ALLOCATOR: CachingAllocator = CachingAllocator::new();

/// Rounds of all lines.
const ROUNDS: usize = 7;

/// Time of one line in one round.
const PATIENCE: Duration = Duration::from_millis(40);

/// One line of the table: its name, its work in the unit, and what does it once with some number of threads.
struct Line {
    name: String,
    work: f64,
    unit: &'static str,
    run: Box<dyn FnMut(usize) + Send>,
    /// Seconds of the fastest run on one thread and on all.
    best: [f64; 2],
}

/// Something without a pattern in −scale … scale.
fn noise(count: usize, scale: f32) -> Vec<f32> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state as f32 / u32::MAX as f32 * 2.0 - 1.0) * scale
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn line(name: impl Into<String>, work: usize, unit: &'static str, run: impl FnMut(usize) + Send + 'static) -> Line {
    Line { name: name.into(), work: work as f64, unit, run: Box::new(run), best: [f64::INFINITY; 2] }
}

fn products() -> Vec<Line> {
    let sizes = [
        ("512³", 512, 512, 512, false, false),
        ("32×512×1536", 32, 512, 1536, false, false),
        ("4096×512×1536, Bᵀ", 4096, 512, 1536, false, true),
        ("1536×4096×512, Aᵀ", 1536, 4096, 512, true, false),
        ("320×256×10000, Bᵀ", 320, 256, 10_000, false, true),
        ("320×10000×256", 320, 10_000, 256, false, false),
        ("10000×320×256, Aᵀ", 10_000, 320, 256, true, false),
    ];
    let product = |(name, m, k, n, a_transposed, b_transposed)| {
        let (a, b, mut c) = (noise(m * k, 1.0), noise(k * n, 1.0), vec![0.0; m * n]);
        line(format!("product {name}"), 2 * m * k * n, "GFLOP/s", move |_| {
            let a = if a_transposed { Matrix::new(&a, k, m).t() } else { Matrix::new(&a, m, k) };
            let b = if b_transposed { Matrix::new(&b, n, k).t() } else { Matrix::new(&b, k, n) };
            gemm(a, b, Store::Overwrite, &mut c);
        })
    };
    sizes.into_iter().map(product).collect()
}

/// As the recurrent kernels use a packed factor: each thread multiplies its share of the rows by all of it.
fn packed() -> Vec<Line> {
    let product = |(m, k, n)| {
        let (a, b, mut c) = (noise(m * k, 1.0), noise(k * n, 1.0), vec![0.0; m * n]);
        let packed = Packed::new(Matrix::new(&b, k, n));
        line(format!("packed {m}×{k}×{n}"), 2 * m * k * n, "GFLOP/s", move |threads| {
            let rows = m / threads;
            let tasks = c.par_chunks_mut(rows * n).zip(a.par_chunks(rows * k));
            tasks.for_each(|(c, a)| packed.product(Matrix::new(a, rows, k), Store::Overwrite, c, n));
        })
    };
    [(32, 512, 1536), (32, 1536, 512), (16, 256, 768), (64, 512, 2048)].into_iter().map(product).collect()
}

fn sequences() -> Vec<Line> {
    let shapes = [(128, 32, 512), (10, 32, 256)].map(|(time, batch, hidden)| Sequence { time, batch, hidden });
    shapes.into_iter().flat_map(of_shape).collect()
}

fn of_shape(shape: Sequence) -> [Line; 4] {
    let Sequence { time, batch, hidden } = shape;
    let (state, steps) = (batch * hidden, time * batch * hidden);
    let (x, h, bias) = (noise(4 * steps, 1.0), noise(steps + state, 0.5), noise(4 * hidden, 0.04));
    let (w, dout) = (noise(4 * hidden * hidden, 0.04), noise(steps, 1.0));
    // Outputs of a run are inputs of the next: numbers of little meaning, at the same speed.
    let gates = |count: usize| x[..count * steps].to_vec();
    let (w3, b3) = (w[..3 * hidden * hidden].to_vec(), bias[..3 * hidden].to_vec());
    let (w4, b4) = (w.clone(), bias.clone());
    let (mut g1, mut g2, mut g3, mut g4) = (gates(3), gates(3), gates(4), gates(4));
    let (h1, h2, h3, c4) = (h[..state].to_vec(), h.clone(), h[..state].to_vec(), h);
    let mut hn2 = noise(steps, 0.5);
    let (mut dh2, mut dh4, mut dc4) = (vec![0.0; state], vec![0.0; state], vec![0.0; state]);
    let (w3b, w4b, dout4) = (w3.clone(), w, dout.clone());
    let (x1, x2, x3, x4) = (gates(3), gates(3), gates(4), gates(4));
    let name = |what: &str| format!("{what} T{time} B{batch} H{hidden}");
    [
        line(name("gru forward"), 6 * steps * hidden, "GFLOP/s", move |_| {
            g1.copy_from_slice(&x1);
            std::hint::black_box(gru_forward(shape, &mut g1, Matrix::new(&w3, 3 * hidden, hidden), &b3, &h1));
        }),
        line(name("gru backward"), 6 * steps * hidden, "GFLOP/s", move |_| {
            g2.copy_from_slice(&x2);
            gru_backward(shape, &mut g2, Matrix::new(&w3b, 3 * hidden, hidden), &h2, &mut hn2, &dout, Some(&mut dh2));
        }),
        line(name("lstm forward"), 8 * steps * hidden, "GFLOP/s", move |_| {
            g3.copy_from_slice(&x3);
            let w = Matrix::new(&w4, 4 * hidden, hidden);
            std::hint::black_box(lstm_forward(shape, &mut g3, w, &b4, [&h3, &h3]));
        }),
        line(name("lstm backward"), 8 * steps * hidden, "GFLOP/s", move |_| {
            g4.copy_from_slice(&x4);
            lstm_backward(shape, &mut g4, Matrix::new(&w4b, 4 * hidden, hidden), &c4, &dout4, &mut dc4, Some(&mut dh4));
        }),
    ]
}

/// One row products, against the bandwidth of the cache that the weights fit in.
fn rows() -> Vec<Line> {
    let product = |(k, n)| {
        let (x, b, bias, mut y) = (noise(k, 1.0), noise(k * n, 1.0), noise(n, 1.0), vec![0.0; n]);
        let packed = Packed::new(Matrix::new(&b, k, n));
        let (mut teams, mut direction) = (Vec::<Team>::new(), Direction::Forward);
        line(format!("row {k}×{n}"), 4 * k * n, "GB/s", move |threads| {
            if !teams.iter().any(|team| team.members() == threads) {
                teams.push(Team::new(threads));
            }
            let team = teams.iter_mut().find(|team| team.members() == threads).expect("it was just made");
            packed.row_by(team, &x, &bias, direction, &mut y);
            direction = direction.reversed();
        })
    };
    [(256, 768), (512, 1536), (256, 10_000)].into_iter().map(product).collect()
}

fn functions() -> Vec<Line> {
    type InPlace = fn(&mut [f32]);
    let functions: [(&str, InPlace); 3] =
        [("exp", f32::exp_slice), ("tanh", f32::tanh_slice), ("sigmoid", f32::sigmoid_slice)];
    let one = |(name, f): (&str, InPlace)| {
        let (xs, mut ys) = (noise(4096, 8.0), vec![0.0; 4096]);
        line(name, xs.len(), "G/s", move |_| {
            ys.copy_from_slice(&xs);
            f(std::hint::black_box(&mut ys));
        })
    };
    functions.into_iter().map(one).collect()
}

/// Seconds of the fastest of some runs.
fn shortest(mut run: impl FnMut()) -> f64 {
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed() < PATIENCE {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn main() {
    if let Err(error) = Isa::from_environment() {
        eprintln!("error: {error}");
        std::process::exit(2);
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let mut lines: Vec<Line> = [products(), packed(), sequences(), rows(), functions()].into_iter().flatten().collect();
    lines.retain(|line| words.is_empty() || words.iter().any(|word| line.name.contains(word)));
    let threads = [1, rayon::current_num_threads()];
    let pools = threads.map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads"));
    let (mut peak, mut read) = ([0.0_f64; 2], [0.0_f64; 2]);
    for _ in 0..ROUNDS {
        for at in [0, 1] {
            peak[at] = peak[at].max(limits::fma_peak(threads[at]));
            read[at] = read[at].max(limits::read_bandwidth(3 << 18, threads[at]));
        }
        for line in &mut lines {
            for (at, pool) in pools.iter().enumerate() {
                let seconds = pool.install(|| shortest(|| (line.run)(threads[at])));
                line.best[at] = line.best[at].min(seconds);
            }
        }
    }
    println!(
        "{}: multiply-add peak {:.1} and {:.1} GFLOP/s; reading 768 KiB {:.1} and {:.1} GB/s",
        Isa::in_use(),
        peak[0],
        peak[1],
        read[0],
        read[1]
    );
    for line in lines {
        let rates = line.best.map(|seconds| line.work / seconds * 1e-9);
        let limit = if line.unit == "GFLOP/s" { peak } else { read };
        let shown = [0, 1].map(|at| match line.unit {
            "G/s" => format!("{:8.2}       ", rates[at]),
            _ => format!("{:8.1} ({:3.0} %)", rates[at], 100.0 * rates[at] / limit[at]),
        });
        println!("{:34} {:8} one {}   {} threads {}", line.name, line.unit, shown[0], threads[1], shown[1]);
    }
}
