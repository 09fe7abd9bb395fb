//! What is no recording, no condition and no name, refused by name with its cause, before anything is written.

use crate::audio::{LENGTH, RATE, Recordings};
use crate::{assert_error, autoreg, with_model};
use models::audio::wav::{Sound, encode};

/// A good WAV, with some bytes of its header changed.
fn changed(changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = encode(&Sound { rate: RATE, samples: (0..200).collect() });
    changes.iter().for_each(|(at, new)| bytes[*at..at + new.len()].copy_from_slice(new));
    bytes
}

#[test]
fn what_is_no_recording_is_refused_with_its_cause() {
    let recordings = Recordings::new();
    let run = recordings.path("none");
    let nan = {
        let mut bytes = changed(&[(20, &[3, 0]), (28, &(RATE * 4).to_le_bytes()), (32, &[4, 0, 32, 0])]);
        bytes[44..48].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes
    };
    for (what, bytes, says) in [
        ("nothing", Vec::new(), &["empty"][..]),
        ("a text", b"not a sound at all, but a text".to_vec(), &["WAV"]),
        ("a longer length", changed(&[(40, &4000_u32.to_le_bytes())]), &["4,000 bytes, and 400"]),
        ("no channel", changed(&[(22, &[0, 0])]), &["channel"]),
        ("255 channels", changed(&[(22, &[255, 0])]), &["channel"]),
        ("no rate", changed(&[(24, &[0; 4])]), &["0 samples per second"]),
        ("a compressed codec", changed(&[(20, &[6, 0])]), &["A-law"]),
        ("a sample that is no number", nan, &["NaN"]),
        ("no samples", encode(&Sound { rate: RATE, samples: Vec::new() }), &["no samples"]),
    ] {
        let file = recordings.write_bytes("broken.wav", &bytes);
        let output = autoreg(["train", "audio", "--data", &file, "--out-dir", run.to_str().unwrap()]);
        let told = crate::stderr(&output).to_owned();
        assert_eq!(output.status.code(), Some(5), "{what}: {told}");
        assert!(told.contains("broken.wav") && says.iter().all(|word| told.contains(word)), "{what}: {told}");
        assert!(!run.exists(), "{what}");
    }
}

#[test]
fn a_folder_of_recordings_that_do_not_go_together_is_refused_by_both_names() {
    let recordings = Recordings::new();
    let (data, run) = (recordings.spoken(), recordings.path("none"));
    let train = |more: &[&str]| {
        let fixed = ["train", "audio", "--data", &data, "--out-dir", run.to_str().unwrap(), "--steps", "1"];
        autoreg(fixed.iter().chain(more))
    };
    let pattern = ["--pattern", "{digit}_{speaker}_{index}.wav"];
    for (more, code, says) in [
        (&["--pattern", "{digit}.flac"][..], 5, &["0_ada_0.wav", "pattern"][..]),
        (&["--pattern", "{digit"], 2, &["data.pattern", "brace"]),
        (&["--test-where", "index<1"], 2, &["data.test_where", "no label"]),
        (&["--set", "model.conditions=[\"digit\"]"], 2, &["model.conditions", "data.pattern"]),
        (&["--set", "data.window=0"], 2, &["data.window"]),
        (&["--set", "data.trim=-3"], 2, &["data.trim"]),
        (&["--set", "model.encoding=linear"], 2, &["model.distribution", "65,536"]),
        (&["--set", "model.layers=25"], 2, &["model.layers", "24"]),
        (&["--set", "model.residual=0"], 2, &["model.residual"]),
        (&["--set", "model.local={ mel = { hop = 0 } }"], 2, &["model.local.mel", "hop = 0"]),
        (&["--set", "model.local={ mel = { floor = 1.0 } }"], 2, &["floor = 1", "below 1"]),
        (&["--set", "model.local={ mel = { window = 64, bands = 40 } }"], 2, &["mel band", "fewer bands"]),
        (&["--set", "model.local={ frames = { bands = 2, hop = 4 } }"], 2, &["data.frames_path"]),
        (&["--rate", "7"], 2, &["data.rate"]),
        (&["--set", "data.batch=1000000"], 2, &["data.batch"]),
    ] {
        assert_error(&train(more), code, says);
        assert!(!run.exists(), "{more:?}");
    }
    let with = |more: &[&'static str]| train(&[&pattern[..], more].concat());
    assert_error(&with(&["--test-where", "index<0"]), 5, &["no recording", "test part"]);
    assert_error(&with(&["--test-where", "index<9"]), 5, &["nothing to train on"]);
    assert_error(&with(&["--test-where", "speaker<9"]), 5, &["compares `speaker` by size", "ada"]);
    recordings.write("spoken/other.wav", 16_000, vec![5; 100]);
    assert_error(&train(&[]), 5, &["one rate", "0_ada_0.wav has 8000", "other.wav has 16000", "--rate"]);
}

#[test]
fn what_makes_no_sound_is_refused_by_name() {
    let recordings = Recordings::new();
    let run = recordings.train("run", &["--set", "model.conditions=[\"speaker\"]"]);
    let mel = recordings.train("mel", &["--set", "model.local={ mel = { window = 64, hop = 16, bands = 5 } }"]);
    let other = recordings.write("other.wav", 16_000, vec![5; 600]);
    let short = recordings.write("short.wav", RATE, vec![5; 50]);
    let text = recordings.write_bytes("text.csv", b"1,2\nx,4\n");
    let output = recordings.path("x.wav");
    let output = ["-o", output.to_str().unwrap()];
    for (model, arguments, code, says) in [
        (&run, &["--speaker", "eve"][..], 2, &["never met the speaker \"eve\"", "ada, bob"][..]),
        (&run, &["--digit", "1"], 2, &["told no digit", "speaker"]),
        (&run, &["--label", "speaker"], 2, &["NAME=VALUE"]),
        (&run, &["--speaker", "ada", "--label", "speaker=bob"], 2, &["twice"]),
        (&run, &["--seconds", "0"], 2, &["--seconds 0"]),
        (&run, &["--seconds", "-1"], 2, &["--seconds -1"]),
        (&run, &["--seconds", "NaN"], 2, &["--seconds NaN"]),
        (&run, &["--seconds", "1e9"], 2, &["--seconds 1000000000", "WAV"]),
        (&run, &["-n", "0"], 2, &["-n 0"]),
        (&run, &["-n", "1000000"], 2, &["more than a WAV holds"]),
        (&run, &["--prompt", "x"], 2, &["goes on from no text", "--prime"]),
        (&run, &["--prime", "nowhere.wav"], 5, &["nowhere.wav"]),
        (&run, &["--prime", &other], 5, &["other.wav has 16000", "of 8000", "--resample"]),
        (&run, &["--condition", &short], 2, &["told nothing from moment to moment"]),
        (&run, &["--class", "1"], 2, &["--class", "a model of images"]),
        (&mel, &["--condition", &text], 5, &["text.csv", "line 2"]),
        (&mel, &["--condition", &short, "--seconds", "1"], 2, &["more than the condition is of"]),
        (&mel, &["--condition", &short, "--prime", &short], 2, &["nothing is left to draw"]),
        (&mel, &["--condition", &other], 5, &["--resample"]),
    ] {
        assert_error(&with_model("generate", model, &[arguments, &output].concat()), code, says);
    }
    let strange = recordings.write("spoken/0_eve_9.wav", RATE, vec![7; LENGTH]);
    assert_error(&with_model("eval", &run, &["--data", &strange]), 5, &["knows no speaker \"eve\""]);
    assert_error(&with_model("eval", &run, &["--data", &other]), 5, &["other.wav"]);
}
