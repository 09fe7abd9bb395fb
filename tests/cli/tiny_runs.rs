//! A tiny run of every kind that is trained: the table that the tests of files and outputs go through. A new family is a line here.

use crate::tiny_model::TEXT;
use crate::{assert_code, autoreg};
use assert_cmd::Command;
use models::audio::wav::{Sound, encode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

/// How a tiny run is made, and which of its commands write files.
pub struct TinyRun {
    /// The family, as `train` names it.
    pub family: &'static str,
    /// The model.
    pub model: &'static str,
    /// The name of its data file, and what is in it where it has so many thirds of its length.
    data: (&'static str, fn(usize) -> Vec<u8>),
    /// Its settings.
    set: &'static [&'static str],
    /// Whether there are steps to go on with.
    pub resumes: bool,
    /// Commands with `-o`: what stands before the run and after it, and the ending of the file.
    pub outputs: &'static [(&'static str, &'static [&'static str], &'static str)],
}

fn text(thirds: usize) -> Vec<u8> {
    TEXT.repeat(2 * thirds).into_bytes()
}

fn series(thirds: usize) -> Vec<u8> {
    let value = |t: i32| format!("{:.4}\n", (f64::from(t) * 0.7).sin() + f64::from(t * t % 17) / 50.0);
    ("value\n".to_owned() + &(0..30 * thirds as i32).map(value).collect::<String>()).into_bytes()
}

/// An IDX file of pictures, 5 rows of 4 pixels.
fn pictures(thirds: usize) -> Vec<u8> {
    let pictures = 10 * thirds as u32;
    let mut bytes = vec![0, 0, 8, 3];
    [pictures, 5, 4].iter().for_each(|count| bytes.extend(count.to_be_bytes()));
    bytes.extend((0..pictures * 5 * 4).map(|i| if (i * i / 7 + i) % 3 == 0 { 255 } else { (i % 120) as u8 }));
    bytes
}

/// A WAV of one channel, 8000 samples of 16 bits a second.
fn recording(thirds: usize) -> Vec<u8> {
    let sample = |t: usize| ((t as f64 * 0.3).sin() * 9000.0) as i16 + (t * t % 101) as i16;
    encode(&Sound { rate: 8000, samples: (0..400 * thirds).map(sample).collect() })
}

/// All of them.
pub const TINY_RUNS: &[TinyRun] = &[
    TinyRun {
        family: "text",
        model: "gru",
        data: ("text.txt", text),
        set: &["model.hidden=6", "model.embedding=4", "model.dropout=0.1", "data.batch=2", "data.window=8"],
        resumes: true,
        outputs: &[
            ("generate", &["-n", "20"], "txt"),
            ("graph", &[], "svg"),
            ("graph", &[], "dot"),
            ("compress", &["DATA"], "arz"),
            ("drift", &["--data", "DATA", "--horizon", "5", "--prefixes", "4", "--prefix-length", "6"], "svg"),
        ],
    },
    TinyRun {
        family: "text",
        model: "lstm",
        data: ("text.txt", text),
        set: &[
            "model.hidden=6",
            "model.embedding=4",
            "data.batch=2",
            "data.window=8",
            "data.scheduled_sampling={ inverse_sigmoid = { k = 2 } }",
        ],
        resumes: true,
        outputs: &[("drift", &["--data", "DATA", "--horizon", "5", "--prefixes", "4"], "csv")],
    },
    TinyRun {
        family: "text",
        model: "gpt",
        data: ("text.txt", text),
        set: &[
            "model.width=8",
            "model.layers=2",
            "model.heads=2",
            "model.key_heads=1",
            "model.context=16",
            "model.dropout=0.1",
            "data.batch=2",
            "data.window=8",
        ],
        resumes: true,
        outputs: &[
            ("generate", &["-n", "20"], "txt"),
            ("graph", &[], "svg"),
            ("compress", &["DATA"], "arz"),
            ("drift", &["--data", "DATA", "--horizon", "20", "--prefixes", "3"], "csv"),
        ],
    },
    TinyRun {
        family: "text",
        model: "masked-gpt",
        data: ("text.txt", text),
        set: &[
            "model.width=8",
            "model.layers=2",
            "model.heads=2",
            "model.context=16",
            "model.dropout=0.1",
            "model.key_heads=1",
            "data.batch=2",
            "data.window=16",
        ],
        resumes: true,
        outputs: &[("generate", &["-n", "20", "--rounds", "3"], "txt"), ("graph", &[], "svg")],
    },
    TinyRun {
        family: "series",
        model: "neural-ar",
        data: ("series.csv", series),
        set: &["model.hidden=6", "model.layers=1", "model.lags=3", "data.batch=16"],
        resumes: true,
        outputs: &[
            ("generate", &["-n", "5"], "csv"),
            ("forecast", &["-n", "5", "--futures", "20"], "svg"),
            ("forecast", &["-n", "5", "--futures", "20"], "csv"),
            ("eval", &["--data", "DATA", "--horizons", "3"], "svg"),
            ("drift", &["--data", "DATA", "--horizon", "5"], "svg"),
        ],
    },
    TinyRun {
        family: "series",
        model: "ar",
        data: ("series.csv", series),
        set: &["model.lags=2", "data.validation=0.2", "data.test=0.1"],
        resumes: false,
        outputs: &[("forecast", &["-n", "5"], "csv"), ("drift", &["--data", "DATA", "--horizon", "5"], "csv")],
    },
    TinyRun {
        family: "image",
        model: "gated-pixelcnn",
        data: ("pictures.idx", pictures),
        set: &["model.hidden=6", "model.layers=1", "model.head=4", "data.levels=2", "data.batch=4"],
        resumes: true,
        outputs: &[
            ("generate", &["-n", "4"], "png"),
            ("graph", &[], "svg"),
            ("receptive-field", &[], "png"),
            ("compress", &["DATA"], "arz"),
            ("drift", &["--data", "DATA", "--horizon", "5", "--prefixes", "7"], "csv"),
        ],
    },
    TinyRun {
        family: "audio",
        model: "wavenet",
        data: ("recording.wav", recording),
        set: &["model.residual=4", "model.skip=6", "model.layers=3", "data.window=100", "data.batch=2"],
        resumes: true,
        outputs: &[
            ("generate", &["--seconds", "0.01"], "wav"),
            ("graph", &["--length", "20"], "svg"),
            ("receptive-field", &[], "png"),
            ("compress", &["DATA"], "arz"),
            ("drift", &["--data", "DATA", "--horizon", "5", "--prefixes", "7"], "svg"),
        ],
    },
];

impl TinyRun {
    /// Whether the model has a next symbol, and with it an exact likelihood and all that is made of one; else it fills gaps.
    pub fn has_next(&self) -> bool {
        self.model != "masked-gpt"
    }

    /// Writes its data into a folder, and gives the path.
    pub fn write_data(&self, folder: &Path) -> PathBuf {
        self.write_other_data(folder, self.data.0, 3)
    }

    /// Writes data of another length, in thirds of its own, under another name.
    pub fn write_other_data(&self, folder: &Path, name: &str, thirds: usize) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, self.data.1(thirds)).expect("a file");
        path
    }

    /// The arguments that train it.
    pub fn training(&self, data: &Path, run: &Path, more: &[&str]) -> Vec<String> {
        let (data, run) = (data.to_str().expect("Unicode"), run.to_str().expect("Unicode"));
        let mut arguments = vec!["train", self.family, "--model", self.model, "--data", data, "--out-dir", run];
        let often = ["training.steps=6", "training.save_every=3", "training.eval_every=3", "training.log_every=1"];
        self.set.iter().chain(&often).for_each(|setting| arguments.extend(["--set", setting]));
        arguments.extend(more);
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// Trains it in a folder, beside its data.
    pub fn train(&self, folder: &Path) -> PathBuf {
        let (data, run) = (self.write_data(folder), folder.join("run"));
        assert_code(&autoreg(self.training(&data, &run, &[])), 0);
        run
    }

    /// The arguments of one of its commands with an output.
    pub fn with_output(&self, which: usize, folder: &Path, output: &Path) -> Vec<String> {
        let (command, after, _) = self.outputs[which];
        let data = folder.join(self.data.0);
        let run = folder.join("run");
        let mut arguments = vec![command, run.to_str().expect("Unicode")];
        arguments.extend(after.iter().map(|word| if *word == "DATA" { data.to_str().expect("Unicode") } else { word }));
        arguments.extend(["-o", output.to_str().expect("Unicode")]);
        arguments.into_iter().map(str::to_owned).collect()
    }
}

/// Runs the binary, and fails where it does not end: nothing here takes a second.
pub fn ends(arguments: &[impl AsRef<str>]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoreg"));
    command.args(arguments.iter().map(AsRef::as_ref)).env("AUTOREG_THREADS", "1").timeout(Duration::from_secs(60));
    let output = command.output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some(), "it was killed, or does not end: {told}");
    output
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &target),
            false => _ = std::fs::copy(path, target).expect("a copy"),
        }
    }
}

/// Every file of a run by its path in it.
pub fn contents(run: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![run.to_owned()];
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => open.push(path),
                false => _ = found.insert(path.strip_prefix(run).unwrap().to_owned(), std::fs::read(&path).unwrap()),
            }
        }
    }
    found
}

#[test]
fn every_family_that_is_trained_has_a_tiny_run() {
    let help = autoreg(["train", "--help"]);
    let help = crate::stdout(&help);
    let commands = help.split("Commands:").nth(1).expect("the families").split("\n\n").next().expect("their lines");
    // A description that is wrapped goes on further to the right.
    let names = commands.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let families = names.filter_map(|line| line.split_whitespace().next()).filter(|word| *word != "help");
    let families: Vec<&str> = families.collect();
    assert!(families.contains(&"text") && families.contains(&"series"), "{families:?}");
    for family in families {
        assert!(TINY_RUNS.iter().any(|run| run.family == family), "{family} has no line in TINY_RUNS");
    }
}
