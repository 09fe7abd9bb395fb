//! `autoreg forecast`: the values of a series to come, with the bands that hold them, as CSV and as a picture.

use crate::families::opened::{PATH_HELP, open};
use crate::families::{self, Forecasted};
use crate::terminal::console::say;
use crate::terminal::{Context, output};
use clap::{Args, ValueEnum};
use models::data::Part;
use models::error::Result;
use models::series::column::Header;
use models::series::forecast::Outlook;
use models::series::picture::Picture;
use std::path::{Path, PathBuf};

/// Forecast a series: means, and the bands that hold a value with 80 % and 95 %.
///
/// A linear model has them in closed form, with its coefficients taken as known. A neural one is sampled: the bands hold that
/// share of the simulated futures. Without --output the forecast goes to stdout as CSV.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// How many values
    #[arg(short = 'n', long = "steps", value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    steps: u32,

    /// A picture (.svg) or a table (.csv); may be given again
    #[arg(short, long, value_name = "FILE.svg|FILE.csv")]
    output: Vec<PathBuf>,

    /// The series to go on from, where it is not where the run found it
    #[arg(long, value_name = "FILE.csv")]
    data: Option<PathBuf>,

    /// The column, where it is not that of the run
    #[arg(long, value_name = "NAME")]
    column: Option<String>,

    /// Whether the first line names the columns, where it is not as in the run: `detect`, `present` or `absent`
    #[arg(long, value_name = "WORD", value_parser = families::header_of)]
    header: Option<Header>,

    /// After which part the forecast is made; values that are known after it are drawn beside it
    #[arg(long, value_enum, default_value_t = After::All)]
    after: After,

    /// The position of the first value of the series, on the axis and in the table
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=1_000_000_000_000_000))]
    first: u64,

    /// What positions are: `year`
    #[arg(long, value_name = "WORD", default_value = "position")]
    axis: String,

    /// For a neural model: how many futures are simulated
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    futures: u32,

    /// For a neural model: another seed simulates other futures
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What is known when the forecast is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum After {
    /// All values.
    All,
    /// The training part.
    Train,
    /// The training and the validation part.
    Validation,
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for a model of text or an unknown ending, a bad input for the series, a disk error for an output.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    for path in &arguments.output {
        output::is_picture(path)?;
    }
    let inputs: Vec<&Path> =
        [Some(&arguments.model), arguments.data.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    output::check(arguments.output.iter().map(PathBuf::as_path), &inputs)?;
    let model = open(&arguments.model)?;
    model.source().spares_data(arguments.output.iter().map(PathBuf::as_path))?;
    let after = match arguments.after {
        After::All => Part::All,
        After::Train => Part::Train,
        After::Validation => Part::Validation,
    };
    let request = families::Forecast {
        data: arguments.data.clone(),
        column: arguments.column.clone(),
        header: arguments.header,
        steps: arguments.steps as usize,
        after,
        futures: arguments.futures as usize,
        seed: arguments.seed,
    };
    let Forecasted { model, series, values, known, outlooks, warning } = model.forecast(&request)?;
    let first = arguments.first as usize;
    if let Some(warning) = warning {
        say(&format!("warning: {warning}"));
    }
    if arguments.output.is_empty() {
        return context.results.text(&csv(&outlooks, first + known));
    }
    for path in &arguments.output {
        let content = if output::is_picture(path)? {
            let picture = Picture {
                title: &format!("{series}: the forecast of {model}"),
                x_label: &arguments.axis,
                y_label: &series,
                first,
                series: &values,
                known,
                outlooks: &outlooks,
            };
            picture.svg()?.as_str().to_string()
        } else {
            csv(&outlooks, first + known)
        };
        output::write(path, content.as_bytes())?;
    }
    Ok(())
}

/// One line a value, with all digits.
fn csv(outlooks: &[Outlook], first: usize) -> String {
    let mut text = "position,mean,standard_error,low_80,high_80,low_95,high_95\n".to_string();
    for (i, Outlook { mean, standard_error, within_80, within_95 }) in outlooks.iter().enumerate() {
        let position = first + i;
        let [(a, b), (c, d)] = [within_80, within_95];
        text += &format!("{position},{mean},{standard_error},{a},{b},{c},{d}\n");
    }
    text
}
