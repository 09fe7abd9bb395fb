//! Tensors in and out of a safetensors file: named, typed, shaped bytes.
//!
//! Written with the `safetensors` crate's own header types and streamed tensor by tensor, so that saving needs no second
//! copy of the model and the same tensors give the same bytes (the crate's `serialize` orders metadata by a random hash).
//! What the tensors mean is not known here: [`super::checkpoint`] says it.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;

use super::atomic::{Disk, read_error, replace};
use super::checksums::{self, Checksums};
use super::regular::{self, shortened};
use super::safetensors_header::{DataType, Entry, Header, MAX_RANK, read_header};
pub use super::stored_tensor::{Element, StoredTensor};
use crate::error::{Error, Kind, Result};

/// The type of the same name in the `safetensors` crate.
fn their_type(data_type: DataType) -> Dtype {
    match data_type {
        DataType::F32 => Dtype::F32,
        DataType::F64 => Dtype::F64,
        DataType::F16 => Dtype::F16,
        DataType::Bf16 => Dtype::BF16,
        DataType::U64 => Dtype::U64,
        DataType::I64 => Dtype::I64,
        DataType::U32 => Dtype::U32,
        DataType::I32 => Dtype::I32,
        DataType::U16 => Dtype::U16,
        DataType::I16 => Dtype::I16,
        DataType::U8 => Dtype::U8,
        DataType::I8 => Dtype::I8,
        DataType::Bool => Dtype::BOOL,
        DataType::C64 => Dtype::C64,
        DataType::F8E5M2 => Dtype::F8_E5M2,
        DataType::F8E4M3 => Dtype::F8_E4M3,
        DataType::F8E8M0 => Dtype::F8_E8M0,
        DataType::F8E4M3Fnuz => Dtype::F8_E4M3FNUZ,
        DataType::F8E5M2Fnuz => Dtype::F8_E5M2FNUZ,
        DataType::F6E2M3 => Dtype::F6_E2M3,
        DataType::F6E3M2 => Dtype::F6_E3M2,
        DataType::F4 => Dtype::F4,
    }
}

#[derive(Serialize)]
struct WrittenHeader<'a> {
    #[serde(rename = "__metadata__")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: &'a Metadata,
}

/// Writes a safetensors file atomically. Tensors of 8-byte elements come first, then 4, then 1, each in the given order,
/// so that every tensor is aligned. The checksums of all are added to the metadata.
///
/// # Errors
/// [`Kind::Diverged`] if a float is not finite, [`Kind::Disk`] if the disk refuses, [`Kind::Failed`] if a name occurs
/// twice, is `__metadata__` or empty, or a shape is wrong: whatever is written can be read again.
pub fn write_file(
    disk: &dyn Disk,
    path: &Path,
    tensors: &[&StoredTensor],
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    let what = || format!("cannot save {}", path.display());
    let mut names = HashSet::new();
    for tensor in tensors {
        let StoredTensor { name, data_type, shape, bytes } = tensor;
        let elements = shape.iter().try_fold(1u64, |n, &axis| n.checked_mul(axis as u64));
        let needed = elements.and_then(|n| data_type.bytes_of(n));
        let reserved = name.is_empty() || name == "__metadata__";
        if reserved || shape.len() > MAX_RANK || needed != Some(bytes.len() as u64) || !names.insert(name) {
            let cause = format!("tensor `{name}` of shape {shape:?} has a bad shape, or a name that is taken");
            return Err(Error::new(Kind::Failed, what()).cause(cause));
        }
    }
    let mut ordered = tensors.to_vec();
    ordered.sort_by_key(|t| std::cmp::Reverse(t.data_type.bits()));
    // One pass over all bytes, each tensor by itself; the first in the file's order is the one that is told.
    let looked_at =
        |tensor: &&StoredTensor| tensor.finite_checksum(Kind::Diverged, what(), "the last saved checkpoint is intact");
    let sums: Vec<Result<u32>> = ordered.par_iter().map(looked_at).collect();
    let sums = sums.into_iter().collect::<Result<Vec<u32>>>()?;
    let mut end = 0;
    let infos = ordered.iter().map(|t| {
        let begin = end;
        end += t.bytes.len();
        let info = TensorInfo { dtype: their_type(t.data_type), shape: t.shape.clone(), data_offsets: (begin, end) };
        (t.name.clone(), info)
    });
    let failed = |e: &dyn std::fmt::Display| Error::new(Kind::Failed, what()).cause(e);
    let index = Metadata::new(None, infos.collect()).map_err(|e| failed(&e))?;
    let mut metadata = metadata.clone();
    let summed = ordered.iter().zip(&sums).map(|(t, &sum)| (t.name.as_str(), t.data_type, &t.shape[..], sum));
    checksums::add(&mut metadata, summed);
    let mut header =
        serde_json::to_vec(&WrittenHeader { metadata: &metadata, tensors: &index }).map_err(|e| failed(&e))?;
    header.resize(header.len().next_multiple_of(8), b' ');
    replace(disk, path, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        ordered.iter().try_for_each(|t| out.write_all(&t.bytes))
    })
}

/// An open safetensors file whose header has been checked.
#[derive(Debug)]
pub struct SafetensorsFile {
    path: PathBuf,
    source: BufReader<File>,
    header: Header,
    /// Of its tensors; none where it has none; what is wrong with them.
    checksums: std::result::Result<Option<Checksums>, String>,
    data_start: u64,
}

impl SafetensorsFile {
    /// Opens a file and checks its header; reads no tensor.
    ///
    /// # Errors
    /// [`Kind::BadInput`] with path, cause and position.
    pub fn open(path: &Path) -> Result<Self> {
        let unreadable = |e: io::Error| read_error(path, &e);
        let (file, length) = regular::open(path)?;
        let mut source = BufReader::new(file);
        let mut header = read_header(&mut source, length).map_err(|why| bad(path, why))?;
        let data_start = source.stream_position().map_err(unreadable)?;
        let entries = header.entries.iter().map(|e| (e.name.as_str(), e.data_type, &e.shape[..]));
        let checksums = checksums::take(&mut header.metadata, entries);
        Ok(SafetensorsFile { path: path.to_owned(), source, header, checksums, data_start })
    }

    /// Whether the file was written with checksums, which are held against every tensor that is read.
    pub fn has_checksums(&self) -> bool {
        !matches!(self.checksums, Ok(None))
    }

    /// The checksums, where there are any.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the header is not the one that was written.
    pub fn checksums(&self) -> Result<Option<&Checksums>> {
        self.checksums.as_ref().map(Option::as_ref).map_err(|why| damaged(&self.path, why.clone()))
    }

    /// The checked header, without the checksums.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads one tensor; allocates no more than the file is long.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the file is cut short meanwhile, a float is not finite (naming tensor and index), or a tensor is not
    /// the one that was written.
    pub fn read(&mut self, entry: &Entry) -> Result<StoredTensor> {
        let tensor = self.read_unchecked(entry)?;
        let what = format!("{} is not usable", self.path.display());
        let sum = tensor.finite_checksum(Kind::BadInput, what, "use an earlier checkpoint")?;
        self.hold_against(&tensor.name, sum)?;
        Ok(tensor)
    }

    /// Holds a tensor against its checksum, where there is one.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the tensor.
    pub fn check_sum(&self, tensor: &StoredTensor) -> Result<()> {
        self.hold_against(&tensor.name, checksums::of_bytes(&tensor.bytes))
    }

    fn hold_against(&self, name: &str, actual: u32) -> Result<()> {
        let Some(checksums) = self.checksums()? else { return Ok(()) };
        let written = checksums[name];
        if written == actual {
            return Ok(());
        }
        let name = shortened(name, 100);
        let why = format!("tensor `{name}` has the checksum {actual:08x}, and was written with {written:08x}");
        Err(damaged(&self.path, why))
    }

    /// Reads one tensor, whatever its floats are: for inspection.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the file is cut short meanwhile.
    pub fn read_unchecked(&mut self, entry: &Entry) -> Result<StoredTensor> {
        let mut bytes = vec![0; (entry.end - entry.begin) as usize];
        self.source
            .seek(SeekFrom::Start(self.data_start + entry.begin))
            .and_then(|_| self.source.read_exact(&mut bytes))
            .map_err(|e| bad(&self.path, format!("tensor `{}`: {e}", shortened(&entry.name, 100))))?;
        Ok(StoredTensor { name: entry.name.clone(), data_type: entry.data_type, shape: entry.shape.clone(), bytes })
    }

    /// Reads all tensors, in the order of their bytes.
    ///
    /// # Errors
    /// As [`SafetensorsFile::read`].
    pub fn read_all(&mut self) -> Result<Vec<StoredTensor>> {
        self.read_those(|_| true)
    }

    /// Reads and checks all tensors, in the order of their bytes, and keeps those whose names are wanted.
    ///
    /// # Errors
    /// As [`SafetensorsFile::read`], of any tensor.
    pub fn read_those(&mut self, wanted: impl Fn(&str) -> bool) -> Result<Vec<StoredTensor>> {
        self.checksums()?;
        let entries = self.header.entries.clone();
        let read = entries.iter().map(|entry| self.read(entry));
        read.filter(|tensor| tensor.as_ref().map_or(true, |tensor| wanted(&tensor.name))).collect()
    }
}

fn damaged(path: &Path, why: String) -> Error {
    Error::new(Kind::BadInput, format!("{} is damaged", path.display())).cause(why).help(
        "use another copy or an earlier checkpoint; a program that changes a file on purpose leaves out \
         `autoreg.checksum` and `autoreg.checksums`",
    )
}

fn bad(path: &Path, why: impl Into<String>) -> Error {
    Error::new(Kind::BadInput, format!("{} is not a valid safetensors file", path.display())).cause(why.into())
}

#[cfg(test)]
#[path = "safetensors_file_tests.rs"]
mod tests;
