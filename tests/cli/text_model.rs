//! `generate`, `eval`, `check` and `inspect` on a good model of text.

use crate::tiny_model::{Files, TEXT, model, nats_per_symbol, write_run};
use crate::tiny_runs::TINY_RUNS;
use crate::{assert_code, assert_error, autoreg, stderr, stdout, with_model};
use autograd::nn::Module;
use models::text::vocabulary::VocabularyKind;
use serde_json::Value;
use std::io::Read;
use std::process::{Command, Stdio};

#[test]
fn stdout_is_exactly_the_generated_text_and_a_seed_fixes_it() {
    let files = Files::new();
    let generate = |arguments: &[&str]| {
        let output = with_model("generate", &files.checkpoint, arguments);
        assert_code(&output, 0);
        assert!(output.stderr.is_empty(), "{}", stderr(&output));
        stdout(&output).to_owned()
    };
    let text = generate(&["-n", "80", "-p", "the c"]);
    assert_eq!(text.chars().count(), 80);
    assert!(text.chars().all(|c| TEXT.contains(c)), "{text}");
    assert_eq!(generate(&["-n", "80", "-p", "the c"]), text, "the same seed");
    assert_eq!(generate(&["-n", "80", "-p", "the c", "--threads", "1"]), text, "one thread");
    assert_eq!(generate(&["-n", "80", "-p", "the c", "--threads", "3"]), text, "three threads");
    assert_ne!(generate(&["-n", "80", "-p", "the c", "--seed", "1"]), text, "another seed");
    assert_ne!(generate(&["-n", "80", "-p", "the d"]), text, "another prompt");
    assert_eq!(generate(&["-n", "80", "-p", "the c", "--echo"]), format!("the c{text}"));
    assert_eq!(generate(&["-n", "0"]), "");

    let greedy = generate(&["-n", "40", "--greedy"]);
    assert_eq!(generate(&["-n", "40", "--greedy", "--seed", "9"]), greedy, "greedy asks no chance");
    assert_eq!(generate(&["-n", "40", "--temperature", "0"]), greedy);
    assert_eq!(generate(&["-n", "40", "--top-k", "1"]), greedy);
    assert_ne!(generate(&["-n", "40", "--greedy", "--repetition-penalty", "5"]), greedy);
}

#[test]
fn what_a_model_of_bytes_makes_is_written_byte_by_byte_whether_it_is_text_or_not() {
    let files = Files::of(&model(VocabularyKind::Bytes));
    let arguments = ["-n", "300", "--temperature", "3"];
    let output = with_model("generate", &files.checkpoint, &arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 300));
    assert!(std::str::from_utf8(&output.stdout).is_err(), "random weights make bytes that are no text");
    let path = files.path("bytes");
    let into_file =
        with_model("generate", &files.checkpoint, &[&arguments[..], &["-o", path.to_str().unwrap()]].concat());
    assert_code(&into_file, 0);
    assert_eq!(std::fs::read(path).unwrap(), output.stdout);
}

#[test]
fn a_prompt_with_an_unknown_character_is_an_error_that_names_it_and_its_place() {
    let files = Files::new();
    let output = with_model("generate", &files.checkpoint, &["-p", "the €"]);
    assert_error(&output, 5, &["'€' (U+20AC)", "character 4", "help: "]);
    assert!(output.stdout.is_empty());
}

#[test]
fn a_text_is_written_to_a_file_whole_or_not_at_all() {
    let files = Files::new();
    let path = files.path("out.txt");
    let output = with_model("generate", &files.checkpoint, &["-n", "50", "-o", path.to_str().unwrap()]);
    assert_code(&output, 0);
    assert!(output.stdout.is_empty() && stderr(&output).contains("out.txt"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, stdout(&with_model("generate", &files.checkpoint, &["-n", "50"])));

    let nowhere = files.path("no/such/folder/out.txt");
    let output = with_model("generate", &files.checkpoint, &["-o", nowhere.to_str().unwrap()]);
    assert_error(&output, 6, &["out.txt"]);
}

#[test]
fn a_reader_that_goes_away_ends_an_endless_text_quietly() {
    let files = Files::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_autoreg"))
        .arg("generate")
        .arg(&files.checkpoint)
        .args(["-n", "1000000000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 20]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 0);
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_stdout_is_a_disk_error() {
    let files = Files::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoreg"));
    let output = command.arg("inspect").arg(&files.checkpoint).stdout(full).output().unwrap();
    assert_error(&output, 6, &["cannot write to stdout"]);
}

#[test]
fn eval_prints_the_exact_likelihood_beside_the_floors_as_one_object() {
    let files = Files::new();
    // Long enough to be scored in more than one piece: the state is carried from one to the next.
    let text = TEXT.repeat(80);
    let data = files.write("text.txt", &text);
    let output = with_model("eval", &files.checkpoint, &["--data", &data, "--json"]);
    assert_code(&output, 0);
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |key: &str| result[key].as_f64().unwrap_or_else(|| panic!("{key} in {result}"));
    assert_eq!((&result["model"], &result["split"]), (&"gru".into(), &"all".into()));
    assert_eq!(result["symbols"], text.chars().count());
    let nats = number("nats_per_symbol");
    approx::assert_relative_eq!(nats, nats_per_symbol(&text), max_relative = 1e-12);
    approx::assert_relative_eq!(number("bits_per_symbol"), nats / 2f64.ln(), max_relative = 1e-15);
    approx::assert_relative_eq!(number("perplexity"), nats.exp(), max_relative = 1e-15);
    assert!(number("seconds") >= 0.0);
    let symbols = model(VocabularyKind::Characters).vocabulary.size();
    assert_eq!(result["floors"]["uniform"].as_f64().unwrap(), (symbols as f64).ln());
    let floors = result["floors"].as_object().unwrap();
    assert!(["unigram", "markov_1", "markov_6"].iter().all(|floor| floors[*floor].as_f64().unwrap() > 0.0));

    let shown = with_model("eval", &files.checkpoint, &["--data", &data]);
    assert!(stdout(&shown).contains("gru (this model)") && stdout(&shown).contains(&format!("{nats:.5}")));
}

#[test]
fn eval_of_a_part_scores_the_part_that_the_run_itself_left_out() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT);
    let run = files.path("run");
    write_run(&run);
    let characters: Vec<char> = TEXT.chars().collect();
    let (half, quarter) = (characters.len() / 2, characters.len() / 4);
    for (split, part) in [
        ("train", &characters[..half]),
        ("validation", &characters[half..half + quarter]),
        ("test", &characters[half + quarter..]),
    ] {
        let output = with_model("eval", &run, &["--data", &data, "--split", split, "--json"]);
        assert_code(&output, 0);
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&result["symbols"], &result["step"]), (&part.len().into(), &3.into()), "{split}");
        let wanted = nats_per_symbol(&part.iter().collect::<String>());
        approx::assert_relative_eq!(result["nats_per_symbol"].as_f64().unwrap(), wanted, max_relative = 1e-12);
    }
    // The checkpoint alone does not say how its text was split: 90 % and 10 %, and nothing is left to test on.
    let output = with_model("eval", &files.checkpoint, &["--data", &data, "--split", "test"]);
    assert_error(&output, 5, &["text.txt", "test part is empty"]);
}

#[test]
fn a_text_of_one_symbol_is_scored_without_floors() {
    let files = Files::new();
    let data = files.write("short.txt", "t");
    let output = with_model("eval", &files.checkpoint, &["--data", &data, "--json"]);
    assert_code(&output, 0);
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&result["symbols"], &result["floors"]), (&1.into(), &serde_json::json!({})));
}

#[test]
fn check_passes_every_property_of_a_model() {
    for kind in [VocabularyKind::Characters, VocabularyKind::Bytes] {
        let files = Files::of(&model(kind));
        let output = with_model("check", &files.checkpoint, &["--length", "12"]);
        assert_code(&output, 0);
        for name in ["causality", "steps = parallel", "each sums to one"] {
            let line = stdout(&output).lines().find(|line| line.starts_with(name)).expect(name);
            assert!(line.contains("  ok  "), "{line}");
        }
        assert_eq!(stdout(&output).contains("\nsum to one"), kind == VocabularyKind::Characters);
    }
}

#[test]
fn inspect_shows_configuration_vocabulary_progress_and_every_tensor() {
    let files = Files::new();
    let run = files.path("run");
    write_run(&run);
    let output = autoreg(["inspect", run.join("latest").to_str().unwrap()]);
    assert_code(&output, 0);
    for word in
        ["step-000003.safetensors", "hidden 16", "characters, ", r"'\n' ' '", "step 3", "rnn.weight_hh_l0", "(48, 16)"]
    {
        assert!(stdout(&output).contains(word), "`{word}` is not in:\n{}", stdout(&output));
    }
    let output = with_model("inspect", &files.checkpoint, &["--json"]);
    let contents: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&contents["autoreg"]["config"]["model"], &contents["error"]), (&"gru".into(), &Value::Null));
    let weights = model(VocabularyKind::Characters).model.head.weight.values().to_vec();
    let shown = contents["tensors"].as_array().unwrap().iter().find(|t| t["name"] == "head.weight").unwrap();
    let most = weights.iter().copied().fold(f32::MIN, f32::max);
    let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / weights.len() as f64;
    assert_eq!((&shown["data_type"], &shown["count"]), (&"F32".into(), &weights.len().into()));
    assert_eq!(shown["max"], f64::from(most));
    approx::assert_relative_eq!(shown["mean"].as_f64().unwrap(), mean, max_relative = 1e-12);
}

#[test]
fn graph_names_every_parameter_and_draws_what_it_names() {
    let files = Files::new();
    let output = with_model("graph", &files.checkpoint, &[]);
    assert_code(&output, 0);
    let svg = files.path("graph.svg");
    assert_code(&with_model("graph", &files.checkpoint, &["-o", svg.to_str().unwrap()]), 0);
    let picture = std::fs::read_to_string(svg).unwrap();
    assert!(picture.contains("<svg") && picture.contains("</svg>"));
    for (name, param) in model(VocabularyKind::Characters).model.parameters() {
        let shape = param.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        assert!(stdout(&output).contains(&format!(r#"[label="{name}\n({shape})""#)), "{}", stdout(&output));
        assert!(picture.contains(&name), "{name}");
    }
    assert!(stdout(&output).contains("cross_entropy"));
    let other = with_model("graph", &files.checkpoint, &["-o", "graph.png"]);
    assert_error(&other, 2, &["graph.png", ".svg"]);
}

#[test]
fn how_far_back_a_symbol_is_predicted_from_is_said_and_can_be_chosen() {
    for run in TINY_RUNS.iter().filter(|run| run.family == "text" && run.has_next()) {
        let folder = tempfile::tempdir().unwrap();
        let model = run.train(folder.path());
        let data = run.write_data(folder.path());
        let eval = |more: &[&str]| {
            let arguments = [&["--data", data.to_str().unwrap(), "--json"], more].concat();
            with_model("eval", &model, &arguments)
        };
        let told = |output: &std::process::Output| serde_json::from_str::<serde_json::Value>(stdout(output)).unwrap();
        let usual = told(&eval(&[]));
        if run.model != "gpt" {
            assert_eq!(usual["context"], serde_json::Value::Null);
            assert_error(&eval(&["--stride", "2"]), 2, &["--stride 2", "carried on"]);
            continue;
        }
        // The context of the tiny run is 16.
        assert_eq!(usual["context"], serde_json::json!({ "stride": 8, "least": 9, "most": 16 }));
        assert_eq!(told(&eval(&["--stride", "8"]))["nats_per_symbol"], usual["nats_per_symbol"]);
        let whole = told(&eval(&["--stride", "1"]));
        assert_eq!(whole["context"], serde_json::json!({ "stride": 1, "least": 16, "most": 16 }));
        assert_ne!(whole["nats_per_symbol"], usual["nats_per_symbol"]);
        let text = with_model("eval", &model, &["--data", data.to_str().unwrap()]);
        assert!(stdout(&text).contains("from the 9 to 16 before it"), "{}", stdout(&text));
        for stride in ["0", "17", "1000000000000000000"] {
            assert_error(&eval(&["--stride", stride]), 2, &[&format!("--stride {stride}"), "context is 16"]);
        }
    }
}
