//! Models of images: what every one of them owes.

use super::*;
use crate::autoregressive::{Autoregressive, Conditional};
use crate::check;
use autograd::random::Streams;

/// A tiny model of every architecture: `colours`, `levels`, an image of so many rows and columns.
fn tiny(model: Architecture, colours: usize, levels: usize, [height, width]: [usize; 2]) -> ImageModel<f64> {
    let names = |count: usize| (0..count).map(|class| class.to_string()).collect();
    let classes = names(3);
    let made_of = ModelConfig { model, hidden: 6, layers: 2, head: 6, classes, ..ModelConfig::default() };
    let config = ModelConfig { colours, height, width, levels, ..made_of };
    ImageModel::new(&config, &mut Streams::new(4).stream("init"))
}

fn image(model: &ImageModel<f64>, seed: usize) -> Vec<u32> {
    (0..model.config.values()).map(|i| ((i * 5 + i / 2 + seed) % model.config.levels) as u32).collect()
}

fn class(model: &ImageModel<f64>) -> Option<u32> {
    (!model.config.classes.is_empty()).then_some(1)
}

#[test]
fn every_architecture_is_causal_at_every_sub_pixel_and_its_steps_equal_the_parallel_pass() {
    for &architecture in Architecture::ALL {
        for (colours, levels) in [(1, 2), (3, 4)] {
            let model = tiny(architecture, colours, levels, [4, 3]);
            let class = class(&model);
            let (given, image) = (model.given(&class), image(&model, 0));
            for outcome in [
                check::causality(&given, &image, |level| (level + 1) % levels as u32),
                check::steps_equal_parallel(&given, &image),
                check::each_sums_to_one(&given, &image, levels as u32),
                check::looking_ahead(&given, &image, |level| (level + 1) % levels as u32),
            ] {
                assert!(outcome.passed, "{architecture:?} of {colours} colours: {outcome}");
            }
        }
    }
}

#[test]
fn the_probabilities_of_all_images_of_three_by_three_sum_to_one() {
    for &architecture in Architecture::ALL {
        for distribution in [Head::Bernoulli, Head::Categorical] {
            let mut config = tiny(architecture, 1, 2, [3, 3]).config;
            config.distribution = distribution;
            let model = ImageModel::<f64>::new(&config, &mut Streams::new(4).stream("init"));
            let outcome = check::sum_to_one(&model.given(&class(&model)), 2, 9);
            assert!(outcome.passed && outcome.detail.starts_with("512 "), "{architecture:?}: {outcome}");
        }
    }
}

#[test]
fn every_parameter_gets_a_gradient_that_is_not_zero() {
    for &architecture in Architecture::ALL {
        for colours in [1, 3] {
            let model = tiny(architecture, colours, 4, [5, 4]);
            let images = [image(&model, 0), image(&model, 1), image(&model, 2)].concat();
            let classes = class(&model).map(|_| [0, 1, 2]);
            let gradients = model.loss(&images, classes.as_ref().map(|classes| &classes[..])).backward();
            for (name, param) in model.parameters() {
                let gradient = gradients.of(param).unwrap_or_else(|| panic!("{architecture:?}: {name} gets none"));
                assert!(gradient.iter().any(|&g| g != 0.0), "{architecture:?}: {name} gets zeros");
            }
        }
    }
}

#[test]
fn images_score_in_batches_as_each_alone_bit_for_bit() {
    for &architecture in Architecture::ALL {
        let model = tiny(architecture, 1, 4, [4, 3]);
        let images: Vec<Vec<u32>> = (0..5).map(|seed| image(&model, seed)).collect();
        let classes = class(&model).map(|_| [0, 1, 2, 1, 0]);
        let levels: Vec<u8> = images.iter().flatten().map(|&level| level as u8).collect();
        let mut done = Vec::new();
        let nats = model.nats(&levels, classes.as_ref().map(|classes| &classes[..]), &mut |images| done.push(images));
        assert_eq!(done.last(), Some(&5));
        for (i, image) in images.iter().enumerate() {
            let given = classes.map(|classes| classes[i]);
            let given = model.given(&given);
            let alone: f64 = given.nats(&mut given.start(), image).iter().sum();
            assert_eq!(nats[i], alone, "{architecture:?}, image {i}");
        }
    }
}

#[test]
fn another_class_is_another_distribution_from_the_first_sub_pixel_on() {
    for &architecture in Architecture::ALL {
        let model = tiny(architecture, 1, 2, [3, 3]);
        let first = |class: u32| model.distributions(&[0], Some(class));
        assert_ne!(first(0), first(1), "{architecture:?}");
    }
}

#[test]
fn levels_are_scaled_evenly_from_minus_one_to_one() {
    let model = tiny(Architecture::PixelCnn, 1, 5, [1, 5]);
    assert_eq!(model.input(&[0, 1, 2, 3, 4]).to_vec(), [-1.0, -0.5, 0.0, 0.5, 1.0]);
}
