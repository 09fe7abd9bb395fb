//! Models of images through the binary: parts and classes, exact scores, grids of pictures, and what is refused by name.

use crate::{assert_code, assert_error, autoreg, stdout, with_model};
use models::image::images::Shape;
use models::image::png;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub const SHAPE: Shape = Shape { height: 4, width: 3, channels: 1 };

/// A folder with black and white pictures in IDX files, each with its labels beside it.
pub struct Pictures {
    folder: TempDir,
}

/// The magic number, the sizes, the values.
pub fn idx(sizes: &[usize], values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|&size| bytes.extend((size as u32).to_be_bytes()));
    bytes.extend(values);
    bytes
}

impl Pictures {
    pub fn new() -> Self {
        let pictures = Pictures { folder: tempfile::tempdir().expect("a folder") };
        for (part, count) in [("train", 40), ("valid", 10), ("test", 6)] {
            // Of class 0 the upper half is white, of class 1 the lower one; a pixel in seven is not.
            let value = |i: usize| {
                let (picture, row) = (i / SHAPE.values(), i % SHAPE.values() / SHAPE.width);
                if ((row < 2) == (picture % 2 == 0)) != (i % 7 == 3) { 255 } else { 0 }
            };
            let values = (0..count * SHAPE.values()).map(value);
            pictures.write(&format!("{part}-images-idx3-ubyte"), &idx(&[count, SHAPE.height, SHAPE.width], values));
            pictures.write(&format!("{part}-labels-idx1-ubyte"), &idx(&[count], (0..count).map(|i| (i % 2) as u8)));
        }
        pictures
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn of(&self, part: &str) -> String {
        self.path(&format!("{part}-images-idx3-ubyte")).to_str().expect("Unicode").to_owned()
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).expect("a file");
        self.path(name)
    }

    #[track_caller]
    pub fn train(&self, name: &str, more: &[&str]) -> PathBuf {
        let run = self.path(name);
        let (train, valid, test) = (self.of("train"), self.of("valid"), self.of("test"));
        let mut arguments = vec!["train", "image", "--data", &train, "--validation", &valid, "--test", &test];
        arguments.extend(["--out-dir", run.to_str().expect("Unicode"), "--levels", "2", "--steps", "8"]);
        for setting in ["model.hidden=4", "model.layers=1", "model.head=4", "data.batch=4"] {
            arguments.extend(["--set", setting]);
        }
        assert_code(&autoreg(arguments.iter().chain(more)), 0);
        run
    }
}

fn json(model: &Path, arguments: &[&str]) -> Value {
    let output = with_model("eval", model, &[arguments, &["--json"]].concat());
    assert_code(&output, 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn every_network_trains_is_scored_beside_the_floors_and_passes_its_checks() {
    let pictures = Pictures::new();
    for model in models::image::saved::kinds() {
        let run = pictures.train(model, &["--model", model]);
        let each = pictures.path("each.csv");
        let each = each.to_str().unwrap();
        let result = json(&run, &["--data", &pictures.of("train"), "--split", "test", "--each", each]);
        assert_eq!((&result["model"], &result["images"], &result["symbols"]), (&model.into(), &6.into(), &72.into()));
        let (nats, bits) = (number(&result["nats_per_example"]), number(&result["bits_per_dim"]));
        assert!((nats / 12.0 / std::f64::consts::LN_2 - bits).abs() < 1e-12, "{result}");
        let floors: Vec<&String> = result["floors"].as_object().unwrap().keys().collect();
        assert_eq!(floors, ["context_16", "context_8_and_place", "pixel", "uniform"]);
        assert_eq!(result["floors_counted_on"], 40);
        let table = std::fs::read_to_string(each).unwrap();
        let column = table.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse::<f64>().unwrap());
        assert!(table.starts_with("picture,nats,bits_per_dim\n1,"), "{table}");
        assert!((column.sum::<f64>() / 6.0 - nats).abs() < 1e-12, "{table}");
        // The same pictures named as all of the data.
        let alone = json(&run, &["--data", &pictures.of("test")]);
        assert_eq!(alone["nats_per_example"], result["nats_per_example"]);
        let checked = with_model("check", &run, &["--length", "12"]);
        assert_code(&checked, 0);
        let told = stdout(&checked);
        assert!(told.contains("512 sequences of length 9 sum to 1") && told.contains("at 12 positions"), "{told}");
    }
}

#[test]
fn pictures_are_drawn_as_a_grid_by_seed_and_completed_from_rows_that_stay() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &[]);
    let drawn = |name: &str, more: &[&str]| {
        let path = pictures.path(name);
        assert_code(&with_model("generate", &run, &[more, &["-o", path.to_str().unwrap()]].concat()), 0);
        std::fs::read(path).unwrap()
    };
    let first = drawn("a.png", &["-n", "6"]);
    assert_eq!(first, drawn("b.png", &["-n", "6", "--seed", "0"]));
    assert_ne!(first, drawn("c.png", &["-n", "6", "--seed", "1"]));
    // Three in a row, a grey line between them.
    let (shape, _) = png::parse(&first, "a.png").unwrap();
    assert_eq!(shape, Shape { height: 2 * 4 + 1, width: 3 * 3 + 2, channels: 1 });
    let (shape, _) =
        png::parse(&drawn("wide.png", &["-n", "2", "--columns", "2", "--scale", "3"]), "wide.png").unwrap();
    assert_eq!(shape, Shape { height: 12, width: 2 * 9 + 3, channels: 1 });
    // One picture: the grid is itself.
    let given: Vec<u8> = (0..12).map(|i| if i % 2 == 0 { 255 } else { 0 }).collect();
    let path = pictures.write("given.png", &png::write(&given, SHAPE).unwrap());
    let completed = drawn("done.png", &["-n", "1", "--complete", path.to_str().unwrap(), "--rows", "2"]);
    let (shape, values) = png::parse(&completed, "done.png").unwrap();
    assert_eq!((shape, &values[..6]), (SHAPE, &given[..6]));
    assert!(values.iter().all(|value| [0, 255].contains(value)));
}

#[test]
fn a_model_is_told_the_class_of_a_picture_where_the_data_have_classes() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &["--labels", "auto"]);
    let result = json(&run, &["--data", &pictures.of("train"), "--split", "test"]);
    assert_eq!(json(&run, &["--data", &pictures.of("test")])["nats_per_example"], result["nats_per_example"]);
    let of_class = |class: &str| {
        let path = pictures.path("class.png");
        let output = with_model("generate", &run, &["-n", "1", "--class", class, "-o", path.to_str().unwrap()]);
        assert_code(&output, 0);
        std::fs::read(path).unwrap()
    };
    assert_eq!(of_class("1").len(), of_class("1").len());
    assert_error(&with_model("generate", &run, &["--class", "9", "-o", "x.png"]), 2, &["--class 9", "0, 1"]);
    // Every network can be told; none has to be.
    for (model, more, code) in [("pixelcnn", &[][..], 0), ("row-lstm", &["--set", "model.conditional=false"], 2)] {
        let run = pictures.train(model, &[&["--model", model, "--labels", "auto"], more].concat());
        let path = pictures.path("told.png");
        let output = with_model("generate", &run, &["-n", "1", "--class", "1", "-o", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(code), "{}", crate::stderr(&output));
    }
    std::fs::remove_file(pictures.path("test-labels-idx1-ubyte")).unwrap();
    assert_error(&with_model("eval", &run, &["--data", &pictures.of("test")]), 5, &["no labels beside", "test-images"]);
}

#[test]
fn what_makes_no_picture_is_refused_by_name() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &[]);
    let other = pictures.write("other.png", &png::write(&[0; 9], Shape { height: 3, ..SHAPE }).unwrap());
    let (other, run_file) = (other.to_str().unwrap(), pictures.path("x.png"));
    let output = ["-o", run_file.to_str().unwrap()];
    for (arguments, code, says) in [
        (&["--complete", other, "--rows", "1"][..], 5, &["other.png is 3 × 3 grey", "4 × 3 grey"][..]),
        (&["--complete", other, "--rows", "4"], 2, &["--rows 4", "4 rows"]),
        (&["--complete", other, "--rows", "0"], 2, &["--rows 0"]),
        (&["--complete", other], 2, &["without --rows or --mask", "nothing says"]),
        (&["--complete", "nowhere.png", "--rows", "1"], 5, &["nowhere.png"]),
        (&["-n", "0"], 2, &["-n 0"]),
        (&["--prompt", "x"], 2, &["goes on from no text", "--complete"]),
        (&["--temperature", "-1"], 2, &["temperature"]),
        (&["--fresh-line"], 2, &["--fresh-line", "a model of text"]),
    ] {
        assert_error(&with_model("generate", &run, &[arguments, &output].concat()), code, says);
    }
    let as_input = ["-n", "1", "--complete", other, "--rows", "1", "-o", other];
    assert_error(&with_model("generate", &run, &as_input), 2, &["would be overwritten"]);
    let wide = pictures.write("wide-images-idx3-ubyte", &idx(&[5, 4, 4], vec![0; 80]));
    assert_error(&with_model("eval", &run, &["--data", wide.to_str().unwrap()]), 5, &["4 × 4 grey", "4 × 3 grey"]);
}

#[test]
fn a_configuration_that_does_not_go_with_the_pictures_is_refused_by_key() {
    let pictures = Pictures::new();
    let rgb = Shape { channels: 3, ..SHAPE };
    let folder = pictures.path("rgb");
    std::fs::create_dir(&folder).unwrap();
    (0..5_u8).for_each(|i| {
        std::fs::write(folder.join(format!("{i}.png")), png::write(&vec![i * 40; rgb.values()], rgb).unwrap()).unwrap();
    });
    let (grey, rgb) = (pictures.of("train"), folder.to_str().unwrap().to_owned());
    for (data, set, says) in [
        (&rgb, "model.hidden=64", &["`model.hidden` is 64", "63 or 66"][..]),
        (&rgb, "model.head=2", &["`model.head` is 2", "set it to 3"]),
        (&grey, "model.distribution=bernoulli", &["`model.distribution`", "`data.levels` of 256"]),
        (
            &grey,
            "model.distribution={ logistics = { components = 0 } }",
            &["error: `model.distribution.logistics.components` is 0", "from 1"],
        ),
        (
            &grey,
            "model.distribution={ logistics = { components = -1 } }",
            &["`model.distribution` cannot be", "a whole number from 0 is wanted, not the number -1"],
        ),
        (&grey, "model.distribution={ logistics = { parts = 1 } }", &["cannot be", "`components` is missing"]),
        (&grey, "model.width=5", &["`model.width` is 5", "is 3"]),
        (&grey, "model.levels=4", &["`model.levels` is 4", "256"]),
        (&grey, "data.batch=41", &["`data.batch` is 41"]),
    ] {
        let run = pictures.path("none");
        let output = autoreg(["train", "image", "--data", data, "--set", set, "--out-dir", run.to_str().unwrap()]);
        assert_error(&output, 2, says);
        assert!(!run.exists(), "{set}");
    }
}

#[test]
fn colours_and_a_mixture_of_logistics_go_through_every_command() {
    let pictures = Pictures::new();
    let rgb = Shape { height: 3, width: 2, channels: 3 };
    let folder = pictures.path("rgb");
    std::fs::create_dir(&folder).unwrap();
    (0..20_u8).for_each(|i| {
        let values: Vec<u8> = (0..18).map(|j| i.wrapping_mul(11).wrapping_add(j * 13)).collect();
        std::fs::write(folder.join(format!("{i}.png")), png::write(&values, rgb).unwrap()).unwrap();
    });
    let (data, run) = (folder.to_str().unwrap(), pictures.path("run"));
    let head = "model.distribution={ logistics = { components = 2 } }";
    let mut arguments = vec!["train", "image", "--data", data, "--out-dir", run.to_str().unwrap(), "--steps", "4"];
    for setting in [head, "model.hidden=3", "model.layers=1", "model.head=3", "data.batch=4"] {
        arguments.extend(["--set", setting]);
    }
    assert_code(&autoreg(&arguments), 0);
    // Pictures of files of their own are told by them; class and file stand in columns of their own.
    let each = pictures.path("each.csv");
    let result = json(&run, &["--data", data, "--split", "test", "--each", each.to_str().unwrap()]);
    let table = std::fs::read_to_string(each).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines[0], lines.len()), ("picture,nats,bits_per_dim,file", 3));
    assert!(
        lines[1..].iter().all(|line| line.split(',').nth(3).is_some_and(|file| Path::new(file).is_file())),
        "{table}"
    );
    assert!(number(&result["bits_per_dim"]) > 0.0 && result["symbols"] == 2 * 18);
    assert!(result["floors"]["left_residual_of_differences"].is_number(), "{result}");
    assert_code(&with_model("check", &run, &["--length", "18"]), 0);
    let path = pictures.path("rgb.png");
    assert_code(&with_model("generate", &run, &["-n", "1", "-o", path.to_str().unwrap()]), 0);
    assert_eq!(png::parse(&std::fs::read(path).unwrap(), "rgb.png").unwrap().0, rgb);
}
