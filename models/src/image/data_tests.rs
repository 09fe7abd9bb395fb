//! Folders and files as parts of pictures with their classes, and every way in which they do not fit together.

use super::*;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const GREY: Shape = Shape { height: 2, width: 2, channels: 1 };
const RGB: Shape = Shape { channels: 3, ..GREY };

fn picture(shape: Shape, value: u8) -> Vec<u8> {
    png::write(&vec![value; shape.values()], shape).unwrap()
}

fn idx_file(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, sizes.len() as u8].into_iter().chain(sizes.iter().flat_map(|size| size.to_be_bytes()));
    header.chain(values.iter().copied()).collect()
}

/// `count` pictures of 2 × 2, picture i all of value `first + i`.
fn pictures(first: u8, count: u8) -> Vec<u8> {
    let values: Vec<u8> = (first..first + count).flat_map(|value| [value; 4]).collect();
    idx_file(&[count.into(), 2, 2], &values)
}

fn labels(labels: &[u8]) -> Vec<u8> {
    idx_file(&[labels.len() as u32], labels)
}

fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn read(config: &DataConfig) -> Result<ImageData> {
    config.check()?;
    ImageData::of_files(&config.read()?, config)
}

/// The configuration with paths in a folder.
fn within(folder: &Path, change: impl Fn(&mut DataConfig, &dyn Fn(&str) -> String)) -> DataConfig {
    let mut config = DataConfig { path: folder.display().to_string(), ..DataConfig::default() };
    change(&mut config, &|name| folder.join(name).display().to_string());
    config
}

fn values(images: &Images) -> Vec<u8> {
    (0..images.len()).map(|i| images.image(i)[0]).collect()
}

#[test]
fn a_folder_of_classes_in_parts_is_read_in_the_order_of_names() {
    let one = |name, value| (name, picture(RGB, value));
    let folder = folder(&[
        one("train/dog/2.png", 12),
        one("train/dog/1.png", 11),
        one("train/cat/9.PNG", 13),
        one("validation/cat/a.png", 14),
        one("test/ant/a.png", 15),
        ("train/dog/readme.txt", b"left alone".to_vec()),
    ]);
    let data = read(&within(folder.path(), |_, _| {})).unwrap();
    assert_eq!(data.classes, ["ant", "cat", "dog"]);
    assert_eq!((values(&data.train), data.train.labels()), (vec![13, 11, 12], Some(&[1, 2, 2][..])));
    assert_eq!((values(&data.validation), data.validation.labels()), (vec![14], Some(&[1][..])));
    assert_eq!((values(&data.test), data.test.labels()), (vec![15], Some(&[0][..])));
    let files = |images: &Images| images.files().expect("each is one").to_vec();
    let end = |path: &String| path[path.len() - 5..].to_owned();
    assert_eq!(files(&data.train).iter().map(end).collect::<Vec<_>>(), ["9.PNG", "1.png", "2.png"]);
    assert_eq!(files(&data.part(Part::All))[3], files(&data.validation)[0]);
    assert_eq!(data.shape(), RGB);
    assert_eq!((data.part(Part::All).len(), data.part(Part::All).labels().unwrap()), (5, &[1, 2, 2, 1, 0][..]));
    assert!(
        data.notes[0].contains("3 pictures of 2 × 2 RGB, 3 classes to train on, 1 to validate, 1 to test"),
        "{data:?}"
    );
}

#[test]
fn pictures_without_parts_are_drawn_by_chance_the_same_for_every_training() {
    let folder = folder(&[("digits", pictures(1, 100))]);
    let config = within(folder.path(), |config, at| config.path = at("digits"));
    let data = read(&config).unwrap();
    assert_eq!((data.train.files(), data.part(Part::All).files()), (None, None), "an IDX file holds many");
    let parts = [&data.train, &data.validation, &data.test].map(values);
    assert_eq!(parts.each_ref().map(Vec::len), [80, 10, 10]);
    assert!(parts.iter().all(|part| part.is_sorted()) && parts[1][0] < 60, "{parts:?}");
    let mut all = parts.concat();
    all.sort();
    assert_eq!(all, (1..=100).collect::<Vec<u8>>());
    assert_eq!(read(&DataConfig { batch: 3, flip: true, ..config }).unwrap(), data);
}

#[test]
fn labels_are_named_or_found_beside_and_belong_to_the_pictures_of_their_part() {
    let folder = folder(&[
        ("train-images-idx3-ubyte", pictures(10, 3)),
        ("train-labels-idx1-ubyte", labels(&[2, 0, 1])),
        ("t10k-images-idx3-ubyte", pictures(20, 2)),
        ("t10k-labels-idx1-ubyte", labels(&[4, 0])),
    ]);
    let both = |config: &mut DataConfig, at: &dyn Fn(&str) -> String| {
        (config.path, config.test_path) = (at("train-images-idx3-ubyte"), at("t10k-images-idx3-ubyte"));
    };
    let named = within(folder.path(), |config, at| {
        both(config, at);
        (config.labels, config.test_labels) = (at("train-labels-idx1-ubyte"), at("t10k-labels-idx1-ubyte"));
    });
    let data = read(&named).unwrap();
    assert_eq!((values(&data.train), data.train.labels()), (vec![10, 11, 12], Some(&[2, 0, 1][..])));
    assert_eq!((values(&data.test), data.test.labels()), (vec![20, 21], Some(&[4, 0][..])));
    assert!(data.validation.is_empty());
    assert_eq!(data.classes, ["0", "1", "2", "3", "4"]);

    let auto = |labels: &str, test: &str| {
        let config = within(folder.path(), both);
        read(&DataConfig { labels: labels.into(), test_labels: test.into(), ..config }).unwrap()
    };
    assert_eq!(ImageData { notes: vec![], ..auto("auto", "") }, ImageData { notes: vec![], ..data.clone() });
    assert_eq!(auto("auto", &named.test_labels).test, data.test);
    assert_eq!(auto("auto", "auto").test, data.test);
    assert_eq!(auto("", "").classes.len(), 0);

    // In a folder, by patterns: what holds labels is seen in it.
    let patterns = within(folder.path(), |config, _| {
        (config.files, config.test_files) = ("*-ubyte".into(), "t10k*".into());
    });
    assert_eq!(read(&patterns).unwrap().test, data.test);
    // A changed label changes what a run knows its data by.
    let before = named.read().unwrap().fingerprint();
    fs::write(&named.labels, labels(&[2, 0, 0])).unwrap();
    assert_ne!(named.read().unwrap().fingerprint(), before);
}

#[test]
fn labels_of_pictures_that_are_parted_by_chance_go_with_them() {
    let folder = folder(&[("images", pictures(0, 60)), ("labels", labels(&(0..60).collect::<Vec<_>>()))]);
    let data = read(&within(folder.path(), |config, at| {
        (config.path, config.labels) = (at("images"), at("labels"));
    }));
    let data = data.unwrap();
    for part in [data.train, data.validation, data.test] {
        assert!(values(&part).iter().map(|&value| u32::from(value)).eq(part.labels().unwrap().iter().copied()));
    }
}

#[test]
fn ones_among_zeros_are_white() {
    let file = idx_file(&[4, 1, 2], &[0, 1, 1, 1, 0, 0, 0, 1]);
    let folder = folder(&[("binary", file)]);
    let data = read(&within(folder.path(), |config, at| (config.path, config.train) = (at("binary"), 0.9))).unwrap();
    assert_eq!(data.train.values(), [0, 255, 255, 255, 0, 0, 0, 255]);
    assert!(data.notes[1].contains("taken as white"), "{:?}", data.notes);
}

/// The files, what is set, and what the error must say.
type Broken = (&'static [&'static str], fn(&mut DataConfig, &dyn Fn(&str) -> String), &'static [&'static str]);

#[test]
fn what_does_not_fit_together_is_refused_with_both_names_at_once() {
    let folder = folder(&[
        ("sizes/a.png", picture(GREY, 1)),
        ("sizes/b.png", picture(Shape { width: 3, ..GREY }, 1)),
        ("colours/a.png", picture(GREY, 1)),
        ("colours/b.png", picture(RGB, 1)),
        ("parts/train/a.png", picture(GREY, 1)),
        ("parts/test/b.png", picture(Shape { height: 3, ..GREY }, 1)),
        ("mixed/a.png", picture(GREY, 1)),
        ("mixed/cat/b.png", picture(GREY, 1)),
        ("text/a.png", b"no picture".to_vec()),
        ("none/a.jpg", b"\xff\xd8\xff".to_vec()),
        ("one/a.png", picture(GREY, 1)),
        ("images", pictures(0, 3)),
        ("more-images", pictures(0, 2)),
        ("labels", labels(&[0, 1])),
        ("three-labels", labels(&[0, 1, 2])),
        ("digits.gz", b"\x1f\x8b\x08".to_vec()),
    ]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let catalogue: &[Broken] = &[
        (&["sizes"], |_, _| {}, &["sizes/a.png is 2 × 2 grey", "sizes/b.png is 2 × 3 grey"]),
        (&["colours"], |_, _| {}, &["colours/a.png is 2 × 2 grey", "colours/b.png is 2 × 2 RGB"]),
        (&["parts"], |_, _| {}, &["train/a.png is 2 × 2", "test/b.png is 3 × 2"]),
        (&["mixed"], |_, _| {}, &["mixed/cat/b.png has classes, ", "mixed/a.png has none"]),
        (&["text"], |_, _| {}, &["text/a.png: this is no PNG"]),
        (&["none"], |_, _| {}, &["none holds no pictures", ".png"]),
        (&["empty"], |_, _| {}, &["empty holds no pictures"]),
        (&["missing"], |_, _| {}, &["cannot read the pictures", "missing"]),
        (&["labels"], |_, _| {}, &["labels holds labels, and there are no pictures", "data.labels"]),
        (&["digits.gz"], |_, _| {}, &["digits.gz: the gzip data break off"]),
        (&["one"], |c, _| c.train = 0.1, &["one leaves no picture to train on", "`data.train` of 0.1"]),
        (
            &["images"],
            |c, at| c.labels = at("labels"),
            &["labels is not the labels of", "images", "2 labels and 3 pictures"],
        ),
        (&["images"], |c, at| c.labels = at("missing"), &["cannot read the labels", "missing"]),
        (&["images"], |c, at| c.labels = at("more-images"), &["more-images holds pictures, not labels"]),
        (&["images"], |c, at| c.labels = at("text/a.png"), &["text/a.png: this is no IDX file"]),
        (&["more-images"], |c, _| c.labels = "auto".into(), &["no labels beside", "more-labels.gz"]),
        (&["one"], |c, _| c.labels = "auto".into(), &["no labels beside", "a.png", "no `images` in it"]),
        (&["images"], |c, at| c.test_labels = at("labels"), &["`data.test_labels` is given", "test part"]),
        (
            &["images"],
            |c, at| (c.labels, c.test_path) = (at("three-labels"), at("more-images")),
            &["three-labels has classes", "more-images has none", "data.test_labels"],
        ),
        (
            &["images"],
            |c, at| (c.test_labels, c.test_path) = (at("three-labels"), at("more-images")),
            &["three-labels is not the labels of", "more-images", "3 labels and 2 pictures"],
        ),
        (&["images"], |c, _| c.levels = 1, &["`data.levels` is 1", "2 to 256"]),
        (&["images"], |c, _| c.levels = 257, &["`data.levels` is 257"]),
        (&["images"], |c, _| c.stochastic = true, &["`data.stochastic` with 256 levels"]),
        (&["images"], |c, _| c.batch = 0, &["`data.batch` is 0"]),
        (&["images"], |c, _| c.train = f64::NAN, &["`data.train` is NaN"]),
        (&["images"], |c, _| c.validation = 0.3, &["`data.validation` 0.3", "at most 1 in all"]),
    ];
    for (path, change, says) in catalogue {
        let config = within(folder.path(), |config, at| {
            config.path = at(path[0]);
            change(config, at);
        });
        let start = Instant::now();
        let error = read(&config).expect_err(says[0]);
        let told = error.to_string();
        assert!(says.iter().all(|word| told.contains(word)), "{says:?}: {told}");
        assert!(start.elapsed() < Duration::from_millis(500), "{says:?}: {:?}", start.elapsed());
    }
}
