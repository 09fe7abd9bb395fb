//! Recordings out of files: their parts, labels, frames and rates, and what of them is refused.

use super::*;
use crate::audio::condition::Upsampling;
use crate::audio::mel::MelSettings;
use crate::audio::wav::encode;

/// A file of this name whose samples are 1, 2, … n.
fn file(name: &str, samples: usize) -> DataFile {
    let sound = Sound { rate: 8000, samples: (1..=samples as i16).collect() };
    DataFile { name: name.to_owned(), path: format!("data/{name}"), bytes: encode(&sound), part: None }
}

fn files(names: &[&str]) -> DataFiles {
    DataFiles { path: "data".to_owned(), files: names.iter().map(|name| file(name, 100)).collect() }
}

/// Ten recordings of two speakers.
fn spoken() -> DataFiles {
    let names: Vec<String> =
        ["a", "b"].iter().flat_map(|speaker| (0..5).map(move |i| format!("{}_{speaker}_{i}.wav", 9 + i % 3))).collect();
    files(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn config() -> AudioConfig {
    let mut config = AudioConfig::default();
    config.data.pattern = "{digit}_{speaker}_{index}.wav".to_owned();
    config.model.conditions = vec!["digit".to_owned(), "speaker".to_owned()];
    config
}

fn names(recordings: &[Recording]) -> Vec<&str> {
    recordings.iter().map(|recording| recording.file.as_str()).collect()
}

#[test]
fn labels_part_the_recordings_and_are_numbered_in_their_order() {
    let mut config = config();
    (config.data.test_where, config.data.validation_where) = ("index<1".to_owned(), "index=1".to_owned());
    let data = AudioData::of_files(&spoken(), &config).unwrap();
    assert_eq!(names(&data.test), ["data/9_a_0.wav", "data/9_b_0.wav"]);
    assert_eq!(names(&data.validation), ["data/10_a_1.wav", "data/10_b_1.wav"]);
    assert_eq!(data.train.len(), 6);
    // Numbers by size: 9 before 10.
    assert_eq!(data.labels[0].values, ["9", "10", "11"]);
    assert_eq!(data.labels[1].values, ["a", "b"]);
    assert_eq!(data.validation[1].labels, [1, 1]);
    assert_eq!(data.part(Part::All).len(), 10);
}

#[test]
fn what_labels_leave_is_parted_by_chance_and_every_recording_is_in_one_part() {
    let mut config = config();
    (config.data.test_where, config.data.train, config.data.validation) = ("speaker=b".to_owned(), 0.6, 0.4);
    let data = AudioData::of_files(&spoken(), &config).unwrap();
    assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [3, 2, 5]);
    (config.data.test_where, config.data.train, config.data.validation) = (String::new(), 0.5, 0.3);
    let data = AudioData::of_files(&spoken(), &config).unwrap();
    assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [5, 3, 2]);
    let mut all: Vec<&str> = data.part(Part::All).iter().map(|recording| recording.file.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 10);
}

#[test]
fn a_single_recording_is_cut_in_time() {
    let data = AudioData::of_files(&files(&["one.wav"]), &AudioConfig::default()).unwrap();
    let ends = |part: &[Recording]| (part[0].samples[0], *part[0].samples.last().unwrap());
    assert_eq!([&data.train, &data.validation, &data.test].map(|part| ends(part)), [(1, 80), (81, 90), (91, 100)]);
}

#[test]
fn files_that_serve_a_part_do_and_labels_beside_them_are_refused() {
    let mut files = files(&["1.wav", "2.wav", "3.wav"]);
    files.files[1].part = Some(Part::Validation);
    files.files[2].part = Some(Part::Test);
    let data = AudioData::of_files(&files, &AudioConfig::default()).unwrap();
    assert_eq!(
        [&data.train, &data.validation, &data.test].map(|part| names(part).concat()),
        ["data/1.wav", "data/2.wav", "data/3.wav"]
    );
    let mut config = config();
    (config.data.test_where, config.data.test_files) = ("index<1".to_owned(), "3*".to_owned());
    assert!(config.check().unwrap_err().what.contains("labels decide"));
}

#[test]
fn every_recording_has_the_frames_of_its_own_samples() {
    let mut config = AudioConfig::default();
    config.model.local = Local::Mel(MelSettings { window: 32, hop: 8, bands: 3, ..MelSettings::default() });
    let data = AudioData::of_files(&files(&["one.wav"]), &config).unwrap();
    for (part, samples) in [(&data.train, 80), (&data.validation, 10), (&data.test, 10)] {
        let frames = part[0].frames.as_ref().unwrap();
        assert_eq!((frames.bands, frames.count(), part[0].samples.len()), (3, 1 + samples / 8, samples));
        assert_eq!(frames.of_samples(8, 0, samples, Upsampling::Repeat).len(), samples * 3);
    }
}

#[test]
fn frames_out_of_files_belong_to_the_recordings_of_their_names() {
    let mut config = AudioConfig::default();
    config.model.local = Local::Frames { bands: 0, hop: 50 };
    (config.data.frames_path, config.data.train, config.data.validation) = ("frames".to_owned(), 0.5, 0.5);
    let frames = |name: &str, text: &str| DataFile {
        name: name.to_owned(),
        path: format!("frames/{name}"),
        bytes: text.as_bytes().to_vec(),
        part: None,
    };
    let mut data = files(&["1.wav", "2.wav"]);
    data.files.extend([frames("1.csv", "1,2\n3,4\n5,6\n"), frames("2.csv", "0,0\n0,0\n0,1\n")]);
    let read = AudioData::of_files(&data, &config).unwrap();
    let all = read.part(Part::All);
    let of = |name: &str| all.iter().find(|recording| recording.file == name).unwrap().frames.clone().unwrap();
    assert_eq!(of("data/1.wav").values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(of("data/2.wav").values[5], 1.0);
    data.files[3] = frames("2.csv", "0,0\n0,0\n");
    let error = AudioData::of_files(&data, &config).unwrap_err();
    assert!(error.what.contains("frames/2.csv has 2 frames") && error.cause.contains("it has 100"), "{error}");
    data.files.pop();
    data.files.push(frames("x.csv", "0,0\n"));
    assert!(AudioData::of_files(&data, &config).unwrap_err().what.contains("data/2.wav has no frames"));
}

#[test]
fn what_cannot_serve_is_refused_by_name() {
    let says = |files: &DataFiles, config: &AudioConfig, words: &[&str]| {
        let told = AudioData::of_files(files, config).unwrap_err().to_string();
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    };
    let mut mixed = files(&["1.wav", "2.wav"]);
    mixed.files[1].bytes = encode(&Sound { rate: 16_000, samples: vec![1; 100] });
    says(&mixed, &AudioConfig::default(), &["one rate", "data/1.wav has 8000", "data/2.wav has 16000"]);
    let mut brought = AudioConfig::default();
    (brought.data.rate, brought.data.train, brought.data.validation) = (8000, 1.0, 0.0);
    assert_eq!(AudioData::of_files(&mixed, &brought).unwrap().train[1].samples.len(), 50);
    says(&files(&["1.wav", "x.wav"]), &config(), &["1.wav has no name of the pattern"]);
    let mut unknown = config();
    unknown.model.labels = vec![
        Labels { name: "digit".to_owned(), values: vec!["9".to_owned(), "10".to_owned(), "11".to_owned()] },
        Labels { name: "speaker".to_owned(), values: vec!["a".to_owned()] },
    ];
    says(&spoken(), &unknown, &["data/9_b_0.wav", "knows no speaker \"b\"", "it knows a"]);
    let mut nobody = config();
    nobody.data.test_where = "index>100".to_owned();
    says(&spoken(), &nobody, &["no recording of data is for the test part", "data.test_where"]);
    nobody.data.test_where = "index<100".to_owned();
    says(&spoken(), &nobody, &["nothing to train on"]);
}
