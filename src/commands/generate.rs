//! `autoreg generate`: symbols drawn one after another from a model: text, or the values of a series.

use crate::families::Generate;
use crate::families::flags::{FamilyFlags, ForGenerate};
use crate::families::opened::{PATH_HELP, open};
use crate::terminal::console::say;
use crate::terminal::{Context, output};
use clap::Args;
use models::error::Result;
use models::medium::Medium;
use models::sampling::Options;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Generate from a model, symbol by symbol: text, or the values of a series as CSV.
///
/// stdout is exactly the text that follows the prompt; with --echo the prompt comes first. The same model, prompt, options
/// and seed give the same text, on any number of threads.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// The text to go on from; without it the model begins from nothing
    #[arg(short, long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    prompt: String,

    /// Write the prompt before its continuation
    #[arg(long)]
    echo: bool,

    /// How many symbols to generate
    #[arg(short = 'n', long = "symbols", value_name = "N", default_value_t = 500)]
    symbols: usize,

    /// Below 1 sharpens the distribution, above 1 flattens it; 0 is --greedy
    #[arg(long, value_name = "T", default_value_t = 1.0, allow_negative_numbers = true)]
    temperature: f64,

    /// Draw from the K most likely symbols
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    top_k: Option<usize>,

    /// Draw from the fewest symbols whose probabilities reach P together
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    top_p: Option<f64>,

    /// Draw from the symbols at least P times as likely as the most likely one
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    min_p: Option<f64>,

    /// Make symbols that have come before less likely; 1 changes nothing
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_negative_numbers = true)]
    repetition_penalty: f64,

    /// Always take the most likely symbol
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p", "min_p"])]
    greedy: bool,

    /// Another seed gives another text
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Write the text to a file, whole or not at all, instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    own: FamilyFlags<ForGenerate>,
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            repetition_penalty: self.repetition_penalty,
            temperature: if self.greedy { 0.0 } else { self.temperature },
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
        }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for options that make no sense, a bad input for a file or a prompt, a disk error for the output.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    // Before the model is loaded: a wrong option is told at once, and nothing is generated that cannot be kept.
    let options = arguments.options();
    options.check()?;
    output::check(arguments.output.as_deref(), &[&arguments.model])?;
    let model = open(&arguments.model)?;
    let own = arguments.own.given_to(model.source().family)?;
    let Arguments { ref prompt, echo, symbols, seed, .. } = arguments;
    let request = Generate { prompt, echo, symbols, options, seed, own: &own };
    let Some(path) = &arguments.output else {
        let results = &context.results;
        model.generate(&request, &mut |piece| {
            results.bytes(piece)?;
            results.flush()?;
            Ok(if results.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if model.medium() == Medium::Text && std::io::stdout().is_terminal() {
            say(""); // the shell's next line begins at the left; stdout stays exactly the text
        }
        return Ok(());
    };
    let mut content = Vec::new();
    model.generate(&request, &mut |piece| {
        content.extend_from_slice(piece);
        Ok(ControlFlow::Continue(()))
    })?;
    output::write(path, &content)
}
