//! Which data serve what, through the binary, in every family: nothing is validated or tested on what it is trained on, and what is scored
//! is what was named.

use crate::tiny_runs::{TINY_RUNS, TinyRun, ends};
use crate::{assert_code, assert_error, stderr, stdout};
use std::fs;
use std::path::Path;

/// Every family whose parts may be files of their own, in a folder with its data, and the ending of these.
fn for_each(test: impl Fn(&TinyRun, &Path, &Path, &str)) {
    let mut tried = 0;
    for run in TINY_RUNS {
        let folder = tempfile::tempdir().unwrap();
        let data = run.write_data(folder.path());
        let key = ends(&run.training(&data, &folder.path().join("none"), &["--set", "data.validation_path=none"]));
        // A series is cut by position: the key is not one of its own.
        if run.family == "series" {
            assert_error(&key, 2, &["unknown key `data.validation_path`"]);
            continue;
        }
        assert_error(&key, 5, &["none", "no such file"]);
        tried += 1;
        test(run, folder.path(), &data, data.extension().unwrap().to_str().unwrap());
    }
    assert!(tried >= 3, "{tried} families");
}

#[test]
fn what_is_trained_on_is_neither_validated_nor_tested_on_by_any_name() {
    for_each(|run, folder, data, ending| {
        let never = folder.join("never");
        let copy = folder.join(format!("copy.{ending}"));
        fs::copy(data, &copy).unwrap();
        let round_about = folder.join("..").join(folder.file_name().unwrap()).join(data.file_name().unwrap());
        let mut same =
            vec![(data.to_owned(), "leaves nothing to train on"), (round_about, "leaves nothing to train on")];
        #[cfg(unix)]
        {
            let link = folder.join(format!("link.{ending}"));
            std::os::unix::fs::symlink(data, &link).unwrap();
            same.push((link, "leaves nothing to train on"));
        }
        same.push((copy, "is what the train part is"));
        for (other, says) in same {
            for part in ["validation", "test"] {
                let setting = format!("data.{part}_path={}", other.display());
                let output = ends(&run.training(data, &never, &["--set", &setting]));
                assert_error(&output, 5, &[says, data.file_name().unwrap().to_str().unwrap()]);
            }
        }
        assert!(!never.exists());
    });
}

#[test]
fn a_file_in_the_folder_of_the_data_serves_what_it_is_named_for_and_is_scored_by_itself() {
    for_each(|run, folder, _, ending| {
        let inside = folder.join("inside");
        fs::create_dir(&inside).unwrap();
        // Of pictures a folder holds PNGs, which no tiny run has.
        if ending == "idx" {
            return;
        }
        run.write_other_data(&inside, &format!("a.{ending}"), 3);
        let held = run.write_other_data(&inside, &format!("b.{ending}"), 2);
        let path = folder.join("run");
        let setting = format!("data.validation_path={}", held.display());
        let trained = ends(&run.training(&inside, &path, &["--set", &setting]));
        assert_code(&trained, 0);
        // All of the data that are named are scored, and none beside them.
        let symbols = |data: &Path| {
            let output = ends(&["eval", path.to_str().unwrap(), "--data", data.to_str().unwrap(), "--json"]);
            assert_code(&output, 0);
            let object: serde_json::Value =
                serde_json::from_str(stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
            object["symbols"].as_u64().expect("a count")
        };
        let validated = ends(&[
            "eval",
            path.to_str().unwrap(),
            "--data",
            inside.to_str().unwrap(),
            "--split",
            "validation",
            "--json",
        ]);
        assert_code(&validated, 0);
        let object: serde_json::Value = serde_json::from_str(stdout(&validated)).unwrap();
        let alone = symbols(&held);
        assert_eq!(object["symbols"].as_u64(), Some(alone));
        assert_eq!(symbols(&run.write_other_data(folder, &format!("twice.{ending}"), 4)), 2 * alone);
    });
}
