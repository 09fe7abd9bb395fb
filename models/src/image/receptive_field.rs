//! What a sub-pixel can see, exactly: as a set, not as a bound.
//!
//! Every weight becomes a positive number, every bias 0, and the picture is positive: then nothing cancels. Each path from an input to an
//! output adds a positive number to the gradient of the one by the other (ReLU, tanh, σ and their products all rise), so the gradient is
//! positive exactly where there is a path. One backward pass tells of all inputs at once. How wide a network is changes no path, so one channel for each colour will
//! do.

use super::images::Shape;
use super::network::{Architecture, Network, Sizes};
use autograd::Tensor;
use autograd::nn::Module;
use autograd::random::Streams;

/// What one sub-pixel sees of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceptiveField {
    /// Of the picture.
    pub shape: Shape,
    /// Row, column and colour of the sub-pixel.
    pub of: [usize; 3],
    /// Whether it sees each sub-pixel, in the order (row, column, colour).
    pub seen: Vec<bool>,
}

impl ReceptiveField {
    /// How many sub-pixels it sees.
    pub fn count(&self) -> usize {
        self.seen.iter().filter(|&&seen| seen).count()
    }

    /// How many come before it, and could be seen.
    pub fn before(&self) -> usize {
        let [row, column, colour] = self.of;
        (row * self.shape.width + column) * self.shape.channels + colour
    }

    /// Whether it sees nothing but what comes before it.
    pub fn is_causal(&self) -> bool {
        !self.seen[self.before()..].contains(&true)
    }
}

/// What the distribution at row, column and colour `of` can depend on, in a network of so many layers.
///
/// # Panics
/// If the sub-pixel is outside the picture.
pub fn receptive_field(architecture: Architecture, layers: usize, shape: Shape, of: [usize; 3]) -> ReceptiveField {
    let Shape { height, width, channels } = shape;
    let [row, column, colour] = of;
    assert!(row < height && column < width && colour < channels, "receptive field of {of:?} in {shape}");
    let sizes = Sizes { hidden: channels, layers, head: channels };
    let mut network = Network::<f64>::new(architecture, sizes, channels, 1, 0, &mut Streams::new(0).stream("init"));
    for (name, param) in network.parameters_mut() {
        let outputs = param.shape()[0];
        let bias = name.rsplit('.').next().is_some_and(|name| name.starts_with("bias"));
        let values = param.values_mut();
        // Small enough that nothing saturates in f64, however deep.
        let weight = if bias { 0.0 } else { outputs as f64 / values.len() as f64 };
        values.fill(weight);
    }
    let x = Tensor::<f64>::ones(&[1, channels, height, width]).tracked();
    let output = network.forward(&x, None);
    let one = output.narrow(1, colour, 1).narrow(2, row, 1).narrow(3, column, 1).sum();
    let gradients = one.backward();
    let paths = gradients.of(&x).map(|paths| paths.view().permuted_axes(vec![0, 2, 3, 1]));
    let seen = paths.map_or_else(|| vec![false; shape.values()], |paths| paths.iter().map(|&p| p > 0.0).collect());
    ReceptiveField { shape, of, seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGIT: Shape = Shape { height: 28, width: 28, channels: 1 };

    fn counts<const N: usize>(architecture: Architecture, layers: [usize; N]) -> [usize; N] {
        layers.map(|layers| {
            let field = receptive_field(architecture, layers, DIGIT, [14, 14, 0]);
            assert!(field.is_causal());
            assert_eq!(field.before(), 406);
            field.count()
        })
    }

    #[test]
    fn the_middle_of_a_digit_sees_what_the_papers_kernels_let_it_see() {
        assert_eq!(counts(Architecture::PixelCnn, [4, 7, 15]), [102, 192, 351]);
        assert_eq!(counts(Architecture::GatedPixelCnn, [4, 7, 10]), [112, 220, 364]);
        assert_eq!(counts(Architecture::RowLstm, [1, 2, 7]), [296, 306, 341]);
        // At any depth all but the last pixel of the row above.
        assert_eq!(counts(Architecture::DiagonalLstm, [1, 2, 7]), [405; 3]);
    }

    #[test]
    fn a_colour_sees_the_colours_of_its_pixel_that_come_before_it() {
        let shape = Shape { height: 5, width: 5, channels: 3 };
        for &architecture in Architecture::ALL {
            for colour in 0..3 {
                let field = receptive_field(architecture, 2, shape, [3, 2, colour]);
                assert!(field.is_causal(), "{architecture:?}, colour {colour}");
                let pixel = (3 * 5 + 2) * 3;
                let own: Vec<bool> = field.seen[pixel..pixel + 3].to_vec();
                assert_eq!(own, [colour > 0, colour > 1, false], "{architecture:?}, colour {colour}");
                assert_eq!(field.seen[pixel - 3..pixel], [true; 3], "of the pixel before it, every colour");
            }
        }
    }

    #[test]
    fn the_first_sub_pixel_sees_nothing() {
        let shape = Shape { height: 4, width: 4, channels: 3 };
        assert_eq!(receptive_field(Architecture::GatedPixelCnn, 3, shape, [0, 0, 0]).count(), 0);
    }
}
