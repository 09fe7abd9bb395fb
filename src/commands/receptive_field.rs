//! `autoreg receptive-field`: what one output of a model can depend on, as numbers and as a picture.

use crate::families::flags::{FamilyFlags, ForReceptiveField};
use crate::families::opened::{PATH_HELP, open};
use crate::families::{Look, Sight, family_named};
use crate::terminal::{Context, output};
use clap::Args;
use models::error::{Error, Kind, Result};
use std::path::PathBuf;

/// What more layers see nobody computes.
const MOST_LAYERS: i64 = 128;

/// Tell what a sub-pixel sees of a picture, exactly, as a set: of what comes before it, what its distribution can depend on. Of a sound, how far
/// back a sample hears.
///
/// Of a run, or of any network that there is, without training one: --model pixelcnn --layers 7. It depends on the network and not on its
/// weights. What comes before and is not seen is beyond the reach of so many layers, or lies in a blind spot, which no depth helps.
///
/// In the picture what is seen is blue, what comes before and is not seen orange, what comes after grey, the sub-pixel itself black; of
/// three colours there are three pictures, of what is seen of red, of green and of blue. Of a sound it shows which places of each layer a sample
/// depends on.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    run: Option<PathBuf>,

    /// A kind of model instead of a run: `pixelcnn`, `gated-pixelcnn`, `row-lstm`, `diagonal-lstm` or `wavenet`
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    model: Option<String>,

    /// How many layers, or blocks of layers, the network has; of a WaveNet, those of a stack; with --model
    #[arg(long, value_name = "N", conflicts_with = "run", value_parser = clap::value_parser!(u32).range(1..=MOST_LAYERS))]
    layers: Option<u32>,

    /// Write the picture to a file
    #[arg(short, long, value_name = "FILE.png")]
    output: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    own: FamilyFlags<ForReceptiveField>,
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for what has no receptive field or is outside the picture, a bad input for a file that is no model, a disk error.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { run, model, layers, output, json, own } = arguments;
    output.as_deref().map_or(Ok(()), |path| output::check_form(path, "png"))?;
    output::check(output.as_deref(), &run.as_deref().into_iter().collect::<Vec<_>>())?;
    let picture = output.is_some();
    let Sight { json: object, text, picture } = match (run, model) {
        (Some(run), _) => {
            let model = open(&run)?;
            model.source().spares_data(output.as_deref())?;
            model.receptive_field(&Look { picture, layers, own: &own.given_to(model.source().family)? })?
        }
        (None, None) => {
            return Err(Error::new(Kind::Usage, "neither a run nor a kind of model is named")
                .help("autoreg receptive-field RUN, or --model pixelcnn --layers 7"));
        }
        (None, Some(kind)) => {
            let family = family_named(&kind)?;
            family.receptive_field(&kind, &Look { picture, layers, own: &own.given_to(family)? })?
        }
    };
    if let Some((path, picture)) = output.zip(picture) {
        output::write(&path, &picture)?;
    }
    context.results.line(if json { object } else { text })
}
