//! Pictures as a model of images codes them: the levels of every sub-pixel, a sequence for each picture. With 256 levels nothing is lost;
//! with fewer, what comes back is the picture in those.
//!
//! The class of each picture, where the model is told it, is coded beside it: `log₂` of their number in bits.

use super::decoder::{Decoder, Given};
use super::idx::{self, Idx};
use super::images::{Images, Shape};
use super::labels::names_beside;
use super::model::ImageModel;
use super::png;
use super::quantized::{level, shown};
use crate::autoregressive::Conditional;
use crate::compression::format::{File, Form};
use crate::compression::rivals::{self, Rival, lzma};
use crate::compression::sequences::{Sequences, Source};
use crate::compression::{self, Kept, Progress, Report};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::{counted, grouped};
use crate::storage::regular;
use std::path::Path;

/// A model prepared for steps; it is told the class, if it has classes.
struct Pictures {
    decoder: Decoder<f32>,
    classes: usize,
}

impl Pictures {
    fn new(model: &ImageModel<f32>) -> Self {
        Pictures { decoder: Decoder::new(model), classes: model.config.classes.len() }
    }
}

impl Source for Pictures {
    type Told = Option<u32>;
    type Given<'m> = Given<'m, f32>;

    fn labels(&self) -> Vec<u32> {
        (self.classes > 0).then_some(self.classes as u32).into_iter().collect()
    }

    fn told(&self, labels: &[u32]) -> Option<u32> {
        labels.first().copied()
    }

    fn given<'m>(&'m self, class: &'m Option<u32>) -> Given<'m, f32> {
        self.decoder.given(class)
    }
}

/// What says the class of each picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Classes {
    /// Nothing.
    #[default]
    Unsaid,
    /// All are of this one.
    All(u32),
    /// An IDX file of a label for each, or `auto` for the one beside the pictures.
    File(String),
}

/// The longest file of labels.
const MOST_LABELS: u64 = 1 << 32;

/// Compresses a picture in PNG, or pictures in IDX; `path` names the file in messages.
///
/// # Errors
/// [`Kind::BadInput`] if they are not of the model's size, or their labels not theirs; [`Kind::Usage`] if nothing says the class that
/// the model is told; those of `progress`.
pub fn compress(
    model: &ImageModel<f32>,
    identity: u64,
    bytes: &[u8],
    path: &str,
    classes: &Classes,
    progress: Progress,
) -> Result<Report> {
    let (form, shape, values) = read(bytes, path)?;
    let config = &model.config;
    if shape != config.shape() {
        return Err(Error::new(Kind::BadInput, format!("{path} is {shape}"))
            .cause(format!("the model is one of pictures of {}", config.shape()))
            .help("scale or cut it to that size"));
    }
    let levels = config.levels;
    let white = |value: u8| if form == Form::IdxOfOnes { value * 255 } else { value };
    let codes: Vec<u32> = values.iter().map(|&value| level(white(value), levels).into()).collect();
    let codes: Vec<Vec<u32>> = codes.chunks_exact(shape.values()).map(<[u32]>::to_vec).collect();
    let labels = labels(model, codes.len(), path, classes)?;
    let mut sequences = Sequences { labels, codes };
    let compressed = compression::compress(&Pictures::new(model), identity, form, &mut sequences, progress)?;
    let restored = values_of(&sequences.codes, form, levels);
    let kept = if file_of(&restored, form, shape)? == bytes {
        Kept::Bytes
    } else if restored == values {
        Kept::Content("every pixel")
    } else {
        let changed = restored.iter().zip(&values).filter(|(a, b)| a != b).count() as u64;
        let all = counted(values.len() as u64, "sub-pixel");
        Kept::Changed(format!(
            "the picture in the {levels} levels that the model tells apart: {} of {all} changed",
            grouped(changed)
        ))
    };
    Ok(Report { compressed, given: bytes.len() as u64, kept, rivals: rivals(&sequences.codes, levels, shape) })
}

/// Brings pictures back, as the file that they were in: PNG, or IDX, not packed.
///
/// # Errors
/// [`Kind::BadInput`] if the file is none of this model, or does not come back.
pub fn decompress(
    model: &ImageModel<f32>,
    identity: u64,
    file: &File,
    name: &str,
    progress: Progress,
) -> Result<Vec<u8>> {
    file.is_of(&[Form::Png, Form::Idx, Form::IdxOfOnes], name)?;
    let sequences = compression::decompress(&Pictures::new(model), identity, file, name, progress)?;
    let form = file.header.form;
    file_of(&values_of(&sequences.codes, form, model.config.levels), form, model.config.shape())
}

/// What a file holds, as bytes.
fn read(bytes: &[u8], path: &str) -> Result<(Form, Shape, Vec<u8>)> {
    if !idx::may_be(bytes) {
        let (shape, values) = png::parse(bytes, path)?;
        return Ok((Form::Png, shape, values));
    }
    match idx::parse(bytes, path)? {
        Idx::Images(images) => {
            // As training takes them: where nothing is above 1, 1 is white.
            let ones = images.values().iter().max() == Some(&1);
            Ok((if ones { Form::IdxOfOnes } else { Form::Idx }, images.shape(), images.into_values()))
        }
        Idx::Labels(_) => Err(Error::new(Kind::BadInput, format!("{path} holds labels, not pictures"))),
    }
}

/// Levels as the values of a file.
fn values_of(codes: &[Vec<u32>], form: Form, levels: usize) -> Vec<u8> {
    let value = |&code: &u32| match (form, shown(code as u8, levels)) {
        (Form::IdxOfOnes, value) => u8::from(value >= 128),
        (_, value) => value,
    };
    codes.iter().flatten().map(value).collect()
}

/// Values as a file.
fn file_of(values: &[u8], form: Form, shape: Shape) -> Result<Vec<u8>> {
    match form {
        Form::Png => png::write(values, shape),
        _ => Ok(idx::of_images(&Images::new(shape, values.to_vec()))),
    }
}

/// The class of each picture, where the model is told it.
fn labels(model: &ImageModel<f32>, pictures: usize, path: &str, classes: &Classes) -> Result<Vec<Vec<u32>>> {
    let names = &model.config.classes;
    let usage = |what: String| Error::new(Kind::Usage, what);
    match classes {
        Classes::Unsaid if names.is_empty() => Ok(vec![Vec::new(); pictures]),
        Classes::All(_) | Classes::File(_) if names.is_empty() => {
            Err(usage("the model is told no class: it was trained on pictures without".to_owned()))
        }
        Classes::Unsaid => Err(usage("nothing says the class of the picture, and the model is told it".to_owned())
            .cause(format!("it knows {}", names.join(", ")))
            .help("--class CLASS, or --labels FILE with a label for each picture")),
        Classes::All(class) => Ok(vec![vec![*class]; pictures]),
        Classes::File(file) => {
            let file = match file.as_str() {
                "auto" => names_beside(path).into_iter().find(|name| Path::new(name).is_file()).ok_or_else(|| {
                    Error::new(Kind::BadInput, format!("no labels beside {path}"))
                        .help("name their file: --labels FILE")
                })?,
                _ => file.clone(),
            };
            let Idx::Labels(labels) = idx::parse(&regular::read(Path::new(&file), MOST_LABELS)?, &file)? else {
                return Err(Error::new(Kind::BadInput, format!("{file} holds pictures, not labels"))
                    .help("name the file of the labels"));
            };
            if labels.len() != pictures {
                return Err(Error::new(Kind::BadInput, format!("{file} is not the labels of {path}")).cause(format!(
                    "{} and {}",
                    counted(labels.len() as u64, "label"),
                    counted(pictures as u64, "picture")
                )));
            }
            let number = |label: &u8| {
                let name = label.to_string();
                let class = names.iter().position(|known| *known == name);
                class.map(|class| vec![class as u32]).ok_or_else(|| {
                    Error::new(Kind::BadInput, format!("{file}: the model knows no class {name}"))
                        .cause(format!("it knows {}", names.join(", ")))
                })
            };
            labels.iter().map(number).collect()
        }
    }
}

/// What others make of the same pictures, as they come back.
fn rivals(codes: &[Vec<u32>], levels: usize, shape: Shape) -> Vec<Rival> {
    let levels_as_bytes: Vec<u8> = codes.iter().flatten().map(|&code| code as u8).collect();
    let bits = usize::BITS - (levels - 1).leading_zeros();
    let uncompressed = (levels_as_bytes.len() as u64 * u64::from(bits)).div_ceil(8);
    let colours = [shape.width, shape.channels];
    let png = match (levels, shape.channels) {
        (2 | 4 | 16, 1) => rivals::png(&levels_as_bytes, colours, bits as usize),
        _ => rivals::png(&values_of(codes, Form::Png, levels), colours, 8),
    };
    [Rival { name: "uncompressed", bytes: uncompressed }].into_iter().chain(png).chain(lzma(&levels_as_bytes)).collect()
}

#[cfg(test)]
#[path = "compression_tests.rs"]
mod tests;
