//! The byte pairs of GPT-2's files as a vocabulary of ours: `tokenizer.json` of the library tokenizers, or `vocab.json` and `merges.txt`.
//!
//! Their codes stay what they are. What they do to a text beside GPT-2's own cut into words and its byte pairs is refused: a text would
//! get other codes.

mod pairs;

use crate::error::{Error, Kind, Result};
use crate::refusals::in_words;
use crate::storage::regular::shortened;
use crate::text::vocabulary::Vocabulary;
use pairs::{Added, Merge, Pairs, Tokens};
use serde::Deserialize;
use serde_json::Value;

/// What stands between two documents; of `vocab.json` the one token that no merge makes.
const END: &str = "<|endoftext|>";

/// What a `tokenizer.json` is read for.
#[derive(Deserialize)]
struct Published {
    #[serde(default)]
    added_tokens: Option<Vec<AddedToken>>,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
}

#[derive(Deserialize)]
struct Model {
    vocab: Tokens,
    merges: Vec<Merge>,
}

/// The error of a vocabulary that cannot be used.
fn bad(path: &str, cause: impl AsRef<str>) -> Error {
    Error::new(Kind::BadInput, format!("{path} is no vocabulary of GPT-2's kind"))
        .cause(shortened(cause.as_ref(), 400))
        .help(
            "byte pairs over all 256 bytes are read, cut by GPT-2's pattern, with special tokens: docs/file-formats.md",
        )
}

/// The vocabulary of a `tokenizer.json`: `text` is what it holds, `path` how it is shown.
///
/// # Errors
/// [`Kind::BadInput`] naming what is no byte pairs of GPT-2's kind, or what token or merge is wrong.
pub fn parse(text: &str, path: &str) -> Result<Vocabulary> {
    let no_json = |error: serde_json::Error| bad(path, in_words(&error.to_string()));
    let value: Value = serde_json::from_str(text).map_err(no_json)?;
    is_of_gpt2(&value).map_err(|cause| bad(path, cause))?;
    // From the text again: a value holds the last of two equal keys, and says nothing of the first.
    drop(value);
    let Published { added_tokens, model } = serde_json::from_str(text).map_err(no_json)?;
    let added_tokens = added_tokens.unwrap_or_default();
    if let Some(token) = added_tokens.iter().find(|token| token.single_word || token.lstrip || token.rstrip) {
        let name = shortened(&token.content, 40);
        return Err(bad(path, format!("the added token {name:?} takes the blanks around it, or stands alone only")));
    }
    let added =
        added_tokens.into_iter().map(|AddedToken { id, content, .. }| Added { text: content, code: id }).collect();
    Pairs { tokens: model.vocab, merges: model.merges, added }.vocabulary().map_err(|cause| bad(path, cause))
}

/// The vocabulary of `vocab.json` and `merges.txt`, with how each is shown.
///
/// # Errors
/// As [`parse`].
pub fn parse_pair(vocab: &str, merges: &str, paths: [&str; 2]) -> Result<Vocabulary> {
    let tokens: Tokens = serde_json::from_str(vocab).map_err(|error| bad(paths[0], in_words(&error.to_string())))?;
    let passed_over = |i: usize, line: &str| line.is_empty() || i == 0 && line.starts_with("#version");
    let lines = merges.lines().enumerate().filter(|(i, line)| !passed_over(*i, line));
    let read = |(i, line): (usize, &str)| {
        Merge::of_text(line).ok_or_else(|| {
            bad(paths[1], format!("line {} is no two tokens with a blank between: {:?}", i + 1, shortened(line, 60)))
        })
    };
    let merges = lines.map(read).collect::<Result<Vec<Merge>>>()?;
    let end = tokens.0.iter().find(|(token, _)| token == END);
    let added = end.map(|(text, code)| Added { text: text.clone(), code: *code }).into_iter().collect();
    let paths = format!("{} with {}", paths[0], paths[1]);
    Pairs { tokens, merges, added }.vocabulary().map_err(|cause| bad(&paths, cause))
}

/// Whether a `tokenizer.json` does to a text what GPT-2's does; else what it does.
fn is_of_gpt2(file: &Value) -> std::result::Result<(), String> {
    let at = |pointer: &str| file.pointer(pointer).filter(|value| !value.is_null());
    let shown = |value: &Value| shortened(&value.to_string(), 60);
    if let Some(normalizer) = at("/normalizer") {
        return Err(format!("its `normalizer` changes a text before it is read: {}", shown(normalizer)));
    }
    let kind = at("/model/type");
    if let Some(kind) = kind.filter(|kind| **kind != "BPE") {
        return Err(format!("its `model` is of type {}, not \"BPE\"", shown(kind)));
    }
    let nothing =
        |value: &&Value| [Value::from(""), Value::from(0.0), Value::from(0), Value::from(false)].contains(value);
    for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"] {
        if let Some(value) = at(&format!("/model/{key}")).filter(|value| !nothing(value)) {
            return Err(format!("its `model.{key}` is {}, which GPT-2 has not", shown(value)));
        }
    }
    let cut = match at("/pre_tokenizer") {
        Some(cut) if cut["type"] == "Sequence" => match cut["pretokenizers"].as_array().map(Vec::as_slice) {
            Some([only]) => only,
            _ => cut,
        },
        Some(cut) => cut,
        None => return Err("it has no `pre_tokenizer`: GPT-2's is ByteLevel".to_owned()),
    };
    if cut["type"] != "ByteLevel" {
        return Err(format!("its `pre_tokenizer` is of type {}, not \"ByteLevel\"", shown(&cut["type"])));
    }
    // What is not said is what the library takes: a blank before the text, and GPT-2's pattern.
    for (key, wanted, default) in [("add_prefix_space", false, true), ("use_regex", true, true)] {
        let is = cut.get(key).map_or(Some(default), Value::as_bool);
        if is != Some(wanted) {
            return Err(format!(
                "its `pre_tokenizer.{key}` is {}, not {wanted}",
                cut.get(key).map_or("left out".to_owned(), shown)
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tokenizer/tests.rs"]
mod tests;
