//! Training: the loop, and what a user can set of it. It knows no family of models; what a family brings is the trait
//! [`trainer::Task`].
//!
//! This file is the map of the folder; it holds no code of its own. Where a training is kept is in [`crate::storage`], what is
//! drawn of it in [`crate::pages`].

pub mod settings;
pub mod trainer;
