//! What `eval` prints and writes of recordings: the table beside the floors, and the nats of every recording.

use crate::families::opened::Head;
use crate::terminal::table::{Align, Table};
use models::audio::evaluation::AudioEvaluation;
use models::data::Part;
use models::evaluation::Floor;
use models::pages::numbers::{counted, decimals, grouped};
use models::series::data::quoted;
use std::f64::consts::LN_2;

/// The table that people read: the model's line between the floors, each where it ranks.
pub fn shown(head: &Head, split: Part, evaluation: &AudioEvaluation) -> String {
    let Head { model, checkpoint, .. } = head;
    let AudioEvaluation { likelihood, recordings, length, floors, floors_counted_on, seconds, .. } = evaluation;
    let mut table = Table::new(&[("", Align::Left), ("nats/sample", Align::Right), ("bits/sample", Align::Right)]);
    let mut lines = floors.clone();
    lines.push(Floor { name: format!("{model} (this model)"), nats: likelihood.nats_per_symbol });
    lines.sort_by(|a, b| b.nats.total_cmp(&a.nats));
    for Floor { name, nats } in lines {
        table.row([name, decimals(nats, 5), decimals(nats / LN_2, 5)]);
    }
    let seen = match split {
        Part::All | Part::Train if *floors_counted_on > 0 => {
            "\nThey score what they have counted themselves: --split validation or test compares fairly."
        }
        _ => "",
    };
    format!(
        "{checkpoint}\n{}, {} samples, {} s (split: {}) in {seconds:.1} s\n\n{table}\n\n\
         Every sample counts, a recording's first among them. The floors were counted on the training part of the data, {}.{seen}",
        counted(*recordings as u64, "recording"),
        grouped(likelihood.symbols as u64),
        decimals(*length, 1),
        split.name(),
        counted(*floors_counted_on as u64, "recording")
    )
}

/// The nats of every recording, in the order of the part.
pub fn each(evaluation: &AudioEvaluation) -> String {
    let line = |(file, samples, nats): &(String, usize, f64)| {
        let bits = nats / LN_2 / (*samples).max(1) as f64;
        format!("{},{samples},{nats},{bits}\n", quoted(file))
    };
    "file,samples,nats,bits_per_sample\n".to_owned() + &evaluation.each.iter().map(line).collect::<String>()
}
