//! `autoreg generate`: symbols drawn one after another from a model: text, the values of a series, pictures, or sounds.

use crate::families::flags::{FamilyFlags, ForGenerate};
use crate::families::opened::{Format, PATH_HELP, open_in};
use crate::families::{Decode, Generate, Way};
use crate::terminal::console::say;
use crate::terminal::{Context, interrupt, output};
use clap::{Args, ValueEnum};
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sink};
use models::pages::numbers::bytes;
use models::sampling::{Noise, Options};
use models::storage::atomic::write_error;
use models::storage::user_file;
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Generate from a model, symbol by symbol: text, the values of a series as CSV, pictures as a PNG of a grid, or sounds as a WAV.
///
/// stdout is exactly the text that follows the prompt; with --echo the prompt comes first. The same model, prompt, options
/// and seed give the same text, on any number of threads.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// What to go on from; without it the model begins from nothing, as `eval` scores a first symbol
    #[arg(short, long, allow_hyphen_values = true)]
    prompt: Option<String>,

    /// Go on from what a file holds, byte by byte; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    prompt_file: Option<PathBuf>,

    /// Write the prompt before its continuation; of a sound, what --prime names
    #[arg(long)]
    echo: bool,

    /// How many symbols to generate, or pictures, or sounds, an eighth of a second apart [default: 500 symbols, 64 pictures, 1 sound]
    #[arg(short = 'n', long = "symbols", value_name = "N")]
    symbols: Option<usize>,

    /// Below 1 sharpens the distribution, above 1 flattens it; 0 is --greedy
    #[arg(long, value_name = "T", default_value_t = 1.0)]
    temperature: f64,

    /// Draw from the K most likely symbols
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,

    /// Draw from the fewest symbols whose probabilities reach P together
    #[arg(long, value_name = "P")]
    top_p: Option<f64>,

    /// Draw from the symbols at least P times as likely as the most likely one
    #[arg(long, value_name = "P")]
    min_p: Option<f64>,

    /// Make symbols that have come before less likely; 1 changes nothing
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    repetition_penalty: f64,

    /// Always take the most likely symbol
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p", "min_p"])]
    greedy: bool,

    /// Another seed gives another text
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// What turns a distribution into a symbol; another text, of the same law
    #[arg(long, value_enum, default_value = "uniform")]
    noise: Chance,

    /// The format that the weights are rounded to; fewer bytes are read sooner. What it costs tells `eval --weights`
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "f32")]
    weights: Format,

    /// How the symbols come about [default: sequential; of a masked model mask-predict]
    #[arg(long, value_name = "WAY", value_enum, conflicts_with = "speculative")]
    decode: Option<Way>,

    /// How many symbols are guessed in a pass, with --decode jacobi [default: 16 of a text, all of a picture] or --speculative [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_AHEAD))]
    ahead: Option<u32>,

    /// How many continuations are gone on with, with --decode beam [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_BEAMS))]
    beams: Option<u32>,

    /// Write to a file, whole or not at all, instead of stdout; - for stdout, and of a sound the samples alone, 16 bits each, little-endian
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    own: FamilyFlags<ForGenerate>,
}

/// Guesses beyond this are slips of the keyboard.
const MOST_AHEAD: i64 = 1 << 16;

/// As many beams are: each remembers all it has seen.
const MOST_BEAMS: i64 = 1 << 10;

/// [`Noise`], as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Chance {
    /// A number a symbol, looked up in the cumulated probabilities.
    Uniform,
    /// A number for each symbol of the alphabet: under it --decode jacobi guesses better.
    Gumbel,
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            repetition_penalty: self.repetition_penalty,
            temperature: if self.greedy { 0.0 } else { self.temperature },
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            noise: match self.noise {
                Chance::Uniform => Noise::Uniform,
                Chance::Gumbel => Noise::Gumbel,
            },
        }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for options that make no sense, a bad input for a file or a prompt, a disk error for the output.
pub fn run(mut arguments: Arguments, context: &Context) -> Result<()> {
    let raw = arguments.output.as_deref() == Some(Path::new("-"));
    arguments.output.take_if(|_| raw);
    // Before the model is loaded: a wrong option is told at once, and nothing is generated that cannot be kept.
    let options = arguments.options();
    options.check()?;
    let prompt = arguments.prompt_file.as_deref().filter(|path| *path != Path::new("-"));
    let inputs: Vec<&Path> = [Some(&*arguments.model), prompt].into_iter().flatten().collect();
    output::check(arguments.output.as_deref(), &inputs)?;
    let model = open_in(&arguments.model, arguments.weights)?;
    model.source().spares_data(arguments.output.as_deref())?;
    // A text may be of any kind.
    if let Some(path) = arguments.output.as_deref().filter(|_| model.medium() != Medium::Text) {
        output::check_form(path, model.medium().ending())?;
    }
    let own = arguments.own.given_to(model.source().family)?;
    let Arguments { echo, symbols, seed, decode: way, beams, .. } = arguments;
    let decode =
        Decode { way, ahead: arguments.ahead.map(|ahead| ahead as usize), beams: beams.map(|beams| beams as usize) };
    let prompt = match (arguments.prompt, &arguments.prompt_file) {
        (Some(prompt), _) => prompt.into_bytes(),
        (None, Some(path)) => read_prompt(path)?,
        (None, None) => Vec::new(),
    };
    let output = arguments.output.as_deref();
    let request = Generate { prompt: &prompt, echo, symbols, options, seed, raw, output, decode, own: &own };
    let Some(path) = &arguments.output else {
        let unseen = match model.medium() {
            Medium::Picture => Some(("a terminal shows no pictures", "samples.png")),
            Medium::Sound => Some(("a terminal plays no sounds", "sound.wav")),
            Medium::Text | Medium::Numbers => None,
        };
        if let Some((what, file)) = unseen.filter(|_| std::io::stdout().is_terminal()) {
            return Err(Error::new(Kind::Usage, what).help(format!("write it to a file: -o {file}")));
        }
        let results = &context.results;
        let medium = model.medium();
        model.generate(&request, &mut |piece| {
            results.bytes(piece)?;
            results.flush()?;
            Ok(if results.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if medium == Medium::Text && std::io::stdout().is_terminal() {
            say(""); // the shell's next line begins at the left; stdout stays exactly the text
        }
        return Ok(());
    };
    write(path, |sink| model.generate(&request, sink))
}

/// No prompt is longer, in bytes: what never ends is told and not waited for.
const LONGEST_PROMPT: u64 = 1 << 28;

/// The bytes of a file, or of stdin where it is `-`.
fn read_prompt(path: &Path) -> Result<Vec<u8>> {
    let stdin = path.as_os_str() == "-";
    let failed = |cause: &dyn std::fmt::Display| {
        let name = if stdin { "stdin".to_owned() } else { path.display().to_string() };
        Error::new(Kind::BadInput, format!("cannot read the prompt {name}")).cause(cause)
    };
    let source: Box<dyn Read> = match stdin {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(File::open(path).map_err(|error| failed(&error))?),
    };
    let mut prompt = Vec::new();
    source.take(LONGEST_PROMPT + 1).read_to_end(&mut prompt).map_err(|error| failed(&error))?;
    if prompt.len() as u64 > LONGEST_PROMPT {
        return Err(failed(&format!("it is longer than {}", bytes(LONGEST_PROMPT))));
    }
    Ok(prompt)
}

/// Writes what is made to a file while it is made, so that its length takes no memory; whole or not at all.
fn write(path: &Path, make: impl FnOnce(Sink) -> Result<()>) -> Result<()> {
    let stop = interrupt::install()?;
    let (mut failure, mut length) = (None, 0);
    let written = user_file::write_by(path, |out| {
        let made = make(&mut |piece| {
            if stop.load(Ordering::Relaxed) {
                let what = format!("stopped after {}; {} was not written", bytes(length), path.display());
                return Err(Error::new(Kind::Interrupted, what));
            }
            length += piece.len() as u64;
            out.write_all(piece).map_err(|error| write_error(path, &error))?;
            Ok(ControlFlow::Continue(()))
        });
        made.map_err(|error| {
            failure = Some(error);
            std::io::Error::other("what was to be written was not made")
        })
    });
    failure.map_or(written, Err)?;
    say(&format!("wrote {} ({})", path.display(), bytes(length)));
    Ok(())
}
