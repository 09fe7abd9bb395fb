//! What the commands print about a model of a series: its numbers, and its evaluation beside the floors.

use crate::families::Report;
use crate::families::opened::Head;
use crate::terminal::table::{Align, Table};
use models::data::Part;
use models::error::Result;
use models::evaluation::{Floor, Likelihood};
use models::pages::numbers::{counted, decimals, digits, grouped};
use models::series::description::rows;
use models::series::evaluation::SeriesEvaluation;
use models::series::exposure::HorizonError;
use models::series::linear::LinearAr;

/// The numbers of a linear model as a table.
pub fn numbers(linear: &LinearAr) -> String {
    let mut table = Table::new(&[("", Align::Left), ("value", Align::Right), ("standard error", Align::Right)]);
    rows(linear).into_iter().for_each(|row| table.row(row));
    table.to_string()
}

/// An evaluation in both forms, and the nats of every value of the series.
///
/// # Errors
/// If it has no JSON form.
pub fn report(head: Head, split: Part, evaluation: SeriesEvaluation, values: &[f64]) -> Result<Report> {
    let text = shown(&head, split, &evaluation);
    let (first, each) = (evaluation.first, &evaluation.each);
    let line = |(i, nats): (usize, &f64)| format!("{},{},{nats}\n", first + i + 1, values[first + i]);
    let each = each.iter().enumerate().map(line).collect::<String>();
    Report::new(head, split, evaluation, text, "index,value,nats\n".to_owned() + &each)
}

/// The tables that people read: the model between the floors, then the errors at some horizons.
fn shown(head: &Head, split: Part, evaluation: &SeriesEvaluation) -> String {
    let Head { model, checkpoint, .. } = head;
    let SeriesEvaluation {
        likelihood,
        given,
        rmse,
        deviation,
        free_running_rmse,
        floors,
        floors_rmse,
        horizons,
        fit,
        ..
    } = evaluation;
    let Likelihood { symbols, nats_per_symbol, .. } = *likelihood;
    let mut table = Table::new(&[
        ("one step ahead", Align::Left),
        ("RMSE", Align::Right),
        ("NRMSE", Align::Right),
        ("nats/value", Align::Right),
    ]);
    let exact = fit.as_ref().is_some_and(|fit| fit.exact);
    let ranked = floors.iter().zip(floors_rmse).map(|(Floor { name, nats }, (_, rmse))| (name.clone(), *rmse, *nats));
    let mut lines: Vec<(String, f64, f64)> = ranked.collect();
    // A fit that leaves nothing but rounding has no likelihood worth a digit.
    lines.push((format!("{model} (this model)"), *rmse, if exact { f64::NAN } else { nats_per_symbol }));
    lines.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (name, rmse, nats) in lines {
        let relative = if *deviation > 0.0 { rmse / deviation } else { f64::NAN };
        table.row([name, digits(rmse, 6), digits(relative, 5), decimals(nats, 5)]);
    }
    let mut parts = vec![
        format!(
            "{checkpoint}\n{} (split: {}; the {} before them are given) in {:.1} s",
            counted(symbols as u64, "value"),
            split.name(),
            grouped(*given as u64),
            evaluation.seconds
        ),
        table.to_string(),
        format!(
            "exposure bias: RMSE {} given the true past, {} running free over the whole part",
            digits(*rmse, 6),
            digits(*free_running_rmse, 6)
        ),
    ];
    if !horizons.is_empty() {
        let mut table = Table::new(&[
            ("steps ahead", Align::Right),
            ("RMSE running free", Align::Right),
            ("closed form", Align::Right),
            ("forecasts", Align::Right),
        ]);
        for HorizonError { horizon, origins, rmse, expected } in horizons {
            let expected = expected.map_or("–".to_string(), |expected| digits(expected, 6));
            table.row([grouped(*horizon as u64), digits(*rmse, 6), expected, grouped(*origins as u64)]);
        }
        parts.push(table.to_string());
    }
    parts.join("\n\n")
}
