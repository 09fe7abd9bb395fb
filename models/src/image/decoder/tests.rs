//! The checks of every model, on tiny networks of every architecture, grey and in colour, with and without classes.

use super::*;
use crate::check;
use crate::image::network::Architecture;
use crate::levels::head::Head;
use autograd::nn::{Conv2d, DiagonalLstm, MaskedConv2d};
use autograd::random::Streams;

/// Height, width, colours, levels.
const IMAGES: [[usize; 4]; 5] = [[3, 3, 1, 2], [5, 4, 1, 5], [4, 5, 3, 4], [4, 1, 1, 3], [1, 4, 3, 3]];

/// Every network of images of every kind, with and without classes.
fn models<T: Scalar>() -> impl Iterator<Item = ImageModel<T>> {
    let networks = [false, true]
        .into_iter()
        .flat_map(|conditional| Architecture::ALL.iter().map(move |&network| (network, conditional)));
    networks.flat_map(|(model, conditional)| {
        IMAGES.into_iter().map(move |[height, width, colours, levels]| {
            let classes = if conditional { vec!["a".into(), "b".into(), "c".into()] } else { Vec::new() };
            let sizes = ModelConfig { model, hidden: 6, layers: 2, head: 9, ..ModelConfig::default() };
            let distribution = if levels == 2 { Head::Bernoulli } else { Head::Categorical };
            let config = ModelConfig { height, width, colours, levels, classes, distribution, ..sizes };
            ImageModel::new(&config, &mut Streams::new(7).stream("init"))
        })
    })
}

/// Every model with a class, where it is told one, and an image.
pub(super) fn each<T: Scalar>(mut check: impl FnMut(&Decoder<T>, Option<u32>, &[u32])) {
    for model in models() {
        let config = &model.config;
        let image: Vec<u32> = (0..config.values()).map(|i| (i * i + i / 3) as u32 % config.levels as u32).collect();
        let class = (!config.classes.is_empty()).then_some(1);
        check(&Decoder::new(&model), class, &image);
    }
}

fn steps_equal_the_pass<T: Scalar>() {
    each::<T>(|decoder, class, image| {
        let outcome = check::steps_equal_parallel(&decoder.given(&class), image);
        assert!(outcome.passed, "{:?}: {outcome}", decoder.model.config);
    });
}

#[test]
fn steps_equal_the_parallel_pass_bit_for_bit_at_every_sub_pixel() {
    steps_equal_the_pass::<f32>();
    steps_equal_the_pass::<f64>();
}

#[test]
fn no_sub_pixel_sees_itself_or_what_comes_after_it() {
    each::<f64>(|decoder, class, image| {
        let levels = decoder.model.config.levels as u32;
        let outcome = check::causality(&decoder.given(&class), image, |level| (level + 1) % levels);
        assert!(outcome.passed, "{:?}: {outcome}", decoder.model.config);
    });
}

#[test]
fn all_binary_images_of_nine_pixels_sum_to_one() {
    each::<f64>(|decoder, class, image| {
        if image.len() == 9 {
            let outcome = check::sum_to_one(&decoder.given(&class), 2, 9);
            assert!(outcome.passed && outcome.detail.starts_with("512 "), "{outcome}");
        }
    });
}

#[test]
fn another_class_is_another_distribution() {
    each::<f32>(|decoder, class, _| {
        let of = |class: Option<u32>| decoder.given(&class).start().distribution;
        assert!(class.is_none() || of(Some(0)) != of(Some(2)));
    });
}

fn many_equal_each_alone<T: Scalar>() {
    each::<T>(|decoder, class, image| {
        let model = decoder.given(&class);
        let levels = decoder.model.config.levels as u32;
        for count in [0, 1, 2, 9] {
            let mut together = vec![model.start(); count];
            // some of them are ahead of the others
            together.iter_mut().filter(|_| count == 9).skip(5).for_each(|state| model.step(state, 1));
            let mut alone = together.clone();
            for (t, &level) in image[1..].iter().enumerate() {
                let symbols: Vec<u32> = (0..count).map(|i| (level + (i * t) as u32) % levels).collect();
                model.step_many(&mut together, &symbols);
                alone.iter_mut().zip(&symbols).for_each(|(state, &level)| model.step(state, level));
                let same = together.iter().zip(&alone).all(|(a, b)| bits(a) == bits(b));
                assert!(same, "{count} images, sub-pixel {t}");
            }
        }
    });
}

fn bits<T: Scalar>(state: &State<T>) -> Vec<u64> {
    state.distribution.parameters().into_iter().map(f64::to_bits).collect()
}

#[test]
fn images_side_by_side_step_as_each_alone_bit_for_bit() {
    many_equal_each_alone::<f32>();
    many_equal_each_alone::<f64>();
}

/// The multiply-adds of a pixel, by the masks and shapes of the layers alone, and those of them that the last row does without.
fn counted(network: &Network<f64>) -> [usize; 2] {
    let masked = |layer: &MaskedConv2d<f64>| layer.mask().value().iter().filter(|&&m| m != 0.0).count();
    let plain = |layer: &Conv2d<f64>| layer.weight.value().len();
    match network {
        Network::PixelCnn(network) => {
            let blocks = network.blocks.iter().flat_map(|block| [&block.narrow, &block.middle, &block.widen]);
            [blocks.chain([&network.first, &network.head, &network.output]).map(masked).sum(), 0]
        }
        Network::GatedPixelCnn(network) => {
            let layers = network.layers.iter().map(|layer| {
                let stacks = plain(&layer.vertical) + plain(&layer.link) + masked(&layer.horizontal);
                stacks + layer.residual.as_ref().map_or(0, masked) + masked(&layer.skip)
            });
            [layers.sum::<usize>() + masked(&network.head) + masked(&network.output), 0]
        }
        Network::RowLstm(network) => {
            let layers = network.layers.iter().map(|layer| {
                masked(&layer.lstm.input_to_state) + layer.lstm.weight_hh.value().len() + masked(&layer.widen)
            });
            [layers.chain([&network.first, &network.head, &network.output].map(masked)).sum(), 0]
        }
        Network::DiagonalLstm(network) => {
            let of = |lstm: &DiagonalLstm<f64>| masked(&lstm.input_to_state) + lstm.weight_hh.value().len();
            let layers = network.layers.iter().map(|layer| of(&layer.lstm.left) + masked(&layer.widen));
            let pixels: usize = layers.chain([&network.first, &network.head, &network.output].map(masked)).sum();
            // The direction from the right goes over all rows but the last.
            let right: usize = network.layers.iter().map(|layer| of(&layer.lstm.right)).sum();
            [pixels + right, right]
        }
    }
}

#[test]
fn an_image_costs_the_multiply_adds_of_one_pass_without_what_is_masked() {
    each::<f64>(|decoder, class, image| {
        let (config, given) = (&decoder.model.config, decoder.given(&class));
        let [each, unread] = counted(&decoder.model.network);
        let wanted = (each * config.pixels() - unread * config.width) as u64;
        assert_eq!(decoder.multiply_adds(), wanted, "{config:?}");
        let mut state = given.start();
        image.iter().for_each(|&level| given.step(&mut state, level));
        assert_eq!(state.multiply_adds(), wanted, "{config:?}: as they were done");
    });
    // 1 → 7 × 7 A 128, seven blocks of 64, 128, 2: by hand
    let config =
        ModelConfig { model: Architecture::PixelCnn, hidden: 64, head: 128, levels: 2, ..ModelConfig::default() };
    let config = ModelConfig { height: 28, width: 28, colours: 1, ..config };
    let decoder = Decoder::new(&ImageModel::<f32>::new(&config, &mut Streams::new(1).stream("init")));
    let block = 128 * 64 + 5 * 64 * 64 + 64 * 128;
    assert_eq!(decoder.multiply_adds(), 784 * (24 * 128 + 7 * block + 128 * 128 + 128 * 2));
}

#[test]
fn many_images_score_in_whole_passes_as_step_by_step() {
    each::<f32>(|decoder, class, image| {
        let (model, levels) = (decoder.given(&class), [image, &image[..1], &[]]);
        let alone: Vec<Vec<f64>> = levels.iter().map(|x| model.nats(&mut model.start(), x)).collect();
        assert_eq!(model.nats_of_many(&levels), alone);
    });
}
