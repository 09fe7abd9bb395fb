//! A convolution as its layer has it, cut into the pieces of its chains that are computed at one time.

use autograd::Scalar;
use autograd::kernels::convolution::Tap;
use autograd::kernels::gemm::Matrix;
use autograd::kernels::packed::Packed;
use autograd::nn::{Conv2d, MaskedConv2d};

/// A convolution as a layer has it: its weight, 0 where it is masked, and what of it is there.
pub struct Kernel<T> {
    /// (O, I, places), 0 where masked.
    weight: Vec<T>,
    /// (O).
    pub bias: Vec<T>,
    /// I.
    pub inputs: usize,
    /// In the order of the chains, the number of a place and what it reads.
    pub taps: Vec<(usize, Tap)>,
    places: usize,
    /// Whether it is of the ReLU of its input.
    pub relu: bool,
    /// (O): how many channels of its own pixel an output sees.
    pub own: Vec<usize>,
}

impl<T: Scalar> Kernel<T> {
    /// Of a masked layer.
    pub fn masked(layer: &MaskedConv2d<T>) -> Self {
        let [outputs, inputs, height, width]: [usize; 4] = layer.weight.shape().try_into().expect("rank 4");
        let sees = |o: usize, i: usize| layer.mask().value()[[o, i, height / 2, width / 2]] != T::zero();
        let own = (0..outputs).map(|o| (0..inputs).take_while(|&i| sees(o, i)).count()).collect();
        Kernel {
            weight: layer.masked().to_vec(),
            bias: layer.bias.values().to_vec(),
            inputs,
            taps: layer.how().taps(&[height, width]).collect(),
            places: height * width,
            relu: layer.how().is_of_relu(),
            own,
        }
    }

    /// Of a layer without a mask.
    pub fn plain(layer: &Conv2d<T>) -> Self {
        let [outputs, inputs, height, width]: [usize; 4] = layer.weight.shape().try_into().expect("rank 4");
        Kernel {
            weight: layer.weight.values().to_vec(),
            bias: layer.bias.as_ref().map_or_else(|| vec![T::zero(); outputs], |bias| bias.values().to_vec()),
            inputs,
            taps: layer.how.taps(&[height, width]).collect(),
            places: height * width,
            relu: layer.how.is_of_relu(),
            own: vec![inputs; outputs],
        }
    }

    /// Steps of the chains of these outputs, each by the number of a place and a channel of the input.
    pub fn packed(&self, steps: &[(usize, usize)], outputs: &[usize]) -> Packed<T> {
        let mut matrix = vec![T::zero(); steps.len() * outputs.len()];
        for (&(place, input), row) in steps.iter().zip(matrix.chunks_exact_mut(outputs.len())) {
            let weight = |&o: &usize| self.weight[(o * self.inputs + input) * self.places + place];
            row.iter_mut().zip(outputs).for_each(|(value, o)| *value = weight(o));
        }
        Packed::new(Matrix::new(&matrix, steps.len(), outputs.len())).compacted()
    }
}
