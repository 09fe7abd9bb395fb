//! What is said of values that are refused, sentence by sentence.

use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    Adam,
    Sgd,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read")]
struct Inner {
    rate: f64,
    rule: Rule,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only read")]
struct Outer {
    layers: u32,
    tied: bool,
    names: Vec<String>,
    pair: (u8, u8),
    inner: Inner,
}

fn whole() -> Value {
    json!({ "layers": 1, "tied": true, "names": ["a"], "pair": [1, 2], "inner": { "rate": 0.5, "rule": "adam" } })
}

fn refusal(key: &str, value: Value) -> String {
    let mut object = whole();
    *object.pointer_mut(key).expect("there is such a key") = value;
    read::<Outer>(&object).unwrap_err()
}

#[test]
fn every_sentence_of_serde_is_told_in_words_with_the_key_it_speaks_of() {
    assert!(read::<Outer>(&whole()).is_ok());
    for (key, value, told) in [
        ("/layers", json!("many"), "`layers`: a whole number from 0 to 4294967295 is wanted, not the text \"many\""),
        ("/layers", json!(-1), "`layers`: a whole number from 0 to 4294967295 is wanted, not the number -1"),
        ("/layers", json!(1e308), "`layers`: a whole number from 0 to 4294967295 is wanted, not the number 1e308"),
        ("/layers", json!(null), "`layers`: a whole number from 0 to 4294967295 is wanted, not nothing"),
        ("/tied", json!([1]), "`tied`: true or false is wanted, not a list"),
        ("/names", json!({ "a": 1 }), "`names`: a list is wanted, not a group of keys"),
        ("/names", json!([1]), "`names`: a text is wanted, not the number 1"),
        ("/pair", json!([1]), "`pair`: a list of 2 is wanted, not one of 1"),
        ("/inner", json!(true), "`inner`: a group of keys is wanted, not true"),
        ("/inner/rate", json!("x"), "`inner.rate`: a number is wanted, not the text \"x\""),
        ("/inner/rule", json!("adamm"), "`inner.rule`: `adam` or `sgd` is wanted, not `adamm`"),
        ("/inner/rule", json!(3), "`inner.rule`: one of a few words is wanted, not the number 3"),
    ] {
        assert_eq!(refusal(key, value.clone()), told, "{key} {value}");
    }
    let mut more = whole();
    more["inner"]["size"] = json!(1);
    assert_eq!(read::<Outer>(&more).unwrap_err(), "there is no key `size`; the keys are `rate`, `rule`");
    let mut lacking = whole();
    lacking["inner"].as_object_mut().expect("an object").remove("rate");
    assert_eq!(read::<Outer>(&lacking).unwrap_err(), "`rate` is missing");
}

#[test]
fn a_place_stays_behind_the_sentence_and_what_is_no_sentence_of_serdes_is_left_alone() {
    let told = serde_json::from_str::<Inner>(r#"{"rate": "x"}"#).unwrap_err().to_string();
    assert_eq!(in_words(&told), "a number is wanted, not the text \"x\" at line 1 column 12");
    assert_eq!(in_words("expected value at line 1 column 1"), "expected value at line 1 column 1");
    assert_eq!(in_words("expected table, found integer"), "a group of keys is wanted, not a number");
}
