//! Models of sounds: what every one of them owes, of either encoding, told nothing, labels, frames.

use super::*;
use crate::audio::given::Prepared;
use crate::audio::mel::MelSettings;
use crate::audio::model_config::{Labels, Local};
use crate::autoregressive::{Autoregressive, Conditional};
use crate::check;
use crate::levels::head::Head;
use autograd::random::Streams;

/// Tiny models: of 256 codes and of 65,536 levels, each told nothing, and told labels and frames.
fn models<T: Scalar>() -> Vec<(AudioModel<T>, Told)> {
    let values = |count: usize| (0..count).map(|value| value.to_string()).collect();
    let labels = vec![
        Labels { name: "digit".to_owned(), values: values(3) },
        Labels { name: "speaker".to_owned(), values: values(2) },
    ];
    let mel = MelSettings { hop: 3, bands: 2, ..MelSettings::default() };
    let tiny = ModelConfig { residual: 4, skip: 6, layers: 3, stacks: 2, rate: 8000, ..ModelConfig::default() };
    let mut models = Vec::new();
    for (encoding, distribution) in [
        (Encoding::MuLaw, Head::Categorical),
        (Encoding::MuLaw, Head::Logistics { components: 2 }),
        (Encoding::Linear, Head::Logistics { components: 2 }),
    ] {
        let alone = ModelConfig { encoding, distribution, ..tiny.clone() };
        let told = ModelConfig {
            conditions: vec!["digit".to_owned(), "speaker".to_owned()],
            labels: labels.clone(),
            local: Local::Mel(mel.clone()),
            ..alone.clone()
        };
        let frames = Frames { bands: 2, values: (0..60).map(|i| (i as f32).sin()).collect() };
        for (config, told) in [(alone, Told::default()), (told, Told { labels: vec![2, 1], frames: Some(frames) })] {
            models.push((AudioModel::new(&config, &mut Streams::new(5).stream("init")), told));
        }
    }
    models
}

fn sound<T: Scalar>(model: &AudioModel<T>, length: usize) -> Vec<u32> {
    let symbols = model.config.symbols() as u64;
    // Around the middle, as sounds are.
    (0..length as u64).map(|i| ((symbols / 2 + i * i * i % (symbols / 8)) % symbols) as u32).collect()
}

#[test]
fn every_model_is_causal_at_every_sample_and_its_steps_have_the_bits_of_the_parallel_pass() {
    fn holds<T: Scalar>() {
        for (model, told) in models::<T>() {
            let (prepared, sound) = (Prepared::new(&model), sound(&model, 40));
            let symbols = model.config.symbols() as u32;
            let given = prepared.given(&told).of_length(sound.len());
            for outcome in [
                check::causality(&given, &sound, |code| (code + 1) % symbols),
                check::steps_equal_parallel(&given, &sound),
            ] {
                assert!(outcome.passed, "{:?}: {outcome}", model.config);
            }
        }
    }
    holds::<f32>();
    holds::<f64>();
}

#[test]
fn probabilities_sum_to_one_over_all_codes_of_a_sample_and_over_all_sounds_of_two() {
    for (model, told) in models::<f64>() {
        let (prepared, sound) = (Prepared::new(&model), sound(&model, 4));
        let symbols = model.config.symbols() as u32;
        let given = prepared.given(&told).of_length(sound.len());
        let outcome = check::each_sums_to_one(&given, &sound, symbols);
        assert!(outcome.passed, "{:?}: {outcome}", model.config);
        if symbols == 256 {
            let outcome = check::sum_to_one(&given, symbols, 2);
            assert!(outcome.passed, "{:?}: {outcome}", model.config);
        }
    }
}

#[test]
fn a_piece_with_its_past_has_the_bits_of_the_whole_sound() {
    for (model, told) in models::<f32>() {
        let codes = sound(&model, 60);
        let field = model.config.sizes().receptive_field();
        assert!(field < 30);
        let each = model.config.parameters();
        let whole = rows(each, &model.forward(&codes, 0..60, &told)).to_vec();
        for positions in [0..1, 0..20, 5..9, field..field + 1, field + 1..50, 59..60] {
            let piece = rows(each, &model.forward(&codes[..positions.end], positions.clone(), &told)).to_vec();
            assert_eq!(piece, whole[positions.start * each..positions.end * each], "{positions:?}");
        }
    }
}

#[test]
fn the_loss_of_pieces_is_the_mean_of_all_their_samples() {
    for (model, told) in models::<f64>() {
        let codes = sound(&model, 50);
        let nats = model.nats(&codes, &told);
        assert_eq!(nats.len(), 50);
        let pieces = [(&codes[..], 0..20, &told), (&codes[..], 20..50, &told)];
        let loss = model.loss(pieces).item();
        let mean = nats.iter().sum::<f64>() / 50.0;
        approx::assert_relative_eq!(loss, mean, max_relative = 1e-9);
        let stepped: f64 = {
            let prepared = Prepared::new(&model);
            let given = prepared.given(&told).of_length(50);
            given.nats(&mut given.start(), &codes).iter().sum()
        };
        approx::assert_relative_eq!(stepped / 50.0, mean, max_relative = 1e-12);
    }
}

#[test]
fn every_parameter_gets_a_gradient_that_is_not_zero() {
    for (model, told) in models::<f64>() {
        let codes = sound(&model, 40);
        let other = Told { labels: told.labels.iter().map(|&label| label - 1).collect(), ..told.clone() };
        let third = Told { labels: told.labels.iter().map(|_| 0).collect(), ..told.clone() };
        let pieces = [(&codes[..], 0..40, &told), (&codes[..], 10..40, &other), (&codes[..], 0..30, &third)];
        let gradients = model.loss(pieces).backward();
        for (name, param) in model.parameters() {
            let gradient = gradients.of(param).unwrap_or_else(|| panic!("{name} gets none"));
            assert!(gradient.iter().any(|&g| g != 0.0), "{name} gets zeros");
        }
    }
}

#[test]
fn another_label_and_other_frames_are_another_distribution_from_the_first_sample_on() {
    for (model, told) in models::<f64>().into_iter().filter(|(_, told)| told.frames.is_some()) {
        let first = |told: &Told| model.distributions(&[0], told);
        let frames = told.frames.clone().map(|frames| Frames { values: vec![0.5; frames.values.len()], ..frames });
        assert_ne!(first(&told), first(&Told { labels: vec![0, 1], ..told.clone() }));
        assert_ne!(first(&told), first(&Told { labels: vec![2, 0], ..told.clone() }));
        assert_ne!(first(&told), first(&Told { frames, ..told.clone() }));
    }
}

#[test]
fn the_samples_of_a_code_are_that_code() {
    for encoding in [Encoding::MuLaw, Encoding::Linear] {
        for code in 0..encoding.symbols() as u32 {
            assert_eq!(encoding.code(encoding.sample(code)), code);
        }
    }
}
