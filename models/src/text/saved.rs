//! A language model and its vocabulary, to and from a checkpoint. What else a checkpoint holds is the training's.

use super::language_model::{Config, Kind as Layer, LanguageModel};
use super::vocabulary::Vocabulary;
use crate::error::{Error, Kind, Result};
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::parameters::{fill, fill_averages};
use crate::storage::safetensors_file::StoredTensor;
use autograd::nn::Module;
use autograd::random::Streams;

/// A model that knows what its symbols stand for.
pub struct TextModel {
    /// The network.
    pub model: LanguageModel<f32>,
    /// Its symbols.
    pub vocabulary: Vocabulary,
}

impl TextModel {
    /// Whether a checkpoint's kind of model (`Checkpoint::model`) is one of text.
    pub fn is_kind(model: &str) -> bool {
        ["gru", "lstm"].contains(&model)
    }

    /// The model of a checkpoint: with averaged weights, where training kept an average.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if it is of another kind, lacks a vocabulary, or its tensors are not the configuration's.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Self> {
        let mut text = Self::without_average(checkpoint)?;
        fill_averages(&mut text.model, checkpoint)?;
        Ok(text)
    }

    /// The model of a checkpoint with the weights that training goes on from.
    ///
    /// # Errors
    /// As [`TextModel::from_checkpoint`].
    pub fn without_average(checkpoint: &Checkpoint) -> Result<Self> {
        let path = checkpoint.path.display();
        let bad = |what: String| Error::new(Kind::BadInput, what);
        let kind = checkpoint.model()?;
        if !Self::is_kind(kind) {
            return Err(bad(format!("{path} holds a model of kind `{kind}`, not a language model"))
                .help("give a checkpoint that `autoreg train text` wrote"));
        }
        let config: Config = checkpoint.config_as()?;
        let vocabulary = checkpoint.vocabulary.as_ref().ok_or_else(|| {
            bad(format!("{path} has no vocabulary"))
                .help("write the JSON of docs/file-formats.md as `autoreg.vocabulary`")
        })?;
        let vocabulary = Vocabulary::from_json(&vocabulary.to_string())?;
        if vocabulary.size() != config.symbols {
            let cause = format!("the vocabulary has {} symbols, the model {}", vocabulary.size(), config.symbols);
            return Err(bad(format!("{path} contradicts itself")).cause(cause));
        }
        // The shapes are compared with the file's before a model of that size is made.
        let stored = checkpoint.parameters(&parameter_shapes(&config))?;
        let mut model = LanguageModel::new(&config, &mut Streams::new(0).stream("init"));
        fill(&mut model, &stored)?;
        Ok(TextModel { model, vocabulary })
    }

    /// A checkpoint of the model alone.
    ///
    /// # Errors
    /// None in practice: a configuration has a JSON form.
    pub fn to_checkpoint(&self) -> Result<Checkpoint> {
        Self::checkpoint_of(&self.model, &self.vocabulary)
    }

    /// [`TextModel::to_checkpoint`] of parts that live apart.
    ///
    /// # Errors
    /// None in practice: a configuration has a JSON form.
    pub fn checkpoint_of(model: &LanguageModel<f32>, vocabulary: &Vocabulary) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::new(&model.config)?;
        checkpoint.vocabulary = serde_json::from_str(&vocabulary.to_json()).ok();
        for (name, param) in model.parameters() {
            checkpoint.push(Group::Parameter, StoredTensor::new(name, param.shape(), param.values()));
        }
        Ok(checkpoint)
    }
}

/// The names and shapes of a model's parameters, in order, without making the model.
fn parameter_shapes(config: &Config) -> Vec<(String, Vec<usize>)> {
    let Config { model, symbols, embedding, hidden, layers, .. } = *config;
    let gates = hidden.saturating_mul(if model == Layer::Gru { 3 } else { 4 });
    let mut shapes = vec![("embedding.weight".to_string(), vec![symbols, embedding])];
    // A hostile number of layers must not make a hostile list: one name more than any real model has is enough to differ.
    for k in 0..layers.min(1000) {
        let inputs = if k == 0 { embedding } else { hidden };
        shapes.push((format!("rnn.weight_ih_l{k}"), vec![gates, inputs]));
        shapes.push((format!("rnn.weight_hh_l{k}"), vec![gates, hidden]));
        shapes.push((format!("rnn.bias_ih_l{k}"), vec![gates]));
        shapes.push((format!("rnn.bias_hh_l{k}"), vec![gates]));
    }
    shapes.push(("head.weight".to_string(), vec![symbols, hidden]));
    shapes.push(("head.bias".to_string(), vec![symbols]));
    shapes
}

#[cfg(test)]
mod tests {
    use super::super::vocabulary::VocabularyKind;
    use super::*;

    fn text_model(layer: Layer) -> TextModel {
        let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "hello").expect("text");
        let config = Config { model: layer, symbols: 4, embedding: 3, hidden: 5, layers: 2, ..Config::default() };
        TextModel { model: LanguageModel::new(&config, &mut Streams::new(1).stream("init")), vocabulary }
    }

    #[test]
    fn a_model_comes_back_from_its_checkpoint_bit_for_bit() {
        for layer in [Layer::Gru, Layer::Lstm] {
            let original = text_model(layer);
            let loaded = TextModel::from_checkpoint(&original.to_checkpoint().unwrap()).unwrap();
            assert_eq!(loaded.model.config, original.model.config);
            for ((name, a), (_, b)) in loaded.model.parameters().into_iter().zip(original.model.parameters()) {
                assert_eq!(a.values(), b.values(), "{name}");
            }
        }
    }

    #[test]
    fn a_model_that_is_not_what_its_configuration_says_is_refused_before_it_is_made() {
        let original = text_model(Layer::Gru);
        let mut checkpoint = original.to_checkpoint().unwrap();
        checkpoint.config["hidden"] = serde_json::json!(1_u64 << 40);
        let Err(error) = TextModel::from_checkpoint(&checkpoint) else { panic!("a trillion units were accepted") };
        assert_eq!(error.kind, Kind::BadInput);
        assert!(error.to_string().contains("rnn.weight_hh_l0"), "{error}");
    }
}
