//! A network of text and its vocabulary, to and from a checkpoint. What else a checkpoint holds is the training's.

use super::network::Configured;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::given;
use crate::storage::checkpoint::{Checkpoint, Group};
use crate::storage::parameters::{fill, fill_averages};
use crate::storage::safetensors_file::StoredTensor;
use autograd::random::Streams;

/// A network that knows what its symbols stand for.
pub struct TextModel<N> {
    /// The network.
    pub model: N,
    /// Its symbols.
    pub vocabulary: Vocabulary,
}

impl<N: Configured> TextModel<N> {
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
        if !N::KINDS.contains(&kind) {
            return Err(bad(format!("{path} holds a model of kind `{kind}`, not of {}", N::KINDS.join(" or ")))
                .help("give a checkpoint that `autoreg train text` wrote"));
        }
        let config: N::Config = checkpoint.config_as()?;
        check(checkpoint, N::symbols(&config), &N::sizes(&config), &N::dropouts(&config))?;
        let vocabulary = checkpoint.vocabulary.as_ref().ok_or_else(|| {
            bad(format!("{path} has no vocabulary"))
                .help("write the JSON of docs/file-formats.md as `autoreg.vocabulary`")
        })?;
        let vocabulary = Vocabulary::from_json(&vocabulary.to_string())
            .map_err(|error| Error { what: format!("{path}: {}", error.what), ..error })?;
        if vocabulary.size() != N::symbols(&config) {
            let symbols = N::symbols(&config);
            let cause = format!("the vocabulary has {} symbols, the model {symbols}", vocabulary.size());
            return Err(bad(format!("{path} contradicts itself")).cause(cause));
        }
        // The shapes are compared with the file's before a model of that size is made.
        let stored = checkpoint.parameters(&N::parameter_shapes(&config))?;
        let mut model = N::new(&config, &mut Streams::new(0).stream("init"));
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
    pub fn checkpoint_of(model: &N, vocabulary: &Vocabulary) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::new(model.config())?;
        checkpoint.vocabulary = serde_json::from_str(&vocabulary.to_json()).ok();
        for (name, param) in model.parameters() {
            checkpoint.push(Group::Parameter, StoredTensor::new(name, param.shape(), param.values()));
        }
        Ok(checkpoint)
    }
}

/// Refuses numbers that make no network. Sizes that are too large show when the shapes are compared.
fn check(checkpoint: &Checkpoint, symbols: usize, sizes: &[(&str, usize)], dropouts: &[(&str, f64)]) -> Result<()> {
    let bad = |cause: String| {
        let what = format!("{}: the metadata `autoreg.config` is not usable", checkpoint.path.display());
        Err(Error::new(Kind::BadInput, what).cause(cause))
    };
    if let Some((key, _)) = [("symbols", symbols)].iter().chain(sizes).find(|(_, size)| *size == 0) {
        return bad(format!("{key} 0: it must be at least 1"));
    }
    if let Some((key, p)) = dropouts.iter().find(|(_, p)| !(0.0..1.0).contains(p)) {
        return bad(format!("{key} {}: it must be at least 0 and below 1", given(*p)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::language_model::{CellKind, Config, LanguageModel};
    use super::super::vocabulary::VocabularyKind;
    use super::*;
    use autograd::nn::Module;

    fn text_model(layer: CellKind) -> TextModel<LanguageModel<f32>> {
        let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "hello").expect("text");
        let config = Config { model: layer, symbols: 4, embedding: 3, hidden: 5, layers: 2, ..Config::default() };
        TextModel { model: LanguageModel::new(&config, &mut Streams::new(1).stream("init")), vocabulary }
    }

    fn refusal(key: &str, value: serde_json::Value) -> Error {
        let mut checkpoint = text_model(CellKind::Gru).to_checkpoint().unwrap();
        checkpoint.config[key] = value.clone();
        let Err(error) = TextModel::<LanguageModel<f32>>::from_checkpoint(&checkpoint) else {
            panic!("{key} {value} was accepted")
        };
        assert_eq!(error.kind, Kind::BadInput);
        error
    }

    #[test]
    fn a_model_comes_back_from_its_checkpoint_bit_for_bit() {
        for layer in [CellKind::Gru, CellKind::Lstm] {
            let original = text_model(layer);
            let loaded = TextModel::<LanguageModel<f32>>::from_checkpoint(&original.to_checkpoint().unwrap()).unwrap();
            assert_eq!(loaded.model.config, original.model.config);
            for ((name, a), (_, b)) in loaded.model.parameters().into_iter().zip(original.model.parameters()) {
                assert_eq!(a.values(), b.values(), "{name}");
            }
        }
    }

    #[test]
    fn a_model_that_is_not_what_its_configuration_says_is_refused_before_it_is_made() {
        let error = refusal("hidden", (1_u64 << 40).into());
        assert!(error.to_string().contains("rnn.weight_hh_l0"), "{error}");
    }

    #[test]
    fn numbers_that_make_no_network_are_refused_by_name() {
        for key in ["symbols", "embedding", "hidden", "layers"] {
            assert!(refusal(key, 0.into()).cause.contains(&format!("{key} 0")), "{key}");
        }
        assert!(refusal("dropout", (-1).into()).cause.contains("dropout -1"));
        assert!(refusal("model", "lstn".into()).to_string().contains("lstn"));
    }
}
