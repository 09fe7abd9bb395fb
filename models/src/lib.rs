//! Autoregressive models of series, text, images and audio on the engine `autograd`: each its data, its model, its floors.
//!
//! This file is the map of the crate; it holds no code of its own.

mod affine;
pub mod audio;
pub mod autoregressive;
#[cfg(doctest)]
mod book;
pub mod check;
pub mod compression;
pub mod configuration;
pub mod data;
pub mod decoding;
pub mod distribution;
pub mod drift;
pub mod error;
pub mod evaluation;
mod gated;
pub mod image;
pub mod levels;
pub mod medium;
pub mod memory;
pub mod narrow;
pub mod pages;
pub mod refusals;
pub mod sampling;
pub mod series;
pub mod storage;
pub mod text;
pub mod training;
pub mod visible;
