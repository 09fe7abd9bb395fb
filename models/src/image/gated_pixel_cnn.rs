//! The Gated PixelCNN: two stacks of gated convolutions without a blind spot, conditional on a class where there is one.
//!
//! The vertical stack sees all rows above a pixel, the horizontal stack what lies to the left of it in its own row; each layer of the
//! horizontal stack is told what the vertical one found above. Nothing leaks the other way. The first vertical layer excludes its
//! pixel's own row, so no feature of a row was computed from that row, and links need no shift.
//!
//! Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", 2016, sections 2.1 to 2.3 and figure 2. Two
//! choices are ours: the link takes the vertical stack after its gate, half as many channels, and the output reads the sum of
//! what all layers' skip connections give.

use super::network::Sizes;
use autograd::nn::{Conv2d, Embedding, Mask, MaskedConv2d};
use autograd::random::Stream;
use autograd::{Convolution, Scalar, Tensor, module};

/// Columns to either side of a pixel that the first layer sees, and rows above it.
const REACH: usize = 3;

/// A layer of both stacks. With v and h their features, s the class:
/// `v' = tanh(W_f v + V_f s) ⊙ σ(W_g v + V_g s)`; `h' = h + 1×1(gate(W h + U v' + V s))`, h left out in the first layer.
#[derive(Clone, Debug)]
pub struct Layer<T> {
    /// W of the vertical stack: rows above, in the layers after the first the features of the own row as well.
    pub vertical: Conv2d<T>,
    /// W of the horizontal stack: what lies to the left, in the layers after the first the own features as well.
    pub horizontal: MaskedConv2d<T>,
    /// U, 1 × 1 from the vertical stack to the horizontal.
    pub link: Conv2d<T>,
    /// 1 × 1 back onto the horizontal stack, which the last layer ends.
    pub residual: Option<MaskedConv2d<T>>,
    /// 1 × 1 to the output.
    pub skip: MaskedConv2d<T>,
    /// V of the vertical stack, a row for each class.
    pub vertical_class: Option<Embedding<T>>,
    /// V of the horizontal stack.
    pub horizontal_class: Option<Embedding<T>>,
}

module!(Layer { vertical, horizontal, link, residual, skip, vertical_class, horizontal_class });

/// What passes from layer to layer.
struct Features<T> {
    vertical: Tensor<T>,
    horizontal: Tensor<T>,
    /// The sum of the skip connections so far.
    skips: Tensor<T>,
}

impl<T: Scalar> Layer<T> {
    fn new(
        sizes: Sizes,
        inputs: Option<usize>,
        last: bool,
        colours: usize,
        classes: usize,
        stream: &mut Stream,
    ) -> Self {
        let p = sizes.hidden;
        let reach = REACH as isize;
        // The first layer reads the image, strictly above and strictly before; the others read features that already are.
        let (mask, vertical, horizontal) = match inputs {
            Some(_) => ([REACH, 2 * REACH + 1], Convolution::default().padded([reach, -1], [reach; 2]), Mask::A),
            None => ([2, 3], Convolution::default().padded([1, 0], [1; 2]), Mask::B),
        };
        let (channels, width) = inputs.map_or((p, 3), |inputs| (inputs, 2 * REACH + 1));
        let class = |stream: &mut Stream| (classes > 0).then(|| Embedding::new(classes, 2 * p, stream));
        Layer {
            vertical: Conv2d::new(channels, 2 * p, mask, vertical, stream),
            horizontal: MaskedConv2d::gated(horizontal, [channels, p], [1, width], colours, stream),
            link: Conv2d::new(p, 2 * p, [1, 1], Convolution::default(), stream),
            residual: (!last).then(|| MaskedConv2d::new(Mask::B, [p, p], [1, 1], colours, stream)),
            skip: MaskedConv2d::new(Mask::B, [p, sizes.head], [1, 1], colours, stream),
            vertical_class: class(stream),
            horizontal_class: class(stream),
        }
    }

    fn forward(&self, features: Features<T>, first: bool, classes: Option<&[u32]>) -> Features<T> {
        let condition = |table: &Option<Embedding<T>>| {
            table.as_ref().zip(classes).map(|(table, classes)| table.forward(classes, &[classes.len()]))
        };
        let Features { vertical, horizontal, skips } = features;
        let vertical = self.vertical.forward(&vertical).gated_tanh(condition(&self.vertical_class).as_ref());
        let before = self.horizontal.forward(&horizontal);
        let gated = self.link.forward_onto(&vertical, &before).gated_tanh(condition(&self.horizontal_class).as_ref());
        let skips = if first { self.skip.forward(&gated) } else { self.skip.forward_onto(&gated, &skips) };
        let horizontal = match &self.residual {
            Some(residual) if first => residual.forward(&gated),
            Some(residual) => residual.forward_onto(&gated, &horizontal),
            None => horizontal,
        };
        Features { vertical, horizontal, skips }
    }
}

/// A Gated PixelCNN up to the parameters of its distributions. Sizes: p channels of each stack, layers after the first, channels of the
/// skip connections and of the layer before the distribution.
#[derive(Clone, Debug)]
pub struct GatedPixelCnn<T> {
    /// The layers, the first of which reads the image.
    pub layers: Vec<Layer<T>>,
    /// 1 × 1, of the ReLU of the skip connections.
    pub head: MaskedConv2d<T>,
    /// 1 × 1, to the parameters of the distribution of every colour.
    pub output: MaskedConv2d<T>,
}

module!(GatedPixelCnn { layers, head, output });

impl<T: Scalar> GatedPixelCnn<T> {
    /// A network of images of so many colours and classes (0: unconditional), with `parameters` numbers for the distribution of each
    /// colour.
    ///
    /// # Panics
    /// If `hidden` or `head` is no whole number of colours.
    pub fn new(sizes: Sizes, colours: usize, parameters: usize, classes: usize, stream: &mut Stream) -> Self {
        let inputs = |layer: usize| (layer == 0).then_some(colours);
        let layer = |i: usize| Layer::new(sizes, inputs(i), i == sizes.layers, colours, classes, stream);
        let layers = (0..=sizes.layers).map(layer).collect();
        let mut last = |channels| MaskedConv2d::new(Mask::B, channels, [1; 2], colours, stream).of_relu();
        let head = last([sizes.head; 2]);
        GatedPixelCnn { layers, head, output: last([sizes.head, colours * parameters]) }
    }

    /// The parameters of the distribution of every sub-pixel, those of a colour side by side.
    ///
    /// # Shapes
    /// `x` (B, colours, H, W) · `classes` B of them, if the network has any → (B, colours · parameters, H, W)
    pub fn forward(&self, x: &Tensor<T>, classes: Option<&[u32]>) -> Tensor<T> {
        let image = Features { vertical: x.clone(), horizontal: x.clone(), skips: x.clone() };
        let last = self.layers.iter().enumerate();
        let last = last.fold(image, |features, (i, layer)| layer.forward(features, i == 0, classes));
        self.output.forward(&self.head.forward(&last.skips))
    }
}
