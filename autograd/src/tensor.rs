//! The tensor: an array of values and, when gradients are wanted, its place in the recorded graph.
//!
//! What one does with tensors is in `ops/`; how gradients flow is in `graph.rs`.

use crate::graph::{self, Gradients, Node, Slot};
use crate::{Scalar, passes, shape};
use ndarray::{ArcArray, ArrayD, ArrayViewD, IxDyn};
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

/// The values of a tensor: shared, of any rank and any strides, so that a view is a view.
pub type Value<T> = ArcArray<T, IxDyn>;

/// A multi-dimensional array that can record what is done to it.
///
/// Cloning is cheap (two reference counts). A tensor is immutable; ops give new tensors, views share memory.
#[derive(Clone)]
pub struct Tensor<T> {
    value: Value<T>,
    node: Option<Rc<Node<T>>>,
}

impl<T: Scalar> Tensor<T> {
    /// A tensor of the values of `array`, in whatever layout it has; gradients do not flow into it.
    pub fn new(array: impl Into<Value<T>>) -> Self {
        Tensor { value: array.into(), node: None }
    }

    /// A tensor of the given shape from its elements in row-major order.
    ///
    /// # Panics
    /// If the number of elements is not the product of the shape.
    #[track_caller]
    pub fn from_vec(elements: Vec<T>, shape: &[usize]) -> Self {
        assert_eq!(elements.len(), shape::count("from_vec", shape), "from_vec: number of elements for shape {shape:?}");
        Tensor::new(ArrayD::from_shape_vec(shape, elements).expect("the length was checked"))
    }

    /// A tensor of rank 0.
    pub fn scalar(x: T) -> Self {
        Tensor::full(&[], x)
    }

    /// A tensor with every element `x`.
    ///
    /// # Panics
    /// If the shape has more elements than memory has addresses.
    #[track_caller]
    pub fn full(shape: &[usize], x: T) -> Self {
        shape::count("full", shape);
        Tensor::new(ArrayD::from_elem(shape, x))
    }

    /// A tensor of zeros.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn zeros(shape: &[usize]) -> Self {
        Tensor::full(shape, T::zero())
    }

    /// A tensor of ones.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn ones(shape: &[usize]) -> Self {
        Tensor::full(shape, T::one())
    }

    /// The same values as a leaf of the graph: [`Gradients`] will hold a gradient for it.
    #[track_caller]
    pub fn tracked(self) -> Self {
        let node = Node::leaf(self.shape(), Location::caller());
        Tensor { value: self.value, node: Some(node) }
    }

    /// The same values, cut off from the graph: no gradient flows through.
    pub fn detach(&self) -> Self {
        Tensor { value: self.value.clone(), node: None }
    }

    /// Records one operation: its value, its inputs, and the rule that turns the gradient of the value into those of the
    /// inputs. The rule owns what it needs from the forward pass; when no input is tracked (or under [`crate::no_grad`])
    /// it is dropped on the spot, and all it would have kept with it.
    ///
    /// This is the one door through which ops enter the graph, yours as well as the engine's:
    ///
    /// ```
    /// use autograd::Tensor;
    /// /// `z = x³`. `∂x = 3x² ⊙ g`.
    /// fn cube(x: &Tensor<f64>) -> Tensor<f64> {
    ///     let saved = x.value().clone();
    ///     Tensor::from_op("cube", x.value().mapv(|x| x * x * x), [x], move |g, [dx]| {
    ///         dx.add(|| g * saved.mapv(|x| 3.0 * x * x));
    ///     })
    /// }
    /// let x = Tensor::scalar(2.0).tracked();
    /// assert_eq!(cube(&x).backward().of(&x).unwrap().sum(), 12.0);
    /// ```
    #[track_caller]
    pub fn from_op<const N: usize>(
        op: &'static str,
        value: impl Into<Value<T>>,
        inputs: [&Tensor<T>; N],
        rule: impl FnOnce(ArrayD<T>, &mut [Slot<T>; N]) + 'static,
    ) -> Self {
        Self::from_op_many(op, value, &inputs, |g, slots| {
            rule(g, slots.try_into().expect("one slot for each input"));
        })
    }

    /// [`Tensor::from_op`] for an op with any number of inputs.
    #[track_caller]
    pub fn from_op_many(
        op: &'static str,
        value: impl Into<Value<T>>,
        inputs: &[&Tensor<T>],
        rule: impl FnOnce(ArrayD<T>, &mut [Slot<T>]) + 'static,
    ) -> Self {
        let value = value.into();
        let tracked = graph::is_recording() && inputs.iter().any(|x| x.node.is_some());
        let at = Location::caller(); // not inside the closure: it would be the caller there
        let node = tracked.then(|| {
            let inputs = inputs.iter().map(|x| x.node.clone()).collect();
            Node::new(op, at, value.shape(), inputs, Box::new(rule))
        });
        Tensor { value, node }
    }

    /// The gradients of this scalar with respect to every leaf it was computed from.
    ///
    /// # Panics
    /// If the tensor is not tracked, has more than one element, or its graph was swept before.
    #[track_caller]
    pub fn backward(&self) -> Gradients<T> {
        assert_eq!(self.value.len(), 1, "backward: starts from one element, this tensor has shape {:?}", self.shape());
        self.backward_with(ArrayD::from_elem(self.shape(), T::one()))
    }

    /// The vector-Jacobian product: gradients of `⟨seed, self⟩` with respect to every leaf.
    ///
    /// # Panics
    /// If the tensor is not tracked, `seed` has another shape, or the graph was swept before.
    #[track_caller]
    pub fn backward_with(&self, seed: ArrayD<T>) -> Gradients<T> {
        assert_eq!(self.shape(), seed.shape(), "backward: shape of the tensor and of the seed");
        let node =
            self.node.as_ref().expect("backward: no gradient flows into this tensor; nothing it depends on is tracked");
        graph::sweep(node, seed)
    }

    /// The values.
    pub fn value(&self) -> &Value<T> {
        &self.value
    }

    /// The values, in their own layout, for reading.
    pub fn view(&self) -> ArrayViewD<'_, T> {
        self.value.view()
    }

    /// The values in row-major order: shared when they already are, copied otherwise.
    pub fn standard(&self) -> Value<T> {
        passes::standard(&self.value)
    }

    /// The elements in row-major order, copied.
    pub fn to_vec(&self) -> Vec<T> {
        self.value.iter().copied().collect()
    }

    /// The one element.
    ///
    /// # Panics
    /// If there is more than one.
    #[track_caller]
    pub fn item(&self) -> T {
        assert_eq!(self.value.len(), 1, "item: a tensor of shape {:?} is not one number", self.shape());
        *self.value.first().expect("it has one element")
    }

    /// The size of every axis.
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.value.ndim()
    }

    /// Whether gradients flow into this tensor.
    pub fn is_tracked(&self) -> bool {
        self.node.is_some()
    }

    /// Its place in the graph; none when untracked.
    pub fn node(&self) -> Option<&Rc<Node<T>>> {
        self.node.as_ref()
    }

    /// The values, for updating in place: copied first when something else shares them, so a live graph stays right.
    pub(crate) fn value_mut(&mut self) -> &mut Value<T> {
        &mut self.value
    }

    /// The values, and a tensor without values that stands for this one as an input of an op: for an op that consumes its
    /// input and may write over its buffer when nothing else shares it.
    pub(crate) fn into_parts(self) -> (Value<T>, Tensor<T>) {
        (self.value, Tensor { value: ArrayD::zeros(vec![0]).into_shared(), node: self.node })
    }
}

impl<T: fmt::Debug> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = self.node.as_ref().map_or("untracked", |node| node.op());
        write!(f, "Tensor({op}, {:?})", self.value)
    }
}
