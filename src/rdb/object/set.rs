//! Sets.
//!
//! | type | body |
//! | --- | --- |
//! | 2 | count, then each member as a string |
//! | 11 | one string: an intset |
//! | 20 | one string: a listpack |
//!
//! Source: Redis `src/rdb.c`, `rdbLoadObject`.

use super::{Buffers, Element, Visit, blob_offset, next_piece, with_blob};
use crate::bytes::Cursor;
use crate::packed::{intset::Intset, listpack::Listpack};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::string::{self, Scratch, StringRef};
use crate::value::Piece;

pub(super) fn plain<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        visit(Element::Member(string::decode(c)?.read(&mut buffers.first)?, None))?;
    }
    Ok(())
}

pub(super) fn intset<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    let blob = node.read(&mut buffers.first)?;
    let mut text = itoa::Buffer::new();
    for value in Intset::new(&blob).map_err(|e| Error::packed(at, e))?.iter() {
        visit(Element::Member(Piece::Passing(text.format(value).as_bytes()), None))?;
    }
    Ok(())
}

pub(super) fn listpack<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        let mut iter = Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter();
        let mut text = itoa::Buffer::new();
        while let Some(member) = next_piece(&mut iter, at, wrap, &mut text)? {
            visit(Element::Member(member, None))?;
        }
    });
    Ok(())
}

pub(super) fn intset_count(string: &StringRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    let header = string.prefix(8, scratch)?;
    let count = header.get(4..8).and_then(|bytes| bytes.first_chunk::<4>());
    count
        .map(|bytes| u32::from_le_bytes(*bytes).into())
        .ok_or_else(|| Error::invalid(string.offset, "intset-truncated", "an intset is shorter than its header"))
}
