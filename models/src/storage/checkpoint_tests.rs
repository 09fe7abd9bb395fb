//! Tests of the checkpoint; broken files are in `broken_files.rs`.

use super::*;
use crate::storage::atomic::SystemDisk;
use serde::Deserialize;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gru {
    model: String,
    hidden: usize,
}

fn checkpoint() -> Checkpoint {
    let mut checkpoint = Checkpoint::new(&Gru { model: "gru".into(), hidden: 2 }).unwrap();
    checkpoint.vocabulary = Some(serde_json::json!({"symbols": ["a", "ß"]}));
    checkpoint.progress = Some(Progress {
        step: 200,
        symbols: 819_200,
        seconds: 0.1 + 0.2,
        best: Some(Best { step: 100, nats: 1.0 / 3.0 }),
        run: Some("0123456789abcdef".into()),
        metrics: Some(MetricsMark::of(b"{}")),
        settings: serde_json::json!({"seed": 7}),
    });
    checkpoint.push(Group::Parameter, StoredTensor::new("head.weight", &[2, 2], &[1f32, 2.0, 3.0, 4.0]));
    checkpoint.push(Group::Optimizer, StoredTensor::new("step", &[], &[200u64]));
    checkpoint.push(Group::Optimizer, StoredTensor::new("first_moment.head.weight", &[2, 2], &[0f32; 4]));
    checkpoint.push(Group::Random, StoredTensor::new("dropout", &[2], &[1u64, 2]));
    checkpoint.push(Group::Data, StoredTensor::new("position", &[1], &[4096u64]));
    checkpoint.push(Group::Carry, StoredTensor::new("h", &[1, 1, 2], &[0.5f32, -0.5]));
    checkpoint
}

fn in_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    (folder, path)
}

#[test]
fn a_checkpoint_comes_back_as_it_was() {
    let (_folder, path) = in_folder();
    let saved = checkpoint();
    saved.save(&SystemDisk, &path).unwrap();
    let loaded = Checkpoint::load(&path).unwrap();
    assert_eq!(
        (&loaded.config, &loaded.vocabulary, &loaded.progress),
        (&saved.config, &saved.vocabulary, &saved.progress)
    );
    for tensor in &saved.tensors {
        assert!(loaded.tensors.contains(tensor), "{}", tensor.name);
    }
    assert_eq!(loaded.tensors.len(), saved.tensors.len());
    assert_eq!(loaded.config_as::<Gru>().unwrap(), Gru { model: "gru".into(), hidden: 2 });
    assert_eq!(loaded.model().unwrap(), "gru");
}

#[test]
fn saving_what_was_loaded_gives_the_same_bytes() {
    let (folder, path) = in_folder();
    checkpoint().save(&SystemDisk, &path).unwrap();
    let again = folder.path().join("again.safetensors");
    Checkpoint::load(&path).unwrap().save(&SystemDisk, &again).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), std::fs::read(again).unwrap());
}

#[test]
fn groups_give_names_without_their_prefix() {
    let checkpoint = checkpoint();
    let optimizer: Vec<&str> = checkpoint.group(Group::Optimizer).map(|(n, _)| n).collect();
    assert_eq!(optimizer, ["step", "first_moment.head.weight"]);
    assert_eq!(checkpoint.group(Group::Parameter).count(), 1);
    assert_eq!(checkpoint.tensor(Group::Data, "position").unwrap().elements::<u64>().unwrap(), [4096]);
    assert!(checkpoint.tensor(Group::Random, "order").unwrap_err().help.contains("not resumed"));
}

#[test]
#[should_panic(expected = "reserved name")]
fn a_parameter_cannot_take_the_name_of_another_group() {
    checkpoint().push(Group::Parameter, StoredTensor::new("optimizer.weight", &[1], &[1f32]));
}

/// What `safetensors.numpy.save_file(parameters, path, metadata)` writes, by way of the same library.
#[test]
fn a_file_of_parameters_and_metadata_alone_loads() {
    let (_folder, path) = in_folder();
    let weights: Vec<u8> = [1f32, 2.0].iter().flat_map(|w| w.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1, 2], &weights).unwrap();
    let metadata = [("autoreg.format", "1"), ("autoreg.config", r#"{"model":"gru","hidden":2}"#)];
    let metadata = metadata.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    std::fs::write(&path, safetensors::serialize([("head.weight", view)], Some(metadata)).unwrap()).unwrap();
    let loaded = Checkpoint::load(&path).unwrap();
    assert_eq!(loaded.progress, None);
    let found = loaded.parameters(&[("head.weight".into(), vec![1, 2])]).unwrap();
    assert_eq!(found[0].reals().unwrap(), [1.0, 2.0]);
}

#[test]
fn a_configuration_of_another_model_names_the_key() {
    let mut checkpoint = checkpoint();
    checkpoint.config = serde_json::json!({"model": "gru", "hidden": 2, "heads": 4});
    let error = checkpoint.config_as::<Gru>().unwrap_err();
    assert!(error.cause.contains("`heads`"), "{error}");
}

#[test]
fn a_progress_that_json_cannot_hold_is_refused_when_it_is_saved() {
    let (_folder, path) = in_folder();
    let mut checkpoint = checkpoint();
    checkpoint.progress.as_mut().unwrap().best = Some(Best { step: 1, nats: f64::NAN });
    let error = checkpoint.save(&SystemDisk, &path).unwrap_err();
    assert!(error.cause.contains("not finite") && !path.exists(), "{error}");
}

#[test]
fn a_model_is_loaded_without_what_the_optimizer_remembers_but_not_past_damage_in_it() {
    let (_folder, path) = in_folder();
    checkpoint().save(&SystemDisk, &path).unwrap();
    let (whole, model) = (Checkpoint::load(&path).unwrap(), Checkpoint::load_model(&path).unwrap());
    assert_eq!(model.group(Group::Optimizer).count(), 0);
    let kept: Vec<_> = whole.tensors.iter().filter(|tensor| Group::of(&tensor.name) != Group::Optimizer).collect();
    assert_eq!(model.tensors.iter().collect::<Vec<_>>(), kept);
    assert_eq!(
        (&model.config, &model.vocabulary, &model.progress),
        (&whole.config, &whole.vocabulary, &whole.progress)
    );

    let mut bytes = std::fs::read(&path).unwrap();
    let data = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let file = SafetensorsFile::open(&path).unwrap();
    let moment = file.header().entries.iter().find(|entry| entry.name.starts_with("optimizer.first_moment")).unwrap();
    bytes[data + moment.begin as usize] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = Checkpoint::load_model(&path).unwrap_err();
    assert!(error.to_string().contains("optimizer.first_moment.head.weight"), "{error}");
}
