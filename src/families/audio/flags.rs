//! The flags that sounds add to `train`, `generate`, `eval`, `compress`, `vocode` and `receptive-field`. They stand in no group, whose name would be that of
//! another family's.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct TrainFlags {
    /// `wavenet`.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// What the names of files say, as {digit}_{speaker}_{index}.wav.
    #[arg(long, value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// The recordings to test on, by their labels: index<5.
    #[arg(long, value_name = "WHERE")]
    pub test_where: Option<String>,
    /// The recordings to validate on, by their labels.
    #[arg(long, value_name = "WHERE")]
    pub validation_where: Option<String>,
    /// Recordings to validate on, where they are no part of the data: a file, or a folder of files.
    #[arg(long, value_name = "PATH")]
    pub validation: Option<PathBuf>,
    /// Recordings to test on.
    #[arg(long, value_name = "PATH")]
    pub test: Option<PathBuf>,
    /// The folder of frames that the model is told: for a/b.wav it holds a/b.csv; with model.local={ frames = { hop = 64 } }.
    #[arg(long, value_name = "FOLDER")]
    pub frames_path: Option<PathBuf>,
    /// Bring all recordings to so many samples per second.
    #[arg(long, value_name = "HZ")]
    pub rate: Option<u32>,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct GenerateFlags {
    /// How long each sound is, in seconds [default: 2, or as long as what --condition names].
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// Go on from a recording.
    #[arg(long, value_name = "FILE.wav")]
    pub prime: Option<PathBuf>,
    /// What the sound is to be moment by moment: a recording, whose mel frames are taken, or frames as CSV.
    #[arg(long, value_name = "FILE.wav|FILE.csv")]
    pub condition: Option<PathBuf>,
    #[command(flatten)]
    pub told: LabelFlags,
    /// Bring recordings that are named here to the rate of the model.
    #[arg(long)]
    pub resample: bool,
}

/// What a model is told of a sound as a whole.
#[derive(Args, Debug)]
#[group(skip)]
pub struct LabelFlags {
    /// Who speaks, of those that the model met.
    #[arg(long, value_name = "NAME")]
    pub speaker: Option<String>,
    /// Which digit is spoken.
    #[arg(long, value_name = "D")]
    pub digit: Option<String>,
    /// Any label that the model is told; those that are not named come in turn.
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Vec<String>,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct EvalFlags {
    /// What the names of files say, where they are not named as those of the run.
    #[arg(long, value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// Bring recordings to the rate of the model.
    #[arg(long)]
    pub resample: bool,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct VocodeFlags {
    #[command(flatten)]
    pub told: LabelFlags,
    /// What the names of files say, where they are not named as those of the run.
    #[arg(long, value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// Bring recordings to the rate of the model.
    #[arg(long)]
    pub resample: bool,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct CompressFlags {
    #[command(flatten)]
    pub told: LabelFlags,
    /// What the name of the file says, where it is not named as those of the run.
    #[arg(long, value_name = "PATTERN")]
    pub pattern: Option<String>,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct ReceptiveFieldFlags {
    /// How many times the dilations begin again, with --model [default: 1].
    #[arg(long, value_name = "N", conflicts_with = "run", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub stacks: Option<u32>,
    /// Samples per second, with --model, to tell milliseconds.
    #[arg(long, value_name = "HZ", conflicts_with = "run", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
}
