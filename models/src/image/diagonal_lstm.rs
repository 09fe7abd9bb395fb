//! The PixelRNN of Diagonal BiLSTM layers: from diagonal to diagonal, from either side. One layer sees all pixels before a pixel but one, the
//! last of the row above; no depth sees that one.
//!
//! Source: van den Oord, Kalchbrenner & Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, sections 3.2, 3.3 and 3.6, table 1. That a
//! state outside the image is 0 is ours; on the paper's skewed map it is what biases alone make of it.

use super::network::{Sizes, told};
use autograd::nn::{DiagonalBiLstm, Embedding, Mask, MaskedConv2d};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, module};

/// The side of the kernel of the first layer.
const FIRST: usize = 7;

/// `x + 1×1(DiagonalBiLstm(x))`, from 2h channels through h to 2h.
#[derive(Clone, Debug)]
pub struct Layer<T> {
    /// 2h → h.
    pub lstm: DiagonalBiLstm<T>,
    /// 1 × 1, h → 2h.
    pub widen: MaskedConv2d<T>,
}

module!(Layer { lstm, widen });

impl<T: Scalar> Layer<T> {
    fn new(hidden: usize, colours: usize, stream: &mut Stream) -> Self {
        let lstm = DiagonalBiLstm::new([2 * hidden, hidden], colours, stream);
        Layer { lstm, widen: MaskedConv2d::new(Mask::B, [hidden, 2 * hidden], [1; 2], colours, stream) }
    }

    /// # Shapes
    /// (B, 2h, H, W) → (B, 2h, H, W)
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        self.widen.forward_onto(&self.lstm.forward(x), x)
    }
}

/// A PixelRNN of Diagonal BiLSTMs up to the parameters of its distributions. Sizes: h units of each direction of a layer and 2h channels between layers, layers,
/// channels of the layer before the distribution.
#[derive(Clone, Debug)]
pub struct DiagonalBiLstmNetwork<T> {
    /// 7 × 7 under mask A: the only layer that must not see its own pixel.
    pub first: MaskedConv2d<T>,
    /// What the class of an image adds to the channels of the first layer at every pixel: a row of 2h for each.
    pub class: Option<Embedding<T>>,
    /// The residual layers.
    pub layers: Vec<Layer<T>>,
    /// 1 × 1.
    pub head: MaskedConv2d<T>,
    /// 1 × 1, to the parameters of the distribution of every colour.
    pub output: MaskedConv2d<T>,
}

module!(DiagonalBiLstmNetwork { first, class, layers, head, output });

impl<T: Scalar> DiagonalBiLstmNetwork<T> {
    /// A network of images of so many colours and classes (0: unconditional), with `parameters` numbers for the distribution of each
    /// colour.
    ///
    /// # Panics
    /// If `hidden` or `head` is no whole number of colours.
    pub fn new(sizes: Sizes, colours: usize, parameters: usize, classes: usize, stream: &mut Stream) -> Self {
        let wide = 2 * sizes.hidden;
        let first = MaskedConv2d::new(Mask::A, [colours, wide], [FIRST; 2], colours, stream);
        let class = (classes > 0).then(|| Embedding::new(classes, wide, stream));
        let layers = (0..sizes.layers).map(|_| Layer::new(sizes.hidden, colours, stream)).collect();
        let mut last = |channels| MaskedConv2d::new(Mask::B, channels, [1; 2], colours, stream).of_relu();
        let head = last([wide, sizes.head]);
        DiagonalBiLstmNetwork { first, class, layers, head, output: last([sizes.head, colours * parameters]) }
    }

    /// The parameters of the distribution of every sub-pixel, those of a colour side by side.
    ///
    /// # Shapes
    /// `x` (B, colours, H, W) · `classes` B of them, if the network has any → (B, colours · parameters, H, W)
    pub fn forward(&self, x: &Tensor<T>, classes: Option<&[u32]>) -> Tensor<T> {
        let first = told(self.first.forward(x), self.class.as_ref(), classes);
        let x = self.layers.iter().fold(first, |x, layer| layer.forward(&x));
        self.output.forward(&self.head.forward(&x))
    }
}
