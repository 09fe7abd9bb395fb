//! A series as data: one column of a CSV file, and its parts by position.

use super::column::Column;
use super::config::DataConfig;
use super::floors::spaced_floors;
use super::split::Split;
use crate::data::Part;
use crate::data::files::{DataFiles, Wanted};
use crate::data::parts::Rules;
use crate::error::{Error, Kind, Result};
use crate::evaluation::Floor;
use crate::pages::numbers::{counted, grouped};
use std::ops::Range;
use std::path::Path;

/// A series and its parts.
#[derive(Clone, Debug)]
pub struct SeriesData {
    /// The name of its column.
    pub name: String,
    /// Its values.
    pub values: Vec<f64>,
    /// Its parts.
    pub split: Split,
    /// What was taken of the file, and what a person should look at: a line each.
    pub notes: Vec<String>,
}

impl SeriesData {
    /// Reads the bytes of a CSV file as the configuration says.
    ///
    /// # Errors
    /// As [`Column::parse`]; or if nothing is left to train on.
    pub fn parse(bytes: &[u8], config: &DataConfig) -> Result<Self> {
        let wanted = Some(config.column.as_str()).filter(|column| !column.is_empty());
        let Column { name, mut values, notes } = Column::parse(bytes, &config.path, wanted, config.header)?;
        if config.skip >= values.len() {
            let what = format!("{}: `data.skip` of {} leaves nothing", config.path, config.skip);
            let cause = format!("the column has {}", counted(values.len() as u64, "value"));
            return Err(Error::new(Kind::BadInput, what).cause(cause));
        }
        values.drain(..config.skip);
        let split = config.split(values.len())?;
        Ok(SeriesData { name, values, split, notes })
    }

    /// The column in the one file of `data`.
    ///
    /// # Errors
    /// As [`SeriesData::parse`]; also if there are several files.
    pub fn of_files(data: &DataFiles, config: &DataConfig) -> Result<Self> {
        match &data.files[..] {
            [file] => Self::parse(&file.bytes, config),
            files => Err(Error::new(Kind::BadInput, format!("{} holds {} files", data.path, files.len()))
                .cause("a series is one column of one file")
                .help("name the file with --data")),
        }
    }

    /// Name and parts in words.
    pub fn described(&self) -> String {
        let [train, validation, test] =
            [Part::Train, Part::Validation, Part::Test].map(|part| self.range(part).len() as u64);
        let train = counted(train, "value");
        format!("{:?}: {train} to train on, {} to validate, {} to test", self.name, grouped(validation), grouped(test))
    }

    /// The floors of the validation part, for a model whose lags lie `stride` apart; none where there is nothing to score.
    pub fn floors(&self, stride: usize) -> Vec<Floor> {
        let measured = spaced_floors(&self.values, self.split.train.len(), self.split.validation.clone(), stride);
        let floors = measured.unwrap_or_default().into_iter();
        floors.map(|floor| Floor { name: floor.name.to_owned(), nats: floor.nats }).collect()
    }

    /// The positions of a part.
    pub fn range(&self, part: Part) -> Range<usize> {
        match part {
            Part::All => 0..self.values.len(),
            Part::Train => self.split.train.clone(),
            Part::Validation => self.split.validation.clone(),
            Part::Test => self.split.test.clone(),
        }
    }

    /// The values of the training part.
    pub fn train(&self) -> &[f64] {
        &self.values[self.split.train.clone()]
    }
}

impl DataConfig {
    /// Reads the file.
    ///
    /// # Errors
    /// Those of [`DataFiles::read`].
    pub fn read(&self) -> Result<DataFiles> {
        let wanted = Wanted { what: "series", endings: &["csv"], rules: Rules::default() };
        DataFiles::read(Path::new(&self.path), &wanted)
    }
}

/// A name as a cell of a CSV file.
pub fn quoted(name: &str) -> String {
    let plain = !name.contains([',', '"', '\n', '\r']);
    if plain { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
