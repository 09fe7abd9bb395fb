//! What a family of models brings to training: from its configuration and its data to a model that learns, step by step.
//!
//! The loop that runs it is [`super::trainer`]; [`super::begin`] puts the two together. Written once against this trait: `train`,
//! `resume`, the tour, checkpoints, run folders, pages.

use super::settings::Settings;
use crate::data::files::DataFiles;
use crate::error::Result;
use crate::evaluation::Floor;
use crate::medium::Medium;
use crate::memory::Needs;
use crate::storage::checkpoint::Checkpoint;
use autograd::Tensor;
use autograd::nn::Module;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A training of one family: its data, where the reading of them stands, and all else that is neither model nor optimizer.
pub trait Task: Sized {
    /// All that a user can set: the tables `[model]`, `[data]` and `[training]` of `config.toml`.
    type Config: Clone + Default + Serialize + DeserializeOwned;

    /// The model that is trained.
    type Model: Module<f32>;

    /// The part of the configuration that the loop reads.
    fn settings(config: &Self::Config) -> &Settings;

    /// Checks every number of a configuration by itself, before anything is read or made.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) naming the key and what it may be.
    fn check(config: &Self::Config) -> Result<()>;

    /// The least memory that a training with this configuration holds at once: parameters, and what one step keeps. What only
    /// the data decide (the number of symbols) counts as little as it can be; [`Task::new`] looks again when it knows.
    fn needs(config: &Self::Config) -> Needs;

    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// [`Kind::BadInput`](crate::error::Kind::BadInput) with path and cause.
    fn read(config: &Self::Config) -> Result<DataFiles>;

    /// A new training, and the model it begins with. What the data decide (the number of symbols) is filled in.
    ///
    /// # Errors
    /// [`Kind::BadInput`](crate::error::Kind::BadInput) if the data do not serve, [`Kind::Usage`](crate::error::Kind::Usage) if
    /// the configuration does not.
    fn new(config: Self::Config, data: &DataFiles) -> Result<(Self, Self::Model)>;

    /// The training that a checkpoint was saved from, on the same data, and its model with the weights that training goes on from.
    /// Where the reading stands is [`Task::restore`]'s.
    ///
    /// # Errors
    /// As [`Task::new`]; also if the checkpoint holds another model.
    fn of_checkpoint(config: Self::Config, data: &DataFiles, checkpoint: &Checkpoint) -> Result<(Self, Self::Model)>;

    /// The resolved configuration.
    fn config(&self) -> &Self::Config;

    /// What is said about the training.
    fn about(&self) -> About;

    /// What a person should know of how the data were taken, a line each: which column, a mark that was dropped.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What simple rivals reach on the validation data, crudest first; none where there is nothing to score.
    fn floors(&self) -> Vec<Floor>;

    /// The loss of the next batch, in nats per symbol, recorded for the backward pass.
    fn loss(&mut self, model: &Self::Model) -> Tensor<f32>;

    /// Symbols in a batch.
    fn symbols_per_step(&self) -> u64;

    /// Nats per symbol of the validation data; none where there is none.
    fn validate(&self, model: &Self::Model) -> Option<f64>;

    /// Something the model makes after so many steps: what it is, and the content of its file.
    fn sample(&self, model: &Self::Model, step: u64) -> Option<(Medium, Vec<u8>)>;

    /// The model, and all that [`Task::restore`] needs to go on as if never stopped: where the reading of the data stands,
    /// random streams, carried state.
    ///
    /// # Errors
    /// If something has no stored form.
    fn checkpoint(&self, model: &Self::Model) -> Result<Checkpoint>;

    /// Goes on from a checkpoint, except for the model's parameters.
    ///
    /// # Errors
    /// [`Kind::BadInput`](crate::error::Kind::BadInput) if the checkpoint lacks something or holds something else.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()>;
}

/// What a family says about one of its trainings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Model and data: `GRU on input.txt`.
    pub title: String,
    /// Sizes of model and data in one line.
    pub sizes: String,
    /// What one symbol is, in the singular: `character`.
    pub unit: String,
    /// Where a run goes that was given no folder: a word for the model, `gru`.
    pub model: String,
}
