//! What `train`, `resume` and `demo` share: a training in its run folder, seen on the terminal and on the run's page.

use crate::console::{Progress, say};
use crate::{Context, interrupt};
use autograd::nn::Module;
use models::error::{Error, Kind, Result};
use models::text::floors::Floors;
use models::text::training::{TextConfig, TextTask};
use models::training::config;
use models::training::loss_picture::{Floor, loss_picture};
use models::training::metrics::Record;
use models::training::run_files;
use models::training::run_folder::RunFolder;
use models::training::run_page::{RunSummary, duration, grouped, run_page};
use models::training::trainer::{End, Limits, Observer, Trainer};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// Makes a run folder with this configuration.
///
/// # Errors
/// If a run is there already and is not to be overwritten, or the disk refuses.
pub fn create(path: &Path, overwrite: bool, config: &impl Serialize) -> Result<RunFolder> {
    RunFolder::create(path, overwrite, &config::to_toml(config)?)
}

/// What a checkpoint keeps of a run beside its tensors: the configuration, and the data's length and hash.
pub fn settings(config: &impl Serialize, data: &[u8]) -> serde_json::Value {
    serde_json::json!({ "config": config, "data": fingerprint(data) })
}

/// Length and FNV-1a hash of the data, by which a resumed run knows it again.
pub fn fingerprint(data: &[u8]) -> serde_json::Value {
    let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    serde_json::json!({ "bytes": data.len(), "fnv1a": format!("{hash:016x}") })
}

/// A training on text in its folder.
pub struct TextRun {
    /// The training.
    pub trainer: Trainer<TextTask>,
    /// The folder.
    pub folder: RunFolder,
    /// When to stop before the last step.
    pub max_time: Option<Duration>,
}

/// The floors of a task's validation part, for pictures; none where there is nothing to score.
pub fn floors(task: &TextTask) -> Vec<Floor> {
    let corpus = &task.corpus;
    let measured = Floors::measure(&corpus.train, &corpus.validation, task.vocabulary.size());
    measured.map_or(Vec::new(), |floors| floors.iter().map(|(name, nats)| Floor { name, nats }).collect())
}

/// What the page of a run says, read from its folder.
///
/// # Errors
/// If the folder cannot be read.
pub fn summary(task: &TextTask, folder: &Path, floors: &[Floor]) -> Result<RunSummary> {
    let config = task.config();
    let name = folder.display();
    let samples = run_files::samples(folder)?.into_iter().filter_map(|(step, path)| {
        let text = std::fs::read(path).ok()?;
        Some((step, String::from_utf8_lossy(&text).into_owned()))
    });
    let commands = [
        ("Write more text", format!("autoreg generate {name} -n 500 --seed 1")),
        ("Score it again, exactly", format!("autoreg eval {name} --data {} --split validation", config.data.path)),
        ("Train on", format!("autoreg resume {name} --steps {}", 2 * config.training.steps)),
        ("Check that it is a model", format!("autoreg check {name}")),
    ];
    let data =
        Path::new(&config.data.path).file_name().map_or("text".into(), |name| name.to_string_lossy().into_owned());
    Ok(RunSummary {
        title: format!("{} on {data}", config.model.model.name().to_uppercase()),
        unit: config.data.vocabulary.unit().to_string(),
        records: run_files::records(folder)?,
        floors: floors.to_vec(),
        samples: samples.collect(),
        commands: commands.map(|(what, command)| (what.to_string(), command)).to_vec(),
        config: config::rows(config)?,
    })
}

/// Shows steps on the terminal and rewrites the page at every checkpoint.
struct Display<'a> {
    progress: Progress,
    summarize: Box<dyn Fn(&Path) -> Result<RunSummary> + 'a>,
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
        let summary = (self.summarize)(folder.path())?;
        folder.write_picture(loss_picture(&summary.records, &summary.floors, &summary.unit)?.as_str())?;
        folder.write_page(&run_page(&summary)?)
    }
}

/// What a training on text leaves.
pub struct Trained {
    /// The text.
    pub task: TextTask,
    /// The folder, still locked.
    pub folder: RunFolder,
    /// What counting alone achieves on the validation part.
    pub floors: Vec<Floor>,
}

impl TextRun {
    /// Trains to the end or until it is stopped, and says on stdout what came out.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] after Ctrl-C, with everything saved; [`Kind::Diverged`]; [`Kind::Disk`].
    pub fn train(self, context: &Context) -> Result<Trained> {
        let TextRun { mut trainer, mut folder, max_time } = self;
        let floors = floors(&trainer.task);
        let steps = trainer.task.config().training.steps;
        announce(&trainer, &floors, folder.path());
        let stop = interrupt::install()?;
        let path = folder.path().to_owned();
        let end = {
            // The page is made from what does not change in training, so that the trainer can be borrowed meanwhile.
            let template = summary(&trainer.task, &path, &floors)?;
            let summarize = |folder: &Path| {
                let samples = run_files::samples(folder)?;
                let read = |(step, path): (u64, std::path::PathBuf)| {
                    Some((step, String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned()))
                };
                let samples = samples.into_iter().filter_map(read).collect();
                Ok(RunSummary { records: run_files::records(folder)?, samples, ..template.clone() })
            };
            let progress = Progress::new(steps);
            let mut display = Display { progress, summarize: Box::new(summarize) };
            let end = trainer.run(&mut folder, Limits { time: max_time, stop: &stop }, &mut display);
            display.progress.finish();
            end?
        };
        let step = trainer.progress.step;
        if end == End::Interrupted {
            return Err(Error::new(Kind::Interrupted, format!("stopped at step {step} of {steps}"))
                .cause("asked to by a signal; everything is saved")
                .help(format!("autoreg resume {} goes on from there", path.display())));
        }
        let mut lines = vec![format!("run         {}", path.display())];
        lines.push(format!(
            "steps       {} of {}, {}",
            grouped(step),
            grouped(steps),
            duration(trainer.progress.seconds)
        ));
        if let Some(best) = trainer.progress.best {
            lines.push(format!("validation  {:.4} nats per symbol at step {}", best.nats, grouped(best.step)));
            if let Some(floor) = floors.iter().min_by(|a, b| a.nats.total_cmp(&b.nats)) {
                lines.push(format!("best floor  {:.4} ({})", floor.nats, floor.name));
            }
        }
        lines.push(format!("page        {}", path.join("index.html").display()));
        context.results.text(&(lines.join("\n") + "\n"))?;
        Ok(Trained { task: trainer.task, folder, floors })
    }
}

/// Says on stderr what is going to be trained on what, and what counting alone achieves.
fn announce(trainer: &Trainer<TextTask>, floors: &[Floor], folder: &Path) {
    let (task, config) = (&trainer.task, trainer.task.config());
    let corpus = &task.corpus;
    let model = &config.model;
    let parameters = grouped(trainer.model.parameter_count() as u64);
    say(&format!(
        "{} × {}, {} units, {parameters} parameters; {} symbols; {} to train on, {} to validate",
        model.model.name().to_uppercase(),
        model.layers,
        model.hidden,
        task.vocabulary.size(),
        grouped(corpus.train.len() as u64),
        grouped(corpus.validation.len() as u64)
    ));
    let floors: Vec<String> = floors.iter().map(|floor| format!("{} {:.3}", floor.name, floor.nats)).collect();
    say(&format!("floors, nats per symbol: {}", floors.join(", ")));
    say(&format!("run folder: {}", folder.display()));
}

/// The configuration of a run on text.
///
/// # Errors
/// If the file is broken.
pub fn read_text_config(folder: &Path) -> Result<TextConfig> {
    let text = run_files::read_config(folder)?;
    config::Layers::new(&TextConfig::default())?.text(&folder.join("config.toml"), &text)?.finish()
}
