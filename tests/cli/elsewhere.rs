//! The same training in another build of the program: every tensor of every checkpoint has the same bits; and what is compressed here comes
//! back there.
//!
//! `AUTOREG_ELSEWHERE` is the command of the other build, such as one for aarch64 under an emulator (CONTRIBUTING.md, "Set-up").
//! Without it the other one is this build with portable code in place of the machine's best instruction set.

use crate::assert_code;
use crate::tiny_runs::{TINY_RUNS, contents};
use models::storage::checkpoint::Checkpoint;
use models::storage::stored_tensor::StoredTensor;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tensors of each checkpoint of a run.
fn tensors(run: &Path) -> BTreeMap<PathBuf, Vec<StoredTensor>> {
    let checkpoints = contents(run).into_keys().filter(|path| path.extension().is_some_and(|is| is == "safetensors"));
    checkpoints.map(|path| (path.clone(), Checkpoint::load(&run.join(&path)).expect("a checkpoint").tensors)).collect()
}

/// The command of the other build.
fn elsewhere() -> Command {
    match std::env::var("AUTOREG_ELSEWHERE") {
        Ok(words) => {
            let words = shell_words::split(&words).expect("AUTOREG_ELSEWHERE is a command");
            let (program, arguments) = words.split_first().expect("AUTOREG_ELSEWHERE names a program");
            let mut command = Command::new(program);
            command.args(arguments).env_remove("AUTOREG_ISA"); // a name that may mean nothing there
            command
        }
        Err(_) => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_autoreg"));
            command.env("AUTOREG_ISA", "portable");
            command
        }
    }
}

#[test]
fn checkpoints_of_another_build_have_the_same_tensors_bit_by_bit() {
    for tiny in TINY_RUNS {
        let folder = tempfile::tempdir().expect("a folder");
        let data = tiny.write_data(folder.path());
        let here = (Command::new(env!("CARGO_BIN_EXE_autoreg")), folder.path().join("here"));
        let there = (elsewhere(), folder.path().join("there"));
        let [here, there] = [here, there].map(|(mut command, run)| {
            assert_code(&command.args(tiny.training(&data, &run, &[])).output().expect("it runs"), 0);
            tensors(&run)
        });
        assert!(!here.is_empty() && here.values().all(|all| !all.is_empty()), "{}: no tensors", tiny.model);
        assert!(here.keys().eq(there.keys()), "{}: {:?} and {:?}", tiny.model, here.keys(), there.keys());
        for ((path, here), there) in here.iter().zip(there.values()) {
            assert_eq!(here.len(), there.len(), "{}: {}", tiny.model, path.display());
            let differing: Vec<&str> =
                here.iter().zip(there).filter(|(x, y)| x != y).map(|(x, _)| x.name.as_str()).collect();
            assert!(differing.is_empty(), "{}: {}: these differ: {differing:?}", tiny.model, path.display());
        }
        let count: usize = here.values().map(Vec::len).sum();
        println!("{}: {count} tensors of {} checkpoints are the same", tiny.model, here.len());
    }
}

#[test]
fn what_is_compressed_here_comes_back_in_another_build() {
    for tiny in TINY_RUNS.iter().filter(|tiny| tiny.family != "series" && tiny.has_next()) {
        let folder = tempfile::tempdir().expect("a folder");
        let (run, data) = (tiny.train(folder.path()), tiny.write_data(folder.path()));
        let [packed, packed_there, back, back_there] =
            ["packed", "packed-there", "back", "back-there"].map(|name| folder.path().join(name));
        let here = || Command::new(env!("CARGO_BIN_EXE_autoreg"));
        for (mut command, words, output) in [
            (here(), ["compress", data.to_str().unwrap()], &packed),
            (elsewhere(), ["compress", data.to_str().unwrap()], &packed_there),
            (here(), ["decompress", packed.to_str().unwrap()], &back),
            (elsewhere(), ["decompress", packed.to_str().unwrap()], &back_there),
        ] {
            let [what, file] = words;
            let command = command.arg(what).arg(&run).arg(file).arg("-o").arg(output);
            assert_code(&command.output().expect("it runs"), 0);
        }
        let read = |path: &Path| std::fs::read(path).expect("a file");
        assert_eq!(read(&packed), read(&packed_there), "{}: other bits", tiny.model);
        assert_eq!(read(&back), read(&back_there), "{}: another file", tiny.model);
    }
}
