//! The promise "nothing saved is lost", held at every call to the disk: refused, killed, power lost, disk full.
//!
//! A [`FaultyDisk`] goes wrong at its n-th operation, for every n. After each, what is on the disk is opened as a user would.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::atomic::Disk;
use super::checkpoint::{Checkpoint, Group, Progress};
use super::faulty_disk::{Fault, FaultyDisk, Plan};
use super::run_files::{Which, resolve};
use super::run_folder::{Retention, RunFolder};
use super::safetensors_file::StoredTensor;
use crate::error::{Kind, Result};

fn checkpoint(step: u64) -> Checkpoint {
    let mut checkpoint = Checkpoint::new(&serde_json::json!({"model": "gru"})).unwrap();
    checkpoint.progress = Some(Progress { step, ..Progress::default() });
    checkpoint.push(Group::Parameter, StoredTensor::new("w", &[100], &[step as f32; 100]));
    checkpoint
}

/// The step of the checkpoint a role leads to; loading checks every byte of its structure.
fn loaded_step(folder: &Path, which: Which) -> u64 {
    let loaded = Checkpoint::load(&resolve(folder, which).unwrap()).unwrap();
    let step = loaded.progress.as_ref().unwrap().step;
    assert_eq!(loaded.tensor(Group::Parameter, "w").unwrap().elements::<f32>().unwrap(), [step as f32; 100]);
    step
}

/// A disk that never goes wrong and never waits for the medium: what is simulated needs no real fsync.
fn sound_disk() -> Rc<dyn Disk> {
    Rc::new(FaultyDisk(Rc::new(Plan::new(Fault::Refused, usize::MAX))))
}

/// A run with steps 1 and 2 saved, then step 3 on a disk that goes wrong at its n-th operation. Gives the outcome of
/// that save and how many operations took place.
fn save_with_fault(folder: &Path, fault: Fault, fault_at: usize) -> (Result<PathBuf>, usize) {
    let mut run = RunFolder::create_on(sound_disk(), folder, false, "").unwrap();
    run.save(&checkpoint(1), true).unwrap();
    run.save(&checkpoint(2), false).unwrap();
    drop(run);
    let plan = Rc::new(Plan::new(fault, fault_at));
    let mut run = RunFolder::open_on(Rc::new(FaultyDisk(plan.clone())), folder).unwrap();
    run.retain(Retention::Last(1));
    let outcome = run.save(&checkpoint(3), true);
    drop(run);
    if matches!(fault, Fault::PowerLost | Fault::PowerLostAfterRenames) {
        plan.lose_power();
    }
    (outcome, plan.done.get())
}

fn operations_of_a_save() -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, operations) = save_with_fault(folder.path(), Fault::Refused, usize::MAX);
    outcome.unwrap();
    operations
}

#[test]
fn whatever_operation_goes_wrong_the_old_or_the_new_checkpoint_loads() {
    let operations = operations_of_a_save();
    assert!(operations > 20, "a save is {operations} operations: too few to be the real thing");
    let faults = [Fault::Refused, Fault::Full, Fault::Killed, Fault::PowerLost, Fault::PowerLostAfterRenames];
    for fault in faults {
        let mut latest_seen = Vec::new();
        for n in 0..=operations {
            let folder = tempfile::tempdir().unwrap();
            let (outcome, _) = save_with_fault(folder.path(), fault, n);
            let latest = loaded_step(folder.path(), Which::Latest);
            let best = loaded_step(folder.path(), Which::Best);
            assert!([2, 3].contains(&latest) && [1, 3].contains(&best), "{fault:?} at {n}: {latest}, {best}");
            if outcome.is_ok() {
                assert_eq!((latest, best), (3, 3), "{fault:?} at {n}: a save that reported success is there");
            }
            if let Err(error) = outcome {
                assert_eq!(error.kind, Kind::Disk, "{fault:?} at {n}: {error}");
            }
            latest_seen.push(latest);

            // And the run goes on: opened again, it saves as if nothing had happened.
            let mut run = RunFolder::open_on(sound_disk(), folder.path()).unwrap();
            run.save(&checkpoint(4), false).unwrap();
            assert_eq!(loaded_step(folder.path(), Which::Latest), 4);
            let left = fs::read_dir(folder.path().join("checkpoints")).unwrap();
            assert!(left.flatten().all(|e| e.file_name().to_string_lossy().starts_with("step-")), "{fault:?} at {n}");
        }
        assert!(latest_seen.contains(&2) && latest_seen.contains(&3), "{fault:?}: both outcomes occur");
    }
}

#[test]
fn a_full_disk_is_reported_with_the_path_and_leaves_no_half_file() {
    for n in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let error = save_with_fault(folder.path(), Fault::Full, n).0.unwrap_err();
        assert_eq!(error.kind, Kind::Disk);
        assert!(error.what.contains("step-000003.safetensors"), "{error}");
        assert!(error.help.contains("free some space"), "{error}");
        let names = fs::read_dir(folder.path().join("checkpoints")).unwrap().flatten().map(|e| e.file_name());
        assert_eq!(names.count(), 2, "only steps 1 and 2 are there");
    }
}

/// A run of step 1 is overwritten by one that logs and saves step 7, on a disk that goes wrong at its n-th operation.
fn overwrite_with_fault(folder: &Path, fault: Fault, fault_at: usize) -> (Result<PathBuf>, usize) {
    let mut run = RunFolder::create_on(sound_disk(), folder, false, "old").unwrap();
    run.save(&checkpoint(1), true).unwrap();
    run.write_sample(1, "txt", b"old").unwrap();
    drop(run);
    let plan = Rc::new(Plan::new(fault, fault_at));
    let disk = Rc::new(FaultyDisk(plan.clone()));
    let outcome = RunFolder::create_on(disk, folder, true, "new").and_then(|mut run| {
        run.write_sample(7, "txt", b"new")?;
        run.save(&checkpoint(7), true)
    });
    if matches!(fault, Fault::PowerLost | Fault::PowerLostAfterRenames) {
        plan.lose_power();
    }
    (outcome, plan.done.get())
}

/// Whatever goes wrong while a run is overwritten, the folder holds the old run or the new one, whole.
#[test]
fn overwriting_can_be_cut_short_at_every_operation_and_leaves_the_old_run_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, operations) = overwrite_with_fault(folder.path(), Fault::Refused, usize::MAX);
    outcome.unwrap();
    assert!(operations > 40, "overwriting is {operations} operations: too few to be the real thing");
    let faults = [Fault::Refused, Fault::Full, Fault::Killed, Fault::PowerLost, Fault::PowerLostAfterRenames];
    for fault in faults {
        let mut seen = Vec::new();
        for n in 0..=operations {
            let folder = tempfile::tempdir().unwrap();
            let (outcome, _) = overwrite_with_fault(folder.path(), fault, n);
            // As it is found, and after it was opened to go on with it.
            for _ in 0..2 {
                let step = loaded_step(folder.path(), Which::Latest);
                assert!([1, 7].contains(&step), "{fault:?} at {n}: {step}");
                assert!(outcome.is_err() || step == 7, "{fault:?} at {n}: a save that reported success is there");
                seen.push(step);
                drop(RunFolder::open_on(sound_disk(), folder.path()).unwrap());
            }
            let step = loaded_step(folder.path(), Which::Latest);
            let config = fs::read_to_string(folder.path().join("config.toml")).unwrap();
            assert!(config.ends_with(if step == 1 { "old" } else { "new" }), "{fault:?} at {n}: {step}, {config}");
            assert_eq!(folder.path().join("samples/step-000001.txt").exists(), step == 1, "{fault:?} at {n}");
            assert_eq!(folder.path().join("samples/step-000007.txt").exists(), step == 7, "{fault:?} at {n}");
            assert!(!folder.path().join(".replaced").exists(), "{fault:?} at {n}");
            drop(RunFolder::create_on(sound_disk(), folder.path(), true, "again").unwrap());
        }
        assert!(seen.contains(&1) && seen.contains(&7), "{fault:?}: both outcomes occur");
    }
}

/// Names the run folder for the process that the next test starts; without it, [`saves_until_killed`] is idle.
const CHILD_FOLDER: &str = "SAVES_UNTIL_KILLED_IN";

#[test]
fn saves_until_killed() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let mut run = RunFolder::open(Path::new(&folder)).unwrap();
    run.retain(Retention::Last(2));
    for step in loaded_step(Path::new(&folder), Which::Latest) + 1.. {
        run.save(&checkpoint(step), step % 3 == 0).unwrap();
    }
}

/// The real thing: the operating system kills a process in the middle of saving, at a moment of its own choosing.
#[test]
fn a_killed_process_leaves_a_run_that_loads_and_is_not_locked() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = RunFolder::create(folder.path(), false, "").unwrap();
    run.save(&checkpoint(1), true).unwrap();
    drop(run);
    for round in 0..6 {
        let before = loaded_step(folder.path(), Which::Latest);
        let pointer = fs::read(folder.path().join("latest")).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["storage::crash::saves_until_killed", "--exact"])
            .env(CHILD_FOLDER, folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Until it saves (told by the name alone: a checkpoint may be deleted while it is read), then some odd time more.
        let start = std::time::Instant::now();
        while fs::read(folder.path().join("latest")).unwrap() == pointer {
            assert!(start.elapsed().as_secs() < 60, "the process saves nothing");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        std::thread::sleep(std::time::Duration::from_micros(3_700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(loaded_step(folder.path(), Which::Latest) > before);
        loaded_step(folder.path(), Which::Best);
    }
    RunFolder::open(folder.path()).unwrap();
}
