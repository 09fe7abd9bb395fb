//! `train` and `resume` through the binary: what a run leaves, how it is stopped, and that it goes on as if it never was.

use crate::tiny_model::{Files, TEXT};
use crate::{assert_code, assert_error, autoreg, stderr, stdout, with_model};
use models::storage::checkpoint::{Checkpoint, Group};
use models::storage::run_files::{Which, resolve};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

/// Settings of a model that trains in milliseconds, on a text of half training, a quarter validation, a quarter test.
const TINY: [&str; 7] = [
    "model.hidden=12",
    "model.embedding=6",
    "data.batch=2",
    "data.window=8",
    "data.train=0.5",
    "data.validation=0.25",
    "training.log_every=5",
];

/// The arguments of a training of the tiny model.
fn training<'a>(data: &'a str, folder: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let folder = folder.to_str().expect("a temporary folder has a Unicode name");
    let mut arguments = vec!["train", "text", "--data", data, "--out-dir", folder];
    TINY.iter().for_each(|setting| arguments.extend(["--set", setting]));
    arguments.extend(more);
    arguments
}

/// The object that `eval --json` prints.
fn evaluated(run: &Path, data: &str, split: &str) -> Value {
    let output = with_model("eval", run, &["--data", data, "--split", split, "--json"]);
    assert_code(&output, 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// The newest checkpoint of a run.
fn newest(run: &Path) -> Checkpoint {
    let path = resolve(run, Which::Latest).expect("a run with a checkpoint");
    Checkpoint::load(&path).expect("a checkpoint that loads")
}

#[test]
fn eval_repeats_the_validation_of_the_training_to_the_last_digit() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let run = files.path("run");
    let output = autoreg(training(&data, &run, &["--steps", "20", "--eval-every", "10"]));
    assert_code(&output, 0);
    assert!(stdout(&output).contains("20 of 20") && stderr(&output).contains("step 20/20, loss "));
    for file in ["config.toml", "metrics.jsonl", "latest", "best", "loss.svg", "index.html"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let last: Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    let evaluation = evaluated(&run.join("latest"), &data, "validation");
    assert_eq!(evaluation["nats_per_symbol"], last["validation"]);
    assert_eq!((&evaluation["step"], &last["step"]), (&20.into(), &20.into()));
    assert_code(&with_model("check", &run, &["--length", "8"]), 0);
}

#[test]
fn a_run_continued_in_two_parts_is_the_run_that_never_stopped() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let (whole, parts) = (files.path("whole"), files.path("parts"));
    let constant = ["--set", "training.optimizer.schedule=constant", "--set", "model.dropout=0.2"];
    assert_code(&autoreg(training(&data, &whole, &[&constant[..], &["--steps", "200"]].concat())), 0);
    assert_code(&autoreg(training(&data, &parts, &[&constant[..], &["--steps", "100"]].concat())), 0);
    assert_ne!(newest(&parts).tensors, newest(&whole).tensors);
    assert_code(&with_model("resume", &parts, &["--steps", "200"]), 0);
    // Every tensor to the last bit: parameters, both moments, the dropout stream, the carried state, the place in the text.
    let (a, b) = (newest(&parts), newest(&whole));
    assert!(
        a.tensors.len() > 20 && Group::PREFIXED.iter().filter(|&&group| a.group(group).next().is_some()).count() == 4
    );
    for (a, b) in a.tensors.iter().zip(&b.tensors) {
        assert_eq!(a, b, "{}", a.name);
    }
    assert_eq!(a.tensors.len(), b.tensors.len());
    let nats = |run: &Path| evaluated(&run.join("latest"), &data, "test")["nats_per_symbol"].clone();
    assert_eq!(nats(&parts), nats(&whole));

    let back = with_model("resume", &parts, &["--steps", "3"]);
    assert_error(&back, 2, &["--steps 3", "200 steps done"]);
    files.write("text.txt", TEXT.repeat(9));
    assert_error(&with_model("resume", &parts, &["--steps", "220"]), 5, &["text.txt", "not the data of this run"]);
}

#[test]
fn what_a_network_reads_of_its_own_is_the_same_in_two_parts_and_on_any_number_of_threads() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let (whole, parts) = (files.path("whole"), files.path("parts"));
    let schedule = ["--set", "data.scheduled_sampling={ inverse_sigmoid = { k = 5 } }"];
    let constant = ["--set", "training.optimizer.schedule=constant", "--set", "model.dropout=0.2"];
    let settings = [schedule, [constant[0], constant[1]], [constant[2], constant[3]]].concat();
    let train = |run, more: &[&str]| assert_code(&autoreg(training(&data, run, &[&settings, more].concat())), 0);
    train(&whole, &["--steps", "40", "--threads", "1"]);
    train(&parts, &["--steps", "17", "--threads", "3"]);
    assert_code(&with_model("resume", &parts, &["--steps", "40", "--threads", "2"]), 0);
    assert_eq!(newest(&parts).tensors, newest(&whole).tensors);
    // And the schedule is not asleep.
    let plain = files.path("plain");
    assert_code(&autoreg(training(&data, &plain, &[&constant[..], &["--steps", "40"]].concat())), 0);
    assert_ne!(newest(&plain).tensors, newest(&whole).tensors);
}

#[cfg(unix)]
#[test]
fn a_signal_stops_a_training_with_everything_saved() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let run = files.path("run");
    let mut child = Command::new(env!("CARGO_BIN_EXE_autoreg"))
        .args(training(&data, &run, &["--steps", "1000000000", "--set", "training.save_every=1000000000"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first step is told as soon as it is done; the signal is sent after it.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line.starts_with("step ")));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let told = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");
    assert!(told.contains("error: stopped at step") && told.contains("autoreg resume"), "{told}");
    assert!(newest(&run).progress.is_some_and(|progress| progress.step > 0));
}

#[test]
fn a_loss_that_stops_being_finite_has_its_own_exit_code() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let hot = ["--steps", "200", "--set", "training.optimizer.learning_rate=1e30"];
    assert_error(&autoreg(training(&data, &files.path("run"), &hot)), 4, &["diverged", "learning_rate"]);
}

#[test]
fn a_training_that_cannot_begin_says_why_and_leaves_no_run() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT.repeat(8));
    let empty = files.write("empty.txt", "");
    let run = files.path("run");
    let train = |data: &str, more: &[&str]| -> Output { autoreg(training(data, &run, more)) };
    assert_error(&train(&data, &["--set", "modl.hidden=3"]), 2, &["modl.hidden", "did you mean `model.hidden`"]);
    assert_error(&train(&data, &["--set", "model.hidden=many"]), 2, &["model.hidden", "many"]);
    assert_error(&train(&data, &["--set", "model.hidden=0"]), 2, &["model.hidden"]);
    assert_error(&train(&data, &["--model", "transformer"]), 2, &["--model", "transformer"]);
    assert_error(&train(&data, &["--max-time", "soon"]), 2, &["soon"]);
    assert_error(&train(&empty, &[]), 5, &["empty.txt", "is empty"]);
    assert_error(&train("no/such/text", &[]), 5, &["no/such/text"]);
    assert!(!run.exists());

    assert_code(&train(&data, &["--steps", "2"]), 0);
    assert_error(&train(&data, &["--steps", "2"]), 2, &["already holds a run", "--overwrite"]);
    assert_code(&train(&data, &["--steps", "2", "--overwrite"]), 0);
}
