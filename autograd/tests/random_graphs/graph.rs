//! A random graph: leaves, steps that each make a tensor of those before, and a weighted sum of what is left over at the end. Which steps
//! there are is in `steps.rs`.

use super::steps::{STEPS, Step};
use autograd::random::{Stream, Streams};
use autograd::{Tensor, no_grad};
use ndarray::{ArrayD, Axis, Slice};
use rand::RngExt;
use std::collections::BTreeSet;
use std::fmt;

/// A function of all tensors before it.
type Make = Box<dyn Fn(&[Tensor<f64>]) -> Tensor<f64>>;

enum Source {
    Leaf(usize),
    Made(Make),
}

/// Elements that a tensor may have, and all leaves together: differences cost four passes for each of them.
const MOST: usize = 150;

/// The largest magnitude of an element: beyond, differences lose digits.
const LARGEST: f64 = 8.0;

/// A function of some leaves, recorded as it is run.
pub struct Graph {
    /// The values at which it is checked, in the layouts in which they are given.
    pub leaves: Vec<ArrayD<f64>>,
    sources: Vec<Source>,
    /// The tensors added up at the end, each with a weight for every element.
    ends: Vec<(usize, Tensor<f64>)>,
    story: Vec<String>,
}

impl Graph {
    /// The graph of a number.
    pub fn random(number: u64) -> Graph {
        let mut growing = Growing::new(Streams::new(1).stream(&format!("graph {number}")));
        let steps = growing.below(14) + 2;
        for _ in 0..3 * steps {
            if growing.grown() >= steps {
                break;
            }
            let (name, step): (&str, Step) = STEPS[growing.below(STEPS.len())];
            let before = growing.values.len();
            if step(&mut growing).is_some() {
                growing.note(name, before);
            }
        }
        growing.finish()
    }

    /// The scalar at the end.
    pub fn run(&self, leaves: &[Tensor<f64>]) -> Tensor<f64> {
        let mut tensors: Vec<Tensor<f64>> = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            let next = match source {
                Source::Leaf(i) => leaves[*i].clone(),
                Source::Made(make) => make(&tensors),
            };
            tensors.push(next);
        }
        let parts = self.ends.iter().map(|(end, weights)| (&tensors[*end] * weights).sum());
        parts.reduce(|sum, part| &sum + &part).expect("at least one end")
    }

    /// The names of the ops on the way from the leaves to the end.
    pub fn recorded_ops(&self) -> BTreeSet<&'static str> {
        let leaves: Vec<_> = self.leaves.iter().map(|x| Tensor::new(x.clone()).tracked()).collect();
        let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<_> = self.run(&leaves).node().cloned().into_iter().collect();
        while let Some(node) = open.pop() {
            if seen.insert(node.id()) {
                found.insert(node.op());
                open.extend(node.inputs().iter().flatten().cloned());
            }
        }
        found
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends: Vec<usize> = self.ends.iter().map(|(end, _)| *end).collect();
        write!(f, "{}; ends {ends:?}", self.story.join("; "))
    }
}

/// A graph that is being grown, with the value of every tensor.
pub struct Growing {
    pub stream: Stream,
    leaves: Vec<ArrayD<f64>>,
    sources: Vec<Source>,
    pub values: Vec<Tensor<f64>>,
    used: BTreeSet<usize>,
    story: Vec<String>,
}

impl Growing {
    fn new(stream: Stream) -> Growing {
        let (leaves, sources, values) = (Vec::new(), Vec::new(), Vec::new());
        let mut growing = Growing { stream, leaves, sources, values, used: BTreeSet::new(), story: Vec::new() };
        for _ in 0..1 + growing.below(3) {
            let shape = growing.shape();
            growing.leaf(&shape);
        }
        growing
    }

    /// A whole number from 0 up to n, without n.
    pub fn below(&mut self, n: usize) -> usize {
        self.stream.random_range(0..n)
    }

    /// Whether something with this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.stream.random::<f64>() < probability
    }

    /// A number in [low, high).
    pub fn number(&mut self, low: f64, high: f64) -> f64 {
        self.stream.random_range(low..high)
    }

    /// A shape of rank 0 to 4 with sizes 1 to 5 and not too many elements.
    pub fn shape(&mut self) -> Vec<usize> {
        let rank = self.below(5);
        let mut shape: Vec<usize> = (0..rank).map(|_| 1 + self.below(5)).collect();
        while shape.iter().product::<usize>() > MOST / 3 {
            let axis = self.below(rank);
            shape[axis] = 1 + self.below(2);
        }
        shape
    }

    /// How many tensors are not leaves.
    fn grown(&self) -> usize {
        self.values.len() - self.leaves.len()
    }

    fn note(&mut self, name: &str, before: usize) {
        let shapes: Vec<_> = self.values[before..].iter().map(|x| x.shape()).collect();
        self.story.push(format!("{before}: {name} {shapes:?}"));
    }

    /// A new leaf in some layout; none when there are too many elements already.
    pub fn leaf(&mut self, shape: &[usize]) -> Option<usize> {
        let n: usize = shape.iter().product();
        if self.leaves.iter().map(ArrayD::len).sum::<usize>() + n > MOST {
            return None;
        }
        let x = ArrayD::from_shape_simple_fn(shape, || self.stream.random_range(-1.6..1.6));
        let laid = match self.below(4) {
            0 => x,
            1 => x.t().as_standard_layout().into_owned().reversed_axes(),
            2 => {
                let mut wide = ArrayD::from_elem(shape.iter().map(|n| 2 * n + 1).collect::<Vec<_>>(), f64::NAN);
                (0..shape.len()).for_each(|axis| wide.slice_axis_inplace(Axis(axis), Slice::new(1, None, 2)));
                wide.assign(&x);
                wide
            }
            _ => {
                let mut backwards = x;
                (0..shape.len()).step_by(2).for_each(|axis| backwards.invert_axis(Axis(axis)));
                backwards
            }
        };
        self.story.push(format!("{}: leaf {shape:?}, strides {:?}", self.values.len(), laid.strides()));
        self.values.push(Tensor::new(laid.clone()));
        self.sources.push(Source::Leaf(self.leaves.len()));
        self.leaves.push(laid);
        Some(self.values.len() - 1)
    }

    /// Some tensor, later ones more often.
    pub fn pick(&mut self) -> usize {
        let n = self.values.len();
        let recent = self.happens(0.5);
        if recent { n - 1 - self.below(n.min(3)) } else { self.below(n) }
    }

    /// Some tensor of at least this rank.
    pub fn pick_of_rank(&mut self, rank: usize) -> Option<usize> {
        self.pick_where(|shape| shape.len() >= rank)
    }

    /// Some tensor of such a shape, if a few tries find one.
    pub fn pick_where(&mut self, fits: impl Fn(&[usize]) -> bool) -> Option<usize> {
        (0..6).find_map(|_| Some(self.pick()).filter(|&x| fits(self.values[x].shape())))
    }

    /// A tensor of this shape: one that is there, one that is there transposed, a part of a larger one, or a new leaf.
    pub fn fit(&mut self, shape: &[usize]) -> Option<usize> {
        let mut those = |keep: &dyn Fn(&[usize]) -> bool| {
            let found: Vec<usize> = (0..self.values.len()).filter(|&x| keep(self.values[x].shape())).collect();
            (!found.is_empty()).then(|| found[self.below(found.len())])
        };
        let rank = shape.len();
        let swapped = |s: &[usize]| {
            rank >= 2 && s.len() == rank && {
                let mut s = s.to_vec();
                s.swap(rank - 1, rank - 2);
                s == shape
            }
        };
        let same = those(&|s| s == shape);
        let transposed = those(&swapped);
        let larger = those(&|s| s.len() == rank && s != shape && s.iter().zip(shape).all(|(n, m)| n >= m));
        match self.below(6) {
            0 | 1 if same.is_some() => same,
            2 | 3 if transposed.is_some() => self.push(&[transposed?], |x| x[0].transpose(-1, -2)),
            4 if larger.is_some() => {
                let (larger, shape) = (larger?, shape.to_vec());
                let sizes = self.values[larger].shape().to_vec();
                let starts: Vec<usize> = sizes.iter().zip(&shape).map(|(n, m)| self.below(n - m + 1)).collect();
                self.push(&[larger], move |x| {
                    (0..shape.len()).fold(x[0].clone(), |x, i| x.narrow(i as isize, starts[i], shape[i]))
                })
            }
            _ => self.leaf(shape).or(same),
        }
    }

    /// A tensor made of these: put in if it is not too large in any sense.
    pub fn push(&mut self, of: &[usize], make: impl Fn(&[Tensor<f64>]) -> Tensor<f64> + 'static) -> Option<usize> {
        let inputs: Vec<Tensor<f64>> = of.iter().map(|&i| self.values[i].clone()).collect();
        let value = no_grad(|| make(&inputs));
        let fits = value.value().len() <= MOST && !value.value().is_empty();
        if !fits || !value.value().iter().all(|x| x.abs() <= LARGEST) {
            return None;
        }
        self.used.extend(of);
        self.values.push(value);
        let of = of.to_vec();
        self.sources.push(Source::Made(Box::new(move |tensors| {
            make(&of.iter().map(|&i| tensors[i].clone()).collect::<Vec<_>>())
        })));
        Some(self.values.len() - 1)
    }

    /// Adds up what nothing uses, and now and then something that is used.
    fn finish(mut self) -> Graph {
        let mut ends: Vec<usize> = (0..self.values.len()).filter(|i| !self.used.contains(i)).collect();
        ends.push(self.pick());
        let weighted = |this: &mut Growing, end: usize| {
            let weights = Tensor::rand(this.values[end].shape(), &mut this.stream);
            (end, &weights * 1.8 - 0.7)
        };
        let ends = ends.into_iter().map(|end| weighted(&mut self, end)).collect();
        Graph { leaves: self.leaves, sources: self.sources, ends, story: self.story }
    }
}
