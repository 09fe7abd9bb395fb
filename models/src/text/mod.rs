//! Text: vocabularies, streams of symbols, classical floors, and recurrent language models.
//!
//! This file is the map of the folder; it holds no code of its own.

pub mod decoder;
pub mod language_model;
