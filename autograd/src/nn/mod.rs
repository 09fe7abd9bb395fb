//! What owns parameters: layers, each a struct with its parameters as plain fields and a `forward`.

mod attention;
mod causal_convolution;
mod convolution;
mod dropout;
mod embedding;
mod gru;
mod init;
mod layer_norm;
mod linear;
mod lstm;
mod map_lstm;
mod module;
mod recurrent;
mod rms_norm;

pub use attention::SelfAttention;
pub use causal_convolution::CausalConv1d;
pub use convolution::{Conv2d, Mask, MaskedConv2d};
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use gru::Gru;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use lstm::{Lstm, LstmState};
pub use map_lstm::{DiagonalBiLstm, DiagonalLstm, RowLstm};
#[doc(hidden)]
pub use module::join;
pub use module::{LoadError, Module, Param, Visit, VisitMut};
pub use recurrent::{RecurrentLayer, RecurrentLayers};
pub use rms_norm::RmsNorm;
