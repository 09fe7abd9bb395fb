//! What is on disk: safetensors files, checkpoints, run folders, and how each is replaced without loss. Nothing else writes there.
//!
//! Nothing here knows a model or the engine: a stored tensor is a name, a data type, a shape and bytes. This file is the map
//! of the folder; it holds no code of its own. `docs/file-formats.md` describes the formats for a reader with another program.
//!
//! | file | holds |
//! | --- | --- |
//! | [`atomic`] | replacing a file so that a crash leaves the old one or the new one |
//! | `leftovers` | what a crash has left beside a user's file |
//! | [`user_file`] | a file that a user named: what it is stays, what it holds is replaced |
//! | [`regular`] | reading regular files, of a bounded length |
//! | [`data_type`] | the types of element |
//! | [`checksums`] | of tensors and header: a flipped bit is seen |
//! | [`safetensors_header`] | reading the header of a safetensors file without trusting it |
//! | [`safetensors_file`] | tensors in and out of a safetensors file |
//! | [`stored_tensor`] | a tensor as a file holds it |
//! | [`checkpoint`], `group` | what a checkpoint holds, under which names; what its tensors are for |
//! | [`progress`] | how far a run had come, in a checkpoint |
//! | [`parameters`] | a model's parameters out of a checkpoint |
//! | [`expected`] | the names and shapes a model wants against those a file has |
//! | [`run_folder`] | writing the folder of one training run |
//! | [`run_files`] | reading that folder: which checkpoint a path means |
//! | `run_start` | whether a run may be begun in a folder |
//! | `run_state` | whether the files of a run are one whole state |
//! | [`run_identity`] | which files are of which run, and which are somebody's |
//! | `replaced_run` | a run that is overwritten, kept aside until the new one has saved |
//! | [`run_lock`] | two trainings never write one folder |
//! | [`metrics`] | what is recorded of a logged step, a line of `metrics.jsonl` |

pub mod atomic;
pub mod checkpoint;
pub mod checksums;
pub mod data_type;
pub mod expected;
mod group;
mod leftovers;
pub mod metrics;
pub mod parameters;
pub mod progress;
pub mod regular;
mod replaced_run;
pub mod run_files;
pub mod run_folder;
pub mod run_identity;
pub mod run_lock;
mod run_start;
mod run_state;
pub mod safetensors_file;
pub mod safetensors_header;
pub mod stored_tensor;
pub mod user_file;

#[cfg(test)]
mod broken_files;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod faulty_disk;
#[cfg(test)]
mod overwriting;
