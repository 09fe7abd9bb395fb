//! Training: what a family brings, the loop that runs it, and what a user can set of it. It knows no family of models.
//!
//! This file is the map of the folder; it holds no code of its own. Where a training is kept is in [`crate::storage`], what is
//! drawn of it in [`crate::pages`].
//!
//! | file | holds |
//! | --- | --- |
//! | [`task`] | the trait that a family implements |
//! | [`begin`] | a training begun anew, or gone on with |
//! | [`trainer`] | the loop |
//! | [`settings`] | what a user can set of it |

pub mod begin;
pub mod settings;
pub mod task;
pub mod trainer;
