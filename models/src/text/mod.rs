//! Text: its symbols, its files, its windows, its floors, the networks over it, and what is done with them.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`vocabulary`], `bpe`, [`utf8`] | what a symbol is: characters, bytes, byte pairs |
//! | [`corpus`], [`windows`] | files as parts of symbols; the order in which they are read |
//! | [`markov`], [`floors`] | what counting alone achieves |
//! | [`network`] | what a network over symbols brings; everything below is written against it |
//! | [`config`], [`training`] | what can be set; the training |
//! | [`saved`] | a network and its vocabulary in a checkpoint |
//! | [`scheduled_sampling`] | own symbols among the inputs of a training |
//! | [`generation`], [`evaluation`], [`drift`], [`properties`], [`compression`] | text drawn, likelihood, exposure bias, checks, files as codes |
//! | [`gpt`] | the Transformer: in parallel, one symbol at a time, as a network of text |
//! | [`language_model`], [`decoder`], [`recurrent`] | the recurrent network: in parallel, one symbol at a time, as a network of text |

mod bpe;
pub mod compression;
pub mod config;
pub mod corpus;
pub mod decoder;
pub mod drift;
pub mod evaluation;
pub mod floors;
pub mod generation;
pub mod gpt;
pub mod language_model;
pub mod markov;
pub mod network;
pub mod properties;
pub mod recurrent;
pub mod saved;
pub mod scheduled_sampling;
pub mod training;
pub mod utf8;
pub mod vocabulary;
pub mod windows;
