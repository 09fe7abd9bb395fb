//! What `eval` prints of a text: the table beside the floors, of a likelihood or of a bound.

use crate::families::opened::Head;
use crate::terminal::table::{Align, Table};
use models::data::Part;
use models::evaluation::{Floor, Likelihood};
use models::pages::numbers::{counted, decimals};
use models::text::context::Context;
use models::text::evaluation::{Line, TextEvaluation};
use models::text::masked::evaluation::BoundEvaluation;
use std::f64::consts::LN_2;

/// The table that people read: the model's line between the floors, each where it ranks.
pub(super) fn shown(head: &Head, split: Part, evaluation: &TextEvaluation) -> String {
    let Head { model, checkpoint, .. } = head;
    let TextEvaluation { likelihood, floors, floors_counted_on, seconds, context, .. } = evaluation;
    let Likelihood { symbols, nats_per_symbol, .. } = *likelihood;
    let mut table = Table::new(&[
        ("", Align::Left),
        ("nats/symbol", Align::Right),
        ("bits/symbol", Align::Right),
        ("perplexity", Align::Right),
    ]);
    let mut lines = floors.clone();
    lines.push(Floor { name: format!("{model} (this model)"), nats: nats_per_symbol });
    lines.sort_by(|a, b| b.nats.total_cmp(&a.nats));
    for Floor { name, nats } in lines {
        table.row([name, decimals(nats, 5), decimals(nats / LN_2, 5), decimals(nats.exp(), 4)]);
    }
    let seen = match split {
        Part::All | Part::Train if *floors_counted_on > 0 => {
            "\nThey score what they have counted themselves: --split validation or test compares fairly."
        }
        _ => "",
    };
    let sight = context.map_or_else(String::new, |Context { stride, least, most }| {
        let back = if least == most { format!("{most}") } else { format!("{least} to {most}") };
        format!("Each symbol is predicted from the {back} before it, where there are so many: windows begin {stride} apart.\n")
    });
    format!(
        "{checkpoint}\n{} (split: {}) in {seconds:.1} s\n\n{table}\n\n{sight}\
         The floors were counted on the training part of the text, {}.{seen}",
        counted(symbols as u64, "symbol"),
        split.name(),
        counted(*floors_counted_on as u64, "symbol")
    )
}

/// The table of a bound: what is exact, the floors, beside what the model costs at most.
pub(super) fn bounded(head: &Head, split: Part, evaluation: &BoundEvaluation) -> String {
    let Head { model, checkpoint, .. } = head;
    let &BoundEvaluation { symbols, nats_per_symbol_at_most: nats, standard_error, draws, window, seconds, .. } =
        evaluation;
    let mut table = Table::new(&[("", Align::Left), ("nats/symbol", Align::Right), ("bits/symbol", Align::Right)]);
    let mut lines: Vec<(String, f64, &str)> =
        evaluation.floors.iter().map(|Floor { name, nats }| (name.clone(), *nats, "")).collect();
    lines.push((format!("{model} (this model), at most"), nats, "≤ "));
    lines.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (name, nats, at_most) in lines {
        table.row([name, format!("{at_most}{}", decimals(nats, 5)), format!("{at_most}{}", decimals(nats / LN_2, 5))]);
    }
    let error = standard_error.map_or("its error is unknown".to_owned(), |error| format!("± {}", decimals(error, 5)));
    format!(
        "{checkpoint}\n{} (split: {}) in {seconds:.1} s\n\n{table}\n\n\
         The model's line is an upper bound and no likelihood: the mean over orders in which windows of {window} are written, estimated from {} \
         of masks for each window ({error} nats). Its own likelihood is lower by an unknown amount; that of a model which predicts the next \
         symbol is exact, and the two do not compare as equals.\n\
         The floors are exact, and were counted on the training part of the text, {}.",
        counted(symbols as u64, "symbol"),
        split.name(),
        counted(draws as u64, "draw"),
        counted(evaluation.floors_counted_on as u64, "symbol")
    )
}

/// The lines of a text and what each cost, as CSV.
pub(super) fn each_line(nats: &str, lines: &[Line]) -> String {
    let line = |(i, Line { symbols, nats }): (usize, &Line)| format!("{},{symbols},{nats}\n", i + 1);
    format!("line,symbols,{nats}\n") + &lines.iter().enumerate().map(line).collect::<String>()
}
