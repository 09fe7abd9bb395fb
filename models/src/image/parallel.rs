//! A network through the trait by its pass over whole images alone: what the checks of architectures need, mutants among them, which step
//! nowhere. For tests.

use crate::autoregressive::Autoregressive;
use crate::distribution::Categorical;
use autograd::{Tensor, no_grad};

/// From an image to the logits of every sub-pixel, as [`super::network::Network::forward`] gives them.
pub type Forward = Box<dyn Fn(&Tensor<f64>) -> Tensor<f64>>;

/// Images of one size, each level a symbol, under a network.
pub struct Parallel {
    pub forward: Forward,
    /// H and W.
    pub size: [usize; 2],
    pub colours: usize,
    pub levels: usize,
    /// What the network reads in place of a level.
    pub input: fn(u32) -> f64,
}

impl Parallel {
    /// Binary images in grey, as −1 and 1.
    pub fn binary(forward: Forward, size: [usize; 2]) -> Self {
        Parallel { forward, size, colours: 1, levels: 2, input: |level| 2.0 * f64::from(level) - 1.0 }
    }

    /// Such images, in which a 1 is no number: it makes everything that it reaches no number either. So nothing is lost by rounding,
    /// by a gate that is saturated or by a ReLU that is closed, and what a pixel sees is exact.
    pub fn tracing(forward: Forward, size: [usize; 2]) -> Self {
        Parallel { input: |level| if level == 0 { 0.5 } else { f64::NAN }, ..Parallel::binary(forward, size) }
    }
}

impl Autoregressive for Parallel {
    type Symbol = u32;
    type Distribution = Categorical<f64>;
    type State = Categorical<f64>;

    fn distributions(&self, levels: &[u32]) -> Vec<Categorical<f64>> {
        let ([height, width], colours) = (self.size, self.colours);
        let mut values: Vec<f64> = levels.iter().map(|&level| (self.input)(level)).collect();
        values.resize(height * width * colours, 0.0);
        let x = Tensor::from_vec(values, &[1, height, width, colours]).permute(&[0, 3, 1, 2]);
        let logits = no_grad(|| (self.forward)(&x)).permute(&[0, 2, 3, 1]).to_vec();
        let rows = logits.chunks_exact(self.levels).take(levels.len());
        rows.map(|row| Categorical { logits: row.to_vec() }).collect()
    }

    fn start(&self) -> Categorical<f64> {
        unreachable!("a pass over whole images is all there is")
    }

    fn next<'s>(&self, state: &'s Categorical<f64>) -> &'s Categorical<f64> {
        state
    }

    fn step(&self, _: &mut Categorical<f64>, _: u32) {
        unreachable!("a pass over whole images is all there is")
    }

    fn length(&self) -> Option<usize> {
        Some(self.size[0] * self.size[1] * self.colours)
    }
}
