//! Tests of what becomes of files that are there when a run is begun: somebody's stay, and a run is replaced when the new one has saved.

use super::run_files::{Which, load};
use super::run_folder::RunFolder;
use super::run_folder::tests::{checkpoint, gone_on, logged_run, record, steps};
use crate::error::Kind;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn what_is_somebody_s_is_neither_taken_for_a_run_nor_deleted_with_one() {
    let somebodys = [
        "checkpoints/step-1000.pt",
        "checkpoints/notes.safetensors",
        "samples/step-5.wav",
        "samples/step-000005.mp3",
        "thesis.unfinished",
        ".thesis.1-2.unfinished",
        "config.yaml",
        "samples/deeper/step-000005.txt",
    ];
    for name in somebodys {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "precious").unwrap();
        for overwrite in [false, true] {
            let error = RunFolder::create(folder.path(), overwrite, "").unwrap_err();
            assert_eq!(error.kind, Kind::Usage, "{name}: {error}");
        }
        // In a folder with a run it stays, whatever becomes of the run.
        fs::remove_file(&path).unwrap();
        let _ = fs::remove_dir(folder.path().join("samples/deeper"));
        logged_run(folder.path());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "precious").unwrap();
        let mut run = RunFolder::create(folder.path(), true, "").unwrap();
        run.save(&checkpoint(1), true).unwrap();
        drop(run);
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious", "{name}");
        drop(gone_on(folder.path()).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious", "{name}");
    }
    // Where it has the name of a file that a run writes, it is in the way.
    for name in
        ["config.toml", "metrics.jsonl", "latest", "index.html", "loss.svg", "checkpoints/step-000001.safetensors"]
    {
        let folder = tempfile::tempdir().unwrap();
        logged_run(folder.path());
        fs::write(folder.path().join(name), "precious").unwrap();
        let error = RunFolder::create(folder.path(), true, "").unwrap_err();
        assert!(error.kind == Kind::Usage && error.cause.contains(name.rsplit('/').next().unwrap()), "{name}: {error}");
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "precious", "{name}");
    }
}

#[test]
fn a_run_that_lost_its_configuration_and_its_pointers_is_still_a_run() {
    let folder = tempfile::tempdir().unwrap();
    logged_run(folder.path());
    for name in ["config.toml", "latest", "best", "metrics.jsonl"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let error = RunFolder::create(folder.path(), false, "").unwrap_err();
    assert!(error.what.contains("already holds a run"), "{error}");
    assert_eq!(steps(folder.path()), [5]);
    drop(RunFolder::create(folder.path(), true, "").unwrap());
    assert_eq!(steps(folder.path()), [5], "nothing was saved in its place");
}

#[test]
fn a_run_is_replaced_when_the_new_one_has_saved_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    logged_run(folder.path());
    let before = contents(folder.path());
    let mut run = RunFolder::create(folder.path(), true, "new").unwrap();
    run.log(&record(1)).unwrap();
    run.write_sample(1, "txt", b"new").unwrap();
    assert_eq!(load(folder.path(), Which::Best).unwrap().progress.unwrap().step, 5, "it is there to be read meanwhile");
    drop(run);
    assert_eq!(contents(folder.path()), before);
    let mut run = RunFolder::create(folder.path(), true, "new").unwrap();
    run.save(&checkpoint(9), true).unwrap();
    drop(run);
    assert_eq!(steps(folder.path()), [9]);
    assert!(!folder.path().join(".replaced").exists());
}

/// Every file of a folder, by its path.
fn contents(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => open.push(entry),
                false => _ = found.insert(entry.clone(), fs::read(entry).unwrap()),
            }
        }
    }
    found
}
