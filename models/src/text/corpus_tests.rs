//! Tests of corpora: how a text and several files are cut into parts, and what is refused.

use super::*;
use proptest::prelude::*;

fn codes(text: &str, split: &Split) -> [usize; 3] {
    let (_, corpus) = Corpus::learn(text, VocabularyKind::Characters, split).unwrap();
    [corpus.train.len(), corpus.validation.len(), corpus.test.len()]
}

#[test]
fn the_first_nine_tenths_are_trained_on_rounded_down() {
    assert_eq!(codes(&"ab".repeat(50), &Split::default()), [90, 10, 0]);
    assert_eq!(codes("abcdefghijk", &Split::default()), [9, 2, 0]);
    assert_eq!(codes("a", &Split { train: 1.0, validation: 0.0 }), [1, 0, 0]);
    assert_eq!(codes(&"ab".repeat(50), &Split { train: 0.7, validation: 0.2 }), [70, 20, 10]);
    assert_eq!(codes(&"ab".repeat(50), &Split { train: 0.5, validation: 0.0 }), [50, 0, 50]);
}

#[test]
fn a_split_counts_characters_and_never_cuts_one() {
    let (vocabulary, corpus) =
        Corpus::learn("€€€€€é😀bcd", VocabularyKind::Characters, &Split { train: 0.6, validation: 0.2 }).unwrap();
    assert_eq!(vocabulary.decode(&corpus.train).unwrap(), "€€€€€é".as_bytes());
    assert_eq!(vocabulary.decode(&corpus.validation).unwrap(), "😀b".as_bytes());
    assert_eq!(vocabulary.decode(&corpus.test).unwrap(), b"cd");
}

#[test]
fn bytes_are_split_by_bytes_and_need_not_be_text() {
    let (_, corpus) = Corpus::learn([255u8; 20], VocabularyKind::Bytes, &Split::default()).unwrap();
    assert_eq!((corpus.train.len(), corpus.validation.len()), (18, 2));
}

#[test]
fn the_merges_of_byte_pairs_come_from_the_training_part_alone() {
    let kind = VocabularyKind::BytePairs { size: 300 };
    let split = Split { train: 0.5, validation: 0.5 };
    let (one, _) = Corpus::learn("abababab xyxyxyxyx", kind, &split).unwrap();
    let (other, _) = Corpus::learn("abababab ababababa", kind, &split).unwrap();
    assert_eq!(one.to_json(), other.to_json());
}

#[test]
fn a_character_without_a_code_stops_a_resumed_run_and_is_named() {
    let (vocabulary, _) = Corpus::learn("abc", VocabularyKind::Characters, &Split::default()).unwrap();
    let error = Corpus::encode("abxc", &vocabulary, &Split::default()).unwrap_err();
    assert!(error.to_string().contains('x'), "{error}");
}

#[test]
fn shares_that_make_no_split_are_refused() {
    for (train, validation) in [(0.0, 0.5), (-0.1, 0.5), (0.9, 0.2), (0.5, -0.1), (f64::NAN, 0.1), (0.5, f64::NAN)] {
        assert_eq!(Split { train, validation }.ends(10).unwrap_err().kind, Kind::Usage, "{train} {validation}");
    }
}

fn file(name: &str, text: &str, part: Option<Part>) -> DataFile {
    DataFile { name: name.into(), path: format!("texts/{name}"), bytes: text.into(), part }
}

#[test]
fn files_one_after_another_are_one_text() {
    let files = vec![file("a", "abcde", None), file("b", "fghij", None)];
    let data = DataFiles { path: "texts".into(), files };
    let split = Split { train: 0.7, validation: 0.2 };
    let (vocabulary, corpus) = Corpus::learn_files(&data, VocabularyKind::Characters, &split).unwrap();
    assert_eq!(Corpus::encode("abcdefghij", &vocabulary, &split).unwrap(), corpus);
    assert_eq!(Corpus::encode_files(&data, &vocabulary, &split).unwrap(), corpus);
}

#[test]
fn files_that_are_parts_are_not_split_by_position() {
    let parts = [Part::Train, Part::Test, Part::Train].map(Some);
    let files = parts.into_iter().zip(["ab", "cd", "ba"]).map(|(part, text)| file(text, text, part));
    let data = DataFiles { path: "texts".into(), files: files.collect() };
    let (vocabulary, corpus) = Corpus::learn_files(&data, VocabularyKind::Characters, &Split::default()).unwrap();
    assert_eq!(vocabulary.decode(&corpus.train).unwrap(), b"abba");
    assert_eq!((vocabulary.decode(&corpus.test).unwrap(), corpus.validation.len()), (b"cd".to_vec(), 0));
    assert_eq!(Corpus::encode_files(&data, &vocabulary, &Split::default()).unwrap(), corpus);
}

#[test]
fn a_file_that_is_no_text_is_named_among_others() {
    let broken = DataFile { name: "b".into(), path: "texts/b".into(), bytes: vec![0xFF], part: None };
    let data = DataFiles { path: "texts".into(), files: vec![file("a", "x", None), broken] };
    let error = Corpus::learn_files(&data, VocabularyKind::Characters, &Split::default()).unwrap_err();
    assert!(error.what.starts_with("texts/b: the text is not UTF-8 at byte 0"), "{error}");
    assert!(Corpus::learn_files(&data, VocabularyKind::Bytes, &Split::default()).is_ok());
}

#[test]
fn bytes_that_are_not_text_have_no_characters() {
    for kind in [VocabularyKind::Characters, VocabularyKind::BytePairs { size: 260 }] {
        assert_eq!(Corpus::learn(b"abc\xFFdef", kind, &Split::default()).unwrap_err().kind, Kind::BadInput);
    }
}

#[test]
fn an_empty_text_and_an_empty_training_part_are_errors() {
    assert!(Corpus::learn("", VocabularyKind::Bytes, &Split::default()).unwrap_err().what.contains("empty"));
    assert!(Corpus::learn("a", VocabularyKind::Bytes, &Split::default()).unwrap_err().what.contains("training part"));
}

proptest! {
    #[test]
    fn the_parts_together_are_the_text(text in "\\PC{1,60}", train in 0.2f64..1.0, rest in 0.0f64..1.0) {
        let split = Split { train, validation: (1.0 - train) * rest };
        prop_assume!((text.chars().count() as f64 * train) as usize > 0);
        let (vocabulary, corpus) = Corpus::learn(&text, VocabularyKind::Characters, &split).unwrap();
        let decoded = [&corpus.train, &corpus.validation, &corpus.test].map(|part| vocabulary.decode(part).unwrap()).concat();
        prop_assert_eq!(decoded, text.into_bytes());
    }
}
