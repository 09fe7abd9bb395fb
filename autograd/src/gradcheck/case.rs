//! The standing checks of ops: what an op is checked at, and the names of the ops that a check passes through. How a Jacobian is
//! checked is in `gradcheck.rs`; the checks themselves stand under the ops, in `ops/`.

use super::{Layout, Report, check};
use crate::random::Streams;
use crate::{Tensor, shape};
use ndarray::ArrayD;
use rand::RngExt;
use std::collections::BTreeSet;

/// Where the elements of an input are drawn from, so that a function is differentiable there.
#[derive(Clone, Copy, Debug)]
enum Domain {
    /// Standard-normal-like, in (−1.7, 1.7).
    Real,
    /// In (0.5, 2).
    Positive,
    /// Magnitude in (0.2, 1.9), either sign.
    AwayFromZero,
    /// No two closer than 0.05, in random order.
    Distinct,
}

/// One input of a [`Case`]: a shape, and where its elements are drawn from.
#[derive(Clone, Debug)]
pub struct Input {
    shape: Vec<usize>,
    domain: Domain,
}

/// An input of real numbers.
pub fn real(shape: &[usize]) -> Input {
    Input { shape: shape.to_vec(), domain: Domain::Real }
}

/// An input of positive numbers, away from zero.
pub fn positive(shape: &[usize]) -> Input {
    Input { shape: shape.to_vec(), domain: Domain::Positive }
}

/// An input of numbers of either sign, away from zero.
pub fn away_from_zero(shape: &[usize]) -> Input {
    Input { shape: shape.to_vec(), domain: Domain::AwayFromZero }
}

/// An input of numbers no two of which are close: for maxima. Not checked broadcast, where elements are equal.
pub fn distinct(shape: &[usize]) -> Input {
    Input { shape: shape.to_vec(), domain: Domain::Distinct }
}

impl Input {
    fn draw(&self, stream: &mut impl rand::Rng) -> ArrayD<f64> {
        let n = shape::len(&self.shape);
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, stream.random_range(0..=i));
        }
        let elements = order.iter().map(|&rank| {
            let u: f64 = stream.random_range(-1.0..1.0);
            match self.domain {
                Domain::Real => 1.7 * u,
                Domain::Positive => 1.25 + 0.75 * u,
                Domain::AwayFromZero => u.signum() * (0.2 + 1.7 * u.abs()),
                Domain::Distinct => 0.1 * (rank as f64 - n as f64 / 2.0) + 0.02 * u,
            }
        });
        ArrayD::from_shape_vec(self.shape.as_slice(), elements.collect()).expect("as many elements as the shape has")
    }
}

/// A function of tensors, used to check an op.
type Function = dyn Fn(&[Tensor<f64>]) -> Tensor<f64>;

/// A standing check of an op: a function that uses it and the inputs to check it at, over every memory layout.
pub struct Case {
    /// The op's name, as recorded in the graph.
    pub op: &'static str,
    /// What is special about this case; empty for the plain one.
    pub variant: String,
    inputs: Vec<Input>,
    f: Box<Function>,
}

impl Case {
    /// A check of `op` through `f`, at inputs drawn from `inputs`.
    pub fn new(op: &'static str, inputs: &[Input], f: impl Fn(&[Tensor<f64>]) -> Tensor<f64> + 'static) -> Self {
        Case { op, variant: String::new(), inputs: inputs.to_vec(), f: Box::new(f) }
    }

    /// Says what is special about this case.
    pub fn variant(mut self, variant: impl Into<String>) -> Self {
        self.variant = variant.into();
        self
    }

    /// Runs the check in every layout; the report holds the worst element of all.
    pub fn check(&self) -> Report {
        let name =
            if self.variant.is_empty() { self.op.to_string() } else { format!("{} ({})", self.op, self.variant) };
        let mut report = Report { name: name.clone(), elements: 0, worst: None };
        let inputs = self.draw();
        for layout in Layout::ALL {
            let kinked = self.inputs.iter().any(|input| matches!(input.domain, Domain::Distinct));
            if layout != Layout::Broadcast || !kinked {
                check(&self.f, &inputs, layout, &mut report);
            }
        }
        report
    }

    /// The names of all ops in the graph that the function records.
    pub fn recorded_ops(&self) -> BTreeSet<&'static str> {
        let leaves: Vec<_> = self.draw().into_iter().map(|x| Tensor::new(x).tracked()).collect();
        let output = (self.f)(&leaves);
        let mut found = BTreeSet::new();
        let mut open: Vec<_> = output.node().cloned().into_iter().collect();
        while let Some(node) = open.pop() {
            found.insert(node.op());
            open.extend(node.inputs().iter().flatten().cloned());
        }
        found
    }

    fn draw(&self) -> Vec<ArrayD<f64>> {
        let mut stream = Streams::new(1).stream(&format!("gradcheck {} {}", self.op, self.variant));
        self.inputs.iter().map(|input| input.draw(&mut stream)).collect()
    }
}
