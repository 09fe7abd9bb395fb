//! The command line as a user meets it: the binary is run, and its stdout, stderr, exit code and files are looked at.

mod audio;
mod audio_input;
mod bad_input;
mod bounds;
mod closed;
mod compression;
mod decoding;
mod demo;
mod drift;
mod elsewhere;
mod families;
mod foreign_files;
mod gpt2_files;
mod image;
mod image_drawing;
mod masked;
mod memory;
mod narrow;
mod outputs;
mod parts;
mod random_lines;
mod receptive_field;
mod run_files;
mod run_states;
mod series;
mod series_input;
mod text_model;
mod tiny_model;
mod tiny_runs;
mod tools;
mod training;

use assert_cmd::Command;
use std::path::Path;
use std::process::Output;

/// Runs the binary with these arguments.
fn autoreg<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autoreg"))
        .args(arguments)
        .env_remove("AUTOREG_THREADS")
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("the binary runs")
}

/// Runs the binary with a model between the subcommand and its other arguments.
fn with_model(subcommand: &str, model: &Path, arguments: &[&str]) -> Output {
    let model = model.to_str().expect("a temporary folder has a Unicode name");
    autoreg([subcommand, model].iter().chain(arguments))
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("stdout is UTF-8")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("stderr is UTF-8")
}

/// Asserts an exit code, and that whatever went wrong was told as an error and not as a panic.
#[track_caller]
fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "stdout: {}\nstderr: {}", stdout(output), stderr(output));
    let told = stderr(output);
    assert!(!told.contains("panicked") && !told.contains("internal") && !told.contains("RUST_BACKTRACE"), "{told}");
    if code != 0 {
        assert!(told.contains("error: "), "{told}");
    }
}

/// Asserts an exit code and that stderr says each of these.
#[track_caller]
fn assert_error(output: &Output, code: i32, says: &[&str]) {
    assert_code(output, code);
    for word in says {
        assert!(stderr(output).contains(word), "`{word}` is not in: {}", stderr(output));
    }
}

const SUBCOMMANDS: [&str; 16] = [
    "demo",
    "train",
    "resume",
    "generate",
    "vocode",
    "compress",
    "decompress",
    "forecast",
    "eval",
    "drift",
    "check",
    "gradcheck",
    "inspect",
    "graph",
    "receptive-field",
    "doctor",
];

#[test]
fn every_subcommand_explains_itself_on_stdout() {
    let help = autoreg(["--help"]);
    assert_code(&help, 0);
    assert!(stdout(&help).contains("Exit codes"));
    for subcommand in SUBCOMMANDS {
        assert!(stdout(&help).contains(subcommand));
        let own = autoreg([subcommand, "--help"]);
        assert_code(&own, 0);
        assert!(stdout(&own).contains(&format!("autoreg {subcommand}")) && own.stderr.is_empty());
    }
    assert!(stdout(&autoreg(["--version"])).starts_with("autoreg "));
}

#[test]
fn a_flag_beats_the_environment_and_a_wrong_environment_is_named() {
    let threads = |variable: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoreg"));
        command.args(["gradcheck", "tanh"]).args(arguments).env("AUTOREG_THREADS", variable).output().expect("it runs")
    };
    assert_code(&threads("2", &[]), 0);
    assert_code(&threads("", &[]), 0);
    assert_error(&threads("0", &[]), 2, &["AUTOREG_THREADS", "a whole number from 1 to "]);
    assert_error(&threads("many", &[]), 2, &["environment variable AUTOREG_THREADS cannot be \"many\""]);
    assert_code(&threads("2", &["--threads", "1"]), 0);
    assert_code(&threads("many", &["--threads", "1"]), 0);

    let isa = |variable: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoreg"));
        command.args(["gradcheck", "tanh"]).args(arguments).env("AUTOREG_ISA", variable).output().expect("it runs")
    };
    assert_code(&isa("", &[]), 0);
    assert_code(&isa("sse9", &["--isa", "portable"]), 0);
    assert_error(&isa("sse9", &[]), 2, &["environment variable AUTOREG_ISA cannot be `sse9`", "portable"]);
    assert_error(&isa("portable", &["--isa", "sse9"]), 2, &["--isa cannot be `sse9`"]);
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error() {
    for (arguments, says) in [
        (&[][..], "Usage"),
        (&["generat"], "generate"),
        (&["eval", "run"], "--data"),
        (&["generate", "run", "--no-such-flag"], "--no-such-flag"),
        (&["eval", "run", "--data", "x", "--split", "tset"], "test"),
        (&["doctor", "--threads", "0"], "from 1 to 1024"),
        (&["doctor", "--threads", "1000000"], "from 1 to 1024"),
        (&["check", "run", "--length", "1"], "--length"),
        (&["train", "text", "--data", "x", "--steps", "-1"], "--steps cannot be `-1`"),
        (&["generate", "run", "-n", "-5"], "--symbols cannot be `-5`"),
        (&["generate", "run", "--seed", "1e5"], "a whole number is wanted"),
        (&["train", "text", "--data", "x", "--max-time", "soon"], "a time is wanted"),
    ] {
        let output = autoreg(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
