//! The names and shapes a model wants against those a file has: every difference in one error, with a guess at typos.
//!
//! [`nearest`] is also what guesses at a mistyped configuration key.

use std::collections::HashMap;
use std::path::Path;

use super::regular::shortened;
use super::stored_tensor::StoredTensor;
use crate::error::{Error, Kind, Result};

/// At most this many names of a kind are listed; a model of another architecture would fill the screen.
const LISTED: usize = 8;

/// Among so many names a mistyped one is looked for.
const LOOKED_AT: usize = 1000;

/// What a file has under a name: a tensor, or what its header says of one.
pub trait Named {
    /// Its name.
    fn name(&self) -> &str;
    /// Its shape.
    fn shape(&self) -> &[usize];
}

impl Named for StoredTensor {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }
}

/// The known name most like `name`, if any is like enough to be a slip of the keyboard.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(name, k), k))
        .filter(|(likeness, _)| *likeness > 0.8)
        // On equal likeness the first wins: `max_by` would take the last.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, k)| k)
}

/// Puts the tensors found in the order expected, each checked for its shape.
///
/// # Errors
/// [`Kind::BadInput`] listing all missing, extra and wrongly shaped names of the file `path`.
pub fn match_tensors<'t, N: Named>(
    path: &Path,
    expected: &[(String, Vec<usize>)],
    found: impl IntoIterator<Item = &'t N>,
) -> Result<Vec<&'t N>> {
    let found: Vec<&N> = found.into_iter().collect();
    let mut left: HashMap<&str, &N> = found.iter().map(|t| (t.name(), *t)).collect();
    let mut matched = Vec::with_capacity(expected.len());
    let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
    for (name, shape) in expected {
        match left.remove(name.as_str()) {
            None => missing.push(name),
            Some(tensor) if tensor.shape() != shape => {
                let transposed = tensor.shape().iter().rev().eq(shape);
                let said = if transposed { ", but its transpose" } else { "" };
                misshapen.push(format!("`{name}` is {:?}, not {shape:?}{said}", tensor.shape()));
            }
            Some(tensor) => matched.push(tensor),
        }
    }
    // In the file's order, not the hash map's: the same file gives the same message.
    let extra: Vec<&str> = found.iter().map(|t| t.name()).filter(|n| left.contains_key(n)).collect();
    if missing.is_empty() && misshapen.is_empty() && extra.is_empty() {
        return Ok(matched);
    }
    // Guesses for what is listed alone, among the first of what is there: a file may hold a hundred thousand names.
    let guessed = |(i, name): (usize, &&String)| match (i < LISTED)
        .then(|| nearest(name, extra.iter().take(LOOKED_AT).copied()))
        .flatten()
    {
        Some(like) => format!("`{name}` (did you mean it by `{}`?)", shortened(like, 100)),
        None => format!("`{name}`"),
    };
    let missing: Vec<String> = missing.iter().enumerate().map(guessed).collect();
    let extra: Vec<String> = extra.iter().map(|name| format!("`{}`", shortened(name, 100))).collect();
    let parts = [("missing", missing), ("not known to the model", extra), ("of another shape", misshapen)];
    let parts: Vec<String> =
        parts.into_iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| listed(what, &names)).collect();
    Err(Error::new(Kind::BadInput, format!("{} does not fit its model", path.display())).cause(parts.join("; ")).help(
        "`autoreg inspect` lists the tensors of a file; `autoreg.config` in its metadata says what model it holds",
    ))
}

fn listed(what: &str, names: &[String]) -> String {
    let shown = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => format!("{what}: {shown}"),
        more => format!("{what}: {shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Vec<(String, Vec<usize>)> {
        [("embedding.weight", vec![5, 4]), ("rnn.weight_ih_l0", vec![9, 4]), ("head.weight", vec![5, 3])]
            .map(|(name, shape)| (name.to_owned(), shape))
            .to_vec()
    }

    fn tensor(name: &str, shape: &[usize]) -> StoredTensor {
        StoredTensor::new(name, shape, &vec![0f32; shape.iter().product()])
    }

    #[test]
    fn tensors_come_in_the_order_expected_whatever_the_file_s_order_is() {
        let found =
            [tensor("head.weight", &[5, 3]), tensor("rnn.weight_ih_l0", &[9, 4]), tensor("embedding.weight", &[5, 4])];
        let matched = match_tensors(Path::new("x"), &expected(), &found).unwrap();
        let names: Vec<&str> = matched.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["embedding.weight", "rnn.weight_ih_l0", "head.weight"]);
    }

    #[test]
    fn one_error_lists_missing_extra_and_misshapen_names_with_a_guess() {
        let found = [tensor("embedding.weight", &[6, 4]), tensor("rnn.weights_ih_l0", &[9, 4]), tensor("zzz", &[1])];
        let error = match_tensors(Path::new("x.safetensors"), &expected(), &found).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
        for part in [
            "missing: `rnn.weight_ih_l0` (did you mean it by `rnn.weights_ih_l0`?), `head.weight`",
            "not known to the model: `rnn.weights_ih_l0`, `zzz`",
            "of another shape: `embedding.weight` is [6, 4], not [5, 4]",
        ] {
            assert!(error.cause.contains(part), "{error}");
        }
        assert!(error.what.contains("x.safetensors"));
    }

    #[test]
    fn a_transposed_tensor_is_said_to_be_one() {
        let found =
            [tensor("head.weight", &[3, 5]), tensor("rnn.weight_ih_l0", &[9, 4]), tensor("embedding.weight", &[5, 4])];
        let error = match_tensors(Path::new("x"), &expected(), &found).unwrap_err();
        assert!(error.cause.contains("`head.weight` is [3, 5], not [5, 3], but its transpose"), "{error}");
    }

    #[test]
    fn a_model_of_another_architecture_does_not_fill_the_screen() {
        let found: Vec<StoredTensor> = (0..100).map(|i| tensor(&format!("layer.{i}"), &[1])).collect();
        let error = match_tensors(Path::new("x"), &expected(), &found).unwrap_err();
        assert!(error.cause.contains("and 92 more"), "{error}");
    }

    #[test]
    fn a_name_unlike_every_other_has_no_nearest() {
        assert_eq!(nearest("dropout", ["steps", "seed"]), None);
        assert_eq!(nearest("learning_rat", ["steps", "learning_rate"]), Some("learning_rate"));
    }
}
