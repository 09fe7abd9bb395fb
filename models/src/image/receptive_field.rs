//! What a sub-pixel can see, exactly: as a set, not as a bound.
//!
//! Every weight becomes a positive number, every bias 0, and the picture is positive: then nothing cancels. Each path from an input to an
//! output adds a positive number to the gradient of the one by the other (ReLU, tanh, σ and their products all rise), so the gradient is
//! positive exactly where there is a path. One backward pass tells of all inputs at once. How wide a network is changes no path, so one channel for each colour will
//! do.
//!
//! It is shown by [`picture`].

pub mod picture;

use super::images::Shape;
use super::model::ModelConfig;
use super::network::{Architecture, Network, Sizes};
use super::shapes::elements_per_pixel;
use crate::error::{Error, Kind, Result};
use crate::levels::head::Head;
use crate::memory::Needs;
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

    /// How many of those before it are not seen: beyond the reach of so many layers, or in a blind spot, which no depth helps.
    pub fn unseen(&self) -> usize {
        self.seen[..self.before()].iter().filter(|&&seen| !seen).count()
    }

    /// Whether it sees nothing but what comes before it.
    pub fn is_causal(&self) -> bool {
        !self.seen[self.before()..].contains(&true)
    }
}

/// The deepest network, and the largest picture, of which every path is told: the weight of one shrinks with each step, and the longest
/// would vanish from an `f64`.
pub const MOST_LAYERS: usize = 128;
/// The longest side of a picture; see [`MOST_LAYERS`].
pub const MOST_SIDE: usize = 128;

/// The sub-pixel that is looked at where nobody says: the first colour of the pixel in the middle.
pub fn middle(shape: Shape) -> [usize; 3] {
    [shape.height / 2, shape.width / 2, 0]
}

/// The memory that [`receptive_field`] takes, at most; refused before is what it is not computed of.
///
/// # Errors
/// [`Kind::Usage`] for a network deeper, or a picture larger, than every path is told of, and for a sub-pixel outside the picture.
pub fn needs(architecture: Architecture, layers: usize, shape: Shape, of: [usize; 3]) -> Result<Needs> {
    let refused = |what: String, cause: String| Err(Error::new(Kind::Usage, what).cause(cause));
    if !(1..=MOST_LAYERS).contains(&layers) {
        let cause =
            format!("what it sees is told of 1 to {MOST_LAYERS} layers, where no path is too faint to be found");
        return refused(format!("a network of {layers} layers"), cause);
    }
    let Shape { height, width, channels } = shape;
    if ![height, width].iter().all(|side| (1..=MOST_SIDE).contains(side)) {
        let sides = format!("of sides from 1 to {MOST_SIDE}, where no path is too faint to be found");
        return refused(
            format!("a picture of {height} × {width}"),
            format!("what a sub-pixel sees is told in pictures {sides}"),
        );
    }
    let [row, column, colour] = of;
    if row >= height || column >= width || colour >= channels {
        let place = format!("row {row}, column {column}, colour {colour}: there is no such sub-pixel");
        let cause = format!("rows are 0 to {}, columns 0 to {}, colours 0 to {}", height - 1, width - 1, channels - 1);
        return refused(place, format!("the picture is {shape}: {cause}"));
    }
    // One channel for each colour, and one number for each sub-pixel, as below.
    let (hidden, head) = (channels, channels);
    let network =
        ModelConfig { model: architecture, hidden, layers, head, colours: channels, ..ModelConfig::default() };
    let kept = elements_per_pixel(&ModelConfig { distribution: Head::Bernoulli, levels: 2, ..network });
    // Of so few channels what stands beside them weighs more: rows skewed into diagonals, and one channel to spare.
    let kept = kept * (height * width) as u128 * 9 / 8;
    Ok(Needs::default().and(
        "the paths through the network",
        kept,
        size_of::<f64>(),
        "the number of layers, or the picture,",
    ))
}

/// The value of every sub-pixel of the picture that is looked at.
const FAINT: f64 = 1e-40;

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
        // The mean over what is read.
        let weight = if bias { 0.0 } else { outputs as f64 / values.len() as f64 };
        values.fill(weight);
    }
    // So faint that nothing saturates, however many layers add to each other: where a tanh is flat to the last bit, a path would end.
    let x = Tensor::<f64>::from_vec(vec![FAINT; shape.values()], &[1, channels, height, width]).tracked();
    let output = network.forward(&x, None);
    let one = output.narrow(1, colour, 1).narrow(2, row, 1).narrow(3, column, 1).sum();
    let gradients = one.backward();
    let paths = gradients.of(&x).map(|paths| paths.view().permuted_axes(vec![0, 2, 3, 1]));
    let seen = paths.map_or_else(|| vec![false; shape.values()], |paths| paths.iter().map(|&p| p > 0.0).collect());
    ReceptiveField { shape, of, seen }
}

#[cfg(test)]
#[path = "receptive_field_tests.rs"]
mod tests;
