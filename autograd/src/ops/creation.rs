//! Tensors made of a rule or of chance: ranges, one-hot rows, random numbers. Constant ones (`zeros`, `ones`, `full`) and those of given elements
//! are in `tensor.rs`. All are untracked; `tracked()` makes a leaf of one.

use crate::random::Stream;
use crate::{Scalar, Tensor, shape};

impl<T: Scalar> Tensor<T> {
    /// The numbers `start + i·step` before `end`, each computed by itself in double precision and rounded: `⌈(end − start) / step⌉` of them, none
    /// if that is not positive.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::<f32>::arange(0.0, 3.0, 1.0).to_vec(), [0.0, 1.0, 2.0]);
    /// assert_eq!(Tensor::<f64>::arange(1.0, 0.0, -0.5).to_vec(), [1.0, 0.5]);
    /// ```
    ///
    /// # Panics
    /// If the step is 0 or something is not finite.
    #[track_caller]
    pub fn arange(start: f64, end: f64, step: f64) -> Tensor<T> {
        let fits = start.is_finite() && end.is_finite() && step.is_finite() && step != 0.0;
        assert!(fits, "arange: from {start} to {end} by {step}");
        let n = ((end - start) / step).ceil().max(0.0) as usize;
        Tensor::from_vec((0..n).map(|i| T::of(start + i as f64 * step)).collect(), &[n])
    }

    /// Rows with 1 at the given index and 0 elsewhere. Product with a table is `embedding`, which does not build them.
    ///
    /// # Shapes
    /// `indices` one for each position of `leading`, in row-major order → (leading…, classes)
    ///
    /// # Panics
    /// If an index is not below `classes`, or the number of indices is not that of positions.
    #[track_caller]
    pub fn one_hot(indices: &[u32], leading: &[usize], classes: usize) -> Tensor<T> {
        assert_eq!(indices.len(), shape::len(leading), "one_hot: number of indices for positions {leading:?}");
        let mut rows = vec![T::zero(); indices.len() * classes];
        for (i, &index) in indices.iter().enumerate() {
            assert!((index as usize) < classes, "one_hot: index {index} among {classes} classes");
            rows[i * classes + index as usize] = T::one();
        }
        Tensor::from_vec(rows, &[leading, &[classes]].concat())
    }

    /// Numbers of the standard normal distribution, drawn from the stream in row-major order: in double precision and rounded, so `f32` and
    /// `f64` tensors of a stream are alike.
    pub fn randn(shape: &[usize], stream: &mut Stream) -> Tensor<T> {
        let mut elements = vec![T::zero(); shape::len(shape)];
        stream.fill_normal(&mut elements, 0.0, 1.0);
        Tensor::from_vec(elements, shape)
    }

    /// Numbers of the uniform distribution on [0, 1), multiples of 2⁻⁵³, drawn from the stream in row-major order. An `f32` may be 1: the nearest
    /// to a number above 1 − 2⁻²⁵.
    pub fn rand(shape: &[usize], stream: &mut Stream) -> Tensor<T> {
        use rand::RngExt;
        Tensor::from_vec((0..shape::len(shape)).map(|_| T::of(stream.random::<f64>())).collect(), shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;

    #[test]
    fn a_range_has_the_numbers_before_its_end_and_no_error_adds_up() {
        let tenths = Tensor::<f32>::arange(0.0, 1.0, 0.1).to_vec();
        assert_eq!(tenths, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
        assert_eq!(Tensor::<f32>::arange(1.0, 0.0, -0.3).shape(), [4]);
        assert_eq!(Tensor::<f32>::arange(3.0, 3.0, 1.0).shape(), [0]);
        assert_eq!(Tensor::<f32>::arange(3.0, 0.0, 1.0).shape(), [0]);
    }

    #[test]
    #[should_panic(expected = "arange: from 0 to 1 by 0")]
    fn a_range_without_a_step_is_refused() {
        Tensor::<f64>::arange(0.0, 1.0, 0.0);
    }

    #[test]
    fn one_hot_rows_times_a_table_are_its_rows() {
        let table = Tensor::from_vec((0..8).map(f64::from).collect(), &[4, 2]);
        let indices = [3, 0, 3, 1];
        let product = Tensor::one_hot(&indices, &[2, 2], 4).matmul(&table);
        assert_eq!(product.shape(), [2, 2, 2]);
        assert_eq!(product.to_vec(), table.embedding(&indices, &[2, 2]).to_vec());
    }

    #[test]
    #[should_panic(expected = "one_hot: index 3 among 3 classes")]
    fn an_index_without_a_class_is_named() {
        Tensor::<f32>::one_hot(&[0, 3], &[2], 3);
    }

    #[test]
    fn random_tensors_are_those_of_their_stream_in_either_precision() {
        let stream = || Streams::new(5).stream("noise");
        let (single, double) =
            (Tensor::<f32>::randn(&[50, 2], &mut stream()), Tensor::<f64>::randn(&[50, 2], &mut stream()));
        assert!(single.to_vec().iter().zip(double.to_vec()).all(|(&s, d)| s == d as f32));
        assert!(double.to_vec().iter().any(|z| z.abs() > 1.0));
        let mut uniform = stream();
        let first = Tensor::<f64>::rand(&[1000], &mut uniform);
        assert!(first.to_vec().iter().all(|u| (0.0..1.0).contains(u)));
        assert!((first.mean().item() - 0.5).abs() < 5.0 / (12.0f64 * 1000.0).sqrt());
        assert_ne!(first.to_vec(), Tensor::<f64>::rand(&[1000], &mut uniform).to_vec());
    }
}
