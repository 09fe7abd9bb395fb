//! What a run is gone on with, scored with and replaced by, in every family: the settings, the state and the data are the run's own, or are
//! refused; a run is one run.

use crate::tiny_runs::{TINY_RUNS, contents, copy, ends};
use crate::{assert_code, assert_error, stderr};
use models::storage::atomic::SystemDisk;
use models::storage::checkpoint::Checkpoint;
use models::storage::run_files::{Which, resolve};
use std::fs;
use std::path::Path;

/// A checkpoint with this change, where the newest was: with checksums of its own, as a program would write it.
fn with_changed_checkpoint(run: &Path, change: impl FnOnce(&mut Checkpoint)) -> Checkpoint {
    let path = resolve(run, Which::Latest).unwrap();
    let whole = Checkpoint::load(&path).unwrap();
    let mut changed = whole.clone();
    change(&mut changed);
    changed.save(&SystemDisk, &path).unwrap();
    whole
}

#[test]
fn every_tensor_of_a_training_s_state_is_needed_in_its_shape() {
    for run in TINY_RUNS.iter().filter(|run| run.resumes) {
        let folder = tempfile::tempdir().unwrap();
        let path = run.train(folder.path());
        let names: Vec<String> = Checkpoint::load(&resolve(&path, Which::Latest).unwrap())
            .unwrap()
            .tensors
            .iter()
            .map(|t| t.name.clone())
            .collect();
        assert!(names.len() > 8, "{names:?}");
        for name in &names {
            for way in ["missing", "short", "of another shape"] {
                let whole = with_changed_checkpoint(&path, |checkpoint| {
                    let place = checkpoint.tensors.iter().position(|tensor| tensor.name == *name).unwrap();
                    let tensor = &mut checkpoint.tensors[place];
                    match way {
                        "missing" => _ = checkpoint.tensors.remove(place),
                        "short" => {
                            tensor.bytes.clear();
                            tensor.shape = vec![0];
                        }
                        _ => tensor.shape.push(1),
                    }
                });
                let output = ends(&["resume", path.to_str().unwrap()]);
                assert_error(&output, 5, &[name, "step-000006.safetensors"]);
                whole.save(&SystemDisk, &whole.path).unwrap();
            }
        }
        with_changed_checkpoint(&path, |checkpoint| {
            checkpoint.tensors.push(models::storage::safetensors_file::StoredTensor::new("carry.more", &[1], &[0f32]));
        });
        assert_error(&ends(&["resume", path.to_str().unwrap()]), 5, &["carry.more"]);
    }
}

#[test]
fn settings_that_differ_from_the_checkpoint_s_are_named_and_those_that_may_change_are_said() {
    for run in TINY_RUNS.iter().filter(|run| run.resumes) {
        let folder = tempfile::tempdir().unwrap();
        let path = run.train(folder.path());
        let config = path.join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        let resume = |more: &[&str]| ends(&[&["resume", path.to_str().unwrap()], more].concat());
        let size = match run.model {
            "wavenet" => ("residual = 4", "residual = 5", "model.residual"),
            "gpt" | "masked-gpt" => ("width = 8", "width = 10", "model.width"),
            _ => ("hidden = 6", "hidden = 7", "model.hidden"),
        };
        for (old, new, key) in [
            ("seed = 1\n", "seed = 2\n", "training.seed"),
            size,
            ("clip = 1.0", "clip = 2.0", "training.optimizer.clip"),
        ] {
            assert!(text.contains(old), "{text}");
            fs::write(&config, text.replace(old, new)).unwrap();
            assert_error(&resume(&[]), 5, &["config.toml", key, "does not agree"]);
        }
        fs::write(&config, text.replace("seed = 1\n", "")).unwrap();
        assert_error(&resume(&[]), 5, &["config.toml", "is not whole", "training.seed"]);
        fs::write(&config, text.replace("keep = 3", "keep = 9")).unwrap();
        let output = resume(&[]);
        assert_code(&output, 0);
        assert!(stderr(&output).contains("training.keep is 9") && stderr(&output).contains("it was 3"));
        assert_error(&resume(&["--set", "model.hidden=7"]), 2, &["model.hidden", "cannot change"]);
        assert_error(&resume(&["--set", "training.seed=2"]), 2, &["training.seed", "cannot change"]);
        assert_code(&resume(&["--set", "training.keep=1", "--steps", "8", "--save-every", "1"]), 0);
        let text = fs::read_to_string(&config).unwrap();
        assert!(["keep = 1\n", "steps = 8\n", "save_every = 1\n"].iter().all(|line| text.contains(line)), "{text}");
    }
}

#[test]
fn a_run_without_its_empty_folders_and_a_moved_run_go_on() {
    for run in TINY_RUNS.iter().filter(|run| run.resumes) {
        let folder = tempfile::tempdir().unwrap();
        let path = run.train(folder.path());
        let moved = folder.path().join("moved");
        copy(&path, &moved);
        fs::remove_dir_all(moved.join("samples")).unwrap();
        assert_code(&ends(&["resume", moved.to_str().unwrap(), "--steps", "9"]), 0);
        assert!(moved.join("samples").read_dir().unwrap().next().is_some());
    }
}

#[test]
fn parts_are_those_of_the_run_s_own_data() {
    for run in TINY_RUNS {
        let folder = tempfile::tempdir().unwrap();
        let path = run.train(folder.path());
        let data = run.write_data(folder.path());
        let name = data.file_name().unwrap().to_str().unwrap();
        let cut = run.write_other_data(folder.path(), &format!("cut-{name}"), 2);
        let longer = run.write_other_data(folder.path(), &format!("longer-{name}"), 4);
        let eval = |data: &Path, split: &str| {
            ends(&["eval", path.to_str().unwrap(), "--data", data.to_str().unwrap(), "--split", split])
        };
        for split in ["train", "validation"] {
            assert_code(&eval(&data, split), 0);
            for other in [&cut, &longer] {
                let name = other.file_name().unwrap().to_str().unwrap();
                assert_error(&eval(other, split), 5, &[name, "is not the data of", "--split all"]);
                assert_code(&eval(other, "all"), 0);
            }
        }
    }
}

#[test]
fn two_trainings_that_are_started_into_one_folder_leave_one_whole_run() {
    for run in TINY_RUNS {
        let folder = tempfile::tempdir().unwrap();
        let (data, path) = (run.write_data(folder.path()), folder.path().join("run"));
        let start = |more: &[&str]| {
            std::process::Command::new(env!("CARGO_BIN_EXE_autoreg"))
                .args(run.training(&data, &path, more))
                .env("AUTOREG_THREADS", "1")
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        };
        let both = |more: &[&str]| [start(more), start(more)].map(|child| child.wait_with_output().unwrap());
        for _ in 0..5 {
            let codes = both(&[]).map(|output| output.status.code());
            assert!(codes.contains(&Some(0)) && codes.contains(&Some(2)), "{codes:?}");
            // Who overwrites what is being overwritten is told that it is, or comes after.
            for output in both(&["--overwrite"]) {
                match output.status.code() {
                    Some(0) => {}
                    _ => assert_error(&output, 2, &["is in use", "another autoreg is training there"]),
                }
            }
            if run.resumes {
                assert_code(&ends(&["resume", path.to_str().unwrap()]), 0);
            }
            fs::remove_dir_all(&path).unwrap();
        }
    }
}

#[test]
fn a_run_goes_only_when_the_one_that_overwrites_it_has_saved() {
    for run in TINY_RUNS {
        let folder = tempfile::tempdir().unwrap();
        let path = run.train(folder.path());
        let before = contents(&path);
        let data = run.write_data(folder.path());
        let train = |more: &[&str]| ends(&run.training(&data, &path, more));
        assert_error(&train(&[]), 2, &["already holds a run"]);
        if run.resumes {
            let hot = [
                "--overwrite",
                "--set",
                "training.optimizer.learning_rate=1e30",
                "--set",
                "training.save_every=0",
                "--set",
                "training.eval_every=0",
                "--set",
                "training.steps=300",
            ];
            assert_error(&train(&hot), 4, &["diverged"]);
        }
        assert_error(&train(&["--overwrite", "--set", "model.lags=-1"]), 2, &["model.lags"]);
        assert!(contents(&path) == before);
        assert_code(&train(&["--overwrite", "--seed", "2"]), 0);
        assert_ne!(contents(&path)[Path::new("config.toml")], before[Path::new("config.toml")]);
        assert!(!path.join(".replaced").exists());
    }
}
