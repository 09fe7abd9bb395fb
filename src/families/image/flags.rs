//! The flags that images add to `train`, `generate`, `eval`, `compress` and `receptive-field`. They stand in no group, whose name would be that of another family's.

use clap::Args;
use models::image::receptive_field::MOST_SIDE;
use models::image::receptive_field::picture::MOST_SCALE;
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
    /// Draw what is missing of a picture, and keep the rest: its first rows (--rows), or all that a mask leaves (--mask).
    #[arg(long, value_name = "FILE.png")]
    pub complete: Option<PathBuf>,
    /// How many rows of it are given: exact, as rows come one after another.
    #[arg(long, value_name = "R", requires = "complete", conflicts_with = "mask")]
    pub rows: Option<u32>,
    /// A picture of the same size: what is white in it (above 127 in any channel) is drawn, what is black is kept. Approximate where
    /// something kept comes after something drawn.
    #[arg(long, value_name = "MASK.png", requires = "complete")]
    pub mask: Option<PathBuf>,
    /// Write the pictures after every row into a folder, as frame-0001.png and so on; what is not drawn yet is grey. The folder is made,
    /// or holds nothing but earlier frames, which are replaced.
    #[arg(long, value_name = "FOLDER")]
    pub frames: Option<PathBuf>,
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

#[derive(Args, Debug)]
#[group(skip)]
pub struct CompressFlags {
    /// The class of the picture, or of all of them, by name or number, where the model is told it.
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// The IDX file of the class of each picture, or `auto` for the one beside the pictures.
    #[arg(long, value_name = "PATH|auto", conflicts_with = "class")]
    pub labels: Option<String>,
}

#[derive(Args, Debug)]
#[group(skip)]
pub struct ReceptiveFieldFlags {
    /// The sub-pixel that looks, each counted from 0 [default: the first colour of the pixel in the middle].
    #[arg(long, value_name = "ROW,COLUMN[,COLOUR]", value_parser = place)]
    pub at: Option<[usize; 3]>,
    /// Rows and columns of the picture, with --model [default: 28x28].
    #[arg(long, value_name = "HxW", conflicts_with = "run", value_parser = size)]
    pub size: Option<[usize; 2]>,
    /// Colours of a pixel, 1 or 3, with --model [default: 1].
    #[arg(long, value_name = "1|3", conflicts_with = "run", value_parser = colours)]
    pub colours: Option<usize>,
    /// The side of the square that a sub-pixel is drawn as [default: as makes a picture of about 500 pixels].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_SCALE as i64))]
    pub scale: Option<u32>,
}

fn place(word: &str) -> Result<[usize; 3], String> {
    let numbers: Option<Vec<usize>> = word.split(',').map(|number| number.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[row, column]) => Ok([row, column, 0]),
        Some(&[row, column, colour]) => Ok([row, column, colour]),
        _ => Err("it is ROW,COLUMN or ROW,COLUMN,COLOUR, as 14,14".to_owned()),
    }
}

fn size(word: &str) -> Result<[usize; 2], String> {
    let sides = word.split_once(['x', '×']);
    let sides = sides.and_then(|(height, width)| Some([height.trim().parse().ok()?, width.trim().parse().ok()?]));
    match sides {
        Some(sides) if sides.iter().all(|side| (1..=MOST_SIDE).contains(side)) => Ok(sides),
        Some(_) => Err(format!("each side is from 1 to {MOST_SIDE}")),
        None => Err("it is HxW, rows and columns, as 28x28".to_owned()),
    }
}

fn colours(word: &str) -> Result<usize, String> {
    word.parse().ok().filter(|colours| [1, 3].contains(colours)).ok_or("it is 1 for grey or 3 for RGB".to_owned())
}
