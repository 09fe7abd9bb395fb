//! The act of the tour on sounds: a small WaveNet learns tones that the program makes, told which one each is. So it can be told of every sound that
//! it makes whether it has the pitch that was asked for.

use super::commands;
use crate::families::tour::{MOST_TIME, Tour};
use crate::families::training;
use crate::terminal::console::say;
use autograd::random::Streams;
use models::audio::config::AudioConfig;
use models::audio::generation::{Request, joined};
use models::audio::given::Prepared;
use models::audio::model::{AudioModel, Told};
use models::audio::picture::picture;
use models::audio::saved;
use models::audio::together::draw_together;
use models::audio::tones::{LENGTH, PITCHES, RATE, heard, tone};
use models::audio::training::AudioTask;
use models::audio::wav::{Sound, encode};
use models::data::files::{DataFile, DataFiles};
use models::error::Result;
use models::sampling::Options;
use models::storage::atomic::{SystemDisk, replace};
use models::storage::run_files::{self, Which};
use models::training::begin;
use models::training::task::Task;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

/// Recordings of each pitch.
const RECORDED: usize = 40;

/// Sounds of each pitch by which the model is judged.
const JUDGED: usize = 8;

/// Trains the model, and lets its sounds be heard beside those that it learned from.
///
/// # Errors
/// If the folder cannot be written, or the tour is interrupted.
pub fn act(tour: &mut Tour) -> Result<()> {
    say("audio: a WaveNet learns five tones, sample by sample");
    let path = tour.folder.join("audio");
    let data = path.join("tones");
    let config = config(&data, tour.steps)?;
    let mut stream = Streams::new(config.training.seed).stream("tones");
    let mut files = DataFiles { path: config.data.path.clone(), files: Vec::new() };
    for (name, frequency) in PITCHES {
        for i in 0..RECORDED {
            let name = format!("{name}_{i:02}.wav");
            let bytes = encode(&tone(frequency, &mut stream));
            files.files.push(DataFile { path: format!("{}/{name}", files.path), name, bytes, part: None });
        }
    }
    files.files.sort_by(|a, b| a.name.cmp(&b.name));
    let trainer = begin::begin_on::<AudioTask>(config.clone(), &files)?;
    let folder = training::create(&path, true, trainer.task.config())?;
    fs::create_dir_all(&data).map_err(|error| models::storage::atomic::write_error(&data, &error))?;
    for file in &files.files {
        replace(&SystemDisk, Path::new(&file.path), |out| out.write_all(&file.bytes))?;
    }
    let trained = training::run(trainer, folder, Some(MOST_TIME), commands, tour.context)?;
    let model = saved::from_checkpoint(&run_files::load(&path, Which::Best)?)?;
    show(tour, &model, &config)?;
    tour.add(&trained)
}

/// What is trained, on the recordings in this folder.
fn config(recordings: &Path, steps: Option<u64>) -> Result<AudioConfig> {
    let mut config = AudioConfig::default();
    (config.model.residual, config.model.skip, config.model.layers) = (16, 32, 8);
    config.model.conditions = vec!["note".to_owned()];
    config.data.path = training::data_path(recordings)?;
    config.data.pattern = "{note}_{index}.wav".to_owned();
    (config.data.validation_where, config.data.batch) = ("index<5".to_owned(), 2);
    (config.training.steps, config.training.eval_every, config.training.save_every) = (steps.unwrap_or(1500), 300, 0);
    (config.training.optimizer.learning_rate, config.training.optimizer.average) = (1e-2, 0.99);
    Ok(config)
}

/// Sounds of the program and of the model, and how often a note is the one that was asked for.
fn show(tour: &mut Tour, model: &AudioModel<f32>, config: &AudioConfig) -> Result<()> {
    let page = &mut tour.page;
    page.section("Sounds: a WaveNet learns five tones");
    page.paragraph(&format!(
        "The program made {} sounds of a third of a second, five tones from A to G; the network learned them sample by sample, told which one \
         each is.",
        PITCHES.len() * RECORDED
    ));
    let mut stream = Streams::new(config.training.seed).stream("tones to compare");
    let made: Vec<Vec<i16>> = PITCHES.iter().map(|(_, frequency)| tone(*frequency, &mut stream).samples).collect();
    let prepared = Prepared::new(model);
    let note_of = |number: usize| number % PITCHES.len();
    let tell = |number| Told { labels: vec![note_of(number) as u32], frames: None };
    let told: Vec<Told> = (0..JUDGED * PITCHES.len()).map(tell).collect();
    let asked =
        Request { samples: LENGTH, prime: &[], options: Options::default(), seed: config.training.seed, number: 0 };
    let drawn = draw_together(&prepared, &told, &asked, &mut |_| ControlFlow::Continue(()))?.unwrap_or_default();
    let mut right = [0; PITCHES.len()];
    for (number, sound) in drawn.iter().enumerate() {
        right[note_of(number)] += usize::from(heard(sound) == Some(note_of(number)));
    }
    let first: Vec<Vec<i16>> = drawn.into_iter().take(PITCHES.len()).collect();
    for (sounds, what) in
        [(made, "Made by the rule: A, C, D, E, G."), (first, "Made by the network, asked for the same.")]
    {
        let sound = Sound { rate: RATE, samples: joined(&sounds, RATE) };
        page.sound(&encode(&sound), Some(&picture(&sound)?), what);
    }
    let rows: Vec<Vec<String>> = PITCHES
        .iter()
        .zip(right)
        .map(|((name, frequency), right)| {
            vec![name.to_uppercase(), format!("{frequency} Hz"), format!("{right} of {JUDGED}")]
        })
        .collect();
    page.table(&["asked for", "pitch", "heard in what was made"], &rows);
    let all: usize = right.iter().sum();
    tour.context.results.line(format!(
        "{all} of {} tones of the network have the pitch that was asked for (chance: {})",
        JUDGED * PITCHES.len(),
        JUDGED
    ))
}
