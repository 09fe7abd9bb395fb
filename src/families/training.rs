//! `train`, `resume` and the acts of the tour, for every family: a training in its run folder, seen on the terminal and on the
//! run's page.

use crate::terminal::console::{Progress, say};
use crate::terminal::{Context, interrupt};
use autograd::nn::Module;
use clap::Args;
use models::configuration::{self, Layers, Origin, environment_variables, to_toml};
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sample};
use models::pages::loss_picture::loss_picture;
use models::pages::numbers::{counted, decimals, duration, grouped};
use models::pages::run_page::{RunSummary, run_page};
use models::storage::checkpoint::Checkpoint;
use models::storage::metrics::Record;
use models::storage::run_files;
use models::storage::run_folder::RunFolder;
use models::training::begin;
use models::training::task::{About, Task};
use models::training::trainer::{End, Limits, Observer, Trainer};
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

/// The variables that mean something to every subcommand; `AUTOREG_GROUP__KEY` is a setting of a training.
pub const VARIABLES: [&str; 3] = ["AUTOREG_THREADS", "AUTOREG_DATA", "AUTOREG_ISA"];

/// A flag, the key it sets, and its value where it was given.
pub type Assignment<'a> = (&'a str, &'a str, Option<String>);

/// What a family says of going on with a run: what a command does, and the command. Given the configuration and the run folder.
pub type Commands<C> = fn(&C, &Path) -> Vec<(String, String)>;

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
        for key in ["data.validation_path", "data.test_path"] {
            layers =
                layers.map_text(key, |path| if path.is_empty() { Ok(path) } else { data_path(Path::new(&path)) })?;
        }
        layers.finish()
    }

    /// The run folder: as given, or `runs/DATA-MODEL`.
    pub fn out_dir(&self, model: &str) -> PathBuf {
        let stem = |path: &Path| path.file_stem().map_or("data".into(), |stem| stem.to_string_lossy().into_owned());
        self.out_dir.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-{model}", stem(&self.data))))
    }
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
}

/// Trains from the beginning; `more` are the family's own flags.
///
/// # Errors
/// Those of the configuration, the data, the run folder and the training.
pub fn train<K: Task>(
    flags: &Flags,
    more: &[Assignment],
    commands: Commands<K::Config>,
    context: &Context,
) -> Result<()> {
    let config = flags.configure(&K::Config::default(), more)?;
    let trainer = begin::begin::<K>(config)?;
    let path = flags.out_dir(&trainer.task.about().model);
    let folder = create(&path, flags.overwrite, trainer.task.config())?;
    run(trainer, folder, flags.max_time, commands, context).map(|_| ())
}

/// Goes on with a run as if it had never stopped.
///
/// # Errors
/// If its configuration or its data cannot be read, or the data changed; and those of training.
pub fn resume<K: Task>(
    request: &Resume,
    mut folder: RunFolder,
    checkpoint: &Checkpoint,
    commands: Commands<K::Config>,
    context: &Context,
) -> Result<()> {
    let text = run_files::read_config(&request.run)?;
    let mut layers = Layers::new(&K::Config::default())?.text(&request.run.join("config.toml"), &text)?;
    if let Some(data) = &request.data {
        layers = layers.flag("--data", "data.path", &data_path(data)?)?;
    }
    if let Some(steps) = request.steps {
        layers = layers.flag("--steps", "training.steps", &steps.to_string())?;
    }
    let trainer = begin::go_on::<K>(layers.finish()?, checkpoint)?;
    folder.truncate_metrics(trainer.progress.step)?;
    folder.write_config(&to_toml(trainer.task.config())?)?;
    run(trainer, folder, request.max_time, commands, context).map(|_| ())
}

/// Makes a run folder with this configuration.
///
/// # Errors
/// If a run is there already and is not to be overwritten, or the disk refuses.
pub fn create(path: &Path, overwrite: bool, config: &impl Serialize) -> Result<RunFolder> {
    RunFolder::create(path, overwrite, &to_toml(config)?)
}

/// What a training leaves.
pub struct Trained {
    /// What its page says.
    pub summary: RunSummary,
}

/// Trains to the end or until it is stopped, and says on stdout what came out.
///
/// # Errors
/// [`Kind::Interrupted`] after Ctrl-C, with everything saved; [`Kind::Diverged`]; [`Kind::Disk`].
pub fn run<K: Task>(
    mut trainer: Trainer<K>,
    mut folder: RunFolder,
    max_time: Option<Duration>,
    commands: Commands<K::Config>,
    context: &Context,
) -> Result<Trained> {
    let path = folder.path().to_owned();
    let steps = K::settings(trainer.task.config()).steps;
    let About { title, sizes, unit, .. } = trainer.task.about();
    let summary = RunSummary {
        title,
        unit,
        floors: trainer.task.floors(),
        commands: commands(trainer.task.config(), &path),
        config: configuration::rows(trainer.task.config())?,
        ..RunSummary::default()
    };
    let parameters = counted(trainer.model.parameter_count() as u64, "parameter");
    trainer.task.notes().iter().for_each(|note| say(note));
    say(&format!("{sizes}; {parameters}"));
    if steps > 0 && trainer.progress.step >= steps {
        say(&format!("all {} are done; a larger --steps goes further", counted(steps, "step")));
    }
    announce(&summary, &path);
    let stop = interrupt::install()?;
    let mut display = Display { progress: Progress::new(steps), summary: &summary };
    let end = trainer.run(&mut folder, Limits { time: max_time, stop: &stop }, &mut display);
    display.progress.finish();
    let (end, step) = (end?, trainer.progress.step);
    if end == End::Interrupted {
        return Err(Error::new(Kind::Interrupted, format!("stopped at step {step} of {steps}"))
            .cause("asked to by a signal; everything is saved")
            .help(format!("autoreg resume {} goes on from there", crate::terminal::output::quoted(&path))));
    }
    let mut lines = vec![format!("run         {}", path.display())];
    let time = duration(trainer.progress.seconds);
    lines.push(format!("steps       {} of {}, {time}", grouped(step), grouped(steps)));
    if let Some(best) = trainer.progress.best {
        lines.push(format!("validation  {} nats per symbol at step {}", decimals(best.nats, 4), grouped(best.step)));
        if let Some(floor) = summary.floors.iter().min_by(|a, b| a.nats.total_cmp(&b.nats)) {
            lines.push(format!("best floor  {} ({})", decimals(floor.nats, 4), floor.name));
        }
    }
    lines.push(format!("page        {}", path.join("index.html").display()));
    context.results.text(&(lines.join("\n") + "\n"))?;
    Ok(Trained { summary: with_progress(&summary, &path)? })
}

/// Says on stderr what simple rivals achieve, and where the run is.
pub fn announce(summary: &RunSummary, folder: &Path) {
    let floors: Vec<String> =
        summary.floors.iter().map(|floor| format!("{} {}", floor.name, decimals(floor.nats, 3))).collect();
    if !floors.is_empty() {
        say(&format!("floors, nats per symbol: {}", floors.join(", ")));
    }
    say(&format!("run folder: {}", folder.display()));
}

/// A summary with what the run folder holds by now: records and samples.
fn with_progress(summary: &RunSummary, folder: &Path) -> Result<RunSummary> {
    let samples = run_files::samples(folder)?.into_iter().filter_map(|(step, path)| {
        let medium = Medium::of_ending(path.extension()?.to_str()?)?;
        Some(Sample { step, medium, bytes: std::fs::read(path).ok()? })
    });
    Ok(RunSummary { records: run_files::records(folder)?, samples: samples.collect(), ..summary.clone() })
}

/// Shows steps on the terminal and rewrites the page at every checkpoint.
struct Display<'a> {
    progress: Progress,
    summary: &'a RunSummary,
}

impl Observer for Display<'_> {
    fn step(&mut self, record: &Record, _: bool) {
        self.progress.update(record);
        if let Some(nats) = record.validation {
            let (step, time) = (grouped(record.step), duration(record.seconds));
            let (nats, loss) = (decimals(nats, 4), decimals(record.loss, 4));
            self.progress.message(&format!("step {step}: validation {nats} nats, training {loss}, after {time}"));
        }
    }

    fn saved(&mut self, folder: &RunFolder) -> Result<()> {
        let summary = with_progress(self.summary, folder.path())?;
        folder.write_picture(loss_picture(&summary.records, &summary.floors, &summary.unit)?.as_str())?;
        folder.write_page(&run_page(&summary)?)
    }
}
