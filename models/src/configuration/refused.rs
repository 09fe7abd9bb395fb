//! The error of a key or a value that no configuration takes: where it came from, what was given, what may be.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::tables::{collect_leaves, insert, shortened, shown, unknown_field};
use super::{Origin, parse};
use crate::error::{Error, Kind};
use crate::refusals::{in_words, one_of, unknown_word};
use crate::storage::expected::nearest;

/// What `why`, serde's sentence, means for this value under this key of `table`, which takes all that was set before.
pub(super) fn refused<C: DeserializeOwned>(
    table: &Table,
    key: &str,
    value: &Value,
    why: &str,
    origin: &Origin,
) -> Error {
    match unknown_field(why) {
        Some((unknown, siblings)) => of_key(table, key, &unknown, &siblings, origin),
        None => of_value::<C>(table, key, value, why, origin),
    }
}

fn of_value<C: DeserializeOwned>(table: &Table, key: &str, value: &Value, why: &str, origin: &Origin) -> Error {
    let error = Error::new(Kind::Usage, format!("{origin}: `{key}` cannot be {}", shortened(&shown(value))));
    if let Some((found, words)) = unknown_word(why) {
        let error = error.cause(shortened(&in_words(why)));
        return match nearest(&found, words.iter().map(String::as_str)) {
            Some(like) => error.help(format!("did you mean `{like}`?")),
            None => error,
        };
    }
    // Of a choice serde says the words only to a word that is none of them.
    let no_word = || {
        let mut table = table.clone();
        let tried = insert(&mut table, key, Value::String("\0".to_owned()));
        tried.and_then(|()| parse::<C>(&table).map(|_| ())).err()
    };
    match no_word().as_deref().and_then(unknown_word) {
        Some((_, words)) if value.as_str().is_some_and(|text| words.iter().any(|word| word == text)) => {
            let word = value.as_str().unwrap_or_default();
            error
                .cause(format!("`{word}` has keys of its own"))
                .help(format!("write {{ {word} = {{{}}} }}", keys_of::<C>(table, key, word)))
        }
        // A word of the choice with a group of keys: the fault lies among these.
        Some((_, words)) if value.as_table().is_some_and(|group| is_choice(group, &words)) => {
            error.cause(shortened(&in_words(why)))
        }
        Some((_, words)) => error.cause(format!("{} is wanted", one_of(&words))),
        None => {
            let words = in_words(why);
            let digits =
                value.as_str().is_some_and(|text| text.parse::<i64>().is_err() && text.parse::<u128>().is_ok());
            match digits && words.starts_with("a whole number") {
                true => error.cause(format!("a whole number is at most {}", i64::MAX)),
                false => error.cause(shortened(&words)),
            }
        }
    }
}

/// Whether a table is one word of a choice, with a table of its own.
fn is_choice(group: &Table, words: &[String]) -> bool {
    group.len() == 1 && group.iter().all(|(word, keys)| keys.is_table() && words.contains(word))
}

/// The keys that a word of a choice must have, as they are written.
fn keys_of<C: DeserializeOwned>(table: &Table, key: &str, word: &str) -> String {
    let (mut keys, mut given) = (Vec::new(), Table::new());
    // Without one serde says its name.
    while keys.len() < 8 {
        let mut table = table.clone();
        let choice = Value::Table(Table::from_iter([(word.to_owned(), Value::Table(given.clone()))]));
        let why = insert(&mut table, key, choice).and_then(|()| parse::<C>(&table).map(|_| ())).err();
        let missing = why.as_deref().and_then(|why| why.strip_prefix("missing field `")?.strip_suffix('`'));
        let Some(missing) = missing else { break };
        given.insert(missing.to_owned(), Value::Integer(1));
        keys.push(format!("{missing} = …"));
    }
    if keys.is_empty() { String::new() } else { format!(" {} ", keys.join(", ")) }
}

fn of_key(table: &Table, key: &str, unknown: &str, siblings: &[String], origin: &Origin) -> Error {
    // What is wrong may be inside the value: `vocabulary={ byte_pairs = { sise = 512 } }`.
    let within =
        if key.split('.').any(|part| part == unknown) { String::new() } else { format!(" (in it `{unknown}`)") };
    let error = Error::new(Kind::Usage, format!("{origin}: unknown key `{key}`{within}"));
    // What the struct itself knows beside the wrong part (optional keys too), then every key that has a default.
    let parent = &key[..key.rfind(unknown).unwrap_or(0)];
    let mut known: Vec<String> = siblings.iter().map(|s| format!("{parent}{s}")).collect();
    let mut leaves = Vec::new();
    collect_leaves(table, "", &mut leaves);
    known.extend(leaves.into_iter().map(|(k, _)| k));
    let last = |k: &str| k.rsplit('.').next().unwrap_or_default().to_owned();
    let elsewhere = known.iter().find(|k| last(k) == last(key)).map(String::as_str);
    match elsewhere.or_else(|| nearest(key, known.iter().map(String::as_str))) {
        Some(like) => error.help(format!("did you mean `{like}`?")),
        None => error.help(format!("known keys: {}", known[..siblings.len()].join(", "))),
    }
}
