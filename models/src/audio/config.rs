//! Everything a user can set of a training on sounds, with defaults and checks: the model ([`super::model_config`]), how recordings are read
//! ([`super::data_config`]), the training.

use super::data_config::DataConfig;
use super::model_config::{Local, ModelConfig};
use super::shapes::{elements_per_sample, parameter_shapes};
use crate::error::{Error, Kind, Result};
use crate::memory::{Needs, elements};
use crate::training::settings::Settings;
use serde::{Deserialize, Serialize};

/// The model, the data and the training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AudioConfig {
    /// The model.
    pub model: ModelConfig,
    /// The data.
    pub data: DataConfig,
    /// The training.
    pub training: Settings,
}

impl AudioConfig {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check(&self) -> Result<()> {
        self.model.check()?;
        let pattern = self.data.check()?;
        let known: Vec<&str> = pattern.iter().flat_map(|pattern| pattern.labels()).collect();
        if let Some(unknown) = self.model.conditions.iter().find(|label| !known.contains(&label.as_str())) {
            let known =
                if known.is_empty() { "it is empty".to_owned() } else { format!("it names {}", known.join(", ")) };
            return Err(Error::new(
                Kind::Usage,
                format!("`model.conditions` has {unknown:?}, and `data.pattern` does not"),
            )
            .cause(known)
            .help("name the label in the pattern of the names of files, as {digit}_{speaker}_{index}.wav"));
        }
        if matches!(self.model.local, Local::Frames { .. }) == self.data.frames_path.is_empty() {
            return Err(Error::new(Kind::Usage, "`model.local` of frames and `data.frames_path` go together")
                .cause(
                    "frames out of files lie in a folder of their own, and only a model that is told them reads them",
                )
                .help("give both, or neither; { mel = {} } needs no files"));
        }
        self.training.check()
    }

    /// The memory of a training; what only the data decide counts as little as it can be, and the data themselves not at all.
    pub fn needs(&self) -> Needs {
        let parameters = elements(parameter_shapes(&self.model).iter().map(|(_, shape)| &shape[..]));
        // A graph of every piece of the batch is alive at once, each with the past that it hears.
        let past = self.model.sizes().receptive_field() as u128;
        let samples = (self.data.batch as u128).saturating_mul((self.data.window as u128).saturating_add(past));
        let kept = samples.saturating_mul(elements_per_sample(&self.model));
        let step = "`data.batch`, `data.window`, `model.residual` or `model.layers`";
        let step = Needs::default().and("the activations of a step", kept, size_of::<f32>(), step);
        let sizes = "`model.residual`, `model.skip`, `model.layers` or `model.stacks`";
        // The decoder of the samples packs the weights once, and remembers as many inputs as it hears back.
        let remembered = past.saturating_mul(self.model.residual as u128);
        let prepared = parameters.saturating_add(remembered);
        let prepared = Needs::default().and("the network that samples", prepared, size_of::<f32>(), sizes);
        self.training.needs(parameters, sizes, step, prepared)
    }
}
