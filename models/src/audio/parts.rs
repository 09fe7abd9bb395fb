//! Which recordings are trained on, validated on and tested on: by their files, by their labels, by chance, or, of a single one, by time.

use super::data::Recording;
use super::data_config::DataConfig;
use super::names::Pattern;
use crate::data::Part;
use crate::data::batches::shuffle;
use crate::data::files::DataFiles;
use crate::error::{Error, Kind, Result};
use autograd::random::Streams;

/// The recordings of the three parts.
pub(super) fn parted(
    recordings: Vec<(Option<Part>, Recording)>,
    data: &DataConfig,
    pattern: Option<&Pattern>,
    files: &DataFiles,
) -> Result<[Vec<Recording>; 3]> {
    if files.have_parts() {
        let mut parts = <[Vec<Recording>; 3]>::default();
        for (part, recording) in recordings {
            let place = match part {
                Some(Part::Validation) => 1,
                Some(Part::Test) => 2,
                _ => 0,
            };
            parts[place].push(recording);
        }
        return Ok(parts);
    }
    let recordings: Vec<Recording> = recordings.into_iter().map(|(_, recording)| recording).collect();
    let conditions = data.conditions(pattern)?;
    if conditions.iter().all(Option::is_none) {
        return match <[Recording; 1]>::try_from(recordings) {
            Ok([single]) => cut_in_time(single, data),
            Err(all) => by_chance(all, data),
        };
    }
    let (mut rest, mut parts) = (recordings, [Vec::new(), Vec::new()]);
    // What is tested on first: a recording that both conditions mean is one of the test part.
    for (place, part, key) in [(1, Part::Test, "test_where"), (0, Part::Validation, "validation_where")] {
        let Some(condition) = &conditions[place] else { continue };
        let mut others = Vec::with_capacity(rest.len());
        for recording in rest {
            if condition.holds(&recording.named)? { &mut parts[place] } else { &mut others }.push(recording);
        }
        rest = others;
        if parts[place].is_empty() {
            let what = format!("no recording of {} is for the {} part", files.path, part.name());
            return Err(Error::new(Kind::BadInput, what).help(format!("change `data.{key}`, or leave it empty")));
        }
    }
    let [validation, test] = parts;
    if conditions[0].is_some() {
        return Ok([rest, validation, test]);
    }
    let [train, validation, more] = by_chance(rest, &DataConfig { train: 1.0 - data.validation, ..data.clone() })?;
    debug_assert!(more.is_empty());
    Ok([train, validation, test])
}

/// All recordings in three parts of the shares that are set, drawn by chance, each in the order that they had.
fn by_chance(all: Vec<Recording>, data: &DataConfig) -> Result<[Vec<Recording>; 3]> {
    let (train, validation) = data.ends(all.len())?;
    let mut places: Vec<usize> = (0..all.len()).collect();
    shuffle(&mut places, &mut Streams::new(0).stream("parts of the recordings"));
    let mut part = vec![0; all.len()];
    places[train..validation].iter().for_each(|&place| part[place] = 1);
    places[validation..].iter().for_each(|&place| part[place] = 2);
    let mut parts = <[Vec<Recording>; 3]>::default();
    all.into_iter().zip(part).for_each(|(recording, part)| parts[part].push(recording));
    Ok(parts)
}

/// A single recording, cut in time.
fn cut_in_time(single: Recording, data: &DataConfig) -> Result<[Vec<Recording>; 3]> {
    let (train, validation) = data.ends(single.samples.len())?;
    let all = 0..single.samples.len();
    let part = |from: usize, to: usize| match from == to {
        true => Vec::new(),
        false if (from..to) == all => vec![single.clone()],
        false => vec![Recording { samples: single.samples[from..to].to_vec(), ..single.clone() }],
    };
    Ok([part(0, train), part(train, validation), part(validation, all.end)])
}
