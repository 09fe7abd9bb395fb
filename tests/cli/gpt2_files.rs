//! A folder of GPT-2's files, as the library transformers writes one, through every command that takes a model of text; and such folders
//! with something wrong in them.

use crate::{assert_code, assert_error, stderr, stdout, with_model};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const NAMES: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gpt2").join(name)
}

fn copy() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    NAMES.iter().for_each(|name| _ = fs::copy(fixture(name), folder.path().join(name)).expect("a file of the fixture"));
    folder
}

/// What the library made of some texts: their codes, a prompt, and how it goes on greedily.
fn expected() -> Value {
    serde_json::from_slice(&fs::read(fixture("texts.json")).expect("a fixture")).expect("JSON")
}

#[test]
fn generate_goes_on_from_a_prompt_to_the_bytes_of_the_library_transformers() {
    let (folder, expected) = (copy(), expected());
    let prompt = expected["prompt"].as_str().unwrap();
    let codes: Vec<u32> = serde_json::from_value(expected["greedy"].clone()).unwrap();
    let vocabulary =
        models::text::gpt2::tokenizer::parse(&fs::read_to_string(fixture(NAMES[2])).unwrap(), "it").unwrap();
    let count = codes.len().to_string();
    let output = with_model("generate", folder.path(), &["-p", prompt, "-n", &count, "--greedy"]);
    assert_code(&output, 0);
    assert_eq!(output.stdout, vocabulary.decode(&codes).unwrap());
    assert!(stderr(&output).contains("`transformer.` is taken off"), "{}", stderr(&output));
}

#[test]
fn every_command_that_takes_a_model_of_text_takes_such_a_folder() {
    let (folder, expected) = (copy(), expected());
    let (text, packed, back) =
        (folder.path().join("t.txt"), folder.path().join("t.arz"), folder.path().join("back.txt"));
    for one in expected["texts"].as_array().unwrap().iter().filter(|one| one["text"] != "").take(3) {
        fs::write(&text, one["text"].as_str().unwrap()).unwrap();
        let output = with_model("eval", folder.path(), &["--data", text.to_str().unwrap(), "--json"]);
        assert_code(&output, 0);
        let scored: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&scored["model"], &scored["symbols"]),
            (&"gpt".into(), &one["codes"].as_array().unwrap().len().into())
        );
    }
    let content = "Shall I compare thee?\n\n\n<|endoftext|>  Über 古池\n";
    fs::write(&text, content).unwrap();
    let [text, packed_word, back_word] = [&text, &packed, &back].map(|path| path.to_str().unwrap());
    assert_code(&with_model("compress", folder.path(), &[text, "-o", packed_word]), 0);
    assert_code(&with_model("decompress", folder.path(), &[packed_word, "-o", back_word]), 0);
    assert_eq!(fs::read_to_string(&back).unwrap(), content);
    assert_code(&with_model("check", folder.path(), &["--length", "30"]), 0);
    let output = with_model("inspect", folder.path(), &[]);
    assert_code(&output, 0);
    for shown in
        ["model.safetensors", "byte_pairs, 384 symbols", "model gpt", "transformer.wte.weight", "13,120 parameters"]
    {
        assert!(stdout(&output).contains(shown), "{shown}: {}", stdout(&output));
    }
}

#[test]
fn a_folder_with_something_wrong_in_it_is_told_by_the_file_with_exit_code_5() {
    let changed = |name: &str, from: &str, to: &str| {
        let folder = copy();
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(folder.path().join(name), text.replacen(from, to, 1)).unwrap();
        folder
    };
    let cases: [(&str, &str, &str, &[&str]); 6] = [
        (NAMES[0], "\"gpt2\"", "\"llama\"", &["config.json", "\"llama\", not \"gpt2\""]),
        (NAMES[0], "\"gelu_new\"", "\"relu\"", &["config.json", "\"relu\""]),
        (NAMES[0], "\"n_layer\": 2", "\"n_layer\": 1000000000000000000", &["`n_layer` is 1000000000000000000"]),
        (NAMES[0], "\"n_layer\": 2", "\"n_layer\": 1", &["model.safetensors does not fit", "h.1.ln_1.weight"]),
        (NAMES[2], "\"!\": 1,", "\"!\": 2,", &["tokenizer.json", "two symbols have the code 2"]),
        (NAMES[2], "\"ByteLevel\"", "\"Whitespace\"", &["tokenizer.json", "ByteLevel"]),
    ];
    for (name, from, to, says) in cases {
        let folder = changed(name, from, to);
        let output = with_model("generate", folder.path(), &["-p", "a"]);
        assert_error(&output, 5, says);
        assert!(output.stdout.is_empty());
        let inspected = with_model("inspect", folder.path(), &[]);
        assert_error(&inspected, 5, says);
        assert!(stdout(&inspected).contains("transformer.wte.weight"), "what can be read is shown");
    }
    for name in NAMES {
        let folder = copy();
        fs::remove_file(folder.path().join(name)).unwrap();
        assert_error(&with_model("eval", folder.path(), &["--data", "x"]), 5, &[name, "docs/file-formats.md"]);
    }
}

#[test]
fn an_output_does_not_replace_a_file_of_the_model() {
    for name in NAMES {
        let folder = copy();
        let path = folder.path().join(name);
        let output = with_model("generate", folder.path(), &["-p", "a", "-o", path.to_str().unwrap()]);
        assert_error(&output, 2, &["would be overwritten", name]);
        assert_eq!(fs::read(&path).unwrap(), fs::read(fixture(name)).unwrap());
    }
}
