//! `autoreg compare`: the ways of generating side by side, each measured once.

use crate::families::Compare;
use crate::families::flags::{FamilyFlags, ForCompare};
use crate::families::opened::{Head, PATH_HELP, open};
use crate::terminal::console::say;
use crate::terminal::results::to_json;
use crate::terminal::table::{Align, Table};
use crate::terminal::{Context, output};
use clap::Args;
use models::decoding::comparison::{Measured, Outcome};
use models::error::Result;
use models::pages::numbers::{decimals, grouped};
use models::pages::plot::{Mark, Plot};
use serde::Serialize;
use std::path::PathBuf;

/// Compare the ways of generating: what each costs in passes and seconds, what comes out, and how likely the model finds that.
///
/// Of a text, every way goes on from the beginning of the run's validation part; beside the model judges a Markov chain of order 4, counted on
/// the training part. Of pictures, every way draws as many. Where one way is said to give the sample of another, the two were compared symbol
/// by symbol. What is independent takes each symbol by its own frequency, whatever the others are: one look, and no model of anything.
///
/// A masked model has no likelihood to judge by: name it with --masked beside an exact one over the same symbols, and what it draws in a few
/// rounds is judged as the rest.
///
/// Nats are of what came out, under the model with its own weights: beside those of held-out data they say how far a way strays. A mean over
/// one sequence wavers; more symbols waver less.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// The run's data
    #[arg(long, value_name = "PATH")]
    data: PathBuf,

    /// How many symbols are drawn, or pictures [default: 500 symbols, 4 pictures]
    #[arg(short = 'n', long = "symbols", value_name = "N")]
    symbols: Option<usize>,

    /// Another seed draws others
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Draw the passes and the nats of every way
    #[arg(short, long, value_name = "FILE.svg")]
    output: Option<PathBuf>,

    /// Print one JSON object, with all digits
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    own: FamilyFlags<ForCompare>,
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for a family that has one way alone, a bad input for data that do not serve, a disk error for the output.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let Arguments { model, data, symbols, seed, output, json, own } = arguments;
    output.as_deref().map_or(Ok(()), |path| output::check_form(path, "svg"))?;
    output::check(output.as_deref(), &[&data, &model])?;
    let model = open(&model)?;
    model.source().spares_data(output.as_deref())?;
    let own = own.given_to(model.source().family)?;
    let request = Compare { data: &data, symbols, seed, own: &own };
    let ways = model.compare(&request, &mut |way| say(&format!("measuring: {way}")))?;
    if let Some(path) = &output {
        output::write(path, picture(&ways)?.as_str().as_bytes())?;
    }
    let head = model.source().head();
    if json {
        #[derive(Serialize)]
        struct Object {
            #[serde(flatten)]
            head: Head,
            ways: Vec<Measured>,
        }
        return context.results.line(to_json(&Object { head, ways })?);
    }
    context.results.line(format!("{}\n\n{}", head.checkpoint, shown(&ways)))
}

fn shown(ways: &[Measured]) -> String {
    let judged = ways.iter().any(|way| way.chain_nats_per_symbol.is_some());
    let mut columns = vec![("way", Align::Left), ("what comes out", Align::Left)];
    columns.extend(
        ["symbols", "passes", "a pass", "seconds", "symbols/s", "nats/symbol"].map(|name| (name, Align::Right)),
    );
    columns.extend(judged.then_some(("by the chain", Align::Right)));
    let mut table = Table::new(&columns);
    for Measured { way, outcome, cost, seconds, nats_per_symbol, chain_nats_per_symbol } in ways {
        let (drawn, passes) = (cost.symbols > 0, cost.passes > 0);
        let or = |there: bool, said: String| if there { said } else { "–".to_owned() };
        let mut row = vec![
            way.clone(),
            outcome.name().to_owned(),
            or(drawn, grouped(cost.symbols)),
            or(passes, grouped(cost.passes)),
            or(passes, decimals(cost.symbols as f64 / cost.passes.max(1) as f64, 2)),
            or(drawn, decimals(*seconds, 3)),
            or(drawn, grouped((cost.symbols as f64 / seconds.max(1e-9)) as u64)),
            decimals(*nats_per_symbol, 4),
        ];
        row.extend(chain_nats_per_symbol.map(|nats| decimals(nats, 4)));
        table.row(row);
    }
    table.to_string()
}

/// Passes a symbol against nats a symbol; held-out data are a level.
fn picture(ways: &[Measured]) -> Result<models::pages::plot::Svg> {
    let mut plot =
        Plot::new("Ways of generating", "passes of the network for a symbol", "nats a symbol, under the model")
            .x_from(0.0);
    for way in ways {
        plot = match way.outcome {
            Outcome::Data => plot.level(way.way.clone(), way.nats_per_symbol),
            _ => {
                let passes = way.cost.passes as f64 / way.cost.symbols.max(1) as f64;
                plot.series(way.way.clone(), Mark::Dots, vec![(passes, way.nats_per_symbol)])
            }
        };
    }
    plot.svg()
}
