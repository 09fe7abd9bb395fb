//! Levels of pictures and of sounds: the distribution of a number from 0 to V − 1 by the numbers of a network.
//!
//! This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`head`] | what a network's numbers mean, as a user names it; the loss of many levels at once |
//! | [`logistics`] | the mixture of discretized logistics |

pub mod head;
pub mod logistics;
