//! The parameters of a WaveNet by name and shape, and what a training step keeps, without making the network: so that a file is held
//! against them, and memory counted, before anything of their size is there.

use super::model_config::{Encoding, ModelConfig};
use super::wavenet::KERNEL;

/// The names and shapes of the parameters of a model, in order.
pub fn parameter_shapes(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
    let ModelConfig { residual: r, skip, layers, stacks, .. } = *config;
    let conditions = config.conditioned();
    let mut shapes = Vec::new();
    let mut add = |name: String, shape: Vec<usize>| shapes.push((name, shape));
    match config.encoding {
        Encoding::MuLaw => add("embedding.weight".to_owned(), vec![config.symbols(), r]),
        Encoding::Linear => {
            add("first.weight".to_owned(), vec![r, 1, 1]);
            add("first.bias".to_owned(), vec![r]);
        }
    }
    let (wide, count) = (r.saturating_mul(2), layers.saturating_mul(stacks));
    for i in 0..count {
        let name = |field: &str| format!("layers.{i}.{field}");
        add(name("dilated.weight"), vec![wide, r, KERNEL]);
        add(name("dilated.bias"), vec![wide]);
        for (k, &classes) in conditions.classes.iter().enumerate() {
            add(name(&format!("global.{k}.weight")), vec![classes, wide]);
        }
        if conditions.features > 0 {
            add(name("local.weight"), vec![wide, conditions.features, 1]);
        }
        if i + 1 < count {
            add(name("residual.weight"), vec![r, r, 1]);
            add(name("residual.bias"), vec![r]);
        }
        add(name("skip.weight"), vec![skip, r, 1]);
        add(name("skip.bias"), vec![skip]);
    }
    for (name, outputs) in [("head", skip), ("output", config.parameters())] {
        add(format!("{name}.weight"), vec![outputs, skip, 1]);
        add(format!("{name}.bias"), vec![outputs]);
    }
    shapes
}

/// The numbers that a training step holds of a sample at most, within its backward pass: of each layer its input, its gates and what comes out of
/// them, the sums of skips, the features it is told, and the gradients of the layer that it is in.
pub fn elements_per_sample(config: &ModelConfig) -> u128 {
    let [r, skip] = [config.residual, config.skip].map(|size| size as u128);
    let layers = config.layers as u128 * config.stacks as u128;
    let features = config.local.bands() as u128;
    (layers + 2) * 4 * r + 5 * skip + 2 * features + 2 * config.parameters() as u128
}

#[cfg(test)]
mod tests {
    use super::super::mel::MelSettings;
    use super::super::model::AudioModel;
    use super::super::model_config::{Labels, Local};
    use super::*;
    use crate::levels::head::Head;
    use autograd::nn::Module;
    use autograd::random::Streams;

    #[test]
    fn the_shapes_are_those_of_the_network() {
        let values = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        let labels = vec![
            Labels { name: "digit".to_owned(), values: values(&["0", "1", "2"]) },
            Labels { name: "speaker".to_owned(), values: values(&["a", "b"]) },
        ];
        let tiny = ModelConfig { residual: 3, skip: 5, layers: 2, stacks: 2, ..ModelConfig::default() };
        let told = ModelConfig {
            conditions: values(&["digit", "speaker"]),
            labels,
            local: Local::Mel(MelSettings { bands: 4, ..MelSettings::default() }),
            ..tiny.clone()
        };
        let linear =
            ModelConfig { encoding: Encoding::Linear, distribution: Head::Logistics { components: 2 }, ..tiny.clone() };
        for config in [tiny, told, linear] {
            let model = AudioModel::<f32>::new(&config, &mut Streams::new(1).stream("init"));
            let found = model.parameters().into_iter().map(|(name, param)| (name, param.shape().to_vec()));
            assert_eq!(parameter_shapes(&config), found.collect::<Vec<_>>());
        }
    }
}
