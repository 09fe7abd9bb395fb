//! Kernels that are compiled in this crate alone, once for `f32` and once for `f64`: a table of their names and types.
//!
//! A generic function is compiled where it is used, so every crate that trains would compile the kernels again. The method of an
//! implementation for a concrete type is compiled with the implementation: the public kernel is one call of it, and what it calls is the
//! body. A kernel without a line here works just as well; a line is due where it is large and used outside this crate.

use super::attention::{self, Heads, Sight};
use super::convolution::{self, Fused, Window};
use super::gemm::{Matrix, Store};
use super::lstm::map::Maps;
use super::optimizer::{Adam, Sgd};
use super::recurrent::{Sequence, step::Part};
use super::{dropout, gate, gru, log_sum_exp, lstm, optimizer, reduce, rows, softmax, strided};
use ndarray::ArrayViewD;

/// Writes the trait of a table of kernels, and its implementations for both types.
macro_rules! compiled {
    (@of $type:ty { $(fn $name:ident($($arg:ident: $kind:ty),*) $(-> $out:ty)? = $body:path;)* }) => {
        impl Compiled for $type {
            $(#[allow(private_interfaces)] fn $name($($arg: $kind),*) $(-> $out)? { $body($($arg),*) })*
        }
    };
    ($(fn $name:ident($($arg:ident: $kind:ty),*) $(-> $out:ty)? = $body:path;)*) => {
        /// The element types for which the kernels are compiled.
        pub trait Compiled: Sized {
            $(
                #[doc(hidden)]
                #[allow(private_interfaces)] // the trait is closed: only this crate calls it
                #[allow(clippy::too_many_arguments)] // those of the kernels
                fn $name($($arg: $kind),*) $(-> $out)?;
            )*
        }
        compiled!(@of f32 { $(fn $name($($arg: $kind),*) $(-> $out)? = $body;)* });
        compiled!(@of f64 { $(fn $name($($arg: $kind),*) $(-> $out)? = $body;)* });
    };
}

/// Two buffers, such as the states and the cells of a sequence.
type Pair<T> = (Vec<T>, Vec<T>);

compiled! {
    fn gru_forward(s: Sequence, gates: &mut [Self], w: Matrix<Self>, b: &[Self], h: &[Self], rows: usize) -> Pair<Self>
        = gru::forward_in_blocks;
    fn gru_backward(s: Sequence, gates: &mut [Self], w: Matrix<Self>, h: &[Self], hn: &mut [Self], dout: &[Self],
        dh0: Option<&mut [Self]>, rows: usize) = gru::backward_in_blocks;
    fn gru_step(part: &Part<Self>, hidden: usize, x: &[Self], h: &[Self], out: &mut [Self]) = gru::step::step_of_part;
    fn lstm_forward(s: Sequence, gates: &mut [Self], w: Matrix<Self>, b: &[Self], first: [&[Self]; 2], rows: usize)
        -> Pair<Self> = lstm::forward_in_blocks;
    fn lstm_backward(s: Sequence, gates: &mut [Self], w: Matrix<Self>, c: &[Self], dout: &[Self], dc: &mut [Self],
        dh0: Option<&mut [Self]>, rows: usize) = lstm::backward_in_blocks;
    fn lstm_step(part: &Part<Self>, hidden: usize, x: &[Self], states: [&[Self]; 2], outs: [&mut [Self]; 2])
        = lstm::step::step_of_part;
    fn lstm_map(maps: Maps, gates: &mut [Self], weight: &[Self]) -> Pair<Self> = lstm::map::forward_body;
    fn lstm_map_backward(maps: Maps, gates: &mut [Self], weight: &[Self], c: &[Self], dout: &[Self])
        = lstm::map::backward_body;
    fn lstm_position(gates: &mut [Self], sums: &[Self], cell: &[Self], cell_next: &mut [Self], state: &mut [Self])
        = lstm::step::position_body;
    fn attention(x: &[Self], time: usize, heads: Heads, sight: Sight) -> Pair<Self> = attention::forward_body;
    fn attention_backward(x: &[Self], z: &[Self], g: &[Self], logarithms: &[Self], time: usize, heads: Heads, sight: Sight)
        -> Vec<Self> = attention::backward_body;
    fn convolution(window: &Window, images: usize, x: &[Self], weight: Matrix<Self>, bias: Option<&[Self]>,
        fused: Fused<Self>) -> Vec<Self> = convolution::apply_body;
    fn convolution_weight(window: &Window, images: usize, x: (&[Self], usize), relu: bool, g: (&[Self], usize),
        of_bias: bool) -> (Vec<Self>, Vec<f64>) = convolution::backward_weight_body;
    fn gate(x: &mut [Self], condition: Option<&[Self]>, channels: usize) -> Vec<Self> = gate::forward_body;
    fn gate_backward(g: &[Self], x: &mut [Self], channels: usize) = gate::backward_body;
    fn gate_position(x: &[Self], condition: Option<&[Self]>, z: &mut [Self]) = gate::position_body;
    fn dropout(xs: &mut [Self], mask: &[u8], scale: Self) = dropout::apply_body;
    fn copy(x: ArrayViewD<Self>) -> Vec<Self> = strided::copy;

    fn softmax(xs: &mut [Self], cols: usize) = softmax::softmax_body;
    fn log_softmax(xs: &mut [Self], cols: usize) = softmax::log_softmax_body;
    fn softmax_backward(z: &[Self], g: &mut [Self], cols: usize) = softmax::softmax_backward_body;
    fn log_softmax_backward(z: &[Self], g: &mut [Self], cols: usize) = softmax::log_softmax_backward_body;
    fn cross_entropy(logits: &mut [Self], cols: usize, targets: &[u32]) -> Self = softmax::cross_entropy_body;
    fn cross_entropy_backward(probs: &mut [Self], cols: usize, targets: &[u32], g: Self)
        = softmax::cross_entropy_backward_body;
    fn negative_log_likelihoods(logits: &[Self], cols: usize, targets: &[u32]) -> Vec<Self>
        = softmax::negative_log_likelihoods_body;
    fn log_sum_exp(row: &[Self]) -> (f64, f64) = log_sum_exp::log_sum_exp_body;

    fn sum_in_chunks(xs: &[Self]) -> f64 = reduce::sum_in_chunks_body;
    fn row_max(xs: &[Self], cols: usize, out: &mut [Self]) = reduce::row_max_body;
    fn column_sums(xs: &[Self], store: Store, out: &mut [Self]) = reduce::column_sums_body;
    fn axis_sums(xs: &[Self], outer: usize, n: usize, inner: usize) -> Vec<f64> = reduce::axis_sums_body;
    fn gather_rows(table: &[Self], cols: usize, indices: &[u32], out: &mut [Self]) = rows::gather_rows_body;
    fn scatter_add_rows(g: &[Self], cols: usize, indices: &[u32], d_table: &mut [Self]) = rows::scatter_add_rows_body;

    fn adam(settings: &Adam, w: &mut [Self], g: &[Self], m: &mut [Self], v: &mut [Self]) = optimizer::adam_body;
    fn sgd(settings: &Sgd, w: &mut [Self], g: &[Self], u: &mut [Self]) = optimizer::sgd_body;
    fn moving_average(average: &mut [Self], w: &[Self], decay: f64) = optimizer::moving_average_body;
}
