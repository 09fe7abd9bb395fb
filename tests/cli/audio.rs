//! Models of sounds through the binary: parts and labels, exact scores, sounds as WAVs and as samples, and recordings made again from their frames.

use crate::{assert_code, assert_error, autoreg, stderr, stdout, with_model};
use models::audio::wav::{Sound, encode, parse};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Samples per second.
pub const RATE: u32 = 8000;

/// A folder of recordings of two speakers and two digits.
pub struct Recordings {
    folder: TempDir,
}

/// Samples of a recording.
pub const LENGTH: usize = 300;

impl Recordings {
    pub fn new() -> Self {
        let recordings = Recordings { folder: tempfile::tempdir().expect("a folder") };
        std::fs::create_dir(recordings.path("spoken")).expect("a folder");
        for (i, speaker) in ["ada", "bob"].iter().enumerate() {
            for digit in 0..2 {
                for index in 0..6 {
                    let pitch = 0.1 * (1 + i) as f64 + 0.05 * f64::from(digit);
                    let sample = |t: usize| ((t as f64 * pitch).sin() * 8000.0) as i16 + (t * t % 37 * index) as i16;
                    recordings.write(
                        &format!("spoken/{digit}_{speaker}_{index}.wav"),
                        RATE,
                        (0..LENGTH).map(sample).collect(),
                    );
                }
            }
        }
        recordings
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn spoken(&self) -> String {
        self.path("spoken").to_str().expect("Unicode").to_owned()
    }

    pub fn write(&self, name: &str, rate: u32, samples: Vec<i16>) -> String {
        self.write_bytes(name, &encode(&Sound { rate, samples }))
    }

    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).expect("a file");
        self.path(name).to_str().expect("Unicode").to_owned()
    }

    #[track_caller]
    pub fn train(&self, name: &str, more: &[&str]) -> PathBuf {
        let run = self.path(name);
        let data = self.spoken();
        let mut arguments = vec!["train", "audio", "--data", &data, "--out-dir", run.to_str().expect("Unicode")];
        arguments.extend(["--pattern", "{digit}_{speaker}_{index}.wav", "--steps", "8", "--test-where", "index<1"]);
        arguments.extend(["--validation-where", "index=1"]);
        for setting in ["model.residual=4", "model.skip=6", "model.layers=3", "data.batch=2"] {
            arguments.extend(["--set", setting]);
        }
        assert_code(&autoreg(arguments.iter().chain(more)), 0);
        run
    }
}

/// Told labels, and told frames.
const LABELS: [&str; 2] = ["--set", "model.conditions=[\"digit\", \"speaker\"]"];
const MEL: [&str; 2] = ["--set", "model.local={ mel = { window = 64, hop = 16, bands = 5 } }"];

fn json(command: &str, model: &Path, arguments: &[&str]) -> Value {
    let output = with_model(command, model, &[arguments, &["--json"]].concat());
    assert_code(&output, 0);
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The sound that a model makes.
fn made(recordings: &Recordings, run: &Path, more: &[&str]) -> Sound {
    let path = recordings.path("made.wav");
    assert_code(&with_model("generate", run, &[more, &["-o", path.to_str().unwrap()]].concat()), 0);
    parse(&std::fs::read(path).unwrap(), "made.wav").unwrap()
}

#[test]
fn a_model_is_scored_beside_its_floors_and_passes_its_checks() {
    let recordings = Recordings::new();
    let run = recordings.train("run", &LABELS);
    let each = recordings.path("each.csv");
    let arguments = ["--data", &recordings.spoken(), "--split", "test", "--each", each.to_str().unwrap()];
    let result = json("eval", &run, &arguments);
    let counted = (&result["model"], &result["recordings"], &result["symbols"]);
    assert_eq!(counted, (&"wavenet".into(), &4.into(), &1200.into()));
    let nats = number(&result["nats_per_symbol"]);
    assert!((nats / std::f64::consts::LN_2 - number(&result["bits_per_symbol"])).abs() < 1e-12, "{result}");
    let floors: Vec<&str> = result["floors"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((floors, &result["floors_counted_on"]), (vec!["marginal", "markov_1", "uniform"], &16.into()));
    let table = std::fs::read_to_string(each).unwrap();
    let column = table.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse::<f64>().unwrap());
    assert!(table.starts_with("file,samples,nats,bits_per_sample\n"), "{table}");
    assert!((column.sum::<f64>() / 1200.0 - nats).abs() < 1e-12, "{table}");
    let checked = with_model("check", &run, &["--length", "12"]);
    assert_code(&checked, 0);
    let told = stdout(&checked);
    assert!(told.contains("65536 sequences of length 2") && told.contains("at 12 positions"), "{told}");
}

#[test]
fn sixteen_bits_go_through_every_command() {
    let recordings = Recordings::new();
    let linear = ["--set", "model.encoding=linear", "--set", "model.distribution={ logistics = { components = 2 } }"];
    let run = recordings.train("run", &linear);
    let result = json("eval", &run, &["--data", &recordings.spoken(), "--split", "test"]);
    assert!(result["floors"]["difference"].is_number(), "{result}");
    assert!((number(&result["floors"]["uniform"]) - 16.0 * std::f64::consts::LN_2).abs() < 1e-12, "{result}");
    assert_code(&with_model("check", &run, &["--length", "3"]), 0);
    assert_eq!(made(&recordings, &run, &["--seconds", "0.01"]).samples.len(), 80);
}

#[test]
fn sounds_are_those_of_their_seed_on_any_number_of_threads_as_a_wav_and_as_samples() {
    let recordings = Recordings::new();
    let run = recordings.train("run", &LABELS);
    let first = made(&recordings, &run, &["--seconds", "0.05"]);
    assert_eq!((first.rate, first.samples.len()), (RATE, 400));
    assert_eq!(first, made(&recordings, &run, &["--seconds", "0.05", "--seed", "0", "--threads", "3"]));
    assert_ne!(first, made(&recordings, &run, &["--seconds", "0.05", "--seed", "1"]));
    // As a stream: the samples of the file, and nothing else.
    let raw = with_model("generate", &run, &["--seconds", "0.05", "-o", "-"]);
    assert_eq!(raw.status.code(), Some(0));
    let bytes: Vec<u8> = first.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    assert_eq!(raw.stdout, bytes);
    let whole = with_model("generate", &run, &["--seconds", "0.05"]);
    assert_eq!(whole.stdout, encode(&first));
    // Several, an eighth of a second apart; each is what it is alone, of the labels in turn.
    let three = made(&recordings, &run, &["--seconds", "0.05", "-n", "3"]);
    assert_eq!(three.samples.len(), 3 * 400 + 2 * 1000);
    assert_eq!(three.samples[..400], first.samples);
    assert!(three.samples[400..1400].iter().all(|&sample| sample == 0));
    // To a pipe they are made one after another, to a file side by side.
    assert_eq!(with_model("generate", &run, &["--seconds", "0.05", "-n", "3"]).stdout, encode(&three));
    let of = |digit: &str, speaker: &str| {
        made(&recordings, &run, &["--seconds", "0.05", "--digit", digit, "--label", &format!("speaker={speaker}")])
    };
    assert_eq!(of("0", "ada"), first);
    assert_ne!(of("1", "ada").samples, of("0", "bob").samples);
}

#[test]
fn a_sound_goes_on_from_a_recording_as_the_model_has_heard_it() {
    let recordings = Recordings::new();
    let run = recordings.train("run", &[]);
    let prime = recordings.path("spoken/0_ada_2.wav");
    let prime = prime.to_str().unwrap();
    let after = made(&recordings, &run, &["--seconds", "0.05", "--prime", prime]);
    assert_eq!(after.samples.len(), 400);
    let whole = made(&recordings, &run, &["--seconds", "0.05", "--prime", prime, "--echo"]);
    let given = parse(&std::fs::read(prime).unwrap(), "prime").unwrap().samples;
    assert_eq!(whole.samples, [given, after.samples.clone()].concat());
    assert_ne!(after, made(&recordings, &run, &["--seconds", "0.05"]));
}

#[test]
fn recordings_are_made_again_from_their_frames_alone_and_in_a_folder() {
    let recordings = Recordings::new();
    let run = recordings.train("run", &[&LABELS[..], &MEL].concat());
    let file = recordings.path("spoken/1_bob_0.wav");
    let (file, again) = (file.to_str().unwrap(), recordings.path("again.wav"));
    let again = again.to_str().unwrap();
    let told = json("vocode", &run, &[file, "-o", again]);
    let one = &told["recordings"][0];
    assert_eq!((&one["name"], &one["samples"]), (&"1_bob_0.wav".into(), &LENGTH.into()));
    let sound = parse(&std::fs::read(again).unwrap(), "again.wav").unwrap();
    assert_eq!(sound.samples.len(), LENGTH);
    // The same as along the frames of that recording, told the same labels.
    let along = made(&recordings, &run, &["--condition", file, "--digit", "1", "--speaker", "bob"]);
    assert_eq!(along, sound);
    // Its bits are those of the evaluation of it alone.
    let alone = json("eval", &run, &["--data", file]);
    assert!((number(&alone["bits_per_symbol"]) - number(&one["bits_per_sample"])).abs() < 1e-12);
    let folder = recordings.path("all");
    let all = json("vocode", &run, &[&recordings.spoken(), "-o", folder.to_str().unwrap()]);
    assert_eq!(all["recordings"].as_array().unwrap().len(), 24);
    assert_eq!(parse(&std::fs::read(folder.join("1_bob_0.wav")).unwrap(), "again.wav").unwrap(), sound);
    // A folder that holds something is not written into.
    let full = with_model("vocode", &run, &[&recordings.spoken(), "-o", folder.to_str().unwrap()]);
    assert_error(&full, 2, &["cannot be the folder", "not empty"]);
    let inside = recordings.path("spoken/again");
    let inside = with_model("vocode", &run, &[&recordings.spoken(), "-o", inside.to_str().unwrap()]);
    assert_error(&inside, 2, &["lies in the folder that is read"]);
    assert_error(&with_model("vocode", &run, &[file, "-o", file]), 2, &["would be overwritten"]);
    assert_error(&with_model("vocode", &run, &[file, "-o", "-"]), 2, &["stdout has the table"]);
    // Bands that only the rate of the data has room for.
    recordings.train("high", &["--set", "model.local={ mel = { lowest = 600.0, highest = 3800.0 } }"]);
    recordings.train("higher", &["--set", "model.local={ mel = { lowest = 600.0 } }"]);
}

#[test]
fn frames_of_a_file_are_what_a_model_is_told() {
    let recordings = Recordings::new();
    let frames = recordings.path("frames");
    std::fs::create_dir(&frames).unwrap();
    for entry in std::fs::read_dir(recordings.spoken()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap().replace(".wav", ".csv");
        let text: String = (0..=LENGTH / 50).map(|i| format!("{i},{}\n", i % 2)).collect();
        std::fs::write(frames.join(name), "height,odd\n".to_owned() + &text).unwrap();
    }
    let path = format!("data.frames_path={}", frames.to_str().unwrap());
    let run = recordings.train("run", &["--set", "model.local={ frames = { bands = 0, hop = 50 } }", "--set", &path]);
    assert_code(&with_model("eval", &run, &["--data", &recordings.spoken(), "--split", "test"]), 0);
    let told = recordings.write_bytes("told.csv", b"0,1\n1,0\n2,1\n");
    assert_eq!(made(&recordings, &run, &["--condition", &told]).samples.len(), 3 * 50 - 1);
    assert_eq!(made(&recordings, &run, &["--condition", &told, "--seconds", "0.01"]).samples.len(), 80);
    let wide = recordings.write_bytes("wide.csv", b"5,1,2\n");
    assert_error(
        &with_model("generate", &run, &["--condition", &wide, "-o", "x.wav"]),
        5,
        &["wide.csv has 3 features", "told 2"],
    );
    assert_error(&with_model("generate", &run, &["-o", "x.wav"]), 2, &["nothing says", "--condition"]);
    assert_error(&with_model("vocode", &run, &[&told, "-o", "x.wav"]), 2, &["told no mel frames"]);
}

#[test]
fn a_page_plays_what_a_model_made_on_the_way() {
    let recordings = Recordings::new();
    let run = recordings.train("run", &MEL);
    let page = std::fs::read_to_string(run.join("index.html")).unwrap();
    assert!(
        page.contains("<audio controls") && page.contains("spectrogram") && page.contains("autoreg vocode"),
        "no player"
    );
    let sample = std::fs::read(run.join("samples/step-000008.wav")).unwrap();
    // Four sounds as long as the recordings that they were made from.
    let sound = parse(&sample, "sample").unwrap();
    assert!(sound.samples.len() >= 4 * LENGTH + 3 * 1000, "{}", sound.samples.len());
    let greedy = with_model(
        "generate",
        &run,
        &[
            "--greedy",
            "--condition",
            &recordings.path("spoken/0_ada_0.wav").to_string_lossy(),
            "-o",
            &recordings.path("g.wav").to_string_lossy(),
        ],
    );
    assert!(stderr(&greedy).contains("falls silent"), "{}", stderr(&greedy));
}
