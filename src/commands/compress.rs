//! `autoreg compress`: a file as the bits that a model finds it surprising.

use crate::families::Compress;
use crate::families::flags::{FamilyFlags, ForCompress};
use crate::families::opened::{Head, PATH_HELP, open};
use crate::terminal::console::say;
use crate::terminal::results::to_json;
use crate::terminal::table::{Align, Table};
use crate::terminal::{Context, output};
use clap::Args;
use models::compression::{Kept, Report};
use models::error::{Error, Kind, Result};
use models::pages::numbers::{counted, decimals, grouped};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Compress a text, a picture in PNG, pictures in IDX or a WAV by a model: its likelihood as bytes.
///
/// A symbol of probability p takes -log2 p bits, so the file is as long as the model finds it surprising, and some thirty bytes longer. `autoreg
/// decompress` brings it back, by the same weights alone: the file knows its model.
///
/// Beside the model stand its likelihood, which no coder can be below on average, and what compressors reach that know no model, on
/// what comes back: LZMA (of xz; in the frame of lzip), PNG for pictures, FLAC for sounds. A model of fewer than 256 levels, or of the 256 codes of
/// mu-law, brings back what it tells apart; that is said.
///
/// Every symbol is a step of the model, here and when it is brought back: some hundred thousand a second of a small one.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// What is compressed
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The compressed file, written whole or not at all; - for stdout, and the table goes to stderr
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// Print one JSON object, with all digits
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    own: FamilyFlags<ForCompress>,
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for a model of real numbers, a bad input for a file that does not serve, a disk error for the output.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { model, file, output, json, own } = arguments;
    let to_stdout = output == Path::new("-");
    if to_stdout && json {
        return Err(Error::new(Kind::Usage, "-o - with --json: stdout has the compressed file")
            .help("name a file, or leave --json out: the table goes to stderr"));
    }
    if to_stdout && std::io::stdout().is_terminal() {
        return Err(Error::new(Kind::Usage, "a terminal shows no compressed file").help("write it to a file: -o OUT"));
    }
    let outputs = (!to_stdout).then_some(&*output);
    output::check(outputs, &[&file, &model])?;
    let model = open(&model)?;
    model.source().spares_data(outputs)?;
    let own = own.given_to(model.source().family)?;
    let begin = Instant::now();
    let report = model.compress(&Compress { file: &file, own: &own })?;
    let seconds = begin.elapsed().as_secs_f64();
    let head = model.source().head();
    if to_stdout {
        context.results.bytes(&report.compressed.bytes)?;
        say(&shown(&head, &file, &report, seconds));
        return Ok(());
    }
    output::write(&output, &report.compressed.bytes)?;
    context.results.line(if json { told(head, &report, seconds)? } else { shown(&head, &file, &report, seconds) })
}

/// Bits of a symbol, where there are symbols.
fn per_symbol(bits: f64, report: &Report) -> f64 {
    bits / report.compressed.symbols.max(1) as f64
}

/// What was made, as JSON.
fn told(head: Head, report: &Report, seconds: f64) -> Result<String> {
    #[derive(Serialize)]
    struct Told<'a> {
        #[serde(flatten)]
        head: Head,
        symbols: usize,
        bytes_in: u64,
        bytes_out: u64,
        bits_per_symbol: f64,
        likelihood_bits: f64,
        likelihood_bits_per_symbol: f64,
        /// `bytes`, `content` or `changed`.
        comes_back: &'static str,
        rivals: BTreeMap<&'a str, u64>,
        seconds: f64,
    }
    let (compressed, bytes_out) = (&report.compressed, report.compressed.bytes.len() as u64);
    to_json(&Told {
        head,
        symbols: compressed.symbols,
        bytes_in: report.given,
        bytes_out,
        bits_per_symbol: per_symbol(8.0 * bytes_out as f64, report),
        likelihood_bits: compressed.likelihood_bits,
        likelihood_bits_per_symbol: per_symbol(compressed.likelihood_bits, report),
        comes_back: match report.kept {
            Kept::Bytes => "bytes",
            Kept::Content(_) => "content",
            Kept::Changed(_) => "changed",
        },
        rivals: report.rivals.iter().map(|rival| (rival.name, rival.bytes)).collect(),
        seconds,
    })
}

/// The table that people read: the model's line between those of its rivals, the longest first, and its likelihood after it.
fn shown(head: &Head, file: &Path, report: &Report, seconds: f64) -> String {
    let compressed = &report.compressed;
    let mut table = Table::new(&[("", Align::Left), ("bytes", Align::Right), ("bits/symbol", Align::Right)]);
    let own = compressed.bytes.len() as u64;
    let mut lines: Vec<(String, u64)> =
        report.rivals.iter().map(|rival| (rival.name.to_owned(), rival.bytes)).collect();
    lines.push((format!("{} (this model)", head.model), own));
    lines.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    for (name, bytes) in lines {
        let is_own = name.ends_with("(this model)");
        table.row([name, grouped(bytes), decimals(per_symbol(8.0 * bytes as f64, report), 5)]);
        if is_own {
            let bits = compressed.likelihood_bits;
            table.row(["  its likelihood".to_owned(), decimals(bits / 8.0, 1), decimals(per_symbol(bits, report), 5)]);
        }
    }
    let back = match &report.kept {
        Kept::Bytes => "the file, byte for byte".to_owned(),
        Kept::Content(what) => format!("{what}; the file is written anew"),
        Kept::Changed(how) => how.clone(),
    };
    format!(
        "{}\n{}: {}, {} in {seconds:.1} s\n\n{table}\n\nWhat comes back: {back}.",
        head.checkpoint,
        file.display(),
        counted(report.given, "byte"),
        counted(compressed.symbols as u64, "symbol"),
    )
}
