//! The weight of a convolution as the matrices that the kernel multiplies by, and its gradient back from one.

use crate::Scalar;
use crate::tensor::Value;
use ndarray::ArrayD;

/// The weight of a convolution, (O, I, KH, KW) row-major, as the kernel multiplies by it.
pub(super) struct Weight<T> {
    pub values: Value<T>,
    /// O, I, and the places of the kernel, KH · KW.
    pub sizes: [usize; 3],
    /// The places that are multiplied.
    pub live: Vec<usize>,
}

impl<T: Scalar> Weight<T> {
    /// (live · I, O): for each tap and channel a value for each output.
    pub fn forward(&self) -> Vec<T> {
        let ([outputs, inputs, places], live) = (self.sizes, self.live.len());
        let mut matrix = vec![T::zero(); live * inputs * outputs];
        self.each(
            |place, c, o| (o * inputs + c) * places + self.live[place],
            |place, c, o| (place * inputs + c) * outputs + o,
            &mut matrix,
        );
        matrix
    }

    /// (live · O, I): for each tap and output a value for each channel.
    pub fn backward(&self) -> Vec<T> {
        let ([outputs, inputs, places], live) = (self.sizes, self.live.len());
        let mut matrix = vec![T::zero(); live * outputs * inputs];
        self.each(
            |place, c, o| (o * inputs + c) * places + self.live[place],
            |place, c, o| (place * outputs + o) * inputs + c,
            &mut matrix,
        );
        matrix
    }

    fn each(
        &self,
        from: impl Fn(usize, usize, usize) -> usize,
        to: impl Fn(usize, usize, usize) -> usize,
        matrix: &mut [T],
    ) {
        let values = self.values.as_slice().expect("row-major");
        let [outputs, inputs, _] = self.sizes;
        for o in 0..outputs {
            for c in 0..inputs {
                for place in 0..self.live.len() {
                    matrix[to(place, c, o)] = values[from(place, c, o)];
                }
            }
        }
    }

    /// A gradient (live · I, O) in the places of the weight, zeros elsewhere.
    pub fn scatter(&self, gradient: &[T], shape: &[usize]) -> ArrayD<T> {
        let [outputs, inputs, places] = self.sizes;
        let mut all = vec![T::zero(); outputs * inputs * places];
        for (row, gradient) in gradient.chunks_exact(outputs.max(1)).enumerate() {
            let (place, c) = (self.live[row / inputs], row % inputs);
            gradient.iter().enumerate().for_each(|(o, &g)| all[(o * inputs + c) * places + place] = g);
        }
        ArrayD::from_shape_vec(shape, all).expect("as many as the weight")
    }
}
