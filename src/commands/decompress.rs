//! `autoreg decompress`: what `autoreg compress` was given, by the same model.

use crate::families::opened::{PATH_HELP, open};
use crate::terminal::{Context, output};
use clap::Args;
use models::compression::format;
use models::error::{Error, Kind, Result};
use models::medium::Medium;
use models::storage::regular;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Bring back what `autoreg compress` compressed, by the model that compressed it.
///
/// Nothing is written unless all of it came back: a file that is cut or damaged, or another model's, is refused by name, and so is one whose
/// symbols do not come out as they went in.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// The compressed file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What it was, written whole or not at all; - for stdout
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
}

/// The longest file that is read.
const MOST: u64 = 1 << 33;

/// Runs the subcommand.
///
/// # Errors
/// A bad input for a file that is damaged or another model's, a disk error for the output.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { model, file, output } = arguments;
    let to_stdout = output == Path::new("-");
    let outputs = (!to_stdout).then_some(&*output);
    output::check(outputs, &[&file, &model])?;
    let (bytes, name) = (regular::read(&file, MOST)?, file.display().to_string());
    let compressed = format::read(&bytes, &name)?;
    let model = open(&model)?;
    model.source().spares_data(outputs)?;
    if to_stdout && model.medium() != Medium::Text && std::io::stdout().is_terminal() {
        return Err(Error::new(Kind::Usage, "a terminal shows no pictures and plays no sounds")
            .help("write it to a file: -o OUT"));
    }
    let restored = model.decompress(&compressed, &name)?;
    match to_stdout {
        true => context.results.bytes(&restored),
        false => output::write(&output, &restored),
    }
}
