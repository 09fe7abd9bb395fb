//! Audio: sounds as codes, and WaveNet on them.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`mu_law`] | 16-bit samples as 256 codes |
//! | [`wavenet`] | the network, as its paper's sections have it |
//! | [`decoder`] | the same network a sample at a time |
//! | [`wav`] | a sound, out of a file and into one |
//! | `riff` | what a WAV says of itself, compared with what there is |
//! | `resample`, `trim` | a sound at another rate, and without the silence around it |
//! | [`spectrum`] | how loud each frequency is around each of many times |
//! | [`mel`] | the same as a few bands: log-mel frames |
//! | [`distance`] | how far two sounds are apart to an ear |
//! | [`condition`] | frames of features out of a file, and at samples |
//! | [`picture`] | a sound to look at |

pub mod condition;
pub mod decoder;
pub mod distance;
#[cfg(test)]
mod librosa;
pub mod mel;
pub mod mu_law;
pub mod picture;
mod resample;
mod riff;
pub mod spectrum;
mod trim;
pub mod wav;
pub mod wavenet;
