//! The exact likelihood of recordings under a model, beside what counting alone achieves on the same ones.

use super::config::AudioConfig;
use super::data::{AudioData, Recording};
use super::data_config::DataConfig;
use super::floors::floors;
use super::model::{AudioModel, Told};
use super::model_config::ModelConfig;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::not_finite;
use crate::error::{Error, Kind, Result};
use crate::evaluation::{Floor, Likelihood, as_object};
use serde::Serialize;
use std::time::Instant;

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct AudioEvaluation {
    /// A symbol is a sample; every one counts, the first of a recording among them.
    #[serde(flatten)]
    pub likelihood: Likelihood,
    /// Recordings scored.
    pub recordings: usize,
    /// Their length in seconds.
    pub length: f64,
    /// What counting in the training part achieves, in nats per sample, crudest first.
    #[serde(serialize_with = "as_object")]
    pub floors: Vec<Floor>,
    /// How many recordings the floors counted.
    pub floors_counted_on: usize,
    /// Wall time of scoring, without the floors.
    pub seconds: f64,
    /// File, samples and nats of each recording.
    #[serde(skip)]
    pub each: Vec<(String, usize, f64)>,
}

/// What the model is told of a recording.
pub fn told(recording: &Recording) -> Told {
    Told { labels: recording.labels.clone(), frames: recording.frames.clone() }
}

/// Scores a part of the recordings in `files`. What is read of them is set by the run's `config`. `progress` is told how many samples are
/// done, of how many.
///
/// # Errors
/// [`Kind::BadInput`] if the recordings are not of the model's rate, have no labels or frames that it has to be told, the part is empty, or
/// what the model gives is no distribution.
pub fn evaluate(
    model: &AudioModel<f32>,
    files: &DataFiles,
    config: &DataConfig,
    part: Part,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<AudioEvaluation> {
    let Scored { data, samples: all } = scored(model, files, config, part)?;
    let scored = data.part(part);
    let begin = Instant::now();
    let (mut each, mut done, mut sum) = (Vec::with_capacity(scored.len()), 0, 0.0);
    progress(0, all);
    for recording in &scored {
        let nats = model.nats(&model.codes(&recording.samples), &told(recording));
        if let Some(place) = nats.iter().position(|nats| !nats.is_finite()) {
            return Err(not_finite(done + place + 1));
        }
        let nats: f64 = nats.iter().sum();
        sum += nats;
        done += recording.samples.len();
        each.push((recording.file.clone(), recording.samples.len(), nats));
        progress(done, all);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let codes = |part: &[&Recording]| -> Vec<Vec<u32>> {
        part.iter().map(|recording| model.codes(&recording.samples)).collect()
    };
    let (counted, scored_codes) = (codes(&data.part(Part::Train)), codes(&scored));
    let floors = floors(&slices(&counted), &slices(&scored_codes), model.config.symbols());
    Ok(AudioEvaluation {
        likelihood: Likelihood::new(all, sum / all as f64),
        recordings: scored.len(),
        length: all as f64 / f64::from(data.rate),
        floors,
        floors_counted_on: counted.len(),
        seconds,
        each,
    })
}

/// What of the data is scored.
pub(super) struct Scored {
    /// Its parts.
    pub data: AudioData,
    /// The samples of the part that is scored.
    pub samples: usize,
}

/// Reads the recordings in `files`, of which a part is scored.
///
/// # Errors
/// As [`evaluate`], of the data.
pub(super) fn scored(model: &AudioModel<f32>, files: &DataFiles, config: &DataConfig, part: Part) -> Result<Scored> {
    // All of them in the order of the files, where neither files nor labels part them.
    let whole = part == Part::All && !files.have_parts();
    let [validation_where, test_where] = <[String; 2]>::default();
    let config = match whole {
        true => DataConfig { train: 1.0, validation: 0.0, validation_where, test_where, ..config.clone() },
        false => config.clone(),
    };
    let config = AudioConfig { model: model.config.clone(), data: config, ..AudioConfig::default() };
    let data = AudioData::of_files(files, &config)?;
    of_rate(&model.config, data.rate, &files.path)?;
    let samples: usize = data.part(part).iter().map(|recording| recording.samples.len()).sum();
    if samples == 0 {
        return Err(Error::new(Kind::BadInput, format!("{}: the {} part is empty", files.path, part.name()))
            .cause("by the run's own rules no recording is for it")
            .help("choose another --split; without it all recordings are scored"));
    }
    Ok(Scored { data, samples })
}

fn slices(codes: &[Vec<u32>]) -> Vec<&[u32]> {
    codes.iter().map(Vec::as_slice).collect()
}

/// Refuses sounds of another rate than the model's.
///
/// # Errors
/// [`Kind::BadInput`] with both rates.
pub fn of_rate(model: &ModelConfig, rate: u32, path: &str) -> Result<()> {
    if rate == model.rate {
        return Ok(());
    }
    Err(Error::new(Kind::BadInput, format!("{path} has {rate} samples per second"))
        .cause(format!("the model is one of sounds of {}", model.rate))
        .help("--resample brings it there"))
}
