//! CBOR as RedisJSON writes it (version 4).
//!
//! | major | meaning |
//! | ---: | --- |
//! | 0, 1 | integers from `i64::MIN` to `u64::MAX` |
//! | 3 | text |
//! | 4, 5 | arrays, maps whose names are text |
//! | 6 | a typed array: tag, then a byte string of little-endian numbers |
//! | 7 | false, true, null, numbers of 16, 32, 64 bits |
//!
//! Typed arrays are those of RFC 8746 (64 u8, 72 i8, 69 u16, 77 i16, 84 f16, 70 u32, 78 i32, 85 f32, 71 u64, 79 i64,
//! 86 f64) and 65536, bfloat16. Lengths are always given; byte strings elsewhere are errors.
//! Source: RFC 8949; ijson `src/cbor.rs`.

use super::fields::Charges;
use super::json::name;
use super::packed_numbers::{NumberKind, PackedNumbers, half};
use super::tree::Tree;
use crate::bytes::Cursor;
use crate::value::Blob;

/// The document, if the bytes are exactly one.
pub(super) fn decode<'a>(stored: &Blob<'a>, charges: &mut Charges) -> Option<Tree<'a>> {
    match stored.input() {
        Some(input) => Decoder { c: Cursor::new(input), keep: Blob::borrowed, charges }.document(),
        None => Decoder { c: Cursor::new(stored), keep: Blob::copied, charges }.document(),
    }
}

struct Decoder<'a, 'b, 'c> {
    c: Cursor<'b>,
    /// Borrows from the input, or copies out of a buffer that will be gone.
    keep: fn(&'b [u8]) -> Blob<'a>,
    charges: &'c mut Charges,
}

impl<'a, 'b> Decoder<'a, 'b, '_> {
    fn document(mut self) -> Option<Tree<'a>> {
        let tree = self.item(self.charges.depth)?;
        self.c.is_empty().then_some(tree)
    }

    fn item(&mut self, depth: u32) -> Option<Tree<'a>> {
        let first = self.c.u8().ok()?;
        if first >> 5 == 7 {
            return self.simple(first & 0x1f);
        }
        let argument = self.argument(first & 0x1f)?;
        match first >> 5 {
            0 => Some(i64::try_from(argument).map_or(Tree::UInt(argument), Tree::Int)),
            1 => i64::try_from(argument).ok().map(|n| Tree::Int(!n)),
            3 => self.text(argument).map(Tree::Text),
            4 => self.array(argument, depth.checked_sub(1)?),
            5 => self.map(argument, depth.checked_sub(1)?),
            6 => self.typed_array(argument),
            _ => None,
        }
    }

    fn argument(&mut self, info: u8) -> Option<u64> {
        Some(match info {
            0..24 => info.into(),
            24 => self.c.u8().ok()?.into(),
            25 => u16::from_be_bytes(self.c.array().ok()?).into(),
            26 => u32::from_be_bytes(self.c.array().ok()?).into(),
            27 => u64::from_be_bytes(self.c.array().ok()?),
            _ => return None,
        })
    }

    fn simple(&mut self, info: u8) -> Option<Tree<'a>> {
        Some(match info {
            20 => Tree::Bool(false),
            21 => Tree::Bool(true),
            22 => Tree::Null,
            25 => Tree::Float(half(u16::from_be_bytes(self.c.array().ok()?)).into()),
            26 => Tree::Float(f32::from_be_bytes(self.c.array().ok()?).into()),
            27 => Tree::Float(f64::from_be_bytes(self.c.array().ok()?)),
            _ => return None,
        })
    }

    fn text(&mut self, len: u64) -> Option<Blob<'a>> {
        let text = self.c.take(len).ok()?;
        simdutf8::basic::from_utf8(text).ok()?;
        self.keep(text)
    }

    fn keep(&mut self, bytes: &'b [u8]) -> Option<Blob<'a>> {
        self.charges.blob((self.keep)(bytes))
    }

    fn array(&mut self, count: u64, depth: u32) -> Option<Tree<'a>> {
        let mut items = Vec::new();
        for _ in 0..count {
            self.charges.node()?;
            items.push(self.item(depth)?);
        }
        Some(Tree::List(items))
    }

    fn map(&mut self, count: u64, depth: u32) -> Option<Tree<'a>> {
        let mut entries = Vec::new();
        for _ in 0..count {
            self.charges.node()?;
            let first = self.c.u8().ok()?;
            (first >> 5 == 3).then_some(())?;
            let len = self.argument(first & 0x1f)?;
            let key = name(self.text(len)?)?;
            entries.push((key, self.item(depth)?));
        }
        Some(Tree::Map(entries))
    }

    fn typed_array(&mut self, tag: u64) -> Option<Tree<'a>> {
        let kind = match tag {
            64 => NumberKind::U8,
            72 => NumberKind::I8,
            69 => NumberKind::U16,
            77 => NumberKind::I16,
            84 => NumberKind::F16,
            70 => NumberKind::U32,
            78 => NumberKind::I32,
            85 => NumberKind::F32,
            71 => NumberKind::U64,
            79 => NumberKind::I64,
            86 => NumberKind::F64,
            0x1_0000 => NumberKind::Bf16,
            _ => return None,
        };
        let first = self.c.u8().ok()?;
        (first >> 5 == 2).then_some(())?;
        let len = self.argument(first & 0x1f)?;
        let bytes = self.c.take(len).ok()?;
        PackedNumbers::all(kind, self.keep(bytes)?).map(Tree::Numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Budget;

    fn json(stored: &[u8]) -> Option<String> {
        let mut out = Vec::new();
        decode(&Blob::borrowed(stored), &mut Charges::within(&Budget::default()))?.write_json(&mut out);
        let mut copied = Vec::new();
        // The same from a buffer that owns its bytes.
        let owned = Blob::from([stored, &[0x60; 30]].concat());
        assert!(decode(&owned, &mut Charges::within(&Budget::default())).is_none(), "something follows");
        decode(&Blob::copied(stored), &mut Charges::within(&Budget::default()))?.write_json(&mut copied);
        assert_eq!(out, copied);
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn examples_of_the_standard_are_read() {
        for (stored, text) in [
            (b"\x00".as_slice(), "0"),
            (b"\x18\x64", "100"),
            (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\x20", "-1"),
            (b"\x39\x03\xe7", "-1000"),
            (b"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", "-9223372036854775808"),
            (b"\xf9\x3c\x00", "1.0"),
            (b"\xfa\x47\xc3\x50\x00", "100000.0"),
            (b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", "1.1"),
            (b"\xf4", "false"),
            (b"\xf6", "null"),
            (b"\x64\x49\x45\x54\x46", "\"IETF\""),
            (b"\x83\x01\x82\x02\x03\x80", "[1,[2,3],[]]"),
            (b"\xa2\x61a\x01\x61b\x81\xf5", "{\"a\":1,\"b\":[true]}"),
            (b"\xd8\x40\x43\x01\x02\xff", "[1,2,255]"),
            (b"\xda\x00\x01\x00\x00\x42\x80\x3f", "[1.0]"),
        ] {
            assert_eq!(json(stored).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_the_module_does_not_write_is_refused() {
        for stored in [
            b"".as_slice(),
            b"\x41a",
            b"\x9f\xff",
            b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x61\xff",
            b"\xa1\x01\x01",
            b"\xd8\x45\x43abc",
            b"\xc1\x00",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            &[0x81; 500],
        ] {
            assert!(json(stored).is_none(), "{}", stored.escape_ascii());
        }
    }
}
