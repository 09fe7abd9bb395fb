//! Tests of published vocabularies: what is refused, by name. That the codes are those of the library transformers is held by
//! `tests/reference/gpt2.rs`.

use super::*;
use crate::text::bpe::characters::characters;
use serde_json::json;

/// The bytes from code 1 on, `ab` and `abc`, and the end of a text before all.
fn published() -> Value {
    let mut vocab = serde_json::Map::from_iter([(END.to_owned(), json!(0))]);
    vocab.extend(characters().iter().zip(1..).map(|(character, code)| (character.to_string(), json!(code))));
    vocab.extend([("ab".to_owned(), json!(258)), ("abc".to_owned(), json!(257))]);
    json!({
        "added_tokens": [{"id": 0, "content": END, "single_word": false, "lstrip": false, "rstrip": false, "special": true}],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "continuing_subword_prefix": "", "vocab": vocab, "merges": ["a b", "ab c"]},
    })
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut file = published();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match (file.pointer_mut(parent).unwrap(), key.parse::<usize>()) {
        (Value::Array(list), Ok(place)) => list[place] = value,
        (parent, _) => parent[key] = value,
    }
    file
}

fn refusal(text: &str) -> String {
    let error = parse(text, "tokenizer.json").unwrap_err();
    assert!(error.kind == Kind::BadInput && error.what.starts_with("tokenizer.json ") && !error.help.is_empty());
    error.cause
}

#[test]
fn codes_are_those_of_the_file_and_merges_come_in_either_form() {
    let vocabulary = parse(&published().to_string(), "tokenizer.json").unwrap();
    let codes = [257, 258, 0];
    assert_eq!(vocabulary.size(), 259);
    assert_eq!(vocabulary.encode("abcab<|endoftext|>").unwrap(), codes);
    assert_eq!(vocabulary.decode(&[257, 0, 258]).unwrap(), b"abc<|endoftext|>ab");
    let pairs = changed("/model/merges", json!([["a", "b"], ["ab", "c"]]));
    assert_eq!(parse(&pairs.to_string(), "tokenizer.json").unwrap().to_json(), vocabulary.to_json());
    let again = Vocabulary::from_json(&vocabulary.to_json()).unwrap();
    assert_eq!(again.encode("abcab<|endoftext|>").unwrap(), codes);
    let one = changed("/pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [published()["pre_tokenizer"]]}));
    assert_eq!(parse(&one.to_string(), "tokenizer.json").unwrap().to_json(), vocabulary.to_json());
    let vocab = published()["model"]["vocab"].to_string();
    for merges in ["#version: 0.2\na b\nab c\n", "a b\r\nab c"] {
        let of_two = parse_pair(&vocab, merges, ["vocab.json", "merges.txt"]).unwrap();
        assert_eq!(of_two.to_json(), vocabulary.to_json());
    }
}

#[test]
fn what_would_give_a_text_other_codes_is_refused_by_name() {
    for (pointer, value, says) in [
        (
            "/normalizer",
            json!({"type": "NFC"}),
            "its `normalizer` changes a text before it is read: {\"type\":\"NFC\"}",
        ),
        ("/pre_tokenizer", json!(null), "no `pre_tokenizer`"),
        ("/pre_tokenizer/type", json!("Whitespace"), "of type \"Whitespace\""),
        ("/pre_tokenizer/add_prefix_space", json!(true), "`pre_tokenizer.add_prefix_space` is true, not false"),
        ("/pre_tokenizer/use_regex", json!(false), "`pre_tokenizer.use_regex` is false, not true"),
        ("/pre_tokenizer", json!({"type": "ByteLevel"}), "`pre_tokenizer.add_prefix_space` is left out, not false"),
        ("/pre_tokenizer", json!({"type": "Sequence", "pretokenizers": []}), "of type \"Sequence\""),
        ("/model/type", json!("Unigram"), "of type \"Unigram\", not \"BPE\""),
        ("/model/dropout", json!(0.1), "`model.dropout` is 0.1"),
        ("/model/end_of_word_suffix", json!("</w>"), "`model.end_of_word_suffix` is \"</w>\""),
        ("/model/ignore_merges", json!(true), "`model.ignore_merges` is true"),
        ("/added_tokens/0/lstrip", json!(true), "takes the blanks around it"),
    ] {
        let cause = refusal(&changed(pointer, value).to_string());
        assert!(cause.contains(says), "{pointer}: {cause}");
    }
}

#[test]
fn tokens_and_merges_that_lie_are_refused_by_name() {
    for (pointer, value, says) in [
        ("/model/vocab/abc", json!(258), "two symbols have the code 258"),
        ("/model/vocab/abc", json!(259), "the code 259; there are 259 symbols"),
        ("/model/vocab/abc", json!(u32::MAX), "the code 4294967295; there are 259 symbols"),
        ("/model/vocab/abc", json!(-1), "a whole number from 0 to 4294967295 is wanted, not the number -1"),
        ("/model/vocab/xyz", json!(259), "the token \"xyz\" of code 259 is no byte, no result of a merge"),
        ("/model/merges/1", json!("abc d"), "merge 1 joins \"abc\", which is no byte"),
        ("/model/merges/0", json!("ab c"), "merge 0 joins \"ab\", which is no byte and no result of a merge before it"),
        ("/model/merges/1", json!("ab d"), "merge 1 makes \"abd\", which has no code"),
        ("/model/merges/1", json!("ab"), "a merge is no two tokens"),
        ("/model/merges/1", json!("a b c"), "a merge is no two tokens"),
        ("/model/merges/1", json!(["a"]), "a merge is a list of two tokens"),
        ("/model/merges/1", json!(["a", "b", "c"]), "a merge is a list of two tokens"),
        ("/model/merges/1", json!(3), "two tokens is wanted, not the number 3"),
        ("/added_tokens/0/id", json!(7), "has the code 7, and among the tokens 0"),
        ("/added_tokens/0/content", json!("ab"), "\"ab\" is a byte or the result of a merge as well"),
        ("/model/vocab", json!([["a", 1.0]]), "a group of keys is wanted, not a list"),
        ("/model", json!({"type": "BPE"}), "`vocab` is missing"),
    ] {
        let cause = refusal(&changed(pointer, value).to_string());
        assert!(cause.contains(says), "{pointer}: {cause}");
    }
    let mut without = published();
    without["model"]["vocab"].as_object_mut().unwrap().remove("Ġ");
    assert!(refusal(&without.to_string()).contains("the byte 0x20 has no token 'Ġ'"));
    let twice = published().to_string().replacen("\"abc\":257", "\"abc\":257,\"abc\":256", 1);
    assert!(refusal(&twice).contains("\"abc\" is there twice"));
    for text in ["", "{}", "3", "[]", &"[".repeat(100_000)] {
        refusal(text);
    }
}

#[test]
fn of_two_files_the_one_that_is_wrong_is_named_with_its_line() {
    let vocab = published()["model"]["vocab"].to_string();
    let refused = |vocab: &str, merges: &str| parse_pair(vocab, merges, ["vocab.json", "merges.txt"]).unwrap_err();
    let error = refused(&vocab, "#version: 0.2\na b\nabc\n");
    assert!(error.what.starts_with("merges.txt ") && error.cause.contains("line 3"), "{error}");
    assert!(refused("[", "").what.starts_with("vocab.json "));
    let error = refused(&vocab, "a b\n");
    assert!(
        error.cause.contains("\"abc\" of code 257") && error.what.contains("vocab.json with merges.txt"),
        "{error}"
    );
}
