//! Every file of a run, damaged in every way, in every family: the state is whole, or it is refused with exit code 5 and the file's name.

use crate::tiny_runs::{TINY_RUNS, TinyRun, contents, ends};
use crate::{assert_code, assert_error, stderr};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that a run is gone on from.
const FILES: [&str; 5] = ["config.toml", "metrics.jsonl", "latest", "best", "checkpoints/step-000006.safetensors"];

/// Stands for the newest sample of a run, whatever its ending.
const NEWEST_SAMPLE: &str = "samples/newest";

/// What came of going on with damaged runs.
#[derive(Default)]
struct Outcomes {
    tried: usize,
    refused: usize,
    harmless: usize,
    said: usize,
}

/// A run, and a place where copies of it are damaged.
struct Patient<'a> {
    run: &'a TinyRun,
    folder: tempfile::TempDir,
    whole: BTreeMap<PathBuf, Vec<u8>>,
    outcomes: Outcomes,
}

impl<'a> Patient<'a> {
    fn new(run: &'a TinyRun) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = run.train(folder.path());
        let whole = contents(&path);
        Patient { run, folder, whole, outcomes: Outcomes::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Goes on with the run after `damage`, with no step to make. It must refuse and name the file, and leave everything as it is; or go
    /// on, and the damage made no difference, or was said.
    #[track_caller]
    fn try_with(&mut self, file: &str, what: &str, content: &[u8]) {
        let path = self.path().join(file);
        fs::write(&path, content).unwrap();
        let output = ends(&["resume", self.path().to_str().unwrap()]);
        let named = format!("{} {}: {file} {what}", self.run.family, self.run.model);
        let now = contents(&self.path());
        self.outcomes.tried += 1;
        match output.status.code() {
            Some(5) => {
                assert_code(&output, 5);
                let name = Path::new(file).file_name().unwrap().to_str().unwrap();
                // A wrong `data.path` is told as the file that is not there.
                let is_named = stderr(&output).contains(name) || stderr(&output).contains("cannot read the ");
                assert!(is_named, "{named}: {}", stderr(&output));
                self.outcomes.refused += 1;
                let mut expected = self.whole.clone();
                expected.insert(file.into(), content.to_vec());
                assert!(now == expected, "{named}: refused, and something was changed");
            }
            Some(0) if now == self.whole => self.outcomes.harmless += 1,
            // A line end is missing: what the file says is the same, and nothing was written over it.
            Some(0) if content.trim_ascii_end() == self.whole[Path::new(file)].trim_ascii_end() => {
                self.outcomes.harmless += 1;
            }
            Some(0) if stderr(&output).contains("as ") && stderr(&output).contains("it was ") => {
                self.outcomes.said += 1
            }
            code => panic!("{named}: exit code {code:?}, in silence: {}", stderr(&output)),
        }
        // As it was, for the next one.
        for path in now.keys().filter(|path| !self.whole.contains_key(*path)) {
            fs::remove_file(self.path().join(path)).unwrap();
        }
        for (path, bytes) in
            self.whole.iter().filter(|(path, bytes)| now.get(*path) != Some(bytes) || *path == Path::new(file))
        {
            fs::write(self.path().join(path), bytes).unwrap();
        }
    }
}

fn patients() -> impl Iterator<Item = Patient<'static>> {
    TINY_RUNS.iter().filter(|run| run.resumes).map(Patient::new)
}

/// The same places each time, spread over the file: multiples of an odd number that no length divides.
fn places(length: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |i| (i * 7_919 + i * i * 31) % length.max(1))
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused_or_makes_no_difference() {
    for mut patient in patients() {
        for file in FILES {
            let whole = patient.whole[Path::new(file)].clone();
            let lines = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1);
            let lines: Vec<usize> = if file.ends_with("safetensors") { Vec::new() } else { lines.collect() };
            for cut in lines.into_iter().chain(places(whole.len(), 50)) {
                patient.try_with(file, &format!("cut at {cut} of {}", whole.len()), &whole[..cut]);
            }
        }
        let Outcomes { tried, refused, harmless, said } = patient.outcomes;
        println!(
            "{} {}: {tried} cuts, {refused} refused, {harmless} made no difference, {said} said",
            patient.run.family, patient.run.model
        );
        assert!(refused * 10 > tried * 8, "{refused} of {tried}");
    }
}

#[test]
fn a_flipped_bit_is_refused_or_makes_no_difference() {
    for mut patient in patients() {
        for file in FILES {
            let whole = patient.whole[Path::new(file)].clone();
            // Half of the bits of a checkpoint lie in its header, which is the smaller part of it.
            let count = if file.ends_with("safetensors") { 160 } else { 60 };
            for (i, place) in places(8 * whole.len(), count).enumerate() {
                let place = if i % 2 == 0 { place } else { place % (8 * whole.len().min(1500)) };
                let mut flipped = whole.clone();
                flipped[place / 8] ^= 1 << (place % 8);
                patient.try_with(file, &format!("bit {place} flipped"), &flipped);
            }
        }
        let Outcomes { tried, refused, harmless, said } = patient.outcomes;
        println!(
            "{} {}: {tried} bits, {refused} refused, {harmless} made no difference, {said} said",
            patient.run.family, patient.run.model
        );
        assert_eq!(tried, 400);
        assert!(refused * 10 > tried * 8, "{refused} of {tried}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_of_the_run_is_refused_at_once() {
    use std::os::unix::fs::symlink;
    /// Puts something at the first path; the second is another run's file.
    type Make = fn(&Path, &Path);
    let kinds: [(&str, Make); 6] = [
        ("a folder", |path, _| fs::create_dir(path).unwrap()),
        ("a pipe", |path, _| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success())),
        ("an endless device", |path, _| symlink("/dev/zero", path).unwrap()),
        ("a link to nothing", |path, _| symlink("nowhere", path).unwrap()),
        ("another run's", |path, other| _ = fs::copy(other, path).unwrap()),
        ("an empty file", |path, _| fs::write(path, "").unwrap()),
    ];
    for run in TINY_RUNS.iter().filter(|run| run.resumes) {
        let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (path, other) = (run.train(folder.path()), run.train(other.path()));
        for file in FILES.iter().chain(&["index.html", "loss.svg", NEWEST_SAMPLE]) {
            let file = match *file == NEWEST_SAMPLE {
                true => format!(
                    "samples/{}",
                    fs::read_dir(path.join("samples"))
                        .unwrap()
                        .map(|e| e.unwrap().file_name().into_string().unwrap())
                        .max()
                        .unwrap()
                ),
                false => (*file).to_owned(),
            };
            let own = path.join(&file);
            let content = fs::read(&own).unwrap();
            for (kind, make) in &kinds {
                // Pages and samples are what people look at; those of another run are recognised by nobody.
                if !FILES.contains(&file.as_str()) && ["another run's", "an empty file"].contains(kind) {
                    continue;
                }
                fs::remove_file(&own).unwrap();
                make(&own, &other.join(&file));
                let output = ends(&["resume", path.to_str().unwrap()]);
                let name = own.file_name().unwrap().to_str().unwrap();
                assert_error(&output, 5, &[name]);
                match own.is_dir() {
                    true => fs::remove_dir(&own).unwrap(),
                    false => fs::remove_file(&own).unwrap(),
                }
                fs::write(&own, &content).unwrap();
            }
        }
        assert_code(&ends(&["resume", path.to_str().unwrap()]), 0);
    }
}
