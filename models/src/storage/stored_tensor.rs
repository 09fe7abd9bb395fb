//! A tensor as a file holds it: a name, a type, a shape and bytes; and its elements as numbers.

use super::checksums::Checksum;
use super::data_type::{DataType, bfloat_to_f32, half_to_f32};
use super::regular::shortened;
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
elements!(f32 => F32, f64 => F64, u64 => U64, i64 => I64, u32 => U32, u16 => U16, u8 => U8);

/// Bytes that are looked at at a time: they stay in the nearest cache.
const PIECE: usize = 16 << 10;

/// Whether every float of these bytes is finite, which is an exponent that is not all ones. Without a branch, so that many are
/// compared at once; which one is not finite, a second look tells.
fn all_finite(data_type: DataType, bytes: &[u8]) -> bool {
    fn all<const N: usize>(bytes: &[u8], is_finite: impl Fn([u8; N]) -> bool) -> bool {
        let (elements, _) = bytes.as_chunks::<N>();
        elements.iter().fold(true, |all, &element| all & is_finite(element))
    }
    match data_type {
        DataType::F32 => all(bytes, |b| u32::from_le_bytes(b) << 1 < 0xff << 24),
        DataType::F64 => all(bytes, |b| u64::from_le_bytes(b) << 1 < 0x7ff << 53),
        DataType::F16 => all(bytes, |b| u16::from_le_bytes(b) << 1 < 0x1f << 11),
        DataType::Bf16 => all(bytes, |b| u16::from_le_bytes(b) << 1 < 0xff << 8),
        _ => true,
    }
}

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
        Ok(self.bytes.chunks_exact(size_of::<E>()).map(E::get).collect())
    }

    /// Its elements as `f64`, exactly, where it holds floats of 16, 32 or 64 bits.
    ///
    /// # Errors
    /// [`Kind::BadInput`] naming the tensor and its type, where it holds integers.
    pub fn reals(&self) -> Result<Vec<f64>> {
        match self.data_type {
            DataType::F32 => Ok(self.elements::<f32>()?.into_iter().map(f64::from).collect()),
            DataType::F64 => self.elements(),
            DataType::F16 => Ok(self.halves().map(half_to_f32).map(f64::from).collect()),
            DataType::Bf16 => Ok(self.halves().map(bfloat_to_f32).map(f64::from).collect()),
            _ => Err(self.wrong_type("F32, F64, F16 or BF16")),
        }
    }

    fn halves(&self) -> impl Iterator<Item = u16> {
        self.bytes.chunks_exact(2).map(u16::get)
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The checksum of its bytes; `None` where a float is not finite. Both are computed of a piece while it lies in the cache, so that
    /// the memory, which is what either would wait for, is read once.
    fn checksum_if_finite(&self) -> Option<u32> {
        let mut sum = Checksum::default();
        for piece in self.bytes.chunks(PIECE) {
            if !all_finite(self.data_type, piece) {
                return None;
            }
            sum.update(piece);
        }
        Some(sum.value())
    }

    /// The flat index of the first NaN or infinity; `None` for integers and where all is well.
    pub fn first_non_finite(&self) -> Option<usize> {
        match self.data_type {
            DataType::F32 => self.bytes.chunks_exact(4).position(|b| !f32::get(b).is_finite()),
            DataType::F64 => self.bytes.chunks_exact(8).position(|b| !f64::get(b).is_finite()),
            DataType::F16 => self.halves().position(|bits| !half_to_f32(bits).is_finite()),
            DataType::Bf16 => self.halves().position(|bits| !bfloat_to_f32(bits).is_finite()),
            _ => None,
        }
    }

    fn wrong_type(&self, wanted: &str) -> Error {
        Error::new(
            Kind::BadInput,
            format!("tensor `{}` holds {}, not {wanted}", shortened(&self.name, 100), self.data_type),
        )
    }

    /// The checksum of its bytes; refuses a float that is not finite, naming it with its index.
    pub(super) fn finite_checksum(&self, kind: Kind, what: String, help: &str) -> Result<u32> {
        self.checksum_if_finite().ok_or_else(|| self.not_finite(kind, what, help))
    }

    fn not_finite(&self, kind: Kind, what: String, help: &str) -> Error {
        let flat = self.first_non_finite().unwrap_or_default();
        // The flat index as one index per axis, the last axis fastest.
        let (mut rest, mut index) = (flat, vec![0; self.shape.len()]);
        for (i, &axis) in self.shape.iter().enumerate().rev() {
            index[i] = rest % axis;
            rest /= axis;
        }
        let name = shortened(&self.name, 100);
        Error::new(kind, what).cause(format!("tensor `{name}` is not finite at {index:?}")).help(help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::checksums;

    #[test]
    fn the_checksum_of_pieces_is_that_of_the_whole_and_every_float_that_is_not_finite_is_found_in_any_piece() {
        let types = [(DataType::F32, 4, 0x7f80_0000), (DataType::F64, 8, 0x7ff0 << 48), (DataType::F16, 2, 0x7c00)];
        for (data_type, size, infinity) in types.into_iter().chain([(DataType::Bf16, 2, 0x7f80_u64)]) {
            let count = 2 * PIECE / size + 3;
            // One below infinity is the largest number.
            let bytes: Vec<u8> = (infinity - 1_u64).to_le_bytes()[..size].repeat(count);
            let tensor = StoredTensor { name: "w".to_owned(), data_type, shape: vec![count], bytes };
            assert_eq!(tensor.checksum_if_finite(), Some(checksums::of_bytes(&tensor.bytes)));
            let negative = infinity | 1 << (8 * size - 1);
            for (at, bad) in [(0, infinity), (PIECE / size, negative), (count - 1, infinity + 1)] {
                let mut damaged = tensor.clone();
                damaged.bytes[at * size..][..size].copy_from_slice(&bad.to_le_bytes()[..size]);
                assert_eq!(damaged.first_non_finite(), Some(at));
                let error = damaged.finite_checksum(Kind::BadInput, "it".to_owned(), "").unwrap_err();
                assert!(error.cause.contains(&format!("[{at}]")), "{error}");
            }
        }
    }
}
