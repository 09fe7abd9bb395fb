//! Training a network on recordings: pieces with their true past in shuffled epochs, exact validation, samples to hear.

use super::config::AudioConfig;
use super::data::{AudioData, Recording};
use super::evaluation::told;
use super::floors::floors;
use super::generation::{Request, draw, joined, labels_in_turn, longest};
use super::given::Prepared;
use super::model::{AudioModel, Told};
use super::model_config::{Labels, Local, ModelConfig};
use super::pieces::{Piece, pieces};
use super::saved;
use super::wav::{self, Sound};
use crate::data::batches::Batches;
use crate::data::files::DataFiles;
use crate::error::{Error, Kind, Result};
use crate::evaluation::Floor;
use crate::medium::Medium;
use crate::memory::Needs;
use crate::sampling::Options;
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::safetensors_file::StoredTensor;
use crate::training::settings::Settings;
use crate::training::task::{About, Task};
use autograd::Tensor;
use autograd::random::Streams;
use rand::Rng;
use std::ops::ControlFlow;

/// Sounds in a sample written at a validation, and the seconds of each.
const SAMPLE: (usize, usize) = (4, 1);

/// A recording as the network reads it.
struct Ready {
    codes: Vec<u32>,
    told: Told,
}

/// Recordings, and where their reading stands.
pub struct AudioTask {
    train: Vec<Ready>,
    validation: Vec<Ready>,
    /// Samples of each kind of part, in words.
    described: String,
    pieces: Vec<Piece>,
    batches: Batches,
    config: AudioConfig,
    /// The name of their file or folder.
    name: String,
    /// What a person should know of how they were taken.
    notes: Vec<String>,
}

/// Recordings as a model of this configuration reads them.
fn ready(recordings: &[Recording], config: &ModelConfig) -> Vec<Ready> {
    let one = |recording: &Recording| {
        let codes = recording.samples.iter().map(|&sample| config.encoding.code(sample)).collect();
        Ready { codes, told: told(recording) }
    };
    recordings.iter().map(one).collect()
}

impl AudioTask {
    fn with_config(data: AudioData, config: AudioConfig, files: &DataFiles) -> Result<Self> {
        let (train, validation) = (ready(&data.train, &config.model), ready(&data.validation, &config.model));
        let pieces = pieces(train.iter().map(|ready| ready.codes.len()), config.data.window);
        let streams = Streams::new(config.training.seed);
        let batches = Batches::new(pieces.len(), config.data.batch, "piece of a recording", streams)?;
        let alone = validation.is_empty().then(|| {
            "nothing is left to validate on: the newest checkpoint counts as the best (data.validation, data.validation_where)"
                .to_owned()
        });
        let described = data.described();
        let notes = data.notes.into_iter().chain(alone).collect();
        Ok(AudioTask { train, validation, described, pieces, batches, config, name: files.name(), notes })
    }

    /// The codes of a part, recording by recording.
    fn codes(recordings: &[Ready]) -> Vec<&[u32]> {
        recordings.iter().map(|ready| ready.codes.as_slice()).collect()
    }
}

/// The configuration with what the data decide.
fn of_data(config: AudioConfig, data: &AudioData) -> Result<AudioConfig> {
    let m = &config.model;
    if ![0, data.rate].contains(&m.rate) {
        let what = format!("`model.rate` is {}, and that of the data is {}", m.rate, data.rate);
        return Err(Error::new(Kind::Usage, what).help("leave it out; `data.rate` brings the data to another"));
    }
    let local = match &m.local {
        Local::Frames { bands, hop } => {
            let frames = data.train.iter().find_map(|recording| recording.frames.as_ref());
            let found = frames.map_or(*bands, |frames| frames.bands);
            let mut all = data.train.iter().chain(&data.validation).chain(&data.test);
            let other = all.find(|recording| recording.frames.as_ref().is_some_and(|f| f.bands != found));
            if let Some(recording) = other {
                return Err(Error::new(Kind::BadInput, "the frames are not all of as many features")
                    .cause(format!("those of {} have others than {found}", recording.file)));
            }
            Local::Frames { bands: found, hop: *hop }
        }
        other => other.clone(),
    };
    let model = ModelConfig { rate: data.rate, labels: data.labels.clone(), local, ..config.model };
    let config = AudioConfig { model, ..config };
    // Once more: now with what the data say.
    config.check()?;
    config.needs().check()?;
    Ok(config)
}

impl Task for AudioTask {
    type Config = AudioConfig;
    type Model = AudioModel<f32>;

    fn settings(config: &AudioConfig) -> &Settings {
        &config.training
    }

    fn check(config: &AudioConfig) -> Result<()> {
        config.check()
    }

    fn needs(config: &AudioConfig) -> Needs {
        config.needs()
    }

    fn read(config: &AudioConfig) -> Result<DataFiles> {
        config.data.read()
    }

    fn new(config: AudioConfig, files: &DataFiles) -> Result<(Self, AudioModel<f32>)> {
        config.check()?;
        let data = AudioData::of_files(files, &config)?;
        let config = of_data(config, &data)?;
        let task = Self::with_config(data, config, files)?;
        let mut init = Streams::new(task.config.training.seed).stream("init");
        let model = AudioModel::new(&task.config.model, &mut init);
        Ok((task, model))
    }

    fn of_checkpoint(
        config: AudioConfig,
        files: &DataFiles,
        checkpoint: &Checkpoint,
    ) -> Result<(Self, AudioModel<f32>)> {
        config.check()?;
        let model = saved::without_average(checkpoint)?;
        let config = AudioConfig { model: model.config.clone(), ..config };
        let data = AudioData::of_files(files, &config)?;
        let config = of_data(config, &data)?;
        Ok((Self::with_config(data, config, files)?, model))
    }

    fn config(&self) -> &AudioConfig {
        &self.config
    }

    fn about(&self) -> About {
        let ModelConfig { model, residual, skip, layers, stacks, ref labels, .. } = self.config.model;
        let hears = self.config.model.sizes().receptive_field();
        let told: String =
            labels.iter().map(|Labels { name, values }| format!(", told the {name} ({})", values.len())).collect();
        let features = match self.config.model.local.bands() {
            0 => String::new(),
            bands => format!(", told {bands} features of every moment"),
        };
        About {
            title: format!("WaveNet on {}", self.name),
            sizes: format!(
                "WaveNet, {} layers of {residual} and {skip}, hears {hears} samples{told}{features}; {}",
                layers * stacks,
                self.described
            ),
            unit: "sample".to_owned(),
            model: model.name().to_owned(),
        }
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn floors(&self) -> Vec<Floor> {
        floors(&Self::codes(&self.train), &Self::codes(&self.validation), self.config.model.symbols())
    }

    fn loss(&mut self, model: &AudioModel<f32>) -> Tensor<f32> {
        let AudioTask { train, pieces, batches, .. } = self;
        let indices = batches.read().indices;
        model.loss(indices.iter().map(|&i| {
            let Piece { recording, samples } = &pieces[i];
            let Ready { codes, told } = &train[*recording];
            (codes.as_slice(), samples.clone(), told)
        }))
    }

    /// On average: pieces differ in length.
    fn symbols_per_step(&self) -> u64 {
        let all: usize = self.pieces.iter().map(|piece| piece.samples.len()).sum();
        (all as f64 / self.pieces.len() as f64 * self.config.data.batch as f64).round() as u64
    }

    fn validate(&self, model: &AudioModel<f32>) -> Option<f64> {
        let nats = self.validation.iter().map(|Ready { codes, told }| (codes.len(), model.nats(codes, told)));
        let add = |(samples, sum), (count, nats): (usize, Vec<f64>)| (samples + count, sum + nats.iter().sum::<f64>());
        let (samples, sum) = nats.fold((0, 0.0), add);
        (samples > 0).then(|| sum / samples as f64)
    }

    fn sample(&self, model: &AudioModel<f32>, step: u64) -> Option<(Medium, Vec<u8>)> {
        let rate = model.config.rate;
        // The streams of each step are its own, as those of a run are of its seed.
        let seed = Streams::new(self.config.training.seed).stream(&format!("sample at step {step}")).next_u64();
        let prepared = Prepared::new(model);
        let (count, seconds) = SAMPLE;
        let open = vec![None; model.config.labels.len()];
        // What has frames is drawn again from those of recordings that training does not see, where there are any.
        let known = if self.validation.is_empty() { &self.train } else { &self.validation };
        let mut sounds = Vec::with_capacity(count);
        for number in 0..count {
            let told = match model.config.local {
                Local::None => Told { labels: labels_in_turn(&model.config, &open, number), frames: None },
                _ => known[number * known.len() / count].told.clone(),
            };
            let most = told.frames.as_ref().map_or(usize::MAX, |frames| longest(frames, &model.config));
            let samples = most.min(seconds * rate as usize);
            let options = Options::default();
            let mut sound = Vec::with_capacity(samples);
            draw(&prepared, &told, &Request { samples, prime: &[], options, seed, number }, &mut |piece| {
                sound.extend_from_slice(piece);
                Ok(ControlFlow::Continue(()))
            })
            .ok()?;
            sounds.push(sound);
        }
        Some((Medium::Sound, wav::encode(&Sound { rate, samples: joined(&sounds, rate) })))
    }

    fn checkpoint(&self, model: &AudioModel<f32>) -> Result<Checkpoint> {
        let mut checkpoint = saved::checkpoint_of(model)?;
        checkpoint.push(Group::Data, StoredTensor::new("position", &[1], &[self.batches.position()]));
        Ok(checkpoint)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        // A step reads one batch.
        let position = checkpoint.position()?;
        self.batches.seek(position);
        Ok(())
    }
}
