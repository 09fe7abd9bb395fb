//! Files through `compress` and `decompress`: what goes in comes out, on any number of threads and by every instruction set; what is
//! damaged, another model's, or no code is refused by name, and nothing is written then.

use crate::audio::{RATE, Recordings};
use crate::series::Sunspots;
use crate::tiny_model::{Files, TEXT};
use crate::tiny_runs::{TINY_RUNS, TinyRun};
use crate::{assert_code, assert_error, autoreg, stderr, stdout, with_model};
use models::image::idx::{Idx, of_images, parse};
use models::image::images::Images;
use models::image::quantized::{level, shown};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The tiny runs whose symbols are codes.
fn of_codes() -> impl Iterator<Item = &'static TinyRun> {
    TINY_RUNS.iter().filter(|run| run.family != "series" && run.has_next())
}

fn word(path: &Path) -> &str {
    path.to_str().expect("Unicode")
}

/// A file beside another.
fn beside(path: &Path, name: &str) -> std::path::PathBuf {
    path.parent().expect("a folder").join(name)
}

/// What must come back of the data of a tiny run.
fn expected(run: &TinyRun, data: &[u8]) -> Vec<u8> {
    match run.family {
        "text" => data.to_vec(),
        "image" => {
            let Idx::Images(images) = parse(data, "data").unwrap() else { panic!("pictures") };
            let values = images.values().iter().map(|&value| shown(level(value, 2), 2)).collect();
            of_images(&Images::new(images.shape(), values))
        }
        _ => {
            let mut sound = models::audio::wav::parse(data, "data").unwrap();
            use models::audio::mu_law::{code, sample};
            sound.samples.iter_mut().for_each(|x| *x = sample(code(*x)));
            models::audio::wav::encode(&sound)
        }
    }
}

#[test]
fn what_goes_in_comes_out_on_any_number_of_threads_and_by_every_instruction_set() {
    for run in of_codes() {
        let folder = tempfile::tempdir().unwrap();
        let (model, data) = (run.train(folder.path()), run.write_data(folder.path()));
        let [packed, again, back] = ["packed", "again", "back"].map(|name| folder.path().join(name));
        let compressed = with_model("compress", &model, &[word(&data), "-o", word(&packed), "--threads", "1"]);
        assert_code(&compressed, 0);
        for said in
            [format!("{} (this model)", run.model), "its likelihood".into(), "lzma".into(), "What comes back".into()]
        {
            assert!(stdout(&compressed).contains(&said), "{said}: {}", stdout(&compressed));
        }
        let arguments = [word(&data), "-o", word(&again), "--threads", "3", "--isa", "portable", "--json"];
        let told = with_model("compress", &model, &arguments);
        assert_code(&told, 0);
        let bytes = fs::read(&packed).unwrap();
        assert_eq!(bytes, fs::read(&again).unwrap(), "{}: other bytes on other threads", run.family);
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        assert_eq!((&told["model"], &told["bytes_out"]), (&run.model.into(), &bytes.len().into()));
        // The likelihood is that of `eval`, which goes by the parallel pass.
        let eval = with_model("eval", &model, &["--data", word(&data), "--json"]);
        assert_code(&eval, 0);
        let eval: Value = serde_json::from_slice(&eval.stdout).unwrap();
        let [likelihood, of_eval] =
            [&told["likelihood_bits_per_symbol"], &eval["bits_per_symbol"]].map(|bits| bits.as_f64().unwrap());
        assert!((likelihood - of_eval).abs() < 1e-9 * of_eval, "{likelihood} {of_eval}");
        assert_eq!(told["symbols"], eval["symbols"]);
        let [all, out] = [&told["likelihood_bits"], &told["bytes_out"]].map(|bits| bits.as_f64().unwrap());
        assert!(8.0 * out <= all * 1.001 + 8.0 * 48.0 && 8.0 * out >= all * 0.999, "{told}");
        for threads in [["--threads", "1"], ["--isa", "portable"]] {
            let arguments = [&[word(&packed), "-o", word(&back)][..], &threads].concat();
            assert_code(&with_model("decompress", &model, &arguments), 0);
            assert_eq!(fs::read(&back).unwrap(), expected(run, &fs::read(&data).unwrap()), "{}", run.family);
        }
        assert_eq!(told["comes_back"], if run.family == "text" { "bytes" } else { "changed" });
    }
}

#[test]
fn what_is_damaged_cut_or_another_model_s_is_refused_by_name_and_nothing_is_written() {
    for run in of_codes() {
        let folder = tempfile::tempdir().unwrap();
        let (model, data) = (run.train(folder.path()), run.write_data(folder.path()));
        let [packed, broken, back] = ["packed", "broken.arz", "back"].map(|name| folder.path().join(name));
        assert_code(&with_model("compress", &model, &[word(&data), "-o", word(&packed)]), 0);
        fs::write(&back, "what was there").unwrap();
        let refused = |model: &Path, bytes: &[u8], says: &str| {
            fs::write(&broken, bytes).unwrap();
            assert_error(
                &with_model("decompress", model, &[word(&broken), "-o", word(&back)]),
                5,
                &["broken.arz", says],
            );
            assert_eq!(fs::read(&back).unwrap(), b"what was there");
        };
        let bytes = fs::read(&packed).unwrap();
        for at in [0, 4, 9, 16, 20, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            refused(&model, &flipped, if at == 0 { "no file that" } else { "damaged" });
            refused(&model, &bytes[..at], if at < 4 { "no file that" } else { "breaks off" });
        }
        refused(&model, &fs::read(&data).unwrap(), "no file that");
        // The same run after another step: other weights.
        let others = word(&beside(&model, "others")).to_owned();
        let arguments = run.training(&data, Path::new(&others), &["--set", "training.seed=2"]);
        assert_code(&autoreg(&arguments), 0);
        refused(Path::new(&others), &bytes, "by another model");
        // Of another family.
        refused(&Files::new().checkpoint, &bytes, if run.family == "text" { "another model" } else { "holds" });
    }
}

#[test]
fn a_series_is_refused_with_the_reason() {
    let sunspots = Sunspots::new();
    let run = sunspots.train("ar", &["--lags", "2"]);
    let csv = sunspots.path("sunspots.csv");
    let refused = with_model("compress", &run, &[word(&csv), "-o", word(&sunspots.path("out"))]);
    assert_error(
        &refused,
        2,
        &["holds a model of a series", "real numbers", "models of text, of images and of sounds"],
    );
    assert!(!sunspots.path("out").exists());
}

#[test]
fn stdout_is_exactly_the_file_and_the_table_goes_to_stderr() {
    let files = Files::new();
    let text = files.write("text.txt", TEXT);
    let packed = files.path("packed");
    let streamed = with_model("compress", &files.checkpoint, &[&text, "-o", "-"]);
    assert_eq!(streamed.status.code(), Some(0));
    assert!(stderr(&streamed).contains("its likelihood"), "{}", stderr(&streamed));
    assert_code(&with_model("compress", &files.checkpoint, &[&text, "-o", word(&packed)]), 0);
    assert_eq!(streamed.stdout, fs::read(&packed).unwrap());
    let back = with_model("decompress", &files.checkpoint, &[word(&packed), "-o", "-"]);
    assert_eq!((back.status.code(), stdout(&back)), (Some(0), TEXT));
    assert_error(&with_model("compress", &files.checkpoint, &[&text, "-o", "-", "--json"]), 2, &["stdout has the"]);
    for arguments in [[&text, "-o", &text], [word(&packed), "-o", word(&packed)]] {
        let command = if arguments[0] == text { "compress" } else { "decompress" };
        assert_error(&with_model(command, &files.checkpoint, &arguments), 2, &["would be overwritten"]);
    }
    let unknown = files.write("unknown.txt", "the cat§");
    let refused = with_model("compress", &files.checkpoint, &[&unknown, "-o", word(&files.path("out"))]);
    assert_error(&refused, 5, &["unknown.txt", "'§'", "has no code"]);
}

#[test]
fn what_a_model_is_told_is_in_the_file() {
    let recordings = Recordings::new();
    let run = recordings.train("run", &["--set", "model.conditions=[\"digit\", \"speaker\"]"]);
    let own = recordings.path("spoken/1_bob_3.wav");
    let [packed, named, back] = ["packed", "named", "back.wav"].map(|name| recordings.path(name));
    // Of the recording's name, by the run's pattern; or named.
    assert_code(&with_model("compress", &run, &[word(&own), "-o", word(&packed)]), 0);
    let arguments = [word(&own), "--speaker", "bob", "--digit", "1", "-o", word(&named)];
    assert_code(&with_model("compress", &run, &arguments), 0);
    assert_eq!(fs::read(&packed).unwrap(), fs::read(&named).unwrap());
    assert_code(&with_model("decompress", &run, &[word(&packed), "-o", word(&back)]), 0);
    let other = with_model("compress", &run, &[word(&own), "--speaker", "ada", "-o", word(&named)]);
    assert_code(&other, 0);
    assert_ne!(fs::read(&packed).unwrap(), fs::read(&named).unwrap());
    let again = recordings.path("again.wav");
    assert_code(&with_model("decompress", &run, &[word(&named), "-o", word(&again)]), 0);
    assert_eq!(fs::read(&back).unwrap(), fs::read(&again).unwrap());
    let unnamed = recordings.write("noise.wav", RATE, vec![5; 40]);
    let refused = with_model("compress", &run, &[&unnamed, "-o", word(&packed)]);
    assert_error(&refused, 5, &["noise.wav", "{digit}_{speaker}_{index}.wav"]);
    let foreign = with_model("compress", &run, &[&unnamed, "--class", "1", "-o", word(&packed)]);
    assert_error(&foreign, 2, &["--class is for a model of images"]);
}
