//! What `receptive-field` tells of a WaveNet: how far back it hears, in samples and milliseconds, and how its dilations reach there.

use super::flags::ReceptiveFieldFlags;
use crate::families::opened::Head;
use crate::families::{Look, Sight};
use crate::terminal::results::to_json;
use models::audio::model_config::ModelConfig;
use models::audio::receptive_field::{self, MOST_LAYERS};
use models::audio::wavenet::Sizes;
use models::error::{Error, Kind, Result};
use models::pages::numbers::{counted, decimals, grouped};
use serde::Serialize;

/// What is told, as JSON.
#[derive(Serialize)]
struct Told {
    model: &'static str,
    layers: usize,
    stacks: usize,
    /// The last samples before the one that is drawn that it can depend on.
    samples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<f64>,
    dilations: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
}

/// Of the network of a model.
///
/// # Errors
/// [`Kind::Usage`] for a picture too large.
pub fn of_model(config: &ModelConfig, head: Head, look: &Look) -> Result<Sight> {
    of(config.sizes(), Some(config.rate), Some(head), look)
}

/// Of a network of this kind.
///
/// # Errors
/// As [`of_model`]; also where nobody says how many layers.
pub fn of_kind(kind: &str, look: &Look) -> Result<Sight> {
    let ReceptiveFieldFlags { stacks, rate } = look.own.parsed();
    let Some(layers) = look.layers else {
        return Err(Error::new(Kind::Usage, format!("--model {kind} without --layers"))
            .cause("how far back a sample hears depends on how many layers a stack has")
            .help(format!("say how many: --model {kind} --layers 10")));
    };
    if layers as usize > MOST_LAYERS {
        return Err(Error::new(Kind::Usage, format!("--layers {layers}"))
            .cause(format!("dilations double from layer to layer, and a stack has {MOST_LAYERS} at most")));
    }
    let (layers, stacks) = (layers as usize, stacks.map_or(1, |stacks| stacks as usize));
    of(Sizes { residual: 1, skip: 1, layers, stacks }, rate, None, look)
}

fn of(sizes: Sizes, rate: Option<u32>, head: Option<Head>, look: &Look) -> Result<Sight> {
    let (checkpoint, step) = head.map_or((None, None), |head| (Some(head.checkpoint), head.step));
    let samples = sizes.receptive_field();
    let milliseconds = rate.map(|rate| samples as f64 / f64::from(rate) * 1000.0);
    let dilations = sizes.dilations().collect();
    let told = Told {
        model: "wavenet",
        layers: sizes.layers,
        stacks: sizes.stacks,
        samples,
        milliseconds,
        dilations,
        checkpoint,
        step,
    };
    let picture = look.picture.then(|| receptive_field::picture(sizes)).transpose()?;
    Ok(Sight { json: to_json(&told)?, text: shown(&told, rate), picture })
}

fn shown(told: &Told, rate: Option<u32>) -> String {
    let checkpoint = told.checkpoint.as_ref().map_or_else(String::new, |path| format!("{path}\n"));
    let time = match (told.milliseconds, rate) {
        (Some(milliseconds), Some(rate)) => {
            format!(", {} milliseconds at {} Hz", decimals(milliseconds, 1), grouped(rate.into()))
        }
        _ => String::new(),
    };
    let stack: Vec<String> = told.dilations.iter().take(told.layers).map(usize::to_string).collect();
    format!(
        "{checkpoint}WaveNet, {} of {}: a sample hears the {} before it{time}\n\ndilations of a stack: {}",
        counted(told.stacks as u64, "stack"),
        counted(told.layers as u64, "layer"),
        counted(told.samples as u64, "sample"),
        stack.join(", ")
    )
}
