//! Every key that a run's configuration can have stands in `docs/file-formats.md`, and none stands there that it cannot have.
//!
//! Not what the keys do: that is tested where they are read.

use models::series::config::SeriesConfig;
use models::text::config::TextConfig;
use models::text::gpt::GptConfig;
use models::text::language_model;
use serde_json::Value;
use std::collections::BTreeSet;

const FORMATS: &str = include_str!("../../docs/file-formats.md");

/// The keys of a configuration below a table: `optimizer.rule`.
fn keys(config: &Value, table: &str) -> BTreeSet<String> {
    fn collect(value: &Value, prefix: &str, keys: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| collect(value, &format!("{prefix}{key}."), keys));
            }
            _ => _ = keys.insert(prefix.trim_end_matches('.').to_owned()),
        }
    }
    let mut found = BTreeSet::new();
    collect(&config[table], "", &mut found);
    found
}

/// The keys in the first column of the table that follows `heading`; `.b` after `x.a` is `x.b`.
fn documented(heading: &str) -> BTreeSet<String> {
    let after = FORMATS.split_once(heading).unwrap_or_else(|| panic!("file-formats.md has no {heading:?}")).1;
    let rows = after.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let mut keys = BTreeSet::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let first = row.split('|').nth(1).expect("a first column");
        let mut table = "";
        for name in first.split('`').skip(1).step_by(2) {
            let name = name.strip_prefix('.').map_or(name.to_owned(), |key| format!("{table}.{key}"));
            keys.insert(name);
            table = first.split('`').nth(1).and_then(|name| name.rsplit_once('.')).map_or("", |(table, _)| table);
        }
    }
    keys
}

#[test]
fn the_tables_of_file_formats_have_the_keys_of_the_configurations_and_no_others() {
    let text = serde_json::to_value(TextConfig::<language_model::Config>::default()).unwrap();
    let series = serde_json::to_value(SeriesConfig::default()).unwrap();
    assert_eq!(documented("### Models of text"), keys(&text, "model"));
    let gpt = serde_json::to_value(TextConfig::<GptConfig>::default()).unwrap();
    assert_eq!(documented("### GPTs"), keys(&gpt, "model"));
    assert_eq!(documented("`[data]` of a text:"), keys(&text, "data"));
    assert_eq!(documented("`[data]` of a series:"), keys(&series, "data"));
    assert_eq!(documented("`[training]`, with the defaults"), keys(&text, "training"));
    assert_eq!(keys(&text, "training"), keys(&series, "training"));
    let sentence = FORMATS.split_once("`[model]` of a series:").expect("the keys of a series' model").1;
    let sentence = sentence.split("\n\n").next().expect("a paragraph");
    for key in keys(&series, "model") {
        assert!(sentence.contains(&format!("`{key}`")), "{key}");
    }
}
