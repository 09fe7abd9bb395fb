//! Exposure bias of a model of images: the first sub-pixels of pictures, and those that follow. A picture gives one prefix; those of one
//! class step together.

use super::config::DataConfig;
use super::decoder::Decoder;
use super::evaluation::{Scored, scored};
use super::model::ImageModel;
use crate::autoregressive::Conditional;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::Discrete;
use crate::drift::{Asked, Drift, Meter, Progress, Sequence, places};
use crate::error::{Error, Kind, Result};
use crate::levels::head::LevelDistribution;
use std::collections::BTreeMap;

/// Follows the beginnings of pictures of a part of the data; half a picture where nobody says how much. A horizon is in sub-pixels.
///
/// # Errors
/// As [`evaluate`](super::evaluation::evaluate), and those of [`places`]; [`Kind::Usage`] for what is longer than a picture; those of `progress`.
pub fn drift(
    model: &ImageModel<f32>,
    files: &DataFiles,
    config: &DataConfig,
    seed: u64,
    part: Part,
    asked: &Asked,
    progress: Progress,
) -> Result<Drift> {
    let values = model.config.values();
    let length = asked.prefix_length.unwrap_or(values / 2);
    let window = length.saturating_add(asked.horizon);
    if window > values {
        return Err(Error::new(Kind::Usage, format!("--horizon {} goes beyond a picture", asked.horizon))
            .cause(format!("it has {values} sub-pixels, and a prefix {length} of them"))
            .help("ask for a nearer --horizon or a shorter --prefix-length"));
    }
    let Scored { levels, told, .. } = scored(model, files, config, seed, part)?;
    // Every picture has room for one: it begins where the picture does.
    let places = places(&vec![values; levels.len()], values, 1, asked, "picture")?;
    let pictures: Vec<Vec<u32>> = places
        .iter()
        .map(|&(picture, _)| levels.image(picture)[..window].iter().map(|&level| level.into()).collect())
        .collect();
    let mut of_classes = BTreeMap::<Option<u32>, Vec<Sequence<u32>>>::new();
    for (number, (&(picture, _), levels)) in places.iter().zip(&pictures).enumerate() {
        let (prefix, truth) = levels.split_at(length);
        let class = told.as_ref().map(|told| told[picture]);
        of_classes.entry(class).or_default().push(Sequence { number, prefix, truth });
    }
    let decoder = Decoder::new(model);
    let (mut meter, mut before) = (Meter::new(asked, None), 0);
    for (class, sequences) in &of_classes {
        let predicted = |next: &LevelDistribution<f32>| Some(next.most_likely());
        meter
            .measure(&decoder.given(class), sequences, predicted, &mut |done| progress(before + done, places.len()))?;
        before += sequences.len();
    }
    Ok(meter.drift(length, None))
}
