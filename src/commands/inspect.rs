//! `autoreg inspect`: what is in a safetensors file, ours or another's, whole or damaged, as far as it can be read.

use crate::families::opened::{PATH_HELP, foreign, of_checkpoint};
use crate::families::{Description, FAMILIES, family_of};
use crate::terminal::Context;
use crate::terminal::table::{Align, Table};
use clap::Args;
use models::error::{Error, Result};
use models::pages::numbers::{bytes, grouped};
use models::storage::checkpoint::{Checkpoint, Group};
use models::storage::run_files::{Which, resolve};
use models::storage::safetensors_file::{SafetensorsFile, StoredTensor};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Show what is in a checkpoint, or any safetensors file.
///
/// Everything that can be read is shown; what is wrong with the file comes last, as an error with exit code 5.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    file: PathBuf,

    /// Print one JSON object, with all digits
    #[arg(long)]
    json: bool,
}

/// What is in a file; the fields of `--json`.
#[derive(Serialize)]
struct Contents {
    file: String,
    bytes: u64,
    /// The metadata under `autoreg.` without that prefix, as JSON where it is JSON: `format`, `config`, `training`. Of another program's
    /// model, what was read from the files beside.
    autoreg: BTreeMap<String, Value>,
    /// The metadata of other programs.
    other_metadata: BTreeMap<String, String>,
    /// Whether the file has checksums, against which it is held here.
    checksums: bool,
    /// What was taken off the names of all parameters: `module.`.
    prefix: String,
    tensors: Vec<Tensor>,
    /// Elements of all tensors that are parameters of the model.
    parameters: usize,
    /// Elements of all tensors.
    elements: usize,
    /// What a family says of its model, under a key of its own.
    #[serde(flatten)]
    description: BTreeMap<&'static str, Value>,
    /// What is wrong with the file; `null` where nothing is.
    error: Option<String>,
}

/// One tensor and what its elements are like.
#[derive(Serialize)]
struct Tensor {
    name: String,
    data_type: &'static str,
    shape: Vec<usize>,
    count: usize,
    #[serde(flatten)]
    summary: Option<Summary>,
    /// The elements of a small tensor of floats.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<f64>>,
}

/// The most elements of a tensor that are listed one by one.
const MOST_LISTED: usize = 64;

/// Of the finite elements.
#[derive(Serialize)]
struct Summary {
    min: f64,
    max: f64,
    mean: f64,
    /// Standard deviation (of the elements as they are: divided by their count).
    std: f64,
    /// How many elements are NaN or infinite.
    non_finite: usize,
}

impl Summary {
    /// Of a tensor of floats; `None` for integers, and for a tensor of no finite element.
    fn of(tensor: &StoredTensor) -> Option<Self> {
        let all = tensor.reals().ok()?;
        let finite: Vec<f64> = all.iter().copied().filter(|x| x.is_finite()).collect();
        let count = finite.len() as f64;
        let mean = finite.iter().sum::<f64>() / count;
        let variance = finite.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        (count > 0.0).then(|| Summary {
            min: finite.iter().copied().fold(f64::INFINITY, f64::min),
            max: finite.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean,
            std: variance.sqrt(),
            non_finite: all.len() - finite.len(),
        })
    }
}

/// Runs the subcommand.
///
/// # Errors
/// A bad input, after all that can be read is written, if the file is not a whole checkpoint.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let foreign = foreign(&arguments.file);
    let path = match &foreign {
        Some(foreign) => foreign.files[0].clone(),
        None => resolve(&arguments.file, Which::Best)?,
    };
    let mut file = SafetensorsFile::open(&path)?;
    let header = file.header().clone();
    let mut tensors = Vec::new();
    let mut fault: Option<Error> = None;
    for entry in &header.entries {
        let (summary, values) = match file.read_unchecked(entry) {
            Ok(tensor) => {
                if let Err(error) = file.check_sum(&tensor) {
                    fault.get_or_insert(error);
                }
                let values = if tensor.len() <= MOST_LISTED { tensor.reals().ok() } else { None };
                (Summary::of(&tensor), values)
            }
            Err(error) => {
                fault.get_or_insert(error);
                (None, None)
            }
        };
        let count = entry.shape.iter().product();
        let data_type = entry.data_type.name();
        tensors.push(Tensor {
            name: entry.name.clone(),
            data_type,
            shape: entry.shape.clone(),
            count,
            summary,
            values,
        });
    }
    // The strict reading, as every command does it: it says what keeps the file from being used.
    let loaded = foreign.as_ref().map_or_else(|| Checkpoint::load(&path), |foreign| (foreign.read)());
    let prefix = loaded.as_ref().map_or(String::new(), |checkpoint| checkpoint.prefix.clone());
    let (description, fault) = match loaded.as_ref().map(described) {
        Ok(Ok(description)) => (description, fault),
        Ok(Err(error)) => (None, fault.or(Some(error))),
        Err(_) => (None, loaded.as_ref().err().cloned().or(fault)),
    };
    let (ours, other_metadata): (BTreeMap<_, _>, BTreeMap<_, _>) =
        header.metadata.into_iter().partition(|(key, _)| key.starts_with("autoreg."));
    let as_json = |(key, text): (String, String)| {
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (key["autoreg.".len()..].to_owned(), value)
    };
    let mut autoreg: BTreeMap<String, Value> = ours.into_iter().map(as_json).collect();
    let mut parameters = tensors.iter().filter(|t| Group::of(&t.name) == Group::Parameter).map(|t| t.count).sum();
    if let (Some(_), Ok(checkpoint)) = (&foreign, &loaded) {
        autoreg.insert("config".to_owned(), checkpoint.config.clone());
        autoreg.extend(checkpoint.vocabulary.clone().map(|vocabulary| ("vocabulary".to_owned(), vocabulary)));
        parameters = checkpoint.group(Group::Parameter).map(|(_, tensor)| tensor.len()).sum();
    }
    let contents = Contents {
        file: path.display().to_string(),
        bytes: std::fs::metadata(&path).map_or(0, |about| about.len()),
        autoreg,
        other_metadata,
        checksums: file.has_checksums(),
        prefix,
        parameters,
        elements: tensors.iter().map(|tensor| tensor.count).sum(),
        tensors,
        description: description.iter().map(|d| (d.key, d.json.clone())).collect(),
        error: fault.as_ref().map(Error::to_string),
    };
    if arguments.json {
        context.results.json(&contents)?;
    } else {
        context.results.line(contents.shown())?;
        if let Some(description) = description {
            context.results.line(format!("\n{}", description.text))?;
        }
    }
    // Before the error: the two streams may be one terminal.
    context.results.flush()?;
    fault.map_or(Ok(()), Err)
}

/// What a family says of the model, which is made as for every other command: what cannot be used is a fault here as well.
fn described(checkpoint: &Checkpoint) -> Result<Option<Description>> {
    of_checkpoint(checkpoint, Vec::new())?;
    family_of(checkpoint.model()?, &checkpoint.path)?.describe(checkpoint)
}

impl Contents {
    fn shown(&self) -> String {
        let mut lines = vec![format!("{} ({})", self.file, bytes(self.bytes)), String::new()];
        for (key, value) in &self.autoreg {
            let own = FAMILIES.iter().find_map(|family| family.metadata(key, value));
            let shown = own.unwrap_or_else(|| one_line(value));
            lines.push(format!("{:<12} {shown}", shortened(key, 60) + ":"));
        }
        lines.extend(
            self.other_metadata.iter().map(|(key, text)| format!("{} = {}", shortened(key, 60), shortened(text, 100))),
        );
        let sums = if self.checksums { "of every tensor and of the header" } else { "none: flipped bits go unseen" };
        lines.push(format!("{:<12} {sums}", "checksums:"));
        if !self.prefix.is_empty() {
            lines.push(format!("{:<12} `{}`, taken off the names of all parameters", "prefix:", self.prefix));
        }
        let number = |x: f64| format!("{x:+.4e}");
        let right = |name| (name, Align::Right);
        let mut table = Table::new(&[
            ("tensor", Align::Left),
            ("type", Align::Left),
            ("shape", Align::Left),
            right("count"),
            right("min"),
            right("max"),
            right("mean"),
            right("std"),
            ("", Align::Left),
        ]);
        for Tensor { name, data_type, shape, count, summary, .. } in &self.tensors {
            let shape = format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "));
            let [min, max, mean, std] = match summary {
                Some(s) => [number(s.min), number(s.max), number(s.mean), format!("{:.4e}", s.std)],
                None => Default::default(),
            };
            let wrong = summary.as_ref().map_or(0, |s| s.non_finite);
            let note = if wrong > 0 { format!("{wrong} not finite") } else { String::new() };
            table.row([
                shortened(name, 60),
                data_type.to_string(),
                shape,
                grouped(*count as u64),
                min,
                max,
                mean,
                std,
                note,
            ]);
        }
        let totals = format!(
            "{} tensors, {} elements, of them {} parameters of the model",
            self.tensors.len(),
            grouped(self.elements as u64),
            grouped(self.parameters as u64)
        );
        lines.extend([String::new(), table.to_string(), String::new(), totals]);
        lines.join("\n")
    }
}

/// `{"hidden": 512, "model": "gru"}` as `hidden 512, model gru`; what is nested as its JSON.
fn one_line(value: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| format!("{key} {}", shortened(&plain(value), 400)))
            .collect::<Vec<_>>()
            .join(", "),
        other => shortened(&plain(other), 400),
    }
}

/// At most so many characters, none of which can move a terminal's cursor.
fn shortened(text: &str, most: usize) -> String {
    let shown: String =
        text.chars().take(most).flat_map(|c| if c.is_control() { vec!['\u{FFFD}'] } else { vec![c] }).collect();
    if text.chars().count() > most { shown + "…" } else { shown }
}
