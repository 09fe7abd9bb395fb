//! Images: their files, their levels, the order in which they are read, what counting alone achieves on them, and models of them.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`images`], [`quantized`] | pictures as bytes, and as the levels that a model reads |
//! | [`idx`], [`png`] | the two formats of files |
//! | [`config`], [`data`], `labels` | what can be set; files as parts of pictures, with their classes |
//! | [`batches`], [`augment`], [`draws`] | the order of an epoch, flips and shifts, chance that needs no state |
//! | [`floors`] | what counting alone achieves |
//! | [`network`] | the networks as one |
//! | [`receptive_field`] | what a sub-pixel can see, exactly |
//! | [`pixel_cnn`], [`gated_pixel_cnn`] | each as its paper's section has it |

pub mod augment;
pub mod batches;
pub mod config;
pub mod data;
pub mod draws;
pub mod floors;
pub mod gated_pixel_cnn;
pub mod idx;
pub mod images;
mod labels;
pub mod network;
pub mod pixel_cnn;
pub mod png;
pub mod quantized;
pub mod receptive_field;
