//! `train`, `resume` and the acts of the tour, for every family: a training in its run folder, seen on the terminal and on the
//! run's page.

mod flags;

pub use flags::{Assignment, Flags, Resume, data_path};

use crate::terminal::console::{Progress, say};
use crate::terminal::output::quoted;
use crate::terminal::{Context, interrupt};
use autograd::nn::Module;
use models::audio;
use models::configuration::{self, to_toml};
use models::error::{Error, Kind, Result};
use models::medium::{Medium, Sample};
use models::pages::loss_picture::loss_picture;
use models::pages::numbers::{counted, decimals, duration, grouped};
use models::pages::run_page::{RunSummary, run_page, spaced};
use models::storage::checkpoint::Checkpoint;
use models::storage::metrics::Record;
use models::storage::run_folder::RunFolder;
use models::storage::{regular, run_files};
use models::training::begin;
use models::training::changes::{Agreed, agreed};
use models::training::task::{About, Task};
use models::training::trainer::{End, Limits, Observer, Trainer};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// What a family says of going on with a run: what a command does, and the command. Given the configuration and the run folder.
pub type Commands<C> = fn(&C, &Path) -> Vec<(String, String)>;

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
    let path = request.run.join("config.toml");
    let changes = request.changes()?;
    let Agreed { config, said } = agreed::<K::Config>(checkpoint, &path, &text, &changes)?;
    said.iter().for_each(|line| say(line));
    // Where no flag was given, a setting that cannot be is one of the file.
    let of_file = |error: Error| match error.kind == Kind::Usage && changes.is_empty() {
        true => Error { kind: Kind::BadInput, what: format!("{}: {}", path.display(), error.what), ..error },
        false => error,
    };
    let trainer = begin::go_on::<K>(config, checkpoint).map_err(of_file)?;
    // Nothing in the folder has changed so far: whatever does not fit has been refused.
    folder.go_on_from(checkpoint)?;
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
    let end = end.map_err(|error| saved_so_far(error, &path));
    display.progress.finish();
    let (end, step) = (end?, trainer.progress.step);
    if end == End::Interrupted {
        return Err(Error::new(Kind::Interrupted, format!("stopped at step {step} of {steps}"))
            .cause("asked to by a signal; everything is saved")
            .help(format!("autoreg resume {} goes on from there", quoted(&path))));
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

/// Of a write that the disk refused in the middle of a training: what is left of the training, and how it goes on.
fn saved_so_far(error: Error, folder: &Path) -> Error {
    if error.kind != Kind::Disk {
        return error;
    }
    let left = match run_files::resolve(folder, run_files::Which::Latest) {
        Ok(_) => format!("what was saved before is intact: autoreg resume {} goes on from there", quoted(folder)),
        Err(_) => "nothing of this training was saved yet".to_owned(),
    };
    let help = if error.help.is_empty() { left } else { format!("{}; {left}", error.help) };
    error.help(help)
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

/// The largest sample that a page shows.
const MOST_SAMPLE: u64 = 1 << 30;

/// A summary with what the run folder holds by now: records and samples.
fn with_progress(summary: &RunSummary, folder: &Path) -> Result<RunSummary> {
    let files: Vec<_> = run_files::samples(folder)?
        .into_iter()
        .filter_map(|(step, path)| Some((step, Medium::of_ending(path.extension()?.to_str()?)?, path)))
        .collect();
    // Of hundreds, only those are read that the page shows.
    let samples = spaced(&files).into_iter().filter_map(|&(step, medium, ref path)| {
        let bytes = regular::read(path, MOST_SAMPLE).ok()?;
        let picture = (medium == Medium::Sound).then(|| audio::picture::of_file(&bytes).ok()).flatten();
        Some(Sample { step, medium, bytes, picture })
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
