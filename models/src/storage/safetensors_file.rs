//! Tensors in and out of a safetensors file: named, typed, shaped bytes.
//!
//! Written with the `safetensors` crate's own header types and streamed tensor by tensor, so that saving needs no second
//! copy of the model and the same tensors give the same bytes (the crate's `serialize` orders metadata by a random hash).
//! What the tensors mean is not known here: [`super::checkpoint`] says it.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;

use super::atomic::{Disk, read_error, replace};
use super::safetensors_header::{DataType, Entry, Header, MAX_RANK, read_header};
use crate::error::{Error, Kind, Result};

/// A tensor as a file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTensor {
    /// Its dotted name: `rnn.weight_ih_l0`.
    pub name: String,
    /// The type of its elements.
    pub data_type: DataType,
    /// Its shape, row-major; empty for a scalar.
    pub shape: Vec<usize>,
    /// Its elements, little-endian.
    pub bytes: Vec<u8>,
}

/// An element that a file can hold.
pub trait Element: Copy {
    /// Its type in the file.
    const DATA_TYPE: DataType;
    /// Appends its little-endian bytes.
    fn put(self, bytes: &mut Vec<u8>);
    /// The element of these little-endian bytes, of which there are exactly as many as it takes.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! elements {
    ($($element:ty => $data_type:ident),*) => {$(
        impl Element for $element {
            const DATA_TYPE: DataType = DataType::$data_type;
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("the caller cuts pieces of the element's size"))
            }
        }
    )*};
}
elements!(f32 => F32, f64 => F64, u64 => U64, i64 => I64, u32 => U32, u8 => U8);

impl StoredTensor {
    /// A tensor of these elements.
    ///
    /// # Panics
    /// If the shape does not hold as many elements as there are.
    pub fn new<E: Element>(name: impl Into<String>, shape: &[usize], elements: &[E]) -> Self {
        let name = name.into();
        let count: usize = shape.iter().product();
        assert_eq!(count, elements.len(), "stored tensor `{name}`: shape {shape:?} against the count of elements");
        let mut bytes = Vec::with_capacity(size_of_val(elements));
        elements.iter().for_each(|e| e.put(&mut bytes));
        StoredTensor { name, data_type: E::DATA_TYPE, shape: shape.to_vec(), bytes }
    }

    /// Its elements, where they have exactly this type.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the tensor and both types.
    pub fn elements<E: Element>(&self) -> Result<Vec<E>> {
        if self.data_type != E::DATA_TYPE {
            return Err(self.wrong_type(E::DATA_TYPE.name()));
        }
        Ok(self.bytes.chunks_exact(self.data_type.size()).map(E::get).collect())
    }

    /// Its elements as `f64`, exactly, where it holds `F32` or `F64`.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the tensor and its type, where it holds integers.
    pub fn reals(&self) -> Result<Vec<f64>> {
        match self.data_type {
            DataType::F32 => Ok(self.elements::<f32>()?.into_iter().map(f64::from).collect()),
            DataType::F64 => self.elements(),
            _ => Err(self.wrong_type("F32 or F64")),
        }
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.data_type.size()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The flat index of the first NaN or infinity; `None` for integers and where all is well.
    pub fn first_non_finite(&self) -> Option<usize> {
        match self.data_type {
            DataType::F32 => self.bytes.chunks_exact(4).position(|b| !f32::get(b).is_finite()),
            DataType::F64 => self.bytes.chunks_exact(8).position(|b| !f64::get(b).is_finite()),
            _ => None,
        }
    }

    fn wrong_type(&self, wanted: &str) -> Error {
        Error::new(Kind::BadInput, format!("tensor `{}` holds {}, not {wanted}", self.name, self.data_type))
    }

    fn check_finite(&self, kind: Kind, what: String, help: &str) -> Result<()> {
        let Some(flat) = self.first_non_finite() else { return Ok(()) };
        // The flat index as one index per axis, the last axis fastest.
        let (mut rest, mut index) = (flat, vec![0; self.shape.len()]);
        for (i, &axis) in self.shape.iter().enumerate().rev() {
            index[i] = rest % axis;
            rest /= axis;
        }
        Err(Error::new(kind, what).cause(format!("tensor `{}` is not finite at {index:?}", self.name)).help(help))
    }
}

fn their_type(data_type: DataType) -> Dtype {
    match data_type {
        DataType::F32 => Dtype::F32,
        DataType::F64 => Dtype::F64,
        DataType::U64 => Dtype::U64,
        DataType::I64 => Dtype::I64,
        DataType::U32 => Dtype::U32,
        DataType::U8 => Dtype::U8,
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
/// so that every tensor is aligned.
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
        let needed = shape.iter().try_fold(data_type.size(), |n, &axis| n.checked_mul(axis));
        let reserved = name.is_empty() || name == "__metadata__";
        if reserved || shape.len() > MAX_RANK || needed != Some(bytes.len()) || !names.insert(name) {
            let cause = format!("tensor `{name}` of shape {shape:?} has a bad shape, or a name that is taken");
            return Err(Error::new(Kind::Failed, what()).cause(cause));
        }
        tensor.check_finite(Kind::Diverged, what(), "the last saved checkpoint is intact")?;
    }
    let mut ordered = tensors.to_vec();
    ordered.sort_by_key(|t| std::cmp::Reverse(t.data_type.size()));
    let mut end = 0;
    let infos = ordered.iter().map(|t| {
        let begin = end;
        end += t.bytes.len();
        let info = TensorInfo { dtype: their_type(t.data_type), shape: t.shape.clone(), data_offsets: (begin, end) };
        (t.name.clone(), info)
    });
    let failed = |e: &dyn std::fmt::Display| Error::new(Kind::Failed, what()).cause(e);
    let index = Metadata::new(None, infos.collect()).map_err(|e| failed(&e))?;
    let mut header = serde_json::to_vec(&WrittenHeader { metadata, tensors: &index }).map_err(|e| failed(&e))?;
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
    data_start: u64,
}

impl SafetensorsFile {
    /// Opens a file and checks its header; reads no tensor.
    ///
    /// # Errors
    /// [`Kind::BadInput`] with path, cause and position.
    pub fn open(path: &Path) -> Result<Self> {
        let unreadable = |e: io::Error| read_error(path, &e);
        let file = File::open(path).map_err(unreadable)?;
        let about = file.metadata().map_err(unreadable)?;
        if !about.is_file() {
            return Err(bad(path, "it is not a file"));
        }
        let mut source = BufReader::new(file);
        let header = read_header(&mut source, about.len()).map_err(|why| bad(path, why))?;
        let data_start = source.stream_position().map_err(unreadable)?;
        Ok(SafetensorsFile { path: path.to_owned(), source, header, data_start })
    }

    /// The checked header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads one tensor; allocates no more than the file is long.
    ///
    /// # Errors
    /// [`Kind::BadInput`] if the file is cut short meanwhile, or a float is not finite (naming tensor and index).
    pub fn read(&mut self, entry: &Entry) -> Result<StoredTensor> {
        let tensor = self.read_unchecked(entry)?;
        let what = format!("{} is not usable", self.path.display());
        tensor.check_finite(Kind::BadInput, what, "use an earlier checkpoint")?;
        Ok(tensor)
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
            .map_err(|e| bad(&self.path, format!("tensor `{}`: {e}", entry.name)))?;
        Ok(StoredTensor { name: entry.name.clone(), data_type: entry.data_type, shape: entry.shape.clone(), bytes })
    }

    /// Reads all tensors, in the order of their bytes.
    ///
    /// # Errors
    /// As [`SafetensorsFile::read`].
    pub fn read_all(&mut self) -> Result<Vec<StoredTensor>> {
        let entries = self.header.entries.clone();
        entries.iter().map(|entry| self.read(entry)).collect()
    }
}

fn bad(path: &Path, why: impl Into<String>) -> Error {
    Error::new(Kind::BadInput, format!("{} is not a valid safetensors file", path.display())).cause(why.into())
}

#[cfg(test)]
#[path = "safetensors_file_tests.rs"]
mod tests;
