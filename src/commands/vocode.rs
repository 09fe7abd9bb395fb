//! `autoreg vocode`: recordings through their spectrogram and back, by a model.

use crate::families::flags::{FamilyFlags, ForVocode};
use crate::families::opened::{PATH_HELP, open};
use crate::families::{Vocode, Vocoded};
use crate::terminal::results::to_json;
use crate::terminal::table::{Align, Table};
use crate::terminal::{Context, output};
use clap::Args;
use models::error::{Error, Kind, Result};
use models::pages::numbers::{decimals, grouped};
use models::sampling::Options;
use models::storage::user_file;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Make recordings again from their mel spectrograms alone, by a model that is told them: copy synthesis.
///
/// Beside each stands how likely the true recording is under the model (bits per sample), and how far what was made is from it: the
/// log-spectral distance and the distance of log-mel frames, in decibels. Both are of loudness at each frequency and moment: phases are the
/// model's own, and nobody hears them. Of several recordings, in the last line, bits are of all their samples, distances the mean of theirs.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// A recording, or a folder of them
    #[arg(value_name = "FILE.wav|FOLDER")]
    recordings: PathBuf,

    /// The file that is written; of a folder a folder, which is made, or empty: what was interrupted is made anew, in another one
    #[arg(short, long, value_name = "OUT.wav|FOLDER")]
    output: PathBuf,

    /// Below 1 sharpens the distribution of each sample, above 1 flattens it
    #[arg(long, value_name = "T", default_value_t = 1.0)]
    temperature: f64,

    /// Another seed makes another sound
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Print one JSON object, with all digits
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    own: FamilyFlags<ForVocode>,
}

/// What is told of a recording.
#[derive(Serialize)]
struct Told {
    name: String,
    samples: usize,
    bits_per_sample: f64,
    log_spectral_distance: f64,
    log_mel_distance: f64,
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for a model that is told no spectrogram, a bad input for what is no recording, a disk error for the output.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { model, recordings, output, temperature, seed, json, own } = arguments;
    let options = Options { temperature, ..Options::default() };
    options.check()?;
    let folder = recordings.is_dir();
    if output == Path::new("-") {
        return Err(Error::new(Kind::Usage, "-o -: what is made is a file, and stdout has the table")
            .help("name a file; `autoreg generate RUN --condition FILE.wav -o -` streams samples"));
    }
    if folder {
        is_free(&output, &recordings)?
    } else {
        output::check_form(&output, "wav")?;
        output::check([&*output], &[&recordings, &model])?
    }
    let model = open(&model)?;
    model.source().spares_data([&*output])?;
    let own = own.given_to(model.source().family)?;
    let mut all: Vec<Told> = Vec::new();
    let request = Vocode { recordings: &recordings, options, seed, own: &own };
    model.vocode(&request, &mut |vocoded| {
        let Vocoded { name, file, samples, bits_per_sample, log_spectral_distance, log_mel_distance } = vocoded;
        if folder {
            let path = output.join(&name);
            let made = path.parent().map_or(Ok(()), fs::create_dir_all);
            made.map_err(|error| {
                Error::new(Kind::Disk, format!("cannot make the folder of {}", path.display())).cause(error)
            })?;
            user_file::write(&path, &file)?;
        } else {
            output::write(&output, &file)?;
        }
        all.push(Told { name, samples, bits_per_sample, log_spectral_distance, log_mel_distance });
        Ok(())
    })?;
    let mean = mean(&all);
    if json {
        #[derive(Serialize)]
        struct Object {
            recordings: Vec<Told>,
            all: Told,
        }
        return context.results.line(to_json(&Object { recordings: all, all: mean })?);
    }
    context.results.line(shown(&all, &mean))
}

/// Refuses a folder to write that holds something, or lies in the one that is read.
fn is_free(output: &Path, recordings: &Path) -> Result<()> {
    let refused = |cause: &str| {
        Err(Error::new(Kind::Usage, format!("{} cannot be the folder of what is made", output.display()))
            .cause(cause)
            .help("name a folder that is not there yet"))
    };
    if output.exists() {
        if !output.is_dir() {
            return refused("it is a file, and what is read is a folder");
        }
        let mut inside = fs::read_dir(output)
            .map_err(|error| Error::new(Kind::Disk, format!("cannot read {}", output.display())).cause(error))?;
        if inside.next().is_some() {
            return refused("it is not empty, and nothing in it is to be lost");
        }
    }
    let place = output.canonicalize().ok().or_else(|| user_file::place(output)).zip(recordings.canonicalize().ok());
    match place.is_some_and(|(place, recordings)| place.starts_with(recordings)) {
        true => refused("it lies in the folder that is read"),
        false => Ok(()),
    }
}

/// Of all recordings: their samples in all, the bits of one of these, and the mean of the recordings' distances.
fn mean(all: &[Told]) -> Told {
    let samples: usize = all.iter().map(|told| told.samples).sum();
    let count = all.len().max(1) as f64;
    let bits: f64 = all.iter().map(|told| told.bits_per_sample * told.samples as f64).sum();
    Told {
        name: "all".to_owned(),
        samples,
        bits_per_sample: bits / samples.max(1) as f64,
        log_spectral_distance: all.iter().map(|told| told.log_spectral_distance).sum::<f64>() / count,
        log_mel_distance: all.iter().map(|told| told.log_mel_distance).sum::<f64>() / count,
    }
}

/// Recordings that are listed one by one; of more the mean is told alone.
const LISTED: usize = 20;

fn shown(all: &[Told], mean: &Told) -> String {
    let columns = ["samples", "bits/sample", "log-spectral dB", "log-mel dB"].map(|name| (name, Align::Right));
    let mut table = Table::new(&[&[("", Align::Left)][..], &columns].concat());
    let listed = if all.len() > LISTED { &[][..] } else { all };
    for told in listed.iter().chain((all.len() > 1).then_some(mean)) {
        table.row([
            told.name.clone(),
            grouped(told.samples as u64),
            decimals(told.bits_per_sample, 4),
            decimals(told.log_spectral_distance, 2),
            decimals(told.log_mel_distance, 2),
        ]);
    }
    table.to_string()
}
