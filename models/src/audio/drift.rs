//! Exposure bias of a model of sounds: pieces of recordings, as long as the network hears, and the samples that follow.

use super::condition::Frames;
use super::data::Recording;
use super::data_config::DataConfig;
use super::evaluation::{Scored, scored};
use super::given::Prepared;
use super::model::{AudioModel, Told};
use crate::autoregressive::Conditional;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::Discrete;
use crate::drift::{Asked, Drift, Meter, Progress, Sequence, places};
use crate::error::Result;
use crate::levels::head::LevelDistribution;

/// Symbols of which the most likely one is looked for: among the 65,536 levels of 16 bits that takes some thirty milliseconds a sample, and
/// nobody hears whether it was met.
const MOST_SYMBOLS: usize = 256;

/// Follows pieces of the recordings of a part of the data; as many samples as the network hears are given, where nobody says how many.
///
/// A piece begins from an empty state, as a recording does. Of a model that is told frames it begins where a frame stands, and is told
/// those from there on.
///
/// # Errors
/// As [`evaluate`](super::evaluation::evaluate), and those of [`places`]; those of `progress`.
pub fn drift(
    model: &AudioModel<f32>,
    files: &DataFiles,
    config: &DataConfig,
    part: Part,
    asked: &Asked,
    progress: Progress,
) -> Result<Drift> {
    let Scored { data, .. } = scored(model, files, config, part)?;
    let recordings = data.part(part);
    let length = asked.prefix_length.unwrap_or_else(|| model.config.sizes().receptive_field());
    let window = length.saturating_add(asked.horizon);
    let hop = model.config.local.hop();
    let lengths: Vec<usize> = recordings.iter().map(|recording| recording.samples.len()).collect();
    let places = places(&lengths, window, hop.max(1), asked, "recording")?;
    let prepared = Prepared::new(model);
    let few = model.config.symbols() <= MOST_SYMBOLS;
    let mut meter = Meter::new(asked, None);
    for (number, &(recording, start)) in places.iter().enumerate() {
        let recording = recordings[recording];
        let codes = model.codes(&recording.samples[start..start + window]);
        let (prefix, truth) = codes.split_at(length);
        let predicted = |next: &LevelDistribution<f32>| few.then(|| next.most_likely());
        let told = told(recording, start, window, hop);
        let sequences = [Sequence { number, prefix, truth }];
        meter.measure(&prepared.given(&told), &sequences, predicted, &mut |_| progress(number + 1, places.len()))?;
    }
    Ok(meter.drift(length, None))
}

/// What the model is told of a piece that begins at a frame.
fn told(recording: &Recording, start: usize, samples: usize, hop: usize) -> Told {
    let frames = recording.frames.as_ref().map(|frames| {
        let (first, count) = (start / hop, 1 + samples / hop);
        let values = frames.values[first * frames.bands..(first + count) * frames.bands].to_vec();
        Frames { bands: frames.bands, values }
    });
    Told { labels: recording.labels.clone(), frames }
}
