//! What `train`, `resume` and `demo` say about a training on text.

use crate::run::About;
use models::configuration;
use models::error::Result;
use models::pages::loss_picture::Floor;
use models::pages::run_page::{RunSummary, grouped};
use models::text::floors::Floors;
use models::text::training::TextTask;
use std::path::Path;

/// The floors of a task's validation part; none where there is nothing to score.
fn floors(task: &TextTask) -> Vec<Floor> {
    let corpus = &task.corpus;
    let measured = Floors::measure(&corpus.train, &corpus.validation, task.vocabulary.size());
    measured.map_or(Vec::new(), |floors| floors.iter().map(|(name, nats)| Floor { name, nats }).collect())
}

/// What is said about a training on text in this folder.
///
/// # Errors
/// If the configuration has no text form.
pub fn about(task: &TextTask, folder: &Path) -> Result<About> {
    let (config, corpus) = (task.config(), &task.corpus);
    let model = &config.model;
    let name = folder.display();
    let commands = [
        ("Write more text", format!("autoreg generate {name} -n 500 --seed 1")),
        ("Score it again, exactly", format!("autoreg eval {name} --data {} --split validation", config.data.path)),
        ("Train on", format!("autoreg resume {name} --steps {}", 2 * config.training.steps)),
        ("Check that it is a model", format!("autoreg check {name}")),
    ];
    let data =
        Path::new(&config.data.path).file_name().map_or("text".into(), |name| name.to_string_lossy().into_owned());
    let kind = model.model.name().to_uppercase();
    let announcement = format!(
        "{kind} × {}, {} units; {} symbols; {} to train on, {} to validate",
        model.layers,
        model.hidden,
        task.vocabulary.size(),
        grouped(corpus.train.len() as u64),
        grouped(corpus.validation.len() as u64)
    );
    let summary = RunSummary {
        title: format!("{kind} on {data}"),
        unit: config.data.vocabulary.unit().to_string(),
        floors: floors(task),
        commands: commands.map(|(what, command)| (what.to_string(), command)).to_vec(),
        config: configuration::rows(config)?,
        ..RunSummary::default()
    };
    Ok(About { announcement, summary, steps: config.training.steps })
}
