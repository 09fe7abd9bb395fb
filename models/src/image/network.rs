//! The four networks of images as one: what they are made of, and the parameters of every sub-pixel's distribution in one pass.
//!
//! The architectures stand in files of their own, each as its paper's section has it; what is true of all of them is here.

use super::diagonal_lstm::DiagonalBiLstmNetwork;
use super::gated_pixel_cnn::GatedPixelCnn;
use super::pixel_cnn::PixelCnn;
use super::row_lstm::RowLstmNetwork;
use autograd::nn::{Embedding, Module, Visit, VisitMut};
use autograd::random::Stream;
use autograd::{Scalar, Tensor};
use serde::{Deserialize, Serialize};

/// Which network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// Masked convolutions in residual blocks; has a blind spot.
    #[default]
    #[serde(rename = "pixelcnn")]
    PixelCnn,
    /// Two stacks of gated convolutions.
    #[serde(rename = "gated-pixelcnn")]
    GatedPixelCnn,
    /// LSTMs that go from row to row.
    RowLstm,
    /// LSTMs that go from diagonal to diagonal, from either side.
    DiagonalLstm,
}

impl Architecture {
    /// All of them.
    pub const ALL: &[Architecture] =
        &[Architecture::PixelCnn, Architecture::GatedPixelCnn, Architecture::RowLstm, Architecture::DiagonalLstm];

    /// As configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::PixelCnn => "pixelcnn",
            Architecture::GatedPixelCnn => "gated-pixelcnn",
            Architecture::RowLstm => "row-lstm",
            Architecture::DiagonalLstm => "diagonal-lstm",
        }
    }

    /// As a person says it.
    pub fn title(self) -> &'static str {
        match self {
            Architecture::PixelCnn => "PixelCNN",
            Architecture::GatedPixelCnn => "Gated PixelCNN",
            Architecture::RowLstm => "Row LSTM",
            Architecture::DiagonalLstm => "Diagonal BiLSTM",
        }
    }
}

/// The numbers that every network has. What they count differs, and stands with each network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Channels inside a layer.
    pub hidden: usize,
    /// Layers, or blocks of layers.
    pub layers: usize,
    /// Channels before the distribution.
    pub head: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes { hidden: 64, layers: 7, head: 128 }
    }
}

/// Features of images, to which the row of each image's class is added at every pixel: how a network that its paper tells no class is
/// told one here.
///
/// # Shapes
/// `features` (B, C, H, W) · `table` (classes, C) · `classes` B of them → (B, C, H, W), channels innermost in memory
pub(super) fn told<T: Scalar>(features: Tensor<T>, table: Option<&Embedding<T>>, classes: Option<&[u32]>) -> Tensor<T> {
    let Some((table, classes)) = table.zip(classes) else { return features };
    let rows = table.forward(classes, &[classes.len(), 1, 1]);
    features.permute(&[0, 2, 3, 1]).add(&rows).permute(&[0, 3, 1, 2])
}

/// A network of images: gives P parameters for the distribution of each sub-pixel.
#[derive(Clone, Debug)]
pub enum Network<T> {
    /// A PixelCNN.
    PixelCnn(Box<PixelCnn<T>>),
    /// A Gated PixelCNN.
    GatedPixelCnn(Box<GatedPixelCnn<T>>),
    /// A PixelRNN of Row LSTMs.
    RowLstm(RowLstmNetwork<T>),
    /// A PixelRNN of Diagonal BiLSTMs.
    DiagonalLstm(DiagonalBiLstmNetwork<T>),
}

impl<T: Scalar> Network<T> {
    /// A network with its initial weights, of images of so many colours in so many classes; 0 classes: unconditional.
    ///
    /// # Panics
    /// If a size is no whole number of colours.
    pub fn new(
        architecture: Architecture,
        sizes: Sizes,
        colours: usize,
        parameters: usize,
        classes: usize,
        stream: &mut Stream,
    ) -> Self {
        match architecture {
            Architecture::PixelCnn => {
                Network::PixelCnn(Box::new(PixelCnn::new(sizes, colours, parameters, classes, stream)))
            }
            Architecture::GatedPixelCnn => {
                Network::GatedPixelCnn(Box::new(GatedPixelCnn::new(sizes, colours, parameters, classes, stream)))
            }
            Architecture::RowLstm => Network::RowLstm(RowLstmNetwork::new(sizes, colours, parameters, classes, stream)),
            Architecture::DiagonalLstm => {
                Network::DiagonalLstm(DiagonalBiLstmNetwork::new(sizes, colours, parameters, classes, stream))
            }
        }
    }

    /// The parameters of the distribution of every sub-pixel; those at a pixel and colour depend on what comes before it in raster order,
    /// and on the colours of the pixel before its own.
    ///
    /// # Shapes
    /// `x` (B, colours, H, W), levels scaled to −1 … 1 · `classes` B of them, for a conditional network → (B, colours · P, H, W), the P
    /// of a colour side by side; in memory (B, H, W, colours, P)
    pub fn forward(&self, x: &Tensor<T>, classes: Option<&[u32]>) -> Tensor<T> {
        match self {
            Network::PixelCnn(network) => network.forward(x, classes),
            Network::GatedPixelCnn(network) => network.forward(x, classes),
            Network::RowLstm(network) => network.forward(x, classes),
            Network::DiagonalLstm(network) => network.forward(x, classes),
        }
    }
}

impl<T: Scalar> Module<T> for Network<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        match self {
            Network::PixelCnn(network) => network.visit(prefix, visit),
            Network::GatedPixelCnn(network) => network.visit(prefix, visit),
            Network::RowLstm(network) => network.visit(prefix, visit),
            Network::DiagonalLstm(network) => network.visit(prefix, visit),
        }
    }

    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        match self {
            Network::PixelCnn(network) => network.visit_mut(prefix, visit),
            Network::GatedPixelCnn(network) => network.visit_mut(prefix, visit),
            Network::RowLstm(network) => network.visit_mut(prefix, visit),
            Network::DiagonalLstm(network) => network.visit_mut(prefix, visit),
        }
    }
}
