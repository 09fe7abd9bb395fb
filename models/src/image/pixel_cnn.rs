//! The PixelCNN: masked convolutions in residual blocks. Every pixel sees what comes before it in raster order, but for a blind spot
//! above and to its right, which grows with depth.
//!
//! Source: van den Oord, Kalchbrenner & Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, sections 3.3 to 3.5 and figure 5.

use super::network::{Sizes, told};
use autograd::nn::{Embedding, Mask, MaskedConv2d};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, module};

/// The side of the kernel of the first layer.
const FIRST: usize = 7;

/// `x + 1×1(ReLU(3×3(ReLU(1×1(ReLU x)))))`, from 2h channels through h to 2h.
#[derive(Clone, Debug)]
pub struct Block<T> {
    /// 1 × 1, 2h → h.
    pub narrow: MaskedConv2d<T>,
    /// 3 × 3, h → h.
    pub middle: MaskedConv2d<T>,
    /// 1 × 1, h → 2h.
    pub widen: MaskedConv2d<T>,
}

module!(Block { narrow, middle, widen });

impl<T: Scalar> Block<T> {
    fn new(hidden: usize, colours: usize, stream: &mut Stream) -> Self {
        let mut layer = |channels, size| MaskedConv2d::new(Mask::B, channels, [size; 2], colours, stream).of_relu();
        let (narrow, middle) = (layer([2 * hidden, hidden], 1), layer([hidden; 2], 3));
        Block { narrow, middle, widen: layer([hidden, 2 * hidden], 1) }
    }

    /// # Shapes
    /// (B, 2h, H, W) → (B, 2h, H, W)
    pub fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        self.widen.forward_onto(&self.middle.forward(&self.narrow.forward(x)), x)
    }
}

/// A PixelCNN up to the parameters of its distributions. Sizes: h channels inside a residual block and 2h between blocks, as many blocks
/// as layers, channels of the layer before the distribution.
#[derive(Clone, Debug)]
pub struct PixelCnn<T> {
    /// 7 × 7 under mask A: the only layer that must not see its own pixel.
    pub first: MaskedConv2d<T>,
    /// What the class of an image adds to the channels of the first layer at every pixel: a row of 2h for each.
    pub class: Option<Embedding<T>>,
    /// The residual blocks.
    pub blocks: Vec<Block<T>>,
    /// 1 × 1.
    pub head: MaskedConv2d<T>,
    /// 1 × 1, to the parameters of the distribution of every colour.
    pub output: MaskedConv2d<T>,
}

module!(PixelCnn { first, class, blocks, head, output });

impl<T: Scalar> PixelCnn<T> {
    /// A network of images of so many colours and classes (0: unconditional), with `parameters` numbers for the distribution of each
    /// colour.
    ///
    /// # Panics
    /// If `hidden` or `head` is no whole number of colours.
    pub fn new(sizes: Sizes, colours: usize, parameters: usize, classes: usize, stream: &mut Stream) -> Self {
        let wide = 2 * sizes.hidden;
        let first = MaskedConv2d::new(Mask::A, [colours, wide], [FIRST; 2], colours, stream);
        let class = (classes > 0).then(|| Embedding::new(classes, wide, stream));
        let blocks = (0..sizes.layers).map(|_| Block::new(sizes.hidden, colours, stream)).collect();
        let mut last = |channels| MaskedConv2d::new(Mask::B, channels, [1; 2], colours, stream).of_relu();
        let head = last([wide, sizes.head]);
        PixelCnn { first, class, blocks, head, output: last([sizes.head, colours * parameters]) }
    }

    /// The parameters of the distribution of every sub-pixel, those of a colour side by side.
    ///
    /// # Shapes
    /// `x` (B, colours, H, W) · `classes` B of them, if the network has any → (B, colours · parameters, H, W)
    pub fn forward(&self, x: &Tensor<T>, classes: Option<&[u32]>) -> Tensor<T> {
        let first = told(self.first.forward(x), self.class.as_ref(), classes);
        let x = self.blocks.iter().fold(first, |x, block| block.forward(&x));
        self.output.forward(&self.head.forward(&x))
    }
}
