//! Tables of TOML under dotted keys: what a text may mean, what stands where, and what serde says of a key it does not know.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::pages::numbers::given;

/// What stands under a dotted key.
pub(super) fn value_of<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    let (groups, last) = key.rsplit_once('.').unwrap_or(("", key));
    let mut table = table;
    for group in groups.split('.').filter(|group| !group.is_empty()) {
        table = table.get(group)?.as_table()?;
    }
    table.get(last)
}

/// As it is written, or the beginning of it.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain("…".chars()).collect() }
}

/// A value as TOML writes it, a number with no more digits than tell it from others.
pub(super) fn shown(value: &Value) -> String {
    match value {
        // Of a whole number the point stays: it is what makes it no count.
        Value::Float(x) if x.is_finite() && !(1e-5..1e16).contains(&x.abs()) && *x != 0.0 => given(*x),
        other => other.to_string(),
    }
}

/// What a text may mean: a TOML value first, then the text itself (`tiny` and `3` are both possible names), then a number that is too
/// large for a whole one of TOML.
pub(super) fn readings(text: &str) -> Vec<Value> {
    let wrapped: Option<Table> = toml::from_str(&format!("value = {text}")).ok();
    // One value alone: `1\nother = 2` would be two.
    let value = wrapped.filter(|t| t.len() == 1).and_then(|mut t| t.remove("value"));
    let large = if value.is_none() { text.parse().ok().map(Value::Float) } else { None };
    value.into_iter().chain([Value::String(text.to_owned())]).chain(large).collect()
}

/// Puts a value under a dotted key, making the tables on the way.
pub(super) fn insert(table: &mut Table, key: &str, value: Value) -> std::result::Result<(), String> {
    let (first, rest) = match key.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (key, None),
    };
    let Some(rest) = rest else {
        table.insert(first.to_owned(), value);
        return Ok(());
    };
    match table.entry(first).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(inner) => insert(inner, rest, value),
        // A choice that may be a word or a group of its own: `vocabulary = "bytes"`, `vocabulary.byte_pairs.size = 512`. Whether
        // the struct takes a group here, it says itself.
        word @ Value::String(_) => {
            let mut inner = Table::new();
            insert(&mut inner, rest, value)?;
            *word = Value::Table(inner);
            Ok(())
        }
        other => Err(format!("`{first}` is a value ({other}), not a group of keys")),
    }
}

/// The field serde calls unknown, and those it knows in that place, from its message
/// "unknown field `a`, expected one of `b`, `c`" (serde gives it in no other form).
pub(super) fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let from = message.find("unknown field `")?;
    let mut quoted = message[from..].split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}

/// The dotted keys of a table and their values; arrays are values.
pub(super) fn collect_leaves(table: &Table, prefix: &str, leaves: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => collect_leaves(inner, &format!("{prefix}{key}."), leaves),
            _ => leaves.push((format!("{prefix}{key}"), value.clone())),
        }
    }
}

/// The line of each dotted key.
pub(super) fn collect_lines(
    table: &toml::de::DeTable<'_>,
    prefix: &str,
    line_at: &impl Fn(usize) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    for (key, value) in table {
        let dotted = format!("{prefix}{}", key.get_ref());
        if let Some(inner) = value.get_ref().as_table() {
            collect_lines(inner, &format!("{dotted}."), line_at, lines);
        }
        lines.insert(dotted, line_at(key.span().start));
    }
}
