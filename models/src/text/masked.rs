//! A GPT that fills gaps: the Transformer of [`super::gpt`] without the causal mask, and one symbol more, which stands where a symbol is hidden.
//!
//! Of a window with some symbols hidden it says what each may be, given all others, before and after: `p(x_i | known)`. It has no next
//! symbol, so nothing here implements [`Autoregressive`](crate::autoregressive::Autoregressive). It is drawn from in a few rounds
//! ([`crate::decoding::mask_predict`]).
//!
//! | file | holds |
//! | --- | --- |
//! | `masked/bound.rs` | which symbols are hidden; the loss, and the bound of the likelihood that it estimates |
//! | `masked/network.rs` | what it brings to text |
//! | [`evaluation`] | the bound of a text, beside the floors |
//! | [`generation`] | text, window by window |
//! | `masked/properties.rs` | what must hold of it |
//!
//! Source: Devlin et al., "BERT", 2019; Ghazvininejad et al., "Mask-Predict", 2019; Hoogeboom et al., "Autoregressive Diffusion Models",
//! 2022.

mod bound;
pub mod evaluation;
pub mod generation;
mod network;
mod properties;

use super::gpt::{Gpt, GptConfig, Kind};
use crate::decoding::mask_predict::FillsGaps;
use crate::distribution::Categorical;
use autograd::nn::{Module, Visit, VisitMut};
use autograd::random::Stream;
use autograd::{Scalar, Tensor, no_grad};

/// A GPT that fills gaps. Its parameters have the names of a GPT's; the table of symbols has a row more.
#[derive(Clone, Debug)]
pub struct MaskedGpt<T> {
    /// What it is made of; V without the mask.
    config: GptConfig,
    /// Over V + 1 symbols, the last of which is the mask.
    backbone: Gpt<T>,
}

impl<T: Scalar> Module<T> for MaskedGpt<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        self.backbone.visit(prefix, visit);
    }
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        self.backbone.visit_mut(prefix, visit);
    }
}

/// The configuration of a GPT over V symbols and the mask.
fn with_mask(config: &GptConfig) -> GptConfig {
    GptConfig { symbols: config.symbols.saturating_add(1), model: Kind::MaskedGpt, ..config.clone() }
}

impl<T: Scalar> MaskedGpt<T> {
    /// A model with the initial distributions of a GPT.
    pub fn new(config: &GptConfig, stream: &mut Stream) -> Self {
        let config = GptConfig { model: Kind::MaskedGpt, ..config.clone() };
        MaskedGpt { backbone: Gpt::new(&with_mask(&config), stream), config }
    }

    /// What it is made of.
    pub fn config(&self) -> &GptConfig {
        &self.config
    }

    /// The code that stands where a symbol is hidden: V.
    pub fn mask(&self) -> u32 {
        self.config.symbols as u32
    }

    /// The logits of the symbols at some places, given all codes of their windows. The mask is no symbol that could come.
    ///
    /// # Shapes
    /// `codes` B·T symbols and masks in row-major order, B = `batch`, T ≤ context · `places` K numbers below B·T → (K, V)
    ///
    /// # Panics
    /// If the number of codes is not a multiple of the batch, T is above the context, or a code is above the mask.
    #[track_caller]
    pub fn logits(&self, codes: &[u32], batch: usize, places: &[u32], dropout: Option<&mut Stream>) -> Tensor<T> {
        let states = self.backbone.states(codes, batch, dropout); // (B, T, C)
        let states = states.reshape(&[codes.len(), self.config.width]).embedding(places, &[places.len()]); // (K, C)
        states.linear(&self.backbone.tokens.weight.narrow(0, 0, self.config.symbols), None)
    }
}

impl<T: Scalar> FillsGaps for MaskedGpt<T> {
    type Distribution = Categorical<T>;

    fn gaps(&self, window: &[Option<u32>], places: &[usize]) -> Vec<Categorical<T>> {
        let codes: Vec<u32> = window.iter().map(|symbol| symbol.unwrap_or(self.mask())).collect();
        let places: Vec<u32> = places.iter().map(|&place| place as u32).collect();
        let logits = no_grad(|| self.logits(&codes, 1, &places, None)).to_vec();
        logits.chunks_exact(self.config.symbols).map(|row| Categorical { logits: row.to_vec() }).collect()
    }
}
