//! The types of element that the safetensors format knows: all can be read and shown, those that floats widen from can be used.

use std::fmt;

macro_rules! data_types {
    ($($(#[doc = $about:literal])* $name:ident = $text:literal, $bits:literal;)*) => {
        /// A type of element, under its name in the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DataType {
            $($(#[doc = $about])* $name,)*
        }

        impl DataType {
            /// All types, in the order in which the documentation lists them.
            pub const ALL: &[DataType] = &[$(DataType::$name),*];

            /// Bits of one element.
            pub fn bits(self) -> usize {
                match self {
                    $(DataType::$name => $bits,)*
                }
            }

            /// Its name in the file: `F32`.
            pub fn name(self) -> &'static str {
                match self {
                    $(DataType::$name => $text,)*
                }
            }
        }
    };
}

data_types! {
    /// 32-bit float.
    F32 = "F32", 32;
    /// 64-bit float.
    F64 = "F64", 64;
    /// 16-bit float of IEEE 754: 5 bits of exponent, 10 of fraction.
    F16 = "F16", 16;
    /// The upper half of a 32-bit float: 8 bits of exponent, 7 of fraction.
    Bf16 = "BF16", 16;
    /// 64-bit unsigned integer.
    U64 = "U64", 64;
    /// 64-bit signed integer.
    I64 = "I64", 64;
    /// 32-bit unsigned integer.
    U32 = "U32", 32;
    /// 32-bit signed integer.
    I32 = "I32", 32;
    /// 16-bit unsigned integer.
    U16 = "U16", 16;
    /// 16-bit signed integer.
    I16 = "I16", 16;
    /// Byte.
    U8 = "U8", 8;
    /// Signed byte.
    I8 = "I8", 8;
    /// A byte that is 0 or 1.
    Bool = "BOOL", 8;
    /// Two 32-bit floats, real and imaginary part.
    C64 = "C64", 64;
    /// 8-bit float.
    F8E5M2 = "F8_E5M2", 8;
    /// 8-bit float.
    F8E4M3 = "F8_E4M3", 8;
    /// 8-bit power of two.
    F8E8M0 = "F8_E8M0", 8;
    /// 8-bit float without infinities and negative zero.
    F8E4M3Fnuz = "F8_E4M3FNUZ", 8;
    /// 8-bit float without infinities and negative zero.
    F8E5M2Fnuz = "F8_E5M2FNUZ", 8;
    /// 6-bit float.
    F6E2M3 = "F6_E2M3", 6;
    /// 6-bit float.
    F6E3M2 = "F6_E3M2", 6;
    /// 4-bit float.
    F4 = "F4", 4;
}

impl DataType {
    /// How many bytes so many elements take; none where that is no whole number, or cannot be counted.
    pub fn bytes_of(self, elements: u64) -> Option<u64> {
        let bits = elements.checked_mul(self.bits() as u64)?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The value of a 16-bit float, exactly: `(−1)^s · 2^(e−15) · (1 + m/1024)`, below `e = 1` without the 1.
///
/// Source: IEEE 754-2019, section 3.4, binary16.
pub fn half_to_f32(bits: u16) -> f32 {
    let (exponent, fraction) = ((bits >> 10) & 0x1f, f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1024.0 + fraction) * 2f32.powi(i32::from(e) - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The value of a bfloat16, exactly: it is the upper half of an `f32`.
pub fn bfloat_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_float_widens_to_the_number_that_its_bits_spell() {
        for bits in 0..=u16::MAX {
            let (sign, e, m) = (bits >> 15, i32::from((bits >> 10) & 31), f64::from(bits & 1023));
            let spelled = if e == 0 { m / 1024.0 * 2f64.powi(-14) } else { (1.0 + m / 1024.0) * 2f64.powi(e - 15) };
            let spelled = if sign == 1 { -spelled } else { spelled };
            let widened = f64::from(half_to_f32(bits));
            if e == 31 {
                assert!(!widened.is_finite() && widened.is_nan() == (m > 0.0), "{bits:04x}");
            } else {
                assert_eq!(widened.to_bits(), spelled.to_bits(), "{bits:04x}");
            }
        }
        // Published values: one, a third, the largest, the least.
        let known = [(0x3c00, 1.0), (0x3555, 0.333_251_95), (0x7bff, 65504.0), (0x0001, 5.960_464_5e-8)];
        known.iter().for_each(|&(bits, value)| assert_eq!(half_to_f32(bits), value));
    }

    #[test]
    fn every_bfloat_is_a_float_with_a_short_fraction() {
        for (bits, value) in [(0x3f80, 1.0), (0xc000, -2.0), (0x3eab, 0.333_984_38), (0x7f7f, 3.389_531_4e38)] {
            assert_eq!(bfloat_to_f32(bits), value);
        }
        assert!(bfloat_to_f32(0x7f80).is_infinite() && bfloat_to_f32(0x7fc0).is_nan());
    }

    #[test]
    fn elements_that_end_within_a_byte_have_no_length_in_bytes() {
        assert_eq!(DataType::F4.bytes_of(3), None);
        assert_eq!(DataType::F4.bytes_of(4), Some(2));
        assert_eq!(DataType::F6E2M3.bytes_of(4), Some(3));
        assert_eq!(DataType::F64.bytes_of(u64::MAX), None);
    }
}
