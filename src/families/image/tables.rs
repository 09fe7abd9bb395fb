//! What `eval` prints and writes of pictures: the table beside the floors, and the nats of every picture.

use crate::families::opened::Head;
use crate::terminal::table::{Align, Table};
use models::data::Part;
use models::evaluation::Floor;
use models::image::evaluation::ImageEvaluation;
use models::pages::numbers::{counted, decimals};
use models::series::data::quoted;
use std::f64::consts::LN_2;

/// The table that people read: the model's line between the floors, each where it ranks.
pub fn shown(head: &Head, split: Part, evaluation: &ImageEvaluation) -> String {
    let Head { model, checkpoint, .. } = head;
    let ImageEvaluation { likelihood, images, floors, floors_counted_on, seconds, .. } = evaluation;
    let values = likelihood.symbols as f64 / *images as f64;
    let mut table = Table::new(&[("", Align::Left), ("nats/picture", Align::Right), ("bits/dimension", Align::Right)]);
    let mut lines = floors.clone();
    lines.push(Floor { name: format!("{model} (this model)"), nats: likelihood.nats_per_symbol });
    lines.sort_by(|a, b| b.nats.total_cmp(&a.nats));
    for Floor { name, nats } in lines {
        table.row([name, decimals(nats * values, 4), decimals(nats / LN_2, 5)]);
    }
    let seen = match split {
        Part::All | Part::Train if *floors_counted_on > 0 => {
            "\nThey score what they have counted themselves: --split validation or test compares fairly."
        }
        _ => "",
    };
    format!(
        "{checkpoint}\n{} (split: {}) in {seconds:.1} s\n\n{table}\n\n\
         The floors were counted on the training part of the data, {}.{seen}",
        counted(*images as u64, "picture"),
        split.name(),
        counted(*floors_counted_on as u64, "picture")
    )
}

/// The nats of every picture, in the order of the part, with its class where pictures have classes and its file where they have files.
pub fn each(evaluation: &ImageEvaluation) -> String {
    let values = evaluation.likelihood.symbols as f64 / evaluation.images as f64;
    let named = [("class", &evaluation.classes), ("file", &evaluation.files)];
    let named: Vec<(&str, &Vec<String>)> =
        named.into_iter().filter_map(|(column, names)| Some((column, names.as_ref()?))).collect();
    let line = |(i, nats): (usize, &f64)| {
        let cells: String = named.iter().map(|(_, names)| format!(",{}", quoted(&names[i]))).collect();
        format!("{},{nats},{}{cells}\n", i + 1, nats / values / LN_2)
    };
    let columns: String = named.iter().map(|(column, _)| format!(",{column}")).collect();
    format!("picture,nats,bits_per_dim{columns}\n") + &evaluation.each.iter().enumerate().map(line).collect::<String>()
}
