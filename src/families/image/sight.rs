//! What `receptive-field` tells of a network of images: the sub-pixels that one of them sees, counted and drawn.

use super::flags::ReceptiveFieldFlags;
use crate::families::opened::Head;
use crate::families::{Look, Sight};
use crate::terminal::results::to_json;
use crate::terminal::table::{Align, Table};
use models::error::{Error, Kind, Result};
use models::image::images::Shape;
use models::image::model::ModelConfig;
use models::image::network::Architecture;
use models::image::receptive_field::picture::{self, Square, picture, scale};
use models::image::receptive_field::{ReceptiveField, middle, needs, receptive_field};
use models::pages::numbers::{counted, grouped};
use serde::Serialize;

/// The side of the picture of a network that is named without a run: that of a digit.
const SIDE: usize = 28;

/// What is told, as JSON.
#[derive(Serialize)]
struct Told {
    model: &'static str,
    layers: usize,
    height: usize,
    width: usize,
    colours: usize,
    row: usize,
    column: usize,
    colour: usize,
    /// How many come before it, and of them how many it sees and how many not.
    before: usize,
    seen: usize,
    unseen: usize,
    causal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
}

/// Of the network of a model.
///
/// # Errors
/// [`Kind::Usage`] for a sub-pixel that the picture does not have, and for pictures and networks too large.
pub fn of_model(config: &ModelConfig, head: Head, look: &Look) -> Result<Sight> {
    of(config.model, config.layers, config.shape(), Some(head), look)
}

/// Of a network of this kind.
///
/// # Errors
/// As [`of_model`].
pub fn of_kind(kind: &str, look: &Look) -> Result<Sight> {
    let ReceptiveFieldFlags { size, colours, .. } = look.own.parsed();
    let architecture = Architecture::ALL.iter().find(|architecture| architecture.name() == kind).copied();
    let (Some(architecture), Some(layers)) = (architecture, look.layers) else {
        return Err(Error::new(Kind::Usage, format!("--model {kind} without --layers"))
            .cause("what a sub-pixel sees depends on how many layers the network has")
            .help(format!("say how many: --model {kind} --layers 7")));
    };
    let [height, width] = size.unwrap_or([SIDE; 2]);
    of(architecture, layers as usize, Shape { height, width, channels: colours.unwrap_or(1) }, None, look)
}

fn of(architecture: Architecture, layers: usize, shape: Shape, head: Option<Head>, look: &Look) -> Result<Sight> {
    let ReceptiveFieldFlags { at, scale: side, .. } = look.own.parsed();
    let at = at.unwrap_or_else(|| middle(shape));
    let side = side.map_or_else(|| scale(shape), |side| side as usize);
    let needs = needs(architecture, layers, shape, at)?;
    let needs = if look.picture { picture::needs(needs, shape, side) } else { needs };
    needs.check()?;
    let field = receptive_field(architecture, layers, shape, at);
    let [row, column, colour] = at;
    let (checkpoint, step) = head.map_or((None, None), |head| (Some(head.checkpoint), head.step));
    let told = Told {
        model: architecture.name(),
        layers,
        height: shape.height,
        width: shape.width,
        colours: shape.channels,
        row,
        column,
        colour,
        before: field.before(),
        seen: field.before() - field.unseen(),
        unseen: field.unseen(),
        causal: field.is_causal(),
        checkpoint,
        step,
    };
    let picture = look.picture.then(|| picture(&field, side)).transpose()?;
    Ok(Sight { json: to_json(&told)?, text: shown(architecture, &field, &told), picture })
}

/// The table that people read.
fn shown(architecture: Architecture, field: &ReceptiveField, told: &Told) -> String {
    let mut table = Table::new(&[("", Align::Left), ("sub-pixels", Align::Right), ("in the picture", Align::Left)]);
    let line = |what: &str, count: usize, colour: &str| [what.to_owned(), grouped(count as u64), colour.to_owned()];
    table.row(line("seen", told.seen, Square::Seen.colour()));
    table.row(line("before it, not seen", told.unseen, Square::Unseen.colour()));
    let leaked = field.count() - told.seen;
    if leaked > 0 {
        table.row(line("not before it, seen", leaked, Square::Leaked.colour()));
    }
    let causal = match told.causal {
        true => "It is causal: nothing is seen of what comes after.",
        false => "It is NOT causal.",
    };
    let of = if field.shape.channels == 1 { String::new() } else { format!(", colour {}", told.colour) };
    let checkpoint = told.checkpoint.as_ref().map_or_else(String::new, |path| format!("{path}\n"));
    format!(
        "{checkpoint}{}, {}, {}: row {}, column {}{of} sees {} of {} before it\n\n{table}\n\n{causal}",
        architecture.title(),
        counted(told.layers as u64, "layer"),
        field.shape,
        told.row,
        told.column,
        grouped(told.seen as u64),
        counted(told.before as u64, "sub-pixel"),
    )
}
