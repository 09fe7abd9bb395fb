//! Tests of vocabularies: encoding and decoding, their JSON, and what is refused.

use super::*;
use proptest::prelude::*;

const KINDS: [VocabularyKind; 3] =
    [VocabularyKind::Characters, VocabularyKind::Bytes, VocabularyKind::BytePairs { size: 280 }];

#[test]
fn characters_are_coded_in_ascending_order_of_their_scalar_values() {
    let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "héllo\n").unwrap();
    assert_eq!(vocabulary.size(), 5);
    assert_eq!(vocabulary.encode("\nhloé").unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(vocabulary.symbol_bytes(4), "é".as_bytes());
    assert_eq!(vocabulary.to_json(), r#"{"kind":"characters","characters":"\nhloé"}"#);
}

#[test]
fn a_character_that_training_never_saw_is_named_with_its_place_and_a_way_out() {
    let vocabulary = Vocabulary::from_text(VocabularyKind::Characters, "abc").unwrap();
    let error = vocabulary.encode("ab€").unwrap_err();
    assert_eq!(error.kind, Kind::BadInput);
    assert!(error.what.contains("'€' (U+20AC)") && error.what.contains("character 2"), "{error}");
    assert!(error.help.contains("bytes"), "{error}");
}

#[test]
fn a_symbol_is_named_as_a_person_reads_it() {
    let name = |kind, text: &str, code| Vocabulary::from_text(kind, text).unwrap().symbol_name(code);
    assert_eq!(name(VocabularyKind::Characters, "a\n", 0), r"'\n'");
    assert_eq!(name(VocabularyKind::Characters, "é", 0), "'é'");
    assert_eq!(name(VocabularyKind::Bytes, "a", 0x61), "'a'");
    assert_eq!(name(VocabularyKind::Bytes, "a", 0xE2), "0xE2");
    assert_eq!(name(VocabularyKind::BytePairs { size: 258 }, "x he he he", 257), r#"" he""#);
}

#[test]
fn a_code_outside_the_vocabulary_is_an_error() {
    let error = Vocabulary::from_text(VocabularyKind::Characters, "ab").unwrap().decode(&[0, 2]).unwrap_err();
    assert!(error.what.contains("code 2 at place 1"), "{error}");
}

#[test]
fn an_empty_text_and_an_impossible_size_are_refused() {
    for kind in KINDS {
        assert_eq!(Vocabulary::from_text(kind, "").unwrap_err().kind, Kind::BadInput);
    }
    for size in [0, 255, MAX_SYMBOLS + 1, usize::MAX] {
        let kind = VocabularyKind::BytePairs { size };
        assert_eq!(Vocabulary::from_text(kind, "abc").unwrap_err().kind, Kind::Usage);
    }
}

#[test]
fn byte_pairs_shorten_a_text_that_repeats_itself() {
    let text = "the cat and the dog and the bird\n".repeat(20);
    let vocabulary = Vocabulary::from_text(VocabularyKind::BytePairs { size: 280 }, &text).unwrap();
    let reached = vocabulary.size();
    assert!((260..280).contains(&reached), "every word is one symbol before 280 are reached: {reached}");
    assert_eq!(vocabulary.kind(), VocabularyKind::BytePairs { size: reached });
    let codes = vocabulary.encode(&text).unwrap();
    assert!(codes.len() * 3 < text.len(), "{} codes for {} bytes", codes.len(), text.len());
    assert_eq!(vocabulary.decode(&codes).unwrap(), text.as_bytes());
}

#[test]
fn json_that_is_no_vocabulary_is_an_error_and_never_a_panic() {
    for (json, cause) in [
        ("", "EOF"),
        ("[]", "kind"),
        ("{}", "kind"),
        (r#"{"kind":"words"}"#, "is wanted, not `words`"),
        (r#"{"kind":"characters"}"#, "`characters` is missing"),
        (r#"{"kind":"characters","characters":""}"#, "no characters"),
        (r#"{"kind":"characters","characters":"ba"}"#, "ascending"),
        (r#"{"kind":"characters","characters":"aa"}"#, "ascending"),
        (r#"{"kind":"characters","characters":"ab","more":1}"#, "there is no key `more`"),
        (r#"{"kind":"byte_pairs","merges":[[0,256]]}"#, "only 256 symbols"),
        (r#"{"kind":"byte_pairs","merges":[[0,-1]]}"#, "a whole number from 0 to 4294967295 is wanted"),
        (r#"{"kind":"byte_pairs","merges":[[0,4294967296]]}"#, "a whole number from 0 to 4294967295 is wanted"),
        (r#"{"kind":"byte_pairs","merges":[[0]]}"#, "a list of 2 is wanted, not one of 1"),
        (&"[".repeat(100_000), "is wanted, not a list"),
        (&format!(r#"{{"kind":"bytes","more":{}"#, "[".repeat(100_000)), "recursion"),
    ] {
        let error = Vocabulary::from_json(json).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
        assert!(error.cause.contains(cause), "{json:.60}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_comes_back_from_its_codes_and_any_vocabulary_from_its_json(text in ".{1,80}", kind in prop::sample::select(&KINDS)) {
        let vocabulary = Vocabulary::from_text(kind, &text).unwrap();
        let codes = vocabulary.encode(&text).unwrap();
        prop_assert!(codes.iter().all(|&code| (code as usize) < vocabulary.size()));
        prop_assert_eq!(vocabulary.decode(&codes).unwrap(), text.as_bytes());
        let stored = Vocabulary::from_json(&vocabulary.to_json()).unwrap();
        prop_assert_eq!(stored.encode(&text).unwrap(), codes);
        prop_assert_eq!(stored.to_json(), vocabulary.to_json());
        prop_assert_eq!(stored.size(), vocabulary.size());
    }

    #[test]
    fn any_bytes_come_back_from_a_vocabulary_of_bytes(bytes in prop::collection::vec(any::<u8>(), 1..80)) {
        let vocabulary = Vocabulary::from_text(VocabularyKind::Bytes, &bytes).unwrap();
        prop_assert_eq!(vocabulary.decode(&vocabulary.encode(&bytes).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn no_json_makes_reading_a_vocabulary_panic(json in r#"\{"kind":"(characters|bytes|byte_pairs)"(,"(characters|merges)":("[a-c]{0,4}"|\[(\[[0-9]{1,3},[0-9]{1,3}\],?){0,3}\])){0,2}\}?"#) {
        if let Ok(vocabulary) = Vocabulary::from_json(&json) {
            prop_assert!(vocabulary.size() > 0);
        }
    }
}
