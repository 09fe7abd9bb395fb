//! Models of a few parameters, made through the libraries, and the files the tests run the binary on.

use autograd::random::Streams;
use models::autoregressive::Autoregressive;
use models::distribution::Distribution;
use models::storage::atomic::SystemDisk;
use models::storage::checkpoint::{Checkpoint, Progress};
use models::storage::run_folder::RunFolder;
use models::text::decoder::Decoder;
use models::text::language_model::{CellKind, Config, LanguageModel};
use models::text::saved::TextModel;
use models::text::vocabulary::{Vocabulary, VocabularyKind};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The text that the vocabulary of characters is learned from, and that is scored.
pub const TEXT: &str = "the cat sat on the mat, and the dog — ach! — sat on the cat.\n";

/// A model with initial weights. Large for its size: its distributions are far from uniform.
pub fn model(kind: VocabularyKind) -> TextModel<LanguageModel<f32>> {
    let vocabulary = Vocabulary::from_text(kind, TEXT).expect("a vocabulary");
    let config =
        Config { model: CellKind::Gru, symbols: vocabulary.size(), embedding: 6, hidden: 16, ..Config::default() };
    let mut model = LanguageModel::new(&config, &mut Streams::new(7).stream("init"));
    model.head.weight.values_mut().iter_mut().for_each(|w| *w *= 20.0);
    TextModel { model, vocabulary }
}

/// The checkpoint of a model alone, in memory.
pub fn checkpoint_of(text: &TextModel<LanguageModel<f32>>) -> Checkpoint {
    text.to_checkpoint().expect("a checkpoint")
}

/// A folder with one checkpoint in it.
pub struct Files {
    pub folder: TempDir,
    pub checkpoint: PathBuf,
}

impl Files {
    /// Of a model of characters.
    pub fn new() -> Self {
        Self::of(&model(VocabularyKind::Characters))
    }

    pub fn of(model: &TextModel<LanguageModel<f32>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let checkpoint = folder.path().join("tiny.safetensors");
        checkpoint_of(model).save(&SystemDisk, &checkpoint).expect("a checkpoint");
        Files { folder, checkpoint }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the checkpoint and returns its path as an argument.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("a temporary folder has a Unicode name").to_owned()
    }
}

/// Writes a run folder with one checkpoint at step 3, whose text was split half to train and a quarter to validate.
pub fn write_run(folder: &Path) {
    let mut run = RunFolder::create(folder, false, "[data]\ntrain = 0.5\nvalidation = 0.25\n").expect("a run");
    let settings = serde_json::json!({"config": {"data": {"train": 0.5, "validation": 0.25}}});
    let checkpoint = Checkpoint {
        progress: Some(Progress { step: 3, settings, ..Progress::default() }),
        ..checkpoint_of(&model(VocabularyKind::Characters))
    };
    run.save(&checkpoint, true).expect("a saved checkpoint");
}

/// Nats per symbol of a text by the parallel pass: not the way `eval` goes.
pub fn nats_per_symbol(text: &str) -> f64 {
    let TextModel { model, vocabulary } = model(VocabularyKind::Characters);
    let codes = vocabulary.encode(text).expect("known characters");
    let distributions = Decoder::new(&model).distributions(&codes);
    let nats = distributions.iter().zip(&codes).map(|(d, &code)| -d.log_probability(code));
    nats.sum::<f64>() / codes.len() as f64
}
