//! The classical floors of pictures against figures computed by another program, NumPy. It needs data, so it runs only on request:
//!
//! `AUTOREG_DATA=folder cargo test --release --features data-tests --test image_floors`, with MNIST, statically binarized MNIST and
//! photographs at `folder/image`: `train-images-idx3-ubyte.gz`, `binarized-train-images-idx3-ubyte.gz`, `photos16`, …

use std::time::Instant;

use models::image::config::DataConfig;
use models::image::data::ImageData;
use models::image::floors::Floors;
use models::image::quantized::Quantized;

fn read(change: impl Fn(&mut DataConfig, &dyn Fn(&str) -> String)) -> ImageData {
    let folder = std::env::var("AUTOREG_DATA").expect("AUTOREG_DATA names the folder of the data sets");
    let mut config = DataConfig::default();
    change(&mut config, &|name| format!("{folder}/image/{name}"));
    let began = Instant::now();
    let data = ImageData::of_files(&config.read().unwrap(), &config).unwrap();
    eprintln!("{} in {:?}", data.described(), began.elapsed());
    data
}

#[track_caller]
fn are<'a>(found: impl Iterator<Item = (&'a str, f64)>, expected: &[(&str, f64)], digits: i32) {
    let found: Vec<_> = found.collect();
    eprintln!("{found:?}");
    assert_eq!(found.len(), expected.len());
    for ((name, value), (expected_name, expected)) in found.into_iter().zip(expected) {
        assert_eq!(name, *expected_name);
        assert!((value - expected).abs() < 0.51 * 10f64.powi(-digits), "{name}: {value}, not {expected}");
    }
}

#[test]
fn the_floors_of_statically_binarized_mnist_are_the_published_ones() {
    let data = read(|config, at| {
        (config.path, config.levels) = (at("binarized-train-images-idx3-ubyte.gz"), 2);
        config.validation_path = at("binarized-valid-images-idx3-ubyte.gz");
        config.test_path = at("binarized-test-images-idx3-ubyte.gz");
    });
    assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [50_000, 10_000, 10_000]);
    let floors = Floors::measure(&Quantized::of(&data.train, 2), &Quantized::of(&data.test, 2)).unwrap();
    // By NumPy in float64: 205.792200603, 100.998112398, 98.023096554.
    let expected =
        [("uniform", 543.42739), ("pixel", 205.79220), ("context_16", 100.99811), ("context_8_and_place", 98.02310)];
    are(floors.iter(), &expected, 5);
}

#[test]
fn the_floors_of_mnist_at_256_levels_are_the_published_ones() {
    let data = read(|config, at| {
        (config.path, config.test_path) = (at("train-images-idx3-ubyte.gz"), at("t10k-images-idx3-ubyte.gz"));
        config.labels = "auto".into();
    });
    assert_eq!((data.train.len(), data.test.len(), data.classes.len()), (60_000, 10_000, 10));
    assert_eq!(data.train.labels().unwrap()[..8], [5, 0, 4, 1, 9, 2, 1, 3]);
    let floors = Floors::measure(&Quantized::of(&data.train, 256), &Quantized::of(&data.test, 256)).unwrap();
    let expected = [("uniform", 8.0), ("histogram", 1.967255), ("left", 1.417929), ("left_residual", 2.165186)];
    are(floors.bits_per_dimension(), &expected, 6);
}

#[test]
fn the_floors_of_photographs_are_the_published_ones() {
    let data = read(|config, at| config.path = at("photos16"));
    assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [1773, 223, 219]);
    assert!(data.classes.is_empty());
    let floors = Floors::measure(&Quantized::of(&data.train, 256), &Quantized::of(&data.test, 256)).unwrap();
    let expected = [
        ("uniform", 8.0),
        ("histogram", 7.173937),
        ("left", 4.919369),
        ("left_residual", 5.153625),
        ("left_residual_of_differences", 4.554112),
    ];
    are(floors.bits_per_dimension(), &expected, 6);
}
