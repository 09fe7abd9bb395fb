//! Training and what surrounds it: the loop, checkpoints, run folders, configuration, metrics, pictures, the page of a run.
//!
//! Nothing here knows a model, and only the loop knows the engine: a stored tensor is a name, a data type, a shape and
//! bytes. This file is the map of the folder; it holds no code of its own.
//!
//! | file | holds |
//! | --- | --- |
//! | [`trainer`] | the loop |
//! | [`settings`] | what a user can set of it |
//! | [`atomic`] | replacing a file so that a crash leaves the old one or the new one |
//! | [`safetensors_header`] | reading the header of a safetensors file without trusting it |
//! | [`safetensors_file`] | tensors in and out of a safetensors file |
//! | [`checkpoint`] | what a checkpoint holds, under which names |
//! | [`parameters`] | a model's parameters out of a checkpoint |
//! | [`expected`] | the names and shapes a model wants against those a file has |
//! | [`run_folder`] | writing the folder of one training run |
//! | [`run_files`] | reading that folder: which checkpoint a path means |
//! | [`run_lock`] | two trainings never write one folder |
//! | [`metrics`] | what is recorded of a logged step |
//! | [`config`] | defaults < file < environment < flags |
//! | `canvas` | the paper a plot is drawn on |
//! | [`plot`] | lines and bands as SVG |
//! | [`loss_picture`] | the loss curve of a run |
//! | [`page`] | a self-contained HTML page |
//! | [`run_page`] | the page of a run |

pub mod atomic;
mod canvas;
pub mod checkpoint;
pub mod config;
pub mod expected;
pub mod loss_picture;
pub mod metrics;
pub mod page;
pub mod parameters;
pub mod plot;
pub mod run_files;
pub mod run_folder;
pub mod run_lock;
pub mod run_page;
pub mod safetensors_file;
pub mod safetensors_header;
pub mod settings;
pub mod trainer;

#[cfg(test)]
mod broken_files;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod faulty_disk;
