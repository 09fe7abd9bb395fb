//! Convolution layers over images: plain, and masked so that a pixel sees only what comes before it. Over time: `causal_convolution.rs`.

use super::{Param, init};
use crate::ops::Convolution;
use crate::random::Stream;
use crate::{Scalar, Tensor, module};
use ndarray::ArrayD;

/// A 2-D convolution of stride 1. PyTorch's `nn.Conv2d`: weight (out, in, height, width) and bias (out), both drawn from
/// U(±1/√(in · height · width)).
///
/// ```
/// use autograd::{Convolution, Tensor, nn::Conv2d, random::Streams};
/// let same = Convolution::default().padded([1, 1], [1, 1]);
/// let layer = Conv2d::<f32>::new(3, 8, [3, 3], same, &mut Streams::new(1).stream("init"));
/// assert_eq!(layer.forward(&Tensor::zeros(&[2, 3, 28, 28])).shape(), [2, 8, 28, 28]);
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d<T> {
    /// (out, in, height, width).
    pub weight: Param<T>,
    /// (out); a layer may do without.
    pub bias: Option<Param<T>>,
    /// Padding, dilation, and which places of the kernel are there.
    pub how: Convolution,
}

module!(Conv2d { weight, bias });

impl<T: Scalar> Conv2d<T> {
    /// A layer from `inputs` to `outputs` channels, with bias.
    pub fn new(inputs: usize, outputs: usize, kernel: [usize; 2], how: Convolution, stream: &mut Stream) -> Self {
        let bound = 1.0 / ((inputs * kernel[0] * kernel[1]) as f64).sqrt();
        let weight = init::uniform(&[outputs, inputs, kernel[0], kernel[1]], bound, stream);
        Conv2d { weight, bias: Some(init::uniform(&[outputs], bound, stream)), how }
    }

    /// # Shapes
    /// (B, in, H, W) → (B, out, H', W'), as [`Tensor::conv2d`]
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.conv2d(&self.weight, self.bias.as_deref(), &self.how)
    }

    /// `y + forward(x)`: what a residual block ends with, in one pass over y.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward_onto(&self, x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
        x.conv2d_onto(&self.weight, self.bias.as_deref(), &self.how, y)
    }
}

/// What a masked kernel keeps of its centre. Both keep the rows above it, and what lies to the left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Groups of input channels before the output's own: nothing, in grey. For the first layer.
    A,
    /// These and the output's own group. For all layers but the first.
    B,
}

impl Mask {
    /// 1 where an output channel may see an input channel at a place of the kernel, else 0.
    ///
    /// The channels of a layer are cut into `groups` equal blocks, one for each colour, in order.
    ///
    /// # Shapes
    /// → (out, in, height, width)
    ///
    /// # Panics
    /// If a side of the kernel is even, or channels are no whole number of groups.
    #[track_caller]
    pub fn of<T: Scalar>(self, inputs: usize, outputs: usize, kernel: [usize; 2], groups: usize) -> ArrayD<T> {
        assert!(kernel.iter().all(|size| size % 2 == 1), "masked convolution: a kernel of {kernel:?} has no centre");
        let whole = groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups);
        assert!(whole, "masked convolution: {inputs} to {outputs} channels in {groups} groups");
        let centre = kernel.map(|size| size / 2);
        ArrayD::from_shape_fn(vec![outputs, inputs, kernel[0], kernel[1]], |at| {
            let (output, input) = (at[0] / (outputs / groups), at[1] / (inputs / groups));
            let seen = match [at[2], at[3]].cmp(&centre) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Greater => false,
                std::cmp::Ordering::Equal => input < output || (self == Mask::B && input == output),
            };
            if seen { T::one() } else { T::zero() }
        })
    }
}

/// A 2-D convolution in which a pixel sees the rows above it and what lies to the left of it in its own: weight
/// (out, in, height, width), bias (out), as those of [`Conv2d`]; both drawn from U(±1/√n), n the inputs that the first output sees,
/// at least 1.
///
/// The mask multiplies the weight in the graph, so the gradient of what is masked is exactly 0; places that are masked for
/// all channels are not multiplied at all.
///
/// Source: van den Oord, Kalchbrenner & Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, section 3.4.
#[derive(Clone, Debug)]
pub struct MaskedConv2d<T> {
    /// (out, in, height, width).
    pub weight: Param<T>,
    /// (out).
    pub bias: Param<T>,
    mask: Tensor<T>,
    how: Convolution,
}

module!(MaskedConv2d { weight, bias });

impl<T: Scalar> MaskedConv2d<T> {
    /// A layer from `inputs` to `outputs` channels that keeps height and width.
    ///
    /// # Panics
    /// As [`Mask::of`].
    #[track_caller]
    pub fn new(
        mask: Mask,
        [inputs, outputs]: [usize; 2],
        kernel: [usize; 2],
        groups: usize,
        stream: &mut Stream,
    ) -> Self {
        Self::of_mask(mask.of(inputs, outputs, kernel, groups), stream)
    }

    /// A layer to the two halves of a gate ([`Tensor::gated_tanh`]): 2 · `outputs` channels, each half in groups of its own.
    ///
    /// # Panics
    /// As [`Mask::of`].
    #[track_caller]
    pub fn gated(mask: Mask, channels: [usize; 2], kernel: [usize; 2], groups: usize, stream: &mut Stream) -> Self {
        Self::in_blocks(2, mask, channels, kernel, groups, stream)
    }

    /// A layer to so many blocks of `outputs` channels, each block in groups of its own: the gates of an LSTM.
    ///
    /// # Panics
    /// As [`Mask::of`], or if there is no block.
    #[track_caller]
    pub fn in_blocks(
        blocks: usize,
        mask: Mask,
        [inputs, outputs]: [usize; 2],
        kernel: [usize; 2],
        groups: usize,
        stream: &mut Stream,
    ) -> Self {
        let block: ArrayD<T> = mask.of(inputs, outputs, kernel, groups);
        let all = ndarray::concatenate(ndarray::Axis(0), &vec![block.view(); blocks]);
        Self::of_mask(all.expect("one block or more, of equal shapes"), stream)
    }

    fn of_mask(mask: ArrayD<T>, stream: &mut Stream) -> Self {
        let [outputs, inputs, height, width] = mask.shape().try_into().expect("rank 4");
        let kernel = [height, width];
        let seen = mask.iter().take(inputs * kernel[0] * kernel[1]).filter(|&&m| m != T::zero()).count();
        let bound = 1.0 / (seen.max(1) as f64).sqrt();
        let weight = init::uniform(&[outputs, inputs, kernel[0], kernel[1]], bound, stream);
        let bias = init::uniform(&[outputs], bound, stream);
        let place = |at: [usize; 2]| mask.slice(ndarray::s![.., .., at[0], at[1]]).iter().any(|&m| m != T::zero());
        let centre = kernel.map(|size| (size / 2) as isize);
        let how = Convolution::default().padded([centre[0]; 2], [centre[1]; 2]).only(&kernel, place);
        MaskedConv2d { weight, bias, mask: Tensor::new(mask), how }
    }

    /// The same layer of the ReLU of its input.
    pub fn of_relu(self) -> Self {
        MaskedConv2d { how: self.how.of_relu(), ..self }
    }

    /// 1 where an output channel sees an input channel at a place of the kernel, else 0.
    pub fn mask(&self) -> &Tensor<T> {
        &self.mask
    }

    /// The weight, 0 where it is masked.
    pub fn masked(&self) -> Tensor<T> {
        &*self.weight * &self.mask
    }

    /// Padding, and which places of the kernel are there.
    pub fn how(&self) -> &Convolution {
        &self.how
    }

    /// # Shapes
    /// (B, in, H, W) → (B, out, H, W)
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.conv2d(&self.masked(), Some(&self.bias), &self.how)
    }

    /// `y + forward(x)`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward_onto(&self, x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
        x.conv2d_onto(&self.masked(), Some(&self.bias), &self.how, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;

    #[test]
    fn masks_keep_what_comes_before_and_b_the_centre() {
        let mask = |mask: Mask| mask.of::<f64>(1, 1, [3, 3], 1).into_iter().collect::<Vec<_>>();
        assert_eq!(mask(Mask::A), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(mask(Mask::B), [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn of_the_centre_a_colour_sees_those_before_it_and_under_b_itself() {
        let centre = |mask: Mask| mask.of::<f64>(3, 6, [1, 1], 3).into_iter().map(|m| m as u8).collect::<Vec<_>>();
        assert_eq!(centre(Mask::A), [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0]);
        assert_eq!(centre(Mask::B), [1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn masked_entries_have_a_gradient_of_exactly_zero() {
        let layer = MaskedConv2d::<f64>::new(Mask::B, [3, 6], [3, 3], 3, &mut Streams::new(1).stream("init"));
        let x = Tensor::from_vec((0..75).map(|i| f64::from(i).sin()).collect(), &[1, 3, 5, 5]);
        let gradients = layer.forward(&x).sum().backward();
        let pairs = gradients.of(&layer.weight).unwrap().iter().zip(layer.mask.value());
        pairs.for_each(|(&g, &m)| assert_eq!(g == 0.0, m == 0.0));
    }

    #[test]
    fn a_layer_of_the_relu_equals_the_layer_after_a_relu_in_value_and_gradient() {
        let layer = MaskedConv2d::<f64>::new(Mask::B, [2, 2], [3, 3], 1, &mut Streams::new(1).stream("init"));
        let x = Tensor::from_vec((0..40).map(|i| f64::from(i).sin()).collect(), &[1, 2, 4, 5]).tracked();
        let (fused, composed) = (layer.clone().of_relu().forward(&x), layer.forward(&x.relu()));
        assert_eq!(fused.to_vec(), composed.to_vec());
        assert_ne!(fused.to_vec(), layer.forward(&x).to_vec());
        assert_eq!(fused.sum().backward().of(&x), composed.sum().backward().of(&x));
    }
}
