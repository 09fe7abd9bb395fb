//! Tests of the run folder in everyday use; crashes are in `crash.rs`.

use super::*;
use crate::storage::checkpoint::{Group, Progress};
use crate::storage::run_files::{read_config, resolve, samples};
use crate::storage::safetensors_file::StoredTensor;

fn checkpoint(step: u64) -> Checkpoint {
    let mut checkpoint = Checkpoint::new(&serde_json::json!({"model": "gru"})).unwrap();
    checkpoint.progress = Some(Progress { step, ..Progress::default() });
    checkpoint.push(Group::Parameter, StoredTensor::new("w", &[2], &[step as f32, 1.0]));
    checkpoint
}

fn record(step: u64) -> Record {
    Record { step, loss: 1.0 / step as f64, ..Record::default() }
}

fn steps(folder: &Path) -> Vec<u64> {
    checkpoints(folder).unwrap().into_iter().map(|(step, _)| step).collect()
}

#[test]
fn a_new_run_holds_its_configuration_and_no_checkpoint() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("runs/a");
    let _run = RunFolder::create(&path, false, "seed = 7\n").unwrap();
    assert_eq!(read_config(&path).unwrap(), "seed = 7\n");
    let error = resolve(&path, Which::Latest).unwrap_err();
    assert!(error.what.contains("no checkpoint yet"), "{error}");
}

#[test]
fn an_existing_run_is_not_overwritten_unasked() {
    let parent = tempfile::tempdir().unwrap();
    drop(RunFolder::create(parent.path(), false, "").unwrap());
    let error = RunFolder::create(parent.path(), false, "").unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert!(error.help.contains("--overwrite"), "{error}");
}

#[test]
fn overwriting_removes_the_old_run_and_nothing_else() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = RunFolder::create(parent.path(), false, "old").unwrap();
    run.save(&checkpoint(5), true).unwrap();
    run.log(&record(5)).unwrap();
    run.write_sample(5, "txt", b"old").unwrap();
    drop(run);
    fs::write(parent.path().join("notes.md"), "mine").unwrap();
    let run = RunFolder::create(parent.path(), true, "new").unwrap();
    assert_eq!(read_config(parent.path()).unwrap(), "new");
    assert!(steps(parent.path()).is_empty() && samples(parent.path()).unwrap().is_empty());
    assert!(run.records().unwrap().is_empty());
    assert!(resolve(parent.path(), Which::Best).is_err());
    assert_eq!(fs::read(parent.path().join("notes.md")).unwrap(), b"mine");
}

#[test]
fn a_folder_of_other_things_is_never_taken_for_a_run() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("thesis.tex"), "precious").unwrap();
    for overwrite in [false, true] {
        assert_eq!(RunFolder::create(parent.path(), overwrite, "").unwrap_err().kind, Kind::Usage);
    }
}

#[test]
fn two_trainings_cannot_write_one_folder() {
    let parent = tempfile::tempdir().unwrap();
    let run = RunFolder::create(parent.path(), false, "").unwrap();
    assert_eq!(RunFolder::open(parent.path()).unwrap_err().kind, Kind::Usage);
    assert_eq!(RunFolder::create(parent.path(), true, "").unwrap_err().kind, Kind::Usage);
    drop(run);
    RunFolder::open(parent.path()).unwrap();
}

#[test]
fn a_run_a_file_and_a_pointer_all_resolve_to_a_checkpoint() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = RunFolder::create(parent.path(), false, "").unwrap();
    let first = run.save(&checkpoint(100), true).unwrap();
    let second = run.save(&checkpoint(200), false).unwrap();
    assert_eq!(resolve(parent.path(), Which::Latest).unwrap(), second);
    assert_eq!(resolve(parent.path(), Which::Best).unwrap(), first);
    assert_eq!(resolve(&parent.path().join("best"), Which::Latest).unwrap(), first);
    assert_eq!(resolve(&second, Which::Best).unwrap(), second);
    assert_eq!(resolve(&parent.path().join("none"), Which::Best).unwrap_err().kind, Kind::BadInput);
    assert_eq!(Checkpoint::load(&second).unwrap().progress.unwrap().step, 200);
}

#[test]
fn the_newest_and_the_best_checkpoint_are_kept() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = RunFolder::create(parent.path(), false, "").unwrap();
    run.retain(Retention::Last(2));
    for step in 1..=6 {
        run.save(&checkpoint(step), step == 2).unwrap();
    }
    assert_eq!(steps(parent.path()), [2, 5, 6]);
}

#[test]
fn steps_beyond_a_million_sort_as_numbers() {
    let parent = tempfile::tempdir().unwrap();
    let mut run = RunFolder::create(parent.path(), false, "").unwrap();
    run.save(&checkpoint(999_999), false).unwrap();
    run.save(&checkpoint(1_000_000), false).unwrap();
    assert_eq!(steps(parent.path()), [999_999, 1_000_000]);
}

#[test]
fn metrics_after_resuming_equal_those_of_an_uninterrupted_run() {
    let [whole, resumed] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut run = RunFolder::create(whole.path(), false, "").unwrap();
    (1..=9).for_each(|step| run.log(&record(step)).unwrap());

    let mut run = RunFolder::create(resumed.path(), false, "").unwrap();
    (1..=7).for_each(|step| run.log(&record(step)).unwrap());
    drop(run);
    let mut file = File::options().append(true).open(resumed.path().join(METRICS)).unwrap();
    file.write_all(b"{\"step\":8,\"symb").unwrap();
    let mut run = RunFolder::open(resumed.path()).unwrap();
    run.truncate_metrics(5).unwrap();
    (6..=9).for_each(|step| run.log(&record(step)).unwrap());

    let [whole, resumed] = [whole, resumed].map(|folder| fs::read(folder.path().join(METRICS)).unwrap());
    assert_eq!(whole, resumed);
}

#[test]
fn a_pointer_cannot_lead_out_of_the_run() {
    let parent = tempfile::tempdir().unwrap();
    drop(RunFolder::create(parent.path(), false, "").unwrap());
    for name in ["../../secret.safetensors", "step-../x.safetensors", "/etc/passwd", "", "step-000001.safetensors"] {
        fs::write(parent.path().join("latest"), name).unwrap();
        assert_eq!(resolve(parent.path(), Which::Latest).unwrap_err().kind, Kind::BadInput, "{name}");
    }
}

#[test]
fn temporary_files_left_by_a_crash_are_swept_when_the_run_is_opened() {
    let parent = tempfile::tempdir().unwrap();
    drop(RunFolder::create(parent.path(), false, "").unwrap());
    let left = parent.path().join(CHECKPOINTS).join(format!(".step-000001.safetensors.1-0{UNFINISHED}"));
    fs::write(&left, "half").unwrap();
    let _run = RunFolder::open(parent.path()).unwrap();
    assert!(!left.exists());
}
