//! Command lines that nobody would write, some hundreds from one seed: each ends by itself with one of the exit codes that there are,
//! and none with a panic. The words are those of the help, so that a new flag is among them by itself.

use crate::series::Sunspots;
use crate::tiny_model::{Files, TEXT};
use crate::{SUBCOMMANDS, autoreg, stdout};
use autograd::random::Streams;
use rand::RngExt;
use rand::seq::IndexedRandom;
use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many command lines, and how long one may take: the machine may be busy with other tests.
const LINES: usize = 300;
const PATIENCE: Duration = Duration::from_secs(60);

/// What flags are given.
const VALUES: [&str; 24] = [
    "",
    "-",
    "--",
    "0",
    "1",
    "2",
    "-1",
    "0.5",
    "3",
    "1000000000000000000",
    "18446744073709551616",
    "-0",
    "nan",
    "inf",
    "1e300",
    "auto",
    "text",
    "\u{1b}[31m",
    "ünïcode",
    "a=b",
    "data.batch=1000000000000000000",
    "model.hidden=99999999",
    "training.seed=-1",
    "'; exit 3",
];

/// The flags that the help of a subcommand names, `--demo` aside: it would train for a minute.
fn flags(subcommand: &[&str]) -> Vec<String> {
    let help = autoreg(subcommand.iter().chain(&["--help"]));
    let words = stdout(&help).split_whitespace().filter(|word| word.starts_with('-'));
    let word = |word: &str| word.trim_end_matches([',', '.', ';', ':', ')', '`']).trim_matches('`').to_owned();
    words.map(word).filter(|word| word.len() > 1 && word.is_ascii()).collect()
}

#[test]
fn random_command_lines_end_by_themselves_with_a_code_that_there_is() {
    let files = Files::new();
    let sunspots = Sunspots::new();
    let data = files.write("text.txt", TEXT.repeat(4));
    let broken = files.write("broken.safetensors", [7; 300]);
    let run = sunspots.train("ar", &["--lags", "2"]);
    let csv = sunspots.path("sunspots.csv");
    let paths = [
        files.checkpoint.to_str().unwrap(),
        run.to_str().unwrap(),
        csv.to_str().unwrap(),
        &data,
        &broken,
        "no/such/path",
    ];
    // The tour, the machine's limits and all gradient checks take their time, whatever is asked of them.
    let mut subcommands: Vec<Vec<&str>> = SUBCOMMANDS.iter().map(|name| vec![*name]).collect();
    subcommands.retain(|words| !["demo", "doctor", "gradcheck"].contains(&words[0]));
    subcommands.extend([vec!["train", "text"], vec!["train", "series"]]);
    let known: Vec<Vec<String>> = subcommands.iter().map(|words| flags(words)).collect();
    let mut random = Streams::new(20).stream("command lines");
    let mut codes = BTreeMap::<i32, usize>::new();
    for line in 0..LINES {
        let which = random.random_range(0..subcommands.len());
        let mut words: Vec<String> = subcommands[which].iter().map(|word| word.to_string()).collect();
        if random.random::<f64>() < 0.8 {
            words.push(paths.choose(&mut random).unwrap().to_string());
        }
        for _ in 0..random.random_range(0..5) {
            words.extend(known[which].choose(&mut random).cloned());
            let value = match random.random::<f64>() {
                x if x < 0.2 => continue,
                x if x < 0.4 => *paths.choose(&mut random).unwrap(),
                _ => *VALUES.choose(&mut random).unwrap(),
            };
            words.push(value.to_owned());
        }
        // What is generated or trained in earnest is short; the last of a flag is the one that counts, or a usage error.
        match subcommands[which][0] {
            "generate" => words.extend(["-n".into(), "3".into()]),
            "train" => words.extend(["--max-time".into(), "10ms".into()]),
            _ => {}
        }
        let code = ends(files.folder.path(), line, &words);
        *codes.entry(code).or_default() += 1;
    }
    // All kinds of lines were among them: those that work, those that make no sense, those of bad files.
    assert!([0, 2, 5].iter().all(|code| codes.get(code).is_some_and(|count| *count >= 5)), "{codes:?}");
}

/// The exit code of a command line that ends.
fn ends(folder: &std::path::Path, line: usize, words: &[String]) -> i32 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_autoreg"))
        .args(words)
        .env_remove("AUTOREG_THREADS")
        .env("RAYON_NUM_THREADS", "2")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let told = std::thread::spawn(move || {
        let mut told = Vec::new();
        stderr.read_to_end(&mut told).map(|_| String::from_utf8_lossy(&told).into_owned())
    });
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begin.elapsed() > PATIENCE => {
                child.kill().unwrap();
                panic!("line {line} does not end: {words:?}");
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let told = told.join().unwrap().unwrap();
    assert!(!told.contains("panicked") && !told.contains("internal:"), "line {line}: {words:?}\n{told}");
    let code = status.code().unwrap_or_else(|| panic!("line {line} ends by {status}: {words:?}\n{told}"));
    assert!([0, 1, 2, 3, 4, 5, 6].contains(&code), "line {line} ends with {code}: {words:?}\n{told}");
    assert!(code == 0 || told.contains("error: "), "line {line} ends with {code} and says nothing: {words:?}");
    code
}
