//! Training a network on a text: windows of streams with the state carried, exact validation, samples.

use super::config::TextConfig;
use super::corpus::{Corpus, dropped_marks};
use super::floors::Floors;
use super::network::Carry;
use super::objective::{Objective, Step};
use super::saved::TextModel;
use super::scheduled_sampling::ScheduledSampling;
use super::vocabulary::Vocabulary;
use super::windows::{Window, Windows};
use crate::data::files::DataFiles;
use crate::error::{Error, Kind, Result};
use crate::evaluation::Floor;
use crate::medium::Medium;
use crate::memory::Needs;
use crate::pages::numbers::{counted, grouped};
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::safetensors_file::StoredTensor;
use crate::training::settings::Settings;
use crate::training::task::{About, Task};
use autograd::Tensor;
use autograd::random::{Stream, Streams};

/// Symbols in a sample written at a validation.
const SAMPLE: usize = 400;

/// A text, and where its reading stands.
pub struct TextTask<N: Objective> {
    /// Its symbols.
    pub vocabulary: Vocabulary,
    /// Its parts.
    pub corpus: Corpus,
    windows: Windows,
    window: Window,
    carry: Option<Carry>,
    dropout: Option<Stream>,
    config: TextConfig<N::Config>,
    /// The name of its file or folder.
    name: String,
    /// What a person should know of how it was read.
    notes: Vec<String>,
}

impl<N: Objective> TextTask<N> {
    fn with_vocabulary(
        vocabulary: Vocabulary,
        corpus: Corpus,
        config: TextConfig<N::Config>,
        data: &DataFiles,
    ) -> Result<Self> {
        let streams = Streams::new(config.training.seed);
        let windows = Windows::new(corpus.train.len(), config.data.batch, config.data.window)?;
        let windows = windows.ordered(config.data.windows, streams);
        let drops = N::dropouts(&config.model).iter().any(|(_, p)| *p > 0.0);
        let dropout = drops.then(|| streams.stream("dropout"));
        let (window, carry, name) = (Window::default(), None, data.name());
        let read = data.counted().map(|files| format!("{}: {files}", data.path));
        let alone = corpus.validation.is_empty().then(|| {
            "nothing is left to validate on: the newest checkpoint counts as the best (data.validation, data.validation_files)"
                .to_owned()
        });
        let sampled = (config.data.scheduled_sampling != ScheduledSampling::None).then(|| {
            "scheduled sampling: the training loss is that of mixed inputs, the validation that of true ones".to_owned()
        });
        let told = [read, alone, sampled, N::note().map(str::to_owned)].into_iter().flatten();
        let notes = dropped_marks(data, vocabulary.kind()).into_iter().chain(told).collect();
        Ok(TextTask { vocabulary, corpus, windows, window, carry, dropout, config, name, notes })
    }
}

impl<N: Objective> Task for TextTask<N> {
    type Config = TextConfig<N::Config>;
    type Model = N;

    fn settings(config: &Self::Config) -> &Settings {
        &config.training
    }

    fn check(config: &Self::Config) -> Result<()> {
        config.check::<N>()
    }

    fn needs(config: &Self::Config) -> Needs {
        config.needs::<N>()
    }

    fn read(config: &Self::Config) -> Result<DataFiles> {
        config.data.read()
    }

    /// The vocabulary is learned from the text.
    fn new(mut config: Self::Config, data: &DataFiles) -> Result<(Self, N)> {
        config.check::<N>()?;
        let (vocabulary, corpus) = Corpus::learn_files(data, config.data.vocabulary, &config.data.split())?;
        let (asked, symbols) = (N::symbols(&config.model), vocabulary.size());
        if asked != 0 && asked != symbols {
            return Err(Error::new(Kind::Usage, format!("`model.symbols` is {asked}, and the data have {symbols}"))
                .help("leave it out: it is taken from the data"));
        }
        config.model = N::with_symbols(config.model, symbols);
        config.needs::<N>().check()?;
        let task = Self::with_vocabulary(vocabulary, corpus, config, data)?;
        let mut init = Streams::new(task.config.training.seed).stream("init");
        let model = N::new(&task.config.model, &mut init);
        Ok((task, model))
    }

    fn of_checkpoint(mut config: Self::Config, data: &DataFiles, checkpoint: &Checkpoint) -> Result<(Self, N)> {
        config.check::<N>()?;
        let TextModel { model, vocabulary } = TextModel::<N>::without_average(checkpoint)?;
        let corpus = Corpus::encode_files(data, &vocabulary, &config.data.split())?;
        config.model = model.config().clone();
        Ok((Self::with_vocabulary(vocabulary, corpus, config, data)?, model))
    }

    fn config(&self) -> &Self::Config {
        &self.config
    }

    fn about(&self) -> About {
        let kind = N::kind(&self.config.model);
        let sizes = format!(
            "{}; {}; {} to train on, {} to validate",
            N::described(&self.config.model),
            counted(self.vocabulary.size() as u64, "symbol"),
            grouped(self.corpus.train.len() as u64),
            grouped(self.corpus.validation.len() as u64)
        );
        About {
            title: format!("{} on {}", kind.to_uppercase(), self.name),
            sizes,
            unit: self.config.data.vocabulary.unit().to_owned(),
            model: kind.to_owned(),
        }
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn floors(&self) -> Vec<Floor> {
        let measured = Floors::measure(&self.corpus.train, &self.corpus.validation, self.vocabulary.size());
        measured.map_or(Vec::new(), |floors| floors.list())
    }

    fn loss(&mut self, model: &N) -> Tensor<f32> {
        // A step reads one window, so this is the step.
        let step = self.windows.position();
        self.windows.read(&self.corpus.train, &mut self.window);
        if self.window.resets_state {
            self.carry = None;
        }
        let step = Step {
            number: step,
            batch: self.config.data.batch,
            streams: Streams::new(self.config.training.seed),
            epsilon: self.config.data.scheduled_sampling.epsilon(step),
            dropout: self.dropout.as_mut(),
        };
        let (loss, carry) = model.loss(&mut self.window, self.carry.take(), step);
        self.carry = Some(carry);
        loss
    }

    fn symbols_per_step(&self) -> u64 {
        (self.config.data.batch * self.config.data.window) as u64
    }

    fn validate(&self, model: &N) -> Option<f64> {
        let symbols = &self.corpus.validation;
        (!symbols.is_empty()).then(|| model.validation(symbols, Streams::new(self.config.training.seed)))
    }

    fn sample(&self, model: &N, step: u64) -> Option<(Medium, Vec<u8>)> {
        let stream = Streams::new(self.config.training.seed).stream(&format!("sample at step {step}"));
        Some((Medium::Text, model.sample(&self.vocabulary, SAMPLE, stream)))
    }

    fn checkpoint(&self, model: &N) -> Result<Checkpoint> {
        let mut checkpoint = TextModel::checkpoint_of(model, &self.vocabulary)?;
        checkpoint.push(Group::Data, StoredTensor::new("position", &[1], &[self.windows.position()]));
        if let Some(dropout) = &self.dropout {
            checkpoint.push(Group::Random, StoredTensor::new("dropout", &[6], &dropout.state()));
        }
        for (name, x) in self.carry.iter().flatten() {
            checkpoint.push(Group::Carry, StoredTensor::new(*name, x.shape(), &x.to_vec()));
        }
        Ok(checkpoint)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        // A step reads one window.
        let position = checkpoint.position()?;
        self.windows.seek(position);
        if self.dropout.is_some() {
            let state: Vec<u64> = checkpoint.tensor(Group::Random, "dropout")?.elements()?;
            let state: [u64; 6] = state
                .try_into()
                .map_err(|_| checkpoint.unfit("tensor `random.dropout` is not the state of a random stream"))?;
            self.dropout = Some(Stream::from_state(state));
        }
        let carried = |(name, shape): (&'static str, Vec<usize>)| {
            let stored = checkpoint.tensor(Group::Carry, name)?;
            if stored.shape != shape {
                let why = format!("tensor `carry.{name}` has shape {:?}, not {shape:?}", stored.shape);
                return Err(checkpoint.unfit(&why));
            }
            Ok((name, Tensor::from_vec(stored.elements()?, &shape)))
        };
        self.carry = None;
        if position > 0 {
            let shapes = N::carry_shapes(&self.config.model, self.config.data.batch);
            self.carry = Some(shapes.into_iter().map(carried).collect::<Result<Carry>>()?);
        }
        Ok(())
    }
}
