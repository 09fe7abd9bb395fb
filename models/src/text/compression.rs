//! Texts as a model of text codes them: the symbols of its vocabulary, one sequence. Nothing is lost: what the vocabulary has no code
//! for is refused.

use super::network::Network;
use super::saved::TextModel;
use crate::autoregressive::Autoregressive;
use crate::compression::format::{File, Form};
use crate::compression::rivals::{Rival, lzma};
use crate::compression::sequences::{Sequences, Source};
use crate::compression::{self, Kept, Progress, Report};
use crate::distribution::Categorical;
use crate::error::{Error, Kind, Result};

/// A network prepared for steps; it is told nothing.
struct Text<D>(D);

impl<D: Autoregressive<Symbol = u32, Distribution = Categorical<f32>>> Source for Text<D> {
    type Told = ();
    type Given<'m>
        = &'m D
    where
        Self: 'm;

    fn labels(&self) -> Vec<u32> {
        Vec::new()
    }

    fn told(&self, _: &[u32]) {}

    fn given<'m>(&'m self, (): &'m ()) -> &'m D {
        &self.0
    }
}

/// Compresses a text; `path` names it in messages.
///
/// # Errors
/// [`Kind::BadInput`] if it has a character that the model does not know; those of `progress`.
pub fn compress<N: Network>(
    text: &TextModel<N>,
    identity: u64,
    bytes: &[u8],
    path: &str,
    progress: Progress,
) -> Result<Report> {
    let TextModel { model, vocabulary } = text;
    let codes = vocabulary.encode(bytes).map_err(|error| Error { what: format!("{path}: {}", error.what), ..error })?;
    let back = vocabulary.decode(&codes)?;
    if back != bytes {
        return Err(Error::new(Kind::Failed, format!("{path} does not come back from its own codes"))
            .cause("the model's vocabulary joins what it cannot part"));
    }
    let source = Text(model.decoder());
    let compressed = compression::compress(&source, identity, Form::Text, &mut Sequences::of_one(codes), progress)?;
    let given = bytes.len() as u64;
    let rivals = [Rival { name: "uncompressed", bytes: given }].into_iter().chain(lzma(bytes)).collect();
    Ok(Report { compressed, given, kept: Kept::Bytes, rivals })
}

/// Brings a text back.
///
/// # Errors
/// [`Kind::BadInput`] if the file is none of this model, or does not come back.
pub fn decompress<N: Network>(
    text: &TextModel<N>,
    identity: u64,
    file: &File,
    name: &str,
    progress: Progress,
) -> Result<Vec<u8>> {
    file.is_of(&[Form::Text], name)?;
    let TextModel { model, vocabulary } = text;
    let sequences = compression::decompress(&Text(model.decoder()), identity, file, name, progress)?;
    vocabulary.decode(&sequences.codes.concat())
}

#[cfg(test)]
mod tests {
    use super::super::language_model::{CellKind, Config, LanguageModel};
    use super::super::vocabulary::{Vocabulary, VocabularyKind};
    use super::*;
    use crate::compression::{Compressed, format};
    use autograd::random::Streams;

    const TEXT: &str = "\u{feff}the cat sat on the mat, and the dog — ach! — sat on the cat.\r\n";

    fn model(kind: VocabularyKind, model: CellKind, learned_from: &str) -> TextModel<LanguageModel<f32>> {
        let vocabulary = Vocabulary::from_text(kind, learned_from).unwrap();
        let config = Config { model, symbols: vocabulary.size(), embedding: 4, hidden: 9, ..Config::default() };
        let mut model = LanguageModel::new(&config, &mut Streams::new(7).stream("init"));
        model.head.weight.values_mut().iter_mut().for_each(|w| *w *= 20.0);
        TextModel { model, vocabulary }
    }

    #[test]
    fn a_text_of_every_vocabulary_comes_back_byte_for_byte_for_the_bits_of_its_likelihood() {
        let byte_pairs = VocabularyKind::BytePairs { size: 280 };
        for kind in [VocabularyKind::Characters, VocabularyKind::Bytes, byte_pairs] {
            for cell in [CellKind::Gru, CellKind::Lstm] {
                let text = model(kind, cell, TEXT);
                for given in [TEXT.repeat(20), TEXT.to_owned(), "t".to_owned(), String::new()] {
                    let report = compress(&text, 3, given.as_bytes(), "a.txt", &mut |_, _| Ok(())).unwrap();
                    let Compressed { bytes, symbols, likelihood_bits } = &report.compressed;
                    let codes = text.vocabulary.encode(&given).unwrap();
                    let decoder = text.model.decoder();
                    let nats: f64 = decoder.nats(&mut decoder.start(), &codes).iter().sum();
                    let expected = nats / std::f64::consts::LN_2;
                    assert!((likelihood_bits - expected).abs() <= expected * 1e-9, "{likelihood_bits} {expected}");
                    let file = format::read(bytes, "a.arz").unwrap();
                    let bits = 8.0 * file.payload.len() as f64;
                    assert!(bits <= expected * 1.001 + 64.0 && bits >= expected * 0.999, "{bits} {expected}");
                    let back = decompress(&text, 3, &file, "a.arz", &mut |_, _| Ok(())).unwrap();
                    assert_eq!((back, *symbols, &report.kept), (given.clone().into_bytes(), codes.len(), &Kept::Bytes));
                }
            }
        }
    }

    #[test]
    fn an_alphabet_of_one_character_costs_nothing_but_the_header() {
        let text = model(VocabularyKind::Characters, CellKind::Gru, "aaa");
        let given = "a".repeat(5000);
        let report = compress(&text, 3, given.as_bytes(), "a.txt", &mut |_, _| Ok(())).unwrap();
        assert!(report.compressed.bytes.len() < 40 && report.compressed.likelihood_bits == 0.0);
        let file = format::read(&report.compressed.bytes, "a").unwrap();
        assert_eq!(decompress(&text, 3, &file, "a", &mut |_, _| Ok(())).unwrap(), given.as_bytes());
    }

    #[test]
    fn a_character_without_a_code_is_refused_with_its_file() {
        let text = model(VocabularyKind::Characters, CellKind::Gru, "abc");
        let error = compress(&text, 3, b"abcd", "a.txt", &mut |_, _| Ok(())).unwrap_err();
        assert!(error.kind == Kind::BadInput && error.what.starts_with("a.txt: character 'd'"), "{error}");
        assert_eq!(compress(&text, 3, b"ab\xff", "a.txt", &mut |_, _| Ok(())).unwrap_err().kind, Kind::BadInput);
    }
}
