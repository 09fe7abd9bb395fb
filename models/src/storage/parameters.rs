//! The values of a model's parameters out of a checkpoint, plain or averaged.

use super::checkpoint::{Checkpoint, Group};
use super::safetensors_file::StoredTensor;
use crate::error::{Error, Kind, Result};
use autograd::nn::Module;

/// Sets the parameters of a model to stored ones, given in the model's order.
///
/// # Errors
/// [`Kind::BadInput`] if a tensor does not hold as many floats as its parameter.
pub fn fill(model: &mut dyn Module<f32>, stored: &[&StoredTensor]) -> Result<()> {
    for ((_, param), stored) in model.parameters_mut().into_iter().zip(stored) {
        fill_one(param.values_mut(), stored)?;
    }
    Ok(())
}

/// Sets the parameters of a model to the running averages of a checkpoint, where training kept some.
///
/// # Errors
/// [`Kind::BadInput`] if an average is missing or of another size.
pub fn fill_averages(model: &mut dyn Module<f32>, checkpoint: &Checkpoint) -> Result<()> {
    if checkpoint.group(Group::Average).any(|(name, _)| name != "updates") {
        for (name, param) in model.parameters_mut() {
            fill_one(param.values_mut(), checkpoint.tensor(Group::Average, &name)?)?;
        }
    }
    Ok(())
}

fn fill_one(values: &mut [f32], stored: &StoredTensor) -> Result<()> {
    let reals = stored.reals()?;
    if reals.len() != values.len() {
        let what = format!("tensor `{}` has {} elements, not {}", stored.name, reals.len(), values.len());
        return Err(Error::new(Kind::BadInput, what));
    }
    // A finite f64 may be no finite f32.
    if let Some((i, real)) = reals.iter().enumerate().find(|(_, real)| !(**real as f32).is_finite()) {
        let what = format!("tensor `{}` holds {real:e} at element {i}", stored.name);
        return Err(Error::new(Kind::BadInput, what)
            .cause(format!("models compute in 32-bit floats, which end at {:e}", f32::MAX))
            .help("scale the weights before they are stored"));
    }
    values.iter_mut().zip(reals).for_each(|(value, real)| *value = real as f32);
    Ok(())
}
