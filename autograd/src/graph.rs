//! The recorded graph and the sweep through it that computes gradients.
//!
//! Three ideas. A node holds its inputs and a rule, never values: what a rule needs it owns. Nodes are numbered as they are
//! created, and creation order is a topological order, so the sweep is "take the highest number, apply its rule, repeat".
//! A rule is consumed when it is applied, and a node lets go of its inputs then: what was saved, and the nodes themselves, are
//! freed as the sweep passes, though the scalar it began from lives on.

use crate::kernels::gemm::Store;
use crate::{Scalar, Tensor, passes, shape};
use ndarray::{ArrayD, ArrayViewMutD};
use std::any::Any;
use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of a node: unique in the process, rising in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u64);

impl Id {
    fn next() -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Id(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The rule of an op: from the gradient of its output to those of its inputs.
type Rule<T> = Box<dyn FnOnce(ArrayD<T>, &mut [Slot<T>])>;

/// The nodes of the inputs of an op, in order; `None` for an input that no gradient flows into.
type Inputs<T> = Vec<Option<Rc<Node<T>>>>;

/// One recorded operation, or a leaf.
pub struct Node<T> {
    id: Id,
    op: &'static str,
    at: &'static Location<'static>,
    shape: Vec<usize>,
    inputs: RefCell<Inputs<T>>,
    rule: Cell<Option<Rule<T>>>,
    /// [`bury`], for a `Drop` that knows nothing of T.
    bury: fn(Inputs<T>, Option<Rule<T>>),
}

/// The name of a node that no op made.
const LEAF: &str = "leaf";

impl<T: 'static> Node<T> {
    pub(crate) fn leaf(shape: &[usize], at: &'static Location<'static>) -> Rc<Self> {
        Self::recorded(LEAF, at, shape, Vec::new(), None)
    }

    pub(crate) fn new(
        op: &'static str,
        at: &'static Location<'static>,
        shape: &[usize],
        inputs: Inputs<T>,
        rule: Rule<T>,
    ) -> Rc<Self> {
        Self::recorded(op, at, shape, inputs, Some(rule))
    }

    fn recorded(
        op: &'static str,
        at: &'static Location<'static>,
        shape: &[usize],
        inputs: Inputs<T>,
        rule: Option<Rule<T>>,
    ) -> Rc<Self> {
        let (inputs, rule) = (RefCell::new(inputs), Cell::new(rule));
        Rc::new(Node { id: Id::next(), op, at, shape: shape.to_vec(), inputs, rule, bury })
    }
}

impl<T> Node<T> {
    /// The node's number.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The op's name, as in PyTorch and NumPy.
    pub fn op(&self) -> &'static str {
        self.op
    }

    /// The line of the caller's code that made it.
    pub fn at(&self) -> &'static Location<'static> {
        self.at
    }

    /// The shape of its output.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The nodes of its inputs, in order; `None` for an input that no gradient flows into. None are left after the sweep.
    pub fn inputs(&self) -> Ref<'_, [Option<Rc<Node<T>>>]> {
        Ref::map(self.inputs.borrow(), Vec::as_slice)
    }
}

impl<T> Drop for Node<T> {
    fn drop(&mut self) {
        let (inputs, rule) = (self.inputs.take(), self.rule.take());
        if !inputs.is_empty() || rule.is_some() {
            (self.bury)(inputs, rule);
        }
    }
}

thread_local! {
    /// What nodes held that are gone; and whether somebody is dropping it.
    static DOOMED: (RefCell<Vec<Box<dyn Any>>>, Cell<bool>) = const { (RefCell::new(Vec::new()), Cell::new(false)) };
}

/// Drops what a node held, in a loop: inputs hold nodes, and a rule may, in a tensor that it saved. A chain of 100,000 ops
/// would overflow the stack if each node dropped the next.
fn bury<T: 'static>(inputs: Inputs<T>, rule: Option<Rule<T>>) {
    /// Says that nobody is dropping any more, also when a drop panics.
    struct Done<'a>(&'a Cell<bool>);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.set(false);
        }
    }
    // Where the thread is ending and has lost its locals, nothing is queued and `held` is dropped on the spot.
    let held = Box::new((inputs, rule));
    _ = DOOMED.try_with(|(queue, busy)| {
        queue.borrow_mut().push(held);
        if !busy.replace(true) {
            let _done = Done(busy);
            loop {
                let next = queue.borrow_mut().pop(); // the borrow ends here: dropping may queue more
                if next.is_none() {
                    break;
                }
            }
        }
    });
}

/// Where a rule puts the gradient of one input. For an input that no gradient flows into, nothing is computed.
pub struct Slot<T> {
    shape: Option<Vec<usize>>,
    gradient: Option<ArrayD<T>>,
}

impl<T: Scalar> Slot<T> {
    /// Whether anybody wants this gradient: a rule may skip work that only serves an unwanted one.
    pub fn is_wanted(&self) -> bool {
        self.shape.is_some()
    }

    /// Adds a contribution, un-broadcast to the input's shape. The first is moved in, later ones are added in place.
    ///
    /// # Panics
    /// If the contribution's shape is not one the input broadcasts to.
    pub fn add(&mut self, contribution: impl FnOnce() -> ArrayD<T>) {
        let Some(shape) = &self.shape else { return };
        let contribution = shape::sum_to(contribution(), shape);
        assert_eq!(contribution.shape(), shape, "shape of a gradient and of its input");
        match &mut self.gradient {
            None => self.gradient = Some(contribution),
            Some(sum) => passes::accumulate(sum, &contribution),
        }
    }

    /// The sum so far in row-major order, zeros at first; none when nobody wants it. And whether something was added before.
    fn row_major(&mut self) -> Option<(&mut ArrayD<T>, Store)> {
        let shape = self.shape.as_deref()?;
        let store = if self.gradient.is_none() { Store::Overwrite } else { Store::Accumulate };
        let sum = self.gradient.take().unwrap_or_else(|| ArrayD::zeros(shape));
        Some((self.gradient.insert(passes::row_major(sum)), store))
    }

    /// Lets `write` fill or add to the gradient in row-major order, as [`Store`] says: for kernels that can accumulate.
    pub fn write(&mut self, write: impl FnOnce(&mut [T], Store)) {
        let Some((sum, store)) = self.row_major() else { return };
        write(sum.as_slice_mut().expect("row-major"), store);
    }

    /// Replaces the sum so far, in row-major order and none at first, by a sum with a contribution in it: for kernels that write
    /// a new buffer or add to an old one.
    ///
    /// # Panics
    /// If the new sum has another length.
    pub fn fold(&mut self, add: impl FnOnce(Option<Vec<T>>) -> Vec<T>) {
        let Some(shape) = &self.shape else { return };
        let sum = self.gradient.take().map(|sum| shape::into_buffer(sum.into_shared()));
        let sum = ArrayD::from_shape_vec(shape.as_slice(), add(sum));
        self.gradient = Some(sum.expect("as many gradients as inputs"));
    }

    /// [`Slot::fold`] for arrays in whatever layout they have. Panics if the new sum has another shape than the input.
    pub fn merge(&mut self, add: impl FnOnce(Option<ArrayD<T>>) -> ArrayD<T>) {
        let Some(shape) = &self.shape else { return };
        let sum = add(self.gradient.take());
        self.gradient = (sum.shape() == shape).then_some(sum);
        assert!(self.gradient.is_some(), "shape of a gradient and of its input");
    }

    /// Lets `update` add to the gradient, which starts from zero and is row-major: for rules that touch a part of it.
    pub fn update(&mut self, update: impl FnOnce(ArrayViewMutD<T>)) {
        let Some((sum, _)) = self.row_major() else { return };
        update(sum.view_mut());
    }
}

/// The gradients of a scalar with respect to the leaves it was computed from: a plain value, detached from the graph.
#[derive(Clone, Debug)]
pub struct Gradients<T> {
    of: BTreeMap<Id, ArrayD<T>>,
}

impl<T: Scalar> Gradients<T> {
    /// The gradient with respect to `leaf`; `None` when the scalar does not depend on it.
    pub fn of(&self, leaf: &Tensor<T>) -> Option<&ArrayD<T>> {
        self.of.get(&leaf.node()?.id())
    }

    /// How many leaves have a gradient.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether no leaf has a gradient.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

/// Reverse mode: the gradient of every leaf below `root`, given that of `root`.
///
/// `pending` maps a node's number to its gradient so far. The highest number is complete, because whatever uses a node was
/// created after it: so it is taken out, and its rule passes it on.
pub(crate) fn sweep<T: Scalar>(root: &Rc<Node<T>>, seed: ArrayD<T>) -> Gradients<T> {
    let mut of = BTreeMap::new();
    let mut pending = BTreeMap::from([(root.id, (root.clone(), seed))]);
    while let Some((id, (node, g))) = pending.pop_last() {
        if node.op == LEAF {
            of.insert(id, g);
            continue;
        }
        let rule = node.rule.take();
        let rule = rule.unwrap_or_else(|| panic!("backward: the graph was swept before ({} at {})", node.op, node.at));
        let inputs = node.inputs.take();
        let mut slots: Vec<Slot<T>> = Vec::with_capacity(inputs.len());
        for input in &inputs {
            let shape = input.as_ref().map(|input| input.shape.clone());
            let gradient = input.as_ref().and_then(|input| pending.remove(&input.id)).map(|(_, sum)| sum);
            slots.push(Slot { shape, gradient });
        }
        rule(g, &mut slots);
        for (input, slot) in inputs.into_iter().zip(slots) {
            let (Some(input), Some(sum)) = (input, slot.gradient) else { continue };
            match pending.get_mut(&input.id) {
                None => drop(pending.insert(input.id, (input, sum))),
                Some((_, other)) => passes::accumulate(other, &sum), // the same tensor was given twice
            }
        }
    }
    Gradients { of }
}

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
}

/// Whether ops on this thread are being recorded.
pub(crate) fn is_recording() -> bool {
    RECORDING.get()
}

/// Runs `f` without recording: its ops build no graph and keep nothing for a backward pass.
///
/// ```
/// use autograd::{Tensor, no_grad};
/// let x = Tensor::scalar(3.0_f32).tracked();
/// assert!(!no_grad(|| &x * &x).is_tracked());
/// assert!((&x * &x).is_tracked());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    /// Restores the flag also when `f` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDING.set(self.0);
        }
    }
    let _restore = Restore(RECORDING.replace(false));
    f()
}

#[cfg(test)]
mod tests;
