//! Training a network on images: batches of shuffled epochs, exact validation, samples.

use super::augment::Augmentation;
use super::config::{DataConfig, ImageConfig};
use super::data::ImageData;
use super::floors::Floors;
use super::generation::{Request, columns, draw, grid};
use super::images::Images;
use super::model::{ImageModel, ModelConfig};
use super::quantized::{Binarization, Quantized, level};
use super::saved;
use crate::data::batches::{Batch, Batches};
use crate::data::files::DataFiles;
use crate::error::{Error, Kind, Result};
use crate::evaluation::Floor;
use crate::medium::Medium;
use crate::memory::Needs;
use crate::pages::numbers::counted;
use crate::sampling::Options;
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::safetensors_file::StoredTensor;
use crate::training::settings::Settings;
use crate::training::task::{About, Task};
use autograd::Tensor;
use autograd::random::Streams;
use rand::Rng;

/// Images in a sample written at a validation.
const SAMPLE: usize = 36;

/// Images, and where their reading stands.
pub struct ImageTask {
    /// Their parts.
    pub data: ImageData,
    /// What validation scores.
    validation: Quantized,
    batches: Batches,
    config: ImageConfig,
    /// The name of their file or folder.
    name: String,
    /// What a person should know of how they were taken.
    notes: Vec<String>,
}

/// Images in the levels that are scored: where black and white are drawn by chance, once, by the stream `binarization of the … part`.
pub(super) fn quantized(images: &Images, config: &DataConfig, seed: u64, part: &str) -> Quantized {
    if config.stochastic {
        let name = format!("binarization of the {part} part");
        let chance = Binarization::named(Streams::new(seed), &name, images.shape());
        Quantized::by_chance(images, &chance)
    } else {
        Quantized::of(images, config.levels)
    }
}

impl ImageTask {
    fn with_config(data: ImageData, config: ImageConfig, files: &DataFiles) -> Result<Self> {
        let seed = config.training.seed;
        let batches = Batches::new(data.train.len(), config.data.batch, "picture", Streams::new(seed))?;
        let validation = quantized(&data.validation, &config.data, seed, "validation");
        let alone = data.validation.is_empty().then(|| {
            "nothing is left to validate on: the newest checkpoint counts as the best (data.validation, data.validation_path)"
                .to_owned()
        });
        let few =
            (config.data.levels > 2 && data.train.values().iter().all(|value| [0, 255].contains(value))).then(|| {
                format!(
                    "all values are black or white, and {} levels are told apart: --levels 2 does",
                    config.data.levels
                )
            });
        let notes = data.notes.iter().cloned().chain(few).chain(alone).collect();
        Ok(ImageTask { data, validation, batches, config, name: files.name(), notes })
    }

    /// What the model is told of the images at these places.
    fn classes(&self, images: &Images, indices: &[usize]) -> Option<Vec<u32>> {
        let labels = images.labels().filter(|_| !self.config.model.classes.is_empty())?;
        Some(indices.iter().map(|&i| labels[i]).collect())
    }

    /// The levels of the next batch, (B, H, W, C), and its classes.
    fn next_batch(&mut self) -> (Vec<u32>, Option<Vec<u32>>) {
        let DataConfig { levels, stochastic, batch, .. } = self.config.data;
        let (streams, shape) = (Streams::new(self.config.training.seed), self.data.shape());
        let Batch { epoch, indices } = self.batches.read();
        let augmentation = Augmentation::of_epoch(self.config.data.augment(), streams, epoch);
        let chance = Binarization::of_epoch(streams, epoch, shape);
        let mut values = Vec::with_capacity(batch * shape.values());
        for &i in indices {
            let image = augmentation.apply(self.data.train.image(i), shape, i);
            match stochastic {
                true => values.extend(chance.apply(&image, i).map(u32::from)),
                false => values.extend(image.iter().map(|&value| u32::from(level(value, levels)))),
            }
        }
        let indices = indices.to_vec();
        (values, self.classes(&self.data.train, &indices))
    }
}

/// The configuration with what the data decide.
fn of_data(config: ImageConfig, data: &ImageData) -> Result<ImageConfig> {
    let (shape, m) = (data.shape(), &config.model);
    let asked =
        [("height", m.height, shape.height), ("width", m.width, shape.width), ("colours", m.colours, shape.channels)];
    if let Some((key, asked, found)) = asked.into_iter().find(|(_, asked, found)| *asked != 0 && asked != found) {
        let what = format!("`model.{key}` is {asked}, and that of the data is {found}");
        return Err(Error::new(Kind::Usage, what).help("leave it out: it is taken from the data"));
    }
    let classes = if m.conditional { data.classes.clone() } else { Vec::new() };
    if !m.classes.is_empty() && m.classes != classes {
        let what =
            format!("`model.classes` has {} that are not those of the data", counted(m.classes.len() as u64, "name"));
        return Err(Error::new(Kind::Usage, what).help("leave them out: they are taken from the data"));
    }
    let (height, width, colours, levels) = (shape.height, shape.width, shape.channels, config.data.levels);
    let model = ModelConfig { height, width, colours, levels, classes, ..config.model };
    let config = ImageConfig { model, ..config };
    // Once more: now with the number of colours.
    config.check()?;
    config.needs().check()?;
    Ok(config)
}

impl Task for ImageTask {
    type Config = ImageConfig;
    type Model = ImageModel<f32>;

    fn settings(config: &ImageConfig) -> &Settings {
        &config.training
    }

    fn check(config: &ImageConfig) -> Result<()> {
        config.check()
    }

    fn needs(config: &ImageConfig) -> Needs {
        config.needs()
    }

    fn read(config: &ImageConfig) -> Result<DataFiles> {
        config.data.read()
    }

    fn new(config: ImageConfig, files: &DataFiles) -> Result<(Self, ImageModel<f32>)> {
        config.check()?;
        let data = ImageData::of_files(files, &config.data)?;
        let config = of_data(config, &data)?;
        let task = Self::with_config(data, config, files)?;
        let mut init = Streams::new(task.config.training.seed).stream("init");
        let model = ImageModel::new(&task.config.model, &mut init);
        Ok((task, model))
    }

    fn of_checkpoint(
        config: ImageConfig,
        files: &DataFiles,
        checkpoint: &Checkpoint,
    ) -> Result<(Self, ImageModel<f32>)> {
        config.check()?;
        let model = saved::without_average(checkpoint)?;
        let data = ImageData::of_files(files, &config.data)?;
        let config = of_data(ImageConfig { model: model.config.clone(), ..config }, &data)?;
        Ok((Self::with_config(data, config, files)?, model))
    }

    fn config(&self) -> &ImageConfig {
        &self.config
    }

    fn about(&self) -> About {
        let ModelConfig { model, hidden, layers, colours, levels, ref classes, .. } = self.config.model;
        let told = if classes.is_empty() { String::new() } else { format!(", told one of {} classes", classes.len()) };
        About {
            title: format!("{} on {}", model.title(), self.name),
            sizes: format!(
                "{}, {layers} layers of {hidden}{told}; {levels} levels; {}",
                model.title(),
                self.data.described()
            ),
            unit: if colours == 1 { "pixel" } else { "sub-pixel" }.to_owned(),
            model: model.name().to_owned(),
        }
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn floors(&self) -> Vec<Floor> {
        let train = quantized(&self.data.train, &self.config.data, self.config.training.seed, "training");
        Floors::measure(&train, &self.validation).map_or(Vec::new(), |floors| floors.list())
    }

    fn loss(&mut self, model: &ImageModel<f32>) -> Tensor<f32> {
        let (levels, classes) = self.next_batch();
        model.loss(&levels, classes.as_deref())
    }

    fn symbols_per_step(&self) -> u64 {
        (self.config.data.batch * self.data.shape().values()) as u64
    }

    fn validate(&self, model: &ImageModel<f32>) -> Option<f64> {
        let all: Vec<usize> = (0..self.validation.len()).collect();
        let classes = self.classes(&self.data.validation, &all);
        let nats = model.nats(self.validation.values(), classes.as_deref(), &mut |_| {});
        (!nats.is_empty()).then(|| nats.iter().sum::<f64>() / self.validation.values().len() as f64)
    }

    fn sample(&self, model: &ImageModel<f32>, step: u64) -> Option<(Medium, Vec<u8>)> {
        let classes = model.config.classes.len();
        // A few of every class, side by side.
        let images = if (2..=16).contains(&classes) { 4 * classes } else { SAMPLE };
        // The streams of each step are its own, as those of a run are of its seed.
        let seed = Streams::new(self.config.training.seed).stream(&format!("sample at step {step}")).next_u64();
        let request = Request { images, class: None, known: &[], options: Options::default(), seed };
        let drawn = draw(model, &request, &mut |_| Ok(())).ok()?;
        let (shape, levels) = (model.config.shape(), model.config.levels);
        let scale = 56_usize.div_ceil(shape.height.max(shape.width)).clamp(1, 8);
        Some((Medium::Picture, grid(&drawn, shape, levels, columns(images, classes), scale).ok()?))
    }

    fn checkpoint(&self, model: &ImageModel<f32>) -> Result<Checkpoint> {
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
