//! Tests of the run folder in everyday use; crashes are in `crash.rs`.

use super::*;
use crate::storage::checkpoint::{Group, Progress};
use crate::storage::run_files::{load, read_config, records, resolve, samples};
use crate::storage::safetensors_file::StoredTensor;
use std::fs;

pub(in crate::storage) fn checkpoint(step: u64) -> Checkpoint {
    let mut checkpoint = Checkpoint::new(&serde_json::json!({"model": "gru"})).unwrap();
    checkpoint.progress = Some(Progress { step, ..Progress::default() });
    checkpoint.push(Group::Parameter, StoredTensor::new("w", &[2], &[step as f32, 1.0]));
    checkpoint
}

pub(in crate::storage) fn record(step: u64) -> Record {
    Record { step, loss: 1.0 / step as f64, ..Record::default() }
}

pub(in crate::storage) fn steps(folder: &Path) -> Vec<u64> {
    checkpoints(folder).unwrap().into_iter().map(|(step, _)| step).collect()
}

#[test]
fn a_new_run_holds_its_configuration_and_no_checkpoint() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("runs/a");
    let _run = RunFolder::create(&path, false, "seed = 7\n").unwrap();
    let config = read_config(&path).unwrap();
    let (head, rest) = config.split_once('\n').unwrap();
    assert_eq!((head.len(), rest), ("# run 0123456789abcdef".len(), "seed = 7\n"));
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
    let mut run = RunFolder::create(parent.path(), true, "new").unwrap();
    assert!(read_config(parent.path()).unwrap().ends_with("\nnew"));
    assert!(steps(parent.path()).is_empty() && samples(parent.path()).unwrap().is_empty());
    assert!(records(parent.path()).unwrap().is_empty());
    let new = run.save(&checkpoint(1), true).unwrap();
    assert_eq!(resolve(parent.path(), Which::Best).unwrap(), new);
    assert_eq!(steps(parent.path()), [1]);
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

/// A run with steps 1 to 7 logged and step 5 saved.
pub(in crate::storage) fn logged_run(folder: &Path) {
    let mut run = RunFolder::create(folder, false, "").unwrap();
    (1..=5).for_each(|step| run.log(&record(step)).unwrap());
    run.save(&checkpoint(5), true).unwrap();
    (6..=7).for_each(|step| run.log(&record(step)).unwrap());
}

pub(in crate::storage) fn gone_on(folder: &Path) -> Result<RunFolder> {
    let mut run = RunFolder::open(folder)?;
    let checkpoint = load(folder, Which::Latest)?;
    run.check(&checkpoint)?;
    run.go_on_from(&checkpoint)?;
    Ok(run)
}

#[test]
fn metrics_after_resuming_equal_those_of_an_uninterrupted_run() {
    let [whole, resumed] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut run = RunFolder::create(whole.path(), false, "").unwrap();
    (1..=9).for_each(|step| run.log(&record(step)).unwrap());

    logged_run(resumed.path());
    let mut file = File::options().append(true).open(resumed.path().join(METRICS)).unwrap();
    file.write_all(b"{\"step\":8,\"symb").unwrap();
    let mut run = gone_on(resumed.path()).unwrap();
    (6..=9).for_each(|step| run.log(&record(step)).unwrap());
    run.save(&checkpoint(9), true).unwrap();
    drop(run);

    // All but the first line, which is the identifier of each.
    let lines = |folder: &Path| {
        let text = fs::read_to_string(folder.join(METRICS)).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(lines(whole.path()), lines(resumed.path()));
    gone_on(resumed.path()).unwrap();
}

#[test]
fn records_that_are_not_those_of_the_checkpoint_are_refused_by_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    logged_run(folder.path());
    let path = folder.path().join(METRICS);
    let whole = fs::read_to_string(&path).unwrap();
    let refused = |text: &str, cause: &str| {
        fs::write(&path, text).unwrap();
        let error = gone_on(folder.path()).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput);
        assert!(error.to_string().contains("metrics.jsonl") && error.to_string().contains(cause), "{error}");
    };
    refused(&whole.replace("\"step\":3", "\"step\":2"), "step 2 comes after step 2");
    refused(&whole.lines().take(3).map(|line| format!("{line}\n")).collect::<String>(), "and had");
    refused(&whole.replacen("\"run\":\"", "\"run\":\"x", 1), "is of run x");
    fs::write(&path, whole).unwrap();
    gone_on(folder.path()).unwrap();
}

#[test]
fn files_of_two_runs_in_one_folder_are_refused_by_name() {
    let [ours, theirs] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    logged_run(ours.path());
    logged_run(theirs.path());
    for name in ["config.toml", "latest", "best", METRICS, "checkpoints/step-000005.safetensors"] {
        let own = fs::read(ours.path().join(name)).unwrap();
        fs::copy(theirs.path().join(name), ours.path().join(name)).unwrap();
        let error = gone_on(ours.path()).unwrap_err();
        assert_eq!(error.kind, Kind::BadInput, "{name}: {error}");
        let file = name.rsplit('/').next().unwrap();
        assert!(error.what.contains("not of one run") && error.what.contains(file), "{name}: {error}");
        fs::write(ours.path().join(name), own).unwrap();
    }
    drop(gone_on(ours.path()).unwrap());
    // Another run's checkpoint of another step is neither deleted with ours nor replaced by ours.
    let guest = ours.path().join("checkpoints/step-000001.safetensors");
    let mut other = RunFolder::open(theirs.path()).unwrap();
    fs::rename(other.save(&checkpoint(1), false).unwrap(), &guest).unwrap();
    let error = gone_on(ours.path()).unwrap_err();
    assert!(error.what.contains("step-000001") && error.what.contains("not a file of this run"), "{error}");
    assert_eq!(RunFolder::create(ours.path(), true, "").unwrap_err().kind, Kind::Usage);
    let mut run = RunFolder::open(ours.path()).unwrap();
    run.retain(Retention::Last(1));
    run.save(&checkpoint(6), true).unwrap();
    assert!(guest.exists() && steps(ours.path()) == [1, 6]);
}

#[test]
fn a_run_from_before_there_were_identifiers_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    logged_run(folder.path());
    // As it was written then.
    let path = folder.path().join("checkpoints/step-000005.safetensors");
    fs::remove_file(&path).unwrap();
    checkpoint(5).save(&SystemDisk, &path).unwrap();
    fs::write(folder.path().join("config.toml"), "[model]\nhidden = 3\n").unwrap();
    fs::write(folder.path().join("latest"), "step-000005.safetensors\n").unwrap();
    fs::write(folder.path().join("best"), "step-000005.safetensors\n").unwrap();
    let lines: String = (1..=7).map(|step| record(step).to_line()).collect();
    fs::write(folder.path().join(METRICS), lines).unwrap();
    let mut run = gone_on(folder.path()).unwrap();
    assert_eq!(records(folder.path()).unwrap().len(), 5);
    run.save(&checkpoint(6), true).unwrap();
    drop(run);
    gone_on(folder.path()).unwrap();
    RunFolder::create(folder.path(), true, "").unwrap();
}

#[test]
fn folders_that_a_copy_has_left_out_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    logged_run(folder.path());
    fs::remove_dir(folder.path().join(SAMPLES)).unwrap();
    gone_on(folder.path()).unwrap().write_sample(6, "txt", b"sample").unwrap();
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
    let left = parent.path().join(CHECKPOINTS).join(".step-000001.safetensors.1-0.unfinished");
    fs::write(&left, "half").unwrap();
    let _run = RunFolder::open(parent.path()).unwrap();
    assert!(!left.exists());
}
