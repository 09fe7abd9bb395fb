//! What serde says of a value that it refuses, in words for people: "invalid type: string "many", expected u64" is
//! "a whole number from 0 is wanted, not the text "many"". And the key of a JSON object that it refused, which it does not say.
//!
//! The forms of its sentences are serde's own (`serde::de::Error`, `Unexpected`, `OneOf`), the same in TOML and JSON. What is none of them is
//! left as it is.

use crate::pages::numbers::given;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A sentence of serde's in words; what it says of a place (`at line 1 column 5`) stays behind it.
pub fn in_words(message: &str) -> String {
    let (sentence, place) = match message.rfind(" at line ") {
        Some(at) => message.split_at(at),
        None => (message, ""),
    };
    match said(sentence) {
        Some(words) => format!("{words}{place}"),
        None => message.to_owned(),
    }
}

fn said(sentence: &str) -> Option<String> {
    for form in ["invalid type: ", "invalid value: "] {
        if let Some((found, wanted)) = sentence.strip_prefix(form).and_then(|rest| rest.rsplit_once(", expected ")) {
            if wanted == "any valid TOML value" {
                return Some(format!("a whole number is at most {}", i64::MAX));
            }
            return Some(format!("{} is wanted, not {}", wanted_in_words(wanted), found_in_words(found)));
        }
    }
    if let Some((length, wanted)) = sentence.strip_prefix("invalid length ").and_then(|x| x.split_once(", expected ")) {
        return Some(format!("{} is wanted, not one of {length}", wanted_in_words(wanted)));
    }
    if let Some((found, words)) = unknown_word(sentence) {
        return Some(format!("{} is wanted, not `{found}`", one_of(&words)));
    }
    let named = |form: &str| Some(sentence.strip_prefix(form)?.strip_suffix('`')?.to_owned());
    if let Some(key) = named("missing field `") {
        return Some(format!("`{key}` is missing"));
    }
    if let Some(key) = named("duplicate field `") {
        return Some(format!("`{key}` is there twice"));
    }
    let of_field = |rest: &'_ str| {
        let none = || Some((rest.strip_suffix("`, there are no fields")?, ""));
        rest.rsplit_once("`, expected ").or_else(none).map(|(key, known)| (key.to_owned(), known.to_owned()))
    };
    if let Some((key, known)) = sentence.strip_prefix("unknown field `").and_then(of_field) {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let known = if known.is_empty() { String::new() } else { format!("; the keys are `{}`", known.join("`, `")) };
        return Some(format!("there is no key `{key}`{known}"));
    }
    // What toml says of the variants of a choice.
    if let Some((wanted, found)) = sentence.strip_prefix("expected ").and_then(|rest| rest.split_once(", found ")) {
        return Some(format!("{} is wanted, not {}", toml_in_words(wanted)?, toml_in_words(found)?));
    }
    match sentence {
        "expected empty table" => Some("a word without keys is wanted".to_owned()),
        "wanted string or table"
        | "wanted exactly 1 element, more than 1 element"
        | "wanted exactly 1 element, found 0 elements" => Some("a word, or a group of one key, is wanted".to_owned()),
        _ => None,
    }
}

/// The words of a choice: "`adam`, `adamw` or `sgd`".
pub fn one_of(words: &[String]) -> String {
    let ticked = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
    match &ticked[..] {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} or {last}", front.join(", ")),
    }
}

/// The word that is none of a choice, and those of the choice, from "unknown variant `a`, expected one of `b`, `c`".
pub fn unknown_word(message: &str) -> Option<(String, Vec<String>)> {
    let (found, known) = message.strip_prefix("unknown variant `")?.rsplit_once("`, expected ")?;
    Some((found.to_owned(), known.split('`').skip(1).step_by(2).map(str::to_owned).collect()))
}

/// What was asked for, from serde's `Expected`.
fn wanted_in_words(wanted: &str) -> String {
    let words = match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" | "u128" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" | "i128" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "a borrowed string" | "a character" => "a text",
        "a sequence" => "a list",
        // An enum as serde derives it: which words there are, it does not say here.
        "string or table" | "string or map" | "string only" | "map with a single key" | "variant identifier" => {
            "one of a few words"
        }
        "field identifier" => "a key",
        "unit" | "unit value" => "nothing",
        "option" => "a value",
        "a map" => "a group of keys",
        _ if wanted.starts_with("enum ") || wanted.starts_with("variant of enum ") => "one of a few words",
        _ if wanted.starts_with("unit variant ") => "a word without keys",
        _ if ["struct ", "newtype ", "internally tagged enum "].iter().any(|kind| wanted.starts_with(kind)) => {
            "a group of keys"
        }
        _ => return array_in_words(wanted).unwrap_or_else(|| wanted.to_owned()),
    };
    words.to_owned()
}

/// "an array of length 3", "a tuple of size 3".
fn array_in_words(wanted: &str) -> Option<String> {
    let count = ["an array of length ", "a tuple of size "].iter().find_map(|form| wanted.strip_prefix(form))?;
    let count = count.trim_end_matches(|c: char| !c.is_ascii_digit());
    Some(format!("a list of {count}"))
}

/// A type of toml's.
fn toml_in_words(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "table" | "table with exactly 1 entry" => "a group of keys",
        "empty table" => "an empty group",
        "array" | "empty array" => "a list",
        "string" => "a text",
        "integer" | "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        _ => return None,
    })
}

/// What was found, from serde's `Unexpected`.
fn found_in_words(found: &str) -> String {
    // A number that is too large has its width behind it: "integer `18446744073709551616` as i128".
    let ticked = |form: &str| found.strip_prefix(form)?.split('`').next().map(str::to_owned);
    if let Some(number) = ticked("integer `") {
        return format!("the number {number}");
    }
    if let Some(number) = ticked("floating point `") {
        // serde writes it out, to the last of its three hundred digits.
        return format!("the number {}", number.parse().map_or(number.clone(), given));
    }
    if let Some(value) = ticked("boolean `") {
        return value;
    }
    if let Some(text) = found.strip_prefix("string ") {
        return format!("the text {text}");
    }
    match found {
        "map" => "a group of keys",
        "sequence" => "a list",
        "null" | "unit value" | "Option value" => "nothing",
        "unit variant" => "a value of another kind",
        "newtype variant" | "struct variant" | "tuple variant" | "enum" => "a group of keys",
        other => other,
    }
    .to_owned()
}

/// A JSON value as a type of ours.
///
/// # Errors
/// In words, with the dotted key that does not fit.
pub fn read<C: DeserializeOwned>(value: &Value) -> Result<C, String> {
    C::deserialize(value).map_err(|error| {
        let told = error.to_string();
        let words = in_words(&told);
        match culprit::<C>(value, &told) {
            Some(key) if !words.contains(&format!("`{key}`")) => format!("`{key}`: {words}"),
            _ => words,
        }
    })
}

/// No object of ours has more keys; what claims so is another's, and not searched.
const MOST_KEYS: usize = 1000;

/// The key whose value is refused: it holds what serde found, and with another value in its place serde wants the same, and finds that.
fn culprit<C: DeserializeOwned>(value: &Value, told: &str) -> Option<String> {
    let mut paths = Vec::new();
    leaves(value, &mut Vec::new(), &mut paths);
    if paths.len() > MOST_KEYS {
        return None;
    }
    let found = paths.into_iter().find(|path| {
        let pointer: String =
            path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
        let Some(held) = value.pointer(&pointer).filter(|held| holds(held, told)) else { return false };
        let others = [json!(null), json!(true), json!("\u{0}"), json!([]), json!({}), json!([null]), json!([true])];
        others.into_iter().filter(|other| other != held).any(|other| {
            let mut changed = value.clone();
            if let Some(place) = changed.pointer_mut(&pointer) {
                *place = other;
            }
            let said = C::deserialize(&changed).err().map(|error| error.to_string());
            said.is_some_and(|said| said != told && wanted(&said).is_some_and(|same| Some(same) == wanted(told)))
        })
    });
    found.map(|path| path.join("."))
}

fn wanted(sentence: &str) -> Option<&str> {
    sentence.rsplit_once(", expected ").map(|(_, wanted)| wanted)
}

/// Whether a value is, or a list holds, what serde says that it found.
fn holds(value: &Value, told: &str) -> bool {
    let says = |found: String| told.contains(&found);
    match value {
        Value::String(text) => says(format!("string {text:?}, ")) || says(format!("variant `{text}`, ")),
        Value::Bool(value) => says(format!("boolean `{value}`, ")),
        Value::Null => says("null, ".to_owned()),
        Value::Number(number) => {
            let found = told.split('`').nth(1).and_then(|found| found.parse::<f64>().ok());
            told.starts_with("invalid ") && found.is_some() && found == number.as_f64()
        }
        Value::Array(list) => {
            let length = format!("invalid length {}, ", list.len());
            says("sequence, ".to_owned()) || says(length) || list.iter().any(|value| holds(value, told))
        }
        Value::Object(_) => says("map, ".to_owned()),
    }
}

/// The keys of all values that are no objects, from the outermost.
fn leaves(value: &Value, above: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let Value::Object(table) = value else { return };
    for (key, value) in table {
        above.push(key.clone());
        if value.is_object() {
            leaves(value, above, paths);
        }
        paths.push(above.clone());
        above.pop();
    }
}

#[cfg(test)]
#[path = "refusals_tests.rs"]
mod tests;
