//! The classical floors of sounds against figures computed by another program, NumPy. It needs data, so it runs only on request:
//!
//! `AUTOREG_DATA=folder cargo test --release --features data-tests --test audio_floors`, with the recordings of the Free Spoken Digit Dataset
//! at `folder/audio/fsdd`.

use models::audio::config::AudioConfig;
use models::audio::data::{AudioData, Recording};
use models::audio::floors::floors;
use models::audio::mu_law::{CODES, code};
use std::f64::consts::LN_2;

#[test]
fn the_floors_of_spoken_digits_are_numpys() {
    let folder = std::env::var("AUTOREG_DATA").expect("AUTOREG_DATA names the folder of the data sets");
    let mut config = AudioConfig::default();
    config.data.path = format!("{folder}/audio/fsdd");
    config.data.pattern = "{digit}_{speaker}_{index}.wav".to_owned();
    (config.data.test_where, config.data.validation) = ("index<5".to_owned(), 0.0);
    (config.data.train, config.model.conditions) = (1.0, vec!["digit".to_owned(), "speaker".to_owned()]);
    let data = AudioData::of_files(&config.data.read().unwrap(), &config).unwrap();
    assert_eq!((data.rate, data.train.len(), data.validation.len(), data.test.len()), (8000, 2700, 0, 300));
    assert_eq!(data.labels[1].values, ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]);
    let codes = |part: &[Recording]| -> Vec<Vec<u32>> {
        part.iter().map(|recording| recording.samples.iter().map(|&sample| code(sample).into()).collect()).collect()
    };
    let (train, test) = (codes(&data.train), codes(&data.test));
    let samples = |part: &[Vec<u32>]| part.iter().map(Vec::len).sum::<usize>();
    assert_eq!((samples(&train), samples(&test)), (9_464_394, 1_034_030));
    let slices = |part: &'static [Vec<u32>]| part.iter().map(Vec::as_slice).collect::<Vec<_>>();
    let found = floors(&slices(train.leak()), &slices(test.leak()), CODES);
    // By NumPy in float64.
    for (floor, bits) in found.iter().zip([8.0, 7.181431617786067, 5.448113897105503]) {
        assert!((floor.nats / LN_2 - bits).abs() < 1e-9, "{floor:?}: not {bits}");
    }
}
