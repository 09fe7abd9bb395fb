//! Against plain loops: chains in f32 to the bit, over windows of all kinds.

use super::*;
use crate::kernels::isa::Isa;
use crate::kernels::row_tasks::tests::wave32;

/// `height × width` taps around a centre, `dilation` apart; those that are `live`.
fn taps(size: [isize; 2], dilation: [isize; 2], centre: [isize; 2], live: impl Fn(usize) -> bool) -> Vec<Tap> {
    let all = (0..size[0]).flat_map(|y| (0..size[1]).map(move |x| (y, x)));
    let tap =
        |(y, x): (isize, isize)| Tap { down: (y - centre[0]) * dilation[0], right: (x - centre[1]) * dilation[1] };
    all.enumerate().filter(|&(i, _)| live(i)).map(|(_, at)| tap(at)).collect()
}

fn same(taps: Vec<Tap>, size: [usize; 2]) -> Window {
    Window::new(taps, size, size)
}

/// Windows of every kind, with channels and outputs.
fn trials() -> Vec<(Window, usize, usize)> {
    let dense = |size, centre| taps(size, [1, 1], centre, |_| true);
    vec![
        (same(dense([3, 3], [1, 1]), [7, 5]), 9, 17),
        (same(taps([3, 3], [1, 1], [1, 1], |i| i < 5), [28, 28]), 16, 50),
        (same(taps([7, 7], [1, 1], [3, 3], |i| i < 24), [9, 11]), 1, 20),
        (same(taps([7, 7], [1, 1], [3, 3], |i| i < 24), [4, 3]), 3, 7),
        (same(dense([1, 1], [0, 0]), [6, 6]), 20, 49),
        (same(dense([1, 1], [0, 0]), [6, 6]), 3, 2),
        (same(taps([1, 2], [1, 4], [0, 1], |_| true), [1, 500]), 12, 33),
        (same(taps([1, 2], [1, 600], [0, 1], |_| true), [1, 500]), 12, 8),
        (same(taps([2, 3], [2, 3], [1, 1], |_| true), [8, 9]), 8, 9),
        // No padding: fewer outputs than inputs; and padding all around: more.
        (Window::new(dense([3, 2], [0, 0]), [6, 5], [4, 4]), 10, 16),
        (Window::new(dense([3, 3], [2, 2]), [4, 4], [6, 6]), 8, 5),
        (Window::new(dense([2, 2], [0, 0]), [1, 300], [2, 299]), 8, 3),
        (same(Vec::new(), [3, 3]), 0, 4),
    ]
}

/// Where a tap of output position (y, x) reads, if not outside.
fn source(window: &Window, tap: Tap, y: usize, x: usize) -> Option<usize> {
    let (y, x) = (y as isize + tap.down, x as isize + tap.right);
    let inside = (0..window.input[0] as isize).contains(&y) && (0..window.input[1] as isize).contains(&x);
    inside.then(|| y as usize * window.input[1] + x as usize)
}

struct Data {
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    g: Vec<f32>,
}

const IMAGES: usize = 2;

fn data(window: &Window, channels: usize, outputs: usize) -> Data {
    Data {
        x: wave32(IMAGES * window.inputs() * channels, 0.1),
        weight: wave32(window.taps().len() * channels * outputs, 0.2),
        bias: wave32(outputs, 0.3),
        g: wave32(IMAGES * window.outputs() * outputs, 0.4),
    }
}

/// Every output as one chain.
fn chains(
    window: &Window,
    channels: usize,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    outputs: usize,
) -> Vec<f32> {
    let mut z = Vec::new();
    for image in
        x.chunks(window.inputs() * channels.max(1)).take(IMAGES).chain((0..IMAGES).map(|_| &[][..])).take(IMAGES)
    {
        for (y, col) in (0..window.output[0]).flat_map(|y| (0..window.output[1]).map(move |x| (y, x))) {
            for o in 0..outputs {
                let mut sum = bias.map_or(0.0, |bias| bias[o]);
                for (t, &tap) in window.taps().iter().enumerate() {
                    for c in 0..channels {
                        let x = source(window, tap, y, col).map_or(0.0, |at| image[at * channels + c]);
                        sum = x.mul_add(weight[(t * channels + c) * outputs + o], sum);
                    }
                }
                z.push(sum);
            }
        }
    }
    z
}

fn relu(x: &[f32]) -> Vec<f32> {
    x.iter().map(|&x| x.max(0.0)).collect()
}

#[test]
fn every_output_is_one_chain_over_taps_and_channels_that_begins_with_the_bias() {
    for (window, channels, outputs) in trials() {
        let Data { x, weight, bias, .. } = data(&window, channels, outputs);
        let matrix = Matrix::new(&weight, window.taps().len() * channels, outputs);
        for bias in [None, Some(&bias[..])] {
            let z = apply(&window, IMAGES, &x, matrix, bias, Fused::default());
            assert_eq!(z, chains(&window, channels, &x, &weight, bias, outputs), "{window:?} {channels} {outputs}");
        }
    }
}

#[test]
fn what_is_fused_equals_passes_of_its_own() {
    for (window, channels, outputs) in trials() {
        let Data { x, weight, bias, g } = data(&window, channels, outputs);
        let matrix = Matrix::new(&weight, window.taps().len() * channels, outputs);
        let fused = Fused { relu: true, gate: Some(&g), add: Some(&g) };
        let z = apply(&window, IMAGES, &x, matrix, Some(&bias), fused);
        let mut wanted = chains(&window, channels, &relu(&x), &weight, Some(&bias), outputs);
        wanted.iter_mut().zip(&g).for_each(|(z, &g)| *z = if g > 0.0 { *z } else { 0.0 } + g);
        assert_eq!(z, wanted, "{window:?} {channels} {outputs}");
    }
}

#[test]
fn the_weight_gets_one_chain_over_all_positions() {
    for (window, channels, outputs) in trials() {
        let Data { x, g, .. } = data(&window, channels, outputs);
        for fused in [false, true] {
            let seen = if fused { relu(&x) } else { x.clone() };
            let mut wanted = vec![0.0_f32; window.taps().len() * channels * outputs];
            for image in 0..IMAGES {
                for (y, col) in (0..window.output[0]).flat_map(|y| (0..window.output[1]).map(move |x| (y, x))) {
                    let p = image * window.outputs() + y * window.output[1] + col;
                    for (t, &tap) in window.taps().iter().enumerate() {
                        let at = source(&window, tap, y, col).map(|at| (image * window.inputs() + at) * channels);
                        for c in 0..channels {
                            let x = at.map_or(0.0, |at| seen[at + c]);
                            for o in 0..outputs {
                                let w = &mut wanted[(t * channels + c) * outputs + o];
                                *w = x.mul_add(g[p * outputs + o], *w);
                            }
                        }
                    }
                }
            }
            let dw = backward_weight(&window, IMAGES, (&x, channels), fused, (&g, outputs));
            assert_eq!(dw, wanted, "{window:?} {channels} {outputs}");
            let (again, sums) = backward_weight_and_bias(&window, IMAGES, (&x, channels), fused, (&g, outputs));
            assert_eq!(again, dw, "{window:?} {channels} {outputs}");
            for (o, sum) in sums.into_iter().enumerate() {
                let wanted: f64 = g.iter().skip(o).step_by(outputs).map(|&g| f64::from(g)).sum();
                assert!((sum - wanted).abs() < 1e-4, "{window:?} {channels} {outputs}, output {o}: {sum} {wanted}");
            }
        }
    }
}

#[test]
fn the_mirrored_window_gives_the_gradient_of_the_input() {
    // ⟨g, z(x)⟩ is linear in x: its value at a unit vector is the gradient.
    for (window, channels, outputs) in trials().into_iter().filter(|(window, ..)| window.inputs() < 80) {
        let Data { weight, g, .. } = data(&window, channels, outputs);
        let transposed: Vec<f32> = (0..window.taps().len() * outputs * channels)
            .map(|i| {
                let (t, o, c) = (i / (outputs * channels), i / channels % outputs, i % channels);
                weight[(t * channels + c) * outputs + o]
            })
            .collect();
        let back = Matrix::new(&transposed, window.taps().len() * outputs, channels);
        let dx = apply(&window.mirrored(), IMAGES, &g, back, None, Fused::default());
        for at in (0..dx.len()).step_by(7) {
            let mut unit = vec![0.0; dx.len()];
            unit[at] = 1.0;
            let z = chains(&window, channels, &unit, &weight, None, outputs);
            let wanted: f64 = z.iter().zip(&g).map(|(&z, &g)| f64::from(z) * f64::from(g)).sum();
            let gap = (f64::from(dx[at]) - wanted).abs();
            assert!(gap < 1e-4, "{window:?} {channels} {outputs}: {} and {wanted}", dx[at]);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let window = same(taps([3, 3], [1, 1], [1, 1], |i| i < 5), [28, 28]);
    let Data { x, weight, bias, g } = data(&window, 32, 40);
    let all = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let z = apply(&window, IMAGES, &x, Matrix::new(&weight, 5 * 32, 40), Some(&bias), Fused::default());
            (z, backward_weight_and_bias(&window, IMAGES, (&x, 32), true, (&g, 40)))
        })
    };
    let one = all(1);
    for threads in [2, 3, 8] {
        assert!(all(threads) == one, "{threads} threads");
    }
}

#[test]
fn a_position_alone_has_the_bits_of_that_position_among_all() {
    let window = same(taps([3, 3], [1, 1], [1, 1], |i| i < 5), [28, 28]);
    let (channels, outputs) = (24, 60);
    let Data { x, weight, bias, .. } = data(&window, channels, outputs);
    let matrix = Matrix::new(&weight, 5 * channels, outputs);
    let z = apply(&window, IMAGES, &x, matrix, Some(&bias), Fused::default());
    let packed = Packed::new(matrix);
    for (y, col) in [(0, 0), (0, 27), (13, 5), (27, 27)] {
        let mut inputs = Vec::new();
        for &tap in window.taps() {
            match source(&window, tap, y, col) {
                Some(at) => inputs.extend_from_slice(&x[at * channels..][..channels]),
                None => inputs.extend(std::iter::repeat_n(0.0, channels)),
            }
        }
        let mut alone = bias.clone();
        let (store, direction) = (crate::kernels::gemm::Store::Accumulate, crate::kernels::packed::Direction::Forward);
        packed.row(&inputs, store, direction, &mut alone);
        assert_eq!(alone, z[(y * 28 + col) * outputs..][..outputs], "({y}, {col}), {}", Isa::in_use());
    }
}
