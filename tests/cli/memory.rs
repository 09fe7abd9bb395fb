//! What a training is said to need in memory against what it was seen to hold: never less, and not so much more that what would have
//! run is refused.
#![cfg(target_os = "linux")]

use crate::tiny_model::TEXT;
use models::audio::config::AudioConfig;
use models::audio::wav::{Sound, encode};
use models::configuration::Layers;
use models::image::config::ImageConfig;
use models::memory::Needs;
use models::series::config::SeriesConfig;
use models::text::config::TextConfig;
use models::text::gpt::{Gpt, GptConfig};
use models::text::language_model::{Config, LanguageModel};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a text's training is said to need.
fn of_text(settings: &[&str]) -> Needs {
    let layers = Layers::new(&TextConfig::<Config>::default()).unwrap();
    let layers = settings.iter().try_fold(layers, |layers, setting| layers.set(setting)).unwrap();
    layers.finish().unwrap().needs::<LanguageModel<f32>>()
}

/// What a GPT's training is said to need.
fn of_gpt(settings: &[&str]) -> Needs {
    let layers = Layers::new(&TextConfig::<GptConfig>::default()).unwrap();
    let layers = settings.iter().try_fold(layers, |layers, setting| layers.set(setting)).unwrap();
    layers.finish().unwrap().needs::<Gpt<f32>>()
}

/// What a series' training is said to need: of its values 0.8 are trained on, and twice 0.1 are scored.
fn of_series(settings: &[&str], lags: usize, values: usize) -> Needs {
    let layers = Layers::new(&SeriesConfig::default()).unwrap();
    let layers = settings.iter().try_fold(layers, |layers, setting| layers.set(setting)).unwrap();
    layers.finish().unwrap().needs(lags, values / 10 * 8 - lags, values / 10)
}

/// What a training on images of 28 × 28 pixels in grey is said to need.
fn of_images(settings: &[&str]) -> Needs {
    let size = ["model.colours=1", "model.height=28", "model.width=28"];
    let layers = Layers::new(&ImageConfig::default()).unwrap();
    let layers = settings.iter().chain(&size).try_fold(layers, |layers, setting| layers.set(setting)).unwrap();
    layers.finish().unwrap().needs()
}

/// What a training on recordings is said to need.
fn of_sounds(settings: &[&str]) -> Needs {
    let layers = Layers::new(&AudioConfig::default()).unwrap();
    settings.iter().try_fold(layers, |layers, setting| layers.set(setting)).unwrap().finish().unwrap().needs()
}

/// The most that a training held, in bytes, as the system counts it (`VmHWM`): seen some hundred times a second, it misses what comes
/// in the last moment, which is the writing of the page.
fn held(family: &str, data: &Path, run: &Path, settings: &[&str]) -> u64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autoreg"));
    command.args(["train", family, "--steps", "2", "--out-dir"]).arg(run).arg("--data").arg(data);
    settings.iter().for_each(|setting| _ = command.args(["--set", setting]));
    let mut child = command.env("AUTOREG_THREADS", "2").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let field = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        most = most.max(field.unwrap_or(0_u64));
        if let Some(code) = child.try_wait().unwrap() {
            assert!(code.success(), "{settings:?}");
            return most * 1024;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_training_holds_no_more_than_it_is_said_to_need_and_not_much_less() {
    let folder = tempfile::tempdir().unwrap();
    let (text, csv) = (folder.path().join("text.txt"), folder.path().join("series.csv"));
    std::fs::write(&text, TEXT.repeat(2000)).unwrap();
    let values = 8000;
    let line = |t: i32| format!("{:.4}\n", (f64::from(t) * 0.1).sin() + f64::from(t * t % 17) / 50.0);
    std::fs::write(&csv, "x\n".to_owned() + &(0..values).map(line).collect::<String>()).unwrap();
    let bytes = "data.vocabulary=bytes";
    let texts: [&[&str]; 5] = [
        &[bytes, "model.model=gru", "model.hidden=256", "data.batch=64", "data.window=96"],
        &[bytes, "model.model=lstm", "model.hidden=256", "data.batch=64", "data.window=96"],
        &[
            bytes,
            "model.model=gru",
            "model.hidden=192",
            "model.layers=3",
            "model.dropout=0.2",
            "data.batch=64",
            "data.window=96",
        ],
        &[bytes, "model.model=lstm", "model.hidden=192", "model.layers=3", "data.batch=64", "data.window=96"],
        &[
            bytes,
            "model.model=gru",
            "model.hidden=1024",
            "data.batch=4",
            "data.window=16",
            "training.optimizer.average=0.9",
        ],
    ];
    let neural = "model.model=neural-ar";
    let series: [(&[&str], usize); 2] = [
        (&[neural, "model.lags=200", "model.hidden=256", "model.layers=2"], 200),
        (&[neural, "model.lags=1000", "model.hidden=64", "model.layers=2", "data.batch=256"], 1000),
    ];
    let pictures = folder.path().join("pictures.idx");
    let pixels = (0..200 * 28 * 28_u32).map(|i| (i.wrapping_mul(i) / 7 % 251) as u8);
    let header = [0, 0, 8, 3, 0, 0, 0, 200, 0, 0, 0, 28, 0, 0, 0, 28];
    std::fs::write(&pictures, header.into_iter().chain(pixels).collect::<Vec<u8>>()).unwrap();
    let (two, logistics) = ("data.levels=2", "model.distribution={ logistics = { components = 5 } }");
    let images: [&[&str]; 6] = [
        &["model.model=pixelcnn", two, "model.hidden=64", "model.head=128"],
        &["model.model=pixelcnn", "model.hidden=32", "model.layers=3", "model.head=32"],
        &["model.model=gated-pixelcnn", two],
        &["model.model=gated-pixelcnn", "model.hidden=32", "model.layers=3", "model.head=32", logistics],
        &["model.model=row-lstm", two, "model.hidden=32", "model.layers=3", "model.head=32"],
        &["model.model=diagonal-lstm", two, "model.hidden=32", "model.layers=3", "model.head=32"],
    ];
    let images = images.map(|settings| ("image", &pictures, settings, of_images(settings)));
    let recording = folder.path().join("recording.wav");
    let samples = (0..200_000_i32).map(|t| (t.wrapping_mul(t) / 7 % 9001) as i16).collect();
    std::fs::write(&recording, encode(&Sound { rate: 8000, samples })).unwrap();
    let sixteen_bits = "model.encoding=linear";
    let sounds: [&[&str]; 4] = [
        &[],
        &["model.residual=64", "model.skip=256", "model.stacks=2", "data.batch=1"],
        &["model.residual=64", "model.local={ mel = {} }", "data.window=16384"],
        &[sixteen_bits, "model.distribution={ logistics = { components = 10 } }", "data.batch=4"],
    ];
    let sounds = sounds.map(|settings| ("audio", &recording, settings, of_sounds(settings)));
    let (gpt, wide) = ("model.model=gpt", "model.width=256");
    let gpts: [&[&str]; 3] = [
        &[bytes, gpt, wide, "data.batch=16"],
        &[bytes, gpt, wide, "model.dropout=0.2", "model.context=256", "data.batch=4", "data.window=256"],
        &[bytes, gpt, wide, "model.positions=rotary", "model.key_heads=1", "model.bias=true", "data.batch=16"],
    ];
    let gpts = gpts.map(|settings| ("text", &text, settings, of_gpt(settings)));
    let texts = texts.map(|settings| ("text", &text, settings, of_text(settings)));
    let series = series.map(|(settings, lags)| ("series", &csv, settings, of_series(settings, lags, values as usize)));
    for (i, (family, data, settings, needs)) in
        texts.into_iter().chain(gpts).chain(series).chain(images).chain(sounds).enumerate()
    {
        let held = held(family, data, &folder.path().join(format!("run-{i}")), settings);
        let share = needs.bytes() as f64 / held as f64;
        println!("{share:.2} = {} / {held} {settings:?}", needs.bytes());
        assert!((1.0..1.4).contains(&share), "{share:.2} of the {held} bytes that were held: {settings:?}, {needs:?}");
    }
}
