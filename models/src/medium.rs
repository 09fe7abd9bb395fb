//! What a model makes: text, numbers, a picture, sound. By it a sample's file has its ending and is shown on a page.

use crate::error::Result;
use std::ops::ControlFlow;

/// Where what a model makes goes, piece by piece, while it is made; `Break` says that nobody reads any more.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<ControlFlow<()>>;

/// A kind of thing that a model makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Text, shown as it is.
    Text,
    /// A CSV file of one column, shown as a line.
    Numbers,
    /// A PNG, shown pixel by pixel.
    Picture,
    /// A WAV, shown as a player under a picture of it.
    Sound,
}

impl Medium {
    /// All of them.
    pub const ALL: [Medium; 4] = [Medium::Text, Medium::Numbers, Medium::Picture, Medium::Sound];

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Medium::Text => "txt",
            Medium::Numbers => "csv",
            Medium::Picture => "png",
            Medium::Sound => "wav",
        }
    }

    /// The medium of files with this ending.
    pub fn of_ending(ending: &str) -> Option<Medium> {
        Medium::ALL.into_iter().find(|medium| medium.ending() == ending)
    }
}

/// Something that a model made in training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// After so many steps.
    pub step: u64,
    /// What it is.
    pub medium: Medium,
    /// The content of its file.
    pub bytes: Vec<u8>,
    /// A PNG of it, of what cannot be looked at itself: of sound.
    pub picture: Option<Vec<u8>>,
}
