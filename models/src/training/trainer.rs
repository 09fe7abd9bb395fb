//! The training loop, for every family of models: draws, learns, evaluates, saves; stops when asked, out of time or diverged.
//!
//! What a step of data is, how a model is scored and what else a checkpoint must hold is the family's: the trait [`Task`].

use super::settings::Settings;
use super::task::Task;
use crate::error::{Error, Kind, Result};
use crate::storage::checkpoint::{Best, Checkpoint, Group, Progress};
use crate::storage::metrics::Record;
use crate::storage::run_folder::{Retention, RunFolder};
use crate::storage::safetensors_file::StoredTensor;
use autograd::nn::Module;
use autograd::optim::{Average, Optimizer, Update, clip_factor, norm};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Sees what happens, for progress bars and pages.
pub trait Observer {
    /// A step was made; `logged` when it also went into `metrics.jsonl`.
    fn step(&mut self, record: &Record, logged: bool);

    /// A checkpoint was saved.
    ///
    /// # Errors
    /// If what is written along with it cannot be written.
    fn saved(&mut self, folder: &RunFolder) -> Result<()>;
}

/// When to stop before the last step.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// After this much time in this call.
    pub time: Option<Duration>,
    /// When somebody sets it.
    pub stop: &'a AtomicBool,
}

/// Why the loop ended; the last state is saved in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All steps are done.
    Done,
    /// The time is up.
    OutOfTime,
    /// Somebody asked.
    Interrupted,
}

/// A model in training.
pub struct Trainer<K: Task> {
    /// What it learns from.
    pub task: K,
    /// The model.
    pub model: K::Model,
    /// How far it has come.
    pub progress: Progress,
    settings: Settings,
    optimizer: Box<dyn Optimizer<f32>>,
    average: Option<Average<f32>>,
}

impl<K: Task> Trainer<K> {
    /// A run before its first step.
    ///
    /// # Errors
    /// [`Kind::Usage`] if a setting makes no sense.
    pub fn new(task: K, model: K::Model) -> Result<Self> {
        let settings = K::settings(task.config()).clone();
        settings.check()?;
        let decay = settings.optimizer.average;
        let average = (decay > 0.0).then(|| Average::new(decay, &model));
        let optimizer = settings.optimizer();
        Ok(Trainer { task, model, progress: Progress::default(), settings, optimizer, average })
    }

    /// Goes on where a checkpoint was saved. The model holds the checkpoint's parameters already.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the checkpoint lacks the state of a training.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let Some(progress) = &checkpoint.progress else {
            return Err(Error::new(Kind::BadInput, format!("{} holds no training", checkpoint.path.display()))
                .help("it can be evaluated and sampled; `autoreg train` begins a training"));
        };
        self.progress = progress.clone();
        self.task.restore(checkpoint)?;
        // Each step is one update, of the weights and of their average.
        let updates = |group, name: &str| {
            let updates = checkpoint.number(group, name)?;
            if updates == progress.step {
                return Ok(updates);
            }
            let (prefix, step) = (Group::prefix(group), progress.step);
            Err(checkpoint.unfit(&format!("`{prefix}{name}` says {updates} updates, and {step} steps are done")))
        };
        self.optimizer.set_updates(updates(Group::Optimizer, "step")?);
        if self.optimizer.updates() > 0 {
            for state in self.optimizer.state_names() {
                for (name, param) in self.model.parameters() {
                    let stored = checkpoint.tensor(Group::Optimizer, &format!("{state}.{name}"))?;
                    copy_to(self.optimizer.state_mut(state, &name, param.values().len()), stored, checkpoint)?;
                }
            }
        }
        if let Some(average) = &mut self.average {
            average.set_updates(updates(Group::Average, "updates")?);
            for (name, values) in average.values_mut() {
                copy_to(values, checkpoint.tensor(Group::Average, name)?, checkpoint)?;
            }
        }
        Ok(())
    }

    /// Everything: the model, the task's state, the optimizer's, the average, the progress.
    ///
    /// # Errors
    /// If something has no stored form.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let mut checkpoint = self.task.checkpoint(&self.model)?;
        checkpoint.progress = Some(self.progress.clone());
        checkpoint.push(Group::Optimizer, StoredTensor::new("step", &[1], &[self.optimizer.updates()]));
        for state in self.optimizer.state_names() {
            for (name, param) in self.model.parameters() {
                let values = self.optimizer.state_mut(state, &name, param.values().len());
                checkpoint.push(Group::Optimizer, StoredTensor::new(format!("{state}.{name}"), param.shape(), values));
            }
        }
        if let Some(average) = &self.average {
            checkpoint.push(Group::Average, StoredTensor::new("updates", &[1], &[average.updates()]));
            for ((name, values), (_, param)) in average.values().iter().zip(self.model.parameters()) {
                checkpoint.push(Group::Average, StoredTensor::new(name.clone(), param.shape(), values));
            }
        }
        Ok(checkpoint)
    }

    /// Trains until the last step or a limit.
    ///
    /// # Errors
    /// [`Kind::Diverged`] when a loss or a gradient is not finite: nothing of that step is kept, and the last checkpoint is
    /// still there; [`Kind::Disk`].
    pub fn run(&mut self, folder: &mut RunFolder, limits: Limits, observer: &mut dyn Observer) -> Result<End> {
        folder.retain(if self.settings.keep == 0 { Retention::All } else { Retention::Last(self.settings.keep) });
        let (begin, seconds_before) = (Instant::now(), self.progress.seconds);
        let mut saved_at = None;
        let end = loop {
            let step = self.progress.step;
            if step >= self.settings.steps {
                break End::Done;
            }
            if limits.stop.load(Ordering::Relaxed) {
                break End::Interrupted;
            }
            if limits.time.is_some_and(|time| begin.elapsed() >= time) {
                break End::OutOfTime;
            }
            let step_begin = Instant::now();
            let mut record = self.step()?;
            record.symbols_per_second = self.task.symbols_per_step() as f64 / step_begin.elapsed().as_secs_f64();
            let done = self.progress.step;
            let last = done == self.settings.steps;
            let due = |every: u64| every > 0 && done.is_multiple_of(every);
            let mut is_best = false;
            if due(self.settings.eval_every) || last {
                is_best = self.evaluate(folder, &mut record)?;
            }
            self.progress.seconds = seconds_before + begin.elapsed().as_secs_f64();
            record.seconds = self.progress.seconds;
            let logged = due(self.settings.log_every) || done == 1 || last || record.validation.is_some();
            if logged {
                folder.log(&record)?;
            }
            if record.validation.is_some() || due(self.settings.save_every) || last {
                self.save(folder, is_best, observer)?;
                saved_at = Some(done);
            }
            observer.step(&record, logged);
        };
        if saved_at != Some(self.progress.step) && (end != End::Done || self.progress.step == 0) {
            self.save(folder, false, observer)?;
        }
        Ok(end)
    }

    fn save(&mut self, folder: &mut RunFolder, is_best: bool, observer: &mut dyn Observer) -> Result<()> {
        let checkpoint = self.checkpoint()?;
        folder.save(&checkpoint, is_best)?;
        observer.saved(folder)
    }

    /// One update.
    fn step(&mut self) -> Result<Record> {
        let step = self.progress.step;
        let learning_rate = self.settings.learning_rate(step);
        let loss = self.task.loss(&self.model);
        let nats = f64::from(loss.item());
        if !nats.is_finite() {
            return Err(diverged(step, "loss", nats));
        }
        let gradients = loss.backward();
        let gradient_norm = norm(&self.model, &gradients);
        if !gradient_norm.is_finite() {
            return Err(diverged(step, "norm of the gradients", gradient_norm));
        }
        let clip = self.settings.optimizer.clip;
        let gradient_factor = if clip > 0.0 { clip_factor(gradient_norm, clip) } else { 1.0 };
        self.optimizer.update(&mut self.model, &gradients, Update { learning_rate, gradient_factor });
        if let Some(average) = &mut self.average {
            average.update(&self.model);
        }
        self.progress.step += 1;
        self.progress.symbols += self.task.symbols_per_step();
        Ok(Record {
            step: self.progress.step,
            symbols: self.progress.symbols,
            loss: nats,
            validation: None,
            learning_rate,
            gradient_norm,
            symbols_per_second: 0.0,
            seconds: 0.0,
        })
    }

    /// Validates and samples with the averaged weights, where there are; tells whether this is the best so far.
    fn evaluate(&mut self, folder: &RunFolder, record: &mut Record) -> Result<bool> {
        if let Some(average) = &mut self.average {
            average.swap(&mut self.model);
        }
        let nats = self.task.validate(&self.model);
        let sample = self.task.sample(&self.model, record.step);
        if let Some(average) = &mut self.average {
            average.swap(&mut self.model);
        }
        if let Some((medium, bytes)) = sample {
            folder.write_sample(record.step, medium.ending(), &bytes)?;
        }
        record.validation = nats;
        let Some(nats) = nats.filter(|nats| nats.is_finite()) else { return Ok(false) };
        let is_best = self.progress.best.is_none_or(|best| nats < best.nats);
        if is_best {
            self.progress.best = Some(Best { step: record.step, nats });
        }
        Ok(is_best)
    }
}

fn diverged(step: u64, what: &str, value: f64) -> Error {
    Error::new(Kind::Diverged, format!("training diverged at step {}", step + 1))
        .cause(format!("the {what} is {value}"))
        .help("what was saved before is kept; try a lower training.optimizer.learning_rate, a warm-up, or clipping")
}

/// What else than the length must agree, [`begin`](super::begin) holds against the whole.
fn copy_to(values: &mut [f32], stored: &StoredTensor, checkpoint: &Checkpoint) -> Result<()> {
    let elements: Vec<f32> = stored.elements()?;
    if elements.len() != values.len() {
        let why = format!("tensor `{}` has {} elements, not {}", stored.name, elements.len(), values.len());
        return Err(checkpoint.unfit(&why));
    }
    values.copy_from_slice(&elements);
    Ok(())
}
