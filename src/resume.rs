//! `autoreg resume`: goes on with a run as if it had never stopped.

use crate::Context;
use crate::run::{self, TextRun};
use clap::Args;
use models::error::{Error, Kind, Result};
use models::text::corpus;
use models::text::training::TextTask;
use models::training::checkpoint::Checkpoint;
use models::training::run_files::{self, Which};
use models::training::run_folder::RunFolder;
use models::training::trainer::Trainer;
use std::path::PathBuf;
use std::time::Duration;

/// Continue a run from its last checkpoint, bit for bit as if it had never stopped.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The run folder.
    run: PathBuf,
    /// Steps of the whole run, counted from its first; a schedule that spans the run is stretched along.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Stop after this much time, with everything saved: `90s`, `10m`, `1h 30m`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    max_time: Option<Duration>,
    /// Where the data is now, if it was moved.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
}

/// Runs the subcommand.
///
/// # Errors
/// If the run, its checkpoint or its data cannot be read, or the data changed; and those of training.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let mut folder = RunFolder::open(&arguments.run)?;
    let checkpoint = Checkpoint::load(&run_files::resolve(&arguments.run, Which::Latest)?)?;
    let mut config = run::read_text_config(&arguments.run)?;
    if let Some(data) = &arguments.data {
        config.data.path = data.display().to_string();
    }
    let text = corpus::read(&PathBuf::from(&config.data.path))?;
    let progress = checkpoint.progress.clone().unwrap_or_default();
    let known = &progress.settings["data"];
    if !known.is_null() && *known != run::fingerprint(&text) {
        return Err(Error::new(Kind::BadInput, format!("{} is not the text of this run", config.data.path))
            .cause("its length or content changed since the run began")
            .help("--data names the original; `autoreg train` begins a run on the new text"));
    }
    if let Some(steps) = arguments.steps {
        if steps < progress.step {
            return Err(Error::new(
                Kind::Usage,
                format!("--steps {steps} is less than the {} steps done", progress.step),
            ));
        }
        config.training.steps = steps;
    }
    let (task, model) = TextTask::of_checkpoint(&text, &config, &checkpoint)?;
    let mut trainer = Trainer::new(task, model, config.training.clone())?;
    trainer.restore(&checkpoint)?;
    trainer.progress.settings = run::settings(trainer.task.config(), &text);
    folder.truncate_metrics(trainer.progress.step)?;
    folder.write_config(&models::training::config::to_toml(trainer.task.config())?)?;
    TextRun { trainer, folder, max_time: arguments.max_time }.train(context).map(|_| ())
}
