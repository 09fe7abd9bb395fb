//! A tensor as a file holds it: a name, a type, a shape and bytes; and its elements as numbers.

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

    /// Refuses a float that is not finite, naming it with its index.
    pub(super) fn check_finite(&self, kind: Kind, what: String, help: &str) -> Result<()> {
        let Some(flat) = self.first_non_finite() else { return Ok(()) };
        // The flat index as one index per axis, the last axis fastest.
        let (mut rest, mut index) = (flat, vec![0; self.shape.len()]);
        for (i, &axis) in self.shape.iter().enumerate().rev() {
            index[i] = rest % axis;
            rest /= axis;
        }
        let name = shortened(&self.name, 100);
        Err(Error::new(kind, what).cause(format!("tensor `{name}` is not finite at {index:?}")).help(help))
    }
}
