//! A model of images: a network, the distribution that its numbers mean, and the images that it is of.

use super::images::Shape;
use super::network::{Architecture, Network, Sizes};
use crate::levels::head::{Head, LevelDistribution, rows};
use autograd::nn::{Module, Visit, VisitMut};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, no_grad};
use serde::{Deserialize, Serialize};

/// What a model is made of. In a run's configuration `colours`, `height`, `width`, `levels` and `classes` may be left out: they are
/// taken from the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// The network: `"pixelcnn"`, `"gated-pixelcnn"`, `"row-lstm"` or `"diagonal-lstm"`.
    pub model: Architecture,
    /// Channels inside a layer.
    pub hidden: usize,
    /// Layers, or blocks of layers.
    pub layers: usize,
    /// Channels before the distribution.
    pub head: usize,
    /// The distribution of a sub-pixel: `"categorical"`, `"bernoulli"` for two levels, or `{ logistics = { components = 5 } }`.
    pub distribution: Head,
    /// Whether the network is told the class of an image, where the data have classes.
    pub conditional: bool,
    /// C, the sub-pixels of a pixel: 1 for grey, 3 for red, green and blue.
    pub colours: usize,
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// V, the levels of a sub-pixel.
    pub levels: usize,
    /// The names of the classes, in order; none for a network that is told no class.
    pub classes: Vec<String>,
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            model: Architecture::GatedPixelCnn,
            // Whole numbers of colours.
            hidden: 48,
            layers: 7,
            head: 96,
            distribution: Head::Categorical,
            conditional: true,
            colours: 0,
            height: 0,
            width: 0,
            levels: 0,
            classes: Vec::new(),
        }
    }
}

impl ModelConfig {
    /// The numbers that every network has.
    pub fn sizes(&self) -> Sizes {
        Sizes { hidden: self.hidden, layers: self.layers, head: self.head }
    }

    /// The size of an image.
    pub fn shape(&self) -> Shape {
        Shape { height: self.height, width: self.width, channels: self.colours }
    }

    /// Pixels of an image: H · W.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Sub-pixels of an image, the length of its sequence: H · W · C.
    pub fn values(&self) -> usize {
        self.pixels() * self.colours
    }

    /// P, the numbers of the distribution of a sub-pixel.
    pub fn parameters(&self) -> usize {
        self.distribution.parameters(self.levels)
    }
}

/// A model of images of one size. An image is its levels in the order in which they are predicted: row after row, in a row pixel after
/// pixel, in a pixel colour after colour.
#[derive(Clone, Debug)]
pub struct ImageModel<T> {
    /// What it is made of; nothing is left to be filled in.
    pub config: ModelConfig,
    /// The network.
    pub network: Network<T>,
}

/// The parameters are the network's, under its names.
impl<T: Scalar> Module<T> for ImageModel<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        self.network.visit(prefix, visit);
    }

    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        self.network.visit_mut(prefix, visit);
    }
}

impl<T: Scalar> ImageModel<T> {
    /// A model with its initial weights.
    ///
    /// # Panics
    /// If `hidden` or `head` is no whole number of colours.
    pub fn new(config: &ModelConfig, stream: &mut Stream) -> Self {
        let (colours, parameters, classes) = (config.colours, config.parameters(), config.classes.len());
        let network = Network::new(config.model, config.sizes(), colours, parameters, classes, stream);
        ImageModel { config: config.clone(), network }
    }

    /// Images as the network reads them: level l of V as `2l/(V − 1) − 1`, from −1 to 1, so that the zeros around an image are the
    /// middle of what a pixel can be.
    ///
    /// # Shapes
    /// `levels` (B, H, W, C) → (B, C, H, W), in memory as it was
    ///
    /// # Panics
    /// If they are no whole images.
    #[track_caller]
    pub fn input(&self, levels: &[u32]) -> Tensor<T> {
        let ModelConfig { height, width, colours, .. } = self.config;
        let scaled = self.scaled();
        let values = levels.iter().map(|&level| scaled[level as usize]).collect();
        let images = levels.len() / self.config.values();
        Tensor::from_vec(values, &[images, height, width, colours]).permute(&[0, 3, 1, 2])
    }

    /// Every level as the network reads it.
    pub(super) fn scaled(&self) -> Vec<T> {
        let scale = 2.0 / (self.config.levels - 1) as f64;
        (0..self.config.levels).map(|level| T::of(level as f64 * scale - 1.0)).collect()
    }

    /// The numbers for every sub-pixel of these images.
    ///
    /// # Shapes
    /// `levels` (B, H, W, C) · `classes` B of them, for a conditional model → (B, C · P, H, W)
    ///
    /// # Panics
    /// If the shapes do not fit, or a level or class is none.
    #[track_caller]
    pub fn forward(&self, levels: &[u32], classes: Option<&[u32]>) -> Tensor<T> {
        self.network.forward(&self.input(levels), classes)
    }

    /// The mean `−ln p` of a sub-pixel of these images, in nats, recorded for the backward pass.
    ///
    /// # Shapes
    /// As [`ImageModel::forward`] → ()
    ///
    /// # Panics
    /// As [`ImageModel::forward`].
    #[track_caller]
    pub fn loss(&self, levels: &[u32], classes: Option<&[u32]>) -> Tensor<T> {
        self.config.distribution.loss(self.config.levels, self.forward(levels, classes), levels)
    }

    /// The distribution of every sub-pixel of an image given those before it, in one pass; what comes after the last of `levels` counts
    /// as level 0 and is seen by none of them. Records nothing.
    ///
    /// # Panics
    /// If there are more levels than sub-pixels, or a level or class is none.
    #[track_caller]
    pub fn distributions(&self, levels: &[u32], class: Option<u32>) -> Vec<LevelDistribution<T>> {
        let rows = self.rows(&[levels], class);
        let rows = rows.value().as_slice().expect("row-major").chunks_exact(self.config.parameters());
        rows.take(levels.len()).map(|row| self.distribution(row)).collect()
    }

    /// The distribution of one sub-pixel of every image, all of one class, given those before it.
    ///
    /// # Panics
    /// As [`ImageModel::distributions`].
    #[track_caller]
    pub fn distributions_at(&self, images: &[&[u32]], at: usize, class: Option<u32>) -> Vec<LevelDistribution<T>> {
        let rows = self.rows(images, class);
        let rows = rows.value().as_slice().expect("row-major").chunks_exact(self.config.parameters());
        rows.skip(at).step_by(self.config.values()).map(|row| self.distribution(row)).collect()
    }

    fn distribution(&self, row: &[T]) -> LevelDistribution<T> {
        self.config.distribution.distribution(self.config.levels, row)
    }

    /// The numbers for every sub-pixel of images of one class, each filled up with level 0: (B · H · W · C, P).
    #[track_caller]
    fn rows(&self, images: &[&[u32]], class: Option<u32>) -> Tensor<T> {
        let values = self.config.values();
        let mut all = Vec::with_capacity(images.len() * values);
        for image in images {
            assert!(image.len() <= values, "{} levels, and an image has {values} sub-pixels", image.len());
            all.extend_from_slice(image);
            all.resize(all.len() + values - image.len(), 0);
        }
        let classes = class.map(|class| vec![class; images.len()]);
        no_grad(|| rows(self.config.parameters(), &self.forward(&all, classes.as_deref())))
    }

    /// `−ln p` of every image in nats, in batches and on all cores; the same bits as each alone. Records nothing. `done` is told after
    /// every batch how many images are.
    ///
    /// # Shapes
    /// `levels` (N, H, W, C) · `classes` N of them, for a conditional model → N
    ///
    /// # Panics
    /// If they are no whole images, or a level or class is none.
    #[track_caller]
    pub fn nats(&self, levels: &[u8], classes: Option<&[u32]>, done: &mut dyn FnMut(usize)) -> Vec<f64> {
        let values = self.config.values();
        let batch = self.scored_at_once();
        let mut nats = Vec::with_capacity(levels.len() / values);
        for (i, images) in levels.chunks(batch * values).enumerate() {
            let images: Vec<u32> = images.iter().map(|&level| level.into()).collect();
            let count = images.len() / values;
            let classes = classes.map(|classes| &classes[i * batch..][..count]);
            let parameters = no_grad(|| self.forward(&images, classes));
            let each = self.config.distribution.nats(self.config.levels, &parameters, &images);
            nats.extend(each.chunks_exact(values).map(|image| image.iter().sum::<f64>()));
            done(nats.len());
        }
        nats
    }

    /// How many images are scored in one pass: what is alive of them at once stays within some 16 MiB, which a large cache holds and
    /// all cores have enough of.
    fn scored_at_once(&self) -> usize {
        const ELEMENTS: usize = 1 << 22;
        let ModelConfig { hidden, head, colours, .. } = self.config;
        let each = self.config.pixels() * (4 * hidden + head + colours * self.config.parameters());
        (ELEMENTS / each).max(1)
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
