//! Models that fill gaps: drawn from in rounds, scored by a bound that is said to be one, judged by an exact model; and refused where a next
//! symbol is needed, as others are where gaps are.

use crate::tiny_runs::{TINY_RUNS, TinyRun, contents};
use crate::{assert_code, assert_error, autoreg, stderr, stdout, with_model};
use models::storage::checkpoint::Checkpoint;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn tiny(model: &str) -> &'static TinyRun {
    TINY_RUNS.iter().find(|run| run.model == model).expect("a tiny run")
}

/// A run of a kind in a folder of its own, and its data.
fn run_of(folder: &Path, model: &str) -> (PathBuf, String) {
    let place = folder.join(model);
    fs::create_dir(&place).unwrap();
    (tiny(model).train(&place), tiny(model).write_data(&place).to_str().unwrap().to_owned())
}

fn json(output: &std::process::Output) -> Value {
    assert_code(output, 0);
    serde_json::from_str(stdout(output)).expect("one JSON object")
}

#[test]
fn windows_are_filled_in_rounds_the_same_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _) = run_of(folder.path(), "masked-gpt");
    let drawn = |more: &[&str]| {
        let output = with_model("generate", &run, &[&["-n", "40", "--prompt", "the ", "--seed", "3"], more].concat());
        assert_code(&output, 0);
        (stdout(&output).to_owned(), stderr(&output).to_owned())
    };
    // The context is 16: 12 symbols after the prompt, then 8 after the last 8 known ones, and so on.
    for (way, passes) in
        [(&["--rounds", "4"][..], "20 passes"), (&["--decode", "independent"], "5 passes"), (&[], "40 passes")]
    {
        let (text, said) = drawn(way);
        assert_eq!(text.chars().count(), 40);
        assert!(said.contains(&format!("40 symbols in {passes}")) && said.contains("approximate"), "{said}");
        for more in [&["--threads", "1"][..], &["--threads", "3"], &["--isa", "portable"]] {
            assert_eq!(drawn(&[way, more].concat()).0, text, "{way:?} {more:?}");
        }
    }
    let rounds = |more: &[&str]| drawn(&[&["--decode", "mask-predict", "--rounds", "4"], more].concat()).0;
    assert_eq!(drawn(&["--decode", "independent"]).0, drawn(&["--rounds", "1"]).0, "one round is independent");
    let others = [
        rounds(&[]),
        rounds(&["--choice-temperature", "0"]),
        rounds(&["--temperature", "0.5"]),
        rounds(&["--noise", "gumbel"]),
    ];
    assert!(others.iter().skip(1).all(|other| *other != others[0]), "{others:?}");
    // Greedy draws need no luck where what stays is the surest.
    let greedy = |seed| rounds(&["--greedy", "--choice-temperature", "0", "--noise", seed]);
    assert_eq!(greedy("uniform"), greedy("gumbel"));
}

#[test]
fn what_needs_a_next_symbol_and_what_needs_gaps_refuse_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (masked, data) = run_of(folder.path(), "masked-gpt");
    let (exact, exact_data) = run_of(folder.path(), "gpt");
    let out = folder.path().join("out");
    let (out_word, masked_word, exact_word) =
        (out.to_str().unwrap(), masked.to_str().unwrap(), exact.to_str().unwrap());
    let to = |run: &Path, command: &str, arguments: &[&str], says: &[&str]| {
        assert_error(&with_model(command, run, arguments), 2, says);
        assert!(!out.exists(), "{command} {arguments:?}");
    };
    for way in ["sequential", "jacobi", "beam"] {
        let says = format!("--decode {way}: not for a masked model of text");
        to(&masked, "generate", &["--decode", way, "-o", out_word], &[&says, "mask-predict or independent"]);
    }
    let no_next = "no distribution of the next symbol";
    to(&masked, "generate", &["--speculative", "markov", "-o", out_word], &[no_next]);
    to(&masked, "generate", &["--rounds", "0"], &["--rounds"]);
    to(&masked, "generate", &["--choice-temperature", "-1"], &["choice-temperature is -1"]);
    to(&masked, "generate", &["--decode", "independent", "--rounds", "3"], &["--rounds with --decode independent"]);
    to(&masked, "generate", &["--repetition-penalty", "1.2"], &["--repetition-penalty is not for a masked model"]);
    to(&masked, "compare", &["--data", &data, "-o", out_word], &[no_next, "--masked"]);
    to(&masked, "drift", &["--data", &data], &[no_next]);
    to(&masked, "compress", &[&data, "-o", out_word], &[no_next]);
    to(&masked, "receptive-field", &[], &[no_next]);
    to(&masked, "eval", &["--data", &data, "--stride", "2"], &["--stride 2: not for a masked model"]);

    for way in ["mask-predict", "independent"] {
        let says = format!("--decode {way}: not for a model of text that draws the next symbol");
        to(&exact, "generate", &["--decode", way, "-o", out_word], &[&says]);
    }
    to(&exact, "generate", &["--rounds", "3"], &["--rounds is for a masked model", "masked-gpt"]);
    to(&exact, "generate", &["--choice-temperature", "3"], &["--choice-temperature is for a masked model"]);
    to(&exact, "generate", &["--speculative", masked_word], &["is a masked model of text"]);
    to(&exact, "eval", &["--data", &exact_data, "--draws", "2"], &["--draws is for a masked model"]);
    to(&exact, "compare", &["--data", &exact_data, "--masked", exact_word], &["`gpt` fills no gaps"]);

    // What one has compressed the other does not read.
    let packed = folder.path().join("packed.arz");
    let packed = packed.to_str().unwrap();
    assert_code(&with_model("compress", &exact, &[&exact_data, "-o", packed]), 0);
    to(&masked, "decompress", &[packed, "-o", out_word], &[no_next]);

    let short = tiny("masked-gpt").training(Path::new(&data), &out, &["--set", "data.window=8"]);
    assert_error(&autoreg(short), 2, &["`data.window` is 8, and `model.context` 16"]);
}

#[test]
fn a_bound_is_said_to_be_one_and_comes_from_so_many_draws() {
    let folder = tempfile::tempdir().unwrap();
    let (run, data) = run_of(folder.path(), "masked-gpt");
    let eval = |more: &[&str]| with_model("eval", &run, &[&["--data", &data], more].concat());
    let told = json(&eval(&["--json"]));
    assert_eq!((&told["draws"], &told["seed"], &told["window"]), (&8.into(), &0.into(), &16.into()));
    assert!(told["nats_per_symbol"].is_null(), "no likelihood: {told}");
    let (nats, error) = (told["nats_per_symbol_at_most"].as_f64().unwrap(), told["standard_error"].as_f64().unwrap());
    assert!(nats > 1.0 && nats < 5.0 && error > 0.0 && error < 0.5, "{told}");
    for more in [&["--threads", "1"][..], &["--threads", "3"], &["--isa", "portable"]] {
        let again = json(&eval(&[&["--json"], more].concat()));
        assert_eq!(
            (&again["nats_per_symbol_at_most"], &again["standard_error"]),
            (&told["nats_per_symbol_at_most"], &told["standard_error"])
        );
    }
    let one = json(&eval(&["--json", "--draws", "1"]));
    assert!(one["standard_error"].is_null() && one["nats_per_symbol_at_most"] != told["nats_per_symbol_at_most"]);
    let more = json(&eval(&["--json", "--draws", "64"]))["nats_per_symbol_at_most"].as_f64().unwrap();
    assert!((more - nats).abs() < 5.0 * error, "{more} and {nats} ± {error}");
    let each = folder.path().join("each.csv");
    let shown = eval(&["--each", each.to_str().unwrap()]);
    assert!(
        stdout(&shown).contains("upper bound and no likelihood") && stdout(&shown).contains("8 draws"),
        "{}",
        stdout(&shown)
    );
    let lines = fs::read_to_string(each).unwrap();
    assert!(lines.starts_with("line,symbols,nats_at_most\n"));
    let sum: f64 = lines.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse::<f64>().unwrap()).sum();
    approx::assert_relative_eq!(sum / told["symbols"].as_f64().unwrap(), nats, max_relative = 1e-9);

    let checked = with_model("check", &run, &[]);
    assert_code(&checked, 0);
    for said in ["both sides", "no causality", "side by side = alone", "each sums to one"] {
        assert!(stdout(&checked).contains(said), "{}", stdout(&checked));
    }
}

#[test]
fn exact_ways_and_rounds_stand_in_one_table_under_the_exact_judge() {
    let folder = tempfile::tempdir().unwrap();
    let ((masked, _), (exact, data)) = (run_of(folder.path(), "masked-gpt"), run_of(folder.path(), "gpt"));
    let picture = folder.path().join("ways.svg");
    let arguments = ["--data", &data, "-n", "12", "--masked", masked.to_str().unwrap()];
    let told =
        json(&with_model("compare", &exact, &[&arguments[..], &["--json", "-o", picture.to_str().unwrap()]].concat()));
    let passes: Vec<(String, u64)> = told["ways"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|way| way["way"].as_str().unwrap().starts_with("masked"))
        .map(|way| {
            assert_eq!((&way["outcome"], &way["symbols"]), (&"approximate".into(), &12.into()));
            assert!(way["nats_per_symbol"].as_f64().unwrap() > 0.0 && way["chain_nats_per_symbol"].is_number());
            (way["way"].as_str().unwrap().to_owned(), way["passes"].as_u64().unwrap())
        })
        .collect();
    // Twelve symbols are two windows, of 8 and of 4 behind a half that is known: no more rounds than gaps.
    let expected = [("independent", 2), ("4 rounds", 8), ("8 rounds", 12), ("16 rounds", 12), ("64 rounds", 12)];
    assert_eq!(passes, expected.map(|(name, passes)| (format!("masked, {name}"), passes)));
    assert!(told["ways"].as_array().unwrap().iter().any(|way| way["way"] == "sequential"));
    let drawn = fs::read_to_string(picture).unwrap();
    assert!(drawn.contains("masked, 8 rounds") && drawn.contains("sequential"));
}

#[test]
fn a_training_on_masks_is_the_same_in_two_parts_and_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let data = tiny("masked-gpt").write_data(folder.path());
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let constant = ["--set", "training.optimizer.schedule=constant"];
    let train = |run: &Path, more: &[&str]| {
        assert_code(&autoreg(tiny("masked-gpt").training(&data, run, &[&constant[..], more].concat())), 0);
    };
    train(&whole, &["--threads", "1"]);
    train(&parts, &["--threads", "3", "--set", "training.steps=3"]);
    assert_code(&with_model("resume", &parts, &["--steps", "6", "--threads", "2"]), 0);
    let newest = |run: &Path| {
        let files = contents(run).into_keys().filter(|path| path.extension().is_some_and(|is| is == "safetensors"));
        Checkpoint::load(&run.join(files.max().expect("a checkpoint"))).expect("it loads").tensors
    };
    assert!(newest(&parts) == newest(&whole));
}

#[test]
fn a_window_longer_than_the_context_is_refused_and_one_as_long_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    for model in ["gpt", "masked-gpt"] {
        let (run, _) = run_of(folder.path(), model);
        let checkpoint = models::storage::run_files::load_model(&run).unwrap();
        let context = checkpoint.config["context"].as_u64().unwrap();
        let graph = |length: u64| with_model("graph", &run, &["--length", &length.to_string()]);
        assert_code(&graph(context), 0);
        assert_error(&graph(context + 1), 2, &["--length", "positions at most"]);
    }
}
