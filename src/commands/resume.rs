//! `autoreg resume`: goes on with a run as if it had never stopped.

use crate::families::{family_of, training};
use crate::terminal::Context;
use clap::Args;
use models::error::Result;
use models::storage::run_files::{Which, load};
use models::storage::run_folder::RunFolder;

/// Continue a run from its last checkpoint, bit for bit as if it had never stopped.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    request: training::Resume,
}

/// Runs the subcommand.
///
/// # Errors
/// If the run, its checkpoint or its data cannot be read, or the data changed; and those of training.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { request } = arguments;
    let folder = RunFolder::open(&request.run)?;
    let checkpoint = load(&request.run, Which::Latest)?;
    folder.check(&checkpoint)?;
    family_of(checkpoint.model()?, &checkpoint.path)?.resume(&request, folder, &checkpoint, context)
}
