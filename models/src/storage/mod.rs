//! What is on disk: safetensors files, checkpoints, run folders, and how each is replaced without loss. Nothing else writes there.
//!
//! Nothing here knows a model or the engine: a stored tensor is a name, a data type, a shape and bytes. This file is the map
//! of the folder; it holds no code of its own. `docs/file-formats.md` describes the formats for a reader with another program.
//!
//! | file | holds |
//! | --- | --- |
//! | [`atomic`] | replacing a file so that a crash leaves the old one or the new one |
//! | [`safetensors_header`] | reading the header of a safetensors file without trusting it |
//! | [`safetensors_file`] | tensors in and out of a safetensors file |
//! | [`checkpoint`] | what a checkpoint holds, under which names |
//! | [`parameters`] | a model's parameters out of a checkpoint |
//! | [`expected`] | the names and shapes a model wants against those a file has |
//! | [`run_folder`] | writing the folder of one training run |
//! | [`run_files`] | reading that folder: which checkpoint a path means |
//! | [`run_lock`] | two trainings never write one folder |
//! | [`metrics`] | what is recorded of a logged step, a line of `metrics.jsonl` |

pub mod atomic;
pub mod checkpoint;
pub mod expected;
pub mod metrics;
pub mod parameters;
pub mod run_files;
pub mod run_folder;
pub mod run_lock;
pub mod safetensors_file;
pub mod safetensors_header;

#[cfg(test)]
mod broken_files;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod faulty_disk;
