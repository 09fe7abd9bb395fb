//! The tour through the binary: its page and its runs, in few steps, and that the runs are as good as any others.

use crate::{assert_code, assert_error, autoreg, stdout, with_model};
use std::path::Path;

#[test]
fn the_tour_writes_a_page_of_all_families_and_runs_that_every_command_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let tour = folder.path().join("tour");
    let path = |path: &Path| path.to_str().expect("Unicode").to_owned();
    let demo = || autoreg(["demo", "--steps", "3", "--out-dir", &path(&tour)]);
    let told = demo();
    assert_code(&told, 0);
    for line in [
        "its last sample",
        "sunspots 1700–2008",
        "entropy of the glyphs",
        "Of 200 pictures that the model drew",
        "of 40 tones of the network",
    ] {
        assert!(stdout(&told).contains(line), "`{line}` is not in: {}", stdout(&told));
    }
    let page = std::fs::read_to_string(tour.join("index.html")).expect("the page");
    for section in [
        "GRU on engine.txt",
        "AR on the sunspots",
        "Glyphs, drawn by",
        "Gated PixelCNN on glyphs-images",
        "Sounds: a WaveNet",
        "WaveNet on tones",
    ] {
        assert!(page.contains(&format!(">{section}")), "no section {section}");
    }
    // Drawn by the program, by the model, and completed; and a sample of the training. Made by the program, by the model; and a sample.
    assert_eq!(page.matches("data:image/png").count(), 4 + 3);
    assert_eq!(page.matches("<audio controls").count(), 3);

    // The commands that the page prints.
    let [text, image, audio] = ["text", "image", "audio"].map(|family| tour.join(family));
    let data = [
        (&text, text.join("engine.txt")),
        (&image, image.join("glyphs-images-idx3-ubyte")),
        (&audio, audio.join("tones")),
    ];
    for (run, data) in data {
        let eval = with_model("eval", run, &["--data", &path(&data), "--split", "validation"]);
        assert_code(&eval, 0);
        assert!(stdout(&eval).contains("(this model)"), "{}", stdout(&eval));
        assert_code(&with_model("resume", run, &["--steps", "4"]), 0);
        assert_code(&with_model("check", run, &[]), 0);
    }
    let grid = folder.path().join("grid.png");
    assert_code(&with_model("generate", &image, &["-n", "20", "--class", "3", "-o", &path(&grid)]), 0);
    assert!(grid.metadata().is_ok_and(|file| file.len() > 100));

    // A second tour replaces the first, whose files are the same.
    let before = std::fs::read(image.join("glyphs-images-idx3-ubyte")).expect("the pictures");
    assert_code(&demo(), 0);
    assert_eq!(std::fs::read(image.join("glyphs-images-idx3-ubyte")).expect("the pictures"), before);
}

#[test]
fn a_tour_does_not_replace_what_is_not_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().to_str().expect("Unicode");
    std::fs::create_dir(folder.path().join("image")).expect("a folder");
    assert_error(&autoreg(["demo", "--steps", "3", "--out-dir", here]), 2, &["image is not of a tour", "--out-dir"]);
    std::fs::write(folder.path().join("index.html"), "mine").expect("a file");
    assert_error(&autoreg(["demo", "--steps", "3", "--out-dir", here]), 2, &["is not the page of a tour"]);
}
