//! The flags that images add to `train`, `generate` and `eval`. They stand in no group, whose name would be that of another family's.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct TrainFlags {
    /// `pixelcnn`, `gated-pixelcnn`, `row-lstm` or `diagonal-lstm`.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// The levels of a sub-pixel that are told apart: 2 for black and white, at most 256.
    #[arg(long, value_name = "V")]
    pub levels: Option<u64>,
    /// Pictures to validate on, where they are no part of the data: a file, or a folder of files.
    #[arg(long, value_name = "PATH")]
    pub validation: Option<PathBuf>,
    /// Pictures to test on.
    #[arg(long, value_name = "PATH")]
    pub test: Option<PathBuf>,
    /// The IDX file of the classes, or `auto` for the one beside the pictures.
    #[arg(long, value_name = "PATH|auto")]
    pub labels: Option<String>,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct GenerateFlags {
    /// Draw pictures of this class, by name or number; without it class after class.
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// Go on from the first rows of a picture, which stay as they are: exact, as rows come one after another.
    #[arg(long, value_name = "FILE.png", requires = "rows")]
    pub complete: Option<PathBuf>,
    /// How many rows of it are given.
    #[arg(long, value_name = "R", requires = "complete")]
    pub rows: Option<u32>,
    /// The side of the square that a pixel is drawn as.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub scale: u32,
    /// Pictures in a row of the grid [default: about as many as there are rows].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub columns: Option<u32>,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct EvalFlags {
    /// The IDX file of the classes, or `auto` for the one beside the pictures, where they are not those of the run.
    #[arg(long, value_name = "PATH|auto")]
    pub labels: Option<String>,
}
