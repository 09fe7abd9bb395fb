//! The LSTM kernels against scalar code, finite differences, their own step, and themselves on other cuts of the batch.

use super::step::LstmStep;
use super::*;
use crate::kernels::gemm::Store;
use crate::kernels::recurrent::test_support::{SHAPES, cast, close, largest_difference, random, with_threads};
use crate::kernels::reduce::column_sums;
use crate::kernels::team::Team;

/// Inputs of one problem, in double precision.
#[derive(Clone)]
struct Problem {
    shape: Sequence,
    x: Vec<f64>,
    w_hh: Vec<f64>,
    b_hh: Vec<f64>,
    h0: Vec<f64>,
    c0: Vec<f64>,
    dout: Vec<f64>,
    dc_last: Vec<f64>,
}

/// What a forward pass leaves.
#[derive(Clone, Debug, PartialEq)]
struct Trace<T> {
    gates: Vec<T>,
    h: Vec<T>,
    c: Vec<T>,
}

/// All gradients.
#[derive(Debug, PartialEq)]
struct Gradients<T> {
    x: Vec<T>,
    w_hh: Vec<T>,
    b_hh: Vec<T>,
    h0: Vec<T>,
    c0: Vec<T>,
}

impl Problem {
    fn new(shape: Sequence) -> Self {
        let Sequence { time, batch, hidden } = shape;
        Problem {
            shape,
            x: random(1, time * batch * 4 * hidden, 1.5),
            w_hh: random(2, 4 * hidden * hidden, 1.0 / (hidden as f64).sqrt()),
            b_hh: random(3, 4 * hidden, 0.5),
            h0: random(4, batch * hidden, 0.9),
            c0: random(5, batch * hidden, 1.5),
            dout: random(6, time * batch * hidden, 1.0),
            dc_last: random(7, batch * hidden, 1.0),
        }
    }

    fn forward<T: Scalar>(&self, rows: usize) -> Trace<T> {
        let (mut gates, hidden) = (cast::<T>(&self.x), self.shape.hidden);
        let (w, b) = (cast::<T>(&self.w_hh), cast::<T>(&self.b_hh));
        let (first_h, first_c) = (cast::<T>(&self.h0), cast::<T>(&self.c0));
        let w = Matrix::new(&w, 4 * hidden, hidden);
        let (h, c) = forward_in_blocks(self.shape, &mut gates, w, &b, [&first_h, &first_c], rows);
        Trace { gates, h, c }
    }

    fn backward<T: Scalar>(&self, trace: &Trace<T>, rows: usize) -> Gradients<T> {
        let Sequence { time, batch, hidden } = self.shape;
        let Trace { mut gates, h, c } = trace.clone();
        let (w, dout) = (cast::<T>(&self.w_hh), cast::<T>(&self.dout));
        let (mut h0, mut c0) = (vec![T::nan(); batch * hidden], cast::<T>(&self.dc_last));
        let w = Matrix::new(&w, 4 * hidden, hidden);
        backward_in_blocks(self.shape, &mut gates, w, &c, &dout, &mut c0, Some(&mut h0), rows);
        let (mut same, mut same_c) = (trace.gates.clone(), cast::<T>(&self.dc_last));
        backward_in_blocks(self.shape, &mut same, w, &c, &dout, &mut same_c, None, rows);
        assert!(same == gates && same_c == c0, "the gradients depend on whether that of the first state is wanted");
        let mut w_hh = vec![T::zero(); 4 * hidden * hidden];
        for (gates, h) in gates.chunks(4 * hidden).zip(h.chunks(hidden)).take(time * batch) {
            for (dw, &g) in w_hh.chunks_mut(hidden).zip(gates) {
                dw.iter_mut().zip(h).for_each(|(dw, &h)| *dw += g * h);
            }
        }
        let mut b_hh = vec![T::zero(); 4 * hidden];
        column_sums(&gates, Store::Overwrite, &mut b_hh);
        Gradients { x: gates, w_hh, b_hh, h0, c0 }
    }

    /// The functional whose gradients `dout` and `dc_last` are: `Σ dout · h[1..] + Σ dc_last · c[T]`.
    fn functional(&self) -> f64 {
        let Trace { h, c, .. } = self.forward::<f64>(1);
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let state = self.shape.state();
        dot(&h[state..], &self.dout) + dot(&c[self.shape.time * state..], &self.dc_last)
    }
}

/// The definition, one element at a time: h and c.
fn by_definition(p: &Problem) -> [Vec<f64>; 2] {
    let Sequence { time, batch, hidden } = p.shape;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (mut h, mut c) = (p.h0.clone(), p.c0.clone());
    for row in 0..time * batch {
        let old = h[row * hidden..][..hidden].to_vec();
        for j in 0..hidden {
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| {
                let w = &p.w_hh[(gate * hidden + j) * hidden..][..hidden];
                let recurrent: f64 = w.iter().zip(&old).map(|(w, h)| w * h).sum();
                p.x[(row * 4 + gate) * hidden + j] + p.b_hh[gate * hidden + j] + recurrent
            });
            let cell = sigmoid(f) * c[row * hidden + j] + sigmoid(i) * g.tanh();
            c.push(cell);
            h.push(sigmoid(o) * cell.tanh());
        }
    }
    [h, c]
}

#[test]
fn forward_is_the_definition() {
    for shape in SHAPES {
        let p = Problem::new(shape);
        let ([h, c], double, single) = (by_definition(&p), p.forward::<f64>(2), p.forward::<f32>(2));
        assert!(largest_difference(&double.h, &h) < 1e-13, "{shape:?} in f64");
        assert!(largest_difference(&double.c, &c) < 1e-13, "{shape:?} in f64");
        assert!(largest_difference(&single.h, &h) < 2e-6, "{shape:?} in f32");
        assert!(largest_difference(&single.c, &c) < 3e-6, "{shape:?} in f32");
    }
}

#[test]
fn backward_is_the_derivative_of_forward() {
    for shape in SHAPES {
        let p = Problem::new(shape);
        let grads = p.backward(&p.forward::<f64>(2), 2);
        type Field = fn(&mut Problem) -> &mut Vec<f64>;
        let fields: [(&str, Field, &[f64]); 5] = [
            ("x", |p| &mut p.x, &grads.x),
            ("w_hh", |p| &mut p.w_hh, &grads.w_hh),
            ("b_hh", |p| &mut p.b_hh, &grads.b_hh),
            ("h0", |p| &mut p.h0, &grads.h0),
            ("c0", |p| &mut p.c0, &grads.c0),
        ];
        for (name, field, grad) in fields {
            assert_eq!(grad.len(), field(&mut p.clone()).len());
            // Some 40 elements of each; the odd stride visits all gates.
            for i in (0..grad.len()).step_by(grad.len() / 80 * 2 + 1) {
                let at = |shift: f64| {
                    let mut p = p.clone();
                    field(&mut p)[i] += shift;
                    p.functional()
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!(close(grad[i], difference, 1e-7), "{shape:?} {name}[{i}]: {} ≠ {difference}", grad[i]);
            }
        }
    }
}

#[test]
fn single_precision_gradients_are_those_of_double_precision() {
    for shape in SHAPES {
        let p = Problem::new(shape);
        let (double, single) = (p.backward(&p.forward::<f64>(2), 2), p.backward(&p.forward::<f32>(2), 2));
        assert!(largest_difference(&single.x, &double.x) < 1e-5, "{shape:?} x");
        assert!(largest_difference(&single.w_hh, &double.w_hh) < 1e-4, "{shape:?} w_hh");
        assert!(largest_difference(&single.b_hh, &double.b_hh) < 1e-4, "{shape:?} b_hh");
        assert!(largest_difference(&single.h0, &double.h0) < 1e-5, "{shape:?} h0");
        assert!(largest_difference(&single.c0, &double.c0) < 1e-5, "{shape:?} c0");
    }
}

#[test]
fn any_cut_of_the_batch_gives_the_same_bits() {
    for shape in SHAPES {
        let p = Problem::new(shape);
        let all = p.forward::<f32>(shape.batch);
        let grads = p.backward(&all, shape.batch);
        for rows in 1..shape.batch {
            assert_eq!(p.forward::<f32>(rows), all, "{shape:?}, {rows} rows");
            assert_eq!(p.backward(&all, rows), grads, "{shape:?}, {rows} rows");
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let shape = Sequence { time: 12, batch: 11, hidden: 40 };
    let p = Problem::new(shape);
    let run = |threads| {
        with_threads(threads, || {
            let trace = p.forward::<f32>(shape.rows_of_a_task());
            let grads = p.backward(&trace, shape.rows_of_a_task());
            (trace, grads)
        })
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}

#[test]
fn steps_equal_the_sequence_bit_for_bit() {
    fn check<T: Scalar>(shape: Sequence, members: usize) {
        let Sequence { time, batch, hidden } = shape;
        let p = Problem::new(shape);
        let Trace { h, c, .. } = p.forward::<T>(batch);
        let (w, b, x) = (cast::<T>(&p.w_hh), cast::<T>(&p.b_hh), cast::<T>(&p.x));
        let step = LstmStep::new(Matrix::new(&w, 4 * hidden, hidden), &b, members);
        let mut team = Team::new(members);
        for row in 0..time * batch {
            let (mut h_out, mut c_out) = (vec![T::nan(); hidden], vec![T::nan(); hidden]);
            let x = &x[row * 4 * hidden..][..4 * hidden];
            let state = [&h[row * hidden..][..hidden], &c[row * hidden..][..hidden]];
            step.step(x, state, [&mut h_out, &mut c_out], &mut team);
            assert_eq!(h_out, h[(row + batch) * hidden..][..hidden], "{shape:?}, {members} members, row {row}");
            assert_eq!(c_out, c[(row + batch) * hidden..][..hidden], "{shape:?}, {members} members, row {row}");
        }
    }
    let wide = Sequence { time: 3, batch: 2, hidden: 300 };
    for shape in SHAPES.into_iter().chain([wide]) {
        for members in [1, 2, 3] {
            check::<f32>(shape, members);
            check::<f64>(shape, members);
        }
    }
}

#[test]
#[should_panic(expected = "lstm w_hh: wrong shape")]
fn a_weight_of_the_wrong_shape_is_refused() {
    let shape = Sequence { time: 1, batch: 1, hidden: 2 };
    lstm_forward(shape, &mut [0.0; 8], Matrix::new(&[0.0; 12], 6, 2), &[0.0; 8], [&[0.0; 2], &[0.0; 2]]);
}
