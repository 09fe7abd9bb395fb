//! The flags that series add to `train`, `eval` and `drift`.

use clap::Args;
use models::series::column::Header;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct TrainFlags {
    /// `ar` (fitted, in no steps) or `neural-ar`.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// The column, by name or by number from 1 (`#2` is a number for certain) [default: the only one].
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// Whether the first line names the columns: `detect`, `present` or `absent` [default: detect].
    #[arg(long, value_name = "WORD")]
    pub header: Option<String>,
    /// How many earlier values are looked at, or `auto`.
    #[arg(long, value_name = "K|auto", allow_hyphen_values = true)]
    pub lags: Option<String>,
    /// How far apart they lie.
    #[arg(long, value_name = "N")]
    pub stride: Option<u64>,
    /// For `ar`: `ols`, `yule-walker` or `burg`.
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,
    /// What is chosen on, before the test part: a share of the values, or how many [default: nothing for `ar`, which is fitted on
    /// all values; 0.1 for `neural-ar`].
    #[arg(long, value_name = "SHARE|N")]
    pub validation: Option<f64>,
    /// What is reported on, at the end: a share of the values, or how many [default: as --validation].
    #[arg(long, value_name = "SHARE|N")]
    pub test: Option<f64>,
}

#[derive(Args, Debug)]
pub struct EvalFlags {
    /// The column, where it is not that of the run.
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// Whether the first line names the columns, where it is not as in the run: `detect`, `present` or `absent`.
    #[arg(long, value_name = "WORD", value_parser = header_of)]
    pub header: Option<Header>,
    /// How many steps ahead errors are measured.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub horizons: u32,
    /// Draw the errors at every horizon, measured and in closed form.
    #[arg(short, long, value_name = "FILE.svg")]
    pub output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct DriftFlags {
    /// The column, where it is not that of the run.
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// Whether the first line names the columns, where it is not as in the run: `detect`, `present` or `absent`.
    #[arg(long, value_name = "WORD", value_parser = header_of)]
    pub header: Option<Header>,
}

/// A header as the command line says it.
pub fn header_of(word: &str) -> std::result::Result<Header, String> {
    match word {
        "detect" => Ok(Header::Detect),
        "present" => Ok(Header::Present),
        "absent" => Ok(Header::Absent),
        _ => Err("it is detect, present or absent".to_owned()),
    }
}
