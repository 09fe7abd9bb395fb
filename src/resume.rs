//! `autoreg resume`: goes on with a run as if it had never stopped.

use crate::run::{self, About, Run};
use crate::{Context, run_series, run_text};
use clap::Args;
use models::configuration::to_toml;
use models::error::{Error, Kind, Result};
use models::series::config::SeriesConfig;
use models::series::saved::SavedSeries;
use models::series::training::{SeriesData, SeriesTask};
use models::storage::checkpoint::Checkpoint;
use models::storage::run_files::{self, Which};
use models::storage::run_folder::RunFolder;
use models::text::corpus;
use models::text::training::{TextConfig, TextTask};
use models::training::settings::Settings;
use models::training::trainer::{Task, Trainer};
use serde::Serialize;
use std::path::{Path, PathBuf};
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
    let folder = RunFolder::open(&arguments.run)?;
    let checkpoint = Checkpoint::load(&run_files::resolve(&arguments.run, Which::Latest)?)?;
    match checkpoint.model()? {
        "ar" => Err(Error::new(Kind::Usage, format!("{} holds a linear model", arguments.run.display()))
            .cause("it was solved for, in no steps, so there is nothing to go on with")
            .help("`autoreg train series` fits another")),
        kind if SavedSeries::is_kind(kind) => {
            let mut config = run::read_config(&arguments.run, &SeriesConfig::default())?;
            let bytes = arguments.data(&mut config.data.path, &checkpoint)?;
            arguments.steps(&mut config.training, &checkpoint)?;
            let data = SeriesData::parse(&bytes, &config.data)?;
            let (task, model) = SeriesTask::of_checkpoint(data, &config, &checkpoint)?;
            let about = run_series::about(&task, &arguments.run)?;
            let trainer = Trainer::new(task, model, config.training.clone())?;
            arguments.go_on(trainer, folder, about, &checkpoint, (&config, &bytes), context)
        }
        _ => {
            let mut config = run::read_config(&arguments.run, &TextConfig::default())?;
            let text = arguments.data(&mut config.data.path, &checkpoint)?;
            arguments.steps(&mut config.training, &checkpoint)?;
            let (task, model) = TextTask::of_checkpoint(&text, &config, &checkpoint)?;
            let about = run_text::about(&task, &arguments.run)?;
            let config = task.config().clone();
            let trainer = Trainer::new(task, model, config.training.clone())?;
            arguments.go_on(trainer, folder, about, &checkpoint, (&config, &text), context)
        }
    }
}

impl Arguments {
    /// The bytes of the run's data, which are what they were when it began.
    fn data(&self, path: &mut String, checkpoint: &Checkpoint) -> Result<Vec<u8>> {
        if let Some(data) = &self.data {
            *path = data.display().to_string();
        }
        let bytes = corpus::read(Path::new(path))?;
        let known = checkpoint.progress.as_ref().map(|progress| &progress.settings["data"]);
        if known.is_some_and(|known| !known.is_null() && *known != run::fingerprint(&bytes)) {
            return Err(Error::new(Kind::BadInput, format!("{path} is not the data of this run"))
                .cause("its length or content changed since the run began")
                .help("--data names the original; `autoreg train` begins a run on the new data"));
        }
        Ok(bytes)
    }

    /// Sets the steps of the whole run, where they are given.
    fn steps(&self, settings: &mut Settings, checkpoint: &Checkpoint) -> Result<()> {
        let done = checkpoint.progress.as_ref().map_or(0, |progress| progress.step);
        match self.steps {
            Some(steps) if steps < done => {
                Err(Error::new(Kind::Usage, format!("--steps {steps} is less than the {done} steps done")))
            }
            steps => {
                settings.steps = steps.unwrap_or(settings.steps);
                Ok(())
            }
        }
    }

    fn go_on<K: Task>(
        &self,
        mut trainer: Trainer<K>,
        mut folder: RunFolder,
        about: About,
        checkpoint: &Checkpoint,
        (config, data): (&impl Serialize, &[u8]),
        context: &Context,
    ) -> Result<()> {
        trainer.restore(checkpoint)?;
        trainer.progress.settings = run::settings(config, data);
        folder.truncate_metrics(trainer.progress.step)?;
        folder.write_config(&to_toml(config)?)?;
        Run { trainer, folder, max_time: self.max_time, about }.train(context).map(|_| ())
    }
}
