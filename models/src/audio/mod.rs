//! Audio: recordings, sounds as codes, what they are conditioned on, and WaveNet on them.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`wav`], `riff`, [`resample`], [`trim`] | WAV files as sounds of one channel; another rate; without the silence at both ends |
//! | [`mu_law`] | 16-bit samples as 256 codes |
//! | [`spectrum`], [`mel`], [`distance`] | the short-time spectrum, its log-mel frames, how far apart two sounds are |
//! | [`condition`] | frames of features, and what each sample is told of them |
//! | [`names`] | labels by the names of files, and which recordings are tested on |
//! | [`config`], [`model_config`], [`data_config`] | what can be set |
//! | [`data`], `parts` | files as recordings, with their labels and frames; which of them serve what |
//! | [`pieces`] | recordings as training reads them |
//! | [`floors`] | what counting alone achieves |
//! | [`wavenet`], [`shapes`] | the network, as its paper's sections have it; its parameters without the network |
//! | [`decoder`] | the same network a sample at a time |
//! | [`model`], [`given`] | a network and its sounds; the same through the trait of all models |
//! | [`training`], [`saved`] | learning from pieces; to and from a checkpoint |
//! | [`evaluation`], [`drift`], [`generation`], [`together`], `properties`, [`compression`] | scoring, exposure bias, drawing one sound and several, checking, files as codes |
//! | [`picture`], [`receptive_field`] | waveform and spectrogram; how far back a sample hears |
//! | [`tones`] | sounds made by a rule, whose pitch is known |

pub mod compression;
pub mod condition;
pub mod config;
pub mod data;
pub mod data_config;
pub mod decoder;
pub mod distance;
pub mod drift;
pub mod evaluation;
pub mod floors;
pub mod generation;
pub mod given;
pub mod mel;
pub mod model;
pub mod model_config;
pub mod mu_law;
pub mod names;
mod parts;
pub mod picture;
pub mod pieces;
mod properties;
pub mod receptive_field;
pub mod resample;
mod riff;
pub mod saved;
pub mod shapes;
pub mod spectrum;
pub mod together;
pub mod tones;
pub mod training;
pub mod trim;
pub mod wav;
pub mod wavenet;

#[cfg(test)]
mod librosa;
