//! A `state_dict` saved from PyTorch loads here, and one saved here loads in PyTorch.
//!
//! The first direction reads fixtures that `tests/fixtures/state_dict_roundtrip.py write` made. For the second, a test here
//! leaves a checkpoint and its logits in `target/tmp`, in the same bytes each time; the script's `verify` loads them:
//!
//! `python tests/fixtures/state_dict_roundtrip.py verify target/tmp/gru.safetensors --logits target/tmp/gru.logits.safetensors`

use std::collections::BTreeMap;
use std::path::Path;

use super::fixture::{Comparison, Fixture, path};
use autograd::no_grad;
use autograd::random::Streams;
use models::storage::atomic::SystemDisk;
use models::storage::checkpoint::Checkpoint;
use models::storage::safetensors_file::{StoredTensor, write_file};
use models::text::language_model::{CellKind, Config, LanguageModel};
use models::text::saved::TextModel;
use models::text::vocabulary::{Vocabulary, VocabularyKind};

/// The logits that a checkpoint's model gives for the symbols of a file of logits, against those in the file.
fn compare_logits(checkpoint: &Path, logits: &Path) -> TextModel<LanguageModel<f32>> {
    let loaded = Checkpoint::load(checkpoint)
        .and_then(|checkpoint| TextModel::<LanguageModel<f32>>::from_checkpoint(&checkpoint));
    let text = loaded.unwrap_or_else(|error| panic!("{error}"));
    let theirs = Fixture::read(logits.to_owned());
    let (symbols, shape) = theirs.symbols("input.symbols");
    let ours = no_grad(|| text.model.forward(&symbols, shape[0], None, None).0);
    let mut compare = Comparison::default();
    compare.close::<f32>("logits", &ours.value().to_owned(), &theirs.array("output.logits"));
    compare.finish(&checkpoint.display().to_string());
    text
}

#[test]
fn a_checkpoint_written_by_pytorch_gives_pytorchs_logits() {
    for (stem, kind, layers) in [("checkpoint_gru_1", CellKind::Gru, 1), ("checkpoint_lstm_2", CellKind::Lstm, 2)] {
        let file = |suffix: &str| path(&format!("{stem}{suffix}.safetensors"));
        let text = compare_logits(&file(""), &file(".logits"));
        assert_eq!((text.model.config.model, text.model.config.layers), (kind, layers));
        let codes = text.vocabulary.encode(b"a cat, a hat.\n").expect("characters of the vocabulary");
        assert_eq!(text.vocabulary.decode(&codes).expect("its own codes"), b"a cat, a hat.\n");
    }
}

#[test]
fn a_checkpoint_written_here_is_left_for_pytorch_and_gives_the_same_logits_when_read_back() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (stem, model, layers) in [("gru", CellKind::Gru, 2), ("lstm", CellKind::Lstm, 1)] {
        let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "the quick brown fox\n").expect("text");
        let symbols = vocabulary.size();
        let config = Config { model, symbols, embedding: 6, hidden: 9, layers, ..Config::default() };
        let model = LanguageModel::<f32>::new(&config, &mut Streams::new(3).stream("init"));
        let (batch, time) = (2, 8);
        let codes: Vec<u32> = (0..batch * time).map(|i| (i * 7 + 3) as u32 % symbols as u32).collect();
        let logits = no_grad(|| model.forward(&codes, batch, None, None).0);
        let codes: Vec<i64> = codes.into_iter().map(i64::from).collect();
        let stored = [
            StoredTensor::new("input.symbols", &[batch, time], &codes),
            StoredTensor::new("output.logits", logits.shape(), &logits.to_vec()),
        ];
        let file = |suffix: &str| folder.join(format!("{stem}{suffix}.safetensors"));
        let stored: Vec<&StoredTensor> = stored.iter().collect();
        write_file(&SystemDisk, &file(".logits"), &stored, &BTreeMap::new()).expect("a writable folder");
        let checkpoint = TextModel::checkpoint_of(&model, &vocabulary).expect("a configuration has a JSON form");
        checkpoint.save(&SystemDisk, &file("")).expect("a writable folder");
        compare_logits(&file(""), &file(".logits"));
    }
}
