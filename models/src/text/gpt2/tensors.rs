//! The tensors of GPT-2's `model.safetensors` under our names: renamed, and matrices turned around, which GPT-2 has as (inputs, outputs).

use super::another_copy;
use crate::error::{Error, Kind, Result};
use crate::storage::data_type::DataType;
use crate::storage::expected::{Named, match_tensors};
use crate::storage::regular::shortened;
use crate::storage::safetensors_file::{SafetensorsFile, StoredTensor};
use crate::storage::safetensors_header::Entry;
use crate::text::gpt::{Gpt, GptConfig};
use crate::text::network::Configured;
use rayon::prelude::*;
use std::path::Path;

/// What a model with an output layer puts before the names of all others.
const PREFIX: &str = "transformer.";

/// The output layer, where a file has it beside the table that it is.
const HEAD: &str = "lm_head.weight";

/// The table of symbols.
const TABLE: &str = "wte.weight";

/// The published name of a parameter of ours.
fn published(ours: &str) -> String {
    let renamed = [
        ("tokens.", "wte."),
        ("positions.", "wpe."),
        ("blocks.", "h."),
        (".attn.qkv.", ".attn.c_attn."),
        (".attn.proj.", ".attn.c_proj."),
        (".mlp.fc.", ".mlp.c_fc."),
        (".mlp.proj.", ".mlp.c_proj."),
    ];
    renamed.into_iter().fold(ours.to_owned(), |name, (from, to)| name.replacen(from, to, 1))
}

/// A tensor of the file under its name without the prefix.
struct Found<'f> {
    name: &'f str,
    entry: &'f Entry,
}

impl Named for Found<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn shape(&self) -> &[usize] {
        &self.entry.shape
    }
}

/// Whether a tensor is a mask of attention, a constant that older files hold: `h.0.attn.bias`, `h.0.attn.masked_bias`.
fn is_mask(name: &str) -> bool {
    let block = name.strip_prefix("h.").and_then(|rest| rest.split_once('.'));
    block.is_some_and(|(_, rest)| ["attn.bias", "attn.masked_bias"].contains(&rest))
}

/// The parameters of a file in the order of our model, and the prefix that its names have. Nothing is read before all names, shapes and
/// types are right.
///
/// # Errors
/// [`Kind::BadInput`] if the file is broken, if a tensor is missing, extra, of another shape or no float, or if the output layer is another
/// than the table of symbols.
pub(super) fn read(path: &Path, config: &GptConfig) -> Result<(Vec<StoredTensor>, String)> {
    let mut file = SafetensorsFile::open(path).map_err(another_copy)?;
    file.checksums()?;
    let entries = file.header().entries.clone();
    let prefixed = entries.iter().any(|entry| entry.name.strip_prefix(PREFIX) == Some(TABLE));
    let name = |entry: &'_ Entry| match entry.name.strip_prefix(PREFIX) {
        Some(_) if prefixed => PREFIX.len(),
        _ => 0,
    };
    let named = entries.iter().map(|entry| Found { name: &entry.name[name(entry)..], entry });
    let (head, found): (Vec<Found>, Vec<Found>) =
        named.filter(|found| !is_mask(found.name)).partition(|found| found.name == HEAD);
    let ours = Gpt::<f32>::parameter_shapes(config);
    let expected: Vec<(String, Vec<usize>)> = ours
        .iter()
        .map(|(ours, shape)| {
            let shape = shape.iter().copied();
            (published(ours), if is_turned(ours) { shape.rev().collect() } else { shape.collect() })
        })
        .collect();
    let help = "the names and shapes are those of GPT-2, by the sizes in config.json; `autoreg inspect` lists the tensors of the file";
    let matched = match_tensors(path, &expected, &found).map_err(|error| error.help(help))?;
    for found in matched.iter().copied().chain(&head) {
        let data_type = found.entry.data_type;
        if ![DataType::F32, DataType::F64, DataType::F16, DataType::Bf16].contains(&data_type) {
            let name = shortened(&found.entry.name, 100);
            return Err(Error::new(Kind::BadInput, format!("{} is not usable", path.display()))
                .cause(format!("tensor `{name}` holds {data_type}, not F32, F64, F16 or BF16"))
                .help("weights that are packed otherwise have to be unpacked before"));
        }
    }
    let mut load = |entry: &Entry| file.read(entry).map_err(|error| error.help("use another copy of the file"));
    let mut tensors = Vec::with_capacity(ours.len());
    for ((ours, _), found) in ours.into_iter().zip(matched) {
        let tensor = load(found.entry)?;
        if found.name == TABLE
            && let Some(head) = head.first()
            && !is_same(&tensor, &load(head.entry)?)?
        {
            return Err(Error::new(Kind::BadInput, format!("{} is not usable", path.display()))
                .cause(format!("`{HEAD}` is another than `{TABLE}`: its output layer is one of its own"))
                .help("a GPT of autoreg has one table of symbols for input and output, as GPT-2 has"));
        }
        let tensor = if is_turned(&ours) { transposed(tensor) } else { tensor };
        tensors.push(StoredTensor { name: ours, ..tensor });
    }
    Ok((tensors, if prefixed { PREFIX.to_owned() } else { String::new() }))
}

/// Whether a parameter of ours is a matrix that GPT-2 has as (inputs, outputs).
fn is_turned(ours: &str) -> bool {
    ours.ends_with(".weight") && (ours.contains(".attn.") || ours.contains(".mlp."))
}

fn is_same(a: &StoredTensor, b: &StoredTensor) -> Result<bool> {
    Ok(a.shape == b.shape
        && match a.data_type == b.data_type {
            true => a.bytes == b.bytes,
            false => a.reals()? == b.reals()?,
        })
}

/// The transpose of a matrix.
fn transposed(tensor: StoredTensor) -> StoredTensor {
    let (size, rows, columns) = (tensor.data_type.bits() / 8, tensor.shape[0], tensor.shape[1]);
    let mut bytes = vec![0; tensor.bytes.len()];
    bytes.par_chunks_exact_mut(rows * size).enumerate().for_each(|(column, turned)| {
        for (row, element) in turned.chunks_exact_mut(size).enumerate() {
            element.copy_from_slice(&tensor.bytes[(row * columns + column) * size..][..size]);
        }
    });
    StoredTensor { shape: vec![columns, rows], bytes, ..tensor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_its_published_name() {
        let config = GptConfig { layers: 1, bias: true, symbols: 3, width: 4, ..GptConfig::default() };
        let names: Vec<String> =
            Gpt::<f32>::parameter_shapes(&config).iter().map(|(ours, _)| published(ours)).collect();
        let block = ["ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"];
        let layers = block.iter().map(|layer| format!("h.0.{layer}")).chain(["ln_f".to_owned()]);
        let wanted = ["wte.weight", "wpe.weight"].map(str::to_owned).into_iter();
        let wanted: Vec<String> =
            wanted.chain(layers.flat_map(|layer| [format!("{layer}.weight"), format!("{layer}.bias")])).collect();
        assert_eq!(names, wanted);
    }

    #[test]
    fn a_matrix_is_turned_around_whatever_the_width_of_its_elements() {
        let turned = transposed(StoredTensor::new("w", &[2, 3], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(turned, StoredTensor::new("w", &[3, 2], &[1.0_f32, 4.0, 2.0, 5.0, 3.0, 6.0]));
        let turned = transposed(StoredTensor::new("w", &[1, 2], &[7_u16, 8]));
        assert_eq!(turned, StoredTensor::new("w", &[2, 1], &[7_u16, 8]));
    }

    #[test]
    fn masks_are_known_by_their_names_alone_in_a_block() {
        assert!(is_mask("h.11.attn.bias") && is_mask("h.0.attn.masked_bias"));
        assert!(!is_mask("h.0.attn.c_attn.bias") && !is_mask("attn.bias") && !is_mask("h.0.ln_1.bias"));
    }
}
