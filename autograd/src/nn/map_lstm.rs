//! LSTM layers over images, of which a pixel sees only what comes before it: the Row LSTM and the Diagonal BiLSTM.
//!
//! Both take the input's part of the gates from a masked convolution over all pixels at once, four gates in blocks of i, f, g, o, each
//! block in colour groups. The state's part reads earlier pixels alone, so all of their colours. It has no bias: the input's part has one.
//!
//! Source: van den Oord, Kalchbrenner & Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, sections 3.1 and 3.2.

use super::{Mask, MaskedConv2d, Param, init};
use crate::random::Stream;
use crate::{Scalar, Tensor, Wavefront, module};

/// The weight on the state: U(±1/√(H · K)), as PyTorch's `nn.Conv1d`.
fn state_weight<T: Scalar>(hidden: usize, kernel: usize, stream: &mut Stream) -> Param<T> {
    init::uniform(&[4 * hidden, hidden, kernel], 1.0 / ((hidden * kernel) as f64).sqrt(), stream)
}

/// Goes from row to row: a pixel sees the rows above in a triangle that widens by half a kernel a row, and what `input_to_state` sees.
///
/// `input_to_state` is a 1 × K convolution under mask B; weight_hh (4H, H, K), unmasked, reads the state of the row above.
#[derive(Clone, Debug)]
pub struct RowLstm<T> {
    /// 1 × K, mask B, to the four gates.
    pub input_to_state: MaskedConv2d<T>,
    /// (4H, H, K).
    pub weight_hh: Param<T>,
}

module!(RowLstm { input_to_state, weight_hh });

impl<T: Scalar> RowLstm<T> {
    /// A layer of images of so many colours, from `inputs` to `hidden` channels.
    ///
    /// # Panics
    /// If the kernel is even, or channels are no whole number of colours.
    #[track_caller]
    pub fn new([inputs, hidden]: [usize; 2], kernel: usize, colours: usize, stream: &mut Stream) -> Self {
        let input_to_state = MaskedConv2d::in_blocks(4, Mask::B, [inputs, hidden], [1, kernel], colours, stream);
        RowLstm { input_to_state, weight_hh: state_weight(hidden, kernel, stream) }
    }

    /// # Shapes
    /// (B, in, H, W) → (B, hidden, H, W)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        self.input_to_state.forward(x).lstm_map(&self.weight_hh, Wavefront::Rows)
    }
}

/// Goes from diagonal to diagonal, from the top left corner or from the top right: a pixel sees all that lies above it and to the one side.
///
/// From the right it sees pixels to its right, which come after it: [`DiagonalBiLstm`] says what then keeps the order.
/// `input_to_state` is 1 × 1 under mask B; weight_hh (4H, H, 2) reads the state above the pixel, then the one beside it.
#[derive(Clone, Debug)]
pub struct DiagonalLstm<T> {
    /// 1 × 1, mask B, to the four gates.
    pub input_to_state: MaskedConv2d<T>,
    /// (4H, H, 2).
    pub weight_hh: Param<T>,
    wavefront: Wavefront,
}

module!(DiagonalLstm { input_to_state, weight_hh });

impl<T: Scalar> DiagonalLstm<T> {
    /// A layer of images of so many colours, from `inputs` to `hidden` channels; mirrored: from the right.
    ///
    /// # Panics
    /// If channels are no whole number of colours.
    #[track_caller]
    pub fn new([inputs, hidden]: [usize; 2], mirrored: bool, colours: usize, stream: &mut Stream) -> Self {
        let input_to_state = MaskedConv2d::in_blocks(4, Mask::B, [inputs, hidden], [1, 1], colours, stream);
        let wavefront = if mirrored { Wavefront::MirroredDiagonals } else { Wavefront::Diagonals };
        DiagonalLstm { input_to_state, weight_hh: state_weight(hidden, 2, stream), wavefront }
    }

    /// # Shapes
    /// (B, in, H, W) → (B, hidden, H, W)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        self.input_to_state.forward(x).lstm_map(&self.weight_hh, self.wavefront)
    }
}

/// `left + right shifted down one row`, zeros in the first: a pixel sees all pixels above it but the last of the row above, and all to its
/// left.
///
/// Without the shift, what comes from the right would have seen the rest of the pixel's own row.
#[derive(Clone, Debug)]
pub struct DiagonalBiLstm<T> {
    /// From the top left corner.
    pub left: DiagonalLstm<T>,
    /// From the top right corner.
    pub right: DiagonalLstm<T>,
}

module!(DiagonalBiLstm { left, right });

impl<T: Scalar> DiagonalBiLstm<T> {
    /// A layer of images of so many colours, from `inputs` to `hidden` channels.
    ///
    /// # Panics
    /// If channels are no whole number of colours.
    #[track_caller]
    pub fn new(channels: [usize; 2], colours: usize, stream: &mut Stream) -> Self {
        let left = DiagonalLstm::new(channels, false, colours, stream);
        DiagonalBiLstm { left, right: DiagonalLstm::new(channels, true, colours, stream) }
    }

    /// # Shapes
    /// (B, in, H, W) → (B, hidden, H, W)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        // Channels last, as they lie in memory.
        let right = self.right.forward(x).permute(&[0, 2, 3, 1]);
        let rows = right.shape()[1];
        let shifted = right.narrow(1, 0, rows.saturating_sub(1)).pad(1, rows.min(1), 0, T::zero());
        self.left.forward(x) + shifted.permute(&[0, 3, 1, 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Module;
    use crate::random::Streams;
    use std::collections::HashMap;

    /// The gates of one pixel and its new cell and state, from elementary ops; each (B, C).
    fn composed_step(gates: &Tensor<f64>, cell: &Tensor<f64>) -> [Tensor<f64>; 2] {
        let hidden = cell.shape()[1];
        let gate = |i: usize| gates.narrow(1, i * hidden, hidden);
        let cell = &gate(1).sigmoid() * cell + &gate(0).sigmoid() * &gate(2).tanh();
        [&gate(3).sigmoid() * &cell.tanh(), cell]
    }

    /// The formula pixel by pixel: `reads` are the places of the kernel, rows down and columns to the right; `cell` is one of them.
    fn composed(gates: &Tensor<f64>, weight: &Tensor<f64>, reads: &[[isize; 2]], cell: [isize; 2]) -> Tensor<f64> {
        let [batch, _, height, width]: [usize; 4] = gates.shape().try_into().unwrap();
        let hidden = weight.shape()[1];
        let mut done: HashMap<[isize; 2], [Tensor<f64>; 2]> = HashMap::new();
        let zero = [Tensor::zeros(&[batch, hidden]), Tensor::zeros(&[batch, hidden])];
        let mirrored = cell[1] > 0;
        for row in 0..height as isize {
            for step in 0..width as isize {
                let col = if mirrored { width as isize - 1 - step } else { step };
                let at = |by: [isize; 2], done: &HashMap<_, [Tensor<f64>; 2]>, which: usize| {
                    done.get(&[row + by[0], col + by[1]]).unwrap_or(&zero)[which].clone()
                };
                let mut sum = gates.narrow(2, row as usize, 1).narrow(3, col as usize, 1).reshape(&[batch, 4 * hidden]);
                for (place, &by) in reads.iter().enumerate() {
                    sum = sum + at(by, &done, 0).linear(&weight.narrow(2, place, 1).squeeze(2), None);
                }
                let new = composed_step(&sum, &at(cell, &done, 1));
                done.insert([row, col], new);
            }
        }
        let state = |i: usize| done[&[(i / width) as isize, (i % width) as isize]][0].clone();
        let states: Vec<Tensor<f64>> = (0..height * width).map(state).collect();
        Tensor::stack(&states.iter().collect::<Vec<_>>(), 2).reshape(&[batch, hidden, height, width])
    }

    fn same<M: Module<f64>>(module: &M, x: &Tensor<f64>, fused: Tensor<f64>, composed: Tensor<f64>) {
        let close = |a: f64, b: f64| approx::assert_relative_eq!(a, b, epsilon = 1e-13, max_relative = 1e-11);
        fused.to_vec().into_iter().zip(composed.to_vec()).for_each(|(a, b)| close(a, b));
        let seed = fused.value().mapv(|z| (9.0 * z).sin() + 0.3);
        let (a, b) = (fused.backward_with(seed.to_owned()), composed.backward_with(seed.to_owned()));
        let parameters = module.parameters();
        for leaf in parameters.iter().map(|(_, param)| &***param).chain([x]) {
            a.of(leaf).unwrap().iter().zip(b.of(leaf).unwrap()).for_each(|(&a, &b)| close(a, b));
        }
    }

    fn image(shape: &[usize]) -> Tensor<f64> {
        let len = shape.iter().product();
        Tensor::from_vec((0..len).map(|i| (1.3 * i as f64).sin()).collect(), shape).tracked()
    }

    #[test]
    fn the_fused_row_lstm_equals_the_composed_form_in_value_and_every_gradient() {
        let layer = RowLstm::new([2, 3], 3, 1, &mut Streams::new(3).stream("init"));
        let x = image(&[2, 2, 4, 5]);
        let gates = layer.input_to_state.forward(&x);
        let reference = composed(&gates, &layer.weight_hh, &[[-1, -1], [-1, 0], [-1, 1]], [-1, 0]);
        same(&layer, &x, layer.forward(&x), reference);
    }

    #[test]
    fn the_fused_diagonal_lstm_equals_the_composed_form_from_either_side() {
        for (mirrored, side) in [(false, -1), (true, 1)] {
            let layer = DiagonalLstm::new([2, 3], mirrored, 1, &mut Streams::new(4).stream("init"));
            let x = image(&[2, 2, 4, 5]);
            let gates = layer.input_to_state.forward(&x);
            let reference = composed(&gates, &layer.weight_hh, &[[-1, 0], [0, side]], [0, side]);
            same(&layer, &x, layer.forward(&x), reference);
        }
    }

    #[test]
    fn what_comes_from_the_right_is_that_of_the_mirrored_image_and_one_row_late() {
        let layer = DiagonalBiLstm::new([2, 3], 1, &mut Streams::new(5).stream("init"));
        let x = image(&[2, 2, 4, 5]);
        let right = DiagonalLstm { wavefront: Wavefront::Diagonals, ..layer.right.clone() };
        let right = right.forward(&x.flip(&[3])).flip(&[3]);
        let both = layer.left.forward(&x) + right.narrow(2, 0, 3).pad(2, 1, 0, 0.0);
        assert_eq!(layer.forward(&x).to_vec(), both.to_vec());
        let nothing = layer.forward(&image(&[2, 2, 0, 5]));
        assert_eq!(nothing.shape(), [2, 3, 0, 5]);
    }
}
