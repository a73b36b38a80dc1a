//! Arrays of numbers that stand in a byte string, little-endian: CBOR's typed arrays, vectors, sketches.

use super::tree::Tree;
use crate::value::Blob;

/// What one number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// 8 bits without a sign.
    U8,
    /// 8 bits with a sign.
    I8,
    /// 16 bits without a sign.
    U16,
    /// 16 bits with a sign.
    I16,
    /// 32 bits without a sign.
    U32,
    /// 32 bits with a sign.
    I32,
    /// 64 bits without a sign.
    U64,
    /// 64 bits with a sign.
    I64,
    /// Half precision.
    F16,
    /// The upper half of a single.
    Bf16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// One bit: 1 is 1, 0 is -1. Words of 64 bits, lowest bit first.
    Sign,
}

impl NumberKind {
    fn bits(self) -> usize {
        match self {
            Self::Sign => 1,
            Self::U8 | Self::I8 => 8,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 16,
            Self::U32 | Self::I32 | Self::F32 => 32,
            Self::U64 | Self::I64 | Self::F64 => 64,
        }
    }
}

/// Numbers in their stored form.
#[derive(Debug, Clone)]
pub struct PackedNumbers<'a> {
    kind: NumberKind,
    count: usize,
    scale: Option<f32>,
    bytes: Blob<'a>,
}

impl<'a> PackedNumbers<'a> {
    /// As many numbers as the bytes hold; `None` when they do not come out even.
    #[must_use]
    pub fn all(kind: NumberKind, bytes: Blob<'a>) -> Option<Self> {
        let bits = bytes.len().checked_mul(8)?;
        let count = bits.checked_div(kind.bits())?;
        (bits.checked_rem(kind.bits()) == Some(0)).then_some(Self { kind, count, scale: None, bytes })
    }

    /// The first `count` numbers; `None` when there are fewer.
    #[must_use]
    pub fn first(kind: NumberKind, count: u64, bytes: Blob<'a>) -> Option<Self> {
        let room = bytes.len().checked_mul(8)?.checked_div(kind.bits())?;
        let count = usize::try_from(count).ok().filter(|&count| count <= room)?;
        Some(Self { kind, count, scale: None, bytes })
    }

    /// The same numbers, each to be multiplied.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        Self { scale: Some(factor), ..self }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The numbers, each as a [`Tree`] of one node.
    pub fn iter(&self) -> impl Iterator<Item = Number> + '_ {
        (0..self.count).filter_map(|i| self.get(i))
    }

    fn get(&self, i: usize) -> Option<Number> {
        let number = match self.kind {
            NumberKind::U8 => Number::UInt(self.at::<1>(i).map(u8::from_le_bytes)?.into()),
            NumberKind::I8 => Number::Int(self.at(i).map(i8::from_le_bytes)?.into()),
            NumberKind::U16 => Number::UInt(self.at(i).map(u16::from_le_bytes)?.into()),
            NumberKind::I16 => Number::Int(self.at(i).map(i16::from_le_bytes)?.into()),
            NumberKind::U32 => Number::UInt(self.at(i).map(u32::from_le_bytes)?.into()),
            NumberKind::I32 => Number::Int(self.at(i).map(i32::from_le_bytes)?.into()),
            NumberKind::U64 => Number::UInt(self.at(i).map(u64::from_le_bytes)?),
            NumberKind::I64 => Number::Int(self.at(i).map(i64::from_le_bytes)?),
            NumberKind::F16 => Number::Single(half(self.at(i).map(u16::from_le_bytes)?)),
            NumberKind::Bf16 => Number::Single(brain(self.at(i).map(u16::from_le_bytes)?)),
            NumberKind::F32 => Number::Single(self.at(i).map(f32::from_le_bytes)?),
            NumberKind::F64 => Number::Double(self.at(i).map(f64::from_le_bytes)?),
            NumberKind::Sign => {
                let bit = self.bytes.get(i / 8)? >> (i % 8) & 1;
                Number::Int(if bit == 1 { 1 } else { -1 })
            }
        };
        Some(match self.scale {
            Some(factor) => number.times(factor),
            None => number,
        })
    }

    fn at<const N: usize>(&self, i: usize) -> Option<[u8; N]> {
        self.bytes.get(i.checked_mul(N)?..)?.first_chunk().copied()
    }
}

/// One number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// With a sign.
    Int(i64),
    /// Without a sign.
    UInt(u64),
    /// Of single precision: its text has no more digits than that needs.
    Single(f32),
    /// Of double precision.
    Double(f64),
}

impl Number {
    fn times(self, factor: f32) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "only numbers of 8 bits are ever scaled")]
        match self {
            Self::Int(value) => Self::Single(value as f32 * factor),
            Self::Single(value) => Self::Single(value * factor),
            other => other,
        }
    }

    pub(super) fn write_json(self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => Tree::Int(value).write_json(out),
            Self::UInt(value) => Tree::UInt(value).write_json(out),
            Self::Single(value) => write_single(value, out),
            Self::Double(value) => Tree::Float(value).write_json(out),
        }
    }
}

pub(super) fn write_single(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(format!("{value:?}").as_bytes());
    } else {
        Tree::Float(value.into()).write_json(out);
    }
}

/// Half precision: 1 bit sign, 5 bits exponent, 10 bits fraction.
pub(super) fn half(bits: u16) -> f32 {
    let fraction = f32::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 0x1f {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        exponent => (fraction + 1024.0) * 2f32.powi(i32::from(exponent).saturating_sub(25)),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

fn brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(numbers: &PackedNumbers<'_>) -> String {
        let mut out = Vec::new();
        Tree::Numbers(numbers.clone()).write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_kind_reads_little_endian() {
        let bytes = b"\x01\x02\x03\x04\x05\x06\x07\x88";
        let text = |kind| json(&PackedNumbers::all(kind, Blob::borrowed(bytes)).unwrap());
        assert_eq!(text(NumberKind::U8), "[1,2,3,4,5,6,7,136]");
        assert_eq!(text(NumberKind::I8), "[1,2,3,4,5,6,7,-120]");
        assert_eq!(text(NumberKind::U16), "[513,1027,1541,34823]");
        assert_eq!(text(NumberKind::I16), "[513,1027,1541,-30713]");
        assert_eq!(text(NumberKind::U32), "[67305985,2282161669]");
        assert_eq!(text(NumberKind::I32), "[67305985,-2012805627]");
        assert_eq!(text(NumberKind::U64), "[9801809732607083009]");
        assert_eq!(text(NumberKind::I64), "[-8644934341102468607]");
        let floats = |kind, bytes: &'static [u8]| json(&PackedNumbers::all(kind, Blob::borrowed(bytes)).unwrap());
        assert_eq!(floats(NumberKind::F16, b"\x00\x3c\x01\x00\x00\xfc"), "[1.0,5.9604645e-8,\"-inf\"]");
        assert_eq!(floats(NumberKind::Bf16, b"\x80\x3f"), "[1.0]");
        assert_eq!(floats(NumberKind::F32, b"\xcd\xcc\xcc\x3d"), "[0.1]");
        assert_eq!(floats(NumberKind::F64, b"\x00\x00\x00\x00\x00\x00\xf0\x3f"), "[1.0]");
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused() {
        assert!(PackedNumbers::all(NumberKind::U16, Blob::borrowed(b"abc")).is_none());
        assert!(PackedNumbers::first(NumberKind::Sign, 65, Blob::borrowed(&[0; 8])).is_none());
        assert_eq!(json(&PackedNumbers::first(NumberKind::Sign, 3, Blob::borrowed(&[5; 8])).unwrap()), "[1,-1,1]");
        assert_eq!(
            json(&PackedNumbers::first(NumberKind::I8, 2, Blob::borrowed(b"\x02\xfe")).unwrap().scaled(0.5)),
            "[1.0,-1.0]"
        );
    }
}
