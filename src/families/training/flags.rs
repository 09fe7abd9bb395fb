//! What `train` and `resume` take, for every family, and the configuration that flags, files and the environment make together.

use crate::terminal::environment::VARIABLES;
use clap::Args;
use models::configuration::{Layers, Origin, environment_variables};
use models::error::{Error, Kind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What every family's training takes.
#[derive(Args, Debug)]
pub struct Flags {
    /// The data to train on: a file, or a folder of files.
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

/// A flag, the key it sets, and its value where it was given.
pub type Assignment<'a> = (&'a str, &'a str, Option<String>);

impl Flags {
    /// The configuration: defaults, then the file, the environment, the flags; `more` are the family's own.
    ///
    /// # Errors
    /// A usage error that names the layer, the key and what was meant.
    pub fn configure<C: Serialize + DeserializeOwned>(&self, defaults: &C, more: &[Assignment]) -> Result<C> {
        let data = data_path(&self.data)?;
        let mut layers = Layers::new(defaults)?;
        if let Some(file) = &self.config {
            layers = layers.file(file)?;
        }
        layers = layers.environment(environment_variables()?, &VARIABLES)?;
        for assignment in &self.set {
            layers = layers.set(assignment)?;
        }
        let number = |x: Option<u64>| x.map(|x| x.to_string());
        let flags = [
            ("--steps", "training.steps", number(self.steps)),
            ("--eval-every", "training.eval_every", number(self.eval_every)),
            ("--save-every", "training.save_every", number(self.save_every)),
            ("--seed", "training.seed", number(self.seed)),
            ("--data", "data.path", Some(data)),
        ];
        for (flag, key, value) in flags.iter().chain(more) {
            if let Some(value) = value {
                if layers.origin(key) == Some(&Origin::Flag("--set".to_owned())) {
                    return Err(Error::new(Kind::Usage, format!("{flag} and --set {key}=… say the same setting"))
                        .help(format!("leave one of them out; {flag} is short for --set {key}=…")));
                }
                layers = layers.flag(flag, key, value)?;
            }
        }
        // A run finds its data again from any folder.
        for key in PATHS {
            layers = layers.map_text(key, whole)?;
        }
        layers.finish()
    }

    /// The run folder: as given, or `runs/DATA-MODEL`.
    pub fn out_dir(&self, model: &str) -> PathBuf {
        let stem = |path: &Path| path.file_stem().map_or("data".into(), |stem| stem.to_string_lossy().into_owned());
        self.out_dir.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-{model}", stem(&self.data))))
    }
}

/// The settings that are paths of data, beside `data.path` of a training, which is made whole as it is given.
const PATHS: [&str; 6] = [
    "data.validation_path",
    "data.test_path",
    "data.labels",
    "data.validation_labels",
    "data.test_labels",
    "data.frames_path",
];

/// What one of [`PATHS`] may say, with a path made whole: nothing, or to look beside the data, are none.
fn whole(path: String) -> Result<String> {
    if path.is_empty() || path == "auto" { Ok(path) } else { data_path(Path::new(&path)) }
}

/// The path of data as a run keeps it: whole, so that it is found again from any folder.
///
/// # Errors
/// [`Kind::Usage`] for a name that is not Unicode, which no configuration can hold.
pub fn data_path(path: &Path) -> Result<String> {
    let shown = path.display();
    let whole = std::path::absolute(path)
        .map_err(|error| Error::new(Kind::Usage, format!("{:?} is no path of data", shown.to_string())).cause(error))?;
    whole.into_os_string().into_string().map_err(|_| {
        Error::new(Kind::Usage, format!("the name {shown} is not Unicode"))
            .cause("the configuration of a run is text, and could not name its data")
            .help("rename the file, or make a link to it: ln -s")
    })
}

/// What `resume` takes.
#[derive(Args, Debug)]
pub struct Resume {
    /// The run folder.
    pub run: PathBuf,
    /// Steps of the whole run, counted from its first; a schedule that spans the run is stretched along.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Stop after this much time, with everything saved: `90s`, `10m`, `1h 30m`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub max_time: Option<Duration>,
    /// Where the data is now, if it was moved.
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Steps between two validations, from here on.
    #[arg(long, value_name = "N")]
    pub eval_every: Option<u64>,
    /// Steps between two checkpoints, from here on.
    #[arg(long, value_name = "N")]
    pub save_every: Option<u64>,
    /// One setting that may change when a run goes on: `training.keep=10`; may be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl Resume {
    /// The settings that were given: flag, key and value, flags before `--set`.
    pub(super) fn changes(&self) -> Result<Vec<(&'static str, String, String)>> {
        let number = |x: Option<u64>| x.map(|x| x.to_string());
        let flags = [
            ("--data", "data.path", self.data.as_deref().map(data_path).transpose()?),
            ("--steps", "training.steps", number(self.steps)),
            ("--eval-every", "training.eval_every", number(self.eval_every)),
            ("--save-every", "training.save_every", number(self.save_every)),
        ];
        let given = flags.into_iter().filter_map(|(flag, key, value)| Some((flag, key.to_owned(), value?)));
        let set = self.set.iter().map(|assignment| {
            let missing = || Error::new(Kind::Usage, format!("--set {assignment}: there is no `=` in it"));
            let (key, value) = assignment.split_once('=').ok_or_else(missing)?;
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            let is_path = key == "data.path" || PATHS.contains(&key.as_str());
            Ok(("--set", key, if is_path { whole(value)? } else { value }))
        });
        given.map(Ok).chain(set).collect()
    }
}
