//! A tensor cut into parts along an axis, and its elements in reverse. Putting together (`cat`, `stack`) and other views are in `view.rs`.

use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor, shape};
use ndarray::{ArrayD, Axis};

/// `x` in reverse along each of the axes, in new memory.
fn reversed<T: Scalar>(mut x: ndarray::ArrayViewD<T>, axes: &[usize]) -> ArrayD<T> {
    axes.iter().for_each(|&axis| x.invert_axis(Axis(axis)));
    x.as_standard_layout().into_owned()
}

impl<T: Scalar> Tensor<T> {
    /// The parts of `size` elements along an axis, the last one with what is left. Views. One empty part of an empty axis, as in PyTorch.
    ///
    /// # Panics
    /// If the axis does not exist or `size` is 0.
    #[track_caller]
    pub fn split(&self, size: usize, axis: isize) -> Vec<Tensor<T>> {
        assert!(size > 0, "split: into parts of size 0");
        let n = self.shape()[shape::axis("split", axis, self.rank())];
        let mut parts = Vec::new();
        for start in (0..n.max(1)).step_by(size) {
            parts.push(self.narrow(axis, start, size.min(n - start)));
        }
        parts
    }

    /// Parts of the given sizes along an axis, one after another. Views.
    ///
    /// # Panics
    /// If the axis does not exist or the sizes do not add up to its size.
    #[track_caller]
    pub fn split_with_sizes(&self, sizes: &[usize], axis: isize) -> Vec<Tensor<T>> {
        let n = self.shape()[shape::axis("split_with_sizes", axis, self.rank())];
        assert_eq!(
            sizes.iter().sum::<usize>(),
            n,
            "split_with_sizes: {sizes:?} along axis {axis} of {:?}",
            self.shape()
        );
        let (mut parts, mut start) = (Vec::new(), 0);
        for &size in sizes {
            parts.push(self.narrow(axis, start, size));
            start += size;
        }
        parts
    }

    /// At most `chunks` parts of equal size along an axis, `⌈n / chunks⌉`, the last one with what is left. Views.
    ///
    /// As in PyTorch there may be fewer parts: 10 elements in 6 chunks are 5 parts of 2. An empty axis gives `chunks` empty parts.
    ///
    /// # Panics
    /// If the axis does not exist or `chunks` is 0.
    #[track_caller]
    pub fn chunk(&self, chunks: usize, axis: isize) -> Vec<Tensor<T>> {
        assert!(chunks > 0, "chunk: into 0 parts");
        match self.shape()[shape::axis("chunk", axis, self.rank())] {
            0 => self.split_with_sizes(&vec![0; chunks], axis),
            n => self.split(n.div_ceil(chunks), axis),
        }
    }

    /// The elements in reverse order along each of the axes. `∂x` is g, reversed back.
    ///
    /// New memory, as in PyTorch: a view of negative strides would put every op after it on its slow path.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn flip(&self, axes: &[isize]) -> Tensor<T> {
        let axes = super::reduce::sorted_axes("flip", axes, self.rank());
        let z = reversed(self.view(), &axes);
        Tensor::from_op("flip", z, [self], move |g, [dx]| dx.add(|| reversed(g.view(), &axes)))
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let parts = |x: &[Tensor<f64>]| {
        let parts = x[0].chunk(3, -1);
        &(&parts[0] * &parts[1]) + &parts[2]
    };
    let uneven = |x: &[Tensor<f64>]| {
        let parts = x[0].split(3, 0);
        parts[0].matmul(&x[1]).narrow(0, 0, 1).mul(&parts[1])
    };
    let sizes = |x: &[Tensor<f64>]| {
        let parts = x[0].split_with_sizes(&[1, 0, 3], 1);
        &parts[0] * &parts[2]
    };
    vec![
        Case::new("flip", &[real(&[2, 3])], |x| x[0].flip(&[1])),
        Case::new("flip", &[real(&[2, 3, 2])], |x| x[0].flip(&[0, -1])).variant("two axes"),
        Case::new("flip", &[real(&[2, 3])], |x| &x[0].flip(&[0]) * &x[0]).variant("beside itself"),
        Case::new("flip", &[real(&[0, 2])], |x| x[0].flip(&[0])).variant("empty"),
        Case::new("flip", &[real(&[3])], |x| x[0].flip(&[])).variant("no axis"),
        Case::new("narrow", &[real(&[2, 6])], parts).variant("chunk"),
        Case::new("narrow", &[real(&[4, 2]), real(&[2, 2])], uneven).variant("split"),
        Case::new("narrow", &[real(&[2, 4])], sizes).variant("split_with_sizes"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(parts: &[Tensor<f32>]) -> Vec<usize> {
        parts.iter().map(|part| part.shape()[0]).collect()
    }

    #[test]
    fn parts_have_the_sizes_that_pytorch_gives_them() {
        let x = |n: usize| Tensor::<f32>::zeros(&[n]);
        assert_eq!(sizes(&x(10).chunk(4, 0)), [3, 3, 3, 1]);
        assert_eq!(sizes(&x(10).chunk(6, 0)), [2, 2, 2, 2, 2]);
        assert_eq!(sizes(&x(2).chunk(5, 0)), [1, 1]);
        assert_eq!(sizes(&x(0).chunk(3, 0)), [0, 0, 0]);
        assert_eq!(sizes(&x(7).split(3, 0)), [3, 3, 1]);
        assert_eq!(sizes(&x(0).split(3, 0)), [0]);
    }

    #[test]
    fn parts_put_together_are_the_whole_and_share_its_memory() {
        let x = Tensor::from_vec((0..12).map(f64::from).collect(), &[2, 6]);
        let parts = x.chunk(4, 1);
        assert_eq!(Tensor::cat(&parts.iter().collect::<Vec<_>>(), 1).to_vec(), x.to_vec());
        assert_eq!(parts[0].view().as_ptr(), x.view().as_ptr());
    }

    #[test]
    fn flipping_reverses_every_axis_named() {
        let x = Tensor::from_vec((0..6).map(f64::from).collect(), &[2, 3]);
        assert_eq!(x.flip(&[1]).to_vec(), [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]);
        assert_eq!(x.flip(&[0, 1]).to_vec(), [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
        assert_eq!(x.flip(&[-2]).transpose(0, 1).flip(&[1]).to_vec(), x.transpose(0, 1).to_vec());
    }

    #[test]
    #[should_panic(expected = "split_with_sizes: [1, 3] along axis 1 of [2, 5]")]
    fn sizes_that_leave_something_over_are_refused() {
        Tensor::<f32>::zeros(&[2, 5]).split_with_sizes(&[1, 3], 1);
    }
}
