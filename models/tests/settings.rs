//! Every key of every family's configuration, set to what it is not meant to be, in every layer: refused by name, or taken and
//! trained with; never a panic, an abort or a wait. A new family is held to it by its line in [`families`].

use models::audio::training::AudioTask;
use models::audio::wav::{Sound, encode};
use models::configuration::{Layers, rows};
use models::error::{Error, Kind, Result};
use models::image::training::ImageTask;
use models::series::training::SeriesTask;
use models::text::gpt::Gpt;
use models::text::language_model::LanguageModel;
use models::text::training::TextTask;
use models::training::begin;
use models::training::task::Task;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The ways a value comes in.
const WAYS: [&str; 4] = ["flag", "--set", "file", "environment"];

/// What a key is set to: another type, negative, nothing, more than there is, no number, and what stands between.
const VALUES: [&str; 15] = [
    "-1",
    "0",
    "1",
    "0.5",
    "1000000000000000000",
    "18446744073709551616",
    "1e300",
    "nan",
    "inf",
    "-inf",
    "\"\"",
    "\"no such word\"",
    "true",
    "[1, 2]",
    "{ a = 1 }",
];

/// A way, a key, a value.
type Attempt = dyn Fn(&str, &str, &str) -> Result<()>;

/// A training of a family on data that a step of it takes milliseconds on.
struct Family {
    name: &'static str,
    keys: Vec<String>,
    /// Sets a key in one of the [`WAYS`], begins, and makes the loss of a step.
    attempt: Box<Attempt>,
    _folder: TempDir,
}

fn family<K: Task + 'static>(name: &'static str, data: impl AsRef<[u8]>, tiny: &'static [&'static str]) -> Family {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    std::fs::write(&path, data).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let layers = move || {
        let layers = Layers::new(&K::Config::default()).unwrap().flag("--data", "data.path", &path).unwrap();
        tiny.iter().fold(layers, |layers, setting| layers.set(setting).unwrap())
    };
    let keys = rows(&layers().finish().unwrap()).unwrap().into_iter().map(|(key, _)| key).collect();
    let attempt = move |way: &str, key: &str, value: &str| -> Result<()> {
        let layers = match way {
            "flag" => layers().flag("--flag", key, value)?,
            "--set" => layers().set(&format!("{key}={value}"))?,
            "file" => layers().text(Path::new("run.toml"), &format!("{key} = {value}\n"))?,
            _ => {
                let name = format!("AUTOREG_{}", key.to_uppercase().replace('.', "__"));
                layers().environment([(name, value.to_owned())], &[])?
            }
        };
        let mut trainer = begin::begin::<K>(layers.finish()?)?;
        assert!(trainer.task.loss(&trainer.model).item().is_finite());
        Ok(())
    };
    Family { name, keys, attempt: Box::new(attempt), _folder: folder }
}

/// Every family that trains.
fn families() -> Vec<Family> {
    let text = "the cat sat on the mat\n".repeat(30);
    let series: String = (1..60).map(|t| format!("{}\n", (t * 7) % 11)).collect();
    let tiny_text = &["model.hidden=4", "model.embedding=3", "data.batch=2", "data.window=4"];
    let tiny_gpt =
        &["model.width=4", "model.layers=1", "model.heads=2", "model.key_heads=1", "data.batch=2", "data.window=4"];
    let tiny_series = &["model.model=neural-ar", "model.hidden=4", "model.lags=2"];
    // An IDX file of 20 pictures, 3 rows of 2 pixels.
    let mut pictures = vec![0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 2];
    pictures.extend((0..20 * 3 * 2).map(|i| (i * 2) as u8));
    let tiny_image = &["model.hidden=2", "model.layers=1", "model.head=2", "data.levels=2", "data.batch=4"];
    let samples = (0..300_i16).map(|t| t * 31 % 997).collect();
    let recording = encode(&Sound { rate: 8000, samples });
    let tiny_audio = &["model.residual=2", "model.skip=2", "model.layers=2", "data.window=50", "data.batch=2"];
    vec![
        family::<TextTask<LanguageModel<f32>>>("text", &text, tiny_text),
        family::<SeriesTask>("series", &series, tiny_series),
        family::<ImageTask>("image", pictures, tiny_image),
        family::<AudioTask>("audio", recording, tiny_audio),
        family::<TextTask<Gpt<f32>>>("text by GPT", &text, tiny_gpt),
    ]
}

/// Tries, and fails the test by the name of the case where it panics or takes long.
fn tried(family: &Family, way: &str, key: &str, value: &str) -> Result<()> {
    let case = format!("{} {way} {key}={value}", family.name);
    let begin = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (family.attempt)(way, key, value)));
    let outcome = outcome.unwrap_or_else(|_| panic!("{case} panics"));
    assert!(begin.elapsed() < Duration::from_secs(10), "{case} takes {:?}", begin.elapsed());
    outcome
}

#[test]
fn every_key_takes_every_value_or_refuses_it_by_name_in_every_layer() {
    let (mut taken, mut refused) = (0, 0);
    for family in families() {
        for key in &family.keys {
            for value in VALUES {
                let outcomes = WAYS.map(|way| tried(&family, way, key, value));
                for (way, outcome) in WAYS.iter().zip(&outcomes) {
                    let case = format!("{} {way} {key}={value}", family.name);
                    let Err(Error { kind, .. }) = outcome else {
                        taken += 1;
                        continue;
                    };
                    refused += 1;
                    let told = outcome.as_ref().unwrap_err().to_string();
                    assert!(matches!(kind, Kind::Usage | Kind::BadInput), "{case}: {told}");
                    // In words, and numbers with the digits that they were given with.
                    let foreign =
                        ["invalid ", "expected ", "variant", "literal", "usize", "u64", "u32", "f64", "struct"];
                    let foreign: Vec<_> = foreign.into_iter().filter(|word| told.contains(word)).collect();
                    assert!(foreign.is_empty(), "{case} is told with {foreign:?}: {told}");
                    let digits = told.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
                    assert!(digits <= Some(20), "{case} is told with {digits:?} digits: {told}");
                    let last = key.rsplit('.').next().unwrap();
                    let word = value.trim_matches('"');
                    assert!(
                        told.contains(last) || !word.is_empty() && told.contains(word),
                        "{case} is told as: {told}"
                    );
                }
            }
        }
    }
    // No family is empty, and no layer is asleep.
    println!("{taken} taken, {refused} refused");
    assert!(taken > 500 && refused > 2000, "{taken} taken, {refused} refused");
}

#[test]
fn a_key_that_is_not_there_is_refused_in_every_layer_with_the_one_that_is() {
    for family in families() {
        for key in &family.keys {
            let (front, last) = key.split_at(key.len() - 1);
            let mistyped = format!("{front}{last}{last}");
            for way in WAYS {
                let error = tried(&family, way, &mistyped, "1").expect_err(&mistyped);
                assert_eq!(error.kind, Kind::Usage, "{error}");
                assert!(error.help.contains("did you mean"), "{} {way} {mistyped}: {error}", family.name);
            }
        }
        for inside in ["model={ hiden = 3 }", "data={ batsh = 3 }", "training={ optimizer = { clipp = 1 } }"] {
            let (key, value) = inside.split_once('=').unwrap();
            assert!(tried(&family, "--set", key, value).is_err(), "{} {inside}", family.name);
        }
    }
}

#[test]
fn an_unknown_key_inside_a_choice_and_a_number_of_symbols_that_is_not_the_datas_are_refused() {
    let families = families();
    let text = &families[0];
    let told = |key: &str, value: &str| tried(text, "--set", key, value).expect_err(value).to_string();
    let unknown = told("data.vocabulary", "{ byte_pairs = { size = 300, sise = 5 } }");
    assert!(unknown.contains("sise"), "{unknown}");
    let file = tried(text, "file", "data.vocabulary", "{ byte_pairs = { size = 300, sise = 5 } }");
    assert!(file.expect_err("the same in a file").to_string().contains("sise"));
    assert!(told("model.symbols", "5").contains("`model.symbols` is 5"));
    for size in ["255", "262145"] {
        let said = told("data.vocabulary.byte_pairs.size", size);
        assert!(said.contains("from 256, the bytes themselves, to 262144"), "{said}");
    }
    assert!(tried(text, "--set", "data.vocabulary", "{ byte_pairs = { size = 300 } }").is_ok());
}

#[test]
fn what_takes_more_memory_than_there_is_is_told_with_both_numbers_before_it_is_made() {
    let families = families();
    for (family, key, value) in [
        (0, "data.batch", "1000000000000000000"),
        (0, "data.window", "9223372036854775807"),
        (0, "model.hidden", "65536\nmodel.layers = 1000"),
        (1, "data.batch", "1000000000000000000"),
        (2, "data.batch", "1000000000000000000"),
        (2, "model.hidden", "16384\nmodel.layers = 1000"),
    ] {
        let error = tried(&families[family], "file", key, value).expect_err(key);
        assert_eq!(error.kind, Kind::Usage);
        assert!(error.what.contains("this needs") && error.what.contains("are free"), "{error}");
    }
}

/// What stands between backticks, or after `--set `, in the strings of a source file.
///
/// In the command line, comments on flags are its help.
fn keys_named(source: &str, comments: bool) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let code: String = code.lines().filter(|line| comments || !line.trim_start().starts_with("//")).collect();
    let ticked = code.split('`').skip(1).map(|text| text.split('=').next().unwrap().to_owned());
    let set = code.split("--set ").skip(1).map(|rest| rest.split(['=', ' ', '"', '`']).next().unwrap().to_owned());
    ticked.chain(set).collect()
}

#[test]
fn every_key_that_a_message_names_is_a_key_of_a_configuration() {
    let mut known: BTreeSet<String> = families().into_iter().flat_map(|family| family.keys).collect();
    let inside =
        ["data.vocabulary.byte_pairs.size", "model.local.mel", "model.local.frames.bands", "model.local.frames.hop"];
    known.extend(inside.map(str::to_owned));
    let mut named = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            if entry.extension().is_none_or(|ending| ending != "rs") || entry.to_str().unwrap().contains("tests.rs") {
                continue;
            }
            let command_line = entry.to_str().unwrap().contains("../src");
            for key in keys_named(&std::fs::read_to_string(&entry).unwrap(), command_line) {
                let is_key = |key: &str| {
                    let plain = key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b));
                    let table =
                        ["model.", "data.", "training.", "optimizer."].iter().any(|table| key.starts_with(table));
                    plain && table
                };
                if is_key(&key) {
                    named += 1;
                    assert!(known.contains(&key), "{} names `{key}`, which is no key", entry.display());
                }
            }
        }
    }
    assert!(named > 20, "only {named} keys were found in messages");
}
