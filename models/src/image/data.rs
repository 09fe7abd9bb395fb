//! Files of pictures as training, validation and test pictures, each with its class where classes are known.
//!
//! What a file is, is seen in it and not by its name: PNG, or IDX plain or packed, of pictures or of labels.
//!
//! - **Parts.** Where files decide ([`crate::data::parts`]), each part is its files. Else all pictures are parted by chance, by the
//!   stream `parts of the pictures` of seed 0: the same for every training, and pictures that lie together by class are in every part.
//! - **Order.** That of the names of the files, byte by byte, in each part.
//! - **Classes.** Labels in IDX belong to the pictures of their part, file by file where there are as many, else to all of them in
//!   order; a class is then a number, 0 to the largest. Else the folder that a PNG lies in is its class, in the order of their names.
//! - **Size.** All pictures of all parts have one, and as many channels: nothing is scaled, cut or made grey unasked.
//! - **Other files** in a folder, those that do not end in .png, are left alone.

use super::config::DataConfig;
use super::idx::{self, Idx};
use super::images::{Images, Shape};
use super::labels::class_of;
use super::png;
use crate::data::Part;
use crate::data::batches::shuffle;
use crate::data::files::{DataFile, DataFiles};
use crate::error::{Error, Kind, Result};
use crate::memory::available;
use crate::pages::numbers::{bytes as shown_bytes, counted, grouped};
use autograd::random::Streams;
use std::borrow::Cow;

/// Pictures in three parts; a part may be empty, the first is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageData {
    /// What is trained on.
    pub train: Images,
    /// What is scored during training.
    pub validation: Images,
    /// What is scored once, at the end.
    pub test: Images,
    /// The names of the classes; none where pictures have no classes. A label is a place in it.
    pub classes: Vec<String>,
    /// What was taken, and what a person should look at: a line each.
    pub notes: Vec<String>,
}

impl ImageData {
    /// Reads what is in the files.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the file, or both, if one cannot be read, two differ in size or channels, labels and pictures differ in
    /// count, some pictures have classes and others have none, or nothing is left to train on; [`Kind::Usage`] for shares that make no
    /// sense.
    pub fn of_files(data: &DataFiles, config: &DataConfig) -> Result<Self> {
        let parts = if data.have_parts() { &[Part::Train, Part::Validation, Part::Test][..] } else { &[Part::All] };
        let read = parts.iter().map(|&part| Pictures::read(data.of(part), part)).collect::<Result<Vec<_>>>()?;
        let shape = one_shape(&read, data)?;
        let classes = classes(&read)?;
        let mut images: Vec<Images> = read.into_iter().map(|pictures| pictures.images(shape, &classes)).collect();
        let mut notes = Vec::new();
        let most = images.iter().flat_map(Images::values).max();
        if most == Some(&1) {
            notes.push(format!("{}: all values are 0 and 1; 1 is taken as white, 255", data.path));
            images = images.into_iter().map(|images| images.map(|value| value * 255)).collect();
        }
        if let [all] = &images[..] {
            images = parted(all, config)?;
        }
        let [train, validation, test] = <[Images; 3]>::try_from(images).expect("three parts");
        if train.is_empty() {
            return Err(Error::new(Kind::BadInput, format!("{} leaves no picture to train on", data.path))
                .cause(format!("`data.train` of {} is less than one picture", config.train))
                .help("give more pictures, or a larger share to train"));
        }
        let found = ImageData { train, validation, test, classes, notes };
        let taken = format!("{}: {}", data.path, found.described());
        Ok(ImageData { notes: std::iter::once(taken).chain(found.notes).collect(), ..found })
    }

    /// The pictures of a part; of [`Part::All`] the training part, then the others.
    pub fn part(&self, part: Part) -> Cow<'_, Images> {
        match part {
            Part::Train => Cow::Borrowed(&self.train),
            Part::Validation => Cow::Borrowed(&self.validation),
            Part::Test => Cow::Borrowed(&self.test),
            Part::All => {
                let all = [&self.train, &self.validation, &self.test];
                let values = all.iter().flat_map(|images| images.values()).copied().collect();
                let images = Images::new(self.shape(), values);
                let files =
                    |part: &&Images| part.files().map_or_else(|| vec![String::new(); part.len()], <[String]>::to_vec);
                let images = match all.iter().any(|part| part.files().is_some()) {
                    true => images.with_files(all.iter().flat_map(files).collect()),
                    false => images,
                };
                let labels = all.iter().filter_map(|images| images.labels()).flatten().copied();
                Cow::Owned(if self.classes.is_empty() { images } else { images.with_labels(labels.collect()) })
            }
        }
    }

    /// The size of every picture.
    pub fn shape(&self) -> Shape {
        self.train.shape()
    }

    /// Counts, size and classes in words.
    pub fn described(&self) -> String {
        let [train, validation, test] = [&self.train, &self.validation, &self.test].map(|images| images.len() as u64);
        let classes = match self.classes.len() {
            0 => String::new(),
            count => format!(", {count} classes"),
        };
        let (validation, test, shape) = (grouped(validation), grouped(test), self.shape());
        format!(
            "{} of {shape}{classes} to train on, {validation} to validate, {test} to test",
            counted(train, "picture")
        )
    }
}

/// The pictures of one part as they come out of files.
struct Pictures<'d> {
    part: Part,
    /// File, size, values of one or more pictures.
    files: Vec<(&'d DataFile, Shape, Vec<u8>)>,
    labels: Option<Vec<u8>>,
    /// The file of the labels.
    labels_path: &'d str,
}

impl<'d> Pictures<'d> {
    fn read(data: impl Iterator<Item = &'d DataFile>, part: Part) -> Result<Self> {
        let (mut files, mut labels) = (Vec::new(), Vec::new());
        let (free, mut taken) = (available().unwrap_or(isize::MAX as u64), 0);
        for file in data {
            let (shape, values) = if idx::may_be(&file.bytes) {
                match idx::parse(&file.bytes, &file.path)? {
                    Idx::Images(images) => (images.shape(), images.into_values()),
                    Idx::Labels(found) => {
                        labels.push((file, found));
                        continue;
                    }
                }
            } else {
                png::parse(&file.bytes, &file.path)?
            };
            // Twice: they come together in one place before their own are given back.
            taken += 2 * values.len() as u64;
            if taken > free {
                let what = format!("the pictures up to {} need more memory than is free", file.path);
                let cause = format!("they take {}, and {} are free", shown_bytes(taken), shown_bytes(free));
                return Err(Error::new(Kind::BadInput, what).cause(cause).help("give a part of them"));
            }
            files.push((file, shape, values));
        }
        let labels_path = labels.first().map_or("", |(file, _)| file.path.as_str());
        let pictures = Pictures { part, files, labels: None, labels_path };
        let labels = pictures.matching(labels)?;
        Ok(Pictures { labels, ..pictures })
    }

    /// The labels of all pictures, where there are files of them and they fit.
    fn matching(&self, labels: Vec<(&DataFile, Vec<u8>)>) -> Result<Option<Vec<u8>>> {
        let Some((first, _)) = labels.first() else { return Ok(None) };
        if self.files.is_empty() {
            let whose =
                if self.part == Part::All { String::new() } else { format!(" of the {} part", self.part.name()) };
            return Err(Error::new(
                Kind::BadInput,
                format!("{} holds labels, and there are no pictures{whose}", first.path),
            )
            .help("name the file of the pictures; that of their labels is `data.labels`"));
        }
        let counts: Vec<(&str, usize)> = self
            .files
            .iter()
            .map(|(file, shape, values)| (file.path.as_str(), values.len() / shape.values()))
            .collect();
        let unequal = |labels: &str, found: usize, pictures: &str, count: usize| {
            Error::new(Kind::BadInput, format!("{labels} is not the labels of {pictures}"))
                .cause(format!("{} and {}", counted(found as u64, "label"), counted(count as u64, "picture")))
                .help("give the file of labels that belongs to the pictures")
        };
        if counts.len() == labels.len() {
            let pairs = labels.iter().zip(&counts).find(|((_, labels), (_, count))| labels.len() != *count);
            if let Some(((file, labels), (pictures, count))) = pairs {
                return Err(unequal(&file.path, labels.len(), pictures, *count));
            }
        }
        let (found, count) = (labels.iter().map(|(_, labels)| labels.len()).sum(), counts.iter().map(|(_, n)| n).sum());
        if found != count {
            let pictures = match &counts[..] {
                [(path, _)] => (*path).to_owned(),
                [(path, _), rest @ ..] => format!("{path} and {} more", counted(rest.len() as u64, "file")),
                [] => String::new(),
            };
            return Err(unequal(&first.path, found, &pictures, count));
        }
        Ok(Some(labels.into_iter().flat_map(|(_, labels)| labels).collect()))
    }

    /// The class of every picture by the folder of its file; none where a file lies in none.
    fn folders(&self) -> impl Iterator<Item = (&DataFile, Option<&str>)> {
        self.files.iter().map(|(file, ..)| (*file, class_of(&file.name)))
    }

    fn images(self, shape: Shape, classes: &[String]) -> Images {
        let labels: Option<Vec<u32>> = match &self.labels {
            _ if classes.is_empty() => None,
            Some(labels) => Some(labels.iter().map(|&label| label.into()).collect()),
            None => {
                let place =
                    |class: Option<&str>| classes.binary_search_by(|name| name.as_str().cmp(class.unwrap_or("")));
                let label = |(file, class): (&(&DataFile, Shape, Vec<u8>), Option<&str>)| {
                    std::iter::repeat_n(place(class).unwrap_or(0) as u32, file.2.len() / shape.values())
                };
                Some(self.files.iter().map(|file| (file, class_of(&file.0.name))).flat_map(label).collect())
            }
        };
        // One picture is a file of its own; many are those of an IDX file, and have a place in it instead.
        let named = |(file, _, values): &(&DataFile, Shape, Vec<u8>)| match values.len() == shape.values() {
            true => vec![file.path.clone()],
            false => vec![String::new(); values.len() / shape.values()],
        };
        let any = self.files.iter().any(|(file, ..)| !idx::may_be(&file.bytes));
        let files = any.then(|| self.files.iter().flat_map(named).collect());
        let mut values = Vec::with_capacity(self.files.iter().map(|(.., values)| values.len()).sum());
        self.files.into_iter().for_each(|(.., more)| values.extend(more));
        let images = Images::new(shape, values);
        let images = match files {
            Some(files) => images.with_files(files),
            None => images,
        };
        match labels {
            Some(labels) => images.with_labels(labels),
            None => images,
        }
    }
}

/// The size that all pictures have.
fn one_shape(read: &[Pictures], data: &DataFiles) -> Result<Shape> {
    let mut files = read.iter().flat_map(|pictures| &pictures.files);
    let Some((first, shape, _)) = files.next() else {
        return Err(Error::new(Kind::BadInput, format!("{} holds no pictures", data.path)).help("give some"));
    };
    match files.find(|(_, other, _)| other != shape) {
        None => Ok(*shape),
        Some((file, other, _)) => Err(Error::new(Kind::BadInput, "the pictures are not of one size and kind")
            .cause(format!("{} is {shape}, {} is {other}", first.path, file.path))
            .help("scale or cut them to one size, all grey or all RGB")),
    }
}

/// The names of the classes of all parts; empty where there are none.
fn classes(read: &[Pictures]) -> Result<Vec<String>> {
    let with_pictures = || read.iter().filter(|pictures| !pictures.files.is_empty());
    let mixed = |with: &str, without: &str| {
        Err(Error::new(Kind::BadInput, "some pictures have a class and others have none")
            .cause(format!("{with} has classes, {without} has none"))
            .help("give labels for every part: `data.labels`, `data.validation_labels`, `data.test_labels`; or a folder for every class"))
    };
    if let Some(labelled) = with_pictures().find(|pictures| pictures.labels.is_some()) {
        if let Some(without) = with_pictures().find(|pictures| pictures.labels.is_none()) {
            return mixed(labelled.labels_path, &without.files[0].0.path);
        }
        let largest = read.iter().filter_map(|pictures| pictures.labels.iter().flatten().max()).max();
        return Ok((0..=largest.copied().unwrap_or(0)).map(|class| class.to_string()).collect());
    }
    let folders = || read.iter().flat_map(Pictures::folders);
    let Some((with, _)) = folders().find(|(_, class)| class.is_some()) else { return Ok(Vec::new()) };
    if let Some((without, _)) = folders().find(|(_, class)| class.is_none()) {
        return mixed(&with.path, &without.path);
    }
    let mut names: Vec<String> = folders().filter_map(|(_, class)| class).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// All pictures in three parts of the shares that are set, drawn by chance, each in the order that they had.
fn parted(all: &Images, config: &DataConfig) -> Result<Vec<Images>> {
    let (train, validation) = config.ends(all.len())?;
    let mut places: Vec<usize> = (0..all.len()).collect();
    shuffle(&mut places, &mut Streams::new(0).stream("parts of the pictures"));
    let part = |places: &mut [usize]| {
        places.sort_unstable();
        all.chosen(places)
    };
    let (places, test) = places.split_at_mut(validation);
    let (train, validation) = places.split_at_mut(train);
    Ok([train, validation, test].map(part).into())
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
