//! `generate` by the ways around the loop: what gives the loop's sample gives its bytes, what has its law says what it cost, and what a
//! model does not know is refused before anything is drawn.

use crate::tiny_runs::{TINY_RUNS, TinyRun};
use crate::{assert_code, assert_error, stderr, stdout, with_model};
use std::fs;
use std::path::Path;

fn runs(families: &'static [&'static str]) -> impl Iterator<Item = &'static TinyRun> {
    TINY_RUNS.iter().filter(|run| families.contains(&run.family) && run.has_next())
}

/// What `generate` writes with these arguments, and what it says.
fn drawn(run: &Path, ending: &str, arguments: &[&str]) -> (Vec<u8>, String) {
    let path = run.with_file_name(format!("drawn.{ending}"));
    let arguments = [&["-n", "30", "-o", path.to_str().expect("Unicode")], arguments].concat();
    let output = with_model("generate", run, &arguments);
    assert_code(&output, 0);
    (fs::read(path).unwrap(), stderr(&output).to_owned())
}

#[test]
fn jacobi_gives_the_bytes_of_the_loop_on_any_number_of_threads_and_says_how_many_passes_they_took() {
    for run in runs(&["text", "image"]) {
        let folder = tempfile::tempdir().unwrap();
        let model = run.train(folder.path());
        let ending = if run.family == "text" { "txt" } else { "png" };
        for options in [&["--noise", "gumbel", "--seed", "3"][..], &["--temperature", "0.7"], &["--greedy"]] {
            let (expected, quiet) = drawn(&model, ending, options);
            assert!(!quiet.contains("pass"), "{quiet}");
            for more in [&["--threads", "1"][..], &["--threads", "3", "--ahead", "5"]] {
                let arguments = [options, &["--decode", "jacobi"], more].concat();
                let (bytes, said) = drawn(&model, ending, &arguments);
                assert!(bytes == expected, "{} {arguments:?}", run.model);
                assert!(said.contains(" symbols in ") && said.contains(" a pass"), "{said}");
            }
        }
        let other = drawn(&model, ending, &["--seed", "3"]).0;
        assert_ne!(other, drawn(&model, ending, &["--noise", "gumbel", "--seed", "3"]).0, "another noise");
    }
}

#[test]
fn a_draft_proposes_and_what_is_kept_is_told() {
    let mut kept = Vec::new();
    for run in runs(&["text"]) {
        let folder = tempfile::tempdir().unwrap();
        let model = run.train(folder.path());
        for draft in ["markov", model.to_str().unwrap()] {
            let arguments = ["--speculative", draft, "--prompt", "the ", "--seed", "2"];
            let (bytes, said) = drawn(&model, "txt", &arguments);
            assert!(bytes.len() >= 30, "{}", String::from_utf8_lossy(&bytes));
            assert!(said.contains("30 symbols in ") && said.contains("proposals kept"), "{said}");
            assert_eq!(bytes, drawn(&model, "txt", &[&arguments[..], &["--threads", "3"]].concat()).0);
            kept.push(said);
        }
    }
    // A model that proposes to itself is always right.
    assert!(kept[1].contains("100.0 % of") && !kept[0].contains("100.0 % of"), "{kept:?}");
}

#[test]
fn beams_find_a_continuation_at_least_as_likely_as_the_greedy_one() {
    for run in runs(&["text"]) {
        let folder = tempfile::tempdir().unwrap();
        let model = run.train(folder.path());
        let greedy = drawn(&model, "txt", &["--greedy"]).0;
        assert_eq!(drawn(&model, "txt", &["--decode", "beam", "--beams", "1"]).0, greedy, "one beam is greedy");
        let nats = |text: &[u8]| {
            let path = folder.path().join("scored.txt");
            fs::write(&path, text).unwrap();
            let scored = with_model("eval", &model, &["--data", path.to_str().unwrap(), "--json"]);
            assert_code(&scored, 0);
            let scored: serde_json::Value = serde_json::from_str(stdout(&scored)).unwrap();
            scored["nats_per_symbol"].as_f64().unwrap()
        };
        let beam = drawn(&model, "txt", &["--decode", "beam", "--beams", "16"]).0;
        assert!(nats(&beam) <= nats(&greedy) + 1e-9, "{}", run.model);
    }
}

/// A checkpoint of a run.
fn newest(run: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(run.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.pop().expect("a checkpoint")
}

#[test]
fn what_a_model_does_not_know_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let text = runs(&["text"]).next().unwrap();
    let stranger = {
        let data = other.join("other.txt");
        fs::write(&data, "0123456789 0918273645 ".repeat(30)).unwrap();
        let run = other.join("run");
        assert_code(&crate::autoreg(text.training(&data, &run, &[])), 0);
        run
    };
    for run in TINY_RUNS.iter().filter(|run| run.has_next()) {
        let place = folder.path().join(format!("{}-{}", run.family, run.model));
        fs::create_dir(&place).unwrap();
        let model = run.train(&place);
        let out = place.join("out");
        let refused = |arguments: &[&str], what: &str| {
            let arguments = [&["-o", out.to_str().unwrap()], arguments].concat();
            let output = with_model("generate", &model, &arguments);
            assert_error(&output, 2, &[what]);
            assert!(!out.exists(), "{arguments:?}");
        };
        match run.family {
            "text" => {
                refused(&["--ahead", "3"], "--ahead without guesses");
                refused(&["--ahead", "0", "--decode", "jacobi"], "0");
                refused(&["--beams", "0", "--decode", "beam"], "0");
                refused(&["--beams", "3"], "--beams without a search");
                refused(&["-n", "1000000000000", "--decode", "beam"], "--decode beam: 1000000000000 symbols");
                // What proposes is read, and stays.
                let draft = place.join("draft.safetensors");
                fs::copy(newest(&model), &draft).unwrap();
                let before = fs::read(&draft).unwrap();
                let word = draft.to_str().unwrap();
                let over = with_model("generate", &model, &["--speculative", word, "-o", word]);
                assert_error(&over, 2, &["draft.safetensors"]);
                assert!(fs::read(&draft).unwrap() == before, "the draft is as it was");
                refused(&["--decode", "jacobi", "--speculative", "markov"], "--speculative");
                refused(&["--speculative", stranger.to_str().unwrap()], "its vocabulary is not that of the model");
            }
            "image" => {
                let out = place.join("out.png");
                let beam = with_model("generate", &model, &["-o", out.to_str().unwrap(), "--decode", "beam"]);
                assert_error(&beam, 2, &["--decode beam: not for a model of images"]);
                let draft = with_model("generate", &model, &["-o", out.to_str().unwrap(), "--speculative", "markov"]);
                assert_error(&draft, 2, &["--speculative is for a model of text"]);
                assert!(!out.exists());
            }
            _ => {
                let output = with_model("generate", &model, &["--decode", "jacobi"]);
                assert_error(&output, 2, &["--decode jacobi: not for a model of"]);
            }
        }
    }
    // What was counted on is gone.
    let gone = with_model("generate", &stranger, &["--speculative", "markov"]);
    assert_code(&gone, 0);
    fs::write(other.join("other.txt"), "another text altogether ".repeat(30)).unwrap();
    assert_error(&with_model("generate", &stranger, &["--speculative", "markov"]), 5, &["is not the data of"]);
}

#[test]
fn ways_are_compared_in_one_table_and_what_is_said_to_be_the_same_sample_is() {
    for run in TINY_RUNS.iter().filter(|run| run.has_next()) {
        let folder = tempfile::tempdir().unwrap();
        let model = run.train(folder.path());
        let data = run.write_data(folder.path());
        let picture = folder.path().join("ways.svg");
        let (data, out) = (data.to_str().unwrap(), picture.to_str().unwrap());
        let count = if run.family == "text" { "12" } else { "3" };
        let output = with_model("compare", &model, &["--data", data, "-n", count, "-o", out, "--json"]);
        if !["text", "image"].contains(&run.family) {
            assert_error(&output, 2, &["models of text and of images are drawn from in several ways"]);
            assert!(!picture.exists());
            continue;
        }
        assert_code(&output, 0);
        assert!(fs::read_to_string(&picture).unwrap().contains("</svg>"));
        let told: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
        let ways = told["ways"].as_array().unwrap();
        let of = |outcome: &str| ways.iter().filter(|way| way["outcome"] == outcome).count();
        let text = run.family == "text";
        assert_eq!((of("data"), of("same_sample"), of("approximate")), (1, if text { 2 } else { 3 }, 3), "{told}");
        for way in ways {
            let nats = way["nats_per_symbol"].as_f64().unwrap();
            assert!(nats > 0.0 && nats < 20.0, "{way}");
            assert_eq!(way["chain_nats_per_symbol"].is_number(), text);
        }
        let sequential = &ways[1];
        let symbols = if text { 12 } else { 20 };
        assert_eq!(sequential["symbols"], symbols, "{told}");
        assert_eq!(sequential["passes"].as_u64().unwrap(), if text { 11 } else { 20 });
        let shown = with_model("compare", &model, &["--data", data, "-n", count]);
        assert_code(&shown, 0);
        for said in ["exact: the same sample", "approximate", "independent, by counts", "jacobi"] {
            assert!(stdout(&shown).contains(said), "{said}: {}", stdout(&shown));
        }
        let none = with_model("compare", &model, &["--data", data, "-n", "0"]);
        assert_error(&none, 2, &["-n 0"]);
        if text {
            let long = with_model("compare", &model, &["--data", data, "-n", "1000000000000"]);
            assert_error(&long, 5, &["too little held-out text"]);
        }
        let other = folder.path().join("other").with_extension(Path::new(data).extension().unwrap());
        run.write_other_data(folder.path(), other.file_name().unwrap().to_str().unwrap(), 4);
        let foreign = with_model("compare", &model, &["--data", other.to_str().unwrap()]);
        assert_error(&foreign, 5, &["is not the data of"]);
    }
}
