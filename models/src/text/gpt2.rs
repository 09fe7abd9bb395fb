//! GPTs out of GPT-2's published files: a folder with `config.json`, `model.safetensors`, and `tokenizer.json` or `vocab.json` with
//! `merges.txt`. They are read into a checkpoint of our own names; nothing is written in their form.
//!
//! | file | holds |
//! | --- | --- |
//! | [`config`] | `config.json` as a configuration of ours, or why it is no GPT of ours |
//! | `tensors` | the published names and shapes, and what is turned around |
//! | [`tokenizer`] | `tokenizer.json`, or `vocab.json` and `merges.txt`, as a vocabulary of ours |
//!
//! Source: Radford et al. 2019, `model.py` and `encoder.py`; the names are those of the library transformers, `modeling_gpt2.py`.

pub mod config;
mod tensors;
pub mod tokenizer;

use crate::error::{Error, Kind, Result};
use crate::storage::checkpoint::Checkpoint;
use crate::storage::regular;
use crate::storage::run_files::is_run;
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.json";
const TENSORS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// The most bytes of a configuration, and of a vocabulary: some twenty times those of the largest in public use.
const MOST_CONFIG: u64 = 1 << 20;
const MOST_TOKENIZER: u64 = 1 << 28;

/// The files of a model in a folder.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Those of a folder that holds such files and no run.
    pub fn of(folder: &Path) -> Option<Self> {
        let here = |name| folder.join(name).is_file();
        let found = folder.is_dir() && !is_run(folder) && (here(CONFIG) || here(TENSORS));
        found.then(|| Files { folder: folder.to_owned() })
    }

    /// All of them that a model may be read from, that of the tensors first.
    pub fn paths(&self) -> Vec<PathBuf> {
        [TENSORS, CONFIG, TOKENIZER, VOCABULARY, MERGES].map(|name| self.folder.join(name)).to_vec()
    }

    /// The model as a checkpoint: `tokens.weight` in place of `wte.weight`, matrices as PyTorch's `Linear` has them.
    ///
    /// # Errors
    /// [`Kind::BadInput`] with the file and what in it is missing, extra, of another shape, or not what a GPT of ours computes.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let config = self.read(CONFIG, MOST_CONFIG)?;
        let config = config::parse(&config, &self.shown(CONFIG))?;
        let (vocabulary, file) = if self.folder.join(TOKENIZER).exists() {
            (tokenizer::parse(&self.read(TOKENIZER, MOST_TOKENIZER)?, &self.shown(TOKENIZER))?, TOKENIZER)
        } else if self.folder.join(VOCABULARY).exists() {
            let (tokens, merges) = (self.read(VOCABULARY, MOST_TOKENIZER)?, self.read(MERGES, MOST_TOKENIZER)?);
            let paths = [self.shown(VOCABULARY), self.shown(MERGES)];
            (tokenizer::parse_pair(&tokens, &merges, [&paths[0], &paths[1]])?, VOCABULARY)
        } else {
            return Err(self.lacks(TOKENIZER, "its vocabulary is there, or in vocab.json and merges.txt"));
        };
        if vocabulary.size() != config.symbols {
            let cause = format!("{file} has {} tokens, and `vocab_size` is {}", vocabulary.size(), config.symbols);
            return Err(Error::new(Kind::BadInput, format!("{} contradicts {CONFIG}", self.shown(file)))
                .cause(cause)
                .help(
                    "each row of the table of symbols needs a token: cut rows off that none stands for, or add tokens",
                ));
        }
        let path = self.folder.join(TENSORS);
        if !path.exists() {
            return Err(self.lacks(TENSORS, "the weights are read from it, whole and in one file"));
        }
        let (tensors, prefix) = tensors::read(&path, &config)?;
        let vocabulary = serde_json::from_str(&vocabulary.to_json()).ok();
        Ok(Checkpoint { path, vocabulary, tensors, prefix, ..Checkpoint::new(&config)? })
    }

    fn shown(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn read(&self, name: &str, most: u64) -> Result<String> {
        let path = self.folder.join(name);
        if !path.exists() {
            return Err(self.lacks(name, ""));
        }
        regular::read_text(&path, most).map_err(another_copy)
    }

    fn lacks(&self, name: &str, cause: &str) -> Error {
        Error::new(Kind::BadInput, format!("{} has no {name}", self.folder.display()))
            .cause(cause)
            .help("a model of GPT-2's files is a folder of config.json, model.safetensors and tokenizer.json: docs/file-formats.md")
    }
}

/// What helps against a file that is broken as such.
fn another_copy(error: Error) -> Error {
    if error.help.is_empty() { error.help("use another copy of the file") } else { error }
}

#[cfg(test)]
#[path = "gpt2/tests.rs"]
mod tests;
