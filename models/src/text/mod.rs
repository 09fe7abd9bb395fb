//! Text: its symbols, its files, its windows, its floors, the networks over it, and what is done with them.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`vocabulary`], `bpe`, [`utf8`] | what a symbol is: characters, bytes, byte pairs |
//! | [`corpus`], [`windows`] | files as parts of symbols; the order in which they are read |
//! | [`markov`], [`floors`] | what counting alone achieves |
//! | [`draft`] | models that propose what a larger one judges |
//! | [`network`], [`objective`] | what a network over symbols brings, what it is trained for; everything below is written against it |
//! | [`config`], [`training`] | what can be set; the training |
//! | [`saved`] | a network and its vocabulary in a checkpoint |
//! | [`scheduled_sampling`] | own symbols among the inputs of a training |
//! | [`generation`], [`evaluation`], [`context`], [`drift`], [`properties`] | text drawn, likelihood, how far back it looks, exposure bias, checks |
//! | [`compression`], [`comparison`] | files as codes, ways of drawing side by side |
//! | [`gpt`] | the Transformer: in parallel, one symbol at a time, as a network of text |
//! | [`masked`] | the Transformer that fills gaps: its loss, its bound, windows in rounds |
//! | [`gpt2`] | GPTs out of GPT-2's published files |
//! | [`language_model`], [`decoder`], [`recurrent`] | the recurrent network: in parallel, one symbol at a time, as a network of text |

mod bpe;
pub mod comparison;
pub mod compression;
pub mod config;
pub mod context;
pub mod corpus;
pub mod decoder;
pub mod draft;
pub mod drift;
pub mod evaluation;
pub mod floors;
pub mod generation;
pub mod gpt;
pub mod gpt2;
pub mod language_model;
pub mod markov;
pub mod masked;
pub mod network;
pub mod objective;
pub mod properties;
pub mod recurrent;
pub mod saved;
pub mod scheduled_sampling;
pub mod training;
pub mod utf8;
pub mod vocabulary;
pub mod windows;
