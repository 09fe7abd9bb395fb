//! A stdout that is closed loses nothing in silence: whatever has a result to write says that it cannot, with code 6. Who sends results
//! to /dev/null does not want them, and is told nothing.
#![cfg(unix)]

use crate::tiny_runs::TINY_RUNS;
use crate::{assert_code, assert_error, stderr};
use std::path::Path;
use std::process::{Command, Output};

/// Runs the binary from a shell, with a redirection.
fn redirected(arguments: &[&str], to: &str, folder: &Path) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec \"$0\" \"$@\" {to}"), env!("CARGO_BIN_EXE_autoreg")]).args(arguments);
    shell.current_dir(folder).env("AUTOREG_THREADS", "1").output().expect("a shell")
}

#[test]
fn results_for_a_stdout_that_is_closed_are_an_error_and_for_dev_null_are_not() {
    for run in TINY_RUNS {
        let folder = tempfile::tempdir().unwrap();
        run.train(folder.path());
        let data = run.write_data(folder.path());
        let data = data.to_str().unwrap();
        let mut commands = vec![
            vec!["help"],
            vec!["--help"],
            vec!["--version"],
            vec!["help", "train"],
            vec!["eval", "--help"],
            vec!["gradcheck", "tanh"],
            vec!["inspect", "run"],
            vec!["inspect", "run", "--json"],
            vec!["check", "run"],
            vec!["generate", "run", "-n", "5"],
            vec!["eval", "run", "--data", data],
            vec!["eval", "run", "--data", data, "--json"],
        ];
        if run.has_next() {
            commands.push(vec!["drift", "run", "--data", data, "--horizon", "3", "--prefixes", "3"]);
            commands.push(vec!["drift", "run", "--data", data, "--horizon", "3", "--prefixes", "3", "--json"]);
        }
        if run.family == "series" {
            commands.push(vec!["forecast", "run", "-n", "3"]);
        }
        if ["image", "audio"].contains(&run.family) {
            commands.push(vec!["receptive-field", "run"]);
        }
        for command in commands {
            let closed = redirected(&command, ">&-", folder.path());
            assert_error(&closed, 6, &["cannot write to stdout", "stdout is closed", "/dev/null"]);
            assert_eq!(stderr(&closed).lines().filter(|line| line.starts_with("error:")).count(), 1, "{command:?}");
            assert_code(&redirected(&command, ">/dev/null", folder.path()), 0);
            assert_code(&redirected(&command, "<&- >/dev/null", folder.path()), 0);
            // Without a stderr there is the code alone.
            assert_eq!(redirected(&command, ">&- 2>&-", folder.path()).status.code(), Some(6), "{command:?}");
        }
    }
}

#[test]
fn files_are_made_though_stdout_is_closed() {
    for run in TINY_RUNS {
        let folder = tempfile::tempdir().unwrap();
        let data = run.write_data(folder.path());
        let arguments = run.training(&data, &folder.path().join("run"), &[]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // What it learned last is a result; the run is whole without it.
        assert_error(&redirected(&arguments, ">&-", folder.path()), 6, &["stdout is closed"]);
        assert_code(&redirected(&["inspect", "run"], ">/dev/null", folder.path()), 0);
        for (i, (.., ending)) in run.outputs.iter().enumerate() {
            let output = folder.path().join(format!("out-{i}.{ending}"));
            let arguments = run.with_output(i, folder.path(), &output);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let written = redirected(&arguments, ">&-", folder.path());
            // Some report beside their picture.
            let reports = ["eval", "receptive-field", "compress", "drift"].contains(&arguments[0]);
            assert_eq!(written.status.code(), Some(if reports { 6 } else { 0 }), "{}", stderr(&written));
            assert!(output.is_file(), "{arguments:?}");
        }
        // An error of the command line goes to stderr, and is the error that is told.
        assert_error(&redirected(&["evla"], ">&-", folder.path()), 2, &["evla"]);
    }
}
