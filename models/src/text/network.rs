//! What a network over symbols brings to text: its configuration ([`Configured`]), and where it predicts the next symbol ([`Network`])
//! windows for training and a decoder for everything else.
//!
//! Data, floors, training, storage, generation and evaluation are written once against these traits ([`super::training`],
//! [`super::saved`], …). [`super::recurrent`] implements them for GRU and LSTM. What fills gaps ([`super::masked`]) is the first and not the
//! second, so nothing that needs a next symbol can be asked of it.

use crate::autoregressive::Autoregressive;
use crate::distribution::Categorical;
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use autograd::Tensor;
use autograd::nn::Module;
use autograd::random::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What a network carries from one window of a text to the next, by name; nothing where windows stand alone.
///
/// Cut off from the graph: gradients end at the edge of a window.
pub type Carry = Vec<(&'static str, Tensor<f32>)>;

/// A network over symbols by its configuration: what data, storage and training need to know of it, whatever it is asked.
pub trait Configured: Module<f32> + Clone {
    /// What it is made of; has a string `model` that names the kind of network.
    type Config: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned;

    /// The kinds of model that are networks of this type, as configurations and checkpoints name them: `gru`.
    const KINDS: &'static [&'static str];

    /// A network with its initial weights.
    fn new(config: &Self::Config, stream: &mut Stream) -> Self;

    /// What it is made of.
    fn config(&self) -> &Self::Config;

    /// The kind of a configuration: one of [`Configured::KINDS`].
    fn kind(config: &Self::Config) -> &'static str;

    /// V, the number of symbols of a configuration.
    fn symbols(config: &Self::Config) -> usize;

    /// The configuration for so many symbols.
    fn with_symbols(config: Self::Config, symbols: usize) -> Self::Config;

    /// The sizes of a configuration with their keys, V left out.
    fn sizes(config: &Self::Config) -> Vec<(&'static str, usize)>;

    /// The probabilities of dropout of a configuration with their keys.
    fn dropouts(config: &Self::Config) -> Vec<(&'static str, f64)>;

    /// Architecture and sizes as a person says them: `GRU × 2, 512 units`.
    fn described(config: &Self::Config) -> String;

    /// The names and shapes of the parameters, in order, without making the network.
    fn parameter_shapes(config: &Self::Config) -> Vec<(String, Vec<usize>)>;

    /// The elements that a training step of one sequence holds at most for each position, before or within its backward pass: outputs
    /// of layers and what their rules save, logits, gradients.
    fn elements_per_position(config: &Self::Config) -> u128;

    /// The names and shapes of what is carried from window to window.
    fn carry_shapes(config: &Self::Config, batch: usize) -> Vec<(&'static str, Vec<usize>)>;

    /// Checks a configuration.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key and its bound.
    fn check(config: &Self::Config) -> Result<()> {
        sizes_and_dropouts::<Self>(config)
    }

    /// The most positions of a window, where a network has a limit.
    fn context(_: &Self::Config) -> Option<usize> {
        None
    }

    /// Checks the length of the windows that a network is trained on.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key and its bound.
    fn check_window(config: &Self::Config, window: usize) -> Result<()> {
        match Self::context(config) {
            Some(context) if window > context => {
                let what = format!("`data.window` is {window}, above `model.context`, {context}");
                Err(Error::new(Kind::Usage, what).help("shorten the window or widen the context"))
            }
            _ => Ok(()),
        }
    }
}

/// A network that gives the logits of the next symbol at every position of a window.
pub trait Network: Configured {
    /// The network ready to be stepped; owns its weights.
    type Decoder: Autoregressive<Symbol = u32, Distribution = Categorical<f32>>;

    /// The logits of the symbol after each position of a window, and what the next window begins with. `dropout` is given in
    /// training alone.
    ///
    /// # Shapes
    /// `symbols` B·T codes in row-major order, B = `batch` → (B, T, V)
    fn window(
        &self,
        symbols: &[u32],
        batch: usize,
        carry: Option<&Carry>,
        dropout: Option<&mut Stream>,
    ) -> (Tensor<f32>, Carry);

    /// The network one symbol at a time.
    fn decoder(&self) -> Self::Decoder;

    /// [`Network::decoder`] for stepping alone: where it can, it takes the weights one after another instead of holding all of them twice.
    fn into_decoder(self) -> Self::Decoder {
        self.decoder()
    }
}

/// Checks that every size and probability of a configuration is within its bounds.
///
/// # Errors
/// [`Kind::Usage`] naming the key and its bound.
pub(super) fn sizes_and_dropouts<N: Configured>(config: &N::Config) -> Result<()> {
    let wrong = |what: String| Err(Error::new(Kind::Usage, what));
    let most = |key: &str| if key == "layers" { MOST_LAYERS } else { MOST };
    if let Some((key, size)) = N::sizes(config).into_iter().find(|(key, size)| !(1..=most(key)).contains(size)) {
        return wrong(format!("`model.{key}` is {size}; it must be from 1 to {}", most(key)));
    }
    if let Some((key, p)) = N::dropouts(config).into_iter().find(|(_, p)| !(0.0..1.0).contains(p)) {
        return wrong(format!("`model.{key}` is {}; it must be at least 0 and below 1", given(p)));
    }
    Ok(())
}

/// Sizes beyond this are slips of the keyboard.
pub(super) const MOST: usize = 1 << 16;

/// As many layers are: one matrix after another, they would not end in a day.
pub(super) const MOST_LAYERS: usize = 1000;
