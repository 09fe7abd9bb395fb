//! Losses: softmax cross-entropy of integer targets.

use super::rows::Rows;
use crate::gradcheck::{Case, real};
use crate::kernels::softmax;
use crate::{Scalar, Tensor, no_grad};
use ndarray::ArrayD;

impl<T: Scalar> Tensor<T> {
    /// Softmax cross-entropy of integer targets, averaged: `ℓ = −1/N Σ log softmax(x)_{n, y_n}`, in nats.
    ///
    /// # Shapes
    /// `self` (…, V) logits · `targets` one symbol per leading position, in row-major order → ()
    ///
    /// # Backward
    /// `∂x = (softmax(x) − onehot(y)) · g / N`. Saves the probabilities, in the buffer of the logits when nothing else holds it.
    ///
    /// # Panics
    /// If a target is ≥ V, or the count of targets is not the product of the leading axes.
    #[track_caller]
    pub fn cross_entropy(self, targets: &[u32]) -> Tensor<T> {
        let (rows, targets) = self.rows_and_targets(targets);
        let v = self.shape()[self.rank() - 1];
        let (logits, input) = self.into_parts();
        let mut probs = rows.buffer(logits);
        let loss = softmax::cross_entropy(&mut probs, v, &targets);
        Tensor::from_op("cross_entropy", ArrayD::from_elem(vec![], loss), [&input], move |g, [dx]| {
            dx.add(|| {
                softmax::cross_entropy_backward(&mut probs, v, &targets, g.sum());
                rows.restore(probs, v)
            });
        })
    }

    /// The negative log-likelihood of each target, `−log softmax(x)_{n, y_n}` in nats, in row-major order; records nothing.
    ///
    /// # Shapes
    /// As [`Tensor::cross_entropy`].
    ///
    /// # Panics
    /// As [`Tensor::cross_entropy`].
    #[track_caller]
    pub fn negative_log_likelihoods(&self, targets: &[u32]) -> Vec<T> {
        assert!(self.rank() > 0, "negative_log_likelihoods: of a tensor of rank 0");
        let logits = no_grad(|| Tensor::new(self.standard()));
        let (_, targets) = logits.rows_and_targets(targets);
        let v = logits.shape()[logits.rank() - 1];
        softmax::negative_log_likelihoods(logits.value().as_slice().expect("row-major"), v, &targets)
    }

    #[track_caller]
    fn rows_and_targets(&self, targets: &[u32]) -> (Rows, Vec<u32>) {
        assert!(self.rank() > 0, "cross_entropy: of a tensor of rank 0");
        let rows = Rows::of(self.value());
        let v = self.shape()[self.rank() - 1];
        assert_eq!(targets.len(), rows.len(), "cross_entropy: number of targets for logits {:?}", self.shape());
        if let Some(target) = targets.iter().find(|&&target| target as usize >= v) {
            panic!("cross_entropy: target {target} among {v} symbols");
        }
        let targets = rows.arrange(targets);
        (rows, targets)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("cross_entropy", &[real(&[3, 4])], |x| x[0].clone().cross_entropy(&[1, 3, 1])),
        Case::new("cross_entropy", &[real(&[2, 2, 3])], |x| x[0].transpose(0, 1).cross_entropy(&[0, 2, 1, 1]))
            .variant("axes exchanged"),
        Case::new("cross_entropy", &[real(&[2, 1])], |x| x[0].clone().cross_entropy(&[0, 0])).variant("one symbol"),
        Case::new("cross_entropy", &[real(&[3])], |x| (&x[0] + &x[0]).cross_entropy(&[2])).variant("one position"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_equals_log_softmax_and_gather() {
        let x = Tensor::from_vec(vec![0.1, -2.0, 3.0, 0.5, 0.5, -1.0], &[2, 3]);
        let composed = -x.log_softmax().gather(1, &ndarray::arr2(&[[2], [0]]).into_dyn()).mean();
        approx::assert_relative_eq!(x.clone().cross_entropy(&[2, 0]).item(), composed.item(), max_relative = 1e-14);
        let each = x.negative_log_likelihoods(&[2, 0]);
        approx::assert_relative_eq!((each[0] + each[1]) / 2.0, composed.item(), max_relative = 1e-14);
    }

    #[test]
    fn the_buffer_of_the_logits_holds_the_probabilities_when_nothing_else_does() {
        let x = Tensor::<f32>::zeros(&[4, 3]).tracked();
        let logits = x.add_scalar(1.0);
        let buffer = logits.view().as_ptr() as usize;
        let rows = Rows::of(logits.value());
        let reused = rows.buffer(logits.into_parts().0);
        assert_eq!(reused.as_ptr() as usize, buffer);
    }

    #[test]
    #[should_panic(expected = "cross_entropy: target 3 among 3 symbols")]
    fn a_target_outside_the_alphabet_is_named() {
        Tensor::<f32>::zeros(&[1, 3]).cross_entropy(&[3]);
    }
}
