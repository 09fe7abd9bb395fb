//! `autoreg train`: puts a configuration together, makes a run folder, trains.

use crate::Context;
use crate::run::{self, Run};
use crate::{run_series, run_text};
use clap::{Args, Subcommand};
use models::configuration::{Layers, environment_variables};
use models::error::Result;
use models::series::config::{Family as SeriesFamily, SeriesConfig};
use models::series::linear::LinearAr;
use models::series::training::{self as series_training, SeriesData, SeriesTask};
use models::text::corpus;
use models::text::training::{TextConfig, TextTask};
use models::training::trainer::Trainer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Train a model on data of a family.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    family: Family,
}

#[derive(Subcommand, Debug)]
enum Family {
    /// A recurrent language model (GRU or LSTM) on a text file.
    Text(TextArguments),
    /// A linear or a neural autoregressive model of a column of numbers in a CSV file.
    Series(SeriesArguments),
}

/// What every family's training takes.
#[derive(Args, Debug)]
pub struct Common {
    /// The data to train on.
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    /// A TOML file of settings; see `config.toml` of any run for all of them.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// One setting, for instance `training.optimizer.learning_rate=0.001`; may be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The run folder to make [default: runs/ and a name made of the data and the model].
    #[arg(long, value_name = "FOLDER")]
    pub out_dir: Option<PathBuf>,
    /// Steps of the whole run.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Stop after this much time, with everything saved: `90s`, `10m`, `1h 30m`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub max_time: Option<Duration>,
    /// Steps between two validations.
    #[arg(long, value_name = "N")]
    pub eval_every: Option<u64>,
    /// Steps between two checkpoints.
    #[arg(long, value_name = "N")]
    pub save_every: Option<u64>,
    /// What every random stream of the run begins from.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Replace a run that is already in the folder.
    #[arg(long)]
    pub overwrite: bool,
}

#[derive(Args, Debug)]
struct TextArguments {
    #[command(flatten)]
    common: Common,
    /// `gru` or `lstm`.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

#[derive(Args, Debug)]
struct SeriesArguments {
    #[command(flatten)]
    common: Common,
    /// `ar` (fitted, in no steps) or `neural-ar`.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The column, by name or by number from 1 [default: the only one].
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// How many earlier values are looked at, or `auto`.
    #[arg(long, value_name = "K|auto", allow_hyphen_values = true)]
    lags: Option<String>,
    /// How far apart they lie.
    #[arg(long, value_name = "N")]
    stride: Option<u64>,
    /// For `ar`: `ols`, `yule-walker` or `burg`.
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// What is chosen on, before the test part: a share of the values, or how many.
    #[arg(long, value_name = "SHARE|N", allow_negative_numbers = true)]
    validation: Option<f64>,
    /// What is reported on, at the end: a share of the values, or how many.
    #[arg(long, value_name = "SHARE|N", allow_negative_numbers = true)]
    test: Option<f64>,
}

impl Common {
    /// The configuration: defaults, then the file, the environment, the flags.
    ///
    /// # Errors
    /// A usage error that names the layer, the key and what was meant.
    pub fn configure<C: Serialize + DeserializeOwned>(
        &self,
        defaults: &C,
        more: &[(&str, &str, Option<String>)],
    ) -> Result<C> {
        let mut layers = Layers::new(defaults)?;
        if let Some(file) = &self.config {
            layers = layers.file(file)?;
        }
        layers = layers.environment(environment_variables()?, &["AUTOREG_THREADS", "AUTOREG_DATA"])?;
        for assignment in &self.set {
            layers = layers.set(assignment)?;
        }
        let number = |x: Option<u64>| x.map(|x| x.to_string());
        let flags = [
            ("--steps", "training.steps", number(self.steps)),
            ("--eval-every", "training.eval_every", number(self.eval_every)),
            ("--save-every", "training.save_every", number(self.save_every)),
            ("--seed", "training.seed", number(self.seed)),
            ("--data", "data.path", Some(self.data.display().to_string())),
        ];
        for (flag, key, value) in flags.iter().chain(more) {
            if let Some(value) = value {
                layers = layers.flag(flag, key, value)?;
            }
        }
        layers.finish()
    }

    /// The run folder: as given, or `runs/DATA-MODEL`.
    pub fn out_dir(&self, model: &str) -> PathBuf {
        let stem = |path: &Path| path.file_stem().map_or("data".into(), |stem| stem.to_string_lossy().into_owned());
        self.out_dir.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-{model}", stem(&self.data))))
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Those of the configuration, the data, the run folder and the training.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    match arguments.family {
        Family::Text(arguments) => text(arguments, context),
        Family::Series(arguments) => series(arguments, context),
    }
}

fn text(arguments: TextArguments, context: &Context) -> Result<()> {
    let common = &arguments.common;
    let config: TextConfig =
        common.configure(&TextConfig::default(), &[("--model", "model.model", arguments.model)])?;
    let text = corpus::read(&common.data)?;
    let (task, model) = TextTask::new(&text, &config)?;
    let out_dir = common.out_dir(task.config().model.model.name());
    let folder = run::create(&out_dir, common.overwrite, task.config())?;
    let mut trainer = Trainer::new(task, model, config.training)?;
    trainer.progress.settings = run::settings(trainer.task.config(), &text);
    let about = run_text::about(&trainer.task, &out_dir)?;
    Run { trainer, folder, max_time: common.max_time, about }.train(context).map(|_| ())
}

fn series(arguments: SeriesArguments, context: &Context) -> Result<()> {
    let common = &arguments.common;
    let number = |x: Option<f64>| x.map(|x| x.to_string());
    let config: SeriesConfig = common.configure(
        &SeriesConfig::default(),
        &[
            ("--model", "model.model", arguments.model),
            ("--column", "data.column", arguments.column),
            ("--lags", "model.lags", arguments.lags),
            ("--stride", "model.stride", arguments.stride.map(|x| x.to_string())),
            ("--method", "model.method", arguments.method),
            ("--validation", "data.validation", number(arguments.validation)),
            ("--test", "data.test", number(arguments.test)),
        ],
    )?;
    config.check()?;
    let bytes = series_training::read(&common.data)?;
    let data = SeriesData::parse(&bytes, &config.data)?;
    if config.model.model == SeriesFamily::Ar {
        let linear = LinearAr::fit(data.train(), &config.model)?;
        let out_dir = common.out_dir("ar");
        let folder = run::create(&out_dir, common.overwrite, &config)?;
        return run_series::save_linear(&linear, &data, &bytes, &config, folder, context);
    }
    let (task, model) = SeriesTask::new(data, &config)?;
    let out_dir = common.out_dir("neural-ar");
    let folder = run::create(&out_dir, common.overwrite, task.config())?;
    let mut trainer = Trainer::new(task, model, config.training)?;
    trainer.progress.settings = run::settings(trainer.task.config(), &bytes);
    let about = run_series::about(&trainer.task, &out_dir)?;
    Run { trainer, folder, max_time: common.max_time, about }.train(context).map(|_| ())
}
