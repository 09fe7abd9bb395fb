//! What a process that was killed in the middle of a write has left beside a user's file: `.FILE.PROCESS-COUNT.unfinished`.
//!
//! It goes when the same file is written again, if it is nobody's any more: a regular file of exactly such a name, not locked (who
//! writes one holds it locked, on this machine or another), and not touched for a while. Anything else stays. Those of a run folder go when
//! the folder is opened, which is locked as a whole (`run_identity`).

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use super::atomic::{borne, folder_of, written_as};

/// Between making a file and locking it a writer needs microseconds.
const AGE: Duration = Duration::from_secs(10);

/// Removes what crashes have left of earlier attempts at writing `path`. What cannot be looked at or removed stays: it harms nothing.
pub(super) fn remove(path: &Path) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()).map(borne) else { return };
    let Ok(folder) = fs::read_dir(folder_of(path)) else { return };
    for entry in folder.filter_map(Result::ok) {
        let ours = entry.file_name().to_str().is_some_and(|temporary| written_as(temporary) == Some(&*name));
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) && is_nobodys(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_nobodys(path: &Path) -> bool {
    let Ok(file) = File::options().write(true).open(path) else { return false };
    let touched = file.metadata().and_then(|about| about.modified());
    // A clock that was set back says nothing of the age.
    let is_old = touched.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= AGE));
    is_old && file.try_lock().is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::user_file;
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn what_a_crash_left_of_the_same_file_goes_with_the_next_write_and_all_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let old = SystemTime::now() - 2 * AGE;
        let stays = [
            ".other.txt.12-0.unfinished",
            ".out.txt.12-.unfinished",
            "out.txt.12-0.unfinished",
            ".out.txt.unfinished",
            ".out.txt.1-0.unfinished",
            ".out.txt.2-0.unfinished",
        ];
        for name in stays.iter().chain(&[".out.txt.3-0.unfinished", ".out.txt.4-17.unfinished"]) {
            fs::write(path(name), "half of it").unwrap();
            File::options().write(true).open(path(name)).unwrap().set_modified(old).unwrap();
        }
        fs::create_dir(path(".out.txt.5-0.unfinished")).unwrap();
        // One is being written, by whoever; one was made a moment ago.
        let writer = File::options().write(true).open(path(".out.txt.1-0.unfinished")).unwrap();
        writer.try_lock().unwrap();
        fs::write(path(".out.txt.2-0.unfinished"), "begun").unwrap();

        user_file::write(&path("out.txt"), b"whole").unwrap();
        assert_eq!(fs::read(path("out.txt")).unwrap(), b"whole");
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected: Vec<&str> = stays.iter().chain(&["out.txt", ".out.txt.5-0.unfinished"]).copied().collect();
        expected.sort_unstable();
        assert_eq!(left, expected);

        // It was let go: now it is nobody's.
        drop(writer);
        user_file::write(&path("out.txt"), b"again").unwrap();
        assert!(!path(".out.txt.1-0.unfinished").exists());
    }

    #[test]
    fn a_file_is_locked_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        user_file::write_by(&path, |out| {
            let temporary = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
            let other = File::options().write(true).open(temporary).unwrap();
            assert!(other.try_lock().is_err());
            out.write_all(b"whole")
        })
        .unwrap();
        assert_eq!(fs::read(path).unwrap(), b"whole");
    }
}
