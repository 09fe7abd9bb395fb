//! From a configuration to a training: begun anew, or gone on with from a checkpoint. `train`, `resume` and the tour come through here.

use super::task::Task;
use super::trainer::Trainer;
use crate::data::files::DataFiles;
use crate::data::fingerprint::Fingerprint;
use crate::error::{Error, Kind, Result};
use crate::refusals;
use crate::storage::checkpoint::{Checkpoint, Progress};
use crate::storage::regular::shortened;
use crate::storage::safetensors_file::StoredTensor;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a checkpoint keeps of a run beside its tensors (`settings` of `autoreg.training`): how to go on with the same.
pub fn settings<C: Serialize>(config: &C, data: &DataFiles) -> serde_json::Value {
    serde_json::json!({ "config": config, "data": data.fingerprint() })
}

/// A part of the configuration that a checkpoint's run had: `"data"`; none where the file does not say, or says it otherwise.
pub fn setting<T: for<'de> Deserialize<'de>>(progress: Option<&Progress>, table: &str) -> Option<T> {
    T::deserialize(progress?.settings.get("config")?.get(table)?).ok()
}

/// The fingerprint of the data that a checkpoint's run was trained on; none where the file does not say.
///
/// # Errors
/// [`Kind::BadInput`] if what it says is none.
pub fn fingerprint(checkpoint: &Checkpoint) -> Result<Option<Fingerprint>> {
    let known = checkpoint.progress.as_ref().and_then(|progress| progress.settings.get("data"));
    known.map(refusals::read).transpose().map_err(|why| {
        Error::new(
            Kind::BadInput,
            format!("{}: the metadata `autoreg.training` is not usable", checkpoint.path.display()),
        )
        .cause(format!("`settings.data`: {why}"))
    })
}

/// A training before its first step, on the data that the configuration names.
///
/// # Errors
/// Those of [`Task::read`] and [`Task::new`].
pub fn begin<K: Task>(config: K::Config) -> Result<Trainer<K>> {
    fits::<K>(&config)?;
    let data = K::read(&config)?;
    begin_on(config, &data)
}

/// Refuses a configuration whose numbers make no sense, or more memory than there is, before anything is read.
fn fits<K: Task>(config: &K::Config) -> Result<()> {
    K::check(config)?;
    K::needs(config).check()
}

/// [`begin`] on data that are there already.
///
/// # Errors
/// Those of [`Task::new`].
pub fn begin_on<K: Task>(config: K::Config, data: &DataFiles) -> Result<Trainer<K>> {
    let (task, model) = K::new(config, data)?;
    let mut trainer = Trainer::new(task, model)?;
    trainer.progress.settings = settings(trainer.task.config(), data);
    Ok(trainer)
}

/// A training that goes on where `checkpoint` was saved, as if it had never stopped; `config` may ask for more steps, and name
/// another place of the same data.
///
/// # Errors
/// [`Kind::BadInput`] if the data are not those of the run, or the checkpoint lacks something; [`Kind::Usage`] if the
/// configuration ends before the steps done.
pub fn go_on<K: Task>(config: K::Config, checkpoint: &Checkpoint) -> Result<Trainer<K>> {
    let done = checkpoint.progress.as_ref().map_or(0, |progress| progress.step);
    let steps = K::settings(&config).steps;
    if steps < done {
        return Err(Error::new(Kind::Usage, format!("--steps {steps} is less than the {done} steps done")));
    }
    fits::<K>(&config)?;
    let data = K::read(&config).map_err(|error| match error.kind {
        Kind::BadInput => error.help("--data names the data of the run where they are now"),
        _ => error,
    })?;
    let known = fingerprint(checkpoint)?;
    if known.is_some_and(|known| known != data.fingerprint()) {
        return Err(Error::new(Kind::BadInput, format!("{} is not the data of this run", data.path))
            .cause("its length or content changed since the run began")
            .help("--data names the original; `autoreg train` begins a run on the new data"));
    }
    let (task, model) = K::of_checkpoint(config, &data, checkpoint)?;
    let mut trainer = Trainer::new(task, model)?;
    trainer.restore(checkpoint)?;
    holds_all_of(&trainer.checkpoint()?, checkpoint)?;
    trainer.progress.settings = settings(trainer.task.config(), &data);
    Ok(trainer)
}

/// Whatever a family keeps in a checkpoint: what the training would save now, before another step, is what was saved. So nothing is
/// missing, short, of another shape, or taken for something else; and nothing is there that would be lost.
fn holds_all_of(now: &Checkpoint, saved: &Checkpoint) -> Result<()> {
    let named: BTreeMap<&str, &StoredTensor> = saved.tensors.iter().map(|t| (t.name.as_str(), t)).collect();
    for tensor in &now.tensors {
        let name = &tensor.name;
        match named.get(name.as_str()) {
            None => return Err(saved.unfit(&format!("it lacks the tensor `{name}`"))),
            Some(other) if (other.data_type, &other.shape) != (tensor.data_type, &tensor.shape) => {
                let StoredTensor { data_type, shape, .. } = other;
                let wanted = format!("{} of shape {:?}", tensor.data_type, tensor.shape);
                return Err(saved.unfit(&format!("tensor `{name}` is {data_type} of shape {shape:?}, not {wanted}")));
            }
            Some(other) if other.bytes != tensor.bytes => {
                return Err(saved.unfit(&format!("tensor `{name}` holds what no training has saved")));
            }
            Some(_) => {}
        }
    }
    let known: BTreeSet<&str> = now.tensors.iter().map(|t| t.name.as_str()).collect();
    match saved.tensors.iter().find(|t| !known.contains(t.name.as_str())) {
        Some(tensor) => {
            let name = shortened(&tensor.name, 100);
            Err(saved.unfit(&format!("it holds the tensor `{name}`, which this training does not know")))
        }
        None => Ok(()),
    }
}
