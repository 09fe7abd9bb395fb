//! Images: their files, their levels, the order in which they are read, what counting alone achieves on them, and the models of them.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`images`], [`quantized`] | pictures as bytes, and as the levels that a model reads |
//! | [`idx`], [`png`] | the two formats of files |
//! | [`config`], [`data`], `labels` | what can be set; files as parts of pictures, with their classes |
//! | [`augment`], [`draws`] | flips and shifts, chance that needs no state |
//! | [`floors`] | what counting alone achieves |
//! | [`glyphs`] | pictures drawn by a rule, whose entropy is known |
//! | [`pixel_cnn`], [`gated_pixel_cnn`], [`row_lstm`], [`diagonal_lstm`] | the networks, each as its paper's section has it |
//! | [`network`], [`shapes`] | what is true of all of them; their parameters without the network |
//! | [`receptive_field`] | what a sub-pixel can see, exactly, and a picture of it |
//! | [`model`] | a network and its images |
//! | [`plain`] | a model through the trait, the whole network for every sub-pixel |
//! | [`decoder`] | the same model prepared for drawing: an image costs one pass over the network in all |
//! | [`training`], [`saved`] | learning from batches; to and from a checkpoint |
//! | [`evaluation`], [`drift`], [`generation`], `properties`, [`compression`] | scoring, exposure bias, drawing, checking, files as codes |
//! | [`frames`] | a folder of pictures that are being drawn |

pub mod augment;
pub mod comparison;
pub mod compression;
pub mod config;
pub mod data;
pub mod decoder;
pub mod diagonal_lstm;
pub mod draws;
pub mod drift;
pub mod evaluation;
pub mod floors;
pub mod frames;
pub mod gated_pixel_cnn;
pub mod generation;
pub mod glyphs;
pub mod idx;
pub mod images;
mod labels;
pub mod model;
pub mod network;
pub mod pixel_cnn;
pub mod plain;
pub mod png;
mod properties;
pub mod quantized;
pub mod receptive_field;
pub mod row_lstm;
pub mod saved;
pub mod shapes;
pub mod training;

#[cfg(test)]
mod mutants;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
mod parallel;
