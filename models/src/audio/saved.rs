//! A model of sounds, to and from a checkpoint. What else a checkpoint holds is the training's.

use super::model::AudioModel;
use super::model_config::{Architecture, ModelConfig};
use super::shapes::parameter_shapes;
use crate::error::{Error, Kind, Result};
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::parameters::{fill, fill_averages};
use crate::storage::safetensors_file::StoredTensor;
use autograd::nn::Module;
use autograd::random::Streams;

/// The kinds of model that are of sounds, as configurations and checkpoints name them.
pub fn kinds() -> Vec<&'static str> {
    vec![Architecture::WaveNet.name()]
}

/// The model of a checkpoint: with averaged weights, where training kept an average.
///
/// # Errors
/// [`Kind::BadInput`] if it is of another kind, or its tensors are not the configuration's.
pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<AudioModel<f32>> {
    let mut model = without_average(checkpoint)?;
    fill_averages(&mut model, checkpoint)?;
    Ok(model)
}

/// The model of a checkpoint with the weights that training goes on from.
///
/// # Errors
/// As [`from_checkpoint`].
pub fn without_average(checkpoint: &Checkpoint) -> Result<AudioModel<f32>> {
    let path = checkpoint.path.display();
    let kind = checkpoint.model()?;
    if !kinds().contains(&kind) {
        return Err(Error::new(Kind::BadInput, format!("{path} holds a model of kind `{kind}`, not of sounds"))
            .help("give a checkpoint that `autoreg train audio` wrote"));
    }
    let config: ModelConfig = checkpoint.config_as()?;
    usable(&config).map_err(|cause| {
        let what = format!("{path}: the metadata `autoreg.config` is not usable");
        Error::new(Kind::BadInput, what).cause(cause)
    })?;
    // The shapes are compared with the file's before a model of that size is made.
    let stored = checkpoint.parameters(&parameter_shapes(&config))?;
    let mut model = AudioModel::new(&config, &mut Streams::new(0).stream("init"));
    fill(&mut model, &stored)?;
    Ok(model)
}

/// A checkpoint of the model alone.
///
/// # Errors
/// None in practice: a configuration has a JSON form.
pub fn checkpoint_of(model: &AudioModel<f32>) -> Result<Checkpoint> {
    let mut checkpoint = Checkpoint::new(&model.config)?;
    for (name, param) in model.parameters() {
        checkpoint.push(Group::Parameter, StoredTensor::new(name, param.shape(), param.values()));
    }
    Ok(checkpoint)
}

/// Refuses numbers that make no model, and such as only the data of a training fill in.
fn usable(config: &ModelConfig) -> std::result::Result<(), String> {
    config.check().map_err(|error| error.what)?;
    if config.rate == 0 {
        return Err("`rate` is missing".to_owned());
    }
    if config.labels.len() != config.conditions.len() {
        return Err("`labels` are missing".to_owned());
    }
    if config.local.hop() > 0 && config.local.bands() == 0 {
        return Err("`local.frames.bands` is missing".to_owned());
    }
    Ok(())
}
