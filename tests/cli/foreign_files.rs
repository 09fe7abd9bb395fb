//! Files of other programs: half floats, prefixed names, types that no model has, weights that overflow, headers made to do harm.

use crate::tiny_model::{Files, TEXT, checkpoint_of, model};
use crate::{assert_code, assert_error, stderr, stdout, with_model};
use models::storage::atomic::SystemDisk;
use models::storage::checkpoint::Checkpoint;
use models::storage::data_type::DataType;
use models::storage::safetensors_file::{StoredTensor, write_file};
use models::text::vocabulary::VocabularyKind;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn checkpoint() -> Checkpoint {
    checkpoint_of(&model(VocabularyKind::Characters))
}

/// The tiny model with every weight changed.
fn changed(change: impl Fn(f32) -> f32) -> Checkpoint {
    let mut checkpoint = checkpoint();
    for tensor in &mut checkpoint.tensors {
        let weights: Vec<f32> = tensor.elements::<f32>().unwrap().into_iter().map(&change).collect();
        *tensor = StoredTensor::new(tensor.name.clone(), &tensor.shape, &weights);
    }
    checkpoint
}

fn nats(files: &Files, name: &str, checkpoint: &Checkpoint) -> Value {
    let path = files.path(name);
    checkpoint.save(&SystemDisk, &path).unwrap();
    let data = files.write("text.txt", TEXT);
    let output = with_model("eval", &path, &["--data", &data, "--json"]);
    assert_code(&output, 0);
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["nats_per_symbol"].clone()
}

#[test]
fn half_floats_are_the_numbers_that_they_are() {
    let files = Files::new();
    // Weights that sixteen bits hold exactly: eight bits of fraction, and an exponent that both kinds have.
    let short = |weight: f32| f32::from_bits(weight.to_bits() & 0xffff_0000);
    let short = |weight: f32| if weight.abs() < 1e-3 { 0.0 } else { short(weight) };
    let wide = changed(short);
    let bfloat = |weight: f32| (weight.to_bits() >> 16) as u16;
    let half = |weight: f32| {
        let bits = weight.to_bits();
        let exponent = ((bits >> 23) & 0xff) as i32 - 127 + 15;
        let magnitude = if weight == 0.0 { 0 } else { (exponent as u32) << 10 | (bits >> 13) & 0x3ff };
        ((bits >> 16) & 0x8000 | magnitude) as u16
    };
    let narrow = |data_type: DataType, encode: &dyn Fn(f32) -> u16| {
        let mut checkpoint = wide.clone();
        for tensor in &mut checkpoint.tensors {
            tensor.bytes =
                tensor.elements::<f32>().unwrap().into_iter().flat_map(|w| encode(w).to_le_bytes()).collect();
            tensor.data_type = data_type;
        }
        checkpoint
    };
    let wanted = nats(&files, "f32", &wide);
    assert_eq!(nats(&files, "bf16", &narrow(DataType::Bf16, &bfloat)), wanted);
    assert_eq!(nats(&files, "f16", &narrow(DataType::F16, &half)), wanted);
    let shown = with_model("inspect", &files.path("f16"), &[]);
    assert_code(&shown, 0);
    assert!(stdout(&shown).contains("F16") && stdout(&shown).contains("head.weight"), "{}", stdout(&shown));
}

#[test]
fn a_prefix_of_all_names_is_taken_off_and_said() {
    let files = Files::new();
    let wanted = nats(&files, "plain", &checkpoint());
    for prefix in ["module.", "_orig_mod.", "_orig_mod.module."] {
        let mut prefixed = checkpoint();
        prefixed.tensors.iter_mut().for_each(|tensor| tensor.name.insert_str(0, prefix));
        assert_eq!(nats(&files, "prefixed", &prefixed), wanted, "{prefix}");
        let output = with_model("generate", &files.path("prefixed"), &["-n", "1"]);
        assert!(stderr(&output).contains(&format!("`{prefix}`")), "{}", stderr(&output));
        assert!(stdout(&with_model("inspect", &files.path("prefixed"), &[])).contains("taken off"));
    }
}

#[test]
fn every_type_of_a_valid_file_is_shown() {
    let files = Files::new();
    let path = files.path("all.safetensors");
    let tensors: Vec<StoredTensor> = DataType::ALL
        .iter()
        .map(|&data_type| StoredTensor {
            name: format!("of.{data_type}"),
            data_type,
            shape: vec![2, 4],
            bytes: vec![0; data_type.bits()],
        })
        .collect();
    write_file(&SystemDisk, &path, &tensors.iter().collect::<Vec<_>>(), &BTreeMap::new()).unwrap();
    let output = with_model("inspect", &path, &["--json"]);
    assert_error(&output, 5, &["not a checkpoint of autoreg"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["elements"], 8 * tensors.len());
    for tensor in &tensors {
        let found = shown["tensors"].as_array().unwrap().iter().find(|found| found["name"] == tensor.name.as_str());
        let found = found.unwrap_or_else(|| panic!("{} is not shown", tensor.name));
        assert_eq!((&found["data_type"], &found["count"]), (&tensor.data_type.name().into(), &8.into()));
    }
}

#[test]
fn weights_that_overflow_are_named_by_every_command() {
    let files = Files::new();
    let data = files.write("text.txt", TEXT);
    let large = files.path("large.safetensors");
    changed(|weight| weight.signum() * 3e38).save(&SystemDisk, &large).unwrap();
    let beyond = files.path("beyond.safetensors");
    let mut doubles = checkpoint();
    let place = doubles.tensors.iter().position(|tensor| tensor.name == "head.weight").unwrap();
    let count = doubles.tensors[place].len();
    doubles.tensors[place] =
        StoredTensor::new("head.weight", &doubles.tensors[place].shape.clone(), &vec![1e300f64; count]);
    doubles.save(&SystemDisk, &beyond).unwrap();
    for (path, says) in [(&large, "no distribution"), (&beyond, "head.weight")] {
        // From a line break: the very first symbol, from the empty state, is drawn from the bias alone.
        let generated = with_model("generate", path, &["-n", "5", "--fresh-line"]);
        assert_error(&generated, 5, &[says]);
        assert!(generated.stdout.is_empty());
        assert_error(&with_model("eval", path, &["--data", &data]), 5, &[says]);
    }
    assert_error(&with_model("inspect", &beyond, &[]), 5, &["head.weight", "32-bit floats"]);
}

#[test]
fn a_header_that_is_made_to_do_harm_is_refused_at_once_in_few_words() {
    let files = Files::new();
    let name = "n".repeat(3_000_000);
    let entry = |name: &str, shape: &str, bytes: usize| {
        format!(r#""{name}":{{"dtype":"U8","shape":[{shape}],"data_offsets":[0,{bytes}]}}"#)
    };
    let empties: Vec<String> = (0..120_000).map(|i| entry(&i.to_string(), "0", 0)).collect();
    for (what, entries, data) in [
        ("a long name", entry(&name, "1", 1), 1),
        ("a long type", format!(r#""w":{{"dtype":"{name}","shape":[1],"data_offsets":[0,1]}}"#), 1),
        ("a long field", format!(r#""w":{{"{name}":1}}"#), 0),
        ("many tensors", empties.join(","), 0),
        ("a long shape", entry("w", &vec!["1"; 1_500_000].join(","), 1), 1),
        ("a long key", format!(r#""__metadata__":{{"{name}":"1","{name}":"2"}}"#), 0),
    ] {
        let header = format!("{{{entries}}}");
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        files.write("harm.safetensors", bytes);
        for command in ["inspect", "generate"] {
            let begin = Instant::now();
            let output = with_model(command, &files.path("harm.safetensors"), &[]);
            assert_error(&output, 5, &["harm.safetensors"]);
            assert!(output.stderr.len() < 3000, "{what}: {} bytes of message", output.stderr.len());
            assert!(begin.elapsed() < Duration::from_secs(10), "{what}: {:?}", begin.elapsed());
        }
    }
}
