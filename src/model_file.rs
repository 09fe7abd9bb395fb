//! The model that a path on the command line means: a run folder's best checkpoint, or a file. Loads, and says why it cannot.

use models::error::{Error, Kind, Result};
use models::series::config::DataConfig;
use models::series::saved::SavedSeries;
use models::series::training::{SeriesData, read};
use models::storage::checkpoint::Checkpoint;
use models::storage::run_files::{Which, resolve};
use models::text::corpus::Split;
use models::text::language_model::Config;
use models::text::saved::TextModel;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What `RUN|CHECKPOINT` means, for the help of every subcommand that takes one.
pub const PATH_HELP: &str = "A run folder (its best checkpoint; RUN/latest means the newest) or a checkpoint file";

/// A model and where it came from.
pub struct ModelFile {
    /// The checkpoint file.
    pub path: PathBuf,
    /// The checkpoint without its tensors.
    pub checkpoint: Checkpoint,
    /// The model.
    pub model: Model,
}

/// A model of any family.
pub enum Model {
    /// Of text, with its vocabulary.
    Text(Box<TextModel>),
    /// Of a series.
    Series(SavedSeries),
}

impl ModelFile {
    /// Loads the model that `path` means.
    ///
    /// # Errors
    /// [`Kind::BadInput`] with path and cause, whatever is wrong with it.
    pub fn open(path: &Path) -> Result<Self> {
        let path = resolve(path, Which::Best)?;
        let mut checkpoint = Checkpoint::load(&path)?;
        if TextModel::is_kind(checkpoint.model()?) {
            let Config { symbols, embedding, hidden, layers, .. } = checkpoint.config_as()?;
            if [symbols, embedding, hidden, layers].contains(&0) {
                let what = format!("{}: the metadata `autoreg.config` is not usable", path.display());
                let cause = format!(
                    "symbols {symbols}, embedding {embedding}, hidden {hidden}, layers {layers}: none may be 0"
                );
                return Err(Error::new(Kind::BadInput, what).cause(cause));
            }
        }
        let model = match checkpoint.model()? {
            kind if SavedSeries::is_kind(kind) => Model::Series(SavedSeries::from_checkpoint(&checkpoint)?),
            _ => Model::Text(Box::new(TextModel::from_checkpoint(&checkpoint)?)),
        };
        checkpoint.tensors = Vec::new();
        Ok(ModelFile { path, checkpoint, model })
    }

    /// The kind of model: `gru`.
    pub fn kind(&self) -> &str {
        self.checkpoint.model().unwrap_or_default()
    }

    /// The step of the checkpoint, where it is one of a run.
    pub fn step(&self) -> Option<u64> {
        self.checkpoint.progress.as_ref().map(|progress| progress.step)
    }

    /// How the run read its series (`[data]` of its configuration); the defaults where the file does not say.
    pub fn series_data(&self) -> DataConfig {
        let settings = self.checkpoint.progress.as_ref().map(|progress| &progress.settings);
        let data = settings.and_then(|settings| settings.pointer("/config/data"));
        data.and_then(|data| DataConfig::deserialize(data).ok()).unwrap_or_default()
    }

    /// The series that the model goes on from: the run's own, or this file, this column.
    ///
    /// # Errors
    /// [`Kind::Usage`] if neither the run nor the caller names a file, else what is wrong with the file.
    pub fn series(&self, data: Option<&Path>, column: Option<&str>) -> Result<SeriesData> {
        let mut config = self.series_data();
        if let Some(data) = data {
            config.path = data.display().to_string();
        }
        if config.path.is_empty() {
            return Err(Error::new(Kind::Usage, format!("{} does not say of which series", self.path.display()))
                .help("name the CSV file with --data"));
        }
        if let Some(column) = column {
            config.column = column.to_owned();
        }
        SeriesData::parse(&read(Path::new(&config.path))?, &config)
    }

    /// How the run split its text (`[data]` of its configuration); the default where the file does not say.
    pub fn split(&self) -> Split {
        let settings = self.checkpoint.progress.as_ref().map(|progress| &progress.settings);
        let share = |pointer: &str| settings.and_then(|settings| settings.pointer(pointer)?.as_f64());
        match (share("/config/data/train"), share("/config/data/validation")) {
            (Some(train), Some(validation)) => Split { train, validation },
            _ => Split::default(),
        }
    }
}
