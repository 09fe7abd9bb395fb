//! A model of a series out of a checkpoint, of whichever family; and the neural one into it. The linear one's form stands in
//! `linear.rs`.

use autograd::nn::Module;
use autograd::random::Streams;
use serde::{Deserialize, Serialize};

use super::config::{MOST_LAYERS, MOST_REACH, MOST_UNITS, ModelKind};
use super::linear::LinearAr;
use super::neural_ar::{Architecture, NeuralAr, Standardize};
use crate::error::{Error, Kind, Result};
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::parameters::{fill, fill_averages};
use crate::storage::safetensors_file::StoredTensor;

/// A model of a series.
pub enum SavedSeries {
    /// Linear AR(k).
    Linear(LinearAr),
    /// Neural AR(k).
    Neural(Box<NeuralAr<f32>>),
}

/// The JSON of `autoreg.config` of a neural model.
#[derive(Serialize, Deserialize)]
struct NeuralConfig {
    model: ModelKind,
    #[serde(flatten)]
    architecture: Architecture,
}

impl SavedSeries {
    /// Whether a checkpoint's kind of model (`Checkpoint::model`) is one of a series.
    pub fn is_kind(model: &str) -> bool {
        ["ar", "neural-ar"].contains(&model)
    }

    /// The model of a checkpoint: with averaged weights, where training kept an average.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if it is of another kind, or its tensors are not the configuration's.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self> {
        match checkpoint.model()? {
            "ar" => Ok(SavedSeries::Linear(LinearAr::from_checkpoint(checkpoint)?)),
            "neural-ar" => {
                let mut model = NeuralAr::from_checkpoint(checkpoint)?;
                fill_averages(&mut model, checkpoint)?;
                Ok(SavedSeries::Neural(Box::new(model)))
            }
            other => {
                let what = format!("{} holds a model of kind `{other}`, not of a series", checkpoint.path.display());
                Err(Error::new(Kind::BadInput, what).help("give a checkpoint that `autoreg train series` wrote"))
            }
        }
    }

    /// `AR(9)` or `neural AR(9)`.
    pub fn name(&self) -> String {
        match self {
            SavedSeries::Linear(linear) => format!("AR({})", linear.estimate.lags),
            SavedSeries::Neural(neural) => format!("neural AR({})", neural.architecture.lags),
        }
    }

    /// k and how far apart the lags lie.
    pub fn lags(&self) -> (usize, usize) {
        match self {
            SavedSeries::Linear(linear) => (linear.estimate.lags, linear.estimate.stride),
            SavedSeries::Neural(neural) => (neural.architecture.lags, neural.architecture.stride),
        }
    }
}

impl NeuralAr<f32> {
    /// A checkpoint of the model alone: its parameters, `standardize.mean` and `standardize.std`.
    ///
    /// # Errors
    /// None in practice: an architecture has a JSON form.
    pub fn to_checkpoint(&self) -> Result<Checkpoint> {
        let architecture = self.architecture.clone();
        let mut checkpoint = Checkpoint::new(&NeuralConfig { model: ModelKind::NeuralAr, architecture })?;
        for (name, x) in [("standardize.mean", self.standardize.mean), ("standardize.std", self.standardize.std)] {
            checkpoint.push(Group::Parameter, StoredTensor::new(name, &[], &[x]));
        }
        for (name, param) in self.parameters() {
            checkpoint.push(Group::Parameter, StoredTensor::new(name, param.shape(), param.values()));
        }
        Ok(checkpoint)
    }

    /// The model of a checkpoint of kind `neural-ar`, with the weights that training goes on from.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if its tensors are not the configuration's.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self> {
        let NeuralConfig { architecture, .. } = checkpoint.config_as()?;
        let bad = |cause: String| {
            Error::new(Kind::BadInput, format!("{} holds no usable neural AR model", checkpoint.path.display()))
                .cause(cause)
        };
        let Architecture { lags, stride, hidden, layers, deviation: _ } = architecture;
        let reach = lags.saturating_mul(stride);
        if !(1..=MOST_REACH).contains(&reach) || !(1..=MOST_UNITS).contains(&hidden) || layers > MOST_LAYERS {
            return Err(bad(format!("{lags} lags {stride} apart into {layers} layers of {hidden} units")));
        }
        // The shapes are compared with the file's before a model of that size is made.
        let stored = checkpoint.parameters(&shapes(&architecture))?;
        let standardize = Standardize { mean: stored[0].reals()?[0], std: stored[1].reals()?[0] };
        if standardize.std <= 0.0 {
            return Err(bad(format!("standardize.std is {}", standardize.std)));
        }
        let mut model = NeuralAr::new(&architecture, standardize, &mut Streams::new(0).stream("init"));
        fill(&mut model, &stored[2..])?;
        Ok(model)
    }
}

/// The names and shapes of a model's tensors, in order, without making the model.
fn shapes(architecture: &Architecture) -> Vec<(String, Vec<usize>)> {
    let Architecture { lags, hidden, layers, .. } = *architecture;
    let width = |layer: usize| if layer == 0 { lags } else { hidden };
    let mut shapes = vec![("standardize.mean".to_string(), vec![]), ("standardize.std".to_string(), vec![])];
    for layer in 0..layers {
        shapes.push((format!("hidden.{layer}.weight"), vec![hidden, width(layer)]));
        shapes.push((format!("hidden.{layer}.bias"), vec![hidden]));
    }
    let outputs = architecture.outputs();
    shapes.push(("head.weight".to_string(), vec![outputs, width(layers)]));
    shapes.push(("head.bias".to_string(), vec![outputs]));
    if outputs == 1 {
        shapes.push(("log_sigma".to_string(), vec![1]));
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::super::neural_ar::Deviation;
    use super::*;

    fn model(deviation: Deviation) -> NeuralAr<f32> {
        let architecture = Architecture { lags: 3, stride: 2, hidden: 5, layers: 2, deviation };
        NeuralAr::new(&architecture, Standardize { mean: 0.1, std: 1.0 / 3.0 }, &mut Streams::new(1).stream("init"))
    }

    #[test]
    fn a_neural_model_comes_back_from_its_checkpoint_bit_for_bit() {
        for deviation in [Deviation::Free, Deviation::Constant] {
            let model = model(deviation);
            let read = NeuralAr::from_checkpoint(&model.to_checkpoint().unwrap()).unwrap();
            assert_eq!((&read.architecture, read.standardize), (&model.architecture, model.standardize));
            for ((name, ours), (_, theirs)) in read.parameters().iter().zip(model.parameters()) {
                assert_eq!(ours.values(), theirs.values(), "{name}");
            }
        }
    }

    #[test]
    fn a_file_that_does_not_fit_its_configuration_is_refused_before_anything_is_made() {
        for (key, value) in [("hidden", 6_u64), ("layers", 3), ("lags", 4), ("hidden", 1 << 40), ("stride", 1 << 40)] {
            let mut checkpoint = model(Deviation::Free).to_checkpoint().unwrap();
            checkpoint.config[key] = serde_json::json!(value);
            assert_eq!(NeuralAr::from_checkpoint(&checkpoint).unwrap_err().kind, Kind::BadInput, "{key} {value}");
        }
    }
}
