//! A catalogue of files that are no models, and of options that make no sense: each a clear error, none a panic.

use crate::tiny_model::{Files, TEXT, checkpoint_of, model};
use crate::{assert_error, autoreg, stdout, with_model};
use models::storage::atomic::SystemDisk;
use models::storage::checkpoint::Checkpoint;
use models::text::vocabulary::VocabularyKind;
use std::path::Path;

/// A safetensors file of this header and so many bytes of data.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// The files, each with what the error must say.
fn catalogue(files: &Files) -> Vec<(&'static str, &'static str)> {
    let whole = std::fs::read(&files.checkpoint).unwrap();
    let changed = |name: &str, change: &dyn Fn(&mut Checkpoint)| {
        let mut checkpoint = checkpoint_of(&model(VocabularyKind::Characters));
        change(&mut checkpoint);
        checkpoint.save(&SystemDisk, &files.path(name)).unwrap();
    };
    files.write("empty", "");
    files.write("garbage", [0xA5; 500]);
    files.write("text", TEXT);
    files.write("cut", &whole[..whole.len() - 1]);
    files.write("cut_header", &whole[..20]);
    files.write("endless_header", u64::MAX.to_le_bytes());
    files.write(
        "endless_shape",
        safetensors(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4),
    );
    files.write(
        "crafted_offsets",
        safetensors(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551615,3]}}"#, 4),
    );
    files.write("foreign", safetensors(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4));
    changed("unknown_kind", &|c| c.config = serde_json::json!({"model": "diffusion"}));
    changed("no_vocabulary", &|c| c.vocabulary = None);
    changed("other_vocabulary", &|c| c.vocabulary = Some(serde_json::json!({"kind": "bytes"})));
    changed("no_layers", &|c| c.config["layers"] = 0.into());
    changed("larger", &|c| c.config["hidden"] = (1_u64 << 40).into());
    changed("unknown_key", &|c| c.config["hiden"] = 3.into());
    changed("lacks_a_tensor", &|c| c.tensors.retain(|t| t.name != "head.bias"));
    // A file that says NaN: the writer refuses one, so the last four bytes of the data are overwritten.
    let mut nan = whole;
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    files.write("not_finite", nan);
    vec![
        ("missing", "does not exist"),
        ("empty", "0 bytes"),
        ("garbage", "header"),
        ("text", "header"),
        ("cut", "of the data, which has"),
        ("cut_header", "header"),
        ("endless_header", "18446744073709551615"),
        ("endless_shape", "more elements than can be counted"),
        ("crafted_offsets", "18446744073709551615"),
        ("foreign", "not a checkpoint of autoreg"),
        ("unknown_kind", "diffusion"),
        ("no_vocabulary", "no vocabulary"),
        ("other_vocabulary", "256 symbols"),
        ("no_layers", "layers 0"),
        ("larger", "rnn.weight_hh_l0"),
        ("unknown_key", "hiden"),
        ("lacks_a_tensor", "head.bias"),
        ("not_finite", "is not finite"),
    ]
}

#[test]
fn whatever_is_wrong_with_a_model_file_is_told_with_its_path_and_exit_code_5() {
    let files = Files::new();
    let data = files.write("data.txt", TEXT);
    for (name, says) in catalogue(&files) {
        let path = files.path(name);
        assert_error(&with_model("generate", &path, &[]), 5, &[says, name]);
    }
    // They all load through one door: one file each is enough to show that they do.
    assert_error(&with_model("eval", &files.path("cut"), &["--data", &data]), 5, &["of the data, which has", "cut"]);
    assert_error(&with_model("check", &files.path("no_layers"), &[]), 5, &["layers 0"]);
    assert_error(&with_model("generate", files.folder.path(), &[]), 5, &["holds no run"]);
}

#[test]
fn inspect_shows_what_can_be_read_and_then_what_is_wrong() {
    let files = Files::new();
    catalogue(&files);
    let inspect = |name: &str| with_model("inspect", &files.path(name), &[]);
    for (name, shows, says) in
        [("foreign", "a       F32", "not a checkpoint of autoreg"), ("not_finite", "1 not finite", "is not finite")]
    {
        let output = inspect(name);
        assert_error(&output, 5, &[says]);
        assert!(stdout(&output).contains(shows), "{}", stdout(&output));
    }
    // Whole files, of models that no command can use: as for every other command.
    for (name, says) in
        [("unknown_kind", "kind `diffusion`"), ("lacks_a_tensor", "head.bias"), ("no_vocabulary", "no vocabulary")]
    {
        let output = inspect(name);
        assert_error(&output, 5, &[name, says]);
        assert!(stdout(&output).contains("head.weight"), "{}", stdout(&output));
    }
    for name in ["missing", "empty", "garbage", "cut", "endless_shape"] {
        assert_error(&inspect(name), 5, &[name]);
    }
}

#[test]
fn sampling_options_that_make_no_sense_are_usage_errors_before_any_file_is_read() {
    for (flag, value, says) in [
        ("--temperature", "-1", "temperature is -1"),
        ("--temperature", "NaN", "temperature is NaN"),
        ("--temperature", "inf", "temperature is inf"),
        ("--temperature", "warm", "warm"),
        ("--top-k", "0", "top-k is 0"),
        ("--top-k", "-3", "-3"),
        ("--top-p", "0", "top-p is 0"),
        ("--top-p", "2", "top-p is 2"),
        ("--min-p", "1.5", "min-p is 1.5"),
        ("--repetition-penalty", "0", "repetition-penalty is 0"),
        ("-n", "-5", "-5"),
        ("--seed", "1.5", "1.5"),
    ] {
        let output = with_model("generate", Path::new("no/such/model"), &[flag, value]);
        assert_error(&output, 2, &[says]);
        assert!(output.stdout.is_empty());
    }
    let both = with_model("generate", Path::new("no/such/model"), &["--greedy", "--top-p", "0.9"]);
    assert_error(&both, 2, &["--greedy"]);
}

#[test]
fn a_text_that_cannot_be_scored_is_told_with_its_path() {
    let files = Files::new();
    let eval = |data: &str| with_model("eval", &files.checkpoint, &["--data", data]);
    assert_error(&eval("no/such/text"), 5, &["no/such/text", "no such file"]);
    assert_error(&eval(&files.write("empty.txt", "")), 5, &["empty.txt", "is empty"]);
    let unknown = format!("{TEXT}€");
    let place = format!("character {}", TEXT.chars().count());
    assert_error(&eval(&files.write("unknown.txt", unknown)), 5, &["unknown.txt", "'€' (U+20AC)", &place]);
    assert_error(&eval(&files.write("broken.txt", b"the \xFF cat")), 5, &["broken.txt", "not UTF-8 at byte 4"]);
    let nothing = files.path("nothing");
    std::fs::create_dir(&nothing).unwrap();
    assert_error(&eval(nothing.to_str().unwrap()), 5, &["nothing holds no text", "it is a folder", ".txt"]);
}

#[test]
fn a_run_without_a_checkpoint_says_so() {
    let files = Files::new();
    let run = files.path("run");
    std::fs::create_dir(&run).unwrap();
    files.write("run/config.toml", "");
    assert_error(&autoreg(["generate", run.to_str().unwrap()]), 5, &["holds no checkpoint yet"]);
    files.write("run/latest", "../../etc/passwd");
    assert_error(&autoreg(["generate", run.to_str().unwrap()]), 5, &["names no checkpoint"]);
}
