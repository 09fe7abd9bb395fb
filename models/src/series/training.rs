//! Training a neural AR model on a series: examples of lags and value, all at once or in shuffled batches.

use autograd::Tensor;
use autograd::random::Streams;
use rand::seq::SliceRandom;

use super::config::{Lags, ModelConfig, SeriesConfig};
use super::data::{SeriesData, quoted};
use super::linear::lags;
use super::model::{SeriesModel, check_targets};
use super::neural_ar::{Architecture, NeuralAr, Standardize, lags_of};
use super::neural_predictor::NeuralPredictor;
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::error::{Error, Kind, Result};
use crate::evaluation::Floor;
use crate::medium::Medium;
use crate::memory::Needs;
use crate::sampling::{Generator, Options, Sampler};
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::safetensors_file::StoredTensor;
use crate::training::settings::Settings;
use crate::training::task::{About, Task};

/// Values in a sample written at a validation.
const SAMPLE: usize = 200;

/// A series, and where the reading of its examples stands.
pub struct SeriesTask {
    /// The series.
    pub data: SeriesData,
    config: SeriesConfig,
    architecture: Architecture,
    /// Of each example the lags, standardised: (N, k).
    inputs: Vec<f32>,
    targets: Vec<f32>,
    /// Batches drawn so far.
    position: u64,
    /// The order of the examples in an epoch, and which.
    order: (Option<u64>, Vec<u32>),
}

/// Values of the longer of the two parts that are scored, one after the other.
fn scored(data: &SeriesData) -> usize {
    data.range(Part::Validation).len().max(data.range(Part::Test).len())
}

impl SeriesTask {
    /// A new training, and the model it begins with. Standardisation is fitted on the training part alone.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the series is too short or constant, [`Kind::Usage`] if the configuration does not serve.
    pub fn on(data: SeriesData, config: &SeriesConfig) -> Result<(Self, NeuralAr<f32>)> {
        config.check()?;
        let train = data.train();
        let m = &config.model;
        let lags = lags(train, m)?;
        super::ar::check_spaced(train, lags, m.stride)?;
        config.needs(lags, train.len() - lags * m.stride, scored(&data)).check()?;
        let ModelConfig { stride, hidden, layers, deviation, .. } = *m;
        let architecture = Architecture { lags, stride, hidden, layers, deviation };
        let standardize = Standardize::of(train);
        let mut init = Streams::new(config.training.seed).stream("init");
        let model = NeuralAr::new(&architecture, standardize, &mut init);
        Ok((Self::with_model(data, config, &model)?, model))
    }

    fn with_model(data: SeriesData, config: &SeriesConfig, model: &NeuralAr<f32>) -> Result<Self> {
        let NeuralAr { architecture, standardize, .. } = model;
        let reach = architecture.lags * architecture.stride;
        let targets = reach..data.split.train.end;
        check_targets(&data.values, &targets, reach)?;
        let batch = config.data.batch;
        if batch > targets.len() {
            return Err(Error::new(
                Kind::Usage,
                format!("`data.batch` of {batch} is more than the {} examples", targets.len()),
            )
            .help("0 takes all of them in each step"));
        }
        config.needs(architecture.lags, targets.len(), scored(&data)).check()?;
        // In one piece: a vector that grows holds twice what it needs.
        let mut inputs = Vec::with_capacity(targets.len() * architecture.lags);
        targets.clone().for_each(|t| inputs.extend(lags_of::<f32>(&data.values, t, architecture, standardize)));
        let targets = data.values[targets].iter().map(|&x| standardize.apply(x)).collect();
        let (config, architecture) = (config.clone(), architecture.clone());
        Ok(SeriesTask { data, config, architecture, inputs, targets, position: 0, order: (None, Vec::new()) })
    }

    /// Examples in a step.
    fn batch(&self) -> usize {
        if self.config.data.batch == 0 { self.targets.len() } else { self.config.data.batch }
    }

    /// The lags and the values of the next batch. Each epoch has an order of its own; what does not fill a batch is left out.
    fn next_batch(&mut self) -> (Tensor<f32>, Tensor<f32>) {
        let (examples, batch, lags) = (self.targets.len(), self.batch(), self.architecture.lags);
        let position = self.position;
        self.position += 1;
        if batch == examples {
            let (inputs, targets) = (self.inputs.clone(), self.targets.clone());
            return (Tensor::from_vec(inputs, &[examples, lags]), Tensor::from_vec(targets, &[examples, 1]));
        }
        let batches = (examples / batch) as u64;
        let (epoch, index) = (position / batches, (position % batches) as usize);
        if self.order.0 != Some(epoch) {
            let mut order: Vec<u32> = (0..examples as u32).collect();
            order.shuffle(&mut Streams::new(self.config.training.seed).stream(&format!("order of epoch {epoch}")));
            self.order = (Some(epoch), order);
        }
        let chosen = &self.order.1[index * batch..][..batch];
        let row = |&i: &u32| self.inputs[i as usize * lags..][..lags].iter().copied();
        let inputs = chosen.iter().flat_map(row).collect();
        let targets = chosen.iter().map(|&i| self.targets[i as usize]).collect();
        (Tensor::from_vec(inputs, &[batch, lags]), Tensor::from_vec(targets, &[batch, 1]))
    }
}

impl Task for SeriesTask {
    type Config = SeriesConfig;
    type Model = NeuralAr<f32>;

    fn settings(config: &SeriesConfig) -> &Settings {
        &config.training
    }

    fn check(config: &SeriesConfig) -> Result<()> {
        config.check()
    }

    fn needs(config: &SeriesConfig) -> Needs {
        config.needs(if let Lags::Count(lags) = config.model.lags { lags } else { 1 }, 0, 0)
    }

    fn notes(&self) -> Vec<String> {
        self.data.notes.clone()
    }

    fn read(config: &SeriesConfig) -> Result<DataFiles> {
        config.data.read()
    }

    fn new(config: SeriesConfig, data: &DataFiles) -> Result<(Self, NeuralAr<f32>)> {
        Self::on(SeriesData::of_files(data, &config.data)?, &config)
    }

    fn of_checkpoint(config: SeriesConfig, data: &DataFiles, checkpoint: &Checkpoint) -> Result<(Self, NeuralAr<f32>)> {
        config.check()?;
        let model = NeuralAr::from_checkpoint(checkpoint)?;
        Ok((Self::with_model(SeriesData::of_files(data, &config.data)?, &config, &model)?, model))
    }

    fn config(&self) -> &SeriesConfig {
        &self.config
    }

    fn about(&self) -> About {
        let Architecture { lags, stride, hidden, layers, .. } = self.architecture;
        let name = format!("Neural AR({lags})");
        let apart = if stride > 1 { format!(", {stride} apart") } else { String::new() };
        About {
            title: format!("{name} on {}", self.data.name),
            sizes: format!("{name}{apart}, {layers} × {hidden} units; {}", self.data.described()),
            unit: "value".to_owned(),
            model: "neural-ar".to_owned(),
        }
    }

    fn floors(&self) -> Vec<Floor> {
        self.data.floors(self.config.model.stride)
    }

    fn loss(&mut self, model: &NeuralAr<f32>) -> Tensor<f32> {
        let (inputs, targets) = self.next_batch();
        model.loss(&inputs, &targets)
    }

    fn symbols_per_step(&self) -> u64 {
        self.batch() as u64
    }

    fn validate(&self, model: &NeuralAr<f32>) -> Option<f64> {
        let score = NeuralPredictor::new(model).score(&self.data.values, self.data.split.validation.clone());
        score.ok().map(|score| score.nats)
    }

    fn sample(&self, model: &NeuralAr<f32>, step: u64) -> Option<(Medium, Vec<u8>)> {
        let stream = Streams::new(self.config.training.seed).stream(&format!("sample at step {step}"));
        let predictor = NeuralPredictor::new(model);
        let sampler = Sampler::new(Options::default()).expect("the default options are right");
        let past = &self.data.train()[self.data.split.train.len().saturating_sub(predictor.reach())..];
        let values = Generator::new(&predictor, past, sampler, stream).take(SAMPLE);
        let lines: String = values.map(|x| format!("{x}\n")).collect();
        Some((Medium::Numbers, format!("{}\n{lines}", quoted(&self.data.name)).into_bytes()))
    }

    fn checkpoint(&self, model: &NeuralAr<f32>) -> Result<Checkpoint> {
        let mut checkpoint = model.to_checkpoint()?;
        checkpoint.push(Group::Data, StoredTensor::new("position", &[1], &[self.position]));
        Ok(checkpoint)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        // A step draws one batch.
        let position = checkpoint.position()?;
        self.position = position;
        Ok(())
    }
}

#[cfg(test)]
#[path = "training_tests.rs"]
mod tests;
