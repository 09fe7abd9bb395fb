//! The parameters of every network by name and shape, and what a training step keeps, without making the network: so that a file is
//! held against them, and memory counted, before anything of their size is there.

use super::model::ModelConfig;
use super::network::Architecture;

/// Names and shapes in the order of the network's own.
struct Shapes(Vec<(String, Vec<usize>)>);

impl Shapes {
    /// Weight and bias of a convolution.
    fn convolution(&mut self, name: &str, inputs: usize, outputs: usize, kernel: [usize; 2]) {
        self.0.push((format!("{name}.weight"), vec![outputs, inputs, kernel[0], kernel[1]]));
        self.0.push((format!("{name}.bias"), vec![outputs]));
    }

    /// What the class of an image adds to so many channels.
    fn class(&mut self, classes: usize, channels: usize) {
        if classes > 0 {
            self.0.push(("class.weight".to_owned(), vec![classes, channels]));
        }
    }

    /// An LSTM over images of twice as many channels, whose gates read so many states.
    fn lstm(&mut self, name: &str, hidden: usize, kernel: [usize; 2], states: usize) {
        let gates = hidden.saturating_mul(4);
        self.convolution(&format!("{name}.input_to_state"), hidden.saturating_mul(2), gates, kernel);
        self.0.push((format!("{name}.weight_hh"), vec![gates, hidden, states]));
    }
}

/// The names and shapes of the parameters of a model, in order.
pub fn parameter_shapes(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
    let ModelConfig { hidden, layers, head, colours, .. } = *config;
    let classes = config.classes.len();
    let mut shapes = Shapes(Vec::new());
    let wide = hidden.saturating_mul(2);
    let last = match config.model {
        Architecture::PixelCnn => {
            shapes.convolution("first", colours, wide, [7, 7]);
            shapes.class(classes, wide);
            for i in 0..layers {
                shapes.convolution(&format!("blocks.{i}.narrow"), wide, hidden, [1, 1]);
                shapes.convolution(&format!("blocks.{i}.middle"), hidden, hidden, [3, 3]);
                shapes.convolution(&format!("blocks.{i}.widen"), hidden, wide, [1, 1]);
            }
            wide
        }
        Architecture::GatedPixelCnn => {
            for i in 0..=layers {
                let name = |field: &str| format!("layers.{i}.{field}");
                let (inputs, vertical, width) = if i == 0 { (colours, [3, 7], 7) } else { (hidden, [2, 3], 3) };
                shapes.convolution(&name("vertical"), inputs, wide, vertical);
                shapes.convolution(&name("horizontal"), inputs, wide, [1, width]);
                shapes.convolution(&name("link"), hidden, wide, [1, 1]);
                if i < layers {
                    shapes.convolution(&name("residual"), hidden, hidden, [1, 1]);
                }
                shapes.convolution(&name("skip"), hidden, head, [1, 1]);
                for table in ["vertical_class", "horizontal_class"].iter().filter(|_| classes > 0) {
                    shapes.0.push((name(&format!("{table}.weight")), vec![classes, wide]));
                }
            }
            head
        }
        Architecture::RowLstm => {
            shapes.convolution("first", colours, wide, [7, 7]);
            shapes.class(classes, wide);
            for i in 0..layers {
                shapes.lstm(&format!("layers.{i}.lstm"), hidden, [1, 3], 3);
                shapes.convolution(&format!("layers.{i}.widen"), hidden, wide, [1, 1]);
            }
            wide
        }
        Architecture::DiagonalLstm => {
            shapes.convolution("first", colours, wide, [7, 7]);
            shapes.class(classes, wide);
            for i in 0..layers {
                shapes.lstm(&format!("layers.{i}.lstm.left"), hidden, [1, 1], 2);
                shapes.lstm(&format!("layers.{i}.lstm.right"), hidden, [1, 1], 2);
                shapes.convolution(&format!("layers.{i}.widen"), hidden, wide, [1, 1]);
            }
            wide
        }
    };
    shapes.convolution("head", last, head, [1, 1]);
    shapes.convolution("output", head, colours.saturating_mul(config.parameters()), [1, 1]);
    shapes.0
}

/// The numbers that a training step holds of a pixel at most, within its backward pass: what layers put out, and the gradients of the layer
/// that it is in and of what passes through all of them.
pub fn elements_per_pixel(config: &ModelConfig) -> u128 {
    let [hidden, layers, head] = [config.hidden, config.layers, config.head].map(|size| size as u128);
    let inside = match config.model {
        // Between blocks 2h channels, inside one h twice.
        Architecture::PixelCnn => 2 * 2 * hidden + (layers + 1) * 4 * hidden,
        // Of both stacks the halves of the gate, what comes out of it, and the horizontal stack itself.
        Architecture::GatedPixelCnn => (layers + 2) * 7 * hidden + 2 * hidden,
        // Between layers 2h channels; of each LSTM the four gates, the cell and the state.
        Architecture::RowLstm => 2 * hidden + layers * (2 + 6) * hidden + 6 * hidden,
        Architecture::DiagonalLstm => 2 * hidden + layers * (2 + 2 * 6) * hidden + 2 * 6 * hidden,
    };
    inside + 2 * head + config.colours as u128 * config.parameters() as u128
}

#[cfg(test)]
mod tests {
    use super::super::model::ImageModel;
    use super::super::network::Architecture;
    use super::*;
    use autograd::nn::Module;
    use autograd::random::Streams;

    #[test]
    fn the_shapes_are_those_of_the_networks() {
        for &model in Architecture::ALL {
            for classes in [0, 4] {
                let classes = (0..classes).map(|class| class.to_string()).collect();
                let (hidden, head, layers) = (6, 9, 2);
                let (colours, height, width, levels) = (3, 4, 5, 7);
                let made_of = ModelConfig { model, hidden, layers, head, classes, ..ModelConfig::default() };
                let config = ModelConfig { colours, height, width, levels, ..made_of };
                let network = ImageModel::<f32>::new(&config, &mut Streams::new(1).stream("init"));
                let found = network.parameters().into_iter().map(|(name, param)| (name, param.shape().to_vec()));
                assert_eq!(parameter_shapes(&config), found.collect::<Vec<_>>(), "{model:?}");
            }
        }
    }
}
