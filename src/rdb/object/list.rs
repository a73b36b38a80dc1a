//! Lists.
//!
//! | type | body |
//! | --- | --- |
//! | 1 | count, then each element as a string |
//! | 10 | one string: a ziplist |
//! | 14 | count, then that many strings: ziplists |
//! | 18 | count of nodes, then for each a container (1 plain, 2 packed) and a string: the element itself, or a listpack |
//!
//! Source: Redis `src/rdb.c`, `rdbLoadObject`.

use super::{
    Buffers, Element, Packed, ValueRef, Visit, blob_offset, listpack_count, next_piece, with_blob, ziplist_count,
};
use crate::bytes::Cursor;
use crate::packed::{listpack::Listpack, ziplist::Ziplist};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::opcode::ValueType;
use crate::rdb::string::{self, Scratch};
use crate::value::Piece;

/// A quicklist node that is one element.
pub(crate) const PLAIN: u64 = 1;
/// A quicklist node that is a listpack.
pub(crate) const PACKED: u64 = 2;

pub(super) fn plain<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        visit(Element::Item(string::decode(c)?.read(&mut buffers.first)?))?;
    }
    Ok(())
}

pub(super) fn ziplist<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        items(&mut Ziplist::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)
    })
}

pub(super) fn quicklist<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        ziplist(c, buffers, visit)?;
    }
    Ok(())
}

pub(super) fn quicklist2<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let (container, node) = quicklist2_node(c)?;
        let at = blob_offset(&node);
        let text = node.read(&mut buffers.first)?;
        if container == PLAIN {
            visit(Element::Item(text))?;
            continue;
        }
        with_blob!(text, blob, wrap => {
            items(&mut Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)?;
        });
    }
    Ok(())
}

/// A node's container and its string.
pub(crate) fn quicklist2_node<'a>(c: &mut Cursor<'a>) -> Result<(u64, string::StringRef<'a>)> {
    let start = c.offset();
    let container = length::decode(c)?;
    if container != PLAIN && container != PACKED {
        return Err(Error::invalid(
            start,
            "quicklist-bad-container",
            "a list node is neither plain (1) nor packed (2)",
        ));
    }
    Ok((container, string::decode(c)?))
}

/// Each element of a packed blob as an item.
pub(super) fn items<'a, 'x, 'e>(
    iter: &mut impl Packed<'x>,
    at: u64,
    wrap: impl Fn(&'x [u8]) -> Piece<'a, 'e>,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    let mut text = itoa::Buffer::new();
    while let Some(item) = next_piece(iter, at, &wrap, &mut text)? {
        visit(Element::Item(item))?;
    }
    Ok(())
}

pub(super) fn count(value: &ValueRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    let c = &mut value.cursor();
    let mut total = 0u64;
    for _ in 0..length::decode(c)? {
        let in_node = if value.value_type == ValueType::ListQuicklist {
            ziplist_count(&string::decode(c)?, scratch)?
        } else {
            match quicklist2_node(c)? {
                (PLAIN, _) => 1,
                (_, node) => listpack_count(&node, scratch)?,
            }
        };
        total = total.saturating_add(in_node);
    }
    Ok(total)
}
