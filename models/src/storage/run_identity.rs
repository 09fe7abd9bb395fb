//! Which files of a folder are of its run, and which are somebody's: told by name and by content. Only the former are ever moved or
//! deleted. The identifier that a run is given when it is made stands in each of its files, so that two runs cannot be mixed.
//!
//! | file | is of the run if |
//! | --- | --- |
//! | `config.toml` | it begins with the identifier; of older runs, if it has no table but `model`, `data`, `training` |
//! | `metrics.jsonl` | its first line is the identifier or a record |
//! | `latest`, `best` | it names a checkpoint |
//! | `checkpoints/step-000200.safetensors` | its metadata say that step, and the identifier of `config.toml` |
//! | `samples/step-000200.txt` | it has such a name, and the folder holds a run |
//! | `loss.svg`, `index.html` | it ends with the mark of this program; of older runs, if it looks like one |
//! | `.NAME.PID-COUNT.unfinished` | NAME is one of these |

use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use super::atomic::{Disk, written_as};
use super::checkpoint::Checkpoint;
use super::metrics;
use super::regular;
use super::replaced_run::REPLACED;
use super::run_files::{
    CHECKPOINTS, CONFIG, METRICS, PAGE, PICTURE, Pointer, SAMPLES, Which, checkpoint_name, sample_name, step_of,
};
use super::run_lock::LOCK_FILE;
use crate::medium::Medium;

/// What the last line of a page and of a picture of a run is.
pub(super) const MARK: &str = "<!-- written by autoreg for this run -->\n";

/// What the first line of `config.toml` begins with; the identifier follows.
const CONFIG_LINE: &str = "# run ";

/// The longest of a run's text files that are looked into.
const MOST_LOOKED_INTO: u64 = 1 << 28;

/// A new identifier: sixteen hexadecimal digits of chance.
pub(super) fn new_identity() -> String {
    // The seed of a hash map is the one source of chance in the standard library; nothing that is computed depends on it.
    let chance = std::collections::hash_map::RandomState::new();
    let mut hasher = chance.build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}

/// A `config.toml` with the run's identifier as its first line.
pub(super) fn with_identity(run: Option<&str>, config: &str) -> String {
    run.map_or(config.to_owned(), |run| format!("{CONFIG_LINE}{run}\n{config}"))
}

/// The identifier that a `config.toml` begins with.
pub fn identity_in(config: &str) -> Option<&str> {
    let line = config.lines().next()?.strip_prefix(CONFIG_LINE)?;
    let run = line.split_whitespace().next().unwrap_or_default();
    Some(run)
}

/// The identifier of the run in a folder, by its `config.toml`.
pub fn identity_of(folder: &Path) -> Option<String> {
    let text = regular::read_text(&folder.join(CONFIG), MOST_LOOKED_INTO).ok()?;
    identity_in(&text).map(str::to_owned)
}

/// What a folder holds, as paths from it.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Files of its run, samples last.
    pub(super) ours: Vec<PathBuf>,
    /// What an interrupted writing of such files left.
    pub(super) unfinished: Vec<PathBuf>,
    /// Everything else.
    pub(super) theirs: Vec<PathBuf>,
    /// Of everything else what has the name of a file that a run writes.
    pub(super) in_the_way: Vec<PathBuf>,
}

impl Survey {
    /// Looks at every file of a folder; of a folder that is not there, nothing is found.
    pub(super) fn of(folder: &Path) -> Self {
        let mut survey = Survey::default();
        let config = regular::read_text(&folder.join(CONFIG), MOST_LOOKED_INTO).ok();
        let run = config.as_deref().and_then(identity_in);
        let is_config = config.as_deref().is_some_and(is_config);
        let names = |of: &Path| {
            let entries = fs::read_dir(folder.join(of)).into_iter().flatten().flatten();
            let mut names: Vec<String> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        for name in names(Path::new("")) {
            let path = PathBuf::from(&name);
            let at = folder.join(&path);
            match name.as_str() {
                // A link to a folder on a larger disk serves as well.
                CHECKPOINTS | SAMPLES if at.is_dir() => {}
                REPLACED if fs::symlink_metadata(&at).is_ok_and(|about| about.is_dir()) => {}
                LOCK_FILE if is_regular(&at) => {}
                CONFIG => survey.put(path, is_config),
                METRICS => survey.put(path, is_regular(&at) && metrics::begins_as_one(&at)),
                PICTURE | PAGE => survey.put(path, is_picture(&at, run.is_none() && is_config)),
                _ if is_root(&name) => survey.put(path, Pointer::read(&at).is_ok_and(|pointer| pointer.is_some())),
                _ if written_as(&name).is_some_and(is_root) && is_regular(&at) => survey.unfinished.push(path),
                CHECKPOINTS | SAMPLES | REPLACED | LOCK_FILE => survey.put(path, false),
                _ => survey.theirs.push(path),
            }
        }
        for name in names(Path::new(CHECKPOINTS)) {
            let path = Path::new(CHECKPOINTS).join(&name);
            let at = folder.join(&path);
            if is_checkpoint(&name) {
                let of_run = |of: &Option<String>| !is_config || of.as_deref() == run;
                let progress = Checkpoint::progress_of(&at).filter(|_| is_regular(&at));
                let named = progress.filter(|progress| checkpoint_name(progress.step) == name);
                survey.put(path, named.is_some_and(|progress| of_run(&progress.run)));
            } else {
                survey.put_other(path, &at, written_as(&name).is_some_and(is_checkpoint));
            }
        }
        let holds_run = survey.holds_run();
        for name in names(Path::new(SAMPLES)) {
            let path = Path::new(SAMPLES).join(&name);
            let at = folder.join(&path);
            match is_sample(&name) {
                true => survey.put(path, holds_run && is_regular(&at)),
                false => survey.put_other(path, &at, written_as(&name).is_some_and(is_sample)),
            }
        }
        survey
    }

    /// Whether there is a run: anything that a run has written.
    pub(super) fn holds_run(&self) -> bool {
        !self.ours.is_empty()
    }

    /// The first file that is somebody's, those in the way of a run before others.
    pub(super) fn first_foreign(&self) -> Option<&Path> {
        self.in_the_way.iter().chain(&self.theirs).next().map(PathBuf::as_path)
    }

    /// Deletes what an interrupted writing has left; what cannot be deleted harms nothing.
    pub(super) fn sweep(&self, disk: &dyn Disk, folder: &Path) {
        self.unfinished.iter().for_each(|file| _ = disk.remove(&folder.join(file)));
    }

    fn put(&mut self, path: PathBuf, is_ours: bool) {
        if is_ours { &mut self.ours } else { &mut self.in_the_way }.push(path);
    }

    fn put_other(&mut self, path: PathBuf, at: &Path, is_temporary: bool) {
        if is_temporary && is_regular(at) { &mut self.unfinished } else { &mut self.theirs }.push(path);
    }
}

/// Whether a file at `path` has a place and a name at which the run in `folder` writes.
pub fn is_place_of(folder: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(folder) else { return false };
    let name = inside.file_name().unwrap_or_default().to_string_lossy();
    match inside.parent().map(Path::to_string_lossy).unwrap_or_default().as_ref() {
        "" => is_root(&name) || name == LOCK_FILE,
        CHECKPOINTS => is_checkpoint(&name),
        SAMPLES => is_sample(&name),
        _ => false,
    }
}

fn is_root(name: &str) -> bool {
    let pointers = [Which::Latest, Which::Best].map(Which::file_name);
    [CONFIG, METRICS, PICTURE, PAGE].contains(&name) || pointers.contains(&name)
}

fn is_checkpoint(name: &str) -> bool {
    step_of(name).is_some_and(|step| name == checkpoint_name(step))
}

fn is_sample(name: &str) -> bool {
    let is_of = |medium: Medium, step| name == sample_name(step, medium.ending());
    step_of(name).is_some_and(|step| Medium::ALL.into_iter().any(|medium| is_of(medium, step)))
}

fn is_regular(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_file())
}

fn is_config(text: &str) -> bool {
    if identity_in(text).is_some_and(|run| run.len() == 16 && run.bytes().all(|b| b.is_ascii_hexdigit())) {
        return true;
    }
    let table: Option<toml::Table> = toml::from_str(text).ok();
    let known = ["model", "data", "training"];
    table.is_some_and(|table| !table.is_empty() && table.keys().all(|key| known.contains(&key.as_str())))
}

/// Pages and pictures written before they had a mark look like this.
const OLD_LOOKS: [&str; 2] = ["default-src 'none'; style-src 'unsafe-inline'", "<svg width="];

fn is_picture(path: &Path, is_old_run: bool) -> bool {
    let text = regular::read_text(path, MOST_LOOKED_INTO).unwrap_or_default();
    is_regular(path) && (text.ends_with(MARK) || is_old_run && OLD_LOOKS.iter().any(|look| text.contains(look)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_run_writes_are_not_of_a_run() {
        for name in ["step-000005.safetensors", "step-1234567.safetensors"] {
            assert!(is_checkpoint(name), "{name}");
        }
        for name in ["step-1000.pt", "step-5.safetensors", "step-0000005.safetensors", "step-.safetensors", "a"] {
            assert!(!is_checkpoint(name), "{name}");
        }
        assert!(is_sample("step-000005.wav") && !is_sample("step-5.wav") && !is_sample("step-000005.mp3"));
        let place = |path: &str| is_place_of(Path::new("run"), &Path::new("run").join(path));
        assert!(place("config.toml") && place("latest") && place("samples/step-000005.txt"));
        assert!(!place("forecast.svg") && !place("samples/config.toml") && !place("../config.toml"));
    }

    #[test]
    fn an_identifier_stands_in_the_first_line_of_a_configuration() {
        let [a, b] = [(); 2].map(|()| new_identity());
        assert!(a.len() == 16 && a != b);
        assert_eq!(identity_in(&with_identity(Some(&a), "[model]\n")), Some(a.as_str()));
        assert_eq!(identity_in("[model]\n# run x\n"), None);
        assert!(is_config("[model]\nhidden = 3\n[training]\n") && is_config(&with_identity(Some(&a), "")));
        assert!(!is_config("[package]\nname = 'mine'\n") && !is_config("") && !is_config("# run for your life\n"));
    }
}
