//! Module values, type 7, and the opcode stream that all module data is written in.
//!
//! ```text
//! length module id     repeat: length opcode, payload     length 0
//! ```
//!
//! | opcode | payload |
//! | ---: | --- |
//! | 1 | length: an i64 in two's complement |
//! | 2 | length: a u64 |
//! | 3 | f32 LE |
//! | 4 | f64 LE |
//! | 5 | string |
//!
//! Any module's value can be walked, copied and shown without knowing the module.
//! Source: Redis `src/rdb.c`, `rdbLoadCheckModuleValue`; `src/module.c`, `moduleTypeEncodeId`.

use crate::bytes::Cursor;
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::string::{self, StringRef};

const EOF: u64 = 0;

/// A module type's name and encoding version in 64 bits: nine characters of six bits, ten bits of version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModuleId(pub u64);

const CHARSET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl ModuleId {
    /// The nine characters.
    #[must_use]
    pub fn name(self) -> String {
        (0..9u32)
            .map(|i| {
                let bits = self.0 >> (58u32.saturating_sub(i.saturating_mul(6))) & 0x3f;
                usize::try_from(bits).ok().and_then(|i| CHARSET.get(i)).map_or('?', |&b| char::from(b))
            })
            .collect()
    }

    /// The version of the encoding, 0 to 1023.
    #[must_use]
    pub fn version(self) -> u16 {
        u16::try_from(self.0 & 0x3ff).unwrap_or_default()
    }

    /// The id of a name and a version.
    #[must_use]
    pub fn from_name(name: &[u8; 9], version: u16) -> Option<Self> {
        let mut bits = 0u64;
        for byte in name {
            let index = CHARSET.iter().position(|c| c == byte)?;
            bits = bits << 6 | u64::try_from(index).ok()?;
        }
        Some(Self(bits << 10 | u64::from(version & 0x3ff)))
    }
}

/// A module's value: whose it is, and its opcode stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleRef<'a> {
    /// Type name and version.
    pub id: ModuleId,
    /// Absolute offset of the stream.
    pub offset: u64,
    stream: &'a [u8],
}

/// One item of a module's opcode stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ModuleItem<'a> {
    /// Opcode 1.
    Signed(i64),
    /// Opcode 2.
    Unsigned(u64),
    /// Opcode 3.
    Float(f32),
    /// Opcode 4.
    Double(f64),
    /// Opcode 5.
    Bytes(StringRef<'a>),
}

impl<'a> ModuleRef<'a> {
    /// Read an id and step over its stream.
    pub(in crate::rdb) fn decode(c: &mut Cursor<'a>) -> Result<Self> {
        let id = ModuleId(length::decode(c)?);
        Self::stream_of(id, c)
    }

    /// Step over the stream of a module whose id has been read.
    pub(in crate::rdb) fn stream_of(id: ModuleId, c: &mut Cursor<'a>) -> Result<Self> {
        let start = *c;
        while next_item(c)?.is_some() {}
        Ok(Self { id, offset: start.offset(), stream: c.since(&start) })
    }

    /// The stored stream, its end mark included.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.stream
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> ModuleItems<'a> {
        ModuleItems(Cursor::at(self.stream, self.offset))
    }
}

/// The items of a module's opcode stream, one by one.
#[derive(Debug, Clone)]
pub struct ModuleItems<'a>(Cursor<'a>);

impl<'a> Iterator for ModuleItems<'a> {
    type Item = ModuleItem<'a>;

    fn next(&mut self) -> Option<ModuleItem<'a>> {
        next_item(&mut self.0).ok().flatten()
    }
}

fn next_item<'a>(c: &mut Cursor<'a>) -> Result<Option<ModuleItem<'a>>> {
    let at = c.offset();
    Ok(Some(match length::decode(c)? {
        EOF => return Ok(None),
        1 => ModuleItem::Signed(length::decode(c)?.cast_signed()),
        2 => ModuleItem::Unsigned(length::decode(c)?),
        3 => ModuleItem::Float(f32::from_le_bytes(c.array()?)),
        4 => ModuleItem::Double(f64::from_le_bytes(c.array()?)),
        5 => ModuleItem::Bytes(string::decode(c)?),
        _ => return Err(Error::invalid(at, "module-bad-opcode", "a module's data has an unknown opcode")),
    }))
}

pub(super) fn skip(c: &mut Cursor<'_>) -> Result<()> {
    length::decode(c)?;
    skip_stream(c)
}

/// Step over an opcode stream.
pub(in crate::rdb) fn skip_stream(c: &mut Cursor<'_>) -> Result<()> {
    while next_item(c)?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_decode_to_names_and_back() {
        let id = ModuleId(0x0123_4567_89ab_cdef);
        assert_eq!((id.name().as_str(), id.version()), ("ASNFZ4mrz", 495));
        assert_eq!(ModuleId::from_name(b"ASNFZ4mrz", 495), Some(id));
        assert_eq!(ModuleId(0xbde7_2da2_bb1e_b400).name(), "vectorset");
        assert_eq!(ModuleId::from_name(b"not a nam", 0), None);
    }

    #[test]
    fn an_unknown_opcode_is_reported_where_it_stands() {
        let error = skip_stream(&mut Cursor::at(&[2, 5, 6, 0], 10)).unwrap_err();
        assert_eq!((error.offset(), error.code()), (12, "module-bad-opcode"));
    }
}
