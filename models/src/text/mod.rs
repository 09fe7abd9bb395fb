//! Text: its symbols, its files, its windows, its floors, its recurrent language models, and its way back onto a terminal.
//!
//! This file is the map of the folder; it holds no code of its own.

mod bpe;
pub mod corpus;
pub mod decoder;
pub mod floors;
pub mod language_model;
pub mod markov;
pub mod saved;
pub mod streams;
pub mod training;
pub mod utf8;
pub mod vocabulary;
