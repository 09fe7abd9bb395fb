//! Audio: sounds as codes, and WaveNet on them.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`mu_law`] | 16-bit samples as 256 codes |
//! | [`wavenet`] | the network, as its paper's sections have it |
//! | [`decoder`] | the same network a sample at a time |

pub mod decoder;
pub mod mu_law;
pub mod wavenet;
