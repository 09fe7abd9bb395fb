//! Files of recordings as training, validation and test recordings of one rate, each with its labels and its frames where there are any.
//!
//! - **Parts.** Where files decide ([`crate::data::parts`]), each part is its files. Where labels do (`data.test_where`), each part is the
//!   recordings for which they hold; what is left is trained on, or parted by chance where nothing says what is validated on. Else all
//!   are parted by chance, by the stream `parts of the recordings` of seed 0: the same for every training. A single recording is cut in time.
//! - **Order.** That of the names of the files, byte by byte, in each part.
//! - **Rate.** All recordings of all parts have one; others are refused, or brought to `data.rate`.
//! - **Other files** in a folder, those that do not end in .wav, are left alone.

use super::condition::{Frames, parse_frames};
use super::config::AudioConfig;
use super::data_config::DataConfig;
use super::mel::Mel;
use super::model_config::{Labels, Local, ModelConfig};
use super::names::{Named, Pattern};
use super::parts::parted;
use super::wav::{self, Sound};
use crate::data::Part;
use crate::data::files::{DataFile, DataFiles};
use crate::error::{Error, Kind, Result};
use crate::pages::numbers::{counted, decimals, grouped};

/// One recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Its file.
    pub file: String,
    /// The samples.
    pub samples: Vec<i16>,
    /// What its name says of it.
    pub named: Named,
    /// The number of each label that the model is told.
    pub labels: Vec<u32>,
    /// What the model is told moment by moment.
    pub frames: Option<Frames>,
}

/// Recordings in three parts; a part may be empty, the first is not.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioData {
    /// Samples per second.
    pub rate: u32,
    /// What is trained on.
    pub train: Vec<Recording>,
    /// What is scored during training.
    pub validation: Vec<Recording>,
    /// What is scored once, at the end.
    pub test: Vec<Recording>,
    /// What the labels of `model.conditions` can be.
    pub labels: Vec<Labels>,
    /// What was taken, and what a person should look at: a line each.
    pub notes: Vec<String>,
}

impl AudioData {
    /// Reads what is in the files, for a model of this configuration: labels that it names already are numbered as there.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the file, or both, if one cannot be read, two differ in rate, a name has no labels where they are asked for, a
    /// label is one that the model never met, frames do not fit their recording, or nothing is left to train on; [`Kind::Usage`] for shares that
    /// make no sense.
    pub fn of_files(files: &DataFiles, config: &AudioConfig) -> Result<Self> {
        let AudioConfig { data, model, .. } = config;
        let pattern = data.check()?;
        let sounds = read_all(files, data, pattern.as_ref())?;
        let rate = one_rate(&sounds, files, data.rate)?;
        let mut notes = Vec::new();
        let mut recordings = Vec::with_capacity(sounds.len());
        let mut cut = 0;
        for Read { file, part, sound, named } in sounds {
            let sound = if data.rate == 0 { sound } else { sound.resampled(rate)? };
            let kept = if data.trim > 0.0 { sound.trimmed(data.trim) } else { 0..sound.samples.len() };
            cut += sound.samples.len() - kept.len();
            let samples = if kept.len() == sound.samples.len() { sound.samples } else { sound.samples[kept].to_vec() };
            recordings
                .push((part, Recording { file: file.path.clone(), samples, named, labels: Vec::new(), frames: None }));
        }
        if data.trim > 0.0 {
            let seconds = decimals(cut as f64 / f64::from(rate), 1);
            notes.push(format!("{}: {seconds} seconds of silence at both ends were cut off", files.path));
        }
        let labels = labels_of(&recordings, model)?;
        number(&mut recordings, &labels)?;
        let single = recordings.len() == 1 && !files.have_parts();
        if matches!(model.local, Local::Frames { .. }) {
            if single && data.train < 1.0 {
                return Err(Error::new(Kind::BadInput, format!("{} is one recording with frames", files.path))
                    .cause("it would be cut in time, and its frames do not say where")
                    .help("give a folder, or files of their own to validate and test on"));
            }
            recordings.iter_mut().try_for_each(|(_, recording)| add_frames(recording, files, data, model))?;
        }
        let mut parts = parted(recordings, data, pattern.as_ref(), files)?;
        if let Local::Mel(settings) = &model.local {
            let in_model = |error: Error| Error { what: format!("`model.local.mel`: {}", error.what), ..error };
            let mel = Mel::new(settings, rate).map_err(in_model)?;
            for recording in parts.iter_mut().flatten() {
                recording.frames = Some(Frames { bands: mel.bands(), values: mel.log_mel(&recording.samples) });
            }
        }
        let [train, validation, test] = parts;
        notes.extend(never_trained(&train, &labels));
        if train.iter().all(|recording| recording.samples.is_empty()) {
            return Err(Error::new(Kind::BadInput, format!("{} leaves nothing to train on", files.path))
                .cause("every recording serves as validation or test data, or the share to train is less than one")
                .help("give more recordings, or change `data.train` or what is tested on"));
        }
        let found = AudioData { rate, train, validation, test, labels, notes };
        let taken = format!("{}: {}", files.path, found.described());
        Ok(AudioData { notes: std::iter::once(taken).chain(found.notes).collect(), ..found })
    }

    /// The recordings of a part; of [`Part::All`] the training part, then the others.
    pub fn part(&self, part: Part) -> Vec<&Recording> {
        match part {
            Part::Train => self.train.iter().collect(),
            Part::Validation => self.validation.iter().collect(),
            Part::Test => self.test.iter().collect(),
            Part::All => self.train.iter().chain(&self.validation).chain(&self.test).collect(),
        }
    }

    /// Counts, lengths and rate in words.
    pub fn described(&self) -> String {
        let seconds = |part: &[Recording]| {
            let samples: usize = part.iter().map(|recording| recording.samples.len()).sum();
            decimals(samples as f64 / f64::from(self.rate), 1)
        };
        let [validation, test] = [&self.validation, &self.test].map(|part| (grouped(part.len() as u64), seconds(part)));
        format!(
            "{} ({} s) at {} Hz to train on, {} ({} s) to validate, {} ({} s) to test",
            counted(self.train.len() as u64, "recording"),
            seconds(&self.train),
            grouped(self.rate.into()),
            validation.0,
            validation.1,
            test.0,
            test.1
        )
    }
}

/// A recording as it comes out of its file.
struct Read<'d> {
    file: &'d DataFile,
    part: Option<Part>,
    sound: Sound,
    named: Named,
}

/// Reads every recording; files of frames lie beside them, in a folder of their own, and are passed over.
fn read_all<'d>(files: &'d DataFiles, config: &DataConfig, pattern: Option<&Pattern>) -> Result<Vec<Read<'d>>> {
    // Those of frames come after all recordings, one for each.
    let count = if config.frames_path.is_empty() { files.files.len() } else { files.files.len() / 2 };
    let read = |file: &'d DataFile| {
        let sound = wav::parse(&file.bytes, &file.path)?;
        let named = pattern.map(|pattern| pattern.read(&file.name)).transpose()?.unwrap_or_default();
        Ok(Read { file, part: file.part, sound, named })
    };
    files.files[..count].iter().map(read).collect()
}

/// The rate of all recordings; where they are brought to one, that.
fn one_rate(sounds: &[Read], files: &DataFiles, asked: u32) -> Result<u32> {
    let Some(first) = sounds.first() else {
        return Err(Error::new(Kind::BadInput, format!("{} holds no recordings", files.path)).help("give some"));
    };
    if asked != 0 {
        return Ok(asked);
    }
    match sounds.iter().find(|other| other.sound.rate != first.sound.rate) {
        None => Ok(first.sound.rate),
        Some(other) => Err(Error::new(Kind::BadInput, "the recordings are not of one rate")
            .cause(format!(
                "{} has {} samples per second, {} has {}",
                first.file.path, first.sound.rate, other.file.path, other.sound.rate
            ))
            .help("choose files of one rate, or bring all to one: --rate")),
    }
}

/// What each label that the model is told can be: those that it knows, or all that there are, numbers by size and words by letters.
fn labels_of(recordings: &[(Option<Part>, Recording)], model: &ModelConfig) -> Result<Vec<Labels>> {
    if !model.labels.is_empty() {
        return Ok(model.labels.clone());
    }
    let of_one = |name: &String| {
        let values = recordings.iter().filter_map(|(_, recording)| recording.named.get(name));
        let mut values: Vec<String> = values.cloned().collect();
        let number = |value: &String| value.parse::<u64>().ok();
        values.sort_by(|a, b| match (number(a), number(b)) {
            (Some(x), Some(y)) => x.cmp(&y).then(a.cmp(b)),
            (x, y) => y.is_some().cmp(&x.is_some()).then(a.cmp(b)),
        });
        values.dedup();
        Labels { name: name.clone(), values }
    };
    Ok(model.conditions.iter().map(of_one).collect())
}

/// Gives every recording the numbers of its labels.
fn number(recordings: &mut [(Option<Part>, Recording)], labels: &[Labels]) -> Result<()> {
    for (_, recording) in recordings {
        let of_one = |labels: &Labels| {
            let value = recording.named.get(&labels.name).ok_or_else(|| {
                Error::new(Kind::BadInput, format!("nothing says the {} of {}", labels.name, recording.file))
                    .cause("the model is told it of every recording")
                    .help("say where in the names of files it stands: `data.pattern`, as {digit}_{speaker}_{index}.wav")
            })?;
            number_of(labels, value).ok_or_else(|| {
                Error::new(Kind::BadInput, format!("{}: the model knows no {} {value:?}", recording.file, labels.name))
                    .cause(format!("it knows {}", labels.values.join(", ")))
            })
        };
        recording.labels = labels.iter().map(of_one).collect::<Result<_>>()?;
    }
    Ok(())
}

/// What is said of labels that no recording has that is trained on: what the model is told of them stays chance.
fn never_trained(train: &[Recording], labels: &[Labels]) -> Vec<String> {
    let of_kind = |(kind, labels): (usize, &Labels)| {
        let met = |number: usize| train.iter().any(|recording| recording.labels[kind] as usize == number);
        let missing =
            labels.values.iter().enumerate().filter(|(number, _)| !met(*number)).map(|(_, value)| value.as_str());
        let missing: Vec<&str> = missing.collect();
        let name = &labels.name;
        (!missing.is_empty()).then(|| {
            format!(
                "no recording that is trained on has the {name} {}: what the model is told of it stays chance",
                missing.join(", ")
            )
        })
    };
    labels.iter().enumerate().filter_map(of_kind).collect()
}

/// The number of a label.
pub fn number_of(labels: &Labels, value: &str) -> Option<u32> {
    labels.values.iter().position(|known| known == value).map(|place| place as u32)
}

/// Reads the frames of a recording.
fn add_frames(recording: &mut Recording, files: &DataFiles, data: &DataConfig, model: &ModelConfig) -> Result<()> {
    let own = files.files.iter().find(|file| file.path == recording.file);
    let path = own.map(|file| data.frames_of(&file.name).display().to_string());
    let found = files.files.iter().find(|file| Some(&file.path) == path.as_ref());
    let Some(file) = found else {
        return Err(Error::new(Kind::BadInput, format!("{} has no frames", recording.file))
            .cause("the model is told frames of every recording")
            .help("give the folder of frames: `data.frames_path`"));
    };
    let frames = parse_frames(&file.bytes, &file.path)?;
    fits(&frames, &file.path, recording.samples.len(), model)?;
    recording.frames = Some(frames);
    Ok(())
}

/// Refuses frames that are not those of a sound of so many samples.
///
/// # Errors
/// [`Kind::BadInput`] naming the file and both numbers.
pub fn fits(frames: &Frames, path: &str, samples: usize, model: &ModelConfig) -> Result<()> {
    let (bands, hop) = (model.local.bands(), model.local.hop());
    if bands != 0 && frames.bands != bands {
        return Err(Error::new(Kind::BadInput, format!("{path} has {}", counted(frames.bands as u64, "feature")))
            .cause(format!("the model is told {bands} of every frame")));
    }
    let lengths = frames.lengths(hop);
    if !lengths.contains(&samples) {
        let count = frames.count() as u64;
        return Err(Error::new(Kind::BadInput, format!("{path} has {}", counted(count, "frame")))
            .cause(format!(
                "{hop} samples apart they are of a sound of {} to {} samples, and it has {}",
                grouped(*lengths.start() as u64),
                grouped(*lengths.end() as u64),
                grouped(samples as u64)
            ))
            .help("a sound of n samples has 1 + n / hop frames, the first at its first sample"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
