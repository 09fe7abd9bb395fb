//! The files that a path means: itself, or what lies in the folder, read whole, in the order of their names.

use super::Part;
use super::fingerprint::Fingerprint;
use super::parts::{Rules, part_of};
use super::reading::read_one;
use super::shared;
use crate::error::{Error, Kind, Result};
use crate::memory::available;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One file of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its path from the folder that was named, with `/` on every system; of a file that was named itself, its own name.
    pub name: String,
    /// Its path as it is shown in errors: that which was named, or a file in it.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What it serves, where files decide that and not positions.
    pub part: Option<Part>,
}

/// The files of a data set, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFiles {
    /// The path that was named, as it is shown in errors.
    pub path: String,
    /// The files; at least one.
    pub files: Vec<DataFile>,
}

/// The most files that a folder is searched for: a slip such as `--data /` ends, and says so.
const MOST_FILES: usize = 2_000_000;

/// What a family reads.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it is, for errors: `text`.
    pub what: &'a str,
    /// The endings of its files in a folder, in lower case: `["txt"]`. A file that is named itself may have any.
    pub endings: &'a [&'a str],
    /// Which files serve what.
    pub rules: Rules<'a>,
}

impl DataFiles {
    /// Data that is not on disk, as the file at this path would be read.
    pub fn in_memory(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let files =
            vec![DataFile { name: name_of(Path::new(path)), path: path.to_owned(), bytes: bytes.into(), part: None }];
        DataFiles { path: path.to_owned(), files }
    }

    /// Reads the file `path`, or the wanted files in it and its folders where it is a folder; hidden ones are left out.
    ///
    /// # Errors
    /// [`Kind::BadInput`], with the path, if there is no such file, nothing wanted in a folder, or a file is empty or cannot
    /// be read; [`Kind::Usage`] if a rule makes no sense.
    pub fn read(path: &Path, wanted: &Wanted) -> Result<Self> {
        let rules = wanted.rules.compiled()?;
        let mut files = read_all(path, wanted, rules.files.as_ref())?;
        for file in &mut files {
            file.part = part_of(&file.name, &rules);
        }
        let named = |other: &str, part: Part| match other {
            "" => Ok(Vec::new()),
            other => {
                let more = read_all(Path::new(other), wanted, rules.files.as_ref())?;
                Ok(more.into_iter().map(|file| DataFile { part: Some(part), ..file }).collect())
            }
        };
        let validation = named(wanted.rules.validation_path, Part::Validation)?;
        let test = named(wanted.rules.test_path, Part::Test)?;
        shared::refuse_named_twice(&validation, &test)?;
        for named in [validation, test] {
            files = shared::without(files, &named);
            files.extend(named);
        }
        let by_file = files.iter().any(|file| file.part.is_some());
        if by_file {
            files.iter_mut().for_each(|file| _ = file.part.get_or_insert(Part::Train));
            if !files.iter().any(|file| file.part == Some(Part::Train)) {
                return Err(Error::new(Kind::BadInput, format!("{} leaves nothing to train on", path.display()))
                    .cause("every file serves as validation or test data")
                    .help("name other data to validate and test on, or fewer: `data.validation_path`, `data.validation_files`, `data.test_path`, `data.test_files`"));
            }
            let unmatched = [(&rules.validation, Part::Validation), (&rules.test, Part::Test)];
            for (pattern, part) in unmatched {
                if let Some(pattern) = pattern
                    && !files.iter().any(|file| file.part == Some(part))
                {
                    return Err(no_match(path, part, pattern.as_str()));
                }
            }
        } else if let Some((pattern, part)) = [(&rules.validation, Part::Validation), (&rules.test, Part::Test)]
            .into_iter()
            .find(|(p, _)| p.is_some())
            .and_then(|(p, part)| Some((p.as_ref()?, part)))
        {
            return Err(no_match(path, part, pattern.as_str()));
        }
        let data = DataFiles { path: path.display().to_string(), files };
        if by_file {
            shared::refuse_copies(&data)?;
        }
        Ok(data)
    }

    /// The last part of the path: `input.txt`.
    pub fn name(&self) -> String {
        let name = Path::new(&self.path).file_name();
        name.map_or_else(|| self.path.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// Adds a file of another kind, which belongs to some of these: labels of pictures. It serves what it is said to.
    ///
    /// # Errors
    /// [`Kind::BadInput`], with the path, if there is no such file, or it is empty or cannot be read.
    pub fn read_beside(&mut self, path: &Path, what: &str, part: Option<Part>) -> Result<()> {
        let mut free = available().unwrap_or(isize::MAX as u64);
        let bytes = read_one(path, what, &mut free)?;
        self.files.push(DataFile { name: name_of(path), path: path.display().to_string(), bytes, part });
        Ok(())
    }

    /// By which a run knows its data again.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.files)
    }
}

fn no_match(path: &Path, part: Part, pattern: &str) -> Error {
    Error::new(Kind::BadInput, format!("no file of {} is for the {} part", path.display(), part.name()))
        .cause(format!("none has a name like {pattern:?}"))
        .help(format!("change `data.{}_files`, or leave it empty", part.name()))
}

/// The name of a file that was named itself.
fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The file, or the wanted files of the folder.
fn read_all(path: &Path, wanted: &Wanted, pattern: Option<&glob::Pattern>) -> Result<Vec<DataFile>> {
    let mut free = available().unwrap_or(isize::MAX as u64);
    if !path.is_dir() {
        let (name, shown) = (name_of(path), path.display().to_string());
        return Ok(vec![DataFile { name, path: shown, bytes: read_one(path, wanted.what, &mut free)?, part: None }]);
    }
    let is_wanted = |name: &str| match pattern {
        Some(pattern) => pattern.matches(name),
        None => {
            let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
            ending.is_some_and(|ending| wanted.endings.contains(&ending.as_str()))
        }
    };
    let mut found = list(path)?;
    found.retain(|(name, _)| is_wanted(name));
    if found.is_empty() {
        let endings: Vec<String> = wanted.endings.iter().map(|ending| format!(".{ending}")).collect();
        let cause = match pattern {
            Some(pattern) => format!("no file in it has a name like {:?}", pattern.as_str()),
            None => format!("it is a folder, and no file in it ends in {}", endings.join(", ")),
        };
        return Err(Error::new(Kind::BadInput, format!("{} holds no {}", path.display(), wanted.what))
            .cause(cause)
            .help(format!("name a file, or a folder of files that end in .{}", wanted.endings.join(", ."))));
    }
    let file = |(name, found): (String, PathBuf)| {
        let shown = format!("{}/{name}", path.display());
        Ok(DataFile { bytes: read_one(&found, wanted.what, &mut free)?, name, path: shown, part: None })
    };
    found.into_iter().map(file).collect()
}

/// Name and path of every regular file in a folder and below, by name; hidden ones and links to folders are left out.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let failed = |path: &Path, error: &io::Error| {
        Error::new(Kind::BadInput, format!("cannot read the folder {}", path.display())).cause(error)
    };
    let mut found = Vec::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| failed(&folder, &e))? {
            let entry = entry.map_err(|e| failed(&folder, &e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(|e| failed(&entry.path(), &e))?;
            if name.starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                open.push((format!("{prefix}{name}/"), entry.path()));
            } else if kind.is_file() || entry.path().is_file() {
                found.push((format!("{prefix}{name}"), entry.path()));
            }
            if found.len() + open.len() > MOST_FILES {
                return Err(Error::new(Kind::BadInput, format!("{} holds too many files", folder.display()))
                    .cause(format!("more than {MOST_FILES} files and folders lie in it"))
                    .help("name the folder of the data itself"));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted<'a>(rules: Rules<'a>) -> Wanted<'a> {
        Wanted { what: "text", endings: &["txt"], rules }
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        folder
    }

    fn parts(data: &DataFiles) -> Vec<(&str, Option<Part>)> {
        data.files.iter().map(|file| (file.name.as_str(), file.part)).collect()
    }

    #[test]
    fn a_folder_means_its_wanted_files_in_the_order_of_their_names() {
        let folder = folder(&["b.txt", "a/z.TXT", "a/image.png", ".hidden.txt", ".git/x.txt", "a.txt"]);
        let data = DataFiles::read(folder.path(), &wanted(Rules::default())).unwrap();
        assert_eq!(parts(&data), [("a.txt", None), ("a/z.TXT", None), ("b.txt", None)]);
        assert!(!data.have_parts());
        let rules = Rules { files: "*.png", ..Rules::default() };
        assert_eq!(parts(&DataFiles::read(folder.path(), &wanted(rules)).unwrap()), [("a/image.png", None)]);
    }

    #[test]
    fn files_serve_what_a_pattern_a_path_or_their_folder_says() {
        let found = folder(&["1.txt", "2-val.txt", "3-test.txt"]);
        let rules = Rules { validation_files: "*-val.txt", test_files: "3*", ..Rules::default() };
        let data = DataFiles::read(found.path(), &wanted(rules)).unwrap();
        let serves = [Part::Train, Part::Validation, Part::Test].map(Some);
        assert_eq!(parts(&data).iter().map(|file| file.1).collect::<Vec<_>>(), serves);
        assert_eq!(data.of(Part::Test).next().unwrap().bytes, b"3-test.txt");

        let found = folder(&["train/a.txt", "validation/b.txt", "test/c.txt"]);
        let data = DataFiles::read(found.path(), &wanted(Rules::default())).unwrap();
        assert_eq!(data.of(Part::Train).next().unwrap().name, "train/a.txt");
        assert_eq!(data.of(Part::Validation).next().unwrap().name, "validation/b.txt");

        let found = folder(&["a.txt", "b.txt"]);
        let other = found.path().join("b.txt");
        let rules = Rules { validation_path: other.to_str().unwrap(), ..Rules::default() };
        let data = DataFiles::read(&found.path().join("a.txt"), &wanted(rules)).unwrap();
        assert_eq!(parts(&data), [("a.txt", Some(Part::Train)), ("b.txt", Some(Part::Validation))]);
    }

    #[test]
    fn what_cannot_serve_is_refused_by_name() {
        let found = folder(&["a.txt", "empty.txt", "b.png"]);
        fs::write(found.path().join("empty.txt"), "").unwrap();
        let refusal = |path: &Path, rules: Rules| DataFiles::read(path, &wanted(rules)).unwrap_err().to_string();
        let says = |told: String, words: &[&str]| {
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
        };
        says(refusal(found.path(), Rules::default()), &["empty.txt is empty"]);
        says(refusal(&found.path().join("missing"), Rules::default()), &["missing", "no such file"]);
        let only = Rules { files: "a*", ..Rules::default() };
        says(refusal(found.path(), Rules { files: "*.wav", ..only }), &["holds no text", "*.wav"]);
        says(refusal(found.path(), Rules { validation_files: "x*", ..only }), &["validation part", "x*"]);
        says(refusal(found.path(), Rules { validation_files: "a*", ..only }), &["nothing to train on"]);
        says(refusal(found.path(), Rules { test_files: "[", ..only }), &["data.test_files", "["]);
        fs::remove_file(found.path().join("a.txt")).unwrap();
        fs::remove_file(found.path().join("empty.txt")).unwrap();
        says(refusal(found.path(), Rules::default()), &["holds no text", ".txt"]);
    }
}
