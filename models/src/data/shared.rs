//! Files that would serve two parts: a model that is validated or tested on what it trained on knows nothing of itself.
//!
//! - A file of the data that `data.validation_path` or `data.test_path` names as well (it lies in both folders, or is there by another
//!   spelling or a link) serves what it is named for, and is not trained on.
//! - A file that both of them name is refused; so is a part all of whose files are copies of another part's.

use super::Part;
use super::files::{DataFile, DataFiles};
use crate::error::{Error, Kind, Result};
use crate::storage::user_file::{Identity, identity};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Leaves out of `files` those that `named` holds too, by what they are and not by how their paths are written.
pub(super) fn without(files: Vec<DataFile>, named: &[DataFile]) -> Vec<DataFile> {
    let known: HashSet<Identity> = named.iter().filter_map(what).collect();
    files.into_iter().filter(|file| what(file).is_none_or(|file| !known.contains(&file))).collect()
}

fn what(file: &DataFile) -> Option<Identity> {
    identity(Path::new(&file.path))
}

/// Refuses a file that is named to validate on and to test on.
///
/// # Errors
/// [`Kind::Usage`] naming it.
pub(super) fn refuse_named_twice(validation: &[DataFile], test: &[DataFile]) -> Result<()> {
    let known: HashSet<Identity> = validation.iter().filter_map(what).collect();
    match test.iter().find(|file| what(file).is_some_and(|file| known.contains(&file))) {
        Some(file) => Err(Error::new(Kind::Usage, format!("{} would be validated on and tested on", file.path))
            .cause("`data.validation_path` and `data.test_path` both name it")
            .help("name other data for one of them")),
        None => Ok(()),
    }
}

/// Refuses a part that holds nothing but copies of files of another part.
///
/// # Errors
/// [`Kind::BadInput`] naming both.
pub(super) fn refuse_copies(data: &DataFiles) -> Result<()> {
    for (part, other) in [(Part::Validation, Part::Train), (Part::Test, Part::Train), (Part::Test, Part::Validation)] {
        let mut by_length: HashMap<usize, Vec<&DataFile>> = HashMap::new();
        data.of(other).for_each(|file| by_length.entry(file.bytes.len()).or_default().push(file));
        let copy = |file: &DataFile| by_length.get(&file.bytes.len())?.iter().copied().find(|b| b.bytes == file.bytes);
        // One that is no copy ends the search: pairs are compared where all so far were.
        let copies: Option<Vec<_>> = data.of(part).map(|file| Some((file, copy(file)?))).collect();
        if let Some((file, of)) = copies.and_then(|copies| copies.into_iter().next()) {
            let what = format!("the {} part is what the {} part is", part.name(), other.name());
            return Err(Error::new(Kind::BadInput, what)
                .cause(format!("{} holds the same bytes as {}, and so does every file of the part", file.path, of.path))
                .help(format!("give other data for the {} part, or none: a share is then held back", part.name())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::files::Wanted;
    use super::super::parts::Rules;
    use super::*;
    use std::fs;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn of(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, content) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            Folder(folder)
        }

        fn path(&self, name: &str) -> String {
            self.0.path().join(name).to_str().unwrap().to_owned()
        }

        /// The names of the files of each part.
        fn read(&self, data: &str, validation: &str, test: &str) -> Result<[Vec<String>; 3]> {
            let of = |name: &str| if name.is_empty() { String::new() } else { self.path(name) };
            let (validation_path, test_path) = (&*of(validation), &*of(test));
            let rules = Rules { validation_path, test_path, ..Rules::default() };
            let wanted = Wanted { what: "text", endings: &["txt"], rules };
            let data = DataFiles::read(Path::new(&self.path(data)), &wanted)?;
            Ok([Part::Train, Part::Validation, Part::Test].map(|part| data.of(part).map(|f| f.name.clone()).collect()))
        }
    }

    #[test]
    fn what_is_named_to_validate_or_test_on_is_not_trained_on_however_it_is_named() {
        let folder = Folder::of(&[("data/a.txt", "1"), ("data/b.txt", "2"), ("data/held/c.txt", "3"), ("x.txt", "4")]);
        let parts = |validation: &str, test: &str| folder.read("data", validation, test).unwrap();
        assert_eq!(parts("data/b.txt", ""), [vec!["a.txt", "held/c.txt"], vec!["b.txt"], vec![]]);
        assert_eq!(parts("data/../data/./b.txt", ""), [vec!["a.txt", "held/c.txt"], vec!["b.txt"], vec![]]);
        assert_eq!(parts("data/held", "data/a.txt"), [vec!["b.txt"], vec!["c.txt"], vec!["a.txt"]]);
        assert_eq!(parts("x.txt", ""), [vec!["a.txt", "b.txt", "held/c.txt"], vec!["x.txt"], vec![]]);
        if cfg!(unix) {
            #[cfg(unix)]
            std::os::unix::fs::symlink("data/b.txt", folder.path("link.txt")).unwrap();
            fs::hard_link(folder.path("data/b.txt"), folder.path("name.txt")).unwrap();
            for other in ["link.txt", "name.txt"] {
                assert_eq!(parts(other, ""), [vec!["a.txt", "held/c.txt"], vec![other], vec![]]);
            }
        }
    }

    #[test]
    fn a_part_that_is_another_part_is_refused_by_name() {
        let files =
            [("a.txt", "the same"), ("copy.txt", "the same"), ("b.txt", "other"), ("d/a.txt", "x"), ("d/b.txt", "y")];
        let folder = Folder::of(&files);
        for (data, validation, test, says) in [
            ("a.txt", "a.txt", "", "leaves nothing to train on"),
            ("a.txt", "", "./a.txt", "leaves nothing to train on"),
            ("d", "d/../d", "", "leaves nothing to train on"),
            ("a.txt", "copy.txt", "", "the validation part is what the train part is"),
            ("a.txt", "b.txt", "copy.txt", "the test part is what the train part is"),
            ("b.txt", "a.txt", "copy.txt", "the test part is what the validation part is"),
            ("b.txt", "a.txt", "a.txt", "would be validated on and tested on"),
            ("b.txt", "d", "d/b.txt", "d/b.txt would be validated on and tested on"),
        ] {
            let error = folder.read(data, validation, test).expect_err(says).to_string();
            assert!(error.contains(says), "{data} {validation} {test}: {error}");
        }
        assert!(folder.read("a.txt", "b.txt", "d").is_ok());
    }
}
