//! The calculus: one file per family of ops; formula, forward and backward side by side, the checks underneath.
//!
//! An op is one function: it computes its value, and hands [`crate::Tensor::from_op`] the rule that turns the gradient `g`
//! of its output into those of its inputs. The rule's captures are exactly what the op saves.

mod arithmetic;
mod attention;
mod comparison;
mod convolution;
mod creation;
mod cumulative;
mod dropout;
mod einsum;
mod elementwise;
mod extremum;
mod gate;
mod gelu;
mod index;
mod keepdim;
mod layer_norm;
mod logsumexp;
mod loss;
mod lstm_map;
mod matmul;
mod rearrange;
mod recurrent;
mod reduce;
mod reduced_axes;
mod rms_norm;
mod rotary;
mod rows;
mod scalar_operators;
mod selection;
mod softmax;
mod statistics;
mod view;

use crate::gradcheck::Case;

pub use crate::kernels::attention::Heads;
pub use crate::kernels::lstm::wavefront::Wavefront;
pub use convolution::Convolution;
pub use recurrent::LstmOutput;

/// The gradient checks of every op, in the order of the files.
pub(crate) fn cases() -> Vec<Case> {
    [
        arithmetic::cases(),
        scalar_operators::cases(),
        elementwise::cases(),
        gelu::cases(),
        gate::cases(),
        selection::cases(),
        reduce::cases(),
        extremum::cases(),
        statistics::cases(),
        logsumexp::cases(),
        keepdim::cases(),
        cumulative::cases(),
        matmul::cases(),
        einsum::cases(),
        attention::cases(),
        rotary::cases(),
        convolution::cases(),
        view::cases(),
        rearrange::cases(),
        index::cases(),
        softmax::cases(),
        loss::cases(),
        layer_norm::cases(),
        rms_norm::cases(),
        dropout::cases(),
        recurrent::cases(),
        lstm_map::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
