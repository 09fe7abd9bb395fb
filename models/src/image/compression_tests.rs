//! Pictures of every architecture, head and file, compressed and brought back; and a network with a hole in its mask.

use super::super::model::ModelConfig;
use super::super::network::{Architecture, Network};
use super::super::quantized::Binarization;
use super::*;
use crate::autoregressive::Autoregressive;
use crate::compression::coder::{Coder, Encoder};
use crate::compression::{Compressed, format};
use crate::levels::head::Head;
use autograd::nn::{Mask, MaskedConv2d, Module};
use autograd::optim::{Adam, Decay, Optimizer, Update};
use autograd::random::Streams;

fn config(model: Architecture, distribution: Head, levels: usize, colours: usize, classes: usize) -> ModelConfig {
    let classes = (0..classes).map(|class| class.to_string()).collect();
    let made_of = ModelConfig { model, distribution, hidden: 6, layers: 2, head: 6, classes, ..ModelConfig::default() };
    ModelConfig { colours, height: 5, width: 4, levels, ..made_of }
}

fn model(config: &ModelConfig) -> ImageModel<f32> {
    ImageModel::new(config, &mut Streams::new(4).stream("init"))
}

/// Pictures of the model's size, as bytes.
fn values(config: &ModelConfig, count: usize) -> Vec<u8> {
    (0..config.values() * count).map(|i| (i * i / 3 % 251) as u8).collect()
}

fn compressed(model: &ImageModel<f32>, bytes: &[u8], classes: &Classes) -> Report {
    let report = compress(model, 5, bytes, "pictures", classes, &mut |_, _| Ok(())).unwrap();
    let Compressed { bytes, symbols, likelihood_bits } = &report.compressed;
    let bits = 8.0 * format::read(bytes, "a").unwrap().payload.len() as f64;
    assert!(bits <= likelihood_bits * 1.001 + 64.0 && bits >= likelihood_bits * 0.999, "{bits} {likelihood_bits}");
    assert_eq!(symbols % model.config.values(), 0);
    report
}

fn back(model: &ImageModel<f32>, report: &Report) -> Vec<u8> {
    let file = format::read(&report.compressed.bytes, "a.arz").unwrap();
    decompress(model, 5, &file, "a.arz", &mut |_, _| Ok(())).unwrap()
}

#[test]
fn pictures_of_every_architecture_and_head_come_back_as_they_were() {
    for &architecture in Architecture::ALL {
        for (head, levels, colours, classes) in [
            (Head::Categorical, 256, 1, 0),
            (Head::Logistics { components: 2 }, 256, 3, 3),
            (Head::Bernoulli, 2, 1, 3),
            (Head::Categorical, 4, 3, 0),
        ] {
            let config = config(architecture, head, levels, colours, classes);
            let (model, values) = (model(&config), values(&config, 70));
            let classes = if classes == 0 { Classes::Unsaid } else { Classes::All(2) };
            let idx = idx::of_images(&Images::new(config.shape(), values.clone()));
            let report = compressed(&model, &idx, &classes);
            let Idx::Images(came) = idx::parse(&back(&model, &report), "back").unwrap() else { panic!("pictures") };
            let expected: Vec<u8> = values.iter().map(|&value| shown(level(value, levels), levels)).collect();
            assert_eq!(came.values(), expected, "{architecture:?} {head:?}");
            assert_eq!(report.kept == Kept::Bytes, levels == 256, "{:?}", report.kept);
            // The likelihood is that of the parallel pass, and of equally likely classes.
            let levels: Vec<u8> = values.iter().map(|&value| level(value, levels)).collect();
            let told = vec![2; 70];
            let told = (classes != Classes::Unsaid).then_some(&told[..]);
            let nats: f64 = model.nats(&levels, told, &mut |_| {}).iter().sum();
            let of_classes = if told.is_some() { 70.0 * 3f64.log2() } else { 0.0 };
            let bits = nats / std::f64::consts::LN_2 + of_classes;
            approx::assert_relative_eq!(report.compressed.likelihood_bits, bits, max_relative = 1e-9);
        }
    }
}

#[test]
fn what_comes_back_is_said_of_every_kind_of_file() {
    let config = config(Architecture::PixelCnn, Head::Categorical, 256, 1, 0);
    let (own, values) = (model(&config), values(&config, 1));
    let png = png::write(&values, config.shape()).unwrap();
    let report = compressed(&own, &png, &Classes::Unsaid);
    assert_eq!((&report.kept, back(&own, &report)), (&Kept::Bytes, png.clone()));
    assert_eq!(report.rivals.iter().map(|rival| rival.name).collect::<Vec<_>>(), ["uncompressed", "png", "lzma"]);
    // The same picture as another program writes it.
    let mut other = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut other, 4, 5);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.set_compression(::png::Compression::NoCompression);
    encoder.write_header().unwrap().write_image_data(&values).unwrap();
    let report = compressed(&own, &other, &Classes::Unsaid);
    assert_eq!((&report.kept, back(&own, &report)), (&Kept::Content("every pixel"), png.clone()));
    // Black and white, and white as 1.
    let binary = model(&ModelConfig { levels: 2, ..config.clone() });
    let report = compressed(&binary, &png, &Classes::Unsaid);
    assert!(matches!(&report.kept, Kept::Changed(how) if how.contains("2 levels")), "{:?}", report.kept);
    let ones = idx::of_images(&Images::new(config.shape(), values.iter().map(|value| value % 2).collect()));
    let report = compressed(&binary, &ones, &Classes::Unsaid);
    assert_eq!((&report.kept, back(&binary, &report)), (&Kept::Bytes, ones));
}

#[test]
fn what_is_none_of_the_model_s_is_refused_by_name() {
    let config = config(Architecture::PixelCnn, Head::Categorical, 256, 1, 3);
    let (own, values) = (model(&config), values(&config, 2));
    let refused = |model: &ImageModel<f32>, bytes: &[u8], classes: &Classes| {
        compress(model, 5, bytes, "a", classes, &mut |_, _| Ok(())).unwrap_err().to_string()
    };
    let idx = idx::of_images(&Images::new(config.shape(), values));
    assert!(refused(&own, &idx, &Classes::Unsaid).contains("--class"), "the class is needed");
    let free = model(&ModelConfig { classes: Vec::new(), ..config.clone() });
    assert!(refused(&free, &idx, &Classes::All(1)).contains("told no class"));
    let turned = Shape { height: 4, width: 5, channels: 1 };
    let other = png::write(&[0; 20], turned).unwrap();
    assert!(refused(&own, &other, &Classes::All(1)).contains("5 × 4"));
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels").display().to_string();
    for (content, said) in [(&[1, 2, 0][..], "3 labels"), (&[1, 7], "no class 7")] {
        std::fs::write(&labels, idx::of_labels(content)).unwrap();
        assert!(refused(&own, &idx, &Classes::File(labels.clone())).contains(said));
    }
    assert!(refused(&own, &idx::of_labels(&[1]), &Classes::All(1)).contains("holds labels"));
    // A sequence for each picture, of its class.
    std::fs::write(&labels, idx::of_labels(&[2, 0])).unwrap();
    let report = compressed(&own, &idx, &Classes::File(labels));
    assert_eq!(back(&own, &report), idx);
    let file = format::File {
        header: format::Header { form: Form::Wav, ..format::read(&report.compressed.bytes, "a").unwrap().header },
        payload: &[],
    };
    assert!(decompress(&own, 5, &file, "a", &mut |_, _| Ok(())).unwrap_err().what.contains("holds a sound"));
}

/// A model trained on noise of one bit a pixel for some steps, its first layer seeing the pixel itself or not.
fn trained_on_noise(mask: Mask) -> (ImageModel<f32>, Vec<Vec<u32>>) {
    let config = config(Architecture::PixelCnn, Head::Bernoulli, 2, 1, 0);
    let mut model = model(&config);
    let Network::PixelCnn(network) = &mut model.network else { panic!("a PixelCNN") };
    network.first =
        MaskedConv2d::new(mask, [1, network.first.weight.shape()[0]], [7; 2], 1, &mut Streams::new(4).stream("first"));
    let grey = vec![128; config.values()];
    let noise = Binarization::named(Streams::new(6), "noise", config.shape());
    let picture = |i: usize| noise.apply(&grey, i).map(u32::from).collect::<Vec<u32>>();
    let mut adam = Adam::new(Decay::None);
    for step in 0..80 {
        let batch: Vec<u32> = (0..16).flat_map(|i| picture(100 + 16 * step + i)).collect();
        let gradients = model.loss(&batch, None).backward();
        adam.update(&mut model, &gradients, Update { learning_rate: 0.02, gradient_factor: 1.0 });
    }
    assert!(model.parameters().iter().all(|(_, parameter)| parameter.values().iter().all(|x| x.is_finite())));
    (model, (0..40).map(picture).collect())
}

#[test]
fn a_mask_with_a_hole_makes_noise_small_and_gives_other_pictures_back() {
    let bits = |model: &ImageModel<f32>, pictures: &[Vec<u32>]| {
        let mut encoder = Encoder::default();
        for picture in pictures {
            let mut picture = picture.clone();
            for (t, distribution) in model.given(&None).distributions(&picture.clone()).iter().enumerate() {
                encoder.code(distribution, &mut picture, t).unwrap();
            }
        }
        encoder.finish()
    };
    // Noise has a bit a pixel, whatever a network learns.
    let (honest, pictures) = trained_on_noise(Mask::A);
    let pixels = pictures.len() * 20;
    let honest_bits = 8 * bits(&honest, &pictures).len();
    assert!(honest_bits >= pixels - 32, "{honest_bits} bits of {pixels} pixels");
    // A hole in the mask has it in a fraction: too good to be true, and it is not.
    let (leaky, pictures) = trained_on_noise(Mask::B);
    let file = bits(&leaky, &pictures);
    assert!(8 * file.len() < pixels / 4, "{} bytes of {pixels} pixels", file.len());
    let mut decoder = crate::compression::coder::Decoder::new(&file);
    let given = leaky.given(&None);
    let mut right = 0;
    'pictures: for picture in &pictures {
        let (mut state, mut decoded) = (given.start(), Vec::new());
        for t in 0..picture.len() {
            let Ok(level) = decoder.code(given.next(&state), &mut decoded, t) else { break 'pictures };
            given.step(&mut state, level);
        }
        right += decoded.iter().zip(picture).filter(|(a, b)| a == b).count();
    }
    assert!(right < pixels * 3 / 4, "{right} of {pixels} pixels came back");
}
