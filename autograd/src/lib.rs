//! A tensor and reverse-mode automatic-differentiation engine, written from scratch.
//!
//! This file is the map of the crate; it holds no code of its own. Read in this order:
//!
//! 1. [`Tensor`] (`tensor.rs`): values, and a place in the graph.
//! 2. `graph.rs`: what a recorded operation is, and the sweep that computes gradients.
//! 3. `ops/`: the calculus, one file a family, forward and backward side by side.
//! 4. [`mod@gradcheck`]: how every rule in `ops/` is checked.
//! 5. [`nn`] and [`optim`]: what owns parameters, and what changes them.
//! 6. [`kernels`]: the speed, in plain slices.
//!
//! ```
//! use autograd::Tensor;
//! let x = Tensor::from_vec(vec![1.0_f32, 2.0, 3.0], &[3]).tracked();
//! let loss = (&x * &x).sum();
//! let gradients = loss.backward();
//! assert_eq!(gradients.of(&x).unwrap().as_slice().unwrap(), [2.0, 4.0, 6.0]);
//! ```

pub mod gradcheck;
mod graph;
pub mod kernels;
pub mod nn;
mod ops;
pub mod optim;
mod passes;
pub mod random;
mod scalar;
mod shape;
mod tensor;

pub use graph::{Gradients, Id, Node, Slot, no_grad};
pub use kernels::gemm::Store;
pub use ops::{Convolution, Heads, LstmOutput, Wavefront};
pub use scalar::Scalar;
pub use tensor::{Tensor, Value};
