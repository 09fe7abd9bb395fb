//! `drift` through the binary: what it measures of every family, in every form, and what it refuses.

use crate::series::Sunspots;
use crate::tiny_model::{Files, TEXT};
use crate::tiny_runs::{TINY_RUNS, ends};
use crate::{assert_code, assert_error, autoreg, stdout, with_model};
use serde_json::Value;

/// The object that `drift --json` prints.
#[track_caller]
fn json(output: &std::process::Output) -> Value {
    assert_code(output, 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn every_family_is_followed_and_begins_without_a_difference() {
    for run in TINY_RUNS.iter().filter(|run| run.has_next()) {
        let folder = tempfile::tempdir().unwrap();
        let (path, data) = (run.train(folder.path()), run.write_data(folder.path()));
        let arguments = ["--data", data.to_str().unwrap(), "--horizon", "6", "--prefixes", "5", "--draws", "3"];
        let drift = |more: &[&str]| with_model("drift", &path, &[&arguments, more].concat());
        let told = json(&drift(&["--json"]));
        let case = format!("{} {}: {told}", run.family, run.model);
        assert_eq!((&told["model"], &told["split"]), (&run.model.into(), &"all".into()));
        assert_eq!((&told["prefixes"], &told["draws"]), (&5.into(), &3.into()), "{case}");
        let horizons = told["horizons"].as_array().expect("a list");
        assert_eq!(horizons.len(), 6);
        for (h, row) in horizons.iter().enumerate() {
            assert_eq!(row["horizon"], h + 1);
            for way in ["teacher_forced", "free_running"] {
                assert!(row[way]["mean"].is_f64() && row[way]["standard_error"].is_f64(), "{case}");
                assert!(row["error"][way]["mean"].as_f64().is_some_and(|error| error >= 0.0), "{case}");
            }
            assert_eq!(row["judged"].is_object(), run.family == "text", "{case}");
            assert_eq!(row["closed_form"].is_object(), run.model == "ar", "{case}");
        }
        assert_eq!(horizons[0]["teacher_forced"], horizons[0]["free_running"], "{case}");
        assert_ne!(horizons[5]["teacher_forced"], horizons[5]["free_running"], "{case}");
        // On any number of threads, and by every instruction set; another seed draws others.
        let same = |output| assert_eq!(json(&output), told, "{case}");
        [&["--threads", "1"], &["--threads", "3"], &["--isa", "portable"]]
            .into_iter()
            .for_each(|more| same(drift(&[&["--json"], &more[..]].concat())));
        assert_ne!(json(&drift(&["--json", "--seed", "1"])), told, "{case}");
        let shown = drift(&[]);
        assert!(stdout(&shown).contains("5 prefixes of "), "{}", stdout(&shown));
        for row in ["      1  ", "      6  "] {
            assert!(stdout(&shown).lines().any(|line| line.starts_with(row)), "{}", stdout(&shown));
        }
    }
}

#[test]
fn teacher_forced_is_what_eval_measures_of_the_same_symbols() {
    let sunspots = Sunspots::new();
    let run = sunspots.train("ar", &["--lags", "9", "--validation", "0", "--test", "0"]);
    let csv = sunspots.path("sunspots.csv");
    let data = ["--data", csv.to_str().unwrap(), "--column", "sunspots", "--json"];
    // Every value that has nine before it and none after: 300 prefixes of one symbol each.
    let told = json(&with_model("drift", &run, &[&data[..], &["--horizon", "1", "--prefixes", "300"]].concat()));
    let evaluated = json(&with_model("eval", &run, &data));
    let number = |value: &Value| value.as_f64().expect("a number");
    let row = &told["horizons"][0];
    approx::assert_relative_eq!(
        number(&row["teacher_forced"]["mean"]),
        number(&evaluated["nats_per_symbol"]),
        max_relative = 1e-12
    );
    approx::assert_relative_eq!(
        number(&row["error"]["free_running"]["mean"]),
        number(&evaluated["rmse"]),
        max_relative = 1e-12
    );
    // One step ahead the closed form is σ.
    let sigma = number(&evaluated["fit"]["variance"]).sqrt();
    approx::assert_relative_eq!(number(&row["closed_form"]["error"]), sigma, max_relative = 1e-12);
}

#[test]
fn outputs_hold_every_horizon_and_a_picture_names_its_lines() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let (csv, svg) = (files.path("drift.csv"), files.path("drift.svg"));
    let arguments = ["--data", &data, "--horizon", "9", "--prefixes", "4"];
    let outputs = ["-o", csv.to_str().unwrap(), "-o", svg.to_str().unwrap()];
    assert_code(&with_model("drift", &files.checkpoint, &[&arguments[..], &outputs].concat()), 0);
    let csv = std::fs::read_to_string(csv).unwrap();
    assert_eq!(csv.lines().count(), 10);
    assert!(csv.starts_with("horizon,teacher_forced,teacher_forced_standard_error,free_running,"), "{csv}");
    let svg = std::fs::read_to_string(svg).unwrap();
    for name in ["free running", "teacher forced", "own, by markov_4", "symbols after the prefix"] {
        assert!(svg.contains(name), "{name}");
    }
    let word = with_model("drift", &files.checkpoint, &[&arguments[..], &["-o", "drift.txt"]].concat());
    assert_error(&word, 2, &["drift.txt is neither .svg nor .csv"]);
}

#[test]
fn what_cannot_be_followed_is_told_with_what_there_is() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let symbols = TEXT.chars().count() * 8;
    let drift = |more: &[&str]| with_model("drift", &files.checkpoint, &[&["--data", &data], more].concat());
    for (flag, value, says) in [
        ("--horizon", "0", "a whole number from 1 to 100000 is wanted"),
        ("--horizon", "100001", "a whole number from 1 to 100000 is wanted"),
        ("--horizon", "-1", "a whole number from 1 to 100000 is wanted"),
        ("--prefixes", "0", "a whole number from 1 to 1000000 is wanted"),
        ("--draws", "64", "a whole number from 1 to 63 is wanted"),
        ("--prefix-length", "1e5", "a whole number is wanted"),
    ] {
        assert_error(&drift(&[flag, value]), 2, &[&format!("{flag} cannot be `{value}`"), says]);
    }
    let room = symbols - 100 - 50 + 1;
    assert_error(&drift(&["--prefixes", "100000"]), 2, &["--prefixes 100000", &format!("{room} places"), "help: "]);
    let long = drift(&["--prefix-length", "100000"]);
    assert_error(&long, 5, &["no room for a prefix", "the longest text has", "--prefix-length"]);
    assert_error(&drift(&["--horizon", "90000"]), 5, &["no room for a prefix", "nearer --horizon"]);
    assert_error(&drift(&["--split", "test"]), 5, &["the test part is empty"]);
    assert_error(&drift(&["--column", "x"]), 2, &["--column is for a model of a series", "a model of text"]);
    assert_error(&autoreg(["drift", "run"]), 2, &["--data"]);

    let sunspots = Sunspots::new();
    let run = sunspots.train("ar", &["--lags", "9"]);
    let csv = sunspots.path("sunspots.csv");
    let short = with_model("drift", &run, &["--data", csv.to_str().unwrap(), "--column", "1", "--prefix-length", "8"]);
    assert_error(&short, 2, &["--prefix-length 8", "looks 9 values back"]);
    let image = TINY_RUNS.iter().find(|run| run.family == "image").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (image.train(folder.path()), image.write_data(folder.path()));
    let far = ends(&["drift", path.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert_error(&far, 2, &["--horizon 50 goes beyond a picture", "it has 20 sub-pixels"]);
}

#[test]
fn a_gpt_is_trained_on_no_symbols_of_its_own() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(4));
    let (run, schedule) = (files.path("run"), "data.scheduled_sampling={ exponential = { k = 0.99 } }");
    let train = |more: &[&str]| {
        let arguments = ["train", "text", "--data", &data, "--out-dir", run.to_str().unwrap(), "--steps", "2"];
        let tiny = ["--set", "data.batch=2", "--set", "data.window=8", "--set", schedule];
        autoreg(arguments.iter().chain(&tiny).chain(more))
    };
    let gpt = train(&["--model", "gpt"]);
    assert_error(&gpt, 2, &["`data.scheduled_sampling` is for networks that carry a state", "`gpt`", "gru"]);
    let wrong = train(&["--set", "data.scheduled_sampling.exponential.k=1"]);
    assert_error(&wrong, 2, &["`data.scheduled_sampling.exponential.k` is 1; it must be at least 0 and below 1"]);
    let unknown = train(&["--set", "data.scheduled_sampling={ exponential = { kk = 0.5 } }"]);
    assert_error(&unknown, 2, &["kk"]);
    assert!(!run.exists());
    assert_code(&train(&[]), 0);
    let resumed = with_model("resume", &run, &["--steps", "4", "--set", "data.scheduled_sampling=none"]);
    assert_error(&resumed, 2, &["`data.scheduled_sampling` cannot change"]);
}
