//! The exact likelihood of images under a model, beside what counting alone achieves on the same ones.

use super::config::DataConfig;
use super::data::ImageData;
use super::floors::Floors;
use super::images::Images;
use super::model::{ImageModel, ModelConfig};
use super::quantized::Quantized;
use super::training::quantized;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::distribution::not_finite;
use crate::error::{Error, Kind, Result};
use crate::evaluation::{Floor, Likelihood, as_object};
use serde::Serialize;
use std::time::Instant;

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct ImageEvaluation {
    /// A symbol is a sub-pixel; every one counts.
    #[serde(flatten)]
    pub likelihood: Likelihood,
    /// Images scored.
    pub images: usize,
    /// The mean `−ln p` of an image.
    pub nats_per_example: f64,
    /// The bits of a sub-pixel, of which an image has H · W · C: its dimensions.
    pub bits_per_dim: f64,
    /// What counting in the training part achieves, in nats per sub-pixel, crudest first.
    #[serde(serialize_with = "as_object")]
    pub floors: Vec<Floor>,
    /// How many images the floors counted.
    pub floors_counted_on: usize,
    /// Wall time of scoring, without the floors.
    pub seconds: f64,
    /// `−ln p` of each image in nats, in the order of the part.
    #[serde(skip)]
    pub each: Vec<f64>,
    /// The class of each image, where images have classes.
    #[serde(skip)]
    pub classes: Option<Vec<String>>,
    /// The file of each image, where images come from files of their own; empty of one that does not.
    #[serde(skip)]
    pub files: Option<Vec<String>>,
}

/// Scores a part of the images in `files`. What is read of them is set by the run's `config`; chance, where black and white are
/// drawn, by the run's seed. `progress` is told how many images are done, of how many.
///
/// # Errors
/// [`Kind::BadInput`] if the images are not of the model's kind, have no classes that it knows where it has to be told one, the part is
/// empty, or what the model gives is no distribution.
pub fn evaluate(
    model: &ImageModel<f32>,
    files: &DataFiles,
    config: &DataConfig,
    seed: u64,
    part: Part,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImageEvaluation> {
    let Scored { config, data, images: scored, levels, told } = scored(model, files, config, seed, part)?;
    let begin = Instant::now();
    progress(0, levels.len());
    let each = model.nats(levels.values(), told.as_deref(), &mut |done| progress(done, levels.len()));
    if let Some(place) = each.iter().position(|nats| !nats.is_finite()) {
        return Err(not_finite(place + 1));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let counted = quantized(&data.train, &config, seed, "training");
    let floors = Floors::measure(&counted, &levels)?.list();
    let (images, values) = (each.len(), model.config.values());
    let nats_per_example = each.iter().sum::<f64>() / images as f64;
    let likelihood = Likelihood::new(images * values, nats_per_example / values as f64);
    let named =
        scored.labels().map(|labels| labels.iter().map(|&label| data.classes[label as usize].clone()).collect());
    Ok(ImageEvaluation {
        bits_per_dim: likelihood.bits_per_symbol,
        likelihood,
        images,
        nats_per_example,
        floors,
        floors_counted_on: counted.len(),
        seconds,
        each,
        classes: named,
        files: scored.files().map(<[String]>::to_vec),
    })
}

/// What of the data is scored.
pub(super) struct Scored {
    /// How they are read, at the model's levels.
    config: DataConfig,
    /// All parts.
    data: ImageData,
    /// The part that is scored.
    images: Images,
    /// The same as the model reads it.
    pub levels: Quantized,
    /// What the model is told of each.
    pub told: Option<Vec<u32>>,
}

/// Reads a part of the images in `files`.
///
/// # Errors
/// As [`evaluate`], of the data.
pub(super) fn scored(
    model: &ImageModel<f32>,
    files: &DataFiles,
    config: &DataConfig,
    seed: u64,
    part: Part,
) -> Result<Scored> {
    let config = DataConfig { levels: model.config.levels, ..config.clone() };
    let data = ImageData::of_files(files, &config)?;
    fits(&model.config, &data, files)?;
    // All of them in the order of the files, where chance parts them.
    let whole = DataConfig { train: 1.0, validation: 0.0, ..config.clone() };
    let in_order =
        (part == Part::All && !files.have_parts()).then(|| ImageData::of_files(files, &whole)).transpose()?;
    let images = in_order.as_ref().map_or_else(|| data.part(part), |all| all.part(Part::Train)).into_owned();
    if images.is_empty() {
        return Err(empty(files, &config, part));
    }
    let told = classes(model, &data.classes, &images, files)?;
    let levels = quantized(&images, &config, seed, part.name());
    Ok(Scored { config, data, images, levels, told })
}

/// Refuses images of another size or kind than the model's.
pub(super) fn fits(model: &ModelConfig, data: &ImageData, files: &DataFiles) -> Result<()> {
    let expected = model.shape();
    if data.shape() == expected {
        return Ok(());
    }
    Err(Error::new(Kind::BadInput, format!("the pictures of {} are {}", files.path, data.shape()))
        .cause(format!("the model is one of pictures of {expected}"))
        .help("scale or cut them to that size, or train a model on such pictures"))
}

/// What the model is told of each image: its own number of the class of that name; nothing, of a model without classes.
pub(super) fn classes(
    model: &ImageModel<f32>,
    names: &[String],
    images: &Images,
    files: &DataFiles,
) -> Result<Option<Vec<u32>>> {
    let known = &model.config.classes;
    if known.is_empty() {
        return Ok(None);
    }
    let Some(labels) = images.labels() else {
        return Err(Error::new(Kind::BadInput, format!("the pictures of {} have no classes", files.path))
            .cause(format!("the model is told one of {} of each", known.len()))
            .help("name their file: --labels PATH, or --labels auto for the one beside the pictures"));
    };
    let own = |name: &String| known.iter().position(|known| known == name).map(|class| class as u32);
    let own: Vec<Option<u32>> = names.iter().map(own).collect();
    let told = labels.iter().map(|&label| {
        own[label as usize].ok_or_else(|| {
            let name = &names[label as usize];
            Error::new(Kind::BadInput, format!("{}: the model knows no class `{name}`", files.path))
                .cause(format!("it knows {}", known.join(", ")))
        })
    });
    told.collect::<Result<_>>().map(Some)
}

pub(super) fn empty(files: &DataFiles, config: &DataConfig, part: Part) -> Error {
    let cause = match files.have_parts() {
        true => "no file is for it".to_owned(),
        false => format!("the run's shares are {} to train and {} to validate", config.train, config.validation),
    };
    Error::new(Kind::BadInput, format!("{}: the {} part is empty", files.path, part.name()))
        .cause(cause)
        .help("choose another --split; without it all pictures are scored")
}
