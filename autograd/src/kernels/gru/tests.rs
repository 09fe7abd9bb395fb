//! The GRU kernels against scalar code, finite differences, their own step, and themselves on other cuts of the batch.

use super::step::GruStep;
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
    dout: Vec<f64>,
}

/// What a forward pass leaves.
#[derive(Clone, Debug, PartialEq)]
struct Trace<T> {
    gates: Vec<T>,
    h: Vec<T>,
    hn: Vec<T>,
}

/// All gradients.
#[derive(Debug, PartialEq)]
struct Gradients<T> {
    x: Vec<T>,
    w_hh: Vec<T>,
    b_hh: Vec<T>,
    h0: Vec<T>,
}

impl Problem {
    fn new(shape: Sequence) -> Self {
        let Sequence { time, batch, hidden } = shape;
        Problem {
            shape,
            x: random(1, time * batch * 3 * hidden, 1.5),
            w_hh: random(2, 3 * hidden * hidden, 1.0 / (hidden as f64).sqrt()),
            b_hh: random(3, 3 * hidden, 0.5),
            h0: random(4, batch * hidden, 0.9),
            dout: random(5, time * batch * hidden, 1.0),
        }
    }

    fn forward<T: Scalar>(&self, rows: usize) -> Trace<T> {
        let (mut gates, hidden) = (cast::<T>(&self.x), self.shape.hidden);
        let (w, b, first) = (cast::<T>(&self.w_hh), cast::<T>(&self.b_hh), cast::<T>(&self.h0));
        let w = Matrix::new(&w, 3 * hidden, hidden);
        let (h, hn) = forward_in_blocks(self.shape, &mut gates, w, &b, &first, rows);
        Trace { gates, h, hn }
    }

    fn backward<T: Scalar>(&self, trace: &Trace<T>, rows: usize) -> Gradients<T> {
        let Sequence { time, batch, hidden } = self.shape;
        let Trace { mut gates, h, mut hn } = trace.clone();
        let (w, dout, mut h0) = (cast::<T>(&self.w_hh), cast::<T>(&self.dout), vec![T::nan(); batch * hidden]);
        let w = Matrix::new(&w, 3 * hidden, hidden);
        backward_in_blocks(self.shape, &mut gates, w, &h, &mut hn, &dout, Some(&mut h0), rows);
        let (mut same, mut same_hn) = (trace.gates.clone(), trace.hn.clone());
        backward_in_blocks(self.shape, &mut same, w, &h, &mut same_hn, &dout, None, rows);
        assert!(same == gates && same_hn == hn, "the gradients depend on whether that of the first state is wanted");
        let mut w_hh = vec![T::zero(); 3 * hidden * hidden];
        for (row, h) in h.chunks(hidden).take(time * batch).enumerate() {
            let (gates, hn) = (&gates[row * 3 * hidden..][..2 * hidden], &hn[row * hidden..][..hidden]);
            for (dw, &g) in w_hh.chunks_mut(hidden).zip(gates.iter().chain(hn)) {
                dw.iter_mut().zip(h).for_each(|(dw, &h)| *dw += g * h);
            }
        }
        let (mut of_gates, mut of_hn) = (vec![T::zero(); 3 * hidden], vec![T::zero(); hidden]);
        column_sums(&gates, Store::Overwrite, &mut of_gates);
        column_sums(&hn, Store::Overwrite, &mut of_hn);
        let b_hh = [&of_gates[..2 * hidden], &of_hn].concat();
        Gradients { x: gates, w_hh, b_hh, h0 }
    }

    /// The functional whose gradient `dout` is: `Σ dout · h[1..]`.
    fn functional(&self) -> f64 {
        let h = self.forward::<f64>(1).h;
        h[self.shape.state()..].iter().zip(&self.dout).map(|(h, d)| h * d).sum()
    }
}

/// The definition, one element at a time.
fn by_definition(p: &Problem) -> Vec<f64> {
    let Sequence { time, batch, hidden } = p.shape;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut h = p.h0.clone();
    for row in 0..time * batch {
        let old = h[row * hidden..][..hidden].to_vec();
        let x = |gate: usize, j: usize| p.x[(row * 3 + gate) * hidden + j];
        let u = |gate: usize, j: usize| {
            let w = &p.w_hh[(gate * hidden + j) * hidden..][..hidden];
            p.b_hh[gate * hidden + j] + w.iter().zip(&old).map(|(w, h)| w * h).sum::<f64>()
        };
        for (j, &old_j) in old.iter().enumerate() {
            let (r, z) = (sigmoid(x(0, j) + u(0, j)), sigmoid(x(1, j) + u(1, j)));
            let n = (x(2, j) + r * u(2, j)).tanh();
            h.push((1.0 - z) * n + z * old_j);
        }
    }
    h
}

#[test]
fn forward_is_the_definition() {
    for shape in SHAPES {
        let p = Problem::new(shape);
        let (exact, double, single) = (by_definition(&p), p.forward::<f64>(2), p.forward::<f32>(2));
        assert!(largest_difference(&double.h, &exact) < 1e-13, "{shape:?} in f64");
        assert!(largest_difference(&single.h, &exact) < 2e-6, "{shape:?} in f32");
    }
}

#[test]
fn backward_is_the_derivative_of_forward() {
    for shape in SHAPES {
        let p = Problem::new(shape);
        let grads = p.backward(&p.forward::<f64>(2), 2);
        type Field = fn(&mut Problem) -> &mut Vec<f64>;
        let fields: [(&str, Field, &[f64]); 4] = [
            ("x", |p| &mut p.x, &grads.x),
            ("w_hh", |p| &mut p.w_hh, &grads.w_hh),
            ("b_hh", |p| &mut p.b_hh, &grads.b_hh),
            ("h0", |p| &mut p.h0, &grads.h0),
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
        let h = p.forward::<T>(batch).h;
        let (w, b, x) = (cast::<T>(&p.w_hh), cast::<T>(&p.b_hh), cast::<T>(&p.x));
        let step = GruStep::new(Matrix::new(&w, 3 * hidden, hidden), &b, members);
        let mut team = Team::new(members);
        for row in 0..time * batch {
            let mut out = vec![T::nan(); hidden];
            step.step(&x[row * 3 * hidden..][..3 * hidden], &h[row * hidden..][..hidden], &mut out, &mut team);
            assert_eq!(out, h[(row + batch) * hidden..][..hidden], "{shape:?}, {members} members, row {row}");
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
fn a_step_reads_a_weight_in_whatever_layout_it_lies() {
    let hidden = 5;
    let p = Problem::new(Sequence { time: 1, batch: 1, hidden });
    let across: Vec<f64> =
        (0..3 * hidden * hidden).map(|i| p.w_hh[i % (3 * hidden) * hidden + i / (3 * hidden)]).collect();
    let by = |w: Matrix<f64>| {
        let mut out = vec![f64::NAN; hidden];
        GruStep::new(w, &p.b_hh, 1).step(&p.x, &p.h0, &mut out, &mut Team::new(1));
        out
    };
    assert_eq!(by(Matrix::new(&p.w_hh, 3 * hidden, hidden)), by(Matrix::new(&across, hidden, 3 * hidden).t()));
}

#[test]
#[should_panic(expected = "gru w_hh: wrong shape")]
fn a_weight_of_the_wrong_shape_is_refused() {
    let shape = Sequence { time: 1, batch: 1, hidden: 2 };
    gru_forward(shape, &mut [0.0; 6], Matrix::new(&[0.0; 8], 4, 2), &[0.0; 6], &[0.0; 2]);
}
