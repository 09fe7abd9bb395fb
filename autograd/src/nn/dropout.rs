//! Dropout as a layer: active when it is given a random stream, absent otherwise.

use crate::random::Stream;
use crate::{Scalar, Tensor};

/// Zeroes elements with probability `p` in training and scales the others by `1/(1 − p)`; does nothing in evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// The probability of zeroing an element, in [0, 1).
    pub p: f64,
}

impl Dropout {
    /// Training passes a stream; evaluation passes none, and x comes back as it is.
    #[track_caller]
    pub fn forward<T: Scalar>(&self, x: &Tensor<T>, stream: Option<&mut Stream>) -> Tensor<T> {
        match stream {
            Some(stream) => x.dropout(self.p, stream),
            None => x.clone(),
        }
    }
}
