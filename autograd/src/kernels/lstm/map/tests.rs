//! The LSTM over maps against the formula position by position, f32 against f64, and itself on other numbers of threads. Its gradients
//! are those that differences measure: the op's cases check every element.

use super::*;
use crate::kernels::lstm::step::position;
use crate::kernels::packed::Direction;
use crate::kernels::recurrent::test_support::{cast, largest_difference, random, with_threads};

/// One image, one row, one column, more images than threads; units below, at and beyond a vector.
fn all_maps() -> Vec<Maps> {
    let shapes = [(1, [1, 1], 1), (2, [3, 4], 7), (1, [1, 5], 16), (3, [5, 1], 3), (5, [6, 5], 33), (2, [4, 9], 20)];
    let of_shape = |(images, size, hidden)| {
        let rows = [1, 3, 5].map(|kernel| Maps::new(Wavefront::Rows, images, size, kernel, hidden));
        let diagonals = [Wavefront::Diagonals, Wavefront::MirroredDiagonals];
        let diagonals = diagonals.map(|wavefront| Maps::new(wavefront, images, size, 2, hidden));
        rows.into_iter().chain(diagonals)
    };
    shapes.into_iter().flat_map(of_shape).collect()
}

#[derive(Debug, PartialEq)]
struct Trace<T> {
    h: Vec<T>,
    c: Vec<T>,
    dx: Vec<T>,
    dw: Vec<T>,
}

struct Problem {
    maps: Maps,
    x: Vec<f64>,
    weight: Vec<f64>,
    dout: Vec<f64>,
}

impl Problem {
    fn new(maps: Maps) -> Self {
        let Maps { map, images, hidden } = maps;
        let positions = images * map.positions();
        let scale = 1.0 / ((hidden * map.kernel) as f64).sqrt();
        Problem {
            maps,
            x: random(1, positions * 4 * hidden, 1.5),
            weight: random(2, 4 * hidden * hidden * map.kernel, scale),
            dout: random(3, positions * hidden, 1.0),
        }
    }

    fn run<T: Scalar>(&self) -> Trace<T> {
        let (mut gates, weight) = (cast::<T>(&self.x), cast::<T>(&self.weight));
        let (h, c) = forward(self.maps, &mut gates, &weight);
        backward(self.maps, &mut gates, &weight, &c, &cast::<T>(&self.dout));
        let dw = weight_gradient(self.maps, &h, &gates);
        Trace { h, c, dx: gates, dw }
    }

    /// h and c by the formula, a position at a time in an order that suits the wavefront.
    fn by_definition(&self) -> [Vec<f64>; 2] {
        let Maps { map, images, hidden } = self.maps;
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (width, height) = (map.width as isize, map.height as isize);
        let mirrored = map.wavefront == Wavefront::MirroredDiagonals;
        let mut states = [vec![0.0; self.dout.len()], vec![0.0; self.dout.len()]];
        for at in 0..images * map.positions() {
            let (image, row, col) = (at / map.positions(), (at / map.width % map.height) as isize, at as isize % width);
            let col = if mirrored { width - 1 - col } else { col };
            let number = |row: isize, col: isize| {
                let inside = (0..height).contains(&row) && (0..width).contains(&col);
                inside.then(|| image * map.positions() + (row * width + col) as usize)
            };
            let side = if mirrored { 1 } else { -1 };
            let half = map.kernel as isize / 2;
            let (reads, cell) = match map.wavefront {
                Wavefront::Rows => {
                    ((-half..=half).map(|right| number(row - 1, col + right)).collect(), number(row - 1, col))
                }
                _ => (vec![number(row - 1, col), number(row, col + side)], number(row, col + side)),
            };
            let p = number(row, col).expect("inside");
            for unit in 0..hidden {
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| {
                    let out = gate * hidden + unit;
                    let mut sum = self.x[p * 4 * hidden + out];
                    for (place, read) in reads.iter().enumerate() {
                        for channel in 0..hidden {
                            let h = read.map_or(0.0, |read| states[0][read * hidden + channel]);
                            sum += self.weight[(out * hidden + channel) * map.kernel + place] * h;
                        }
                    }
                    sum
                });
                let past = cell.map_or(0.0, |cell| states[1][cell * hidden + unit]);
                let c = sigmoid(f) * past + sigmoid(i) * g.tanh();
                states[1][p * hidden + unit] = c;
                states[0][p * hidden + unit] = sigmoid(o) * c.tanh();
            }
        }
        states
    }
}

#[test]
fn forward_is_the_definition() {
    for maps in all_maps() {
        let p = Problem::new(maps);
        let ([h, c], double, single) = (p.by_definition(), p.run::<f64>(), p.run::<f32>());
        assert!(largest_difference(&double.h, &h) < 1e-13, "{maps:?} in f64");
        assert!(largest_difference(&double.c, &c) < 1e-13, "{maps:?} in f64");
        assert!(largest_difference(&single.h, &h) < 3e-6, "{maps:?} in f32");
        assert!(largest_difference(&single.c, &c) < 5e-6, "{maps:?} in f32");
    }
}

#[test]
fn single_precision_gradients_are_those_of_double_precision() {
    for maps in all_maps() {
        let p = Problem::new(maps);
        let (double, single) = (p.run::<f64>(), p.run::<f32>());
        assert!(largest_difference(&single.dx, &double.dx) < 1e-5, "{maps:?} x");
        assert!(largest_difference(&single.dw, &double.dw) < 1e-4, "{maps:?} weight");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_and_an_image_those_it_has_alone() {
    for (wavefront, kernel) in [(Wavefront::Rows, 3), (Wavefront::Diagonals, 2), (Wavefront::MirroredDiagonals, 2)] {
        let p = Problem::new(Maps::new(wavefront, 5, [12, 11], kernel, 24));
        let one = with_threads(1, || p.run::<f32>());
        for threads in [2, 3, 8] {
            assert_eq!(with_threads(threads, || p.run::<f32>()), one, "{wavefront:?}, {threads} threads");
        }
        let len = p.maps.image(24);
        let alone = Problem {
            maps: Maps { images: 1, ..p.maps },
            x: p.x[4 * len..8 * len].to_vec(),
            weight: p.weight.clone(),
            dout: p.dout[len..2 * len].to_vec(),
        };
        let alone = alone.run::<f32>();
        assert_eq!([&alone.h[..], &alone.dx[..]], [&one.h[len..2 * len], &one.dx[4 * len..8 * len]], "{wavefront:?}");
    }
}

#[test]
fn a_position_alone_has_the_bits_it_has_among_all() {
    for wavefront in [Wavefront::Rows, Wavefront::Diagonals, Wavefront::MirroredDiagonals] {
        let (kernel, hidden) = (if wavefront == Wavefront::Rows { 3 } else { 2 }, 20);
        let p = Problem::new(Maps::new(wavefront, 1, [5, 6], kernel, hidden));
        let (map, x) = (p.maps.map, cast::<f32>(&p.x));
        let all = p.run::<f32>();
        let weight = p.maps.forward_weight(&cast::<f32>(&p.weight));
        let w = Packed::new(Matrix::new(&weight, kernel * hidden, 4 * hidden));
        let zeros = vec![0.0; hidden];
        let state = |of: &[f32], t: usize, lane: Option<usize>| {
            let lane = lane.filter(|lane| t > 0 && map.active(t - 1).contains(lane));
            lane.map_or(zeros.clone(), |lane| of[map.position(t - 1, lane) * hidden..][..hidden].to_vec())
        };
        for t in 0..map.steps() {
            for lane in map.active(t) {
                let read = |place: usize| state(&all.h, t, (lane + place).checked_sub(map.before()));
                let read: Vec<f32> = (0..kernel).flat_map(read).collect();
                let mut sums = vec![0.0; 4 * hidden];
                w.row(&read, Store::Overwrite, Direction::Forward, &mut sums);
                let at = map.position(t, lane);
                let (mut gates, cell) = (x[at * 4 * hidden..][..4 * hidden].to_vec(), state(&all.c, t, Some(lane)));
                let (mut c, mut h) = (vec![f32::NAN; hidden], vec![f32::NAN; hidden]);
                position(&mut gates, &sums, &cell, &mut c, &mut h);
                assert_eq!(h, all.h[at * hidden..][..hidden], "{wavefront:?}, position {at}");
                assert_eq!(c, all.c[at * hidden..][..hidden], "{wavefront:?}, position {at}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "a kernel of 3 places over Diagonals")]
fn a_kernel_that_would_read_positions_that_are_not_there_yet_is_refused() {
    Maps::new(Wavefront::Diagonals, 1, [2, 2], 3, 1);
}

#[test]
#[should_panic(expected = "lstm map, gates: wrong length")]
fn gates_of_another_length_are_refused() {
    forward(Maps::new(Wavefront::Rows, 2, [2, 2], 1, 1), &mut [0.0f32; 16], &[0.0; 4]);
}
