//! `autoreg generate`: symbols drawn one after another from a language model, as text.

use crate::console::say;
use crate::model_file::{Model, ModelFile, PATH_HELP};
use crate::{Context, table};
use autograd::random::Streams;
use clap::Args;
use models::error::{Error, Kind, Result};
use models::sampling::{Generator, Options, Sampler};
use models::series::neural_predictor::NeuralPredictor;
use models::series::saved::SavedSeries;
use models::series::training::quoted;
use models::storage::atomic::{SystemDisk, folder_of, replace};
use models::text::decoder::Decoder;
use models::text::utf8::Utf8Stream;
use std::io::IsTerminal;
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
    // Before the model is loaded: a wrong option is told at once, and no text is generated that cannot be kept.
    let sampler = Sampler::new(arguments.options())?;
    if let Some(path) = &arguments.output
        && (path.is_dir() || !folder_of(path).is_dir())
    {
        let cause = if path.is_dir() { "it is a folder" } else { "its folder does not exist" };
        return Err(Error::new(Kind::Disk, format!("cannot write {}", path.display())).cause(cause));
    }
    let file = ModelFile::open(&arguments.model)?;
    let text = match &file.model {
        Model::Text(text) => text,
        Model::Series(model) => return series(model, &file, &arguments, sampler, context),
    };
    let vocabulary = &text.vocabulary;
    let prompt = vocabulary.encode(&arguments.prompt).map_err(|mut error| {
        error.what = format!("the model does not know the prompt: {}", error.what);
        error
    })?;
    let prompt = if prompt.is_empty() { vocabulary.opening() } else { prompt };
    let decoder = Decoder::new(&text.model);
    let random = Streams::new(arguments.seed).stream("sampling");
    let symbols = Generator::new(&decoder, &prompt, sampler, random).take(arguments.symbols);

    // The end of the prompt may be the beginning of a character: no matter, it is complete, it came as text.
    let mut stream = Utf8Stream::new();
    let echo = if arguments.echo { arguments.prompt.as_str() } else { "" };
    let Some(path) = &arguments.output else {
        context.results.text(echo)?;
        for symbol in symbols {
            let piece = stream.push(vocabulary.symbol_bytes(symbol));
            if !piece.is_empty() {
                context.results.text(&piece)?;
                context.results.flush()?;
            }
            if context.results.is_closed() {
                return Ok(());
            }
        }
        context.results.text(&stream.finish())?;
        context.results.flush()?;
        if std::io::stdout().is_terminal() {
            say(""); // the shell's next line begins at the left; stdout stays exactly the text
        }
        return Ok(());
    };
    let mut text = echo.to_owned();
    for symbol in symbols {
        text += &stream.push(vocabulary.symbol_bytes(symbol));
    }
    text += &stream.finish();
    replace(&SystemDisk, path, |out| out.write_all(text.as_bytes()))?;
    say(&format!("wrote {} ({})", path.display(), table::bytes(text.len() as u64)));
    Ok(())
}

/// Values of a series as a CSV file of one column. They begin at the model's level, or go on after the values of the prompt.
fn series(
    model: &SavedSeries,
    file: &ModelFile,
    arguments: &Arguments,
    sampler: Sampler,
    context: &Context,
) -> Result<()> {
    let cells = arguments.prompt.split(',').map(str::trim).filter(|cell| !cell.is_empty());
    let prompt = cells.map(str::parse).collect::<std::result::Result<Vec<f64>, _>>().map_err(|error| {
        Error::new(Kind::Usage, format!("the prompt {:?} is no list of numbers", arguments.prompt))
            .cause(error)
            .help("the model is one of a series: --prompt 1.5,2,2.5")
    })?;
    if let Some(value) = prompt.iter().find(|value| !value.is_finite()) {
        return Err(Error::new(Kind::Usage, format!("the prompt holds {value}")).help("every value must be finite"));
    }
    let random = Streams::new(arguments.seed).stream("sampling");
    let echoed = if arguments.echo { &prompt[..] } else { &[] };
    let values: Vec<f64> = match model {
        SavedSeries::Linear(linear) => {
            Generator::new(&linear.model, &prompt, sampler, random).take(arguments.symbols).collect()
        }
        SavedSeries::Neural(neural) => {
            let predictor = NeuralPredictor::new(neural);
            Generator::new(&predictor, &prompt, sampler, random).take(arguments.symbols).collect()
        }
    };
    let column = file.series_data().column;
    let header = if column.is_empty() { "value".to_string() } else { quoted(&column) };
    let lines: String = echoed.iter().chain(&values).map(|x| format!("{x}\n")).collect();
    let csv = format!("{header}\n{lines}");
    let Some(path) = &arguments.output else { return context.results.text(&csv) };
    replace(&SystemDisk, path, |out| out.write_all(csv.as_bytes()))?;
    say(&format!("wrote {} ({})", path.display(), table::bytes(csv.len() as u64)));
    Ok(())
}
