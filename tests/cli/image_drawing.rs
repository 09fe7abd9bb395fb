//! Pictures whose holes are filled under a mask, and the frames of pictures that are being drawn.

use crate::image::{Pictures, SHAPE};
use crate::{assert_code, assert_error, stderr, with_model};
use models::image::images::Shape;
use models::image::png;
use std::path::{Path, PathBuf};

/// A picture in black and white, and the mask of all pixels from this one to that.
fn given(pictures: &Pictures) -> Vec<u8> {
    let values: Vec<u8> = (0..SHAPE.values()).map(|i| if i % 2 == 0 { 255 } else { 0 }).collect();
    pictures.write("given.png", &png::write(&values, SHAPE).unwrap());
    values
}

fn mask(pictures: &Pictures, name: &str, white: impl Fn(usize) -> bool) -> String {
    let values: Vec<u8> = (0..SHAPE.values()).map(|i| if white(i) { 200 } else { 100 }).collect();
    pictures.write(name, &png::write(&values, SHAPE).unwrap()).to_str().unwrap().to_owned()
}

fn read(path: &Path) -> (Shape, Vec<u8>) {
    png::parse(&std::fs::read(path).unwrap(), "drawn").unwrap()
}

#[test]
fn a_hole_is_filled_and_said_to_be_approximate_and_a_beginning_is_completed_exactly() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &[]);
    let values = given(&pictures);
    let picture = pictures.path("given.png");
    let drawn = |name: &str, more: &[&str]| {
        let path = pictures.path(name);
        let complete = ["--complete", picture.to_str().unwrap(), "-o", path.to_str().unwrap()];
        let output = with_model("generate", &run, &[&complete, more].concat());
        assert_code(&output, 0);
        (read(&path).1, stderr(&output).to_owned())
    };
    let hole = mask(&pictures, "hole.png", |i| [4, 5, 7].contains(&i));
    let (filled, said) = drawn("filled.png", &["-n", "1", "--mask", &hole]);
    assert!(said.contains("approximate: the pixel in row 2, column 0 is kept") && said.contains("before it"), "{said}");
    let kept = |(i, value): (usize, &u8)| [4, 5, 7].contains(&i) || *value == values[i];
    assert!(filled.iter().enumerate().all(kept), "{filled:?}");
    // Each of several by a chance of its own, the first as if it were alone.
    let (several, _) = drawn("several.png", &["-n", "16", "--columns", "1", "--mask", &hole]);
    let several: Vec<&[u8]> = several.chunks(SHAPE.values() + SHAPE.width).map(|one| &one[..SHAPE.values()]).collect();
    assert_eq!(several[0], filled);
    assert!(several.iter().any(|other| *other != filled) && several.iter().all(|one| one.iter().enumerate().all(kept)));
    // The rest of a picture is the same, whichever way it is asked for.
    let rest = mask(&pictures, "rest.png", |i| i >= 2 * SHAPE.width);
    let (by_mask, said) = drawn("by-mask.png", &["-n", "3", "--mask", &rest]);
    assert!(!said.contains("approximate"), "{said}");
    assert_eq!(by_mask, drawn("by-rows.png", &["-n", "3", "--rows", "2"]).0);
}

#[test]
fn a_mask_that_does_not_fit_is_refused_by_name() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &[]);
    given(&pictures);
    let picture = pictures.path("given.png").to_str().unwrap().to_owned();
    let rest = mask(&pictures, "rest.png", |i| i >= 6);
    let (all, none) = (mask(&pictures, "all.png", |_| true), mask(&pictures, "none.png", |_| false));
    let other = Shape { height: 3, width: 5, channels: 3 };
    let other = pictures.write("other.png", &png::write(&[255; 45], other).unwrap()).to_str().unwrap().to_owned();
    let path = pictures.path("x.png");
    let output = ["-n", "1", "-o", path.to_str().unwrap()];
    let complete = ["--complete", &picture];
    for (arguments, code, says) in [
        (&[&complete[..], &["--mask", &other]].concat(), 5, &["other.png is 3 × 5", "the picture is 4 × 3"][..]),
        (&[&complete[..], &["--mask", &all]].concat(), 5, &["all.png", "nothing to be kept"]),
        (&[&complete[..], &["--mask", &none]].concat(), 5, &["none.png", "nothing to be drawn"]),
        (&[&complete[..], &["--mask", "nowhere.png"]].concat(), 5, &["nowhere.png"]),
        (&[&complete[..], &["--mask", &rest, "--rows", "2"]].concat(), 2, &["--rows", "--mask"]),
        (&complete.to_vec(), 2, &["without --rows or --mask"]),
        (&vec!["--mask", &rest], 2, &["--complete"]),
    ] {
        assert_error(&with_model("generate", &run, &[&arguments[..], &output].concat()), code, says);
    }
    let as_input = ["-n", "1", "--complete", &picture, "--mask", &rest, "-o", &rest];
    assert_error(&with_model("generate", &run, &as_input), 2, &["would be overwritten", "rest.png"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn frames_show_the_pictures_after_every_row_and_the_last_is_what_is_drawn() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &[]);
    let values = given(&pictures);
    let (folder, path) = (pictures.path("a/frames"), pictures.path("x.png"));
    let frame = |number: usize| read(&folder.join(format!("frame-{number:04}.png")));
    let draw = |more: &[&str]| {
        let arguments = ["--frames", folder.to_str().unwrap(), "-o", path.to_str().unwrap()];
        let output = with_model("generate", &run, &[&arguments, more].concat());
        assert_code(&output, 0);
        assert_eq!(names(&folder), (1..=SHAPE.height).map(|row| format!("frame-{row:04}.png")).collect::<Vec<_>>());
        assert_eq!(frame(SHAPE.height), read(&path));
        assert!(stderr(&output).contains("wrote frame-0001.png to frame-0004.png"), "{}", stderr(&output));
    };
    draw(&["-n", "6", "--scale", "2"]);
    // A grid of three columns: what is not drawn yet is grey, and what is, stays.
    let (shape, last) = frame(4);
    let row = |number: usize| {
        let (size, values) = frame(number);
        assert_eq!(size, shape);
        values
    };
    for done in 1..4 {
        let height = (SHAPE.height * 2) * shape.width;
        let (now, drawn) = (row(done), done * 2 * shape.width);
        assert_eq!(now[..drawn], last[..drawn], "row {done}");
        assert!(now[drawn..height].iter().all(|&value| value == 128), "row {done}");
    }
    // Over earlier frames, and of a picture whose holes are filled: what is kept is there from the first.
    let hole = mask(&pictures, "hole.png", |i| [4, 5, 7].contains(&i));
    draw(&["-n", "1", "--complete", pictures.path("given.png").to_str().unwrap(), "--mask", &hole]);
    let first = frame(1).1;
    assert!(first.iter().enumerate().all(|(i, &value)| value == if [4, 5, 7].contains(&i) { 128 } else { values[i] }));
    draw(&["-n", "1", "--complete", pictures.path("given.png").to_str().unwrap(), "--rows", "2"]);
}

#[test]
fn a_folder_that_holds_anything_but_frames_is_refused_and_stays_as_it_is() {
    let pictures = Pictures::new();
    let run = pictures.train("run", &[]);
    let (folder, path) = (pictures.path("frames"), pictures.path("x.png"));
    let draw = |folder: &Path, path: &Path, more: &[&str]| {
        let arguments = ["-n", "1", "--frames", folder.to_str().unwrap(), "-o", path.to_str().unwrap()];
        with_model("generate", &run, &[&arguments, more].concat())
    };
    assert_code(&draw(&folder, &path, &[]), 0);
    let contents = |folder: &Path| -> Vec<(String, Vec<u8>)> {
        names(folder).into_iter().map(|name| (name.clone(), std::fs::read(folder.join(name)).unwrap())).collect()
    };
    let (mine, before) = (folder.join("frame-0009.png"), contents(&folder));
    // Of the right name, and of another program; then something that is drawn on.
    std::fs::write(&mine, png::write(&[7; 12], SHAPE).unwrap()).unwrap();
    assert_error(&draw(&folder, &path, &[]), 2, &["frame-0009.png is no frame that autoreg wrote"]);
    std::fs::remove_file(&mine).unwrap();
    let complete = folder.join("frame-0002.png");
    let more = ["--complete", complete.to_str().unwrap(), "--rows", "2"];
    assert_error(&draw(&folder, &path, &more), 2, &["frame-0002.png would be overwritten"]);
    assert_error(&draw(&folder, &folder.join("x.png"), &[]), 2, &["lies among the frames"]);
    assert_error(&draw(&folder, &folder.join("frame-0001.png"), &[]), 2, &["lies among the frames"]);
    assert!(contents(&folder) == before);
    // Nor into the folders of a run, nor where there is a file.
    let samples: PathBuf = run.join("checkpoints");
    let (kept, file) = (names(&samples), pictures.path("hole.png"));
    assert_error(&draw(&samples, &path, &[]), 2, &["no frame that autoreg wrote"]);
    assert_eq!(names(&samples), kept);
    std::fs::write(&file, "mine").unwrap();
    assert_error(&draw(&file, &path, &[]), 6, &["it is a file, not a folder"]);
    let many = ["-n", "257", "--frames", folder.to_str().unwrap(), "-o", path.to_str().unwrap()];
    assert_error(&with_model("generate", &run, &many), 2, &["--frames of 257 pictures", "-n 256"]);
    assert!(contents(&folder) == before);
}
