//! A model of images, to and from a checkpoint. What else a checkpoint holds is the training's.

use super::model::{ImageModel, ModelConfig};
use super::network::Architecture;
use super::shapes::parameter_shapes;
use crate::error::{Error, Kind, Result};
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::parameters::{fill, fill_averages};
use crate::storage::safetensors_file::StoredTensor;
use autograd::nn::Module;
use autograd::random::Streams;

/// The kinds of model that are of images, as configurations and checkpoints name them.
pub fn kinds() -> Vec<&'static str> {
    Architecture::ALL.iter().map(|architecture| architecture.name()).collect()
}

/// The model of a checkpoint: with averaged weights, where training kept an average.
///
/// # Errors
/// [`Kind::BadInput`] if it is of another kind, or its tensors are not the configuration's.
pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<ImageModel<f32>> {
    let mut model = without_average(checkpoint)?;
    fill_averages(&mut model, checkpoint)?;
    Ok(model)
}

/// The model of a checkpoint with the weights that training goes on from.
///
/// # Errors
/// As [`from_checkpoint`].
pub fn without_average(checkpoint: &Checkpoint) -> Result<ImageModel<f32>> {
    let path = checkpoint.path.display();
    let kind = checkpoint.model()?;
    if !kinds().contains(&kind) {
        return Err(Error::new(Kind::BadInput, format!("{path} holds a model of kind `{kind}`, not of images"))
            .help("give a checkpoint that `autoreg train image` wrote"));
    }
    let config: ModelConfig = checkpoint.config_as()?;
    usable(&config).map_err(|cause| {
        let what = format!("{path}: the metadata `autoreg.config` is not usable");
        Error::new(Kind::BadInput, what).cause(cause)
    })?;
    // The shapes are compared with the file's before a model of that size is made.
    let stored = checkpoint.parameters(&parameter_shapes(&config))?;
    let mut model = ImageModel::new(&config, &mut Streams::new(0).stream("init"));
    fill(&mut model, &stored)?;
    Ok(model)
}

/// A checkpoint of the model alone.
///
/// # Errors
/// None in practice: a configuration has a JSON form.
pub fn checkpoint_of(model: &ImageModel<f32>) -> Result<Checkpoint> {
    let mut checkpoint = Checkpoint::new(&model.config)?;
    for (name, param) in model.parameters() {
        checkpoint.push(Group::Parameter, StoredTensor::new(name, param.shape(), param.values()));
    }
    Ok(checkpoint)
}

/// Refuses numbers that make no model, and such as only the data of a training fill in.
fn usable(config: &ModelConfig) -> std::result::Result<(), String> {
    config.check().map_err(|error| error.what)?;
    let of_data =
        [("colours", config.colours), ("height", config.height), ("width", config.width), ("levels", config.levels)];
    if let Some((key, _)) = of_data.into_iter().find(|(_, size)| *size == 0) {
        return Err(format!("`{key}` is missing"));
    }
    config.distribution.check(config.levels)
}
