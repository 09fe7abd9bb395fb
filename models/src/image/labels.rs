//! Where the classes of pictures come from: a file of labels that is named, the one beside a file of pictures, or the folder that a
//! picture lies in. Which picture is of which class is put together in [`crate::image::data`].

use super::config::DataConfig;
use super::idx::{self, Idx};
use crate::data::Part;
use crate::data::files::DataFiles;
use crate::error::{Error, Kind, Result};
use std::path::Path;

/// The word for the file beside each file of pictures.
const AUTO: &str = "auto";

/// Adds the files of labels that the configuration names. In what they hold they are known again: IDX of rank 1.
///
/// # Errors
/// [`Kind::BadInput`] if one is not there; [`Kind::Usage`] if one is given for a part without pictures.
pub(super) fn read_labels(data: &mut DataFiles, config: &DataConfig) -> Result<()> {
    let pictures: Vec<(String, Option<Part>)> = data.files.iter().map(|file| (file.path.clone(), file.part)).collect();
    let have_parts = data.have_parts();
    let own = [
        (Part::Validation, "validation_labels", &config.validation_labels),
        (Part::Test, "test_labels", &config.test_labels),
    ];
    for (part, key, path) in own.into_iter().filter(|(.., path)| !path.is_empty()) {
        if !pictures.iter().any(|(_, serves)| *serves == Some(part)) {
            let name = part.name();
            return Err(Error::new(Kind::Usage, format!("`data.{key}` is given, and no file is for the {name} part"))
                .help(format!(
                    "give its pictures, `data.{name}_path` or `data.{name}_files`, or leave the labels out"
                )));
        }
        if path == AUTO {
            beside_each(data, pictures.iter().filter(|(_, serves)| *serves == Some(part)))?;
        } else {
            add(data, path, Some(part))?;
        }
    }
    match config.labels.as_str() {
        "" => Ok(()),
        AUTO => {
            let has_own =
                |serves: Option<Part>| own.iter().any(|(part, _, path)| serves == Some(*part) && !path.is_empty());
            beside_each(data, pictures.iter().filter(|(_, serves)| !has_own(*serves)))
        }
        path => add(data, path, have_parts.then_some(Part::Train)),
    }
}

/// Adds a file of labels, if it is one: taken for pictures, it would be trained on.
fn add(data: &mut DataFiles, path: &str, part: Option<Part>) -> Result<()> {
    data.read_beside(Path::new(path), "labels", part)?;
    let bytes = data.files.last().map_or(&[][..], |file| &file.bytes);
    match idx::parse(bytes, path)? {
        Idx::Labels(_) => Ok(()),
        Idx::Images(_) => Err(Error::new(Kind::BadInput, format!("{path} holds pictures, not labels"))
            .cause("labels are IDX of one dimension; they begin with 00 00 08 01")
            .help("name the file of the labels")),
    }
}

/// Adds the labels beside each of these files of pictures.
fn beside_each<'p>(data: &mut DataFiles, pictures: impl Iterator<Item = &'p (String, Option<Part>)>) -> Result<()> {
    for (path, part) in pictures {
        let beside = names_beside(path);
        let Some(found) = beside.iter().find(|path| Path::new(path).is_file()) else {
            let cause = match &beside[..] {
                [] => "by its name it is not of pictures: there is no `images` in it".to_owned(),
                names => format!("there is no {}", names.join(" and no ")),
            };
            return Err(Error::new(Kind::BadInput, format!("no labels beside {path}"))
                .cause(cause)
                .help("name their file: --set data.labels=PATH"));
        };
        add(data, found, *part)?;
    }
    Ok(())
}

/// What the labels of a file of pictures may be called: `images` becomes `labels`, `idx3` or `idx4` becomes `idx1`, packed or not.
pub(super) fn names_beside(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once(['/', '\\']).map_or((0, path), |(folder, name)| (folder.len() + 1, name));
    if !name.contains("images") {
        return Vec::new();
    }
    let labels = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
    let other = labels.strip_suffix(".gz").map_or_else(|| format!("{labels}.gz"), str::to_owned);
    [labels, other].map(|name| format!("{}{name}", &path[..folder])).to_vec()
}

/// The class of a picture by the folders that it lies in, without those that say which part it serves; none where it lies in none.
pub(super) fn class_of(name: &str) -> Option<&str> {
    let (folders, _) = name.rsplit_once('/')?;
    let (first, rest) = folders.split_once('/').map_or((folders, None), |(first, rest)| (first, Some(rest)));
    match first {
        "train" | "validation" | "valid" | "val" | "test" => rest,
        _ => Some(folders),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_beside_pictures_have_the_names_of_mnist() {
        let expected = ["a/train-labels-idx1-ubyte.gz", "a/train-labels-idx1-ubyte"];
        assert_eq!(names_beside("a/train-images-idx3-ubyte.gz"), expected);
        assert_eq!(names_beside("t10k-images.idx4"), ["t10k-labels.idx1", "t10k-labels.idx1.gz"]);
        assert!(names_beside("images/train.gz").is_empty());
    }

    #[test]
    fn a_class_is_the_folder_of_a_picture_and_not_that_of_its_part() {
        let names = ["a.png", "test/a.png", "cat/a.png", "test/cat/a.png", "train/pets/cat/a.png"];
        assert_eq!(names.map(class_of), [None, None, Some("cat"), Some("cat"), Some("pets/cat")]);
    }
}
