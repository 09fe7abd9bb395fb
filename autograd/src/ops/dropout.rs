//! Dropout: random elements zeroed, the others scaled up. When it is active is the layer's matter, in `nn/dropout.rs`.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::dropout;
use crate::random::{Stream, Streams};
use crate::{Scalar, Tensor};

impl<T: Scalar> Tensor<T> {
    /// Inverted dropout: `z = x ⊙ m / (1 − p)` with `m` 0 with probability p and 1 otherwise. `∂x = g ⊙ m / (1 − p)`.
    /// Saves the mask, one byte an element. The mask depends on the stream, the shape and the order in memory (elements are masked where they
    /// lie, so a time-major sequence needs no copy), never on the number of threads.
    ///
    /// # Panics
    /// If `p` is not in [0, 1) or the rank is 0.
    ///
    /// Source: Srivastava et al., "Dropout", JMLR 2014, section 10.
    #[track_caller]
    pub fn dropout(&self, p: f64, stream: &mut Stream) -> Tensor<T> {
        assert!((0.0..1.0).contains(&p), "dropout: probability {p} is not in [0, 1)");
        assert!(self.rank() > 0, "dropout: of a tensor of rank 0");
        if p == 0.0 {
            return self.clone();
        }
        let rows = Rows::of(self.value());
        let columns = self.shape()[self.rank() - 1];
        let mask = stream.dropout_mask(self.value().len(), 1.0 - p);
        let scale = T::of(1.0 / (1.0 - p));
        let mut z = rows.buffer(self.value().clone());
        dropout::apply(&mut z, &mask, scale);
        Tensor::from_op("dropout", rows.restore(z, columns), [self], move |g, [dx]| {
            dx.add(|| {
                let mut d = rows.buffer(g.into_shared());
                dropout::apply(&mut d, &mask, scale);
                rows.restore(d, columns)
            });
        })
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let drop = |x: &[Tensor<f64>]| x[0].dropout(0.4, &mut Streams::new(3).stream("dropout"));
    vec![Case::new("dropout", &[real(&[4, 3])], drop), Case::new("dropout", &[real(&[0])], drop).variant("empty")]
}
