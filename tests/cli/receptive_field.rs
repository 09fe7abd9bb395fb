//! `receptive-field`: the integers of every network, its picture, of a run and of none, and what is refused by name.

use crate::image::{Pictures, SHAPE};
use crate::tiny_model::Files;
use crate::{assert_code, assert_error, autoreg, stdout, with_model};
use models::image::png;
use serde_json::Value;

fn told(arguments: &[&str]) -> Value {
    let output = autoreg(["receptive-field", "--json"].iter().chain(arguments));
    assert_code(&output, 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn the_middle_of_a_digit_sees_so_many_of_the_406_before_it_in_every_network() {
    for (model, layers, seen) in [
        ("pixelcnn", &["4", "7", "15"][..], &[102, 192, 351][..]),
        ("gated-pixelcnn", &["4", "7", "10"], &[112, 220, 364]),
        ("row-lstm", &["1", "2", "7"], &[296, 306, 341]),
        ("diagonal-lstm", &["1", "7"], &[405, 405]),
    ] {
        for (layers, &seen) in layers.iter().zip(seen) {
            let told = told(&["--model", model, "--layers", layers]);
            assert_eq!((&told["seen"], &told["before"]), (&seen.into(), &406.into()), "{told}");
            assert_eq!((&told["unseen"], &told["causal"]), (&(406 - seen).into(), &true.into()), "{told}");
            assert_eq!((&told["row"], &told["column"], &told["colour"]), (&14.into(), &14.into(), &0.into()));
        }
    }
    // A sample of a sound hears 1 + (2 − 1)·Σ dilations before it.
    for (layers, stacks, samples) in [("10", "1", 1024), ("10", "3", 3070), ("5", "2", 63)] {
        let told = told(&["--model", "wavenet", "--layers", layers, "--stacks", stacks, "--rate", "16000"]);
        assert_eq!(told["samples"], samples, "{told}");
        assert_eq!(told["milliseconds"], f64::from(samples) / 16.0, "{told}");
    }
    let table = autoreg(["receptive-field", "--model", "pixelcnn", "--layers", "7"]);
    assert_code(&table, 0);
    let said = stdout(&table);
    assert!(said.contains("192 of 406 sub-pixels before it") && said.contains("214  orange"), "{said}");
    assert!(said.contains("It is causal"), "{said}");
}

#[test]
fn a_picture_shows_what_is_seen_and_what_is_not_each_in_its_colour() {
    let files = Files::new();
    let path = files.path("field.png");
    let pixels = |arguments: &[&str]| {
        let output = autoreg(["receptive-field", "-o", path.to_str().unwrap()].iter().chain(arguments));
        assert_code(&output, 0);
        png::parse(&std::fs::read(&path).unwrap(), "field.png").unwrap()
    };
    let count = |values: &[u8], rgb: [u8; 3]| values.chunks(3).filter(|pixel| **pixel == rgb).count();
    let (shape, values) = pixels(&["--model", "pixelcnn", "--layers", "7"]);
    assert!((400..=600).contains(&shape.width) && shape.height == shape.width && shape.channels == 3, "{shape}");
    let side = (shape.width - 1) / 28 - 1;
    let of =
        [[0, 114, 178], [230, 159, 0], [0; 3], [221; 3]].map(|rgb| count(&values, rgb) as f64 / (side * side) as f64);
    assert_eq!(of, [192.0, 214.0, 1.0, 377.0]);
    // Three panels, with as much between them as a square is wide.
    let (shape, _) = pixels(&[
        "--model",
        "row-lstm",
        "--layers",
        "1",
        "--size",
        "3x5",
        "--colours",
        "3",
        "--scale",
        "4",
        "--at",
        "2,1,2",
    ]);
    assert_eq!((shape.height, shape.width), (3 * 5 + 1, 3 * (5 * 5 + 1) + 2 * 4));
}

#[test]
fn the_network_of_a_run_is_that_of_its_configuration() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &["--model", "pixelcnn"]);
    let output = with_model("receptive-field", &run, &["--json", "--at", "3,1"]);
    assert_code(&output, 0);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let size = (told["height"].as_u64(), told["width"].as_u64());
    assert_eq!(size, (Some(SHAPE.height as u64), Some(SHAPE.width as u64)));
    assert_eq!((&told["model"], &told["layers"], &told["before"]), (&"pixelcnn".into(), &1.into(), &10.into()));
    assert!(told["checkpoint"].as_str().unwrap().contains("step-000008"), "{told}");
    for (arguments, says) in [
        (&["--layers", "3"][..], "--layers"),
        (&["--size", "3x3"], "--size"),
        (&["--colours", "3"], "--colours"),
        (&["--model", "pixelcnn"], "--model"),
        (&["--at", "4,0"], "row 4"),
    ] {
        assert_error(&with_model("receptive-field", &run, arguments), 2, &[says]);
    }
}

#[test]
fn what_has_no_receptive_field_or_is_outside_the_picture_is_refused_by_name() {
    let files = Files::new();
    let text = with_model("receptive-field", &files.checkpoint, &[]);
    assert_error(&text, 2, &["holds a model of text", "networks of pictures"]);
    let known = ["--model", "pixelcnn", "--layers", "7"];
    for (arguments, says) in [
        (&[][..], &["neither a run nor a kind of model"][..]),
        (&["--model", "pixelcnn"], &["--model pixelcnn without --layers", "--layers 7"]),
        (&["--model", "pixelcn", "--layers", "7"], &["--model pixelcn", "gated-pixelcnn"]),
        (&["--model", "gru"], &["`gru` is a model of text", "networks of pictures"]),
        (&["--model", "gru", "--layers", "7"], &["`gru` is a model of text"]),
        (&["--model", "gru", "--size", "7x7"], &["--size is for a model of images"]),
        (&["--model", "wavenet"], &["--model wavenet without --layers"]),
        (&["--model", "wavenet", "--layers", "25"], &["--layers 25", "24 at most"]),
        (&["--model", "wavenet", "--layers", "5", "--at", "1,1"], &["--at is for a model of images"]),
        (&["--model", "pixelcnn", "--layers", "0"], &["--layers", "from 1 to 128"]),
        (&["--model", "pixelcnn", "--layers", "1000000"], &["--layers", "from 1 to 128"]),
        (&[&known[..], &["--size", "0x3"]].concat(), &["--size", "from 1 to 128"]),
        (&[&known[..], &["--size", "99999999999x3"]].concat(), &["--size", "from 1 to 128"]),
        (&[&known[..], &["--size", "28"]].concat(), &["--size", "28x28"]),
        (&[&known[..], &["--colours", "2"]].concat(), &["--colours", "1 for grey"]),
        (&[&known[..], &["--scale", "65"]].concat(), &["--scale", "from 1 to 64"]),
        (&[&known[..], &["--at", "28,0"]].concat(), &["row 28", "rows are 0 to 27"]),
        (&[&known[..], &["--at", "0,0,1"]].concat(), &["colour 1", "28 × 28 grey"]),
        (&[&known[..], &["--at", "0"]].concat(), &["--at", "ROW,COLUMN"]),
        (&[&known[..], &["--at", "0,0,0,0"]].concat(), &["--at", "ROW,COLUMN"]),
        (&[&known[..], &["--at=-1,0"]].concat(), &["--at", "ROW,COLUMN"]),
    ] {
        assert_error(&autoreg(["receptive-field"].iter().chain(arguments)), 2, says);
    }
    let nowhere = autoreg(["receptive-field", "nowhere"]);
    assert_error(&nowhere, 5, &["nowhere"]);
}
