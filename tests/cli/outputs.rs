//! Whatever is at the path of an output, nothing of a user's is destroyed: every command with `-o` × every kind of file.
#![cfg(unix)]

use crate::tiny_runs::{TINY_RUNS, TinyRun, ends};
use crate::{assert_code, assert_error};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Calls `test` with each command that writes a file, and a folder of its own that holds the run and its data.
fn for_each_output(test: impl Fn(&TinyRun, usize, &Path, &Path)) {
    for run in TINY_RUNS {
        let folder = tempfile::tempdir().unwrap();
        run.train(folder.path());
        for (i, (_, _, ending)) in run.outputs.iter().enumerate() {
            let output = folder.path().join(format!("out-{i}.{ending}"));
            test(run, i, folder.path(), &output);
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn what_is_at_the_path_of_an_output_stays_what_it_is() {
    for_each_output(|run, i, folder, output| {
        let write = |path: &Path| ends(&run.with_output(i, folder, path));
        let beside = |name: &str| folder.join(format!("{name}-{}", output.file_name().unwrap().to_str().unwrap()));
        // Nothing: made. What it holds is what every other way of writing must give.
        assert_code(&write(output), 0);
        let content = fs::read(output).unwrap();
        assert!(!content.is_empty());

        // A private file stays private.
        let private = beside("private");
        fs::write(&private, "old").unwrap();
        fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
        assert_code(&write(&private), 0);
        assert_eq!((fs::read(&private).unwrap(), mode(&private)), (content.clone(), 0o600));

        // A read-only file stays as it is, whoever asks.
        let read_only = beside("read-only");
        fs::write(&read_only, "old").unwrap();
        fs::set_permissions(&read_only, fs::Permissions::from_mode(0o444)).unwrap();
        assert_error(&write(&read_only), 6, &["read-only", read_only.to_str().unwrap()]);
        assert_eq!(fs::read(&read_only).unwrap(), b"old");

        // A link stays a link, to a file that is there and to one that is not.
        for (name, is_there) in [("target", true), ("new-target", false)] {
            let (target, link) = (beside(name), beside(&format!("link-to-{name}")));
            if is_there {
                fs::write(&target, "old").unwrap();
            }
            symlink(target.file_name().unwrap(), &link).unwrap();
            assert_code(&write(&link), 0);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(fs::read(&target).unwrap(), content);
        }

        // Both names of a file see what was written.
        let (one, other) = (beside("one-name"), beside("other-name"));
        fs::write(&one, "old and longer than what comes, or not").unwrap();
        fs::hard_link(&one, &other).unwrap();
        assert_code(&write(&one), 0);
        assert_eq!((fs::read(&other).unwrap(), fs::metadata(&one).unwrap().nlink()), (content.clone(), 2));

        // A pipe stays one, and its reader gets it all.
        let pipe = beside("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        assert_code(&write(&pipe), 0);
        assert_eq!(reader.join().unwrap(), content);
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());

        // A device stays one; by a link, since the ending of the name says what is written.
        let null = beside("null");
        symlink("/dev/null", &null).unwrap();
        assert_code(&write(&null), 0);
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

        // A name as long as a name can be is one.
        let (_, ending) = output.file_name().unwrap().to_str().unwrap().rsplit_once('.').unwrap();
        let long = folder.join(format!("{}.{ending}", "n".repeat(254 - ending.len())));
        assert_code(&write(&long), 0);
        assert_eq!(fs::read(&long).unwrap(), content);

        // What a killed process has left of the same file goes with the next write, and nothing else of such a name.
        let leave = |name: String| {
            let left = folder.join(name);
            fs::write(&left, "half of it").unwrap();
            let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
            fs::File::options().write(true).open(&left).unwrap().set_modified(old).unwrap();
            left
        };
        let (killed, foreign) =
            (leave(format!(".again.{ending}.1-0.unfinished")), leave(".thesis.unfinished".to_owned()));
        assert_code(&write(&folder.join(format!("again.{ending}"))), 0);
        assert!(!killed.exists() && foreign.exists());
        fs::remove_file(foreign).unwrap();

        // A name that says another form than what is written.
        let other = folder.join("other.jpg");
        match ending {
            // What is compressed has no form that a name could say.
            "txt" | "arz" => assert_code(&write(&other), 0),
            _ => assert_error(&write(&other), 2, &["other.jpg"]),
        }

        // A full disk is told with what helps there: a written file is nothing to resume.
        if cfg!(target_os = "linux") {
            let full = beside("full");
            symlink("/dev/full", &full).unwrap();
            let told = write(&full);
            assert_error(&told, 6, &["cannot write", "help: free some space, or write to another disk"]);
            assert!(!crate::stderr(&told).contains("resume"), "{}", crate::stderr(&told));
        }

        // What cannot be written is said before any work.
        let full_folder = beside("folder");
        fs::create_dir(&full_folder).unwrap();
        assert_error(&write(&full_folder), 6, &["it is a folder"]);
        assert_error(&write(&folder.join("none").join(output.file_name().unwrap())), 6, &["folder does not exist"]);

        let left = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().ends_with(".unfinished")).collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn an_output_is_never_what_is_read() {
    for_each_output(|run, i, folder, output| {
        let data = folder.join("run/config.toml");
        let before = fs::read(&data).unwrap();
        // The run's own files and its data, which no flag names, by a link of the right ending, and the checkpoint that is read.
        let checkpoint = fs::read_dir(folder.join("run/checkpoints")).unwrap().next().unwrap().unwrap().path();
        for own in [&data, &folder.join("run/latest"), &checkpoint, &run.write_data(folder)] {
            let _ = fs::remove_file(output);
            symlink(own, output).unwrap();
            let was = fs::read(own).unwrap();
            let mut arguments = run.with_output(i, folder, output);
            for model in [folder.join("run"), folder.join("run/latest"), checkpoint.clone()] {
                arguments[1] = model.to_str().unwrap().to_owned();
                assert_error(&ends(&arguments), 2, &["would be overwritten"]);
            }
            assert_eq!(fs::read(own).unwrap(), was);
        }
        assert_eq!(fs::read(&data).unwrap(), before);
        fs::remove_file(output).unwrap();
        if run.with_output(i, folder, output)[0] == "generate" {
            fs::write(output, "1").unwrap();
            let mut arguments = run.with_output(i, folder, output);
            arguments.extend(["--prompt-file".to_owned(), output.to_str().unwrap().to_owned()]);
            assert_error(&ends(&arguments), 2, &["would be overwritten"]);
            fs::remove_file(output).unwrap();
        }
        // A file of one's own in the run folder is no file of the run.
        let mine = folder.join("run").join(output.file_name().unwrap());
        assert_code(&ends(&run.with_output(i, folder, &mine)), 0);
    });
}

#[test]
fn two_outputs_are_two_files() {
    let folder = tempfile::tempdir().unwrap();
    let run = TINY_RUNS.iter().find(|run| run.outputs.iter().any(|output| output.0 == "forecast")).unwrap();
    run.train(folder.path());
    let which = run.outputs.iter().position(|output| output.0 == "forecast").unwrap();
    let (a, link) = (folder.path().join("a.svg"), folder.path().join("link.svg"));
    symlink("a.svg", &link).unwrap();
    for other in [&a, &link] {
        let mut arguments = run.with_output(which, folder.path(), &a);
        arguments.extend(["-o".to_owned(), other.to_str().unwrap().to_owned()]);
        assert_error(&ends(&arguments), 2, &["is written twice"]);
    }
    let mut arguments = run.with_output(which, folder.path(), &a);
    let data = run.write_data(folder.path());
    arguments.extend(["-o".to_owned(), data.to_str().unwrap().to_owned()]);
    arguments.extend(["--data".to_owned(), data.to_str().unwrap().to_owned()]);
    assert_error(&ends(&arguments), 2, &["would be overwritten"]);
    assert!(fs::read_to_string(data).unwrap().starts_with("value\n"));
}

#[test]
fn a_limit_on_files_and_a_full_stdout_are_disk_errors() {
    let folder = tempfile::tempdir().unwrap();
    let run = &TINY_RUNS[0];
    run.train(folder.path());
    let program = env!("CARGO_BIN_EXE_autoreg");
    let shell = |line: &str, arguments: &[String]| {
        Command::new("sh").args(["-c", line, program]).args(arguments).output().expect("a shell")
    };
    // One block of 512 bytes, or of 1024.
    let generate = run.with_output(0, folder.path(), &folder.path().join("long.txt"));
    let generate: Vec<String> =
        generate.into_iter().map(|word| if word == "20" { "5000".into() } else { word }).collect();
    assert_error(&shell("ulimit -f 1; exec \"$0\" \"$@\"", &generate), 6, &["long.txt"]);
    assert!(!folder.path().join("long.txt").exists());
    let (data, other) = (run.write_data(folder.path()), folder.path().join("other"));
    assert_error(&shell("ulimit -f 1; exec \"$0\" \"$@\"", &run.training(&data, &other, &[])), 6, &["other"]);
    if cfg!(target_os = "linux") {
        for words in [&["--help"][..], &["train", "text", "--help"], &["--version"], &["help"]] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_error(&shell("exec \"$0\" \"$@\" > /dev/full", &words), 6, &["cannot write to stdout"]);
        }
    }
}
