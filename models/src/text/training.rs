//! Training a language model on a text: windows of streams with the state carried, exact validation, samples.

use super::corpus::{Corpus, Split};
use super::decoder::Decoder;
use super::language_model::{Carry, Config, Kind as Layer, LanguageModel};
use super::saved::TextModel;
use super::streams::{Streams as TextStreams, Window};
use super::utf8::Utf8Stream;
use super::vocabulary::{Vocabulary, VocabularyKind};
use crate::autoregressive::Autoregressive;
use crate::error::{Error, Kind, Result};
use crate::sampling::{Generator, Options, Sampler};
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::safetensors_file::StoredTensor;
use crate::training::settings::Settings;
use crate::training::trainer::Task;
use autograd::Tensor;
use autograd::random::{Stream, Streams};
use serde::{Deserialize, Serialize};

/// Symbols in a sample written at a validation.
const SAMPLE: usize = 400;

/// Everything a user can set of a training on text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextConfig {
    /// The model.
    pub model: Config,
    /// The data.
    pub data: DataConfig,
    /// The training.
    pub training: Settings,
}

/// How a text is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The file. On the command line `--data`.
    pub path: String,
    /// What a symbol is: `"characters"`, `"bytes"`, or `{ byte_pairs = { size = 1024 } }`.
    pub vocabulary: VocabularyKind,
    /// The share of the text, from its beginning, that is trained on.
    pub train: f64,
    /// The share after it that is validated on; the rest is the test part.
    pub validation: f64,
    /// B, the streams read side by side.
    pub batch: usize,
    /// T, the symbols of each stream in one step; gradients reach no further back.
    pub window: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        let Split { train, validation } = Split::default();
        let (path, vocabulary) = (String::new(), VocabularyKind::Characters);
        DataConfig { path, vocabulary, train, validation, batch: 32, window: 128 }
    }
}

impl DataConfig {
    /// The split by position.
    pub fn split(&self) -> Split {
        Split { train: self.train, validation: self.validation }
    }
}

impl TextConfig {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// [`Kind::Usage`] naming the key.
    pub fn check(&self) -> Result<()> {
        let m = &self.model;
        let sizes = [m.embedding, m.hidden, m.layers];
        let dropouts = [m.dropout, m.embedding_dropout, m.weight_dropout];
        let wrong = |what: &str| Err(Error::new(Kind::Usage, what));
        if sizes.contains(&0) {
            return wrong("`model.embedding`, `model.hidden` and `model.layers` must be at least 1");
        }
        if sizes.iter().any(|&size| size > 1 << 16) {
            return wrong("`model.embedding`, `model.hidden` and `model.layers` must be at most 65536");
        }
        if dropouts.iter().any(|p| !(0.0..1.0).contains(p)) {
            return wrong(
                "`model.dropout`, `model.embedding_dropout` and `model.weight_dropout` must be at least 0 and below 1",
            );
        }
        self.training.check()
    }
}

/// A text, and where its reading stands.
pub struct TextTask {
    /// Its symbols.
    pub vocabulary: Vocabulary,
    /// Its parts.
    pub corpus: Corpus,
    streams: TextStreams,
    window: Window,
    carry: Option<Carry<f32>>,
    dropout: Option<Stream>,
    config: TextConfig,
}

impl TextTask {
    /// A new training on `text`, and the model it begins with. The vocabulary is learned from the text.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the text does not serve, [`Kind::Usage`] if the configuration does not.
    pub fn new(text: &[u8], config: &TextConfig) -> Result<(Self, LanguageModel<f32>)> {
        config.check()?;
        let (vocabulary, corpus) = Corpus::learn(text, config.data.vocabulary, &config.data.split())?;
        let mut config = config.clone();
        config.model.symbols = vocabulary.size();
        let task = Self::with_vocabulary(vocabulary, corpus, config)?;
        let mut init = Streams::new(task.config.training.seed).stream("init");
        let model = LanguageModel::new(&task.config.model, &mut init);
        Ok((task, model))
    }

    /// The training that a checkpoint was saved from, on the same text.
    ///
    /// # Errors
    /// As [`TextTask::new`]; also if the text has a character that the vocabulary lacks.
    pub fn of_checkpoint(
        text: &[u8],
        config: &TextConfig,
        checkpoint: &Checkpoint,
    ) -> Result<(Self, LanguageModel<f32>)> {
        config.check()?;
        let TextModel { model, vocabulary } = TextModel::without_average(checkpoint)?;
        let corpus = Corpus::encode(text, &vocabulary, &config.data.split())?;
        let mut config = config.clone();
        config.model = model.config.clone();
        Ok((Self::with_vocabulary(vocabulary, corpus, config)?, model))
    }

    fn with_vocabulary(vocabulary: Vocabulary, corpus: Corpus, config: TextConfig) -> Result<Self> {
        let streams = TextStreams::new(corpus.train.len(), config.data.batch, config.data.window)?;
        let Config { dropout, embedding_dropout, weight_dropout, .. } = config.model;
        let drops = [dropout, embedding_dropout, weight_dropout].iter().any(|&p| p > 0.0);
        let dropout = drops.then(|| Streams::new(config.training.seed).stream("dropout"));
        Ok(TextTask { vocabulary, corpus, streams, window: Window::default(), carry: None, dropout, config })
    }

    /// The resolved configuration.
    pub fn config(&self) -> &TextConfig {
        &self.config
    }
}

/// Text that a model makes without a prompt.
pub fn sample_text(model: &LanguageModel<f32>, vocabulary: &Vocabulary, symbols: usize, stream: Stream) -> String {
    let decoder = Decoder::new(model);
    let sampler = Sampler::new(Options::default()).expect("the default options are right");
    let mut utf8 = Utf8Stream::new();
    let codes = Generator::new(&decoder, &vocabulary.opening(), sampler, stream).take(symbols);
    let mut text: String = codes.map(|code| utf8.push(vocabulary.symbol_bytes(code))).collect();
    text.push_str(&utf8.finish());
    text
}

impl Task for TextTask {
    type Model = LanguageModel<f32>;

    fn loss(&mut self, model: &LanguageModel<f32>) -> Tensor<f32> {
        self.streams.read(&self.corpus.train, &mut self.window);
        if self.window.resets_state {
            self.carry = None;
        }
        let (batch, carry) = (self.config.data.batch, self.carry.take());
        let (logits, carry) = model.forward(&self.window.inputs, batch, carry.as_ref(), self.dropout.as_mut());
        self.carry = Some(carry.detach());
        logits.cross_entropy(&self.window.targets)
    }

    fn symbols_per_step(&self) -> u64 {
        (self.config.data.batch * self.config.data.window) as u64
    }

    fn validate(&self, model: &LanguageModel<f32>) -> Option<f64> {
        let symbols = &self.corpus.validation;
        let decoder = Decoder::new(model);
        let nats = decoder.nats(&mut decoder.start(), symbols);
        (!symbols.is_empty()).then(|| nats.iter().sum::<f64>() / symbols.len() as f64)
    }

    fn sample(&self, model: &LanguageModel<f32>, step: u64) -> Option<(&'static str, Vec<u8>)> {
        let stream = Streams::new(self.config.training.seed).stream(&format!("sample at step {step}"));
        Some(("txt", sample_text(model, &self.vocabulary, SAMPLE, stream).into_bytes()))
    }

    fn checkpoint(&self, model: &LanguageModel<f32>) -> Result<Checkpoint> {
        let mut checkpoint = TextModel::checkpoint_of(model, &self.vocabulary)?;
        checkpoint.push(Group::Data, StoredTensor::new("position", &[1], &[self.streams.position()]));
        if let Some(dropout) = &self.dropout {
            checkpoint.push(Group::Random, StoredTensor::new("dropout", &[6], &dropout.state()));
        }
        if let Some(carry) = &self.carry {
            let stored = |name: &str, x: &Tensor<f32>| StoredTensor::new(name, x.shape(), &x.to_vec());
            checkpoint.push(Group::Carry, stored("hidden", &carry.hidden));
            if let Some(cell) = &carry.cell {
                checkpoint.push(Group::Carry, stored("cell", cell));
            }
        }
        Ok(checkpoint)
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let position: Vec<u64> = checkpoint.tensor(Group::Data, "position")?.elements()?;
        self.streams.seek(position.first().copied().unwrap_or(0));
        if self.dropout.is_some() {
            let state: Vec<u64> = checkpoint.tensor(Group::Random, "dropout")?.elements()?;
            let state: [u64; 6] = state.try_into().map_err(|_| {
                Error::new(Kind::BadInput, "tensor `random.dropout` is not the state of a random stream")
            })?;
            self.dropout = Some(Stream::from_state(state));
        }
        let Config { layers, hidden, .. } = self.config.model;
        let shape = [layers, self.config.data.batch, hidden];
        let carried = |name: &str| -> Result<Tensor<f32>> {
            let stored = checkpoint.tensor(Group::Carry, name)?;
            if stored.shape != shape {
                let what = format!("tensor `carry.{name}` has shape {:?}, not {shape:?}", stored.shape);
                return Err(Error::new(Kind::BadInput, what));
            }
            Ok(Tensor::from_vec(stored.elements()?, &shape))
        };
        self.carry = None;
        if checkpoint.group(Group::Carry).next().is_some() {
            let cell = if self.config.model.model == Layer::Lstm { Some(carried("cell")?) } else { None };
            self.carry = Some(Carry { hidden: carried("hidden")?, cell });
        }
        Ok(())
    }
}
