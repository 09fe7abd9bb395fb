//! Views and rearrangements: reshape, permute, broadcast, narrow, cat, stack, pad. What can share memory does.

use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor, passes, shape};
use ndarray::{ArrayD, Axis, IxDyn, Slice};

impl<T: Scalar> Tensor<T> {
    /// The same elements in row-major order under another shape; a view when the layout allows. `∂x = g` in x's shape.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: &[usize]) -> Tensor<T> {
        let from = self.shape().to_vec();
        assert_eq!(self.value().len(), shape::count("reshape", shape), "reshape: {from:?} to {shape:?}");
        let z = self.standard().into_shape_with_order(IxDyn(shape)).expect("row-major, and the lengths agree");
        Tensor::from_op("reshape", z, [self], move |g, [dx]| {
            dx.add(|| passes::row_major(g).into_shape_with_order(IxDyn(&from)).expect("g has z's shape"));
        })
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]` of x. A view. `∂x` permutes back.
    ///
    /// # Panics
    /// If `order` is not a permutation of the axes.
    #[track_caller]
    pub fn permute(&self, order: &[usize]) -> Tensor<T> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..self.rank()), "permute: {order:?} is no order of {} axes", self.rank());
        let inverse = shape::inverse(order);
        Tensor::from_op("permute", self.value().clone().permuted_axes(order), [self], move |g, [dx]| {
            dx.add(|| g.permuted_axes(inverse));
        })
    }

    /// Two axes exchanged. A view.
    ///
    /// # Panics
    /// If an axis does not exist.
    #[track_caller]
    pub fn transpose(&self, a: isize, b: isize) -> Tensor<T> {
        let mut order: Vec<usize> = (0..self.rank()).collect();
        order.swap(shape::axis("transpose", a, self.rank()), shape::axis("transpose", b, self.rank()));
        self.permute(&order)
    }

    /// An axis of size 1 put in before `axis`. A view, whatever the layout.
    ///
    /// # Panics
    /// If `axis` is not in `−rank−1..=rank`.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Tensor<T> {
        let axis = Axis(shape::axis("unsqueeze", axis, self.rank() + 1));
        Tensor::from_op("reshape", self.value().clone().insert_axis(axis), [self], move |g, [dx]| {
            dx.add(|| g.index_axis_move(axis, 0));
        })
    }

    /// An axis of size 1 taken out. A view, whatever the layout.
    ///
    /// # Panics
    /// If the axis does not exist or has another size.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Tensor<T> {
        let axis = Axis(shape::axis("squeeze", axis, self.rank()));
        assert_eq!(self.shape()[axis.0], 1, "squeeze: axis {} of {:?} has not size 1", axis.0, self.shape());
        Tensor::from_op("reshape", self.value().clone().index_axis_move(axis, 0), [self], move |g, [dx]| {
            dx.add(|| g.insert_axis(axis));
        })
    }

    /// The tensor repeated along axes of size 1 and along new leading axes. `∂x = Σ g` over the repeated axes.
    ///
    /// # Panics
    /// If the tensor does not broadcast to `shape`, or that has more elements than memory has addresses.
    #[track_caller]
    pub fn broadcast_to(&self, shape: &[usize]) -> Tensor<T> {
        shape::count("broadcast_to", shape);
        let z = self.value().broadcast(shape);
        let z = z.unwrap_or_else(|| panic!("broadcast_to: {:?} does not broadcast to {shape:?}", self.shape()));
        Tensor::from_op("broadcast_to", passes::copy(&z), [self], |g, [dx]| dx.add(|| g))
    }

    /// Elements `start..start + length` of one axis. A view. `∂x = g` there, 0 elsewhere.
    ///
    /// # Panics
    /// If the axis does not exist or is shorter, however large `start + length` is.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, length: usize) -> Tensor<T> {
        let axis = Axis(shape::axis("narrow", axis, self.rank()));
        let size = self.value().len_of(axis);
        let end = end("narrow", start, length, self.shape());
        assert!(end <= size, "narrow: {start}..{end} of an axis of size {size}, shape {:?}", self.shape());
        let part = Slice::from(start..end);
        let mut z = self.value().clone();
        z.slice_axis_inplace(axis, part);
        Tensor::from_op("narrow", z, [self], move |g, [dx]| {
            dx.update(|mut dx| {
                let mut dx = dx.slice_axis_mut(axis, part);
                dx += &g;
            });
        })
    }

    /// Tensors put one after another along an existing axis. Each gradient is its part of `g`.
    ///
    /// # Panics
    /// If there is none, or their shapes differ in another axis.
    #[track_caller]
    pub fn cat(tensors: &[&Tensor<T>], axis: isize) -> Tensor<T> {
        assert!(!tensors.is_empty(), "cat: of no tensors");
        let axis = Axis(shape::axis("cat", axis, tensors[0].rank()));
        let views: Vec<_> = tensors.iter().map(|x| x.view()).collect();
        let shapes = || tensors.iter().map(|x| x.shape()).collect::<Vec<_>>();
        let sizes: Vec<usize> = views.iter().map(|x| x.len_of(axis)).collect();
        sizes.iter().fold(0, |start, &size| end("cat", start, size, tensors[0].shape()));
        let z =
            ndarray::concatenate(axis, &views).unwrap_or_else(|_| panic!("cat: along axis {}, {:?}", axis.0, shapes()));
        Tensor::from_op_many("cat", z, tensors, move |g, slots| {
            let mut start = 0;
            for (slot, size) in slots.iter_mut().zip(sizes) {
                slot.add(|| g.slice_axis(axis, Slice::from(start..start + size)).to_owned());
                start += size;
            }
        })
    }

    /// Tensors of one shape put side by side along a new axis.
    ///
    /// # Panics
    /// If there is none, or their shapes differ.
    #[track_caller]
    pub fn stack(tensors: &[&Tensor<T>], axis: isize) -> Tensor<T> {
        let wide: Vec<_> = tensors.iter().map(|x| x.unsqueeze(axis)).collect();
        let axis = if axis < 0 { axis + wide.first().map_or(0, Tensor::rank) as isize } else { axis };
        Tensor::cat(&wide.iter().collect::<Vec<_>>(), axis)
    }

    /// `before` and `after` elements of value `x` added at the ends of one axis. `∂x` is the middle of `g`.
    ///
    /// # Panics
    /// If the axis does not exist, or the result has more elements than memory has addresses.
    #[track_caller]
    pub fn pad(&self, axis: isize, before: usize, after: usize, x: T) -> Tensor<T> {
        let axis = Axis(shape::axis("pad", axis, self.rank()));
        let mut shape = self.shape().to_vec();
        let size_end = end("pad", before, shape[axis.0], self.shape());
        let middle = Slice::from(before..size_end);
        shape[axis.0] = end("pad", size_end, after, self.shape());
        shape::count("pad", &shape);
        let mut z = ArrayD::from_elem(shape, x);
        z.slice_axis_mut(axis, middle).assign(self.value());
        Tensor::from_op("pad", z, [self], move |g, [dx]| dx.add(|| passes::copy(&g.slice_axis(axis, middle))))
    }
}

/// `start + length` along an axis of a tensor of the given shape.
#[track_caller]
fn end(op: &str, start: usize, length: usize, shape: &[usize]) -> usize {
    let end = start.checked_add(length).filter(|&end| end <= isize::MAX as usize); // ndarray counts in isize
    end.unwrap_or_else(|| panic!("{op}: {start} + {length} elements along an axis of {shape:?} are too many to count"))
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("reshape", &[real(&[2, 3])], |x| x[0].reshape(&[3, 2])),
        Case::new("reshape", &[real(&[0, 3])], |x| x[0].reshape(&[3, 0, 1])).variant("empty"),
        Case::new("reshape", &[real(&[2, 3])], |x| x[0].unsqueeze(-1).squeeze(-1).unsqueeze(0))
            .variant("unsqueeze, squeeze"),
        Case::new("permute", &[real(&[2, 3, 2])], |x| x[0].permute(&[2, 0, 1])),
        Case::new("permute", &[real(&[2, 3])], |x| &x[0].transpose(0, 1) * &x[0].transpose(-1, -2))
            .variant("transpose twice"),
        Case::new("broadcast_to", &[real(&[2, 1])], |x| x[0].broadcast_to(&[3, 2, 4])),
        Case::new("narrow", &[real(&[4, 3])], |x| x[0].narrow(0, 1, 2)),
        Case::new("narrow", &[real(&[2, 4])], |x| &x[0].narrow(-1, 0, 3) * &x[0].narrow(-1, 1, 3))
            .variant("overlapping"),
        Case::new("narrow", &[real(&[2, 3])], |x| x[0].narrow(1, 1, 0)).variant("empty"),
        Case::new("cat", &[real(&[2, 1]), real(&[2, 3])], |x| Tensor::cat(&[&x[0], &x[1], &x[0]], 1)),
        Case::new("cat", &[real(&[2, 3]), real(&[2, 3])], |x| Tensor::stack(&[&x[0], &x[1]], -1)).variant("stack"),
        Case::new("pad", &[real(&[2, 3])], |x| x[0].pad(1, 2, 1, 0.5)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_share_memory() {
        let x = Tensor::from_vec((0..6).map(f64::from).collect(), &[2, 3]);
        assert_eq!(x.transpose(0, 1).view().as_ptr(), x.view().as_ptr());
        let (wide, columns) = (x.transpose(0, 1).unsqueeze(1), x.transpose(0, 1));
        assert_eq!((wide.view().as_ptr(), wide.shape()), (x.view().as_ptr(), &[3, 1, 2][..]));
        assert_eq!(wide.squeeze(1).view().strides(), columns.view().strides(), "not brought in order");
        assert_eq!(x.reshape(&[6]).view().as_ptr(), x.view().as_ptr());
        assert_eq!(x.narrow(0, 1, 1).to_vec(), [3.0, 4.0, 5.0]);
    }

    #[test]
    fn stacking_along_each_axis_puts_tensors_side_by_side() {
        let (x, y) = (Tensor::from_vec(vec![1.0, 2.0], &[2]), Tensor::from_vec(vec![3.0, 4.0], &[2]));
        assert_eq!(Tensor::stack(&[&x, &y], 0).to_vec(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(Tensor::stack(&[&x, &y], -1).to_vec(), [1.0, 3.0, 2.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "narrow: 1..4 of an axis of size 3, shape [3]")]
    fn narrowing_past_the_end_is_refused() {
        Tensor::<f32>::zeros(&[3]).narrow(0, 1, 3);
    }

    #[test]
    fn sizes_that_overflow_are_refused_at_the_callers_line_by_op_and_shape() {
        let x = Tensor::<f32>::zeros(&[3]);
        let empty = Tensor::<f32>::zeros(&[0]);
        let half = usize::MAX / 2 + 1; // twice this wraps to 0
        let huge = Tensor::<f32>::zeros(&[0]).reshape(&[half / 2, 0]);
        type Mistake<'a> = Box<dyn Fn() + 'a>;
        let mistakes: Vec<(&str, Mistake)> = vec![
            (
                "narrow: 18446744073709551615 + 2 elements along an axis of [3]",
                Box::new(|| _ = x.narrow(0, usize::MAX, 2)),
            ),
            ("narrow: 1 + 18446744073709551615 elements", Box::new(|| _ = x.narrow(0, 1, usize::MAX))),
            ("pad: 18446744073709551615 + 3 elements", Box::new(|| _ = x.pad(0, usize::MAX, 1, 0.0))),
            ("pad: 3 + 18446744073709551615 elements", Box::new(|| _ = x.pad(0, 0, usize::MAX, 0.0))),
            ("reshape: a tensor of shape [9223372036854775808, 2] has", Box::new(|| _ = empty.reshape(&[half, 2]))),
            (
                "reshape: a tensor of shape [9223372036854775808, 2, 0] has",
                Box::new(|| _ = empty.reshape(&[half, 2, 0])),
            ),
            (
                "from_vec: a tensor of shape [2, 9223372036854775808] has",
                Box::new(|| {
                    _ = Tensor::<f32>::from_vec(vec![], &[2, half]);
                }),
            ),
            ("full: a tensor of shape [2, 9223372036854775808] has", Box::new(|| _ = Tensor::<f32>::zeros(&[2, half]))),
            (
                "broadcast_to: a tensor of shape [9223372036854775808, 3] has",
                Box::new(|| _ = x.broadcast_to(&[half, 3])),
            ),
            (
                "cat: 4611686018427387904 + 4611686018427387904",
                Box::new(|| {
                    _ = Tensor::cat(&[&huge, &huge, &huge], 0);
                }),
            ),
            (
                "embedding: a tensor of shape [9223372036854775808, 2] has",
                Box::new(|| {
                    _ = Tensor::<f32>::zeros(&[2, 1]).embedding(&[], &[half, 2]);
                }),
            ),
            (
                "matmul: a tensor of shape [4611686018427387904, 4] has",
                Box::new(|| {
                    _ = huge.matmul(&Tensor::zeros(&[0, 4]));
                }),
            ),
            (
                "linear: a tensor of shape [4611686018427387904, 4] has",
                Box::new(|| {
                    _ = huge.linear(&Tensor::zeros(&[4, 0]), None);
                }),
            ),
            (
                "add: a tensor of shape [4611686018427387904, 4611686018427387904, 0] has",
                Box::new(|| {
                    _ = &huge + &huge.unsqueeze(1);
                }),
            ),
        ];
        for (expected, mistake) in mistakes {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(mistake)).expect_err(expected);
            let message = panic.downcast_ref::<String>().expect("a message");
            assert!(message.contains(expected), "{message}, not {expected}");
        }
    }
}
