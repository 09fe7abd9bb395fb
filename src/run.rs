//! What `train`, `resume` and `demo` share: a training in its run folder, seen on the terminal and on the run's page.

use crate::console::{Progress, say};
use crate::{Context, interrupt};
use autograd::nn::Module;
use models::configuration;
use models::error::{Error, Kind, Result};
use models::pages::loss_picture::loss_picture;
use models::pages::run_page::{RunSummary, duration, grouped, run_page};
use models::storage::metrics::Record;
use models::storage::run_files;
use models::storage::run_folder::RunFolder;
use models::training::trainer::{End, Limits, Observer, Task, Trainer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

/// Makes a run folder with this configuration.
///
/// # Errors
/// If a run is there already and is not to be overwritten, or the disk refuses.
pub fn create(path: &Path, overwrite: bool, config: &impl Serialize) -> Result<RunFolder> {
    RunFolder::create(path, overwrite, &configuration::to_toml(config)?)
}

/// What a checkpoint keeps of a run beside its tensors: the configuration, and the data's length and hash.
pub fn settings(config: &impl Serialize, data: &[u8]) -> serde_json::Value {
    serde_json::json!({ "config": config, "data": fingerprint(data) })
}

/// Length and FNV-1a hash of the data, by which a resumed run knows it again.
pub fn fingerprint(data: &[u8]) -> serde_json::Value {
    let hash = autograd::random::fnv_1a(data);
    serde_json::json!({ "bytes": data.len(), "fnv1a": format!("{hash:016x}") })
}

/// A training in its folder.
pub struct Run<K: Task> {
    /// The training.
    pub trainer: Trainer<K>,
    /// The folder.
    pub folder: RunFolder,
    /// When to stop before the last step.
    pub max_time: Option<Duration>,
    /// What is said about it.
    pub about: About,
}

/// What a family says about one of its trainings.
pub struct About {
    /// The model and the data in one line.
    pub announcement: String,
    /// What the page says, but for what the run folder holds: records and samples.
    pub summary: RunSummary,
    /// Steps of the whole run.
    pub steps: u64,
}

/// A summary with what the run folder holds by now: records, and the samples that are text.
///
/// # Errors
/// If the folder cannot be read.
pub fn with_progress(summary: &RunSummary, folder: &Path) -> Result<RunSummary> {
    let samples = run_files::samples(folder)?.into_iter().filter_map(|(step, path)| {
        let text = path.extension().is_some_and(|extension| extension == "txt").then(|| std::fs::read(path).ok())?;
        Some((step, String::from_utf8_lossy(&text?).into_owned()))
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
            self.progress
                .message(&format!("step {step}: validation {nats:.4} nats, training {:.4}, after {time}", record.loss));
        }
    }

    fn saved(&mut self, folder: &RunFolder) -> Result<()> {
        let summary = with_progress(self.summary, folder.path())?;
        folder.write_picture(loss_picture(&summary.records, &summary.floors, &summary.unit)?.as_str())?;
        folder.write_page(&run_page(&summary)?)
    }
}

/// What a training leaves.
pub struct Trained {
    /// The folder, still locked.
    pub folder: RunFolder,
    /// What its page says.
    pub summary: RunSummary,
}

impl<K: Task> Run<K> {
    /// Trains to the end or until it is stopped, and says on stdout what came out.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] after Ctrl-C, with everything saved; [`Kind::Diverged`]; [`Kind::Disk`].
    pub fn train(self, context: &Context) -> Result<Trained> {
        let Run { mut trainer, mut folder, max_time, about } = self;
        let About { announcement, summary, steps } = about;
        let parameters = grouped(trainer.model.parameter_count() as u64);
        say(&format!("{announcement}; {parameters} parameters"));
        announce(&summary, folder.path());
        let stop = interrupt::install()?;
        let path = folder.path().to_owned();
        let mut display = Display { progress: Progress::new(steps), summary: &summary };
        let end = trainer.run(&mut folder, Limits { time: max_time, stop: &stop }, &mut display);
        display.progress.finish();
        let (end, step) = (end?, trainer.progress.step);
        if end == End::Interrupted {
            return Err(Error::new(Kind::Interrupted, format!("stopped at step {step} of {steps}"))
                .cause("asked to by a signal; everything is saved")
                .help(format!("autoreg resume {} goes on from there", path.display())));
        }
        let mut lines = vec![format!("run         {}", path.display())];
        let time = duration(trainer.progress.seconds);
        lines.push(format!("steps       {} of {}, {time}", grouped(step), grouped(steps)));
        if let Some(best) = trainer.progress.best {
            lines.push(format!("validation  {:.4} nats per symbol at step {}", best.nats, grouped(best.step)));
            if let Some(floor) = summary.floors.iter().min_by(|a, b| a.nats.total_cmp(&b.nats)) {
                lines.push(format!("best floor  {:.4} ({})", floor.nats, floor.name));
            }
        }
        lines.push(format!("page        {}", path.join("index.html").display()));
        context.results.text(&(lines.join("\n") + "\n"))?;
        Ok(Trained { summary: with_progress(&summary, &path)?, folder })
    }
}

/// Says on stderr what simple rivals achieve, and where the run is.
pub fn announce(summary: &RunSummary, folder: &Path) {
    let floors: Vec<String> = summary.floors.iter().map(|floor| format!("{} {:.3}", floor.name, floor.nats)).collect();
    if !floors.is_empty() {
        say(&format!("floors, nats per symbol: {}", floors.join(", ")));
    }
    say(&format!("run folder: {}", folder.display()));
}

/// The configuration of a run.
///
/// # Errors
/// If the file is broken.
pub fn read_config<C: Serialize + DeserializeOwned>(folder: &Path, defaults: &C) -> Result<C> {
    let text = run_files::read_config(folder)?;
    configuration::Layers::new(defaults)?.text(&folder.join("config.toml"), &text)?.finish()
}
